"""Weights and risks of a portfolio from a covariance that is shrunk, asset by asset if need be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError, UsageError
from neural_trader.solve.answers import Entry, Solution
from neural_trader.solve.system import System

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Shrunk:
    """A covariance, shrunk towards its diagonal and with a ridge: ``(1 - shrinkage) C + shrinkage diag(C) + ridge``.

    Shrinking is after Ledoit and Wolf (2004), with the diagonal as target. The result has to dominate, at least
    scaled; a covariance that does not is refused with the row and what it lacks, and :func:`least_shrinkage` says
    what would do.

    >>> shrunk = Shrunk([[0.04, 0.01], [0.01, 0.09]])
    >>> shrunk.weights([0.02, 0.03]).x.round(6).tolist()
    [0.428571, 0.285714]
    >>> round(shrunk.weight(0, [0.02, 0.03]).value, 6)
    0.428571
    """

    def __init__(self, covariance: Any, *, shrinkage: float = 0.0, ridge: float = 0.0) -> None:
        import numpy as np

        if not 0 <= shrinkage <= 1 or not (ridge >= 0 and math.isfinite(ridge)):
            raise UsageError("shrinkage must be from 0 to 1 and ridge 0 or more")
        given = _covariance(covariance)
        shrunk = given * (1 - shrinkage)
        np.fill_diagonal(shrunk, np.diag(given) + ridge)
        self.system = System(shrunk)

    def weights(self, expected: Any, *, eps: float = 1e-8) -> Solution:
        """The weights of all assets that are best for these expected returns, at a risk aversion of 1."""
        return self.system.solve(expected, eps=eps)

    def weight(self, asset: int, expected: Any, *, eps: float = 1e-6) -> Entry:
        """The weight of one asset in that portfolio, without the others."""
        return self.system.entry(asset, expected, eps=eps, confidence=None)

    def unhedged_risk(self, asset: int, *, eps: float = 1e-6) -> tuple[float, float]:
        """The deviation that is left of an asset when all others hedge it as well as they can: the ends of an interval.

        It is ``1 / sqrt((C^-1)_ii)``, from one entry of the inverse; ``eps`` is the relative accuracy.
        """
        import numpy as np

        asset = self.system.index(asset)
        unit = np.zeros(len(self.system.rows.begins) - 1)
        unit[asset] = 1.0
        span = slice(self.system.rows.begins[asset], self.system.rows.begins[asset + 1])
        own = float(self.system.rows.values[span][self.system.rows.columns[span] == asset][0])
        # No hedge makes it riskier, so that the entry is at least one over the variance.
        low, high = self.system.entry(asset, unit, eps=eps / own, confidence=None).interval
        return 1 / math.sqrt(high), 1 / math.sqrt(max(low, 1 / own))


def least_shrinkage(covariance: Any) -> float:
    """The smallest shrinkage towards the diagonal above which every row of the covariance dominates.

    >>> least_shrinkage([[1, 0.8, 0.8], [0.8, 1, 0.8], [0.8, 0.8, 1]])
    0.375
    """
    import numpy as np

    given = _covariance(covariance)
    own = np.diag(given)
    others = np.abs(given).sum(axis=1) - own
    return max(0.0, float(np.max(1 - np.divide(own, others, out=np.ones_like(own), where=others > 0))))


def _covariance(covariance: Any) -> NDArray[np.float64]:
    import numpy as np

    given = np.array(covariance, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise DataError("a covariance is a square matrix with at least one row")
    if not np.isfinite(given).all() or not np.array_equal(given, given.T) or not (np.diag(given) > 0).all():
        raise DataError("a covariance must be finite and symmetric, with variances above 0")
    return given
