"""Bands that a series moves between."""

from __future__ import annotations

from collections import deque


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
