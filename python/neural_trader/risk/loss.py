"""Value at risk and expected shortfall: what is lost at worst but for a small share of periods, and then on average.

Losses are positive fractions of equity. Formulas:

- historical: the empirical quantile of the losses; the mean of those at or beyond it (Rockafellar and Uryasev 2002);
- normal: mean and deviation of the returns;
- Cornish-Fisher: the normal quantile corrected for skewness and kurtosis; the shortfall of Boudt, Peterson and Croux
  (2008), "Estimation and decomposition of downside risk for portfolios with non-normal returns";
- Monte Carlo: returns drawn from a normal distribution with the means and the covariance of the data.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.risk.arrays import Floats, returns_of, weights_of

Method = Literal["historical", "normal", "cornish_fisher", "monte_carlo"]
_NORMAL = NormalDist()


class Loss(NamedTuple):
    """Two measures of the same tail, as fractions of equity; negative where even the tail gains."""

    value_at_risk: float
    expected_shortfall: float


def loss(
    returns: Any,
    weights: Any = None,
    *,
    confidence: float = 0.95,
    method: Method = "historical",
    draws: int = 100_000,
    seed: int = 0,
) -> Loss:
    """Value at risk and expected shortfall of one period of a portfolio; without weights, of a single column."""
    if not 0.5 < confidence < 1.0:
        raise UsageError(f"confidence {confidence}: between 0.5 and 1, such as 0.95")
    columns = returns_of(returns)
    if weights is None and columns.shape[1] != 1:
        raise UsageError("returns of several instruments take weights")
    held = np.ones(1) if weights is None else weights_of(weights, columns.shape[1])
    tail = 1.0 - confidence
    if method == "historical":
        return historical(columns @ held, tail)
    if method == "normal":
        return _normal(columns @ held, tail)
    if method == "cornish_fisher":
        return _cornish_fisher(columns @ held, tail)
    if method == "monte_carlo":
        return historical(_drawn(columns, draws, seed) @ held, tail)
    raise UsageError(f"method {method!r}: historical, normal, cornish_fisher or monte_carlo")


def drawn_loss(returns: Any, weights: Any, *, confidence: float = 0.95, draws: int = 100_000, seed: int = 0) -> Loss:
    """What a period loses with holdings as of a period by chance and returns by chance, the two drawn apart.

    ``returns`` and ``weights`` are periods by instruments; returns are drawn as by Monte Carlo in :func:`loss`. That is
    what the same holdings would have been exposed to, had they not been held just when they were.
    """
    columns = returns_of(returns)
    held = np.asarray(weights, np.float64)
    if held.ndim != 2 or held.shape[1] != columns.shape[1] or not np.isfinite(held).all():
        raise UsageError("weights are periods by instruments, as returns are, and finite")
    rows = np.random.default_rng(seed + 1).integers(0, len(held), draws)
    found = np.einsum("di,di->d", _drawn(columns, draws, seed), held[rows])
    return historical(found, 1.0 - confidence)


def historical(returns: Floats, tail: float) -> Loss:
    """From the returns themselves; the tail holds exactly its share of them, the last one in part if need be."""
    ordered = np.sort(returns)
    share = tail * len(ordered)
    # The share may be a whole number but for rounding.
    whole = math.floor(share + 1e-9)
    rest = max(0.0, share - whole)
    at = min(len(ordered) - 1, math.ceil(share - 1e-9) - 1)
    worst = float(ordered[:whole].sum()) + (
        rest * float(ordered[whole]) if rest > 0.0 and whole < len(ordered) else 0.0
    )
    return Loss(-float(ordered[max(at, 0)]), -worst / share)


def _normal(returns: Floats, tail: float) -> Loss:
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    z = _NORMAL.inv_cdf(tail)
    return Loss(-(mean + z * deviation), -(mean - deviation * _NORMAL.pdf(z) / tail))


def _cornish_fisher(returns: Floats, tail: float) -> Loss:
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    scale = float(returns.std())
    if scale == 0.0:
        return Loss(-mean, -mean)
    apart = (returns - mean) / scale
    skewness, excess = float((apart**3).mean()), float((apart**4).mean()) - 3.0
    z = _NORMAL.inv_cdf(tail)
    corrected = (
        z
        + (z * z - 1.0) * skewness / 6.0
        + (z**3 - 3.0 * z) * excess / 24.0
        - (2.0 * z**3 - 5.0 * z) * skewness**2 / 36.0
    )
    return Loss(
        -(mean + corrected * deviation), -mean + deviation * _edgeworth_shortfall(corrected, skewness, excess, tail)
    )


def _edgeworth_shortfall(g: float, skewness: float, excess: float, tail: float) -> float:
    """Mean of the tail below ``g`` under the second-order Edgeworth expansion (2008, equation 18)."""
    density = _NORMAL.pdf(g)

    def power(q: int) -> float:
        """The integral of the density times ``x**q`` up to ``g``, by parts."""
        if q % 2 == 0:
            total = 0.0
            for i in range(1, q // 2 + 1):
                total += (
                    math.prod(2 * j for j in range(1, q // 2 + 1))
                    / math.prod(2 * j for j in range(1, i + 1))
                    * g ** (2 * i)
                )
            return (total + math.prod(2 * j for j in range(1, q // 2 + 1))) * density
        half = (q - 1) // 2
        odd = math.prod(2 * j + 1 for j in range(half + 1))
        total = sum(odd / math.prod(2 * j + 1 for j in range(i + 1)) * g ** (2 * i + 1) for i in range(half + 1))
        return total * density - odd * _NORMAL.cdf(g)

    found = (
        density
        + (power(4) - 6.0 * power(2) + 3.0 * density) * excess / 24.0
        + (power(3) - 3.0 * power(1)) * skewness / 6.0
        + (power(6) - 15.0 * power(4) + 45.0 * power(2) - 15.0 * density) * skewness**2 / 72.0
    ) / tail
    # Far from the normal distribution the expansion breaks down; a shortfall is never less than the quantile.
    return max(found, -g)


def _drawn(columns: Floats, draws: int, seed: int) -> Floats:
    """Normal returns with the means and the covariance of the data."""
    covariance = np.atleast_2d(np.cov(columns, rowvar=False))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(seed).standard_normal((draws, columns.shape[1]))
    found: Floats = columns.mean(axis=0) + noise @ root.T
    return found
