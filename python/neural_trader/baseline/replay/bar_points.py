"""What a venue by bars shows: points of the bars of recorded trades (docs/book-rules.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neural_trader.baseline.replay.events import (
    ASK_FLAG,
    BEFORE_FLAG,
    BID_FLAG,
    LAST_FLAG,
    UNSIZED_FLAG,
    Event,
    EventKind,
)
from neural_trader.baseline.replay.sources import NOT_PART, Source

BAR_RULES = ("close", "open", "path")

Point = tuple[int, int, bool]
"""When, at which price, and whether the venue listens then."""


def joined_events(sources: Sequence[Source]) -> tuple[list[Event], list[int]]:
    """Records of several sources as they happen at venues, numbered by rank, and the venue time of each."""
    places = sorted((time_ns, source.number, at) for source in sources for at, time_ns in enumerate(source.venue_ns))
    by_number = {source.number: source for source in sources}
    events = []
    for time_ns, number, at in places:
        event = by_number[number].events[at]
        rank = by_number[number].rank_of(event)
        # Of those that are not part of the run only the time matters.
        kind = event.kind if rank != NOT_PART else int(EventKind.STATUS)
        events.append(event._replace(ts_event_ns=time_ns, instrument=max(rank, 0), kind=kind))
    return events, [time_ns for time_ns, *_ in places]


def bar_records(
    events: Sequence[Event],
    venue_ns: Sequence[int],
    interval_ns: int,
    rule: str,
    trades: EventKind | Sequence[EventKind] = EventKind.TRADE,
) -> list[Event]:
    """The records of a source for venues alone, from those of a source and the venue time of each.

    ``trades`` are the kind of the records that tell trades, of all instruments or of each by its number.
    """

    def kind_of(instrument: int) -> EventKind:
        return trades if isinstance(trades, EventKind) else trades[instrument]

    told: dict[int, list[tuple[int, int]]] = {}
    for event, time_ns in zip(events, venue_ns, strict=True):
        counts = event.price > 0 and event.quantity > 0 and not event.flags & BEFORE_FLAG
        if counts and event.kind == kind_of(event.instrument):
            told.setdefault(event.instrument, []).append((time_ns, event.price))
    found = []
    for instrument, prints in told.items():
        last = 0
        for number, (time_ns, price, listens) in enumerate(_points(prints, interval_ns, rule, venue_ns[-1])):
            found.append(
                (time_ns, instrument, number, _shown(time_ns, instrument, price, kind_of(instrument), last, listens))
            )
            last = price
    return [event for *_, shown in sorted(found) for event in shown]


def _points(prints: Sequence[tuple[int, int]], interval_ns: int, rule: str, last_ns: int) -> Iterator[Point]:
    bars: dict[int, list[tuple[int, int]]] = {}
    for time_ns, price in prints:
        bars.setdefault(time_ns // interval_ns, []).append((time_ns, price))
    for number, bar in bars.items():
        prices = [price for _, price in bar]
        (opening_ns, first), close = bar[0], prices[-1]
        end_ns = min((number + 1) * interval_ns, last_ns)
        if rule == "close":
            yield end_ns, close, True
            continue
        yield opening_ns, first, True
        if rule == "path":
            low, high = min(prices), max(prices)
            now = first
            for price in (high, low, close) if high - first < first - low else (low, high, close):
                if price != now:
                    yield end_ns, price, False
                now = price


def _shown(time_ns: int, instrument: int, price: int, kind: int, last: int, listens: bool) -> list[Event]:
    def record(kind: int, quantity: int, flags: int) -> Event:
        return Event(time_ns, time_ns, price, quantity, 0, 0, instrument, int(kind), flags)

    bid, ask = (record(EventKind.QUOTE, 0, side | UNSIZED_FLAG) for side in (BID_FLAG, ASK_FLAG))
    quotes = [bid, ask] if price < last else [ask, bid]
    return [*quotes, record(kind, 1, LAST_FLAG if listens else 0)]
