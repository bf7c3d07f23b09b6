"""The probability that the best strategy of a search is one that disappoints afterwards.

Bailey, Borwein, Lopez de Prado and Zhu (2015), "The probability of backtest overfitting", Journal of Computational
Finance: combinatorially symmetric cross-validation. The periods are cut into blocks; for every choice of half of them,
the strategy that did best there is ranked on the other half.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.honesty.gauss import Floats

_CELLS = 1 << 21
"""Ratios that are worked out together: combinations times strategies."""


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What cross-validation finds; arrays have one entry for each choice of blocks."""

    logits: Floats
    """Log odds of the rank that the best strategy in sample has out of sample; 0 is the median."""
    in_sample: Floats
    """Sharpe ratio per period of the strategy that was best in sample."""
    out_of_sample: Floats
    """Sharpe ratio of that same strategy on the other half."""

    @property
    def probability(self) -> float:
        """How often the best in sample was no better than the median out of sample."""
        return float((self.logits <= 0.0).mean())

    @property
    def loss_probability(self) -> float:
        """How often the best in sample lost out of sample."""
        return float((self.out_of_sample < 0.0).mean())

    @property
    def degradation(self) -> float:
        """Slope of the ratio out of sample over that in sample; below zero, the better it looked the worse it was."""
        apart = self.in_sample - self.in_sample.mean()
        squares = float(apart @ apart)
        return float(apart @ self.out_of_sample) / squares if squares > 0.0 else 0.0


def overfitting(returns: Floats, blocks: int = 16) -> Overfitting:
    """Cross-validate ``returns`` (periods by strategies) over all choices of half of an even number of ``blocks``.

    UsageError where there are fewer than two strategies, or fewer than two periods in a block.
    """
    if returns.ndim != 2 or returns.shape[1] < 2:
        raise UsageError("overfitting is measured on two strategies or more, one column each")
    if blocks < 2 or blocks % 2 or blocks > 20:
        raise UsageError(f"blocks {blocks}: an even number from 2 to 20")
    length = len(returns) // blocks
    if length < 2:
        raise UsageError(f"{len(returns)} periods are too few for {blocks} blocks of two or more")
    # The oldest periods are left out where they do not fill a block.
    cut = returns[len(returns) - length * blocks :].reshape(blocks, length, -1)
    sums, squares = cut.sum(axis=1), np.square(cut).sum(axis=1)
    chosen = np.zeros((_choices(blocks), blocks))
    for row, picked in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, list(picked)] = 1.0
    step = max(1, _CELLS // returns.shape[1])
    parts = [
        _ranked(chosen[begin : begin + step], sums, squares, length * blocks // 2)
        for begin in range(0, len(chosen), step)
    ]
    logits, inside, outside = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Overfitting(logits, inside, outside)


def _choices(blocks: int) -> int:
    from math import comb

    return comb(blocks, blocks // 2)


def _ranked(chosen: Floats, sums: Floats, squares: Floats, periods: int) -> tuple[Floats, Floats, Floats]:
    inside = _ratios(chosen @ sums, chosen @ squares, periods)
    other = 1.0 - chosen
    outside = _ratios(other @ sums, other @ squares, periods)
    at = np.arange(len(chosen))
    best = inside.argmax(axis=1)
    there = outside[at, best]
    # Of equals the rank is the middle one, so that a strategy that is there twice is neither better nor worse.
    lower = (outside < there[:, None]).sum(axis=1)
    equal = (outside == there[:, None]).sum(axis=1)
    rank = (lower + (equal + 1) / 2.0) / (outside.shape[1] + 1)
    return np.log(rank / (1.0 - rank)), inside[at, best], there


def _ratios(total: Floats, squares: Floats, periods: int) -> Floats:
    """Sharpe ratios per period from sums; 0 where returns do not vary."""
    mean = total / periods
    variance = (squares - periods * mean * mean) / (periods - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(variance > 1e-24, mean / np.sqrt(np.maximum(variance, 1e-300)), 0.0)
    return found
