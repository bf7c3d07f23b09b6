"""Overlays change what is held, and do what they say; each rule is written out again here."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.market.bars import Bars
from neural_trader.strategy import Bar, Strategy
from neural_trader.strategy.library import load
from neural_trader.strategy.overlays import (
    Overlay,
    RegimeFilter,
    StopLoss,
    TrailingStop,
    VolatilityTarget,
)
from recorded import DAY_NS, Recorded, bars_of, random_bars, record

SEEDS = range(5)
HOUR_NS = DAY_NS // 24


def mean_of_last(values: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    return pl.Series(values.astype(float)).rolling_mean(n).fill_null(math.nan).to_numpy()


def volatility_of_last(bars: Bars, n: int) -> np.ndarray[Any, Any]:
    """Sample deviation of the last n simple returns; NaN before."""
    close = bars.close_price
    returns = close[1:] / close[:-1] - 1
    out = np.full(len(close), math.nan)
    for t in range(n, len(close)):
        out[t] = np.std(returns[t - n : t], ddof=1)
    return out


def realised(recorded: Recorded, bars_per_year: float, skip: int) -> float:
    equity = recorded.equity[skip:]
    return float(np.std(equity[1:] / equity[:-1] - 1, ddof=1) * math.sqrt(bars_per_year))


class AlwaysIn(Strategy):
    """Long from the first bar on, and again after whatever ended it."""

    side: float = 1.0

    def on_bar(self, bar: Bar) -> None:
        if self.position() == 0:
            self.target(self.side)


@pytest.mark.parametrize("seed", SEEDS)
def test_volatility_target_brings_realised_volatility_to_its_target(seed: int) -> None:
    bars = random_bars(seed, 2500)
    plain = record(load("buy_and_hold"), bars)
    scaled = record(load("buy_and_hold"), bars, overlays=[VolatilityTarget(annual=0.1, n=20)])
    assert not np.array_equal(plain.equity, scaled.equity)
    off = abs(realised(scaled, 365.25, 50) - 0.1)
    assert off < 0.015
    assert off < abs(realised(plain, 365.25, 50) - 0.1) / 2


@pytest.mark.parametrize("interval_ns", [DAY_NS, HOUR_NS])
@pytest.mark.parametrize("seed", SEEDS)
def test_volatility_target_holds_target_over_volatility(seed: int, interval_ns: int) -> None:
    daily = random_bars(seed)
    table = np.stack([daily.open, daily.high, daily.low, daily.close]).T
    bars = bars_of("AAA", table, interval_ns)
    overlay = VolatilityTarget(annual=0.15, n=15, limit=0.8, band=0.2)
    got = record(load("buy_and_hold"), bars, overlays=[overlay])
    held = got.positions["AAA"]
    factor = np.minimum(
        0.8,
        0.15 / (volatility_of_last(bars, 15) * math.sqrt(365.25 * DAY_NS / interval_ns)),
    )
    in_force = 0.0
    changes = 0
    for t in range(len(bars) - 1):
        if not math.isnan(factor[t]) and abs(factor[t] - in_force) > 0.2 * in_force:
            in_force = factor[t]
            changes += 1
            assert held[t + 1] == pytest.approx(got.equity[t] * in_force / bars.close_price[t], abs=2e-4)
        else:
            assert held[t + 1] == held[t]
    assert changes > 10


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_regime_filter_holds_what_is_wanted_only_in_its_regime(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    plain = record(load("sma_cross"), bars, fast=5, slow=20, short=short)
    filtered = record(
        load("sma_cross"),
        bars,
        overlays=[RegimeFilter(60)],
        fast=5,
        slow=20,
        short=short,
    )
    assert not np.array_equal(plain.equity, filtered.equity)
    assert plain.decisions == filtered.decisions
    wanted = {decision.index: decision.fraction for decision in filtered.decisions}
    average = mean_of_last(bars.close, 60)
    wish = 0.0
    taken_off = brought_back = 0
    held = np.sign(filtered.positions["AAA"])
    for t in range(len(bars) - 1):
        turned = t in wanted
        wish = wanted.get(t, wish)
        allowed = (bars.close[t] - average[t]) * wish > 0
        assert held[t + 1] == (np.sign(wish) if allowed else 0)
        taken_off += held[t] != 0 and held[t + 1] == 0 and not turned
        brought_back += held[t] == 0 and held[t + 1] != 0 and not turned
    assert taken_off > 3
    assert brought_back > 3


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_no_trade_loses_more_than_its_stop_and_the_gap(side: float) -> None:
    at_stop = at_gap = 0
    for seed in range(8):
        bars = random_bars(seed)
        plain = record(AlwaysIn, bars, side=side)
        stopped = record(AlwaysIn, bars, overlays=[StopLoss(1.5)], side=side)
        assert not np.array_equal(plain.equity, stopped.equity)
        opened = dict(zip(bars.open_ns.tolist(), bars.open_price.tolist(), strict=True))
        index = {open_ns: t for t, open_ns in enumerate(opened)}
        closed = stopped.result.trades.filter(pl.col("exit_time").is_not_null())
        times = closed.select(pl.col("entry_time", "exit_time").cast(pl.Int64)).rows()
        for (entry_ns, exit_ns), price in zip(times, closed["exit_price"], strict=True):
            stop = bars.close_price[index[entry_ns] - 1] * (1 - side * 0.015)
            # The stop stands on the grid, so it fills up to one tick beyond its level.
            if abs(price - stop) < 0.0101:
                at_stop += 1
            else:
                assert price == opened[exit_ns]
                assert (price - stop) * side < 0
                at_gap += 1
    assert at_stop > 30
    assert at_gap > 3


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_trailing_stop_leaves_at_the_first_close_too_far_from_the_best(seed: int, side: float) -> None:
    bars = random_bars(seed)
    got = record(AlwaysIn, bars, overlays=[TrailingStop(4.0)], side=side)
    held = np.sign(got.positions["AAA"])
    best = math.nan
    left = 0
    for t in range(len(bars) - 1):
        if held[t] == 0:
            best = math.nan
            continue
        if math.isnan(best):
            best = bars.open_price[t]
        best = max(best, bars.high_price[t]) if side > 0 else min(best, bars.low_price[t])
        beyond = (bars.close_price[t] - best * (1 - side * 0.04)) * side < 0
        assert held[t + 1] == (0 if beyond else side)
        left += beyond
    assert left > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_overlays_compose_in_any_order(seed: int) -> None:
    bars = random_bars(seed)
    both: list[Overlay] = [VolatilityTarget(annual=0.1), RegimeFilter(60)]
    one = record(load("sma_cross"), bars, overlays=both, fast=5, slow=20)
    other = record(load("sma_cross"), bars, overlays=both[::-1], fast=5, slow=20)
    assert one.positions == other.positions
    average = mean_of_last(bars.close, 60)
    held = one.positions["AAA"]
    assert max(held) > 0
    for t in range(len(bars) - 1):
        assert held[t + 1] == 0 or bars.close[t] > average[t]


def test_a_stopped_position_stays_out_although_the_volatility_moves() -> None:
    for seed in SEEDS:
        bars = random_bars(seed)
        overlays = [VolatilityTarget(annual=0.1, band=0.0), StopLoss(3.0)]
        held = np.array(record(load("buy_and_hold"), bars, overlays=overlays).positions["AAA"])
        first = int(np.argmax(held > 0))
        out = first + int(np.argmax(held[first:] == 0))
        assert 0 < first < out, "the market never fell by three percent"
        assert (held[out:] == 0).all()


@pytest.mark.parametrize(
    "overlay",
    [VolatilityTarget(annual=0.1), RegimeFilter(50), StopLoss(1.0), TrailingStop(1.0)],
    ids=repr,
)
def test_a_run_records_its_overlays_and_repeats(overlay: Overlay) -> None:
    bars = random_bars(11)
    plain = record(load("sma_cross"), bars).result
    first = record(load("sma_cross"), bars, overlays=[overlay]).result
    # The same overlay object again: nothing of the first run is left in it.
    second = record(load("sma_cross"), bars, overlays=[overlay]).result
    assert first.hash == second.hash != plain.hash
    assert first.digests["fills"] != plain.digests["fills"]
    assert first.run["overlays"] == [overlay.document()]
    assert overlay.document()["overlay"] == type(overlay).__name__


def test_each_instrument_has_its_own_regime() -> None:
    universe = [random_bars(seed, 600, symbol) for seed, symbol in enumerate(["AAA", "BBB"])]
    got = record(load("buy_and_hold"), universe, overlays=[RegimeFilter(50)])
    for bars in universe:
        above = bars.close > mean_of_last(bars.close, 50)
        held = np.array(got.positions[bars.symbol]) > 0
        assert (held[1:] == above[:-1]).all()
        assert len({*pairwise(held.tolist())}) == 4


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: VolatilityTarget(annual=0.0), "annual"),
        (lambda: VolatilityTarget(limit=-1.0), "limit"),
        (lambda: VolatilityTarget(band=-0.1), "band"),
        (lambda: RegimeFilter(1), "trend"),
        (lambda: StopLoss(0.0), "percent"),
        (lambda: StopLoss(100.0), "percent"),
        (lambda: TrailingStop(-3.0), "percent"),
    ],
)
def test_overlay_parameters_that_make_no_sense_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
