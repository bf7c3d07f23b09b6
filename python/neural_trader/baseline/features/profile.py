"""The matrix profile: how far each window of a series is from the window that is most like it.

Windows are compared as shapes: less their means, over their population deviations. The nearest is the one with the
highest correlation, and of several the one nearest in time. One that is constant, or has something that is no number,
has no neighbour and is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neural_trader.baseline.features.window import Window, added, squared_spread


def exclusion_of(n: int) -> int:
    """Windows that end within so many rows of each other are alike anyway."""
    return -(-n // 4)


class Shape(NamedTuple):
    """What makes a window a shape: ``((x - pivot) - offset) * scale``."""

    pivot: float
    total: float
    """The sum of the distances from the pivot."""
    offset: float
    scale: float

    def of(self, value: float) -> float:
        return ((value - self.pivot) - self.offset) * self.scale


def shape_of(window: Window[float]) -> Shape | None:
    """The shape of a window; none where it is constant."""
    pivot = window.pivot
    spread = squared_spread(window)
    if not spread > 0.0:
        return None
    total = window.total(lambda value: value - pivot)
    return Shape(pivot, total, total / window.n, window.n / math.sqrt(spread))


class Windows:
    """All windows of a series, by the row at which they end, and what the last one has to do with those before."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.values: list[float] = []
        self.shapes: list[Shape | None] = []
        self.window: Window[float] = Window(n)
        self.rows: Window[int] = Window(n)

    def push(self, value: float) -> None:
        self.rows.push(len(self.values))
        self.values.append(value)
        self.shapes.append(shape_of(self.window) if self.window.push(value) else None)

    def scores(self, lags: Iterable[int]) -> Iterable[tuple[int, float]]:
        """Lags at which there is a window, with ``n`` times its correlation with the last one."""
        x, row = self.values, len(self.values) - 1
        later = self.shapes[row]
        if later is None:
            return
        tail, head = self.rows.parts
        pivot = self.rows.pivot
        for lag in lags:
            earlier = self.shapes[row - lag] if lag <= row else None
            if earlier is None:
                continue
            a, b = x[pivot], x[pivot - lag]
            products = added((x[at] - a) * (x[at - lag] - b) for at in tail)
            products += added((x[at] - a) * (x[at - lag] - b) for at in head)
            yield lag, (products - later.total * ((earlier.pivot - b) + earlier.offset)) * later.scale * earlier.scale

    def distance(self, row: int, other: int) -> float:
        """The distance of the windows that end at two rows, of which both have a shape."""
        a, b = self.shapes[row], self.shapes[other]
        assert a is not None and b is not None
        differences = [a.of(self.values[row - at]) - b.of(self.values[other - at]) for at in range(self.n - 1, -1, -1)]
        return math.sqrt(added(difference * difference for difference in differences))


class LeftProfile:
    """The distance to the nearest of the windows up to ``lookback`` rows ago, and how many rows ago it ended."""

    def __init__(self, n: int, lookback: int) -> None:
        self.windows = Windows(n)
        self.lookback = lookback

    def update(self, value: float) -> tuple[float, float] | None:
        windows = self.windows
        windows.push(value)
        row = len(windows.values) - 1
        if row < windows.n - 1 + self.lookback:
            return None
        scores = windows.scores(range(exclusion_of(windows.n) + 1, self.lookback + 1))
        lag, _ = max(scores, key=lambda found: found[1], default=(0, 0.0))
        return (windows.distance(row, row - lag), float(lag)) if lag else None


Best = tuple[float, int | None]


def matrix_profile(series: Sequence[float], n: int, exclusion: int) -> list[list[tuple[float, int]]]:
    """For each row: distance and row of the nearest window that ends before, and of the nearest that ends after.

    NaN and -1 where there is none.
    """
    windows = Windows(n)
    left: list[Best] = [(-math.inf, None)] * len(series)
    right = list(left)
    for row, value in enumerate(series):
        windows.push(value if abs(value) <= 1e60 else math.nan)
        for lag, score in windows.scores(range(exclusion + 1, row + 1)):
            left[row] = max(left[row], (score, row - lag), key=lambda best: best[0])
            right[row - lag] = max(right[row - lag], (score, row), key=lambda best: best[0])

    def measured(row: int, other: int | None) -> tuple[float, int]:
        return (math.nan, -1) if other is None else (windows.distance(row, other), other)

    return [[measured(row, other) for row, (_, other) in enumerate(best)] for best in (left, right)]
