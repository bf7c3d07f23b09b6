"""What an instrument looks like at a moment, in numbers that mean the same in every market: how memories compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neural_trader.strategy.base import Strategy

SPANS = (5, 20, 60)


class Situation(Protocol):
    """Features of an instrument now, by name."""

    def features(self, symbol: str) -> dict[str, float]:
        """Numbers without a unit; NaN where one is not known yet."""


class BarSituation:
    """The situation of bars: where the price has come from, how restless it is, and where it stands in its range.

    * ``move_n``: return of the last n bars by what n bars of its volatility would give (5, 20, 60);
    * ``heat``: volatility of 20 bars by that of 100; ``stretch``: distance from the mean of 20 closes in deviations;
    * ``place``: 0 at the lowest, 1 at the highest of 20 bars; ``strength``: relative strength index, from -1 to 1.
    """

    def __init__(self, strategy: Strategy) -> None:
        self._price = strategy.price
        self._moves = {span: strategy.momentum(span) for span in SPANS}
        self._fast = strategy.volatility(20)
        self._slow = strategy.volatility(100)
        self._mean = strategy.sma(20)
        self._deviation = strategy.deviation(20)
        self._highest = strategy.highest(20)
        self._lowest = strategy.lowest(20)
        self._strength = strategy.rsi(14)

    def features(self, symbol: str) -> dict[str, float]:
        return bar_features(
            self._price(symbol),
            [self._moves[span][symbol] for span in SPANS],
            self._fast[symbol],
            self._slow[symbol],
            self._mean[symbol],
            self._deviation[symbol],
            self._highest[symbol],
            self._lowest[symbol],
            self._strength[symbol],
        )


def bar_features(
    price: float,
    moves: Sequence[float],
    fast: float,
    slow: float,
    mean: float,
    deviation: float,
    highest: float,
    lowest: float,
    strength: float,
) -> dict[str, float]:
    """The features of :class:`BarSituation` from the indicators that they are made of."""
    pairs = zip(SPANS, moves, strict=True)
    return {
        **{f"move_{n}": _ratio(move, fast * math.sqrt(n)) for n, move in pairs},
        "heat": _ratio(fast, slow),
        "stretch": _ratio(price - mean, deviation),
        "place": _ratio(price - lowest, highest - lowest),
        "strength": strength / 50 - 1,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
