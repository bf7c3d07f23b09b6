"""How long commands and answers travel, and in which order they arrive (docs/book-rules.md section 2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from neural_trader.baseline.arithmetic import int64
from neural_trader.errors import EngineError


class Entry(NamedTuple):
    """What becomes of a command: after so long it is at the venue, or the refusal of the venue is here."""

    is_refused: bool
    after_ns: int


class Latency(Protocol):
    """The times of both ways."""

    def entry(self, sent_ns: int) -> Entry: ...
    def response(self, given_ns: int) -> int: ...


class ConstantLatency:
    """The same at all times."""

    def __init__(self, entry_ns: int, response_ns: int) -> None:
        if entry_ns < 0 or response_ns < 0:
            raise EngineError("latencies must not be negative")
        self._entry = Entry(is_refused=False, after_ns=entry_ns)
        self._response_ns = response_ns

    def entry(self, sent_ns: int) -> Entry:
        return self._entry

    def response(self, given_ns: int) -> int:
        return self._response_ns


class Row(NamedTuple):
    """One request that was timed; the venue refused it where ``venue`` is not positive."""

    sent: int
    venue: int
    back: int

    @property
    def is_refused(self) -> bool:
        return self.venue <= 0


class RecordedLatency:
    """Interpolated between the rows around."""

    def __init__(self, rows: Sequence[tuple[int, int, int]]) -> None:
        self._rows = [Row(*(int64(int(number), "time of a latency row") for number in row)) for row in rows]
        self._answered = [row for row in self._rows if not row.is_refused]
        if not self._answered:
            raise EngineError("recorded latencies have no row that the venue answered")
        for index, row in enumerate(self._rows):
            if row.back < row.sent or (not row.is_refused and not row.sent <= row.venue <= row.back):
                raise EngineError(f"latency row {index}: sent, venue and back must follow each other: {tuple(row)}")
        if not (_ascends([row.sent for row in self._rows]) and _ascends([row.venue for row in self._answered])):
            raise EngineError("latency rows must be in ascending order of both times, sent and venue, each time once")

    def entry(self, sent_ns: int) -> Entry:
        before, after = _around(self._rows, [row.sent for row in self._rows], sent_ns)
        is_refused = before.is_refused or after.is_refused
        first, second = (row.back - row.sent if is_refused else row.venue - row.sent for row in (before, after))
        return Entry(is_refused, _between(sent_ns, before.sent, after.sent, first, second))

    def response(self, given_ns: int) -> int:
        before, after = _around(self._answered, [row.venue for row in self._answered], given_ns)
        first, second = before.back - before.venue, after.back - after.venue
        return _between(given_ns, before.venue, after.venue, first, second)


def _ascends(times: Sequence[int]) -> bool:
    return all(earlier < later for earlier, later in pairwise(times))


def _around(rows: Sequence[Row], times: Sequence[int], time_ns: int) -> tuple[Row, Row]:
    """The last row at or before a time and the first one after it; twice the same one beyond the ends."""
    after = bisect_right(times, time_ns)
    return rows[max(0, after - 1)], rows[min(after, len(rows) - 1)]


def _between(x: int, x1: int, x2: int, a: int, b: int) -> int:
    if x1 == x2 or x < x1:
        return a
    product = (b - a) * (x - x1)
    cut = abs(product) // (x2 - x1)
    return a + (cut if product >= 0 else -cut)


class Connection:
    """The way to one instrument's venue and back: nothing overtakes what was sent before it."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self._last_command_ns = 0
        self._last_answer_ns = 0

    def entry(self, sent_ns: int) -> Entry:
        return self._latency.entry(sent_ns)

    def command_arrives(self, at_ns: int) -> int:
        self._last_command_ns = max(self._last_command_ns, int64(at_ns, "time of arrival"))
        return self._last_command_ns

    def answer_arrives(self, given_ns: int) -> int:
        return self.answer_arrives_at(given_ns + self._latency.response(given_ns))

    def answer_arrives_at(self, at_ns: int) -> int:
        self._last_answer_ns = max(self._last_answer_ns, int64(at_ns, "time of arrival"))
        return self._last_answer_ns
