"""Windows over a series, and the order in which their values are added.

Sums of floats depend on their order in the last bits, so the order is part of the definition. Values are numbered from
0 and cut into blocks of ``n``. A window is the end of one block, its tail, and the beginning of the next, its head. A
sum goes backwards over the tail and forwards over the head, each from 0, and adds the two. Sums of squares and products
are of differences from the pivot: the last value of the tail, which stands in the window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Window(Generic[T]):
    """The last ``n`` values of a series."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.seen = 0
        self.values: deque[T] = deque(maxlen=n)

    def push(self, value: T) -> bool:
        """Take the next value; say whether there are ``n``."""
        self.values.append(value)
        self.seen += 1
        return len(self.values) == self.n

    @property
    def parts(self) -> tuple[list[T], list[T]]:
        """The tail, newest first, and the head, oldest first."""
        values = list(self.values)
        tail = self.n - self.seen % self.n
        return values[:tail][::-1], values[tail:]

    @property
    def pivot(self) -> T:
        """The value at the border of the two blocks."""
        return self.parts[0][0]

    def total(self, term: Callable[[T], float]) -> float:
        """The sum of a term of each value."""
        tail, head = self.parts
        return added(map(term, tail)) + added(map(term, head))


def added(values: Iterable[float]) -> float:
    """The plain sum from left to right; that of the language compensates from Python 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total


def squared_spread(window: Window[float]) -> float:
    """``n * sum(d**2) - sum(d)**2`` of differences ``d`` from the pivot: ``n**2`` times the population variance."""
    pivot = window.pivot
    total = window.total(lambda value: value - pivot)
    squares = window.total(lambda value: (value - pivot) * (value - pivot))
    return max(window.n * squares - total * total, 0.0)


def sample_variance(window: Window[float]) -> float:
    """The variance with divisor ``n - 1``."""
    return squared_spread(window) / (window.n * (window.n - 1.0))
