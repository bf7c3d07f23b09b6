"""Recorded sessions of a venue into the catalog: the trades, quotes and levels that their messages hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.manifest import Origin
from neural_trader.market.catalog.rows import Rows, rows_of_arrays
from neural_trader.market.catalog.store import Appended, Catalog
from neural_trader.market.ticks import Quotes, Trades

if TYPE_CHECKING:
    import numpy as np

    from neural_trader.market.captures import Capture
    from neural_trader.market.venue_instruments import VenueInstrument

    Records = np.ndarray[Any, np.dtype[Any]]


def import_capture(catalog: Catalog, paths: Sequence[Path], venue: str) -> tuple[list[Appended], list[str]]:
    """Adds a session that one or several files hold, in their order; what became of it, and what is to be noted."""
    from neural_trader.market.captures import read_capture

    capture = read_capture(list(paths), venue)
    digest, size = hashlib.sha256(), 0
    for path in paths:
        digest.update(path.read_bytes())
        size += path.stat().st_size
    origin = Origin(" + ".join(path.name for path in paths), digest.hexdigest(), size)
    notes: list[str] = []
    appended = [catalog.append(item, venue, origin) for item in items_of(capture, notes)]
    if not appended:
        raise DataError(f"{origin.name}: no trade, quote or level of {venue} in this capture")
    if capture.faults:
        notes.append(f"{len(capture.faults)} malformed messages left out")
    return appended, notes


def items_of(capture: Capture, notes: list[str]) -> Iterator[Trades | Quotes | Rows]:
    """Trades, quotes and levels, instrument by instrument."""
    from neural_trader.market.events import KIND

    for number, instrument in enumerate(capture.instruments):
        own = capture.events[capture.events["instrument"] == number]

        def of(*names: str, own: Records = own) -> Records:
            import numpy as np

            return own[np.isin(own["kind"], [KIND[name] for name in names])]

        trades = of("trade")
        if len(trades) or len(trades := of("aggregate_trade")):
            yield _trades(trades, instrument, notes)
        if len(quotes := of("quote")) and (made := _quotes(quotes, instrument, notes)) is not None:
            yield made
        if len(levels := of("level", "snapshot_level")):
            yield _levels(levels, instrument, notes)


def _grid(instrument: VenueInstrument) -> tuple[Step, Step]:
    return Step(*instrument.tick), Step(*instrument.data_lot)


def _sides(records: Records) -> Any:
    import numpy as np

    from neural_trader.market.events import FLAG

    bid, ask = records["flags"] & FLAG["bid"], records["flags"] & FLAG["ask"]
    return np.ascontiguousarray((bid != 0).astype(np.int8) - (ask != 0).astype(np.int8))


def _times(records: Records, what: str, notes: list[str]) -> Any:
    """Times at the venue; a record without one has that of the record before it, and none has one of before that."""
    import numpy as np

    times = np.ascontiguousarray(records["ts_event_ns"])
    if not times.any():
        notes.append(f"{what}: the venue names no times; ts_event is that of receipt")
        times = np.ascontiguousarray(records["ts_recv_ns"])
    named = times != 0
    filled = np.maximum.accumulate(np.where(named, times, times[named][0]))
    if late := int((filled[named] != times[named]).sum()):
        notes.append(f"{what}: {late} records carry a time before that of the record above; they have the latter")
    return filled


def _trades(records: Records, instrument: VenueInstrument, notes: list[str]) -> Trades:
    import numpy as np

    order = np.lexsort((records["id"], records["ts_event_ns"]))
    if moved := int((order != np.arange(len(order))).sum()):
        notes.append(f"{instrument.symbol}: {moved} trades moved: they were not in the order of time")
    records = records[order]
    return Trades(
        instrument.symbol, *_grid(instrument), np.ascontiguousarray(records["ts_event_ns"]),
        np.ascontiguousarray(records["price"]), np.ascontiguousarray(records["quantity"]), _sides(records),
        records["id"].astype(np.int64), np.ascontiguousarray(records["ts_recv_ns"]),
    )  # fmt: skip


def _quotes(records: Records, instrument: VenueInstrument, notes: list[str]) -> Quotes | None:
    """A quote after each message, with the side that it did not name as it was; none before both sides are known."""
    import numpy as np

    from neural_trader.market.events import FLAG

    times = _times(records, f"{instrument.symbol} quotes", notes)
    sides = _sides(records)
    unsized = bool((records["flags"] & FLAG["unsized"]).any())
    columns: dict[str, Any] = {}
    known = np.full(len(records), fill_value=True)
    for name, side in (("bid", 1), ("ask", -1)):
        rows = np.where(sides == side, np.arange(len(records)), -1)
        latest = np.maximum.accumulate(rows)
        known &= latest >= 0
        columns[name] = records["price"][latest]
        columns[f"{name}_size"] = None if unsized else records["quantity"][latest]
    # The last record of a message: what follows comes of another one.
    ends = np.ones(len(records), bool)
    ends[:-1] = (records["id"][1:] != records["id"][:-1]) | (records["ts_recv_ns"][1:] != records["ts_recv_ns"][:-1])
    chosen = ends & known
    if not chosen.any():
        return None
    kept: dict[str, Any] = {
        name: None if column is None else np.ascontiguousarray(column[chosen]) for name, column in columns.items()
    }
    return Quotes(
        instrument.symbol, *_grid(instrument), times[chosen], kept["bid"], kept["ask"], kept["bid_size"],
        kept["ask_size"], np.ascontiguousarray(records["ts_recv_ns"][chosen]),
    )  # fmt: skip


def _levels(records: Records, instrument: VenueInstrument, notes: list[str]) -> Rows:
    import numpy as np

    from neural_trader.market.events import KIND

    tick, lot = _grid(instrument)
    arrays = {
        "ts_event": _times(records, f"{instrument.symbol} levels", notes),
        "ts_recv": np.ascontiguousarray(records["ts_recv_ns"]),
        "sequence": records["id"].astype(np.int64),
        "is_snapshot": records["kind"] == KIND["snapshot_level"],
        "side": _sides(records),
        "price": np.ascontiguousarray(records["price"]),
        "quantity": np.ascontiguousarray(records["quantity"]),
    }
    return rows_of_arrays(instrument.symbol, "depth", "", (tick, lot), arrays)
