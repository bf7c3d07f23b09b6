"""What a Sharpe ratio is worth: its error, how long it takes to know it, and what a search for it makes of it.

Ratios here are per period of the returns that they were measured on, not per year. Sources:

- Bailey and Lopez de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15(2).
- Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", Journal of Portfolio Management 40(5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neural_trader.honesty.gauss import EULER_MASCHERONI, Floats, below, quantile


@dataclass(frozen=True)
class Moments:
    """Count and moments of returns; what an error of a Sharpe ratio follows from."""

    count: int
    mean: float
    deviation: float
    """Sample standard deviation, ddof = 1."""
    skewness: float
    kurtosis: float
    """Not in excess: 3 for the normal distribution."""

    @classmethod
    def of(cls, returns: Floats) -> Moments:
        """The moments of returns, at least two of which differ; ValueError otherwise."""
        if len(returns) < 2:
            raise ValueError("moments take two returns or more")
        mean = float(returns.mean())
        apart = returns - mean
        squares = apart * apart
        variance = float(squares.mean())
        # What is left of returns that are all the same is rounding.
        if math.sqrt(variance) <= 4.0 * float(np.finfo(np.float64).eps) * max(1.0, abs(mean)):
            raise ValueError("returns do not vary")
        third = float((squares * apart).mean())
        fourth = float((squares * squares).mean())
        count = len(returns)
        return cls(count, mean, math.sqrt(variance * count / (count - 1)), third / variance**1.5, fourth / variance**2)

    @property
    def sharpe(self) -> float:
        """Mean over deviation, per period."""
        return self.mean / self.deviation

    @property
    def spread(self) -> float:
        """Variance of the estimated ratio, times the number of returns less one (2012, equation 7)."""
        ratio = self.sharpe
        return 1.0 - self.skewness * ratio + (self.kurtosis - 1.0) / 4.0 * ratio * ratio


def probabilistic_sharpe(moments: Moments, benchmark: float = 0.0) -> float:
    """The probability that the true ratio is above ``benchmark``, given skewness and fat tails (2012, equation 11)."""
    if moments.spread <= 0.0:
        return 1.0 if moments.sharpe > benchmark else 0.0
    return below((moments.sharpe - benchmark) * math.sqrt((moments.count - 1) / moments.spread))


def minimum_track_record(moments: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """How many returns it takes to be confident that the true ratio is above ``benchmark`` (2012, equation 13).

    Infinity where the ratio that was measured is not above it: no length would do.
    """
    ahead = moments.sharpe - benchmark
    if ahead <= 0.0:
        return math.inf
    return 1.0 + max(0.0, moments.spread) * (quantile(confidence) / ahead) ** 2


def expected_best(trials: int, variance: float) -> float:
    """The ratio that the best of independent trials without any skill is expected to show (2014, equation 1).

    ``variance`` is that of the ratios of the trials. One trial is no search: its expected ratio is zero.
    """
    if trials < 2 or variance <= 0.0:
        return 0.0
    tail = 1.0 / trials
    weight = EULER_MASCHERONI
    best = (1.0 - weight) * quantile(1.0 - tail) + weight * quantile(1.0 - tail / math.e)
    return math.sqrt(variance) * best


def deflated_sharpe(moments: Moments, trials: int, variance: float) -> float:
    """The probability that the true ratio of the best of ``trials`` is above zero skill (2014, equation 2)."""
    return probabilistic_sharpe(moments, expected_best(trials, variance))
