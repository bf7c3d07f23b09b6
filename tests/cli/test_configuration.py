"""Layers of configuration: which value wins, where it came from, and what is refused."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

import pytest

import neural_trader as nt
from commands import Command
from neural_trader import config
from neural_trader.config import Value, layers
from neural_trader.errors import ConfigError


@pytest.fixture
def run_toml(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(
        'strategy = "mine.py:Mine"\ndata = "bars/prices.csv"\ncash = 1_000\nfee = 0.002\nsymbols = ["A", "B"]\n'
        "start = 2024-01-02\n[parameters]\nfast = 5\nslow = 20\n[overlays.regime_filter]\n",
        encoding="utf-8",
    )
    return path


def test_defaults_are_those_of_the_library() -> None:
    parameters = inspect.signature(nt.backtest).parameters
    for name, key in config.KEYS.items():
        # None stands for a default that depends on the rules of a peer.
        assert parameters[name].default in (None, key.default), name


def test_each_layer_wins_over_those_before_it(run_toml: Path) -> None:
    run_toml.with_suffix(".local.toml").write_text("cash = 2_000\nleverage = 2\n", encoding="utf-8")
    environment = {"NT__LEVERAGE": "3", "NT__PARAMETERS__FAST": "7", "HOME": "/", "NT_OTHER": "x"}
    found = layers(run_toml, environment, {"leverage": Value("4", "--leverage")})
    local = str(run_toml.with_suffix(".local.toml"))
    assert found["fill"] == Value("open", "default")
    assert found["fee"] == Value(0.002, str(run_toml))
    assert found["cash"] == Value(2_000, local)
    assert found["parameters.fast"] == Value("7", "NT__PARAMETERS__FAST")
    assert found["parameters.slow"] == Value(20, str(run_toml))
    assert found["leverage"] == Value("4", "--leverage")


def test_paths_of_a_file_are_beside_it(run_toml: Path) -> None:
    found = layers(run_toml)
    assert found["strategy"].value == f"{run_toml.parent / 'mine.py'}:Mine"
    assert found["data"].value == str(run_toml.parent / "bars/prices.csv")


@pytest.mark.parametrize("reference", ["sma_cross", "package.module:Mine"])
def test_strategy_that_is_no_file_is_left_alone(reference: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(f'strategy = "{reference}"\n', encoding="utf-8")
    assert layers(tmp_path / "run.toml")["strategy"].value == reference


def test_conventions_of_a_peer_lie_below_everything_configured(run_toml: Path) -> None:
    found = layers(run_toml, {}, {"like": Value("vectorbt", "--like")})
    assert found["fill"] == Value("close", "like vectorbt")
    assert found["fee"] == Value(0.002, str(run_toml))
    assert found["cash"] == Value(1_000, str(run_toml))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("symbols", "A, B", ["A", "B"]),
        ("close_at_end", "true", True),
        ("close_at_end", "No", False),
        ("seed", "-3", -3),
        ("cash", "1e6", "1e6"),
        ("start", "2024-01-01", "2024-01-01"),
    ],
)
def test_text_of_the_environment_becomes_what_the_key_takes(name: str, text: str, value: object) -> None:
    assert config.accepted(name, text, "here") == Value(value, "here")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("chas", 1, "unknown key 'chas'; did you mean 'cash'?"),
        ("backtest.fee", 1, "did you mean 'fee'?"),
        ("zzz", 1, "unknown key 'zzz'; there are strategy, data"),
        ("cash", [1], "is no number or text"),
        ("seed", 1.5, "is no whole number"),
        ("seed", "x", "is no whole number"),
        ("seed", True, "is no whole number"),
        ("close_at_end", "maybe", "is no true or false"),
        ("close_at_end", 1, "is no true or false"),
        ("symbols", "A,,B", "is no list of names"),
        ("symbols", [], "is no list of names"),
        ("strategy", 5, "is no text"),
        ("start", 5, "is no date or time"),
        ("parameters", 5, "'parameters' is a table"),
        ("parameters.", 5, "'parameters' is a table"),
    ],
)
def test_what_a_key_does_not_take_is_refused_with_its_place(name: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=r"^here: ") as caught:
        config.accepted(name, value, "here")
    assert says in str(caught.value)


def test_show_says_where_each_value_comes_from(command: Command, run_toml: Path) -> None:
    out = command("config", "show", "-c", "run.toml", "--origin", "--cash", 5, env={"NT__SEED": "3"}).passed().out
    lines = {line.partition(" ")[0]: line.rpartition("# ")[2] for line in out.splitlines() if " = " in line}
    assert lines["cash"] == "--cash"
    assert lines["seed"] == "NT__SEED"
    assert lines["fee"] == lines["fast"] == "run.toml"
    assert lines["fill"] == "default"


def test_what_show_prints_is_a_file_that_gives_the_same_run(command: Command, tmp_path: Path) -> None:
    flags = (
        "--cash",
        500,
        "--set",
        "fast=5",
        "--overlay",
        "volatility_target:annual=0.2",
        "--overlay",
        "regime_filter",
    )
    small = ("--symbols", "ALPHA", "--end", "2022-03-01")
    shown = command("config", "show", *flags, *small).passed().out
    assert tomllib.loads(shown)["overlays"] == {"volatility_target": {"annual": 0.2}, "regime_filter": {}}
    (tmp_path / "again.toml").write_text(shown, encoding="utf-8")
    direct = command("backtest", *flags, *small, "--json").passed().document
    assert command("backtest", "-c", "again.toml", "--json").passed().document["hash"] == direct["hash"]


def test_show_as_json(command: Command) -> None:
    shown = command("config", "show", "--json", "--like", "vectorbt").passed().document
    assert shown["fill"] == {"value": "close", "origin": "like vectorbt"}
    assert shown["data"] == {"value": None, "origin": "default"}
