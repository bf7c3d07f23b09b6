"""Where a close stands in the range of bars, and which way the range moves."""

from __future__ import annotations

from collections import deque

from neural_trader.baseline.features.average import Sma, wilder
from neural_trader.baseline.features.volatility import TrueRange
from neural_trader.baseline.features.window import Window


class Place:
    """The place of a close in the range of the last ``n`` bars, from 0 to 1; one half where there is no range."""

    def __init__(self, n: int) -> None:
        self.bars: deque[tuple[float, float]] = deque(maxlen=n)

    def update(self, high: float, low: float, close: float) -> float | None:
        self.bars.append((high, low))
        if len(self.bars) < (self.bars.maxlen or 0):
            return None
        lowest = min(bar[1] for bar in self.bars)
        span = max(bar[0] for bar in self.bars) - lowest
        return (close - lowest) / span if span > 0.0 else 0.5


class Stochastic:
    """``k = sma(100 place, smooth)`` and ``d = sma(k, signal)``."""

    def __init__(self, n: int, smooth: int, signal: int) -> None:
        self.place = Place(n)
        self.k, self.d = Sma(smooth), Sma(signal)

    def update(self, high: float, low: float, close: float) -> tuple[float, float] | None:
        place = self.place.update(high, low, close)
        k = None if place is None else self.k.update(100.0 * place)
        d = None if k is None else self.d.update(k)
        return None if k is None or d is None else (k, d)


class WilliamsR:
    """``100 (place - 1)``."""

    def __init__(self, n: int) -> None:
        self.place = Place(n)

    def update(self, high: float, low: float, close: float) -> float | None:
        place = self.place.update(high, low, close)
        return None if place is None else 100.0 * (place - 1.0)


class Cci:
    """``(p - mean(p)) / (0.015 mean |p - mean(p)|)`` of typical prices; 0 where the window is constant."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, high: float, low: float, close: float) -> float | None:
        typical = (high + low + close) / 3.0
        if not self.window.push(typical):
            return None
        pivot = self.window.pivot
        mean = self.window.total(lambda value: value - pivot) / self.window.n
        deviation = self.window.total(lambda value: abs(value - pivot - mean)) / self.window.n
        return (typical - pivot - mean) / (0.015 * deviation) if deviation > 0.0 else 0.0


class Mfi:
    """``100 up / (up + down)`` of the money of ``n`` bars, at rising and at falling typical prices."""

    def __init__(self, n: int) -> None:
        self.flows: Window[tuple[float, float]] = Window(n)
        self.typical: float | None = None

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        typical = (high + low + close) / 3.0
        before, self.typical = self.typical, typical
        if before is None:
            return None
        flow = typical * volume
        if not self.flows.push((flow if typical > before else 0.0, flow if typical < before else 0.0)):
            return None
        up, down = self.flows.total(lambda pair: pair[0]), self.flows.total(lambda pair: pair[1])
        return 100.0 * (up / (up + down)) if up + down > 0.0 else 50.0


class Aroon:
    """``up = 100 (n - age of the highest high) / n`` of ``n + 1`` bars, ``down`` of the lowest low.

    Of equal extremes the latest counts.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.bars: deque[tuple[float, float]] = deque(maxlen=n + 1)

    def update(self, high: float, low: float) -> tuple[float, float, float] | None:
        self.bars.append((high, low))
        if len(self.bars) <= self.n:
            return None
        latest_first = list(self.bars)[::-1]
        highs, lows = [bar[0] for bar in latest_first], [bar[1] for bar in latest_first]
        up = 100.0 * (self.n - highs.index(max(highs))) / self.n
        down = 100.0 * (self.n - lows.index(min(lows))) / self.n
        return up, down, up - down


class Adx:
    """Directional movement: ``adx``, ``plus`` and ``minus``.

    ``plus = 100 wilder(+DM) / wilder(TR)``, ``minus`` alike, and ``adx = wilder(100 |plus - minus| / (plus + minus))``.
    Of the ways by which high and low moved outwards, the larger counts alone. Where nothing moves, all are 0.
    """

    def __init__(self, n: int) -> None:
        self.range = TrueRange()
        self.up, self.down, self.ranges, self.index = (wilder(n) for _ in range(4))
        self.before: tuple[float, float] | None = None

    def update(self, high: float, low: float, close: float) -> tuple[float, float, float] | None:
        reach = self.range.update(high, low, close)
        before, self.before = self.before, (high, low)
        if before is None or reach is None:
            return None
        rise, fall = high - before[0], before[1] - low
        up = self.up.update(rise if rise > fall and rise > 0.0 else 0.0)
        down = self.down.update(fall if fall > rise and fall > 0.0 else 0.0)
        reach = self.ranges.update(reach)
        if up is None or down is None or reach is None:
            return None
        plus, minus = percent(up, reach), percent(down, reach)
        index = self.index.update(percent(abs(plus - minus), plus + minus))
        return None if index is None else (index, plus, minus)


def percent(part: float, whole: float) -> float:
    """``100 part / whole``, or 0 of nothing."""
    return 100.0 * (part / whole) if whole > 0.0 else 0.0
