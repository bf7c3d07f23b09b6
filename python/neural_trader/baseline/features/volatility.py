"""How widely a series is spread, and how far a bar reaches."""

from __future__ import annotations

import math

from neural_trader.baseline.features.average import wilder
from neural_trader.baseline.features.window import Window, squared_spread


class TrueRange:
    """``max(high - low, |high - c[t-1]|, |low - c[t-1]|)``, from the second bar on."""

    def __init__(self) -> None:
        self.close: float | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        before, self.close = self.close, close
        if before is None:
            return None
        return max(high - low, abs(high - before), abs(low - before))


class Atr:
    """Wilder's smoothing of the true range."""

    def __init__(self, n: int) -> None:
        self.range = TrueRange()
        self.average = wilder(n)

    def update(self, high: float, low: float, close: float) -> float | None:
        reach = self.range.update(high, low, close)
        return None if reach is None else self.average.update(reach)


class Deviation:
    """Population standard deviation, ``sqrt(n * sum(d**2) - sum(d)**2) / n``."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        return math.sqrt(squared_spread(self.window)) / self.window.n


class Volatility:
    """Sample standard deviation of the last ``n`` simple returns; one from a value that is not positive is none."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.window: Window[float] = Window(n)
        self.last: float | None = None

    def update(self, value: float) -> float | None:
        before, self.last = self.last, value
        if before is None or before <= 0.0:
            self.window = Window(self.n)
            return None
        if not self.window.push(value / before - 1.0):
            return None
        return math.sqrt(squared_spread(self.window) / (self.n * (self.n - 1.0)))
