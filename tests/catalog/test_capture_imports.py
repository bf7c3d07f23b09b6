"""Sessions come into the catalog in pieces: the same rows, whole or not at all, in memory that does not grow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from capture_lines import long_session, session
from neural_trader.errors import DataError
from neural_trader.market import captures
from neural_trader.market.catalog import Catalog, spool
from neural_trader.market.catalog.capturing import import_capture
from neural_trader.market.venue_instruments import VenueInstrument, instruments_in

MADE = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)
KINDS = ["trades", "quotes", "depth"]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "session.txt"
    path.write_bytes(session(400, lost=frozenset({150, 151})))
    return path


def rows_of(catalog: Catalog) -> dict[str, list[Any]]:
    return {str(dataset.key): dataset.frame().rows() for dataset in catalog.datasets()}


@pytest.mark.parametrize(("piece", "block"), [(7, 500), (100, 5000), (1000, 1 << 22)])
def test_pieces_of_any_size_make_the_same_bytes(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: Callable[[], dict[str, bytes]],
    catalog: Catalog, piece: int, block: int,
) -> None:  # fmt: skip
    import_capture(catalog, [recorded], "binance", [MADE])
    whole = tree()
    shutil.rmtree(catalog.root)
    monkeypatch.setattr(spool, "PIECE", piece)
    monkeypatch.setattr(captures, "BLOCK_BYTES", block)
    appended, _ = import_capture(catalog, [recorded], "binance", [MADE])
    assert [each.key.kind for each in appended] == KINDS
    assert all(each.new == each.rows > 50 for each in appended)
    assert tree() == whole
    again, _ = import_capture(catalog, [recorded], "binance", [MADE])
    assert [each.new for each in again] == [0, 0, 0]
    assert tree() == whole


@pytest.mark.parametrize("piece", [50, 1 << 17])
def test_what_was_stored_of_a_session_is_met_again_in_pieces(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    lines = recorded.read_bytes().splitlines(keepends=True)
    (tmp_path / "begin.txt").write_bytes(b"".join(lines[: len(lines) // 2]))
    monkeypatch.setattr(spool, "PIECE", piece)
    stepwise, once = Catalog(tmp_path / "stepwise"), Catalog(tmp_path / "once")
    first, _ = import_capture(stepwise, [tmp_path / "begin.txt"], "binance", [MADE])
    second, _ = import_capture(stepwise, [recorded], "binance", [MADE])
    third, _ = import_capture(once, [recorded], "binance", [MADE])
    for begin, rest, whole in zip(first, second, third, strict=True):
        assert 0 < begin.new < whole.new
        assert begin.new + rest.new == whole.new == rest.rows
    assert rows_of(stepwise) == rows_of(once)


def test_a_session_over_midnight_makes_a_file_of_each_day(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "session.txt"
    # Generated sessions begin at 22:13:20.
    path.write_bytes(session(400, slowness=200))
    import_capture(catalog, [path], "binance", [MADE])
    dates = [path.parent.name for path in catalog.datasets()[0].paths()]
    assert dates == ["date=2023-11-14", "date=2023-11-15"]
    assert [each.new for each in import_capture(catalog, [path], "binance", [MADE])[0]] == [0, 0, 0]


def test_a_contradiction_in_any_piece_changes_nothing_of_that_dataset(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: Catalog, tree: Callable[[], Any]
) -> None:
    import_capture(catalog, [recorded], "binance", [MADE])
    before = tree()
    lines = recorded.read_bytes().splitlines(keepends=True)
    at = next(at for at in range(len(lines) - 1, 0, -1) if b'"trade"' in lines[at])
    message = json.loads(lines[at].split(b" ", 1)[1])
    message["data"]["q"] = "77.00000000"
    lines[at] = lines[at].split(b" ", 1)[0] + b" " + json.dumps(message).encode() + b"\n"
    other = tmp_path / "other.txt"
    other.write_bytes(b"".join(lines))
    monkeypatch.setattr(spool, "PIECE", 20)
    with pytest.raises(DataError, match=r"has quantity 77\.0, but .* is stored"):
        import_capture(catalog, [other], "binance", [MADE])
    assert {name: text for name, text in tree().items() if "staged" not in name} == before


class Crash(BaseException):
    """The end of a process, at one step of its work."""


def test_a_crash_at_any_step_leaves_whole_datasets_and_the_same_import_adds_the_others(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = Catalog(tmp_path / "complete")
    import_capture(complete, [recorded], "binance", [MADE])
    expected = rows_of(complete)
    monkeypatch.setattr(spool, "PIECE", 300)
    left = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash
            return function(*arguments, **named)

        return step

    seen: list[int] = []
    for last in range(0, 500, 3):
        catalog = Catalog(tmp_path / f"crashed {last}")
        left = last
        with monkeypatch.context() as patched:
            for owner, name in ((os, "replace"), (os, "fsync"), (Path, "mkdir"), (pl.DataFrame, "write_parquet"),
                                (pl.LazyFrame, "sink_parquet"), (spool.Spooled, "add")):  # fmt: skip
                patched.setattr(owner, name, counted(getattr(owner, name)))
            try:
                import_capture(catalog, [recorded], "binance", [MADE])
                ended = True
            except Crash:
                ended = False
        found = rows_of(catalog)
        assert all(found[name] == expected[name] for name in found), "a dataset is whole or not there"
        seen.append(len(found))
        import_capture(catalog, [recorded], "binance", [MADE])
        assert rows_of(catalog) == expected
        shutil.rmtree(catalog.root)
        if ended:
            break
    assert set(seen) == {0, 1, 2, 3}
    assert seen == sorted(seen)


def test_what_an_import_left_that_died_is_removed(recorded: Path, catalog: Catalog) -> None:
    dead = catalog.root / spool.SPOOL / "dead"
    dead.mkdir(parents=True)
    (dead / "0.depth").write_bytes(bytes(480))
    with spool.spool_folder(catalog.root) as living:
        assert not dead.exists()
        import_capture(catalog, [recorded], "binance", [MADE])
        assert living.exists(), "another import that is under way is left alone"
    assert [path.name for path in (catalog.root / spool.SPOOL).iterdir()] == ["lock"]


def test_trades_out_of_order_are_sorted_over_all_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: Catalog
) -> None:
    def trade(number: int, ms: int) -> str:
        fields = f'"e":"trade","E":{ms},"s":"ABUSD","t":{number},"p":"1.00","q":"1","T":{ms},"m":true'
        return f"{ms}000000 {{{fields}}}\n"

    path = tmp_path / "trades.txt"
    order = [*range(1, 40), 41, 42, 40]
    path.write_text("".join(trade(at + 1, 1_700_000_000_000 + number) for at, number in enumerate(order)))
    monkeypatch.setattr(spool, "PIECE", 4)
    (appended,), notes = import_capture(catalog, [path], "binance", [MADE])
    frame = catalog.dataset(appended.key).frame()
    assert frame["ts_event"].is_sorted()
    assert frame["trade_id"].to_list() == [*range(1, 40), 42, 40, 41]
    assert notes == ["ABUSD: 3 trades moved: they were not in the order of time"]


def test_a_lost_book_is_marked_where_it_was_lost(recorded: Path, catalog: Catalog) -> None:
    import_capture(catalog, [recorded], "binance", [MADE])
    frame = next(dataset for dataset in catalog.datasets() if dataset.key.kind == "depth").frame()
    marks = frame.filter(pl.col("side") == 0)
    assert marks["is_snapshot"].to_list() == [False, True, False, True]
    assert set(marks["price"]) == set(marks["quantity"]) == {0.0}


def test_messages_that_are_left_out_are_told_by_kind(recorded: Path, tmp_path: Path, catalog: Catalog) -> None:
    unknown = b'{"e":"trade","s":"OTHER","t":1,"p":"1","q":"1","m":true}'
    (tmp_path / "odd.txt").write_bytes(recorded.read_bytes() + b"1 {\n2 " + unknown + b"\n3 " + unknown + b"\n")
    _, notes = import_capture(catalog, [tmp_path / "odd.txt"], "binance", [MADE])
    told = [note for note in notes if "left out" in note]
    assert len(told) == 2
    assert told[0].startswith("2 messages left out, unknown instrument: first message")
    assert "OTHER" in told[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "cannot be read"),
        (b"[]", "describes no instrument"),
        (b'{"symbols":[{"symbol":"AB"}]}', "describes no instrument"),
        (b"\x1f\x8bnot", "the file is damaged"),
    ],
)
def test_descriptions_that_describe_nothing_are_refused(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "info.json").write_bytes(text)
    with pytest.raises(DataError, match=words):
        instruments_in(tmp_path / "info.json", "binance")


PEAK = """
import resource, sys
from pathlib import Path
from neural_trader.market.catalog import Catalog
from neural_trader.market.catalog.capturing import import_capture

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
appended, _ = import_capture(Catalog(sys.argv[1]), [Path(sys.argv[2])], "binance")
print(sum(each.new for each in appended), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_length_of_a_session(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this system does not say how much memory was used")
    unit = 1 if sys.platform == "darwin" else 1024
    grown: dict[int, tuple[int, int]] = {}
    for diffs in (6_000, 24_000):
        path = tmp_path / f"{diffs}.txt"
        with path.open("wb") as file:
            file.writelines(long_session(diffs))
        arguments = [sys.executable, "-c", PEAK, str(tmp_path / f"catalog {diffs}"), str(path)]
        rows, peak = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        grown[diffs] = int(rows), int(peak) * unit
    rows = grown[24_000][0] - grown[6_000][0]
    assert rows > 1_500_000
    # The records alone are 48 bytes each, and the rows that are made of them as many again.
    assert grown[24_000][1] - grown[6_000][1] < 40 * rows
