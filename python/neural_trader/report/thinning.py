"""Long columns made short enough to draw: curves keep their extremes, bars are joined into longer bars."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader.market.bars import Bars
    from neural_trader.report.outcome import Floats, Times

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


def extremes(curves: Sequence[Floats], points: int, also: Sequence[int] = ()) -> Indices:
    """Indices of at most ``points`` samples, ascending: the first, the last, those of ``also``, and peaks and troughs.

    The samples are cut into buckets of equal length, and of each bucket the lowest and the highest sample of every
    curve are kept. So the extremes of a curve are among them, whatever its length.
    """
    count = len(curves[0])
    if count <= points:
        return np.arange(count)
    buckets = (points - 2 - len(also)) // (2 * len(curves))
    bounds = np.linspace(0, count, buckets + 1).astype(np.intp)
    chosen = [0, count - 1, *also]
    for curve in curves:
        for begin, end in pairwise(bounds):
            bucket = curve[begin:end]
            chosen.append(int(begin + bucket.argmin()))
            chosen.append(int(begin + bucket.argmax()))
    return np.unique(np.array(chosen, dtype=np.intp))


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


def candles(bars: Bars, limit: int = CANDLES) -> Candles:
    """The bars of an instrument, joined into at most ``limit`` candles of a round length if there are more."""
    open_, high, low, close = bars.open_price, bars.high_price, bars.low_price, bars.close_price
    volume = bars.volume_units
    count = len(bars.open_ns)
    if count <= limit:
        return Candles(bars.open_ns, open_, high, low, close, volume, 0)
    span = int(bars.open_ns[-1]) - int(bars.open_ns[0])
    width = next((width for width in _WIDTHS if width * (limit - 1) >= span), span // (limit - 1) + 1)
    groups = bars.open_ns // width
    begins = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    ends = np.append(begins[1:], count) - 1
    return Candles(
        open_ns=groups[begins] * width,
        open=open_[begins],
        high=np.maximum.reduceat(high, begins),
        low=np.minimum.reduceat(low, begins),
        close=close[ends],
        volume=None if volume is None else np.add.reduceat(volume, begins),
        width_ns=width,
    )
