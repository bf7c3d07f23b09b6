"""The distribution of the last values of a series, and how it follows itself."""

from __future__ import annotations

import math
from collections import Counter, deque

from neural_trader.baseline.elementary import LN_2, logarithm
from neural_trader.baseline.features.pair import Cross
from neural_trader.baseline.features.returns import log_ratio
from neural_trader.baseline.features.window import Window, sample_variance, squared_spread


class Variance:
    """``sum((x - mean)**2) / (n - 1)``."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        return sample_variance(self.window) if self.window.push(value) else None


class ZScore:
    """``(x - mean) / deviation``, of the population; no value where the window is constant."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        pivot, spread = self.window.pivot, squared_spread(self.window)
        above = self.window.n * (value - pivot) - self.window.total(lambda each: each - pivot)
        return above / math.sqrt(spread) if spread > 0.0 else None


def central(window: Window[float]) -> tuple[float, float, float]:
    """Sums of the second, third and fourth powers of distances from the mean, made of those from the pivot."""
    n, pivot = window.n, window.pivot
    mean = window.total(lambda each: each - pivot) / n
    squares = window.total(lambda each: (each - pivot) * (each - pivot))
    cubes = window.total(lambda each: (each - pivot) * (each - pivot) * (each - pivot))
    fourths = window.total(lambda each: ((each - pivot) * (each - pivot)) * ((each - pivot) * (each - pivot)))
    square = mean * mean
    return (
        squares - n * square,
        cubes - 3.0 * mean * squares + 2.0 * n * square * mean,
        fourths - 4.0 * mean * cubes + 6.0 * square * squares - 3.0 * n * square * square,
    )


class Skew:
    """``n sqrt(n - 1) / (n - 2) * c3 / c2**1.5`` of central sums; no value where the window is constant."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        n = float(self.window.n)
        second, third, _ = central(self.window)
        if second <= 0.0:
            return None
        return n * math.sqrt(n - 1.0) / (n - 2.0) * divided(third, second * math.sqrt(second))


class Kurtosis:
    """``(n - 1) / ((n - 2) (n - 3)) * (n (n + 1) c4 / c2**2 - 3 (n - 1))``; no value where the window is constant."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        n = float(self.window.n)
        second, _, fourth = central(self.window)
        if second <= 0.0:
            return None
        factor = (n - 1.0) / ((n - 2.0) * (n - 3.0))
        return factor * (n * (n + 1.0) * divided(fourth, second * second) - 3.0 * (n - 1.0))


def divided(a: float, b: float) -> float:
    """The quotient of IEEE 754, where numbers so small that their squares vanish have one too."""
    if b != 0.0:
        return a / b
    return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a)


class Rank:
    """``(below + (equal + 1) / 2) / n``."""

    def __init__(self, n: int) -> None:
        self.values: deque[float] = deque(maxlen=n)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        n = len(self.values)
        if n < (self.values.maxlen or 0):
            return None
        below, equal = sum(each < value for each in self.values), sum(each == value for each in self.values)
        return (below + (equal + 1.0) / 2.0) / n


class Quantile:
    """The value at rank ``q (n - 1)``, linear between the two whole ranks around it."""

    def __init__(self, n: int, q: float) -> None:
        self.values: deque[float] = deque(maxlen=n)
        self.place = q * (n - 1)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        if len(self.values) < (self.values.maxlen or 0):
            return None
        ordered = sorted(self.values)
        rank = int(self.place)
        part = self.place - rank
        return ordered[rank] + part * (ordered[rank + 1] - ordered[rank]) if part else ordered[rank]


class Regression:
    """The line of least squares through the last ``n`` values: slope, value now, R**2.

    With places ``i`` from 1 to ``n``, ``cross = n sum(i d) - sum(i) sum(d)`` and ``width = n**2 (n**2 - 1) / 12``, the
    slope is ``cross / width``, and R**2 is ``cross**2 / (width (n sum(d**2) - sum(d)**2))``. Sums of places are made as
    in :class:`neural_trader.baseline.features.average.Wma`.
    """

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> tuple[float, float, float] | None:
        if not self.window.push(value):
            return None
        n, pivot = float(self.window.n), self.window.pivot
        tail, head = self.window.parts
        weighted = total = 0.0
        for each in tail:
            total += each - pivot
            weighted += total
        head_weighted = head_total = 0.0
        for place, each in enumerate(head, start=1):
            head_total += each - pivot
            head_weighted += place * (each - pivot)
        weighted += head_weighted + len(tail) * head_total
        total += head_total
        cross = n * weighted - n * (n + 1.0) / 2.0 * total
        width = n * n * (n * n - 1.0) / 12.0
        slope = cross / width
        spread = squared_spread(self.window)
        r2 = cross / width * (cross / spread) if spread > 0.0 else math.nan
        return slope, pivot + (total / n + slope * ((n - 1.0) / 2.0)), r2


class Autocorrelation:
    """The correlation of ``x[t]`` with ``x[t-lag]``, over ``n`` such pairs."""

    def __init__(self, n: int, lag: int) -> None:
        self.values: deque[float] = deque(maxlen=lag + 1)
        self.pairs = Cross(n)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        if len(self.values) < (self.values.maxlen or 0):
            return None
        return self.pairs.correlation if self.pairs.push((value, self.values[0])) else None


class Hurst:
    """Half the slope of ``ln(mean squared difference)`` on ``ln(lag)``, over lags 1, 2, 4, 8 and 16.

    With logarithms of lags 0 to 4 times ln 2, the slope is ``sum((j - 2) y[j]) / (10 ln 2)``. What all means have in
    common does not change it, so sums are taken against that of the first lag.
    """

    def __init__(self, n: int) -> None:
        self.values: deque[float] = deque(maxlen=17)
        self.windows: list[Window[float]] = [Window(n) for _ in range(5)]

    def update(self, value: float) -> float | None:
        self.values.append(value)
        totals = []
        for power, window in enumerate(self.windows):
            lag = 1 << power
            if len(self.values) > lag:
                difference = value - self.values[-1 - lag]
                if window.push(difference * difference):
                    totals.append(window.total(lambda square: square))
        if len(totals) < len(self.windows):
            return None
        slope = 0.0
        for power, total in enumerate(totals):
            height = log_ratio(total, totals[0])
            if height is None:
                return None
            slope += (power - 2.0) * height
        return slope / (20.0 * LN_2)


class Entropy:
    """``-sum(p ln p) / ln(order!)`` of the shares ``p`` of the orders in which ``order`` values in a row can stand.

    With counts ``c`` it is ``(ln n - sum(c ln c) / n) / ln(order!)``, added in the order of the patterns' numbers: for
    each value, how many later ones are below it, in mixed radix.
    """

    def __init__(self, n: int, order: int) -> None:
        self.values: deque[float] = deque(maxlen=order)
        self.patterns: deque[tuple[int, ...]] = deque(maxlen=n)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        values, n = list(self.values), self.patterns.maxlen or 0
        if len(values) < (self.values.maxlen or 0):
            return None
        self.patterns.append(tuple(sum(late < early for late in values[i + 1 :]) for i, early in enumerate(values)))
        if len(self.patterns) < n:
            return None
        total = 0.0
        for _, count in sorted(Counter(self.patterns).items()):
            total += count * logarithm(float(count))
        return (logarithm(float(n)) - total / n) / logarithm(float(math.factorial(len(values))))
