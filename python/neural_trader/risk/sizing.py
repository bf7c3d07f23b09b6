"""How much to hold: the fraction that grows fastest, and the one that has a chosen volatility."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.risk.arrays import Floats, covariance_of, returns_of, weights_of


def kelly(means: Any, covariance: Any, *, fraction: float = 1.0, limit: float | None = None) -> Floats:
    """Weights of fastest growth for small returns (Kelly 1956; Thorp 2006): ``fraction * covariance^-1 * means``.

    ``means`` and ``covariance`` are per period and in excess of cash. ``limit`` caps the sum of absolute weights and
    keeps their proportions. Half of it has three quarters of the growth at half the volatility.
    """
    matrix = covariance_of(covariance)
    expected = weights_of(means, len(matrix))
    if not 0.0 < fraction <= 1.0:
        raise UsageError(f"fraction {fraction}: above 0, at most 1; more than the full fraction grows slower")
    try:
        weights: Floats = np.asarray(fraction * np.linalg.solve(matrix, expected), np.float64)
    except np.linalg.LinAlgError:
        raise UsageError("the covariance is singular; shrink it, or leave out what is the same twice") from None
    total = float(np.abs(weights).sum())
    return weights * (limit / total) if limit is not None and total > limit else weights


def kelly_of_bets(win_probability: float, win: float, lose: float = 1.0) -> float:
    """The fraction to stake on repeated bets that gain ``win`` or lose ``lose`` per unit; 0 without an edge."""
    if not 0.0 <= win_probability <= 1.0 or win <= 0.0 or lose <= 0.0:
        raise UsageError("a bet has a probability from 0 to 1, and a gain and a loss above 0")
    return max(0.0, win_probability / lose - (1.0 - win_probability) / win)


def kelly_of_returns(returns: Any) -> float:
    """The multiple of one strategy that would have grown fastest: the maximum of the mean of ``log(1 + f * r)``.

    Infinite where no period lost, 0 where the mean is not above zero.
    """
    values = returns_of(returns).ravel()
    if values.mean() <= 0.0:
        return 0.0
    worst = float(values.min())
    if worst >= 0.0:
        return math.inf
    # The derivative falls from the mean towards minus infinity where the worst period would ruin: one root between.
    low, high = 0.0, -1.0 / worst
    for _ in range(200):
        middle = 0.5 * (low + high)
        if float((values / (1.0 + middle * values)).sum()) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def volatility_scale(
    returns: Any, target: float, periods_per_year: float, *, weights: Any = None, largest: float = 1.0
) -> float:
    """The multiple of a portfolio that brings its past volatility to ``target`` a year, at most ``largest``."""
    columns = returns_of(returns)
    held = (
        np.full(columns.shape[1], 1.0 / columns.shape[1]) if weights is None else weights_of(weights, columns.shape[1])
    )
    deviation = float((columns @ held).std(ddof=1)) * math.sqrt(periods_per_year)
    if not target > 0.0 or not periods_per_year > 0.0:
        raise UsageError("the target and the periods per year are above zero")
    return largest if deviation * largest <= target else target / deviation
