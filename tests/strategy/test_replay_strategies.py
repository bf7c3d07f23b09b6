"""The strategies of replays keep to what they promise: limits of inventory, whole quantities, their own formulas."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.backtesting import backtest
from neural_trader.backtesting.replay import replay
from neural_trader.errors import StrategyRunError, UsageError
from neural_trader.market.events import KIND
from neural_trader.market.recordings import Listed, Recording, load_recording
from neural_trader.strategy.library import LIBRARY
from replay_sessions import SECOND_NS, START_NS, calm_session, positions, random_session

OF_REPLAYS = [name for name, entry in LIBRARY.items() if entry.world == "replays"]
EAGER = {"avellaneda_stoikov": {"fee": 0.0, "tolerance": 0.0, "memory": 5.0}, "grid": {"step": 1.5, "memory": 5.0}}
"""Makers that quote near the middle and move often, so that fills and changes cross on their way."""
FORMS = [pytest.param(True, id="rust"), pytest.param(False, id="python")]


def fills_in_lots(result: Any) -> float:
    return float(result.fills["quantity"].sum())


@pytest.mark.parametrize("native", FORMS)
@pytest.mark.parametrize("latency", ["0ms", "10ms", "700ms/900ms"])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", EAGER)
def test_makers_make_and_hold_no_more_than_their_limit(name: str, seed: int, latency: str, native: bool) -> None:
    parameters = EAGER[name] | {"size": 7, "limit": 2}
    result = replay(name, random_session(seed), parameters=parameters, latency=latency, native=native)
    held = positions(result)
    assert len(held) > 10
    assert max(map(abs, held)) <= 14
    assert set(result.fills["liquidity"]) == {"maker"}
    result.engine.check_invariants()


@pytest.mark.parametrize("name", EAGER)
def test_the_limit_is_used(name: str) -> None:
    results = [replay(name, random_session(seed), parameters=EAGER[name] | {"size": 7, "limit": 2}) for seed in (1, 2)]
    assert max(max(map(abs, positions(result))) for result in results) == 14


@pytest.mark.parametrize("parameters", [{}, {"side": "sell"}, {"passive": 0}, {"passive": 1, "slices": 3}])
@pytest.mark.parametrize("latency", ["0ms", "10ms", "400ms"])
@pytest.mark.parametrize("name", ["twap", "vwap"])
def test_executions_do_their_whole_quantity_and_no_more(name: str, latency: str, parameters: dict[str, Any]) -> None:
    # The asks are gone from second 40 to 43, in the middle of a slice.
    given: dict[str, Any] = {"quantity": 100, "horizon": 60, **parameters}
    result = replay(name, random_session(4), parameters=given, latency=latency)
    assert fills_in_lots(result) == 100
    assert set(result.fills["side"]) == {given.get("side", "buy")}
    assert result.fills["time"].dt.epoch("ns").max() < START_NS + 63 * SECOND_NS
    result.engine.check_invariants()


def test_twap_is_at_no_time_ahead_of_its_schedule() -> None:
    result = replay("twap", random_session(5), parameters={"quantity": 100, "horizon": 60, "slices": 6}, latency="0ms")
    seconds = (result.fills["time"].dt.epoch("ns").to_numpy() - START_NS) / SECOND_NS - 0.25
    due = np.floor(100 * (np.floor(seconds / 10).clip(max=5) + 1) / 6)
    assert (np.cumsum(result.fills["quantity"].to_numpy()) <= due).all()
    assert set(result.fills["liquidity"]) <= {"maker", "taker"}
    assert len(set(np.floor(seconds / 10))) == 6


def test_vwap_follows_a_given_curve() -> None:
    parameters = {"quantity": 120, "horizon": 60, "curve": "3,1,0,2", "passive": 0.5}
    result = replay("vwap", random_session(6), parameters=parameters, latency="0ms")
    assert fills_in_lots(result) == 120
    done = {0: 60.0, 1: 80.0, 2: 80.0, 3: 120.0}
    seconds = (result.fills["time"].dt.epoch("ns").to_numpy() - START_NS) / SECOND_NS
    for at, lots in done.items():
        assert result.fills["quantity"].to_numpy()[seconds < 15 * (at + 1) + 0.25].sum() == lots


def test_vwap_measures_volume_as_it_goes() -> None:
    # 30 lots trade in the first ten seconds, then 10, then 5.
    trades = {50: (10_000, 30, 1), 150: (10_000, 10, 1), 250: (10_000, 5, 1)}
    session = calm_session([10_000] * 450, SECOND_NS // 10, trades)
    parameters = {"quantity": 100, "horizon": 40, "slices": 4, "passive": 0}
    result = replay("vwap", session, parameters=parameters, latency="0ms")
    # A quarter; of 75 that are left 30 / (30 + 2 * 30); of 50 that are left 10 / (10 + 20); the rest.
    assert list(result.orders["quantity"]) == [25, 25, 16, 34]
    assert fills_in_lots(result) == 100


@pytest.mark.parametrize("side", [1, -1])
def test_shortfall_is_what_was_paid_over_the_price_at_the_beginning(side: int) -> None:
    parameters = {"quantity": 60, "horizon": 60, "side": "buy" if side > 0 else "sell"}
    result = replay("twap", random_session(7), parameters=parameters)
    fills, figures = result.fills, result.figures
    average = float((fills["quantity"] * fills["price"]).sum()) / 60
    arrival = figures["arrival price"]
    assert isinstance(arrival, float) and abs(arrival - 100) < 0.2
    assert figures["shortfall [bps]"] == pytest.approx(side * (average / arrival - 1) * 10_000, abs=1e-6)
    rested = fills.filter(fills["liquidity"] == "maker")["quantity"].sum()
    assert figures["filled at rest [%]"] == pytest.approx(100 * rested / 60)
    assert (figures["quantity"], figures["done"], figures["slices"], figures["slices begun"]) == (60, 60, 10, 10)


def test_the_taker_holds_one_position_at_a_time_and_leaves_it() -> None:
    result = replay("imbalance_taker", random_session(8), parameters={"depth": 1, "size": 3, "hold": 2.0})
    held = positions(result)
    assert len(held) > 20
    assert max(map(abs, held)) <= 3
    assert held.count(0.0) > 8
    assert set(result.orders["time_in_force"]) == {"ioc"}
    assert set(result.fills["liquidity"]) == {"taker"}


@pytest.mark.parametrize("native", FORMS)
def test_the_maker_quotes_what_the_paper_says(native: bool) -> None:
    # The middle goes up and down by a tick of one basis point ten times a second: a variance of ten in a second.
    middles = [10_000 + step % 2 for step in range(400)]
    session = calm_session(middles, SECOND_NS // 10, {300: (9_970, 5, -1)})
    parameters = {"size": 5, "gamma": 0.02, "k": 1.0, "horizon": 30.0, "fee": 20.0, "memory": 10.0, "tolerance": 0.0}
    result = replay("avellaneda_stoikov", session, parameters=parameters, latency="0ms", fee=0, native=native)
    half = (0.02 * 10 * 30 + 2 / 0.02 * math.log(1 + 0.02)) / 2 + 20
    assert positions(result) == [5.0]
    bid, ask, next_bid = (float(limit) for limit in result.orders["limit"])
    middle = middles[-1] / 100
    # Before the fill the bid stood half a spread below its middle; behind it both lean by gamma * sigma^2 * (T - t).
    assert bid in {math.floor(100 * each / 100 * (1 - half / 10_000) * 100) / 100 for each in (100.0, 100.01)}
    lean = 0.02 * 10 * 30
    assert ask == pytest.approx(middle * (1 + (half - lean) / 10_000), abs=0.0201)
    assert next_bid == pytest.approx(middle * (1 - (half + lean) / 10_000), abs=0.0201)


@pytest.mark.parametrize("native", FORMS)
def test_the_grid_offers_a_purchase_one_step_above(native: bool) -> None:
    trades = {20: (9_989, 5, -1), 40: (10_001, 5, 1)}
    session = calm_session([10_000] * 100, SECOND_NS // 10, trades)
    parameters = {"size": 5, "step": 10.0, "rungs": 2, "memory": 1e6}
    result = replay("grid", session, parameters=parameters, latency="0ms", fee=0, native=native)
    assert [(fill["side"], fill["price"]) for fill in result.fills.iter_rows(named=True)] == [("buy", 99.9)]
    limits = {(row["side"], row["limit"]) for row in result.orders.iter_rows(named=True)}
    assert limits == {("buy", 99.9), ("buy", 99.8), ("buy", 99.7), ("sell", 100.1), ("sell", 100.2)}


@pytest.mark.parametrize("name", EAGER)
def test_the_rust_form_gives_the_same_run_on_made_sessions(name: str) -> None:
    for seed, latency in ((11, "0ms"), (12, "10ms"), (13, "300ms")):
        session = random_session(seed, symbols=("ALPHA", "BRAVO"))
        native, python = (
            replay(name, session, parameters=EAGER[name] | {"limit": 2}, latency=latency, native=native)
            for native in (True, False)
        )
        assert len(native.fills) > 40
        assert native.hash == python.hash


@pytest.mark.parametrize("name", OF_REPLAYS)
def test_a_run_of_a_recorded_session_repeats_and_its_rust_form_agrees(name: str, shared_data: Path) -> None:
    session = load_recording(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz", "binance")
    first, second = (replay(name, session, native=native, leverage=2) for native in (True, False))
    assert len(first.fills) > 5
    assert first.hash == second.hash
    first.engine.check_invariants()


@pytest.mark.parametrize("name", OF_REPLAYS)
def test_a_session_without_a_book_is_no_error(name: str) -> None:
    whole = random_session(1, seconds=20)
    for kept in ([], ["trade"], ["resync"]):
        records = whole.records[np.isin(whole.records["kind"], [KIND[kind] for kind in kept])]
        assert replay(name, Recording(records, whole.instruments)).fills.is_empty()


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("avellaneda_stoikov", {"gamma": 0.0}, r"gamma \(0.0\) and k \(1.0\) must be positive"),
        ("avellaneda_stoikov", {"memory": 0.0}, "memory positive"),
        ("avellaneda_stoikov", {"limit": 0}, "limit and every_ms must be positive"),
        ("grid", {"step": 0.0}, r"step \(0.0\) must be positive"),
        ("grid", {"rungs": 0}, "rungs, limit and every_ms must be positive"),
        ("imbalance_taker", {"threshold": 0.0}, r"threshold \(0.0\) above 0"),
        ("imbalance_taker", {"fraction": 0.0}, "fraction must be positive"),
        ("twap", {"side": "short"}, r"side \('short'\) is buy or sell"),
        ("twap", {"horizon": 0.0}, "horizon must be positive"),
        ("twap", {"passive": 2.0}, "passive between 0 and 1"),
        ("vwap", {"curve": "1,x"}, "curve is a list of numbers"),
        ("vwap", {"curve": "0,0"}, r"volumes of curve \(0,0\)"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name: str, parameters: dict[str, Any], said: str) -> None:
    session = calm_session([10_000] * 3, SECOND_NS, {})
    with pytest.raises(StrategyRunError, match=said):
        replay(name, session, parameters=parameters)


def test_executions_are_of_one_instrument() -> None:
    session = calm_session([10_000] * 3, SECOND_NS, {})
    one = session.instruments[0]
    two = Recording(session.records, (one, Listed("BRAVO", one.tick, one.lot)))
    with pytest.raises(StrategyRunError, match="a run has one instrument"):
        replay("twap", two)


@pytest.mark.parametrize("name", OF_REPLAYS)
def test_bars_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="decides on books and trades; a backtest has bars"):
        backtest(name)
