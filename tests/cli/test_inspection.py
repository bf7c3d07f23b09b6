"""The verbs that look and do not trade: strategies, features, data, doctor, bench, version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import neural_trader as nt
from commands import Command
from neural_trader.features.table import table
from neural_trader.market import load_bars, synthetic_bars
from neural_trader.strategy.library import LIBRARY


def test_version(command: Command) -> None:
    assert command("version").passed().out == command("--version").passed().out == f"neural-trader {nt.__version__}\n"
    assert command("version", "--json").passed().document["version"] == nt.__version__


def test_strategies_lists_the_library(command: Command) -> None:
    listed = command("strategies", "--json").passed().document
    assert [each["name"] for each in listed] == list(LIBRARY)
    assert all(each["summary"] and Path(each["source"]).is_file() for each in listed)
    assert all(name in command("strategies").passed().out for name in LIBRARY)


def test_one_strategy_tells_its_parameters(command: Command) -> None:
    told = command("strategies", "sma_cross", "--json").passed().document
    assert told["parameters"][0] == {"name": "fast", "type": "int", "default": 50, "text": "Bars of the fast average."}
    out = command("strategies", "sma_cross").passed().out
    assert "Bars of the fast average." in out and "Brock" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("source")) <= 80


def test_strategy_of_a_user_can_be_described(command: Command, samples: Path) -> None:
    told = command("strategies", samples / "mine.py", "--json").passed().document
    assert (told["class"], told["summary"]) == ("Mine", "Buy once.")
    assert [each["name"] for each in told["parameters"]] == ["share_of_equity"]


def test_source_of_a_library_strategy_is_a_start_for_an_own_one(command: Command, tmp_path: Path) -> None:
    source = command("strategies", "donchian_turtle", "--source").passed().out
    (tmp_path / "own.py").write_text(source, encoding="utf-8")
    small = ("--symbols", "ALPHA", "--end", "2022-03-01", "--json")
    own = command("backtest", "-s", "own.py", *small).passed().document
    library = command("backtest", "-s", "donchian_turtle", *small).passed().document
    assert own["digests"]["fills"] == library["digests"]["fills"]


def test_features_are_those_of_the_engine(command: Command) -> None:
    assert [each["name"] for each in command("features", "--json").passed().document] == list(table())
    out = command("features").passed().out
    assert "macd(fast=12, slow=26, signal=9)" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["bars.parquet", "bars.csv", "bars.csv.gz", "bars.feather", "folder"])
def test_synthetic_bars_are_written_and_described(name: str, command: Command, tmp_path: Path) -> None:
    flags = ("--symbols", "XX,YY", "--bars", 50, "--interval", "5m", "--start", "2023-05-01", "--seed", 3)
    made = command("data", "synth", name, *flags, "--json").passed().document
    assert (made["symbols"], made["bars"]) == (["XX", "YY"], 100)
    expected = synthetic_bars(seed=3, symbols=("XX", "YY"), bars=50, interval="5m", start="2023-05-01")
    for one, other in zip(load_bars(tmp_path / name), expected, strict=True):
        assert one.close.tolist() == other.close.tolist()
    told = command("data", "info", name, "--json").passed().document
    assert [each["interval"] for each in told["instruments"]] == ["5m", "5m"]
    out = command("data", "info", name).passed().out
    assert "100 bars of 2 instruments" in out
    assert max(map(len, out.splitlines())) <= 80


def test_synthetic_bars_replace_a_file_only_by_force(command: Command, tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text("mine", encoding="utf-8")
    assert command("data", "synth", "bars.csv", "--bars", 5).code == 2
    assert (tmp_path / "bars.csv").read_text(encoding="utf-8") == "mine"
    command("data", "synth", "bars.csv", "--bars", 5, "--force").passed()
    assert len(load_bars(tmp_path / "bars.csv")) == 3


def test_doctor_finds_both_engines_in_agreement(command: Command) -> None:
    told = command("doctor", "--json").passed().document
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert told["ok"] is True
    assert states["self test"] == states["extension"] == states["python"] == "ok"
    assert "agree on 600 bars" in command("doctor").passed().out


def test_doctor_fails_where_the_engines_differ(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from neural_trader.baseline.contract import Contract\nContract.charge = lambda *given: 0\n",
        encoding="utf-8",
    )
    ended = command("doctor", env={"PYTHONPATH": str(tmp_path)})
    assert ended.code == 1
    assert "differ from plain Python" in ended.out
    assert ended.err == "error: doctor: self test failed; the table says what is wrong\n"


def test_doctor_says_what_may_not_be_written(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    ended = command(
        "doctor", "--json", env={"XDG_CACHE_HOME": str(tmp_path / "cache"), "LOCALAPPDATA": str(tmp_path / "cache")}
    )
    assert ended.code == 1
    assert json.loads(ended.out)["ok"] is False


def test_bench_compares_before_it_times(command: Command, tmp_path: Path) -> None:
    told = command("bench", "--bars", 400, "--json").passed().document
    assert len(told["rows"]) >= 8
    for row in told["rows"]:
        assert row["equal"] is True
        assert row["ratio"] == pytest.approx(row["python_s"] / row["rust_s"])
    assert "Equal to the last bit" in command("bench", "--bars", 400).passed().out


FREE_OF_CHARGE = "from neural_trader.baseline.contract import Contract\nContract.charge = lambda *given: 0\n"
OFF_BY_A_LITTLE = """\
from neural_trader.baseline import features
real = features.columns
features.columns = lambda *given: [row and tuple(value + 1e-9 for value in row) for row in real(*given)]
"""


@pytest.mark.parametrize(
    ("breakage", "says"),
    [
        (FREE_OF_CHARGE, "backtest, strategy in Python and plain Python differ on 400 bars"),
        (OFF_BY_A_LITTLE, "feature sma differs from plain Python"),
    ],
)
def test_bench_times_nothing_that_is_not_equal(breakage: str, says: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(breakage, encoding="utf-8")
    ended = command("bench", "--bars", 400, env={"PYTHONPATH": str(tmp_path)})
    assert (ended.code, ended.out) == (4, "")
    assert says in ended.err
