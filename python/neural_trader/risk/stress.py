"""Scenarios for a portfolio: the worst that its instruments have lived through, and worse."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.risk.arrays import Floats, returns_of
from neural_trader.risk.covariance import sample_covariance

FALL = 0.2
"""How far all instruments fall, or rise, at once."""
AGAINST = 0.1
"""How far each instrument goes against what is held of it."""
TAIL = 0.01
"""The share of periods in which the mean is taken of losses by covariance."""
STRETCH = 10
"""Periods of the longer of the two worst stretches."""


class Stress(NamedTuple):
    """What one scenario does to portfolios."""

    scenario: str
    """One of :data:`SCENARIOS`."""
    losses: Floats
    """Fraction of equity that each portfolio loses; below zero where it gains."""
    begin: int | None = None
    """First row of the returns that it repeats, where it repeats any."""


SCENARIOS = {
    "worst_period": "the period in which the instruments fell most, on average, comes again",
    "worst_stretch": "the same of ten periods, one after the other, without a trade between them",
    "all_fall": "all instruments fall by 20 %",
    "all_rise": "all instruments rise by 20 %",
    "all_against": "each instrument goes 10 % against what is held of it",
    "covariance": "the mean of the worst one in a hundred periods, by the covariance of the instruments",
    "volatility_doubled": "the same where all of them vary twice as much",
    "correlation_one": "the same as that where all of them move together, too",
}
"""Scenarios in their order, by name."""


def stress(returns: Any, weights: Any) -> list[Stress]:
    """What each of :data:`SCENARIOS` does to portfolios; returns are periods by instruments.

    ``weights`` has a row for each portfolio, such as what was held on each day, or is one portfolio. The worst period,
    and the worst :data:`STRETCH` of them, are those of the equally weighted instruments, whatever is held. Losses by
    covariance are those of a normal distribution with means of zero. Where all instruments move together, the deviation
    of a portfolio is that of the weighted sum of theirs: longs and shorts set each other off, but nothing diversifies.
    """
    columns = returns_of(returns)
    held = np.atleast_2d(np.asarray(weights, np.float64))
    if held.ndim != 2 or held.shape[1] != columns.shape[1] or not np.isfinite(held).all():
        raise UsageError(f"weights are rows of {columns.shape[1]} finite numbers, one for each instrument")
    period = _worst(columns, 1)
    length = min(STRETCH, len(columns))
    stretch = _worst(columns, length)
    grown = np.prod(1.0 + columns[stretch : stretch + length], axis=0) - 1.0
    covariance = sample_covariance(columns)
    deviations = np.sqrt(np.maximum(np.einsum("di,ij,dj->d", held, covariance, held), 0.0))
    together = np.abs(held @ np.sqrt(np.diag(covariance)))
    normal = NormalDist()
    # The mean of a normal tail in deviations.
    depth = normal.pdf(normal.inv_cdf(TAIL)) / TAIL
    net, gross = held.sum(axis=1), np.abs(held).sum(axis=1)
    return [
        Stress("worst_period", -(held @ columns[period]), period),
        Stress("worst_stretch", -(held @ grown), stretch),
        Stress("all_fall", FALL * net),
        Stress("all_rise", -FALL * net),
        Stress("all_against", AGAINST * gross),
        Stress("covariance", depth * deviations),
        Stress("volatility_doubled", 2.0 * depth * deviations),
        Stress("correlation_one", 2.0 * depth * together),
    ]


def _worst(columns: Floats, length: int) -> int:
    """The first of so many periods in which the mean of the instruments fell most."""
    if not (columns > -1.0).all():
        raise UsageError("an instrument lost everything in a period; it has no stretches")
    grown = np.vstack([np.zeros(columns.shape[1]), np.cumsum(np.log1p(columns), axis=0)])
    over = np.expm1(grown[length:] - grown[:-length]).mean(axis=1)
    return int(over.argmin())


def correlations(returns: Any) -> Floats:
    """Correlations of the columns of returns; NaN beside a column that does not vary."""
    columns = returns_of(returns)
    apart = columns - columns.mean(axis=0)
    size = np.sqrt(np.square(apart).sum(axis=0))
    size[size <= 1e-15 * math.sqrt(len(columns))] = np.nan
    scaled = apart / size
    found: Floats = np.clip(scaled.T @ scaled, -1.0, 1.0)
    np.fill_diagonal(found, np.where(np.isnan(size), np.nan, 1.0))
    return found
