"""How strongly a series moves, and where to."""

from __future__ import annotations

from collections import deque

from neural_trader.baseline.features.average import Ema, wilder
from neural_trader.baseline.features.returns import SimpleReturn


class Macd:
    """``ema(fast) - ema(slow)``, both seeded at the ``slow``-th value; the average of that; their difference."""

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self.fast = Ema(fast, slow - fast)
        self.slow = Ema(slow)
        self.signal = Ema(signal)

    def update(self, value: float) -> tuple[float, float, float] | None:
        fast, slow = self.fast.update(value), self.slow.update(value)
        if fast is None or slow is None:
            return None
        line = fast - slow
        signal = self.signal.update(line)
        return None if signal is None else (line, signal, line - signal)


class Momentum:
    """``x[t-skip] / x[t-n] - 1``; no value where ``x[t-n]`` is not positive."""

    def __init__(self, n: int, skip: int) -> None:
        self.n = n
        self.skip = skip
        self.values: deque[float] = deque(maxlen=n + 1)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        if len(self.values) <= self.n or self.values[0] <= 0.0:
            return None
        return self.values[-1 - self.skip] / self.values[0] - 1.0


class Roc(SimpleReturn):
    """``100 (x[t] / x[t-n] - 1)``."""

    def update(self, value: float) -> float | None:
        made = super().update(value)
        return None if made is None else 100.0 * made


class Rsi:
    """``100 * gain / (gain + loss)`` of Wilder-smoothed changes; 50 if nothing has ever moved."""

    def __init__(self, n: int) -> None:
        self.gain, self.loss = wilder(n), wilder(n)
        self.last: float | None = None

    def update(self, value: float) -> float | None:
        before, self.last = self.last, value
        if before is None:
            return None
        gain = self.gain.update(max(value - before, 0.0))
        loss = self.loss.update(max(before - value, 0.0))
        if gain is None or loss is None:
            return None
        return 100.0 * (gain / (gain + loss)) if gain + loss > 0.0 else 50.0
