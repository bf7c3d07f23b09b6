"""The portfolio that trades mean return against variance, with limits on weights, turnover and costs.

Markowitz (1952). The quadratic programme is solved by clarabel, which is an extra:
`pip install neural-trader[portfolio]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.risk.arrays import Floats, covariance_of, weights_of


def mean_variance(
    means: Any,
    covariance: Any,
    *,
    aversion: float = 1.0,
    lower: float = 0.0,
    upper: float = 1.0,
    budget: float = 1.0,
    before: Any = None,
    turnover: float | None = None,
    cost: float = 0.0,
) -> Floats:
    """Weights that maximise ``means @ w - aversion / 2 * w @ covariance @ w - cost * sum(abs(w - before))``.

    They sum to ``budget`` and lie from ``lower`` to ``upper`` each; ``turnover`` limits ``sum(abs(w - before))``, where
    ``before`` is what is held (nothing by default). Means, covariance and ``cost`` (a rate of what is traded) are of
    the same period; means may be zero, which asks for the least variance. UsageError where the limits leave nothing.
    """
    matrix = covariance_of(covariance)
    count = len(matrix)
    expected, held = weights_of(means, count), np.zeros(count) if before is None else weights_of(before, count)
    if not aversion > 0.0 or cost < 0.0 or (turnover is not None and turnover < 0.0):
        raise UsageError("aversion is above zero; cost and turnover are not negative")
    if not count * lower <= budget <= count * upper:
        raise UsageError(f"{count} weights from {lower} to {upper} cannot sum to {budget}")
    trades = cost > 0.0 or turnover is not None
    width = 2 * count if trades else count
    # After the weights come the absolute changes, which the last rows hold to be at least that.
    quadratic = np.zeros((width, width))
    quadratic[:count, :count] = aversion * matrix
    linear = np.concatenate([-expected, np.full(width - count, cost)])
    one = np.eye(count)
    none = np.zeros((count, width - count))
    rows = [np.concatenate([np.ones(count), np.zeros(width - count)])[None, :], np.hstack([one, none])]
    rows.append(np.hstack([-one, none]))
    limits = [np.array([budget]), np.full(count, upper), np.full(count, -lower)]
    if trades:
        rows += [np.hstack([one, -one]), np.hstack([-one, -one])]
        limits += [held, -held]
    if turnover is not None:
        rows.append(np.concatenate([np.zeros(count), np.ones(count)])[None, :])
        limits.append(np.array([turnover]))
    found = _solved(quadratic, linear, np.vstack(rows), np.concatenate(limits))[:count]
    return np.clip(found, lower, upper)


def minimum_variance(covariance: Any, **limits: Any) -> Floats:
    """The portfolio of least variance under the limits of :func:`mean_variance`."""
    return mean_variance(np.zeros(len(covariance_of(covariance))), covariance, **limits)


def _solved(quadratic: Floats, linear: Floats, rows: Floats, limits: Floats) -> Floats:
    """The minimum of ``x @ quadratic @ x / 2 + linear @ x`` where the first row is equal and all others at most."""
    try:
        import clarabel
        from scipy.sparse import csc_matrix
    except ImportError as error:
        raise UsageError(
            "portfolios with limits need clarabel and scipy; install them with `pip install neural-trader[portfolio]`"
        ) from error
    # Returns of a period are small numbers; what is minimised is brought to the order of one.
    scale = float(np.abs(quadratic).max()) or 1.0
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    solver = clarabel.DefaultSolver(
        csc_matrix(np.triu(quadratic) / scale),
        linear / scale,
        csc_matrix(rows),
        limits,
        [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(len(limits) - 1)],
        settings,
    )
    solution = solver.solve()
    status = str(solution.status)
    if "Infeasible" in status:
        raise UsageError("no portfolio keeps these limits; allow more turnover, or wider weights")
    if "Solved" not in status:
        raise NeuralTraderError(f"the optimiser ended without a portfolio ({status}); check the covariance")
    found: Floats = np.asarray(solution.x)
    return found
