"""Long columns made short enough to draw: curves keep their extremes, bars are joined into longer bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neural_trader.market.bars import Bars, Series
    from neural_trader.report.outcome import Block, Floats, Times

    Indices = np.ndarray[Any, np.dtype[np.intp]]

CURVE_POINTS = 2_000
"""Points of a curve in a document: more than a wide screen has pixels for."""

CANDLES = 20_000
"""Candles of one instrument on a page."""

_SECOND = 1_000_000_000
_WIDTHS = tuple(
    seconds * _SECOND
    for seconds in (
        *(1, 2, 5, 10, 15, 30),
        *(60 * minutes for minutes in (1, 2, 3, 5, 10, 15, 20, 30)),
        *(3_600 * hours for hours in (1, 2, 3, 4, 6, 8, 12)),
        *(86_400 * days for days in (1, 2, 3, 7, 14, 28, 91, 182, 364, 3_640)),
    )
)
"""Lengths that a joined candle may have, so that it begins where a trader expects it."""


class Points(NamedTuple):
    """Samples of a run that were chosen to be drawn."""

    time_ns: Times
    equity: Floats
    drawdown: Floats
    benchmark: Floats | None


def points(blocks: Iterable[tuple[Block, Floats]], count: int, limit: int = CURVE_POINTS) -> Points:
    """At most ``limit`` of ``count`` samples, which come with their drawdowns: the first, the last, peaks and troughs.

    The samples are cut into buckets of equal length, and of each bucket the lowest and the highest sample of every
    curve are kept. So the extremes of a curve are among them, whatever its length, and the deepest drawdown is too.
    """
    extremes: _Extremes | None = None
    rows: list[tuple[Indices, Times, Floats]] = []
    deepest, deepest_at, begin = np.inf, 0, 0
    for block, below in blocks:
        curves = [block.equity] if block.benchmark is None else [block.equity, block.benchmark]
        chosen = np.arange(len(below))
        if count > limit:
            extremes = extremes or _Extremes(count, (limit - 3) // (2 * len(curves)))
            lowest = int(below.argmin())
            if below[lowest] < deepest:
                deepest, deepest_at = below[lowest], begin + lowest
            chosen = np.array(sorted({*extremes.add(curves), lowest, 0, len(below) - 1}))
        values = np.stack([block.equity, below, *curves[1:]])
        rows.append((begin + chosen, block.time_ns[chosen], values[:, chosen]))
        begin += len(below)
    if not rows:
        return Points(np.arange(0), np.empty(0), np.empty(0), None)
    time_ns, values = np.concatenate([row[1] for row in rows]), np.concatenate([row[2] for row in rows], axis=1)
    if extremes is not None:
        candidates = np.concatenate([row[0] for row in rows])
        last = np.searchsorted(candidates, np.unique([0, count - 1, deepest_at, *extremes.found]))
        time_ns, values = time_ns[last], values[:, last]
    return Points(time_ns, values[0], values[1], values[2] if len(values) > 2 else None)


class _Extremes:
    """Where the lowest and the highest sample of each bucket are, for curves that come block by block."""

    def __init__(self, count: int, buckets: int) -> None:
        self._bounds = np.linspace(0, count, buckets + 1).astype(np.intp)[1:].tolist()
        self._bucket = 0
        self._passed = 0
        self._best: list[tuple[float, int]] = []
        """Of the present bucket, value and index: for each curve its lowest sample, and the highest turned over."""
        self.found: list[int] = []

    def add(self, curves: Sequence[Floats]) -> set[int]:
        """Takes in the next samples; returns which of them may be among those to be kept."""
        first, end = self._passed, self._passed + len(curves[0])
        candidates: set[int] = set()
        while self._passed < end:
            begin, bound = self._passed, self._bounds[self._bucket]
            parts = [curve[begin - first : bound - first] for curve in curves]
            lowest = [(float(part[at := int(part.argmin())]), begin + at) for part in parts]
            highest = [(-float(part[at := int(part.argmax())]), begin + at) for part in parts]
            # Of equal samples the first is kept, whose index is the lower.
            here = lowest + highest
            self._best = [min(pair) for pair in zip(self._best, here, strict=True)] if self._best else here
            self._passed = min(bound, end)
            candidates.update(index - first for _, index in self._best if index >= first)
            if self._passed == bound:
                self.found += (index for _, index in self._best)
                self._bucket, self._best = self._bucket + 1, []
        return candidates


class Candles(NamedTuple):
    """Bars as a chart draws them."""

    open_ns: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | None
    width_ns: int
    """Length of a joined candle; 0 if the candles are the bars themselves."""


def candles(series: Series, limit: int = CANDLES) -> Candles:
    """The bars of an instrument, joined into at most ``limit`` candles of a round length if there are more."""
    count = len(series)
    if count <= limit:
        bars = series.whole()
        prices = bars.open_price, bars.high_price, bars.low_price, bars.close_price
        return Candles(bars.open_ns, *prices, bars.volume_units, 0)
    span = series.end_ns - series.start_ns
    width = next((width for width in _WIDTHS if width * (limit - 1) >= span), span // (limit - 1) + 1)
    parts = [_joined(_columns(piece, width)) for piece in series.pieces()]
    # A candle that two pieces have a part of is joined once more.
    group, open_, high, low, close, *volume = _joined([np.concatenate(column) for column in zip(*parts, strict=True)])
    tick = series.tick
    return Candles(
        open_ns=group * width,
        open=tick.value_of(open_),
        high=tick.value_of(high),
        low=tick.value_of(low),
        close=tick.value_of(close),
        volume=series.lot.value_of(volume[0] * 2.0**32 + volume[1]) if volume else None,
        width_ns=width,
    )


def _columns(bars: Bars, width: int) -> list[Any]:
    """The candle that each bar belongs to, its prices, and its volume in two halves, whose sums cannot overflow."""
    halves = [] if bars.volume is None else [bars.volume >> 32, bars.volume & 0xFFFF_FFFF]
    return [bars.open_ns // width, bars.open, bars.high, bars.low, bars.close, *halves]


def _joined(columns: list[Any]) -> list[Any]:
    """One row for each run of rows of the same candle."""
    group, open_, high, low, close, *volume = columns
    begins = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    ends = np.append(begins[1:], len(group)) - 1
    high, low = np.maximum.reduceat(high, begins), np.minimum.reduceat(low, begins)
    sums = [np.add.reduceat(half, begins) for half in volume]
    return [group[begins], open_[begins], high, low, close[ends], *sums]
