"""Where in its day or week a bar stands."""

from __future__ import annotations

import math

from neural_trader.baseline.features.volume import Total

MINUTE_NS = 60_000_000_000
DAY_NS = 24 * 60 * MINUTE_NS


def instant(time_ns: int) -> float:
    """A time as features read it: cut to the 512 nanoseconds that a float holds until the year 2116."""
    return float(time_ns & ~511)


def nanoseconds(time: float) -> int:
    """A time as a whole number of 64 bits."""
    return min(max(int(time), -(2**63)), 2**63 - 1)


class Session:
    """The prices since the session began, ``start`` minutes after a midnight; none between sessions."""

    def __init__(self, start: int, minutes: int) -> None:
        self.start_ns, self.length_ns = start * MINUTE_NS, minutes * MINUTE_NS
        self.day: int | None = None
        self.open = self.high = self.low = self.since = 0.0

    def update(self, open: float, high: float, low: float, time: float) -> tuple[float, ...] | None:  # noqa: A002
        day, into_ns = divmod(nanoseconds(time) - self.start_ns, DAY_NS)
        if into_ns >= self.length_ns:
            self.day = None
            return None
        if self.day == day:
            self.high, self.low = max(self.high, high), min(self.low, low)
            self.since += 1.0
        else:
            self.day = day
            self.open, self.high, self.low, self.since = open, high, low, 0.0
        return self.open, self.high, self.low, self.high - self.low, self.since


class Seasonality:
    """The mean of the values that came before in the same slot of the day or week, and how many these were."""

    def __init__(self, minutes: int, days: int) -> None:
        self.slot_ns, self.period_ns = minutes * MINUTE_NS, days * DAY_NS
        self.slots: dict[int, tuple[Total, float, float]] = {}
        """By slot: the values, their sum and their count."""

    def update(self, value: float, time: float) -> tuple[float, float]:
        slot = nanoseconds(time) % self.period_ns // self.slot_ns
        total, before, count = self.slots.get(slot, (Total(), 0.0, 0.0))
        self.slots[slot] = total, total.add(value), count + 1.0
        return (before / count if count else math.nan), count
