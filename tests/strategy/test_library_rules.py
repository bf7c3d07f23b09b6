"""Every library strategy decides as its rule says; the rule is written out again here, from prices alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.market.bars import Bars
from neural_trader.strategy.library import load
from recorded import Decision, random_bars, record

SEEDS = range(6)

Floats = np.ndarray[Any, np.dtype[np.float64]]


def rolling(values: Floats, n: int, formula: Callable[[Floats], float]) -> Floats:
    """``formula`` of each window of ``n``, NaN before the first full one."""
    out = np.full(len(values), np.nan)
    for t in range(n - 1, len(values)):
        out[t] = formula(values[t - n + 1 : t + 1])
    return out


def smoothed(values: Floats, n: int, weight: float) -> Floats:
    """Exponential smoothing from the mean of the first ``n`` values."""
    out = np.full(len(values), np.nan)
    out[n - 1] = values[:n].mean()
    for t in range(n, len(values)):
        out[t] = out[t - 1] + weight * (values[t] - out[t - 1])
    return out


def true_range(bars: Bars) -> Floats:
    before = bars.close_price[:-1]
    return np.maximum(bars.high_price[1:], before) - np.minimum(bars.low_price[1:], before)


def simulate(size: int, rule: Callable[[int, int], float | None]) -> list[Decision]:
    """Decisions of a rule that knows the bar and the side held, where every target is filled at the next open."""
    decisions: list[Decision] = []
    held = 0
    for t in range(size):
        fraction = rule(t, held)
        if fraction is not None:
            decisions.append(Decision(t, "AAA", fraction))
            held = int(np.sign(fraction))
    return decisions


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_sma_cross(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    frame = pl.DataFrame({"close": bars.close}).with_columns(
        gap=pl.col("close").rolling_mean(12) - pl.col("close").rolling_mean(40)
    )
    crossings = frame.with_columns(before=pl.col("gap").shift(1), index=pl.int_range(pl.len())).filter(
        pl.col("before") * pl.col("gap") < 0
    )
    wanted = [
        Decision(row["index"], "AAA", 1.0 if row["gap"] > 0 else (-1.0 if short else 0.0))
        for row in crossings.iter_rows(named=True)
    ]
    got = record(load("sma_cross"), bars, fast=12, slow=40, short=short)
    assert len(wanted) > 10
    assert got.decisions == wanted


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_rsi_reversion(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    n = 10
    change = np.diff(bars.close_price)
    gain = smoothed(np.maximum(change, 0.0), n, 1 / n)
    loss = smoothed(np.maximum(-change, 0.0), n, 1 / n)
    strength = np.concatenate([[np.nan], 100.0 - 100.0 / (1.0 + gain / loss)])

    def rule(t: int, held: int) -> float | None:
        if strength[t] < 30 and held <= 0:
            return 1.0
        if strength[t] > 70 and short and held >= 0:
            return -1.0
        if held > 0 and strength[t] > 50:
            return 0.0
        if held < 0 and strength[t] < 50:
            return 0.0
        return None

    wanted = simulate(len(bars), rule)
    assert len(wanted) > 10
    assert record(load("rsi_reversion"), bars, n=n, short=short).decisions == wanted


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_bollinger_breakout(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    close = bars.close_price
    mean = rolling(close, 20, np.mean)
    reach = 1.5 * rolling(close, 20, np.std)

    def rule(t: int, held: int) -> float | None:
        if close[t] > mean[t] + reach[t]:
            return 1.0 if held <= 0 else None
        if close[t] < mean[t] - reach[t] and short:
            return -1.0 if held >= 0 else None
        if (held > 0 and close[t] < mean[t]) or (held < 0 and close[t] > mean[t]):
            return 0.0
        return None

    wanted = simulate(len(bars), rule)
    assert len(wanted) > 10
    assert record(load("bollinger_breakout"), bars, width=1.5, short=short).decisions == wanted


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_macd_momentum(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    close = bars.close_price
    # Both averages of the line start at the 26th bar, the fast one with the mean of the 12 closes that end there.
    fast = np.concatenate([np.full(14, np.nan), smoothed(close[14:], 12, 2 / 13)])
    line = fast - smoothed(close, 26, 2 / 27)
    signal = np.concatenate([np.full(25, np.nan), smoothed(line[25:], 9, 2 / 10)])
    gap = line - signal
    trend = smoothed(close, 100, 2 / 101)

    def rule(t: int, held: int) -> float | None:
        if t == 0 or not gap[t - 1] * gap[t] < 0:
            return None
        if gap[t] > 0 and close[t] > trend[t]:
            return 1.0
        if gap[t] < 0 and short and close[t] < trend[t]:
            return -1.0
        against = held < 0 if gap[t] > 0 else held > 0
        return 0.0 if against else None

    wanted = simulate(len(bars), rule)
    assert len(wanted) > 10
    assert record(load("macd_momentum"), bars, trend=100, short=short).decisions == wanted


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_donchian_turtle(seed: int, short: bool) -> None:
    bars = random_bars(seed)
    close, high, low = bars.close_price, bars.high_price, bars.low_price
    average_range = np.concatenate([[np.nan], smoothed(true_range(bars), 20, 1 / 20)])
    wanted: list[Decision] = []
    held, stop = 0, math.nan
    stopped = 0
    for t in range(len(bars)):
        # The stop stands from the open that filled the entry, and works during the bar.
        if (held > 0 and low[t] <= stop) or (held < 0 and high[t] >= stop):
            held = 0
            stopped += 1
        if t < 20:
            continue
        if held:
            left = close[t] < low[t - 10 : t].min() if held > 0 else close[t] > high[t - 10 : t].max()
            if left:
                wanted.append(Decision(t, "AAA", 0.0))
                held = 0
            continue
        if close[t] > high[t - 20 : t].max():
            held = 1
        elif short and close[t] < low[t - 20 : t].min():
            held = -1
        if held:
            # Stops are whole ticks at the venue.
            stop = round(100 * (close[t] - held * 2.0 * average_range[t])) / 100
            size = min(1.0, 0.01 * close[t] / average_range[t])
            wanted.append(Decision(t, "AAA", held * size, stop))

    got = record(load("donchian_turtle"), bars, short=short).decisions
    assert len(wanted) > 10
    assert stopped > 0
    assert [(d.index, np.sign(d.fraction)) for d in got] == [(d.index, np.sign(d.fraction)) for d in wanted]
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.fraction == pytest.approx(theirs.fraction)
        assert (ours.stop_loss is None) == (theirs.stop_loss is None)
        if ours.stop_loss is not None:
            assert ours.stop_loss == pytest.approx(theirs.stop_loss, abs=0.011)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_cross_sectional_momentum(seed: int, short: bool) -> None:
    symbols = [f"S{k}" for k in range(8)]
    universe = [random_bars(100 * seed + k, 400, symbol) for k, symbol in enumerate(symbols)]
    n, skip, every, hold = 60, 5, 15, 2
    close = np.stack([bars.close_price for bars in universe])
    wanted: dict[int, dict[str, float]] = {}
    for t in range(n, 400, every):
        strength = close[:, t - skip] / close[:, t - n]
        ranked = [symbols[k] for k in np.argsort(-strength, kind="stable")]
        weight = 0.25 if short else 0.5
        wanted[t] = dict.fromkeys(ranked[:hold], weight)
        if short:
            wanted[t].update(dict.fromkeys(ranked[-hold:], -weight))

    got = record(load("cross_sectional_momentum"), universe, n=n, skip=skip, every=every, hold=hold, short=short)
    held: dict[int, dict[str, float]] = {}
    left: dict[int, set[str]] = {}
    for decision in got.decisions:
        if decision.fraction:
            held.setdefault(decision.index, {})[decision.symbol] = decision.fraction
        else:
            left.setdefault(decision.index, set()).add(decision.symbol)
    assert held == wanted
    times = sorted(wanted)
    for before, now in itertools.pairwise(times):
        assert left.get(now, set()) == wanted[before].keys() - wanted[now].keys()
    # What is decided at a close is held one bar later, and everything else is not.
    for t in times:
        for symbol in symbols:
            assert np.sign(got.positions[symbol][t + 1]) == np.sign(wanted[t].get(symbol, 0.0))


def test_buy_and_hold_buys_each_instrument_once_and_keeps_it() -> None:
    universe = [random_bars(seed, 100, symbol) for seed, symbol in enumerate(["AAA", "BBB", "CCC", "DDD"])]
    got = record(load("buy_and_hold"), universe)
    assert got.decisions == [Decision(0, symbol, 0.25) for symbol in ("AAA", "BBB", "CCC", "DDD")]
    for positions in got.positions.values():
        assert positions[0] == 0
        assert positions[1] > 0
        assert set(positions[1:]) == {positions[1]}
