"""What happens next: all that waits for its time, in the order of docs/book-rules.md section 2."""

from __future__ import annotations

import heapq
from enum import IntEnum
from typing import NamedTuple

from neural_trader.baseline.orders import Ticket
from neural_trader.baseline.replay.orders import ReplayOrder, Standing


class Happening(IntEnum):
    """What can happen, in the order of precedence at one time."""

    RECORD_AT_VENUE = 0
    CLOSE_AT_VENUE = 1
    EXPIRY = 2
    COMMAND = 3
    SAMPLE = 4
    ANSWER = 5
    RECORD_HERE = 6
    BAR_HERE = 7
    MOMENT_HERE = 8
    TIMER = 9
    END_OF_MOMENT = 10
    ACCRUAL = 11
    OPENING = 12


class Command(NamedTuple):
    """What is asked of the venue about an order; the numbers are those of an amendment."""

    what: str
    order: ReplayOrder
    limit: int = 0
    quantity: int = 0
    ticket: Ticket | None = None
    """What an order of bars comes to is found when it arrives."""


class Answer(NamedTuple):
    """What the venue says: of a fill by its number, or of an order by its id, and how the order stands with it."""

    kind: str
    number: int
    order: int
    """The id of the order, 0 where none is behind a fill."""
    standing: Standing | None = None


class Agenda:
    """Commands, answers and timers by the time of their arrival, then instrument, then the order in which they came."""

    def __init__(self) -> None:
        self._heaps: dict[Happening, list[tuple[int, int, int, Command | Answer | None]]] = {
            kind: [] for kind in (Happening.COMMAND, Happening.ANSWER, Happening.TIMER)
        }
        self._count = 0

    def add(self, kind: Happening, time_ns: int, instrument: int = 0, what: Command | Answer | None = None) -> None:
        self._count += 1
        heapq.heappush(self._heaps[kind], (time_ns, instrument, self._count, what))

    def first_times(self) -> list[tuple[int, Happening]]:
        return [(heap[0][0], kind) for kind, heap in self._heaps.items() if heap]

    def pop(self, kind: Happening) -> Command | Answer | None:
        return heapq.heappop(self._heaps[kind])[3]
