"""Recorded sessions of a venue into the catalog: the trades, quotes and levels that their messages hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.manifest import Origin
from neural_trader.market.catalog.rows import Rows, rows_of, rows_of_arrays
from neural_trader.market.catalog.spool import Spool, Spooled, spool_folder
from neural_trader.market.catalog.store import Appended, Catalog
from neural_trader.market.ticks import Quotes, Trades

if TYPE_CHECKING:
    import numpy as np

    from neural_trader.market.captures import CaptureReader
    from neural_trader.market.venue_instruments import VenueInstrument

    Records = np.ndarray[Any, np.dtype[Any]]


def import_capture(
    catalog: Catalog, paths: Sequence[Path], venue: str, instruments: Iterable[VenueInstrument] | None = None
) -> tuple[list[Appended], list[str]]:
    """Adds a session that one or several files hold; what became of it, and what is to be noted.

    The session is decoded to its end, with its records on disk, before the first dataset changes. Then one dataset
    after the other is committed: a crash leaves those before it whole, and the same import adds the others.
    """
    from neural_trader.market.captures import CaptureReader

    reader = CaptureReader(list(paths), venue, instruments)
    notes: list[str] = []
    appended: list[Appended] = []
    with spool_folder(catalog.root) as folder:
        spool = Spool(folder)
        for events in reader:
            spool.add(events)
        origin = _origin(paths)
        for number, instrument in enumerate(reader.instruments):
            added = (
                catalog.append_pieces(each, venue, origin) for each in datasets_in(spool, number, instrument, notes)
            )
            appended += [done for done in added if done is not None]
    if reader.inferred:
        notes.append("ticks and lots inferred from the numbers; --instruments FILE gives those of the venue")
    left_out = list(_left_out(reader))
    if not appended:
        raise DataError("; ".join([f"{origin.name}: no trade, quote or level of {venue} in this capture", *left_out]))
    return appended, [*_shared(notes), *left_out]


def _origin(paths: Sequence[Path]) -> Origin:
    digest, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    return Origin(" + ".join(path.name for path in paths), digest.hexdigest(), size)


def _left_out(reader: CaptureReader) -> Iterator[str]:
    """What was wrong with messages, by kind, and where that was first."""
    faults = reader.take_faults()
    counts = Counter(fault.code for fault in faults)
    for code, count in counts.most_common():
        first = next(fault for fault in faults if fault.code == code)
        many = f"{count:,}{' and more' if reader.tally['malformed'] > len(faults) else ''}"
        begins = first.first_bytes.decode(errors="replace")[:60]
        said = f"first message {first.message + 1}, {begins!r}"
        if reader.venue == "kraken" and begins.startswith("["):
            said += ", which is of the old WebSocket v1; v2 is read"
        yield f"{many} message{'' if count == 1 else 's'} left out, {code.replace('_', ' ')}: {said}"


def _shared(notes: list[str]) -> Iterator[str]:
    """Notes that say the same of several datasets, as one."""
    subjects: dict[str, list[str]] = {}
    for note in notes:
        subject, colon, text = note.rpartition(": ")
        subjects.setdefault(text, []).extend([subject] if colon else [])
    for text, named in subjects.items():
        several = f"{', '.join(named[:3])} and {len(named) - 3} more" if len(named) > 4 else ", ".join(named)
        yield f"{several}: {text}" if named else text


def datasets_in(spool: Spool, number: int, instrument: VenueInstrument, notes: list[str]) -> Iterator[Iterator[Rows]]:
    """Trades, quotes and levels of an instrument, each in pieces."""
    if trades := spool.get(number, "trade", "aggregate_trade"):
        yield _trades(trades, instrument, notes)
    if quotes := spool.get(number, "quote"):
        yield _quotes(quotes, instrument, notes)
    if (levels := spool.get(number, "depth")) and levels.sided:
        yield _levels(levels, instrument, notes)


def _grid(instrument: VenueInstrument) -> tuple[Step, Step]:
    return Step(*instrument.tick), Step(*instrument.data_lot)


def _sides(records: Records) -> Any:
    import numpy as np

    from neural_trader.market.events import FLAG

    bid, ask = records["flags"] & FLAG["bid"], records["flags"] & FLAG["ask"]
    return np.ascontiguousarray((bid != 0).astype(np.int8) - (ask != 0).astype(np.int8))


class _Clock:
    """Times at the venue, which never fall: a record without one has that of the record before it.

    Records before the first named time have that; where the venue names none at all, times are those of receipt.
    """

    def __init__(self, spooled: Spooled, what: str, notes: list[str]) -> None:
        self._spooled, self._what, self._notes = spooled, what, notes
        self._latest = spooled.first_ns
        self._late = 0
        if not spooled.named:
            notes.append(f"{what}: the venue names no times; ts_event is that of receipt")

    def times(self, records: Records) -> Any:
        """The times of the next records."""
        import numpy as np

        times = records["ts_event_ns" if self._spooled.named else "ts_recv_ns"]
        if not self._spooled.named and not times.all():
            raise DataError(f"{self._what}: neither the venue nor the recording says when they were")
        filled = np.maximum.accumulate(np.concatenate(([self._latest], times)))[1:]
        self._late += int(((filled != times) & (times != 0)).sum())
        self._latest = int(filled[-1])
        return filled

    def note(self) -> None:
        """Says at the end what was noted on the way."""
        if self._late:
            self._notes.append(
                f"{self._what}: {self._late} records carry a time before that of the record above; they have the latter"
            )


def _trades(spooled: Spooled, instrument: VenueInstrument, notes: list[str]) -> Iterator[Rows]:
    import numpy as np

    moved, pieces = spooled.in_order()
    if moved:
        notes.append(f"{instrument.symbol}: {moved} trades moved: they were not in the order of time")
    for records in pieces:
        trades = Trades(
            instrument.symbol, *_grid(instrument), np.ascontiguousarray(records["ts_event_ns"]),
            np.ascontiguousarray(records["price"]), np.ascontiguousarray(records["quantity"]), _sides(records),
            records["id"].astype(np.int64), np.ascontiguousarray(records["ts_recv_ns"]),
        )  # fmt: skip
        yield rows_of(trades)


def _quotes(spooled: Spooled, instrument: VenueInstrument, notes: list[str]) -> Iterator[Rows]:
    """A quote after each message, with the side that it did not name as it was; none before both sides are known."""
    import numpy as np

    from neural_trader.market.events import whole_messages

    clock = _Clock(spooled, f"{instrument.symbol} quotes", notes)
    before = np.empty(0, np.int64)
    for records in whole_messages(spooled.pieces()):
        # The latest bid and ask of the piece before stand in front of this one.
        joined = np.concatenate([before, records]) if len(before) else records
        first = len(joined) - len(records)
        sides, rows = _sides(joined), np.arange(len(joined))
        latest = {side: np.maximum.accumulate(np.where(sides == side, rows, -1)) for side in (1, -1)}
        ends = np.ones(len(joined), bool)
        ends[:-1] = (joined["id"][1:] != joined["id"][:-1]) | (joined["ts_recv_ns"][1:] != joined["ts_recv_ns"][:-1])
        chosen = ends & (latest[1] >= 0) & (latest[-1] >= 0) & (rows >= first)
        times = clock.times(records)
        bid, ask = joined[latest[1][chosen]], joined[latest[-1][chosen]]
        before = joined[sorted({int(latest[side][-1]) for side in (1, -1) if latest[side][-1] >= 0})]
        if len(bid):
            bid_size, ask_size = (None if spooled.is_unsized else side["quantity"] for side in (bid, ask))
            quotes = Quotes(
                instrument.symbol, *_grid(instrument), times[chosen[first:]], bid["price"], ask["price"],
                bid_size, ask_size, joined["ts_recv_ns"][chosen],
            )  # fmt: skip
            yield rows_of(quotes)
    clock.note()


def _levels(spooled: Spooled, instrument: VenueInstrument, notes: list[str]) -> Iterator[Rows]:
    """Levels, and rows of no side where a book is emptied for a snapshot or must not be trusted any more."""
    import numpy as np

    from neural_trader.market.events import KIND

    clock = _Clock(spooled, f"{instrument.symbol} levels", notes)
    for records in spooled.pieces():
        arrays = {
            "ts_event": clock.times(records),
            "ts_recv": np.ascontiguousarray(records["ts_recv_ns"]),
            "sequence": records["id"].astype(np.int64),
            "is_snapshot": np.isin(records["kind"], [KIND["snapshot_begin"], KIND["snapshot_level"]]),
            "side": _sides(records),
            "price": np.ascontiguousarray(records["price"]),
            "quantity": np.ascontiguousarray(records["quantity"]),
        }
        yield rows_of_arrays(instrument.symbol, "depth", "", _grid(instrument), arrays)
    clock.note()
