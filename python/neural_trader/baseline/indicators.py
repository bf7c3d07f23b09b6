"""Plain Python twins of every feature: the definition that ``nt-features`` must match to the last bit.

Prices are whole numbers of ticks and volumes whole numbers of lots, as floats below 2**53. A twin writes its formula
out over the window wherever the sums are exact, and follows a recursion only where the definition is one. The one place
in which the order of operations is a choice is :class:`Volatility`, which says so.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

MAX_WINDOW = 1_000_000

NAN = math.nan


class Bar(NamedTuple):
    """One bar in ticks and lots; the volume is NaN where the source has none."""

    open: float
    high: float
    low: float
    close: float
    volume: float = NAN


class Feature(Protocol):
    """A feature of one instrument's bars, and its state."""

    warmup: int
    """How many bars give NaN before the first value."""

    def update(self, bar: Bar) -> float:
        """Take the next bar; return the value as of its close."""


class Sma:
    """``(c[t] + ... + c[t-n+1]) / n``. The sum of whole numbers is exact."""

    def __init__(self, n: int) -> None:
        self.warmup = n - 1
        self.window: deque[float] = deque(maxlen=n)

    def update(self, bar: Bar) -> float:
        return self.add(bar.close)

    def add(self, value: float) -> float:
        self.window.append(value)
        return sum(self.window) / len(self.window) if len(self.window) == self.window.maxlen else NAN


class VolumeMean(Sma):
    """The same of the volume."""

    def update(self, bar: Bar) -> float:
        return self.add(bar.volume)


class Ema:
    """``e[t] = (c[t] - e[t-1]) * weight + e[t-1]``; seed: the mean of ``n`` closes after the first ``skip``.

    The weight is ``2 / (n + 1)`` unless it is given.
    """

    def __init__(self, n: int, skip: int = 0, weight: float | None = None) -> None:
        self.n = n
        self.skip = skip
        self.weight = 2.0 / (n + 1.0) if weight is None else weight
        self.warmup = skip + n - 1
        self.seen = 0
        self.sum = 0.0
        self.value = NAN

    def update(self, bar: Bar) -> float:
        return self.add(bar.close)

    def add(self, value: float) -> float:
        self.seen += 1
        if self.seen > self.skip + self.n:
            self.value = (value - self.value) * self.weight + self.value
        elif self.seen > self.skip:
            self.sum += value
            if self.seen == self.skip + self.n:
                self.value = self.sum / self.n
        return self.value


def wilder(n: int) -> Ema:
    """Wilder's smoothing: an exponential average with weight ``1 / n``."""
    return Ema(n, weight=1.0 / n)


class Macd:
    """``ema(fast) - ema(slow)``, both seeded at the ``slow``-th bar, as TA-Lib does."""

    def __init__(self, fast: int, slow: int) -> None:
        self.fast = Ema(fast, slow - fast)
        self.slow = Ema(slow)
        self.warmup = slow - 1

    def update(self, bar: Bar) -> float:
        return self.fast.update(bar) - self.slow.update(bar)


class MacdSignal:
    """``ema(signal)`` of the MACD line, seeded with the mean of its first ``signal`` values."""

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self.line = Macd(fast, slow)
        self.average = Ema(signal)
        self.warmup = self.line.warmup + signal - 1

    def update(self, bar: Bar) -> float:
        line = self.line.update(bar)
        return NAN if math.isnan(line) else self.average.add(line)


class Rsi:
    """``100 * gain / (gain + loss)`` of Wilder-smoothed changes; 50 if nothing has ever moved."""

    def __init__(self, n: int) -> None:
        self.warmup = n
        self.gain = wilder(n)
        self.loss = wilder(n)
        self.close = NAN

    def update(self, bar: Bar) -> float:
        before, self.close = self.close, bar.close
        if math.isnan(before):
            return NAN
        change = bar.close - before
        gain = self.gain.add(max(change, 0.0))
        loss = self.loss.add(max(-change, 0.0))
        if math.isnan(gain):
            return NAN
        return 100.0 * (gain / (gain + loss)) if gain + loss > 0.0 else 50.0


class Atr:
    """Wilder-smoothed true range, ``max(high - low, |high - c[t-1]|, |low - c[t-1]|)`` from the second bar on."""

    def __init__(self, n: int) -> None:
        self.warmup = n
        self.average = wilder(n)
        self.close = NAN

    def update(self, bar: Bar) -> float:
        before, self.close = self.close, bar.close
        if math.isnan(before):
            return NAN
        return self.average.add(max(bar.high - bar.low, abs(bar.high - before), abs(bar.low - before)))


class Deviation:
    """Population standard deviation, ``sqrt(n * sum(c**2) - sum(c)**2) / n`` with the difference in exact integers."""

    def __init__(self, n: int) -> None:
        self.warmup = n - 1
        self.window: deque[int] = deque(maxlen=n)

    def update(self, bar: Bar) -> float:
        self.window.append(int(bar.close))
        n = len(self.window)
        squares = sum(close * close for close in self.window)
        if n < self.warmup + 1 or squares >= 2**106:
            return NAN
        return math.sqrt(n * squares - sum(self.window) ** 2) / n


class Highest:
    """The highest high of the last ``n`` bars, this one included."""

    def __init__(self, n: int) -> None:
        self.warmup = n - 1
        self.window: deque[float] = deque(maxlen=n)

    def update(self, bar: Bar) -> float:
        self.window.append(bar.high)
        return max(self.window) if len(self.window) > self.warmup else NAN


class Lowest:
    """The lowest low of the last ``n`` bars, this one included."""

    def __init__(self, n: int) -> None:
        self.warmup = n - 1
        self.window: deque[float] = deque(maxlen=n)

    def update(self, bar: Bar) -> float:
        self.window.append(bar.low)
        return min(self.window) if len(self.window) > self.warmup else NAN


class Momentum:
    """``c[t-skip] / c[t-n] - 1``; NaN where ``c[t-n]`` is not positive."""

    def __init__(self, n: int, skip: int) -> None:
        self.warmup = n
        self.skip = skip
        self.window: deque[float] = deque(maxlen=n + 1)

    def update(self, bar: Bar) -> float:
        self.window.append(bar.close)
        if len(self.window) <= self.warmup or not self.window[0] > 0.0:
            return NAN
        return self.window[-1 - self.skip] / self.window[0] - 1.0


class Moments(NamedTuple):
    """Size, mean, and sum of squared distances from the mean."""

    size: int
    mean: float
    squares: float


def moments(values: Sequence[float]) -> Moments:
    """Moments by Welford's recursion, in the order of the values."""
    mean = squares = 0.0
    for count, value in enumerate(values, start=1):
        distance = value - mean
        mean += distance / count
        squares += distance * (value - mean)
    return Moments(len(values), mean, squares)


class Volatility:
    """Sample standard deviation of the last ``n`` simple returns, per bar.

    Returns are not whole numbers, so the order in which they are added shows in the last bits. The order is this:
    returns are numbered from 0 and cut into blocks of ``n``. A window is the end of one block, taken backwards, and the
    beginning of the next, taken forwards; the two are merged by the rule of Chan, Golub and LeVeque.
    """

    def __init__(self, n: int) -> None:
        self.warmup = n
        self.n = n
        self.seen = 0
        self.returns: deque[float] = deque(maxlen=n)
        self.close = NAN

    def update(self, bar: Bar) -> float:
        before, self.close = self.close, bar.close
        if math.isnan(before):
            return NAN
        self.returns.append(bar.close / before - 1.0 if before > 0.0 else NAN)
        self.seen += 1
        if self.seen < self.n:
            return NAN
        window = list(self.returns)
        begun = self.seen % self.n
        if begun == 0:
            return math.sqrt(moments(window).squares / (self.n - 1.0))
        tail = moments(window[: self.n - begun][::-1])
        head = moments(window[self.n - begun :])
        distance = head.mean - tail.mean
        between = distance * distance * (float(tail.size) * head.size / self.n)
        return math.sqrt((tail.squares + head.squares + between) / (self.n - 1.0))


class Kind(NamedTuple):
    """One row of the table of features."""

    build: Callable[..., Feature]
    parameters: tuple[str, ...]
    least: tuple[int, ...]
    dimension: str


KINDS: dict[str, Kind] = {
    "atr": Kind(Atr, ("n",), (1,), "price"),
    "deviation": Kind(Deviation, ("n",), (2,), "price"),
    "ema": Kind(Ema, ("n",), (1,), "price"),
    "highest": Kind(Highest, ("n",), (1,), "price"),
    "lowest": Kind(Lowest, ("n",), (1,), "price"),
    "macd": Kind(Macd, ("fast", "slow"), (1, 2), "price"),
    "macd_signal": Kind(MacdSignal, ("fast", "slow", "signal"), (1, 2, 1), "price"),
    "momentum": Kind(Momentum, ("n", "skip"), (1, 0), "ratio"),
    "rsi": Kind(Rsi, ("n",), (2,), "ratio"),
    "sma": Kind(Sma, ("n",), (1,), "price"),
    "volatility": Kind(Volatility, ("n",), (2,), "ratio"),
    "volume_mean": Kind(VolumeMean, ("n",), (1,), "volume"),
}

ASCENDING = {"macd": (0, 1), "macd_signal": (0, 1), "momentum": (1, 0)}
"""Places of the parameter that must be below, and of the one it must be below."""


def make(name: str, parameters: Sequence[float]) -> Feature:
    """Build a feature from its name and its parameters, in order; ValueError says what to change."""
    if name not in KINDS:
        raise ValueError(f'no feature is called "{name}"; there are {", ".join(KINDS)}')
    kind = KINDS[name]
    if len(parameters) != len(kind.parameters):
        listed = ", ".join(kind.parameters)
        raise ValueError(f"{name}({listed}) takes {len(kind.parameters)} parameters, not {len(parameters)}")
    for parameter, least, value in zip(kind.parameters, kind.least, parameters, strict=True):
        if not (least <= value <= MAX_WINDOW and value == math.trunc(value)):
            raise ValueError(f"{name}: {parameter} must be a whole number from {least} to {MAX_WINDOW}, not {value}")
    whole = [int(value) for value in parameters]
    if name in ASCENDING:
        lower, upper = ASCENDING[name]
        if whole[lower] >= whole[upper]:
            pair = f"{kind.parameters[lower]} ({whole[lower]}) must be below {kind.parameters[upper]} ({whole[upper]})"
            raise ValueError(f"{name}: {pair}")
    return kind.build(*whole)


def column(name: str, parameters: Sequence[float], bars: Sequence[Bar]) -> list[float]:
    """The value of a feature at every bar."""
    feature = make(name, parameters)
    return [feature.update(bar) for bar in bars]
