"""A wrong call is an error of the strategy and leaves no order; a wrong engine is refused before it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.errors import EngineError
from parity.scenario import MONEY, Run, bars_of, buy

Play = Callable[..., Run]

FLAT = "open high low close\n" + "100 100 100 100\n" * 2

WRONG_CALLS = {
    "unknown kind": {"kind": "iceberg"},
    "unknown size kind": {"size_kind": "shares"},
    "unknown time in force": {"time_in_force": "ioc"},
    "instrument that does not exist": {"instrument": 1},
    "negative instrument": {"instrument": -1},
    "no side": {"side": 0},
    "side beyond buy and sell": {"side": 2},
    "limit order without limit": {"kind": "limit"},
    "stop order without stop": {"kind": "stop"},
    "stop-limit order without limit": {"kind": "stop_limit", "stop": 100},
    "stop-limit order without stop": {"kind": "stop_limit", "limit": 100},
    "trailing stop without trail": {"kind": "trailing_stop"},
    "trailing stop with two trails": {"kind": "trailing_stop", "trail_ticks": 1, "trail_ppb": 1},
    "target that is not a market order": {"kind": "limit", "limit": 100, "size_kind": "target_quantity"},
    "gtd order without expiry": {"time_in_force": "gtd"},
    "bracket with two stop losses": {"stop_loss": 90, "stop_loss_trail_ticks": 1},
    "bracket with two trails": {"stop_loss_trail_ticks": 1, "stop_loss_trail_ppb": 1},
}

WRONG_CONFIGS = {
    "no cash": {"cash": 0},
    "negative cash": {"cash": -1},
    "no leverage": {"leverage_ppb": 0},
    "negative fixed fee": {"fixed_fee": -1},
    "negative slippage": {"slippage_ticks": -1},
    "negative slippage rate": {"slippage_ppb": -1},
    "negative slippage share": {"slippage_spread_ppb": -1},
    "volume cap of zero": {"volume_cap_ppb": 0},
}


@pytest.mark.parametrize("keywords", [pytest.param(keywords, id=name) for name, keywords in WRONG_CALLS.items()])
def test_a_wrong_call_is_an_error_and_leaves_no_order(play: Play, keywords: dict[str, Any]) -> None:
    call = {"instrument": 0, "side": 1, "size": 1} | keywords

    def submit(engine: Any) -> str:
        with pytest.raises(EngineError):
            engine.submit(**call)
        return "refused"

    run = play(FLAT, {0: submit})
    assert (run.answers, run.orders) == (["refused"], [])


@pytest.mark.parametrize("config", [pytest.param(config, id=name) for name, config in WRONG_CONFIGS.items()])
def test_a_wrong_configuration_is_an_error(play: Play, config: dict[str, int]) -> None:
    with pytest.raises(EngineError):
        play(FLAT, {}, **config)


@pytest.mark.parametrize("symbols", [("B", "A"), ("A", "A"), ("a", "B"), ("é", "z")])
def test_instruments_must_be_in_ascending_byte_order_of_their_symbols(play: Play, symbols: tuple[str, str]) -> None:
    with pytest.raises(EngineError):
        play([bars_of(symbol, FLAT) for symbol in symbols], {})


def test_a_volume_cap_needs_volume(play: Play) -> None:
    bars = replace(bars_of("A", FLAT), volume=None)
    with pytest.raises(EngineError):
        play([bars], {}, volume_cap_ppb=10**9)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"open_ns": [0, 50]}, id="overlapping bars"),
        pytest.param({"close_ns": [0, 190]}, id="a bar that ends as it begins"),
        pytest.param({"low": [101, 100]}, id="a low above the open"),
        pytest.param({"high": [99, 100]}, id="a high below the open"),
        pytest.param({"open": [0, 100], "low": [0, 100]}, id="a price of zero"),
        pytest.param({"volume": [-1, 0]}, id="negative volume"),
        pytest.param({"spread": [-1, 0]}, id="negative spread"),
    ],
)
def test_bars_that_contradict_themselves_are_refused_by_the_definition(columns: dict[str, list[int]]) -> None:
    """Market data is checked where it is loaded; the plain engine checks it again, the fast one trusts it."""
    arrays: dict[str, Any] = {name: np.array(values, dtype=np.int64) for name, values in columns.items()}
    with pytest.raises(EngineError):
        BaselineEngine([replace(bars_of("A", FLAT), **arrays)], cash=MONEY)


def test_an_instrument_without_bars_does_nothing(play: Play) -> None:
    run = play([bars_of("A", FLAT), bars_of("B", "open high low close")], {0: buy(2)})
    assert run.fills == ["A open 1: buy 2 @ 100 taker"]


def test_queries_before_the_first_bar_of_an_instrument(play: Play) -> None:
    def ask(engine: Any) -> tuple[int, ...]:
        return engine.position(1), engine.mark(1), engine.cash(), engine.equity()

    run = play([bars_of("A", FLAT), bars_of("B", FLAT, first_ns=1_000)], {0: ask})
    assert run.answers == [(0, 0, 1_000_000 * MONEY, 1_000_000 * MONEY)]


def test_an_error_of_the_strategy_ends_the_run_as_it_is(play: Play) -> None:
    def fail(engine: Any) -> None:
        raise ZeroDivisionError("the strategy's own")

    with pytest.raises(ZeroDivisionError, match="the strategy's own"):
        play(FLAT, {0: fail})
