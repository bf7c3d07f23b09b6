"""How widely a series is spread, and how far a bar reaches."""

from __future__ import annotations

import math
from collections.abc import Callable

from neural_trader.baseline.elementary import LN_2
from neural_trader.baseline.features.average import wilder
from neural_trader.baseline.features.returns import LogReturns, log_ratio
from neural_trader.baseline.features.window import Window, sample_variance, squared_spread


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
        return math.sqrt(sample_variance(self.window))


class Realised:
    """``sqrt(sum(r**2) / n)`` of the last ``n`` log returns; one that does not exist begins the window anew."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.returns = LogReturns()
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        change = self.returns.update(value)
        if change is None:
            self.window = Window(self.n)
            return None
        return math.sqrt(self.window.total(lambda r: r * r) / self.n) if self.window.push(change) else None


class Filter:
    """The root of ``v[t+1] = constant + news r[t]**2 + memory v[t]`` of log returns, from ``v[1] = r[1]**2``."""

    def __init__(self, constant: float, news: float, memory: float) -> None:
        self.constant, self.news, self.memory = constant, news, memory
        self.returns = LogReturns()
        self.variance: float | None = None

    def update(self, value: float) -> float | None:
        change = self.returns.update(value)
        if change is None:
            self.variance = None
            return None
        square = change * change
        before = square if self.variance is None else self.variance
        self.variance = self.weighed(square, before)
        return math.sqrt(self.variance)

    def weighed(self, square: float, before: float) -> float:
        return self.constant + self.news * square + self.memory * before


class Garch(Filter):
    """The filter with the parameters omega, alpha and beta."""


class Ewma(Filter):
    """The filter ``v[t] = decay v[t-1] + (1 - decay) r[t]**2``."""

    def __init__(self, decay: float) -> None:
        super().__init__(0.0, 1.0 - decay, decay)

    def weighed(self, square: float, before: float) -> float:
        return self.memory * before + self.news * square


class Parkinson:
    """``sqrt(mean(ln(high / low)**2) / (4 ln 2))``; a bar without a positive low begins the window anew."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.window: Window[float] = Window(n)

    def update(self, high: float, low: float) -> float | None:
        reach = log_ratio(high, low)
        if reach is None:
            self.window = Window(self.n)
            return None
        if not self.window.push(reach * reach):
            return None
        return math.sqrt(self.window.total(lambda square: square) / (4.0 * LN_2 * self.n))


def garman_klass_bar(opened: float, high: float, low: float, close: float) -> float | None:
    """``ln(high / low)**2 / 2 - (2 ln 2 - 1) ln(close / open)**2``."""
    reach, change = log_ratio(high, low), log_ratio(close, opened)
    if reach is None or change is None:
        return None
    return 0.5 * (reach * reach) - (2.0 * LN_2 - 1.0) * (change * change)


def rogers_satchell_bar(opened: float, high: float, low: float, close: float) -> float | None:
    """``ln(high / close) ln(high / open) + ln(low / close) ln(low / open)``."""
    logs = [log_ratio(high, close), log_ratio(high, opened), log_ratio(low, close), log_ratio(low, opened)]
    if logs[0] is None or logs[1] is None or logs[2] is None or logs[3] is None:
        return None
    return logs[0] * logs[1] + logs[2] * logs[3]


class Ranged:
    """The root of the mean of a variance of bars; a bar that has none begins the window anew."""

    of_bar: Callable[[float, float, float, float], float | None]

    def __init__(self, n: int) -> None:
        self.n = n
        self.window: Window[float] = Window(n)

    def update(self, opened: float, high: float, low: float, close: float) -> float | None:
        variance = type(self).of_bar(opened, high, low, close)
        if variance is None:
            self.window = Window(self.n)
            return None
        if not self.window.push(variance):
            return None
        return math.sqrt(max(self.window.total(lambda each: each) / self.n, 0.0))


class GarmanKlass(Ranged):
    """Of the variances of Garman and Klass."""

    of_bar = staticmethod(garman_klass_bar)


class RogersSatchell(Ranged):
    """Of the variances of Rogers and Satchell."""

    of_bar = staticmethod(rogers_satchell_bar)


class YangZhang:
    """``sqrt(variance of openings + k variance of closes + (1 - k) mean of Rogers and Satchell's)``.

    An opening is ``ln(open / close before)``, a close ``ln(close / open)``; both variances are of samples.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
        self.before: float | None = None
        self.windows: list[Window[float]] = [Window(n) for _ in range(3)]

    def update(self, opened: float, high: float, low: float, close: float) -> float | None:
        before, self.before = self.before, close
        opening = None if before is None else log_ratio(opened, before)
        change, reach = log_ratio(close, opened), rogers_satchell_bar(opened, high, low, close)
        if opening is None or change is None or reach is None:
            self.windows = [Window(self.n) for _ in range(3)]
            return None
        values = (opening, change, reach)
        if not all([window.push(value) for window, value in zip(self.windows, values, strict=True)]):  # noqa: C419
            return None
        openings, closes, ranges = self.windows
        mean = ranges.total(lambda each: each) / self.n
        variance = sample_variance(openings) + self.k * sample_variance(closes) + (1.0 - self.k) * mean
        return math.sqrt(max(variance, 0.0))
