"""The matrix profile of a whole series: which of its windows are most alike, and which are like no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader import _native
from neural_trader.errors import UsageError
from neural_trader.features.calls import floats

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pair(NamedTuple):
    """A window and its nearest neighbour, by the rows at which they end."""

    row: int
    neighbour: int
    distance: float


@dataclass(frozen=True)
class MatrixProfile:
    """Of each window, by the row at which it ends, the nearest other window; NaN and -1 where there is none."""

    n: int
    """Rows of a window."""
    distance: NDArray[np.float64]
    """Distance of the shapes, from 0 for the same to ``2 sqrt(n)`` for the opposite."""
    neighbour: NDArray[np.int64]
    """The row at which the nearest window ends."""
    left_distance: NDArray[np.float64]
    """The same among the windows that end before, all that was known at the row."""
    left_neighbour: NDArray[np.int64]

    def motifs(self, k: int = 3, apart: int | None = None) -> list[Pair]:
        """The ``k`` pairs that are most alike, nearest first; none ends within ``apart`` rows (``n``) of another."""
        return self._best(np.argsort(self.distance, kind="stable"), k, apart, both=True)

    def discords(self, k: int = 3, apart: int | None = None) -> list[Pair]:
        """The ``k`` windows that are least like any other, farthest first, ``apart`` rows (``n``) from each other."""
        return self._best(np.argsort(-self.distance, kind="stable"), k, apart, both=False)

    def _best(self, order: Iterable[np.int64], k: int, apart: int | None, *, both: bool) -> list[Pair]:
        """The first ``k`` windows of an order of which none is near one that was taken."""
        apart = self.n if apart is None else apart
        if k < 1 or apart < 0:
            raise UsageError(f"k is at least 1 and apart at least 0, not {k} and {apart}")
        found: list[Pair] = []
        taken: list[int] = []
        for row in map(int, order):
            pair = Pair(row, int(self.neighbour[row]), float(self.distance[row]))
            # What has no neighbour comes last.
            if len(found) == k or pair.neighbour < 0:
                break
            ends = pair[:2] if both else pair[:1]
            if all(abs(end - other) >= apart for end in ends for other in taken):
                found.append(pair)
                taken += ends
        return found


def matrix_profile(series: Any, n: int, exclusion: int | None = None) -> MatrixProfile:
    """The matrix profile of a series: for each window of ``n`` values how far the one most like it is.

    Yeh and others, Matrix Profile I (2016); windows are compared less their means and over their population deviations.
    They end more than ``exclusion`` rows apart, a quarter of ``n`` rounded up unless given. A window that is constant,
    or has something that is no number, has no neighbour and is none. The time that it takes grows with the square of
    the rows.

    >>> made = matrix_profile([0, 1, 3, 1, 0, 5, 4, 4, 5, 7, 5, 4, 9], 5)
    >>> made.motifs(1)
    [Pair(row=4, neighbour=11, distance=0.0)]
    """
    exclusion = -(-n // 4) if exclusion is None else exclusion
    if n < 3 or exclusion < 0:
        raise UsageError(f"matrix_profile: n is at least 3 and exclusion at least 0, not {n} and {exclusion}")
    (left, left_rows), (right, right_rows) = _native.matrix_profile(floats(series), n, exclusion)
    # NaN is nearer than nothing, and farther than all else.
    is_right = (right < left) | (np.isnan(left) & ~np.isnan(right))
    distance, neighbour = np.where(is_right, right, left), np.where(is_right, right_rows, left_rows)
    return MatrixProfile(n, distance, neighbour, left, left_rows)
