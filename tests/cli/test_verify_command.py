"""``neural-trader verify`` passes what a run wrote, and names whatever was changed afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from commands import Command, Ended
from neural_trader.cli.recorded import Recorded, instant_ns
from neural_trader.cli.verification import check_alone, first_difference
from neural_trader.market import synthetic_bars

SMALL = ("-s", "donchian_turtle", "--symbols", "ALPHA,BRAVO", "--end", "2022-04-01", "--slippage", "1 tick + 2bps")


class Bracketed(nt.Strategy):
    """Uses every kind of order whose record a document can hold."""

    def on_start(self) -> None:
        self.bars = 0

    def on_bar(self, bar: nt.Bar) -> None:
        self.bars += 1
        if self.bars % 40 == 1:
            self.target(self.share, stop_loss=bar.close * 0.97, take_profit=bar.close * 1.03)
        elif self.bars % 40 == 20:
            self.buy(3, limit=bar.close * 0.99, good_till="day")
            self.sell(2, stop=bar.close * 0.98)
            self.sell(1, stop=bar.close * 0.98, limit=bar.close * 0.97)
        elif self.bars % 40 == 30:
            self.target(0)
            self.buy(2, trail=bar.close * 0.02)
            self.buy(1e12)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """A run with fills, rejections, cancellations, brackets and costs of every kind, as a JSON document."""
    bars = synthetic_bars(symbols=("ALPHA", "BRAVO"), bars=1_500)
    result = nt.backtest(
        Bracketed, list(bars), fee="0.05%/0.1%/0.25", slippage="1 tick + 2bps", leverage=2, close_at_end=True
    )
    made: dict[str, Any] = json.loads(json.dumps(result.to_dict()))
    kinds = {order["kind"] for order in made["orders"]}
    assert kinds == {"market", "limit", "stop", "stop_limit", "trailing_stop"}
    assert {order["state"] for order in made["orders"]} >= {"filled", "cancelled", "expired"}
    assert {fill["liquidity"] for fill in made["fills"]} == {"maker", "taker"}
    assert any(fill["order"] is None for fill in made["fills"])
    return made


def states(findings: list[Any]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def test_every_digest_follows_from_the_figures_of_a_document(document: dict[str, Any]) -> None:
    assert states(check_alone(document)) == dict.fromkeys(("parameters", "orders", "fills", "postings", "hash"), "PASS")


def set_to(*path: Any) -> Callable[[Any], None]:
    """Sets the place that a path leads to, whose last part is the value."""
    *way, last, value = path

    def change(document: Any) -> None:
        for step in way:
            document = document[step]
        assert document[last] != value
        document[last] = value

    return change


def raise_price(document: Any) -> None:
    document["fills"][3]["price"] += 0.01


def drop_fill(document: Any) -> None:
    document["fills"].pop(2)
    document["tables"]["fills"] |= {"total": len(document["fills"]), "given": len(document["fills"])}


def cheapen(document: Any) -> None:
    document["fills"][1]["fee"] *= 0.5


CHANGES = [
    (set_to("run", "parameters", {"x": 1}), "parameters"),
    (set_to("run", "cash", "20000"), "parameters"),
    (set_to("orders", 0, "quantity", 1.0), "orders"),
    (set_to("orders", 4, "state", "rejected"), "orders"),
    (set_to("orders", 0, "time", "2022-01-01T00:00:00.000000001Z"), "orders"),
    (raise_price, "document"),
    (cheapen, "document"),
    (drop_fill, "fills"),
    (set_to("fills", 0, "time", "2022-01-01T00:00:00Z"), "fills"),
    (set_to("fills", 0, "symbol", "GAMMA"), "document"),
    (set_to("digests", "inputs", "00" * 32), "hash"),
    (set_to("digests", "inputs", "no hex"), "document"),
    (set_to("version", "9.9.9"), "hash"),
    (set_to("hash", "00" * 32), "hash"),
    (lambda document: document.pop("run"), "document"),
]


@pytest.mark.parametrize("at", range(len(CHANGES)))
def test_every_change_to_a_document_is_found_without_running_it(at: int, document: dict[str, Any]) -> None:
    change, section = CHANGES[at]
    changed = json.loads(json.dumps(document))
    change(changed)
    assert next(finding.name for finding in check_alone(changed) if finding.state == "FAIL") == section


@pytest.fixture
def written(command: Command, tmp_path: Path) -> Path:
    """A small run of the library as a JSON document."""
    command("backtest", *SMALL, "-q", "-o", "result.json", "--html", "page.html").passed()
    return tmp_path / "result.json"


def change(path: Path, *where: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    set_to(*where)(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def failed(ended: Ended) -> str:
    """The one line of a report that does not verify."""
    assert ended.code == 4
    line = ended.err.splitlines()[-1]
    assert line.startswith("error: ")
    assert ended.out.splitlines()[-1].startswith("FAIL  hash ")
    return line


def test_document_and_page_pass(command: Command, written: Path) -> None:
    for name in ("result.json", "page.html"):
        out = command("verify", name).passed().out
        assert out.splitlines()[-1].startswith("PASS  hash ")
        assert "the same inputs, parameters, orders, fills and postings" in out


def test_rerun_finds_figures_that_no_digest_covers(command: Command, written: Path) -> None:
    change(written, "stats", "Sharpe Ratio", 3.0)
    assert command("verify", "result.json", "--no-rerun").code == 0
    assert "stats.Sharpe Ratio is 3.0 in the report" in failed(command("verify", "result.json"))


def test_rerun_finds_a_curve_that_was_touched_up(command: Command, written: Path) -> None:
    change(written, "equity", "equity", 5, 12_345.0)
    assert "equity.equity[5] is 12345.0 in the report" in failed(command("verify", "result.json"))


def test_json_verdict_is_one_document(command: Command, written: Path) -> None:
    verdict = command("verify", "result.json", "--json").passed().document
    assert verdict["verdict"] == "PASS"
    change(written, "hash", "00" * 32)
    ended = command("verify", "result.json", "--json")
    assert (ended.code, ended.document["verdict"]) == (4, "FAIL")
    assert {"name": "hash", "state": "FAIL"}.items() <= ended.document["findings"][4].items()


@pytest.fixture
def own(command: Command, samples: Path, tmp_path: Path) -> Path:
    """A run of a user's strategy on a user's file, both in the folder of the test."""
    for name in ("mine.py", "prices.csv"):
        shutil.copy(samples / name, tmp_path / name)
    command("backtest", "-s", "mine.py", "-d", "prices.csv", "-q", "-o", "result.json")
    return tmp_path


def test_run_of_a_users_files_passes(command: Command, own: Path) -> None:
    ended = command("verify", "result.json", "--json")
    assert (ended.code, ended.document["verdict"]) == (0, "PASS")
    assert set(ended.err.splitlines()) == {"buying ALPHA", "buying BRAVO"}, "what the strategy prints goes aside"


def test_strategy_that_changed_is_named_with_the_first_difference(command: Command, own: Path) -> None:
    source = (own / "mine.py").read_text(encoding="utf-8")
    (own / "mine.py").write_text(source.replace("self.share_of_equity * self", "0.9 * self"), encoding="utf-8")
    ended = command("verify", "result.json")
    assert "its source file has changed since" in ended.out
    assert "rerun: other orders: orders[0].quantity is" in failed(ended)


def test_strategy_whose_comments_changed_still_passes(command: Command, own: Path) -> None:
    with (own / "mine.py").open("a", encoding="utf-8") as file:
        file.write("# a remark\n")
    ended = command("verify", "result.json")
    assert ended.code == 0
    assert "its source file has changed since" in ended.out


def test_bars_that_changed_are_named(command: Command, own: Path) -> None:
    rows = (own / "prices.csv").read_text(encoding="utf-8").splitlines()
    (own / "prices.csv").write_text("\n".join(rows[:-1]) + "\n", encoding="utf-8")
    assert "rerun: other inputs: data[1].rows is 400 in the report, 399 now" in failed(command("verify", "result.json"))


def test_files_that_moved_can_be_pointed_at(command: Command, own: Path, samples: Path) -> None:
    (own / "prices.csv").unlink()
    (own / "mine.py").unlink()
    assert command("verify", "result.json").code == 3
    assert command("verify", "result.json", "-d", samples / "prices.csv", "-s", samples / "mine.py").code == 0
    command("verify", "result.json", "--no-rerun").passed()


def test_run_from_memory_says_what_is_missing(command: Command, tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "result.json").write_text(json.dumps(document), encoding="utf-8")
    ended = command("verify", "result.json")
    assert (ended.code, ended.out) == (3, "")
    assert "the strategy Bracketed was given as a class in Python; say where it is with --strategy" in ended.err


def test_overlays_are_worn_again(command: Command, tmp_path: Path) -> None:
    overlays = ("--overlay", "volatility_target:annual=0.1", "--overlay", "regime_filter:trend=50")
    command("backtest", *SMALL[2:], *overlays, "-q", "-o", "result.json").passed()
    command("verify", "result.json").passed()


def test_times_are_read_to_the_nanosecond() -> None:
    assert instant_ns("1970-01-01T00:00:01.000000001Z") == 1_000_000_001
    assert instant_ns("1969-12-31T23:59:59.5Z") == -500_000_000
    assert instant_ns("2024-02-29T00:00:00Z") == 1_709_164_800 * 10**9


def test_first_difference_names_the_place() -> None:
    assert first_difference({"a": [1.0, 2.0]}, {"a": [1.0, 2.0 + 1e-12]}, "x") is None
    assert first_difference({"a": [1, 2]}, {"a": [1, 3]}, "x") == "x.a[1] is 2 in the report, 3 now"
    assert first_difference({"a": [1]}, {"a": [1, 3]}, "x") == "x.a has 1 entries in the report, 2 now"
    assert first_difference({"a": None}, {"a": 0.0}, "x") == "x.a is absent in the report, 0.0 now"
    assert first_difference({"a": True}, {"a": 1}, "x") == "x.a is True in the report, 1 now"


def test_recorded_fills_are_those_of_the_engine() -> None:
    result = nt.backtest("donchian_turtle", end="2022-03-01")
    columns = result.engine.fills
    recorded = Recorded(json.loads(json.dumps(result.to_dict()))).fills()
    assert [fill.fee for fill in recorded] == columns["fee"]
    assert [fill.price for fill in recorded] == columns["price"]
    assert [fill.time_ns for fill in recorded] == columns["time_ns"]
