"""``neural-trader replay`` from beginning to end, offline and on captured sessions, and its reports verified."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import neural_trader as nt
from capture_lines import session
from commands import MAKER, Command, Ended
from neural_trader.market.recordings import load_recording, synthetic_recording

PAGE = "neural-trader-report.html"
STEPS = 600


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A captured session in one file, in two, cut off, empty, and without a record; nothing may be written here."""
    folder = tmp_path_factory.mktemp("captures")
    text = session(STEPS)
    lines = text.splitlines(keepends=True)
    packed = gzip.compress(text)
    (folder / "session.ws.gz").write_bytes(packed)
    (folder / "first.ws.gz").write_bytes(gzip.compress(b"".join(lines[:700])))
    (folder / "second.ws.gz").write_bytes(gzip.compress(b"".join(lines[700:])))
    (folder / "cut.ws.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "empty.ws").write_bytes(b"")
    (folder / "empty.ws.gz").write_bytes(gzip.compress(b""))
    (folder / "noise.ws").write_bytes(b"this is no capture\n" * 9)
    (folder / "foreign.npy").write_bytes(b"\x93NUMPY nothing of ours")
    (folder / "my_maker.py").write_text(MAKER, encoding="utf-8")
    (folder / "of_bars.py").write_text(
        "import neural_trader as nt\nclass OfBars(nt.Strategy):\n    def on_bar(self, bar): pass\n", encoding="utf-8"
    )
    (folder / "raises.py").write_text(
        "import neural_trader as nt\nclass Raises(nt.Strategy):\n    def on_trade(self, trade):\n"
        '        raise ValueError("two\\nlines")\n',
        encoding="utf-8",
    )
    (folder / "fraction.py").write_text(
        "import neural_trader as nt\nclass Fraction(nt.Strategy):\n    def on_trade(self, trade):\n"
        "        self.buy(fraction=0.5)\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def expected() -> nt.Result:
    """The run of the bare command."""
    return nt.replay("avellaneda_stoikov", synthetic_recording(7))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# Without data.


def test_bare_command_replays_a_labelled_random_market_and_writes_a_page(command: Command, expected: nt.Result) -> None:
    ended = command("replay").passed()
    assert "SYNTHETIC DATA" in ended.out
    assert expected.hash in ended.out and ended.out.splitlines()[-1] == f"page     {PAGE}"
    assert max(map(len, ended.out.splitlines())) <= 80
    page = (ended.folder / PAGE).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and expected.hash in page


def test_json_is_one_strict_document_as_the_library_makes_it(command: Command, expected: nt.Result) -> None:
    ended = command("replay", "--json").passed()
    assert ended.document == json.loads(json.dumps(expected.to_dict()))
    assert not list(ended.folder.iterdir())


def test_files_are_written_where_they_were_asked_for(command: Command, expected: nt.Result) -> None:
    ended = command("replay", "-q", "-o", "result.json", "--html", "page.html").passed()
    assert ended.out == "" and sorted(path.name for path in ended.folder.iterdir()) == ["page.html", "result.json"]
    assert json.loads((ended.folder / "result.json").read_text(encoding="utf-8"))["hash"] == expected.hash
    assert not list((command("replay", "--no-html", folder=ended.folder).passed().folder).glob(PAGE))


def test_the_seed_makes_the_market(command: Command) -> None:
    documents = [command("replay", "--seed", seed, "--json").passed().document for seed in (8, 8, 9)]
    assert documents[0] == documents[1] and documents[0]["digests"]["inputs"] != documents[2]["digests"]["inputs"]
    assert documents[0]["origin"]["seed"] == 8 and documents[0]["data"][0]["origin"] == "synthetic"


def test_every_setting_reaches_the_run(command: Command) -> None:
    flags = (
        "--cash 5000 --currency EUR --fee 0.01%/0.1%/1 --leverage 2 --latency 3ms/4ms --feed 2ms --queue power:4"
        " --whole --self-trade off --sample 2s --impact 1.5bps/1500ms --set gamma=0.05 --set every_ms=250"
    )
    run = command("replay", *flags.split(), "--json").passed().document["run"]
    assert (run["parameters"]["gamma"], run["parameters"]["every_ms"]) == (0.05, 250)
    assert {name: value for name, value in run.items() if name != "parameters"} == {
        "strategy": "avellaneda_stoikov",
        "cash": "5000",
        "currency": "EUR",
        "fee": {"maker": "0.0001", "taker": "0.001", "fixed": "1"},
        "leverage": "2",
        "latency": "3ms/4ms",
        "feed": "2ms",
        "queue": "power:4",
        "whole": True,
        "self_trade": "off",
        "sample": "2s",
        "impact": "1.5bps/1500ms",
        "depth": "levels",
        "trades": "trade",
    }


def test_the_ladder_has_the_run_itself_as_one_of_its_rungs(command: Command) -> None:
    document = command("replay", "--ladder", "--json").passed().document
    (own,) = [rung for rung in document["ladder"] if rung["is_run"]]
    assert own["fills"] == document["tables"]["fills"]["total"]
    assert "ladder" not in command("replay", "--json").passed().document


# On captured sessions.


def captured(command: Command, files: Path, *more: Any) -> Ended:
    return command("replay", files / "session.ws.gz", "--venue", "binance", "-s", files / "my_maker.py", *more)


def test_a_captured_session_is_replayed_as_the_library_does(command: Command, files: Path) -> None:
    ended = captured(command, files, "--json")
    result = nt.replay(str(files / "my_maker.py"), files / "session.ws.gz", venue="binance")
    assert ended.code == 0 and ended.document == json.loads(json.dumps(result.to_dict()))
    assert ended.err == "bidding ABUSD\n", "what a strategy prints stays out of the document"
    assert ended.document["origin"]["files"] == [str(files / "session.ws.gz")]
    assert result.orders["state"].to_list() != ["sent"] and ended.document["orders"][0]["post_only"] is True


def test_parts_of_a_session_are_one(command: Command, files: Path) -> None:
    both = (files / "first.ws.gz", files / "second.ws.gz")
    parts = command("replay", *both, "--venue", "binance", "-s", files / "my_maker.py", "--json")
    assert parts.code == 0
    assert parts.document["digests"] == captured(command, files, "--json").document["digests"]


def test_a_file_of_records_gives_the_same_run(command: Command, files: Path, tmp_path: Path) -> None:
    command("data", "records", files / "session.ws.gz", "--venue", "binance", "-o", "session.npy").passed()
    kept = command("replay", "session.npy", "-s", files / "my_maker.py", "--json")
    assert kept.document["digests"] == captured(command, files, "--json").document["digests"]


def test_the_end_of_a_file_that_was_cut_off_is_missing_and_said_so(command: Command, files: Path) -> None:
    ended = command("replay", files / "cut.ws.gz", "--venue", "binance", "-s", files / "my_maker.py", "--json")
    whole = len(load_recording(files / "session.ws.gz", "binance"))
    assert ended.code == 0
    notes = ended.document["data"][0]["notes"]
    assert any("cut off" in note for note in notes), notes
    assert not any(f"{whole:,} records" in note for note in notes)


class Mistake(NamedTuple):
    """A command line, the exit code it ends with, and a part of the line that explains it."""

    line: str
    code: int
    says: str


MISTAKES = [
    Mistake("session.ws.gz", 2, "session.ws.gz: a captured session is of a venue; say which with --venue"),
    Mistake("--venue binance", 2, "name the file, too"),
    Mistake("session.ws.gz --venue binance --seed 3", 2, "--seed draws a synthetic market"),
    Mistake("--no-html --html x.html", 2, "contradicts"),
    Mistake("--html no/such/page.html", 2, "there is no folder 'no/such'"),
    Mistake("-o my_maker.py", 2, "is no report of neural-trader"),
    Mistake("--set gamma", 2, "write NAME=VALUE"),
    Mistake("--lat 5ms", 2, "no such option"),
    Mistake("-s of_bars.py", 2, "OfBars decides on bars; a replay has books and trades"),
    Mistake("session.ws.gz --venue nyse", 3, "nyse"),
    Mistake("session.ws.gz --venue kraken", 3, "session.ws.gz: no record of kraken in this capture"),
    Mistake("sesion.ws.gz --venue binance", 3, "sesion.ws.gz cannot be read: No such file"),
    Mistake("empty.ws --venue binance", 3, "empty.ws: no record of binance in this capture"),
    Mistake("empty.ws.gz --venue binance", 3, "empty.ws.gz: no record of binance in this capture"),
    Mistake("noise.ws --venue binance", 3, "noise.ws: no record of binance in this capture"),
    Mistake("foreign.npy", 3, "foreign.npy is no recording"),
    Mistake("nothing.npy", 3, "nothing.npy"),
    Mistake("session.ws.gz --venue binance -p NOPE", 3, "no symbol 'NOPE' here (found: ABUSD)"),
    Mistake("-s avelaneda_stoikov", 3, "did you mean 'avellaneda_stoikov'?"),
    Mistake("-s nofile.py", 3, "no strategy file 'nofile.py'"),
    Mistake("--set gama=1", 3, "no parameter 'gama'; did you mean 'gamma'?"),
    Mistake("--set gamma=soon", 3, "'soon' is no float"),
    Mistake("--set gamma=-1", 1, "must be positive"),
    Mistake("--latency 5", 3, "latency '5': write a duration with its unit"),
    Mistake("--latency 1ms/2ms/3ms", 3, "latency '1ms/2ms/3ms': give one"),
    Mistake("--feed -1ms", 3, "feed '-1ms'"),
    Mistake("--queue fifo", 3, "queue 'fifo': one of"),
    Mistake("--queue power:99", 3, "queue 'power:99': the power is from 1 to 16"),
    Mistake("--fee 2", 3, "fee '2': a rate is below 1"),
    Mistake("--cash 0", 3, "cash 0: a run needs a positive amount"),
    Mistake("--leverage 0", 3, "leverage 0"),
    Mistake("--sample 0ms", 3, "sample '0ms': the time between samples of equity is not zero"),
    Mistake("--sample soon", 3, "sample 'soon': write a duration"),
    Mistake("--self-trade never", 3, "self_trade 'never'"),
    Mistake("--impact 2bps", 3, "impact"),
    Mistake("--seed -1", 3, "seed -1"),
    Mistake("-s raises.py", 1, "raises.py line 4: ValueError: two lines"),
    Mistake("-s fraction.py", 1, "fraction.py line 4: a replay takes sizes as quantities"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.line)
def test_mistake_is_one_line_with_its_code_and_leaves_nothing(mistake: Mistake, files: Path, command: Command) -> None:
    before = contents(files)
    ended = command("replay", *mistake.line.split(), folder=files)
    assert ended.out == ""
    assert ended.err.startswith("error: ") and ended.err.count("\n") == 1, ended.err
    assert mistake.says in ended.err
    assert ended.code == mistake.code
    assert contents(files) == before


# Verified.


def verified(command: Command, *arguments: Any) -> dict[str, str]:
    """The checks of a report and what came of them."""
    document = command("verify", *arguments, "--json").document
    return {finding["name"]: finding["state"] for finding in document["findings"]}


ALL = ("parameters", "orders", "fills", "postings", "hash", "rerun", "figures")


@pytest.mark.parametrize("queue", ["risk_averse", "power:3"])
def test_the_report_of_the_random_market_verifies(command: Command, queue: str) -> None:
    command("replay", "--seed", 11, "-q", "--queue", queue, "--ladder", "-o", "result.json", "--html", PAGE).passed()
    for report in ("result.json", PAGE):
        assert verified(command, report) == dict.fromkeys(ALL, "PASS")
    assert "avellaneda_stoikov on 601 samples of ALPHA" in command("verify", PAGE).passed().out


@pytest.fixture
def own(command: Command, files: Path, tmp_path: Path) -> Path:
    """A run of a user's strategy on a captured session, both in the folder of the test."""
    for name in ("my_maker.py", "session.ws.gz"):
        shutil.copy(files / name, tmp_path / name)
    command("replay", "session.ws.gz", "--venue", "binance", "-s", "my_maker.py", "-q", "-o", "result.json")
    return tmp_path


def test_the_report_of_a_captured_session_verifies_from_its_files(command: Command, own: Path) -> None:
    assert verified(command, "result.json") == dict.fromkeys(ALL, "PASS")


def test_the_report_of_what_the_catalog_holds_verifies_from_there(command: Command, own: Path) -> None:
    command("data", "import", "session.ws.gz", "--venue", "binance", "--kind", "capture")
    ended = command("replay", "catalog:binance/ABUSD", "-s", "my_maker.py", "--json")
    assert ended.code == 0 and ended.document["origin"]["files"] == ["catalog:binance/ABUSD"]
    (own / "other.json").write_text(ended.out, encoding="utf-8")
    assert verified(command, "other.json") == dict.fromkeys(ALL, "PASS")


def test_a_session_that_moved_can_be_pointed_at(command: Command, own: Path) -> None:
    command("data", "records", "session.ws.gz", "--venue", "binance", "-o", "kept.npy").passed()
    (own / "session.ws.gz").rename(own / "moved.ws.gz")
    assert command("verify", "result.json").code == 3
    for data in ("moved.ws.gz", "kept.npy"):
        assert verified(command, "result.json", "-d", data) == dict.fromkeys(ALL, "PASS")
    assert verified(command, "result.json", "--no-rerun") == dict.fromkeys(ALL[:5], "PASS")


def test_a_session_that_changed_is_named(command: Command, own: Path) -> None:
    lines = gzip.decompress((own / "session.ws.gz").read_bytes()).splitlines(keepends=True)
    del lines[-1]
    (own / "session.ws.gz").write_bytes(gzip.compress(b"".join(lines)))
    ended = command("verify", "result.json")
    assert ended.code == 4 and "rerun: other inputs: data[0]" in ended.err


def test_a_strategy_that_changed_is_named_with_the_first_difference(command: Command, own: Path) -> None:
    source = (own / "my_maker.py").read_text(encoding="utf-8")
    (own / "my_maker.py").write_text(source.replace("bid - self.tick", "bid - 2 * self.tick"), encoding="utf-8")
    ended = command("verify", "result.json")
    assert ended.code == 4 and "rerun: other orders: orders[0].limit is" in ended.err


@pytest.mark.parametrize("column", ["post_only", "limit", "accepted", "display", "state"])
def test_an_order_that_was_changed_afterwards_is_found_without_running(
    command: Command, own: Path, column: str
) -> None:
    document = json.loads((own / "result.json").read_text(encoding="utf-8"))
    order = document["orders"][0]
    changed = {"post_only": False, "limit": order["limit"] + 0.01, "accepted": None, "display": 1.0, "state": "expired"}
    assert order[column] != changed[column]
    order[column] = changed[column]
    (own / "result.json").write_text(json.dumps(document), encoding="utf-8")
    ended = command("verify", "result.json", "--no-rerun")
    assert ended.code == 4 and "result.json: does not verify: orders: " in ended.err


def test_a_fill_quality_that_was_changed_afterwards_is_found(command: Command) -> None:
    command("replay", "-q", "-o", "result.json").passed()
    path = command("version").folder / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["fill_quality"]["maker_effective_bps"] -= 1
    path.write_text(json.dumps(document), encoding="utf-8")
    ended = command("verify", "result.json")
    assert ended.code == 4 and "fill_quality.maker_effective_bps is" in ended.err


def test_records_from_memory_say_what_is_missing(command: Command, tmp_path: Path) -> None:
    made = synthetic_recording(7, "10s")
    recording = type(made)(made.records, made.instruments)
    nt.replay("avellaneda_stoikov", recording).to_json(tmp_path / "result.json")
    ended = command("verify", "result.json")
    assert (ended.code, ended.out) == (3, "")
    assert "the records were handed over in memory; give a file of them with --data, or use --no-rerun" in ended.err
    assert command("verify", "result.json", "-d", "capture.ws.gz").code == 2
