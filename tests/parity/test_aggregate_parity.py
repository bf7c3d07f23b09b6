"""Bars that the core aggregates equal those of their plain definition, over random trades."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader import _core
from neural_trader.baseline import aggregate
from neural_trader.baseline.aggregate import Bar, Imbalance, Trade

STEPS_NS = st.sampled_from([0, 0, 1, 3, 10, 60, 1000])
MEASURES = st.sampled_from(["trades", "volume", "notional"])


@st.composite
def random_trades(draw: st.DrawFn) -> list[Trade]:
    start = draw(st.integers(-5000, 5000))
    rows = draw(st.lists(st.tuples(STEPS_NS, st.integers(-3, 3), st.integers(0, 20), st.integers(-1, 1)), max_size=80))
    trades, price = [], 100
    for step, change, quantity, side in rows:
        start, price = start + step, max(1, price + change)
        trades.append(Trade(start, price, quantity, side))
    return trades


def columns(rows: list[Trade] | list[Bar], *names: str) -> tuple[np.ndarray, ...]:
    return tuple(np.array([getattr(row, name) for row in rows], dtype=np.int64) for name in names)


def rows(made: list[np.ndarray]) -> list[Bar]:
    return [Bar(*(int(value) for value in row)) for row in zip(*made, strict=True)]


@given(trades=random_trades(), interval_ns=st.integers(1, 300), origin_ns=st.integers(-100, 100))
@settings(max_examples=400)
def test_bars_of_time_are_those_of_the_definition(trades: list[Trade], interval_ns: int, origin_ns: int) -> None:
    made = _core.time_bars(*columns(trades, "ts_ns", "price", "quantity"), interval_ns, origin_ns)
    assert rows(made) == aggregate.time_bars(trades, interval_ns, origin_ns)


@given(trades=random_trades(), measure=MEASURES, size=st.integers(1, 3000), partial=st.booleans())
@settings(max_examples=400)
def test_bars_of_sums_are_those_of_the_definition(trades: list[Trade], measure: str, size: int, partial: bool) -> None:
    made = rows(_core.sum_bars(*columns(trades, "ts_ns", "price", "quantity"), measure, size, partial))
    assert made == aggregate.sum_bars(trades, measure, size, partial)
    # What the engine demands of bars, whatever trades they were made of.
    assert all(bar.open_ns < bar.close_ns for bar in made)
    assert all(before.close_ns <= after.open_ns for before, after in pairwise(made))


@given(
    trades=random_trades(),
    measure=MEASURES,
    expected=st.integers(1, 20),
    spans=st.tuples(st.integers(1, 30), st.integers(1, 200)),
    bounds=st.tuples(st.integers(1, 5), st.integers(5, 60)),
    partial=st.booleans(),
)
@settings(max_examples=600)
def test_imbalance_bars_are_those_of_the_definition(
    trades: list[Trade],
    measure: str,
    expected: int,
    spans: tuple[int, int],
    bounds: tuple[int, int],
    partial: bool,
) -> None:
    side = np.array([trade.side for trade in trades], dtype=np.int8)
    ticks = columns(trades, "ts_ns", "price", "quantity")
    made = _core.imbalance_bars(ticks, side, measure, (expected, *spans, *bounds), partial)
    rule = Imbalance(measure, expected, *spans, *bounds)
    assert rows(made) == aggregate.imbalance_bars(trades, rule, partial)


@given(trades=random_trades(), fine_ns=st.integers(1, 40), factor=st.integers(1, 20), partial=st.booleans())
@settings(max_examples=400)
def test_resampled_bars_are_those_of_the_definition(
    trades: list[Trade], fine_ns: int, factor: int, partial: bool
) -> None:
    fine = aggregate.time_bars(trades, fine_ns, 7)
    made = _core.resampled_bars(
        columns(fine, "open_ns", "close_ns"),
        columns(fine, "open", "high", "low", "close"),
        *columns(fine, "volume"),
        fine_ns * factor,
        7,
        partial,
    )
    assert rows(made) == aggregate.resampled_bars(fine, fine_ns * factor, 7, partial)
    if partial and fine:
        # Finer bars lose nothing on the way: the same bars as from the trades themselves.
        whole = aggregate.time_bars(trades, fine_ns * factor, 7)
        assert [bar._replace(first=0) for bar in rows(made)] == [bar._replace(first=0) for bar in whole]


def test_bars_that_lie_in_two_intervals_are_refused_by_both() -> None:
    wide = [Bar(0, 10, 1, 1, 1, 1, 1, 0)]
    with pytest.raises(ValueError, match="two intervals"):
        aggregate.resampled_bars(wide, 6, 0, partial=True)
    with pytest.raises(ValueError, match="straddles"):
        _core.resampled_bars(
            columns(wide, "open_ns", "close_ns"), columns(wide, "open", "high", "low", "close"), None, 6, 0, True
        )
