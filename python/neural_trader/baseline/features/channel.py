"""Bands that a series moves between."""

from __future__ import annotations

import math
from collections import deque

from neural_trader.baseline.features.average import Ema
from neural_trader.baseline.features.volatility import Atr
from neural_trader.baseline.features.window import Window, squared_spread


class Highest:
    """The largest of the last ``n`` values."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.window: deque[float] = deque(maxlen=n)

    def update(self, value: float) -> float | None:
        self.window.append(value)
        return max(self.window) if len(self.window) == self.n else None


class Lowest:
    """The smallest of the last ``n`` values."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.window: deque[float] = deque(maxlen=n)

    def update(self, value: float) -> float | None:
        self.window.append(value)
        return min(self.window) if len(self.window) == self.n else None


class Bollinger:
    """The mean of ``n`` values, taken from the pivot, and ``width`` population deviations to both sides."""

    def __init__(self, n: int, width: float) -> None:
        self.window: Window[float] = Window(n)
        self.width = width

    def update(self, value: float) -> tuple[float, float, float] | None:
        if not self.window.push(value):
            return None
        pivot = self.window.pivot
        middle = pivot + self.window.total(lambda each: each - pivot) / self.window.n
        reach = self.width * (math.sqrt(squared_spread(self.window)) / self.window.n)
        return middle - reach, middle, middle + reach


class Donchian:
    """The lowest low and the highest high of the last ``n`` bars, and their middle."""

    def __init__(self, n: int) -> None:
        self.highest, self.lowest = Highest(n), Lowest(n)

    def update(self, high: float, low: float) -> tuple[float, float, float] | None:
        highest, lowest = self.highest.update(high), self.lowest.update(low)
        return None if highest is None or lowest is None else (lowest, (lowest + highest) / 2.0, highest)


class Keltner:
    """``ema(close, n)`` and ``width atr(range)`` to both sides."""

    def __init__(self, n: int, bars: int, width: float) -> None:
        self.middle, self.range = Ema(n), Atr(bars)
        self.width = width

    def update(self, high: float, low: float, close: float) -> tuple[float, float, float] | None:
        middle, reach = self.middle.update(close), self.range.update(high, low, close)
        if middle is None or reach is None:
            return None
        return middle - self.width * reach, middle, middle + self.width * reach
