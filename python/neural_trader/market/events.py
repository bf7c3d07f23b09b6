"""The records of market data: one fixed layout for numpy, the engine and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from neural_trader._native import EVENT_FLAGS, EVENT_KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVENT: Final = np.dtype(
    [
        ("ts_event_ns", "<i8"),
        ("ts_recv_ns", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("id", "<u8"),
        ("sequence", "<u4"),
        ("instrument", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
    ]
)
"""48 bytes: the time at the venue (0 if it says none) and here, price in ticks, quantity in lots, the venue's own id,
our number, the instrument's number, what it is, and its flags."""

KIND: Final = EVENT_KINDS
"""What a record is, by name: ``trade``, ``level``, ``quote``, ..., and the faults from ``gap`` on."""

FLAG: Final = EVENT_FLAGS
"""Bits of ``flags``: ``bid``, ``ask`` (the aggressor's side of a trade), ``last`` of a message, ``final`` bar,
``unsized`` quote, trade from ``before`` the subscription."""

FAULTS: Final = ("gap", "bad_checksum", "crossed", "stale", "resync", "malformed", "refused", "trade_gap")
"""The kinds that say that something is missing or wrong."""


def whole_messages(pieces: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """The same records, in pieces that do not end within a message."""
    held: NDArray[Any] | None = None
    for piece in pieces:
        joined = piece if held is None else np.concatenate([held, piece])
        different = ~of_one_message(joined, joined[-1])
        cut = len(joined) - int(different[::-1].argmax()) if different.any() else 0
        if cut:
            yield joined[:cut]
        held = joined[cut:]
    if held is not None:
        yield held


def of_one_message(records: NDArray[Any], record: Any) -> NDArray[Any]:
    """Which records were received together with one of them; without times of receipt, which have its time."""
    same: NDArray[Any] = (records["id"] == record["id"]) & (records["ts_recv_ns"] == record["ts_recv_ns"])
    return same if record["ts_recv_ns"] else same & (records["ts_event_ns"] == record["ts_event_ns"])
