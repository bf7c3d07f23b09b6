"""Whether the best parameters stand on a plateau or on a needle."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.honesty.gauss import Floats


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
