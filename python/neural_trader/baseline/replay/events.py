"""Market records in plain Python: the fields of the 48 bytes, their kinds and flags."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from neural_trader.baseline.records import BUY, SELL
from neural_trader.errors import EngineError

_BYTES = struct.Struct("<qqqqQIHBB")


class Event(NamedTuple):
    """One record, with the fields of ``neural_trader.market.events.EVENT``."""

    ts_event_ns: int
    ts_recv_ns: int
    price: int
    quantity: int
    id: int
    sequence: int
    instrument: int
    kind: int
    flags: int

    def to_bytes(self) -> bytes:
        """The record as it lies in a file."""
        return _BYTES.pack(*self)


class EventKind(IntEnum):
    """What a record says; a kind that is not listed here is played as one that says nothing."""

    TRADE = 1
    AGGREGATE_TRADE = 2
    LEVEL = 3
    SNAPSHOT_BEGIN = 4
    SNAPSHOT_LEVEL = 5
    SNAPSHOT_END = 6
    QUOTE = 7
    TICKER = 8
    BAR_OPEN = 9
    BAR_HIGH = 10
    BAR_LOW = 11
    BAR_CLOSE = 12
    STATUS = 13
    ORDER_ADD = 14
    ORDER_CHANGE = 15
    ORDER_DELETE = 16
    ORDER_FILL = 17
    GAP = 32
    BAD_CHECKSUM = 33
    CROSSED = 34
    STALE = 35
    RESYNC = 36
    MALFORMED = 37
    REFUSED = 38
    TRADE_GAP = 39


ENDS_OF_AGGRESSORS = frozenset({
    EventKind.ORDER_ADD, EventKind.ORDER_CHANGE, EventKind.ORDER_DELETE,
    EventKind.SNAPSHOT_BEGIN, EventKind.SNAPSHOT_END, EventKind.RESYNC,
})  # fmt: skip
"""What fills of single orders that come after it are of somebody else."""

BID_FLAG = 1
ASK_FLAG = 2
LAST_FLAG = 4
UNSIZED_FLAG = 16
BEFORE_FLAG = 32

COUNT_MAX = 2**53
"""The largest price and quantity of a record: up to here a float counts exactly."""
UNSIZED_QUANTITY = 2**52
"""What a quote displays that does not say how much."""


TRADE_KINDS = {"trade": EventKind.TRADE, "aggregate_trade": EventKind.AGGREGATE_TRADE}


def side_of(event: Event) -> int:
    """1 for bids and buyers, -1 for asks and sellers, 0 where the record does not say, or says both."""
    return {BID_FLAG: BUY, ASK_FLAG: SELL}.get(event.flags & (BID_FLAG | ASK_FLAG), 0)


def events_of(records: Any) -> list[Event]:
    """Records as tuples: an array with the EVENT layout, or anything that holds such rows or such objects."""
    rows: Iterable[Any] = records.tolist() if hasattr(records, "tolist") else records
    return [Event(*row) if isinstance(row, tuple) else Event(*(getattr(row, f) for f in Event._fields)) for row in rows]


def kind_named(name: str) -> EventKind:
    """The kind that Python knows by this name."""
    for kind in EventKind:
        if kind.name.lower() == name:
            return kind
    raise EngineError(
        f"unknown kind of record {name!r}: use one of {', '.join(kind.name.lower() for kind in EventKind)}"
    )


def trade_kind(name: str) -> EventKind:
    """The kind of the records that tell trades."""
    if name not in TRADE_KINDS:
        raise EngineError("trades are 'trade' or 'aggregate_trade'")
    return TRADE_KINDS[name]
