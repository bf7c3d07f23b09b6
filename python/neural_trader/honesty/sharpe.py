"""What a Sharpe ratio is worth: its error, how long it takes to know it, and what a search for it makes of it.

Ratios here are per period of the returns that they were measured on, not per year. Sources:

- Bailey and Lopez de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15(2).
- Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", Journal of Portfolio Management 40(5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from neural_trader.honesty.gauss import EULER_MASCHERONI, Floats, below, quantile

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""A deviation of returns up to this is the rounding of a division and no variation."""


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
        mean = float(returns.mean()) if len(returns) else 0.0
        apart = returns - mean
        squares = apart * apart
        sums = (float(each.sum()) for each in (squares, squares * apart, squares * squares))
        return cls._of_sums(len(returns), mean, *sums)

    @classmethod
    def of_curve(cls, deposit: float, blocks: Iterable[Floats]) -> Moments:
        """The moments of the returns of a curve that begins with a deposit, in one pass over its blocks.

        Central moments are merged block by block (Pebay 2008, "Formulas for robust, one-pass parallel computation of
        covariances and arbitrary-order statistical moments"). ValueError where the curve is not always positive, and
        where :meth:`of` has one.
        """
        count, mean, second, third, fourth = 0, 0.0, 0.0, 0.0, 0.0
        previous = deposit
        for block in blocks:
            if not float(block.min()) > 0.0:
                raise ValueError("equity was not always positive")
            returns = block / np.append(previous, block[:-1]) - 1.0
            previous = float(block[-1])
            n, own = len(returns), float(returns.mean())
            apart = returns - own
            squares = apart * apart
            m2, m3, m4 = float(squares.sum()), float((squares * apart).sum()), float((squares * squares).sum())
            total, gap = count + n, own - mean
            fourth += m4 + gap**4 * count * n * (count * count - count * n + n * n) / total**3
            fourth += 6.0 * gap**2 * (count * count * m2 + n * n * second) / total**2
            fourth += 4.0 * gap * (count * m3 - n * third) / total
            third += m3 + gap**3 * count * n * (count - n) / total**2 + 3.0 * gap * (count * m2 - n * second) / total
            second += m2 + gap * gap * count * n / total
            mean += gap * n / total
            count = total
        return cls._of_sums(count, mean, second, third, fourth)

    @classmethod
    def _of_sums(cls, count: int, mean: float, second: float, third: float, fourth: float) -> Moments:
        if count < 2:
            raise ValueError("moments take two returns or more")
        variance = second / count
        # What is left of returns that are all the same is rounding.
        if math.sqrt(variance) <= ROUNDING * max(1.0, abs(mean)):
            raise ValueError("returns do not vary")
        deviation = math.sqrt(second / (count - 1))
        return cls(count, mean, deviation, third / count / variance**1.5, fourth / count / variance**2)

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
