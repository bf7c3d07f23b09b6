"""Recorded sessions from the command line: imported whatever they hold, and drawn as books of a moment."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from capture_lines import START_MS, session
from commands import Command, Ended

PRODUCTS = "coinbase_rest_products_2021-04-17.txt.gz"
COINBASE = "coinbase_exchange_ws_level2_ticker_matches_2021-04-17.txt.gz"
BOOK_OF_KRAKEN = "kraken_v2_book_btcusd_depth10_2023-07-30.json.gz"
AMERICAN = ("binanceus_rest_depth_snapshots_2021-10-12.txt.gz", "binanceus_ws_4symbols_2021-10-12.txt.gz")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A session that loses its book for a few seconds."""
    path = tmp_path / "session.txt"
    path.write_bytes(session(400, lost=frozenset({150, 151})))
    return path


def imported(ended: Ended) -> dict[str, int]:
    return {each["dataset"]: each["rows"] for each in ended.passed().document["files"][0]["datasets"]}


def test_a_session_is_imported_once(recorded: Path, command: Command) -> None:
    arguments = ("data", "import", "session.txt", "--venue", "binance", "--kind", "capture")
    rows = imported(command(*arguments, "--json"))
    assert set(rows) == {f"binance/ABUSD/{kind}" for kind in ("trades", "quotes", "depth")}
    again = command(*arguments).passed().out
    assert again.count("all of it was there") == 3
    assert "ticks and lots inferred" in again
    listed = command("data", "list", "--json").passed().document["datasets"]
    assert {f"{each['venue']}/{each['symbol']}/{each['kind']}": each["rows"] for each in listed} == rows
    assert command("data", "check", "catalog:binance/ABUSD").passed().out.count("nothing odd") == 3


@pytest.mark.parametrize(
    ("venue", "names", "description", "datasets", "faults"),
    [
        ("binance", ["depth/binance_spot_btcusdt_20240808.ws.gz", "depth/binance_spot_btcusdt_20240809.ws.gz"], None,
         {"BTCUSDT/trades": 19_904, "BTCUSDT/quotes": 73_174, "BTCUSDT/depth": 300_096}, 0),
        ("binance", ["depth/binance_spot_ethusdt_20240808.ws.gz"], None, {"ETHUSDT/trades": 6_106}, 0),
        ("binance_usdm", ["depth/binance_usdm_btcusdt_20240808.ws.gz"], None, {"BTCUSDT/depth": 445_264}, 0),
        ("binance_us", [f"wire/{name}" for name in AMERICAN], "binanceus_rest_exchangeinfo_2021-10-12.txt.gz",
         {"COMPUSDT/depth": 927, "OMGBUSD/trades": 11}, 0),
        ("coinbase_exchange", [f"wire/{COINBASE}"], PRODUCTS, {"SKL-USD/depth": 4_748, "DASH-BTC/trades": 16}, 0),
        ("kraken", [f"wire/{BOOK_OF_KRAKEN}"], None, {"BTC/USD/depth": 818}, 0),
        ("kraken", [f"wire/{BOOK_OF_KRAKEN}"], "kraken_v2_instrument_snapshot_2023.json.gz", {"BTC/USD/depth": 818}, 0),
        ("kraken", [f"wire/{BOOK_OF_KRAKEN}"], "kraken_rest_assetpairs_2021-04-17.txt.gz", {"BTC/USD/depth": 818}, 0),
    ],
)  # fmt: skip
def test_recorded_sessions_are_imported(
    shared_data: Path, command: Command, venue: str, names: list[str], description: str | None,
    datasets: dict[str, int], faults: int,
) -> None:  # fmt: skip
    arguments = ["data", "import", *(shared_data / name for name in names), "--venue", venue, "--kind", "capture"]
    if description is not None:
        arguments += ["--instruments", shared_data / "wire" / description]
    first = command(*arguments, "--json").passed().document["files"][0]
    rows = {each["dataset"]: each["rows"] for each in first["datasets"]}
    assert all(each["new"] == each["rows"] for each in first["datasets"])
    assert {name: rows[f"{venue}/{name}"] for name in datasets} == datasets
    assert sum("left out" in note for note in first["notes"]) == faults
    assert ("inferred" in " ".join(first["notes"])) == (description is None)
    again = command(*arguments, "--json").passed().document["files"][0]["datasets"]
    assert [each["new"] for each in again] == [0] * len(rows)
    command("data", "check", f"catalog:{venue}/*").passed()


def test_one_grid_that_does_not_fit_all_products_asks_for_their_description(
    shared_data: Path, command: Command
) -> None:
    path = shared_data / "wire" / COINBASE
    ended = command("data", "import", path, "--venue", "coinbase_exchange", "--kind", "capture")
    assert (ended.code, ended.out) == (3, "")
    assert "describe the instruments with --instruments FILE" in ended.err


def test_the_old_stream_of_kraken_is_named(shared_data: Path, command: Command) -> None:
    path = shared_data / "wire/kraken_v1_trades_10pairs_2021-04-17.txt.gz"
    ended = command("data", "import", path, "--venue", "kraken", "--kind", "capture")
    assert ended.code == 3
    assert "WebSocket v1" in ended.err


def test_the_book_of_a_moment_is_the_quote_of_its_update(shared_data: Path, command: Command) -> None:
    paths = [shared_data / f"depth/binance_spot_btcusdt_{day}.ws.gz" for day in (20240808, 20240809)]
    ends: dict[int, int] = {}
    quotes: dict[int, dict[str, str]] = {}
    for path in paths:
        with gzip.open(path) as lines:
            for line in lines:
                message = json.loads(line.split(b" ", 1)[1])
                body = message.get("data", {})
                if body.get("e") == "depthUpdate":
                    ends[body["u"]] = body["E"]
                elif "@bookTicker" in message.get("stream", ""):
                    quotes[body["u"]] = body
    both = sorted(ends.keys() & quotes.keys())
    command("data", "import", *paths, "--venue", "binance", "--kind", "capture").passed()
    for update in (both[5], both[400], both[-1]):
        quote, at = quotes[update], str(np.datetime64(ends[update], "ms"))
        for source in (["catalog:binance/BTCUSDT"], [*paths, "--venue", "binance"]):
            found = command("data", "book", *source, "--at", at, "--json").passed().document
            assert found["update"]["id"] == update
            assert found["age_ns"] == 0
            best = [found[side][0][name] for side in ("bids", "asks") for name in ("price", "quantity")]
            assert best == [float(quote[name]) for name in "bBaA"]
        drawn = command("data", "book", "catalog:binance/BTCUSDT", "--at", at, "--levels", 1).passed().out.splitlines()
        cells = [[cell.strip() for cell in line.split("|")] for line in drawn[2:4]]
        assert [Decimal(cell) for cell in (cells[1][1], cells[1][0], cells[0][1], cells[0][2])] == [
            Decimal(quote[name]) for name in "bBaA"
        ]


def book_by_hand(path: Path, at_ms: int) -> tuple[dict[str, dict[float, float]], int]:
    """The book that the messages up to a moment make, in the plainest way there is."""
    book: dict[str, dict[float, float]] = {"b": {}, "a": {}}
    waiting, update, is_live = [], 0, False
    for line in path.read_text(encoding="utf-8").splitlines():
        body = json.loads(line.split(" ", 1)[1])
        body = body.get("data", body)
        if "lastUpdateId" in body:
            update, is_live = body["lastUpdateId"], True
            book = {side: {float(p): float(q) for p, q in body[name]} for side, name in (("b", "bids"), ("a", "asks"))}
            waiting = [diff for diff in waiting if diff["u"] > update]
        elif body.get("e") == "depthUpdate" and body["E"] <= at_ms:
            is_live = is_live and body["U"] == update + 1
            waiting.append(body)
        elif body.get("e") == "depthUpdate":
            break
        for diff in waiting if is_live else []:
            update = diff["u"]
            for side in "ba":
                book[side].update({float(p): float(q) for p, q in diff[side]})
        waiting = [] if is_live else waiting
    assert is_live
    return {side: {p: q for p, q in levels.items() if q} for side, levels in book.items()}, update


@pytest.mark.parametrize("after_ms", [1_000, 9_500, 30_000])
def test_all_levels_are_those_that_the_messages_make(recorded: Path, command: Command, after_ms: int) -> None:
    book, update = book_by_hand(recorded, START_MS + after_ms)
    command("data", "import", recorded, "--venue", "binance", "--kind", "capture").passed()
    at = (START_MS + after_ms) * 1_000_000
    for source in (["catalog:binance/ABUSD/depth"], ["session.txt", "--venue", "binance"]):
        found = command("data", "book", *source, "--at", at, "--levels", 500, "--json").passed().document
        assert found["update"]["id"] == update
        assert 0 <= found["age_ns"] < 300_000_000
        for side, name in (("b", "bids"), ("a", "asks")):
            assert {each["price"]: each["quantity"] for each in found[name]} == book[side]
        bid, ask = (found[name][0] for name in ("bids", "asks"))
        assert found["mid"] == pytest.approx((bid["price"] + ask["price"]) / 2)
        assert found["spread"] == pytest.approx(ask["price"] - bid["price"])
        sizes = bid["quantity"], ask["quantity"]
        assert found["imbalance"] == pytest.approx((sizes[0] - sizes[1]) / sum(sizes))
        weighted = (bid["price"] * sizes[1] + ask["price"] * sizes[0]) / sum(sizes)
        assert found["microprice"] == pytest.approx(weighted)


def test_a_book_that_was_lost_is_not_drawn(recorded: Path, command: Command) -> None:
    command("data", "import", recorded, "--venue", "binance", "--kind", "capture").passed()
    diffs = [
        json.loads(line.split(" ", 1)[1])["data"]
        for line in recorded.read_text(encoding="utf-8").splitlines()
        if '"depthUpdate"' in line
    ]
    # The diff with which the hole shows.
    lost_ms = next(after["E"] for before, after in pairwise(diffs) if after["U"] != before["u"] + 1)
    at = lost_ms * 1_000_000
    for source, cause in (
        (["catalog:binance/ABUSD"], "it waits for a snapshot"),
        (["session.txt", "--venue", "binance"], "updates are missing"),
    ):
        ended = command("data", "book", *source, "--at", at)
        assert (ended.code, ended.out) == (3, "")
        assert "no book to be trusted at" in ended.err
        assert cause in ended.err
        assert "the next snapshot is that of 2023-11-14 22:13:" in ended.err
        assert ended.err.count("\n") == 1
        command("data", "book", *source, "--at", at - 1_000_000).passed()
        # Before the first snapshot there is none either.
        first = command("data", "book", *source, "--at", diffs[0]["E"] * 1_000_000)
        assert (first.code, "it waits for a snapshot, and the next" in first.err) == (3, True)


@pytest.mark.parametrize("at", ["2020-01-01", "2023-11-15"])
def test_a_moment_outside_of_the_data_is_told_with_what_is_covered(recorded: Path, command: Command, at: str) -> None:
    command("data", "import", recorded, "--venue", "binance", "--kind", "capture").passed()
    for source in (["catalog:binance/ABUSD"], ["session.txt", "--venue", "binance"]):
        ended = command("data", "book", *source, "--at", at)
        assert ended.code == 3
        assert f"{at} is outside of the data, which runs from 2023-11-14 22:13:20." in ended.err
        assert " to 2023-11-14 22:14:0" in ended.err


def test_a_session_of_several_books_asks_which(shared_data: Path, command: Command) -> None:
    wire = shared_data / "wire"
    book = ("data", "book", wire / COINBASE, "--venue", "coinbase_exchange", "--instruments", wire / PRODUCTS)
    ended = command(*book, "--at", "2021-04-17T16:43:50")
    assert ended.code == 3
    assert "say which with --symbol" in ended.err
    found = command(*book, "--at", "2021-04-17T16:43:50", "--symbol", "DASH-BTC", "--json").passed().document
    assert found["symbol"] == "DASH-BTC"
    assert found["bids"][0]["price"] < found["asks"][0]["price"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("book", "session.txt", "--at", "2024-01-01"), 2, "--venue NAME"),
        (("book", "session.txt", "--venue", "binance", "--at", "noon"), 3, "'noon' is not a time"),
        (("book", "session.txt", "--venue", "binanse", "--at", "2024-01-01"), 3, "no venue is called"),
        (("book", "none.txt", "--venue", "binance", "--at", "2024-01-01"), 3, "none.txt cannot be read"),
        (("book", "session.txt", "--venue", "binance", "--at", "2024-01-01", "--symbol", "X"), 3, "no book of X"),
        (("book", "catalog:a/b", "--venue", "binance", "--at", "2024-01-01"), 2, "leave out --venue"),
        (("book", "catalog:a/b", "--at", "2024-01-01"), 3, "nothing in the catalog"),
        (("import", "session.txt", "--venue", "binance", "--kind", "capture", "--tick", "1"), 2, "--instruments FILE"),
        (("import", "session.txt", "--venue", "b", "--instruments", "session.txt"), 2, "is for --kind capture"),
        (("import", "session.txt", "--venue", "binance", "--kind", "capture", "--instruments", "x"), 3, "x cannot be"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: tuple[str, ...], code: int, words: str, recorded: Path, command: Command
) -> None:
    ended = command("data", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert ended.err.startswith("error: ") and ended.err.count("\n") == 1
