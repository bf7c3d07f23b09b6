"""The library is complete, lazy, and refuses parameters that make no sense."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

from neural_trader.backtesting import backtest
from neural_trader.cli.strategies import world_of
from neural_trader.market import synthetic_bars
from neural_trader.strategy import Strategy, library
from neural_trader.strategy.library import LIBRARY, load
from recorded import random_bars, record


@pytest.mark.parametrize("name", LIBRARY)
def test_every_entry_loads_and_says_what_its_class_says(name: str) -> None:
    strategy = load(name)
    assert issubclass(strategy, Strategy)
    assert strategy.__name__ == LIBRARY[name].class_name
    assert inspect.getdoc(strategy) == LIBRARY[name].line
    assert world_of(strategy) == LIBRARY[name].world
    assert getattr(library, strategy.__name__) is strategy
    module = sys.modules[strategy.__module__]
    assert module.__doc__ is not None
    assert "Source: " in module.__doc__


def test_every_file_of_the_library_is_in_the_table() -> None:
    from pathlib import Path

    assert library.__file__ is not None
    files = {path.stem for path in Path(library.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(LIBRARY)


def test_importing_the_library_imports_no_strategy() -> None:
    code = (
        "import sys, neural_trader.strategy.library as library\n"
        "prefix = library.__name__ + '.'\n"
        "print([name for name in sys.modules if name.startswith(prefix)])\n"
        "library.SmaCross\n"
        "print([name for name in sys.modules if name.startswith(prefix)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['neural_trader.strategy.library.sma_cross']"]


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="SmaCrosss"):
        getattr(library, "SmaCrosss")  # noqa: B009
    with pytest.raises(KeyError):
        load("sma_crosss")


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("sma_cross", {"fast": 50, "slow": 50}, r"fast \(50\) must be at least 1 and below slow \(50\)"),
        ("sma_cross", {"fast": 0}, r"fast \(0\) must be at least 1"),
        ("rsi_reversion", {"low": 60.0}, r"low \(60.0\), middle \(50.0\) and high \(70.0\) must ascend"),
        ("rsi_reversion", {"n": 1}, "n must be a whole number from 2"),
        ("bollinger_breakout", {"n": 1}, r"n \(1\) must be at least 2"),
        ("bollinger_breakout", {"width": 0.0}, r"width \(0.0\) must be positive"),
        ("donchian_turtle", {"exit": 30}, r"exit \(30\) must be at least 1 and at most entry \(20\)"),
        ("donchian_turtle", {"stop": -1.0}, r"stop \(-1.0\) must be positive"),
        ("donchian_turtle", {"risk": 1.5}, r"risk \(1.5\) must be between 0 and 1"),
        ("macd_momentum", {"fast": 30}, r"fast \(30\) must be at least 1 and below slow \(26\)"),
        ("macd_momentum", {"signal": 0}, r"signal \(0\) and trend \(200\) must be at least 1"),
        ("cross_sectional_momentum", {"hold": 2}, r"hold \(2\) must be at least 1 and fit the 1 instruments"),
        ("cross_sectional_momentum", {"hold": 1, "short": True}, r"hold \(1\) on each side must .* fit the 1 instr"),
        ("cross_sectional_momentum", {"hold": 1, "skip": 252}, r"skip \(252\) must be at least 0 and below n \(252\)"),
        ("cross_sectional_momentum", {"hold": 1, "every": 0}, r"every \(0\) must be at least 1"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        record(load(name), random_bars(1, 50), **parameters)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("sma_cross", {}),
        ("sma_cross", {"fast": 3, "slow": 7, "short": True}),
        ("sma_cross", {"fast": 1, "slow": 2}),
        ("buy_and_hold", {}),
    ],
)
def test_the_rust_form_of_a_strategy_gives_the_same_run(name: str, parameters: dict[str, Any]) -> None:
    universe = [random_bars(seed, 700, f"S{seed}") for seed in range(3)]
    native, python = (backtest(name, universe, parameters=parameters, native=native) for native in (True, False))
    assert len(native.fills) >= 3
    assert native.hash == python.hash


@pytest.mark.parametrize("name", [name for name, entry in LIBRARY.items() if entry.world == "bars"])
def test_every_strategy_of_bars_trades_on_the_synthetic_market_and_repeats(name: str) -> None:
    market = synthetic_bars(seed=7, symbols=["ALPHA", "BRAVO", "CHARLIE", "DELTA"], bars=4000)
    first, second = backtest(name, market), backtest(name, market)
    assert len(first.fills) >= 4
    assert set(first.fills["symbol"]) == {"ALPHA", "BRAVO", "CHARLIE", "DELTA"}
    assert first.hash == second.hash
    assert not any("ruined" in warning for warning in first.warnings)
