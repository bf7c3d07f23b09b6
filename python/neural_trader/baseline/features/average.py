"""Moving averages of a series."""

from __future__ import annotations

import math
from collections import deque

from neural_trader.baseline.features.window import Window


class Sma:
    """``(x[t] + ... + x[t-n+1]) / n``."""

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        return self.window.total(lambda each: each) / self.window.n


class Ema:
    """``e[t] = (x[t] - e[t-1]) * weight + e[t-1]``; seed: the mean of ``n`` values after the first ``skip``.

    The weight is ``2 / (n + 1)`` unless it is given.
    """

    def __init__(self, n: int, skip: int = 0, weight: float | None = None) -> None:
        self.n = n
        self.skip = skip
        self.weight = 2.0 / (n + 1.0) if weight is None else weight
        self.seen = 0
        self.sum = 0.0
        self.value = math.nan

    def update(self, value: float) -> float | None:
        self.seen += 1
        if self.seen > self.skip + self.n:
            self.value = (value - self.value) * self.weight + self.value
            return self.value
        if self.seen > self.skip:
            self.sum += value
        if self.seen < self.skip + self.n:
            return None
        self.value = self.sum / self.n
        return self.value


def wilder(n: int) -> Ema:
    """Wilder's smoothing: an exponential average with weight ``1 / n``."""
    return Ema(n, weight=1.0 / n)


class Dema:
    """``2 e1 - e2``, where ``e2`` is the average of the average ``e1``."""

    def __init__(self, n: int) -> None:
        self.once, self.twice = Ema(n), Ema(n)

    def update(self, value: float) -> float | None:
        once = self.once.update(value)
        twice = None if once is None else self.twice.update(once)
        return None if once is None or twice is None else 2.0 * once - twice


class Tema:
    """``3 e1 - 3 e2 + e3``, each the average of the one before."""

    def __init__(self, n: int) -> None:
        self.once, self.twice, self.thrice = Ema(n), Ema(n), Ema(n)

    def update(self, value: float) -> float | None:
        once = self.once.update(value)
        twice = None if once is None else self.twice.update(once)
        thrice = None if twice is None else self.thrice.update(twice)
        return None if once is None or twice is None or thrice is None else 3.0 * once - 3.0 * twice + thrice


class Wma:
    """``(1 x[t-n+1] + ... + n x[t]) / (1 + ... + n)``.

    The weighted sum of the tail grows by its plain sum as each older value pushes the others one place on.
    """

    def __init__(self, n: int) -> None:
        self.window: Window[float] = Window(n)

    def update(self, value: float) -> float | None:
        if not self.window.push(value):
            return None
        tail, head = self.window.parts
        weighted = total = 0.0
        for each in tail:
            total += each
            weighted += total
        head_weighted = head_total = 0.0
        for place, each in enumerate(head, start=1):
            head_total += each
            head_weighted += place * each
        n = self.window.n
        return (weighted + (head_weighted + len(tail) * head_total)) / (n * (n + 1.0) / 2.0)


class Hull:
    """``wma(2 wma(x, n/2) - wma(x, n), sqrt(n))``, half and root rounded down."""

    def __init__(self, n: int) -> None:
        self.half, self.whole, self.smooth = Wma(n // 2), Wma(n), Wma(math.isqrt(n))

    def update(self, value: float) -> float | None:
        half, whole = self.half.update(value), self.whole.update(value)
        return None if half is None or whole is None else self.smooth.update(2.0 * half - whole)


class Kama:
    """``k[t] = (x[t] - k[t-1]) * s**2 + k[t-1]``, seeded with ``x[n-1]``.

    ``s`` lies between ``2 / (slow + 1)`` and ``2 / (fast + 1)`` as the way from ``x[t-n]`` to ``x[t]`` is crooked or
    straight, by the ratio of the distance to the path. A path of no length is straight.
    """

    def __init__(self, n: int, fast: int, slow: int) -> None:
        self.values: deque[float] = deque(maxlen=n + 1)
        self.path: Window[float] = Window(n)
        self.value = math.nan
        self.slow = 2.0 / (slow + 1.0)
        self.range = 2.0 / (fast + 1.0) - self.slow

    def update(self, value: float) -> float | None:
        self.values.append(value)
        if len(self.values) == 1:
            return None
        before = self.values[-2]
        if not self.path.push(abs(value - before)):
            return None
        start = before if math.isnan(self.value) else self.value
        path = self.path.total(lambda step: step)
        straight = abs(value - self.values[0]) / path if path > 0.0 else 1.0
        root = straight * self.range + self.slow
        self.value = (value - start) * (root * root) + start
        return self.value


class Vwma:
    """``sum(x v) / sum(v)``; no value where nothing traded in the window."""

    def __init__(self, n: int) -> None:
        self.window: Window[tuple[float, float]] = Window(n)

    def update(self, value: float, volume: float) -> float | None:
        if not self.window.push((value, volume)):
            return None
        weights = self.window.total(lambda pair: pair[1])
        return self.window.total(lambda pair: pair[0] * pair[1]) / weights if weights != 0.0 else None
