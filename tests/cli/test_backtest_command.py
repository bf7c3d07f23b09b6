"""``neural-trader backtest`` from beginning to end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import neural_trader as nt
from commands import Command, Ended

PAGE = "neural-trader-report.html"
SMALL = ("--symbols", "ALPHA", "--end", "2022-03-01")
"""A run of 1,416 bars."""


@pytest.fixture(scope="module")
def expected() -> nt.Result:
    return nt.backtest("sma_cross", symbols=["ALPHA"], end="2022-03-01")


def test_bare_command_prints_a_labelled_report_and_writes_a_page(command: Command) -> None:
    ended = command("backtest").passed()
    assert "SYNTHETIC DATA" in ended.out.splitlines()[1]
    assert ended.out.splitlines()[-1] == f"page     {PAGE}"
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "\x1b" not in ended.out
    page = (ended.folder / PAGE).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert nt.backtest().hash in ended.out and nt.backtest().hash in page


def test_command_and_library_make_the_same_run(command: Command, expected: nt.Result) -> None:
    assert command("backtest", *SMALL, "--json").passed().document == expected.to_dict()


def test_json_is_one_strict_document_and_writes_no_file(command: Command, expected: nt.Result) -> None:
    ended = command("backtest", *SMALL, "--json").passed()
    assert ended.document["hash"] == expected.hash
    assert not list(ended.folder.iterdir())


def test_what_a_strategy_prints_stays_out_of_the_document(command: Command, samples: Path) -> None:
    ended = command("backtest", "-s", samples / "mine.py", "-d", samples / "prices.csv", "--json")
    assert ended.code == 0
    assert ended.document["run"]["strategy"] == "Mine"
    assert set(ended.err.splitlines()) == {"buying ALPHA", "buying BRAVO"}


def test_quiet_prints_nothing_and_writes_what_was_asked_for(command: Command, expected: nt.Result) -> None:
    ended = command("backtest", *SMALL, "--quiet", "-o", "result.json", "--html", "page.html").passed()
    assert ended.out == ""
    assert sorted(path.name for path in ended.folder.iterdir()) == ["page.html", "result.json"]
    assert json.loads((ended.folder / "result.json").read_text(encoding="utf-8")) == expected.to_dict()


def test_no_html_writes_no_page(command: Command) -> None:
    ended = command("backtest", *SMALL, "--no-html").passed()
    assert not list(ended.folder.iterdir())
    assert not any(line.startswith("page ") for line in ended.out.splitlines())


def test_page_of_an_earlier_run_is_written_over(command: Command, tmp_path: Path) -> None:
    command("backtest", *SMALL).passed()
    before = (tmp_path / PAGE).read_bytes()
    command("backtest", *SMALL, "--cash", "500").passed()
    assert (tmp_path / PAGE).read_bytes() != before


def test_document_of_an_earlier_run_is_written_over(command: Command, tmp_path: Path) -> None:
    for cash in (500, 600):
        command("backtest", *SMALL, "-q", "--cash", cash, "-o", "result.json").passed()
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["run"]["cash"] == "600"


def test_foreign_file_in_the_place_of_the_page_is_left_alone(command: Command, tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("mine", encoding="utf-8")
    ended = command("backtest", *SMALL)
    assert ended.code == 0
    assert ended.err == (
        f"no page written: {PAGE} exists, and is no report of neural-trader; choose another name with --html\n"
    )
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="a browser of Unix")
def test_open_shows_the_page_in_the_browser(command: Command, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path}/address"\n', encoding="utf-8")
    browser.chmod(0o755)
    command("backtest", *SMALL, "-q", "--html", "page.html", "--open", env={"BROWSER": str(browser)}).passed()
    assert (tmp_path / "address").read_text(encoding="utf-8") == (tmp_path / "page.html").as_uri()


def run_settings(ended: Ended) -> dict[str, object]:
    settings: dict[str, object] = ended.passed().document["run"]
    return settings


def test_every_setting_reaches_the_run(command: Command) -> None:
    flags = (
        "-s donchian_turtle --set entry=30 --set stop=1.5 --cash 5000 --currency EUR --fee 0.05%/0.1%/1"
        " --fill close --limit through --leverage 2 --volume-cap 10% --close-at-end --seed 11"
        " --overlay volatility_target:annual=0.3,n=10 --overlay regime_filter"
    )
    run = run_settings(command("backtest", *SMALL, *flags.split(), "--slippage", "1 tick + 0.5 spread", "--json"))
    assert run == {
        "strategy": "donchian_turtle",
        "parameters": run["parameters"],
        "overlays": [
            {"overlay": "VolatilityTarget", "annual": 0.3, "n": 10, "limit": 1.0, "band": 0.1},
            {"overlay": "RegimeFilter", "trend": 200},
        ],
        "cash": "5000",
        "currency": "EUR",
        "fee": {"maker": "0.0005", "taker": "0.001", "fixed": "1"},
        "slippage": "1 tick + 0.5 spread",
        "fill": "close",
        "limit": "through",
        "leverage": "2",
        "volume_cap": "0.1",
        "close_at_end": True,
        "seed": 11,
        "like": run["like"],
    }
    parameters = run["parameters"]
    assert isinstance(parameters, dict) and parameters["entry"] == 30 and parameters["stop"] == 1.5


def test_conventions_of_a_peer_are_a_start_that_flags_win_over(command: Command) -> None:
    run = run_settings(command("backtest", *SMALL, "--like", "vectorbt", "--cash", "777", "--json"))
    assert (run["fill"], run["fee"], run["slippage"]) == ("close", {"maker": "0", "taker": "0", "fixed": "0"}, "none")
    assert run["cash"] == "777"


def test_timerange_is_start_and_end_in_one(command: Command) -> None:
    one = command("backtest", "--timerange", "20220201-20220301", "--json").passed().document
    two = command("backtest", "--start", "2022-02-01", "--end", "2022-03-01", "--json").passed().document
    assert one["data"][0]["start"] == "2022-02-01T00:00:00Z"
    assert one["data"][0]["end"] == "2022-03-01T00:00:00Z"
    assert one["hash"] == two["hash"]


def test_colour_and_bar_are_for_terminals_only(command: Command) -> None:
    ended = command("backtest", *SMALL, "--no-html", env={"NO_COLOR": "", "TERM": "xterm-256color"}).passed()
    assert "\x1b" not in ended.out + ended.err


def test_terminal_that_knows_no_blocks_gets_question_marks_and_no_error(command: Command) -> None:
    ended = command("backtest", *SMALL, "--no-html", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}).passed()
    assert ended.out.isascii()


def test_backtest_imports_no_venue_and_help_imports_nothing_heavy(command: Command) -> None:
    def imported(*arguments: object) -> set[str]:
        ended = command(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert ended.code == 0
        return {line.rpartition("|")[2].strip() for line in ended.err.splitlines() if line.startswith("import time:")}

    ours = {"neural_trader.cli.application", "typer.main"}
    heavy = {"polars", "numpy", "rich.console", "neural_trader._core", "neural_trader.report.terminal"}
    helped = imported("--help")
    assert ours <= helped
    assert not heavy & helped
    ran = imported("backtest", *SMALL, "--no-html")
    assert {"polars", "numpy", "neural_trader._core"} <= ran
    assert not {"ccxt", "httpx", "pandas", "pyarrow", "neural_trader.report.html"} & ran
