"""Equity of the points of a sweep at the ends of a few periods: of all, or of as many as fit, drawn by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.backtesting.sweeping.space import Matrix

POINTS_MAX = 2_048
"""Points whose curves are kept."""

PERIODS_MAX = 256
"""Periods of a curve; with the points, what bounds memory: 4 MB."""

Positions = np.ndarray[Any, np.dtype[np.int64]]
Keys = np.ndarray[Any, np.dtype[np.uint64]]


def period_ends(samples: int) -> Positions:
    """The last sample of each of at most so many periods of one length; only the first may be shorter."""
    if samples < 1:
        return np.empty(0, np.int64)
    length = -(-samples // PERIODS_MAX)
    return np.arange((samples - 1) % length, samples, length)


def drawn(points: Matrix, count: int) -> Positions:
    """The positions of ``count`` of some points, drawn by chance, in order; the same points give the same draw."""
    keys = _keys(points)
    if len(keys) <= count:
        return np.arange(len(keys))
    return np.sort(np.argpartition(keys, count)[:count])


class Paths:
    """The curves of points that were drawn, whatever the order in which they come and the blocks that they come in."""

    def __init__(self, ends: Positions) -> None:
        self.ends = ends
        self.points: Matrix | None = None
        self.equity: Floats = np.empty((0, len(ends)))
        """A row for each of the points: equity at the ends."""

    def take(self, points: Matrix, equity: Floats) -> None:
        """Take in points and their curves, and keep those that are drawn from all that came so far and did not fail."""
        well = np.isfinite(equity).all(axis=1)
        points, equity = points[well], equity[well]
        if self.points is not None:
            points, equity = np.concatenate([self.points, points]), np.concatenate([self.equity, equity])
        kept = drawn(points, POINTS_MAX)
        self.points, self.equity = points[kept], equity[kept]

    def open(self, points: Matrix) -> Positions:
        """The positions of those of some points that may still be drawn, by what came so far."""
        if self.points is None or len(self.points) < POINTS_MAX:
            return np.arange(len(points))
        return np.flatnonzero(_keys(points) < _keys(self.points).max())

    def of(self, points: Matrix) -> tuple[Matrix, Floats]:
        """Those of some points that are there, and their curves."""
        rows = self._rows()
        is_there = [point in rows for point in map(tuple, points.tolist())]
        found = points[is_there]
        return found, self.equity[[rows[point] for point in map(tuple, found.tolist())]]

    def missing(self, points: Matrix) -> Matrix:
        """Those of some points whose curves are not there."""
        rows = self._rows()
        return points[[point not in rows for point in map(tuple, points.tolist())]]

    def _rows(self) -> dict[tuple[float, ...], int]:
        return {} if self.points is None else {tuple(point): at for at, point in enumerate(self.points.tolist())}


def _keys(points: Matrix) -> Keys:
    """A number for each point that looks like chance and depends on its values alone (the finaliser of splitmix64)."""
    # Adding zero makes the negative zero the positive one.
    bits = np.ascontiguousarray(points + 0.0).view(np.uint64)
    keys = np.full(len(points), 0x9E3779B97F4A7C15, np.uint64)
    for column in bits.T:
        keys = (keys ^ column) * np.uint64(0xBF58476D1CE4E5B9)
        keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0x94D049BB133111EB)
        keys ^= keys >> np.uint64(31)
    return keys
