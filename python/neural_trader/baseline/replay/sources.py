"""Sources: when each record happened at the venue, and when it reached us (docs/book-rules.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neural_trader.baseline.arithmetic import int64
from neural_trader.baseline.replay.events import Event, events_of
from neural_trader.errors import EngineError

NOT_PART = -1
"""The rank of an instrument that is not part of the run."""
ROLES = ("both", "venue", "here")
"""Whether a source is for both sides, for venues alone, or for here alone."""


class Source:
    """Records in the order of their receipt, with both clocks, which never go back, and how far each has come."""

    def __init__(
        self,
        number: int,
        records: Any,
        ranks: Sequence[int],
        instruments: int,
        feed_ns: int | None,
        role: str = "both",
    ) -> None:
        if role not in ROLES:
            raise EngineError(f"source {number}: a role is one of {', '.join(ROLES)}, not {role!r}")
        self.number = number
        self.role = role
        self.events = events_of(records)
        self.ranks = [int(rank) for rank in ranks]
        if any(not NOT_PART <= rank < instruments for rank in self.ranks):
            raise EngineError(f"source {number}: a rank is that of one of the {instruments} instruments, or -1")
        self.venue_ns = _venue_times(self.events)
        self.here_ns = _our_times(self.events, self.venue_ns, feed_ns)
        self.at_venue = 0
        """Position of the next record at the venue."""
        self.here = 0
        """Position of the next record to arrive here."""

    def rank_at_venue(self, event: Event) -> int:
        """Which instrument of the run the record is of at a venue; -1 for none of them."""
        return NOT_PART if self.role == "here" else self.rank_of(event)

    def rank_here(self, event: Event) -> int:
        """Which instrument of the run the record is of for us; -1 for none of them."""
        return NOT_PART if self.role == "venue" else self.rank_of(event)

    def rank_of(self, event: Event) -> int:
        """Which instrument of the run the record is of, whomever it is for; -1 for none of them."""
        return self.ranks[event.instrument] if event.instrument < len(self.ranks) else NOT_PART


def _venue_times(events: Sequence[Event]) -> list[int]:
    # Where the venue never says when, the time of receipt is the best that is known.
    is_timed = any(event.ts_event_ns > 0 for event in events)
    times, now_ns = [], 0
    for event in events:
        now_ns = max(now_ns, event.ts_event_ns if is_timed else event.ts_recv_ns)
        times.append(now_ns)
    return times


def _our_times(events: Sequence[Event], venue_ns: Sequence[int], feed_ns: int | None) -> list[int]:
    times, now_ns = [], 0
    for event, happened_ns in zip(events, venue_ns, strict=True):
        # As long as the venue has said no time, there is nothing that a latency could be added to.
        is_given = feed_ns is not None and happened_ns > 0
        received_ns = int64(happened_ns + (feed_ns or 0), "time of receipt") if is_given else event.ts_recv_ns
        now_ns = max(now_ns, happened_ns, received_ns)
        times.append(now_ns)
    return times


def sources_of(
    sources: Sequence[tuple[Any, Sequence[int]]], count: int, feed_ns: int | None, roles: Sequence[str] | None
) -> list[Source]:
    """Sources as they are given, each with its role."""
    if feed_ns is not None and feed_ns < 0:
        raise EngineError("latencies must not be negative")
    each_role = ["both"] * len(sources) if roles is None else roles
    if len(each_role) != len(sources):
        raise EngineError("each source has a role")
    return [Source(n, *source, count, feed_ns, each_role[n]) for n, source in enumerate(sources)]
