"""The book of an instrument as it was at a moment, played from a recorded session or from the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import Ladder
from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, FLAG, KIND, of_one_message, whole_messages
from neural_trader.market.times import time_text

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.market.catalog import Dataset
    from neural_trader.market.catalog.manifest import Manifest
    from neural_trader.market.venue_instruments import VenueInstrument

    Records = np.ndarray[Any, np.dtype[Any]]

SLICE = 1 << 18
"""Rows of the catalog that are read at once."""
_BEGIN, _LOST = KIND["snapshot_begin"], KIND["resync"]
_LEVELS = (KIND["level"], KIND["snapshot_level"])
_CAUSES = {
    KIND["gap"]: "updates are missing",
    KIND["bad_checksum"]: "it had not the checksum of the venue",
    KIND["crossed"]: "it was crossed",
    KIND["stale"]: "the venue was silent for too long",
    KIND["malformed"]: "a message could not be read",
}
"""Why a book was given up."""
_CONNECTION = 65535
"""The instrument of a record that concerns all of them."""


@dataclass(frozen=True)
class BookAt:
    """A book at a moment, behind the last whole message until then."""

    symbol: str
    tick: Step
    lot: Step
    at_ns: int
    ladder: Ladder
    """Prices in ticks, quantities in lots."""
    update_id: int
    """The venue's number of the last update; 0 where it has none."""
    update_ns: int
    """The venue's time of the last update."""
    snapshot_ns: int
    """The venue's time of the snapshot from which it was played."""


class _Player:
    """Plays the records of one book up to a moment, and then looks for the next snapshot if there is no book."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.ladder = Ladder()
        self.is_live = False
        self.update_id = self.update_ns = self.snapshot_ns = 0
        self.cause = ""
        self.lost_ns: int | None = None
        self.next_snapshot_ns: int | None = None
        self.first_ns: int | None = None
        self.last_ns = 0
        self._is_past = False
        self._fault = 0, 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing that follows can change what is known."""
        is_within = self.first_ns is not None and self.first_ns <= self.at_ns
        return self._is_past and is_within and (self.is_live or self.next_snapshot_ns is not None)

    def take(self, records: Records) -> None:
        """Takes the next records in; one without a time has that of the one before, or the first that there is."""
        times = records["ts_event_ns"]
        if self.first_ns is None and times.any():
            self.first_ns = self.last_ns = int(times[times != 0][0])
        times = np.maximum.accumulate(np.concatenate(([self.last_ns], times)))[1:]
        self.last_ns = int(times[-1])
        until = 0 if self._is_past else int(times.searchsorted(self.at_ns, "right"))
        if until < len(records):
            # Levels of one message may have times of their own: a message that is not over has not happened.
            while until and of_one_message(records[until - 1 : until], records[until]).all():
                until -= 1
            self._is_past = True
        self._play(records[:until], times[:until])
        begins = np.flatnonzero(records["kind"][until:] == _BEGIN)
        if self.next_snapshot_ns is None and len(begins):
            self.next_snapshot_ns = int(times[until + int(begins[0])])

    def _play(self, records: Records, times: Any) -> None:
        kinds = records["kind"]
        turns = np.flatnonzero(~np.isin(kinds, _LEVELS)).tolist()
        for first, last in zip([-1, *turns], [*turns, len(records)], strict=True):
            if first >= 0:
                self._turn(records[first], int(times[first]))
            levels = records[first + 1 : last]
            if len(levels):
                side = np.where(levels["flags"] & FLAG["bid"] != 0, 1, -1).astype(np.int8)
                price, quantity = (np.ascontiguousarray(levels[name]) for name in ("price", "quantity"))
                self.ladder.play([], side, price, quantity)
                self.update_id, self.update_ns = int(levels["id"][-1]), int(times[last - 1])

    def _turn(self, record: Any, time_ns: int) -> None:
        kind, recv_ns = int(record["kind"]), int(record["ts_recv_ns"])
        if kind == _BEGIN:
            self.ladder.clear()
            self.is_live, self.snapshot_ns, self.update_ns = True, time_ns, time_ns
        elif kind == _LOST:
            self.ladder.clear()
            self.is_live, self.lost_ns = False, time_ns
            cause, when_ns = self._fault
            self.cause = _CAUSES[cause] if cause and when_ns == recv_ns else ""
        else:
            self._fault = kind, recv_ns


def _played(blocks: Iterable[Records], at_ns: int) -> _Player:
    player = _Player(at_ns)
    for records in whole_messages(iter(blocks)):
        player.take(records)
        if player.is_settled:
            break
    return player


def _checked(player: _Player, name: str, covered: tuple[int, int] | None = None) -> None:
    """Raises where there is no book to be trusted at the moment."""
    if player.first_ns is None:
        raise DataError(f"{name}: there is no book in it whose updates have a time")
    first_ns, last_ns = covered or (player.first_ns, player.last_ns)
    at = time_text(player.at_ns)
    if not first_ns <= player.at_ns <= last_ns:
        raise DataError(
            f"{name}: {at} is outside of the data, which runs from {time_text(first_ns)} to {time_text(last_ns)}"
        )
    if player.is_live:
        return
    follows = player.next_snapshot_ns
    then = "no snapshot follows" if follows is None else f"the next snapshot is that of {time_text(follows)}"
    if player.cause and player.lost_ns is not None:
        raise DataError(
            f"{name}: no book to be trusted at {at}: {player.cause} at {time_text(player.lost_ns)}, and {then}"
        )
    raise DataError(f"{name}: no book to be trusted at {at}: it waits for a snapshot, and {then}")


def book_in_capture(
    paths: Sequence[Path],
    venue: str,
    at_ns: int,
    symbol: str | None = None,
    instruments: Iterable[VenueInstrument] | None = None,
) -> BookAt:
    """The book of an instrument in a capture at a venue's time; the capture is read up to there.

    Raises ``DataError`` where the moment is outside of the data, and where the book must not be trusted at it.
    """
    from neural_trader.market.captures import CaptureReader

    reader = CaptureReader(paths, venue, instruments)
    name = " + ".join(path.name for path in paths)
    chosen = _Choice(reader, symbol, name)
    player = _played(chosen.blocks(), at_ns)
    if chosen.number is None:
        wanted = "" if symbol is None else f" of {symbol}"
        raise DataError(f"{name}: no book{wanted} of {venue} in this capture")
    instrument = reader.instruments[chosen.number]
    _checked(player, f"{name}, {instrument.symbol}")
    return _book(instrument.symbol, (Step(*instrument.tick), Step(*instrument.data_lot)), player)


def _book(symbol: str, grid: tuple[Step, Step], player: _Player) -> BookAt:
    return BookAt(symbol, *grid, player.at_ns, player.ladder, player.update_id, player.update_ns, player.snapshot_ns)


class _Choice:
    """The records of one book among those of a capture."""

    def __init__(self, reader: Any, symbol: str | None, name: str) -> None:
        self._reader, self._symbol, self._name = reader, symbol, name
        self.number: int | None = None

    def blocks(self) -> Iterator[Records]:
        """The levels of the book and what makes or breaks it, block by block."""
        own = [_BEGIN, _LOST, *_LEVELS, *_CAUSES]
        for events in self._reader:
            self._choose(events)
            if self.number is None:
                continue
            about = (events["instrument"] == self.number) | (events["instrument"] == _CONNECTION)
            records = events[about & np.isin(events["kind"], own)]
            if len(records):
                yield records

    def _choose(self, events: Records) -> None:
        numbers = np.unique(events["instrument"][np.isin(events["kind"], _LEVELS)]).tolist()
        symbols = {number: self._reader.instruments[number].symbol for number in numbers}
        if self._symbol is not None:
            named = {number for number, symbol in symbols.items() if symbol == self._symbol}
            self.number = next(iter(named), self.number)
            return
        if self.number is not None:
            numbers = [*{self.number, *numbers}]
        if len(numbers) > 1:
            known = ", ".join(self._reader.instruments[number].symbol for number in numbers[:6])
            raise DataError(f"{self._name}: holds books of {known}; say which with --symbol")
        self.number = numbers[0] if numbers else self.number


def book_in_dataset(dataset: Dataset, at_ns: int) -> BookAt:
    """The book of a depth dataset of the catalog at a moment; only what lies between its snapshot and then is read.

    Raises ``DataError`` as :func:`book_in_capture` does.
    """
    if dataset.key.kind != "depth":
        raise DataError(f"{dataset.key}: a book is made of depth, and these are {dataset.key.kind}")

    def read(manifest: Manifest) -> BookAt:
        player = _played(_rows(dataset, manifest, at_ns), at_ns)
        _checked(player, str(dataset.key), (manifest.first_ns, manifest.last_ns))
        return _book(manifest.key.symbol, (manifest.tick, manifest.lot), player)

    return dataset.undisturbed(read)


def _rows(dataset: Dataset, manifest: Manifest, at_ns: int) -> Iterator[Records]:
    """Rows as records, from the last snapshot before the moment on."""
    import polars as pl

    dates = sorted(manifest.parts)
    start, row = 0, 0
    for at, date in reversed([*enumerate(dates)]):
        is_begin = pl.col("is_snapshot") & ((pl.col("side") == 0) | ~pl.col("is_snapshot").shift(1, fill_value=False))
        is_begin &= pl.col("ts_event").dt.epoch("ns") <= at_ns
        scanned = pl.scan_parquet(dataset.path_of(date), glob=False, hive_partitioning=False)
        found = scanned.with_row_index("row").filter(is_begin).select(pl.col("row").max()).collect().item()
        if found is not None:
            start, row = at, int(found)
            break
    is_within = False
    for date in dates[start:]:
        scanned = pl.scan_parquet(dataset.path_of(date), glob=False, hive_partitioning=False)
        for first in range(row, manifest.parts[date].rows, SLICE):
            frame = scanned.slice(first, SLICE).collect()
            yield _records(frame, manifest, is_within)
            is_within = bool(frame["is_snapshot"][-1])
        row = 0


def _records(frame: pl.DataFrame, manifest: Manifest, is_within: bool) -> Records:
    """Rows as records; a snapshot that no row announces is announced, unless rows of it came before."""
    from neural_trader.market.catalog.rows import counts_of

    records = np.zeros(len(frame), EVENT)
    for name, column in (("ts_event_ns", "ts_event"), ("ts_recv_ns", "ts_recv"), ("id", "sequence")):
        records[name] = frame[column].to_physical().fill_null(0).to_numpy()
    records["price"] = counts_of(frame["price"].to_numpy(), manifest.tick)
    records["quantity"] = counts_of(frame["quantity"].to_numpy(), manifest.lot)
    side, is_snapshot = frame["side"].to_numpy(), frame["is_snapshot"].to_numpy()
    records["flags"] = np.select([side > 0, side < 0], [FLAG["bid"], FLAG["ask"]], 0)
    records["kind"] = np.where(
        side == 0, np.where(is_snapshot, _BEGIN, _LOST), np.where(is_snapshot, KIND["snapshot_level"], KIND["level"])
    )
    before = np.concatenate(([is_within], is_snapshot[:-1]))
    unannounced = np.flatnonzero(is_snapshot & ~before & (side != 0))
    begins = records[unannounced]
    begins["kind"] = _BEGIN
    return np.insert(records, unannounced, begins)
