"""Returns of a series."""

from __future__ import annotations

import sys
from collections import deque

from neural_trader.baseline.elementary import logarithm


def log_ratio(now: float, before: float) -> float | None:
    """``ln(now / before)``, where both are positive."""
    if before <= 0.0:
        return None
    ratio = now / before
    return logarithm(ratio) if sys.float_info.min <= ratio <= sys.float_info.max else None


class LogReturn:
    """``ln(x[t] / x[t-n])``; no value where either is not positive."""

    def __init__(self, n: int) -> None:
        self.values: deque[float] = deque(maxlen=n + 1)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        return log_ratio(value, self.values[0]) if len(self.values) == self.values.maxlen else None


class SimpleReturn:
    """``x[t] / x[t-n] - 1``; no value where ``x[t-n]`` is not positive."""

    def __init__(self, n: int) -> None:
        self.values: deque[float] = deque(maxlen=n + 1)

    def update(self, value: float) -> float | None:
        self.values.append(value)
        if len(self.values) < (self.values.maxlen or 0) or self.values[0] <= 0.0:
            return None
        return value / self.values[0] - 1.0


class LogReturns:
    """The log return of each value to the one before; ``None`` at the first one and where there is none."""

    def __init__(self) -> None:
        self.last: float | None = None

    def update(self, value: float) -> float | None:
        before, self.last = self.last, value
        return None if before is None else log_ratio(value, before)
