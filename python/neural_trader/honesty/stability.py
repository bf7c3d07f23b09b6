"""Whether the best parameters stand on a plateau or on a needle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.honesty.gauss import Floats

Indices = np.ndarray[Any, np.dtype[np.int64]]


class Stability(NamedTuple):
    """A point of a grid of parameters beside its neighbours."""

    value: float
    neighbours: int
    median: float
    """Median of the neighbours' values; NaN where there is none."""
    worst: float
    kept: float
    """Median of the neighbours over the value itself; NaN where the value is not above zero."""


def neighbourhood(values: Floats, at: tuple[int, ...] | None = None) -> Stability:
    """How the neighbours of a point fare, those that differ from it by one step in one or more parameters.

    ``values`` is a figure such as a Sharpe ratio on a grid, one axis for each parameter; NaN where there is none. The
    point is the best one unless ``at`` names another. UsageError if no value of the grid is defined.
    """
    if not np.isfinite(values).any():
        raise UsageError("no point of the grid has a value")
    if at is None:
        best = np.unravel_index(int(np.nanargmax(np.where(np.isfinite(values), values, np.nan))), values.shape)
        at = tuple(int(index) for index in best)
    window = values[tuple(slice(max(0, index - 1), index + 2) for index in at)].ravel()
    centre = float(values[at])
    near = window[np.isfinite(window)].tolist()
    near.remove(centre)
    if not near:
        return Stability(centre, 0, float("nan"), float("nan"), float("nan"))
    median = float(np.median(near))
    return Stability(centre, len(near), median, float(min(near)), median / centre if centre > 0.0 else float("nan"))


class Standing(NamedTuple):
    """The best point of a search beside its neighbours, and how much of its lead they keep."""

    neighbours: int
    median: float | None
    """Of the neighbours' values; None where there is none."""
    worst: float | None
    kept: float | None
    """How far the median of the neighbours is above that of all points, as a part of how far the best is."""

    @property
    def shape(self) -> str | None:
        """``plateau`` where neighbours keep half of the lead or more, else ``needle``; None where nothing is known."""
        return None if self.kept is None else "plateau" if self.kept >= 0.5 else "needle"


def standing(places: Indices, values: Floats, at: int, *, higher_is_better: bool = True) -> Standing:
    """How the neighbours of point ``at`` fare, those that differ by at most one step in each parameter.

    ``places`` has a row for each point: which value of each parameter it has, counted along the values that there are.
    Measured against the point in the middle of all, the part that is kept is the same for any figure, whatever its
    zero and its unit.
    """
    near = (np.abs(places - places[at]) <= 1).all(axis=1) & np.isfinite(values)
    near[at] = False
    around = values[near]
    if not len(around):
        return Standing(0, None, None, None)
    median, typical = float(np.median(around)), float(np.median(values[np.isfinite(values)]))
    lead = float(values[at]) - typical
    worst = float(around.min() if higher_is_better else around.max())
    return Standing(len(around), median, worst, (median - typical) / lead if lead else None)
