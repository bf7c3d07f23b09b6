"""Records of a live session into the catalog, a part at a time, with the rows that an import of its files would make.

A row of quotes or depth is known by its time and its place among the rows of that time. So the rows of one time are
stored together: the latest time waits until another one has come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.catalog.capturing import datasets_in
from neural_trader.market.catalog.manifest import Origin
from neural_trader.market.catalog.names import Key
from neural_trader.market.catalog.spool import GROUPS, Spool, spool_folder
from neural_trader.market.catalog.store import Catalog

if TYPE_CHECKING:
    import numpy as np

    from neural_trader.market.venue_instruments import VenueInstrument

    Records = np.ndarray[Any, np.dtype[Any]]

TRADES = ("trade", "aggregate_trade")
_KINDS = {"trade": "trades", "aggregate_trade": "trades", "quote": "quotes", "depth": "depth"}


class Timed:
    """Quotes or depth of an instrument on their way: records that wait, and the latest time among those before."""

    def __init__(self, stored_ns: int | None) -> None:
        self._waiting: list[Records] = []
        self._latest_ns = 0
        self._stored_ns = stored_ns
        self._is_named: bool | None = None
        """Whether the venue names times; unknown before the first record."""
        self.lifted = 0
        self.late = 0

    def add(self, records: Records) -> None:
        self._waiting.append(records)

    def take(self, *, is_last: bool, may_be_unnamed: bool) -> Records | None:
        """The records whose time is complete, with the times that they are to be stored with."""
        import numpy as np

        if not self._waiting:
            return None
        records = np.concatenate(self._waiting)
        self._waiting = [records]
        named = bool(records["ts_event_ns"].any())
        if self._is_named is None:
            if not (named or may_be_unnamed or is_last):
                return None
            self._is_named = named
        times = self._times(records)
        sided = _sided(records)
        if not len(sided):
            return None
        # A level or a quote waits too, because rows that only frame them make no dataset when the session ends.
        cut = len(times) if is_last else int(np.searchsorted(times, times[sided[-1]]))
        if sided[0] >= cut:
            return None
        self._waiting = [records[cut:]] if cut < len(records) else []
        self._latest_ns = int(times[cut - 1])
        ready = records[:cut].copy()
        named_late = (ready["ts_event_ns"] != times[:cut]) & (ready["ts_event_ns"] != 0)
        self.late += int(named_late.sum()) if self._is_named else 0
        ready["ts_event_ns"] = times[:cut]
        if self._stored_ns is not None:
            same = ready["ts_event_ns"] == self._stored_ns
            self.lifted += int(same.sum())
            ready["ts_event_ns"][same] += 1
        return ready

    def notes(self) -> Iterator[str]:
        """What is to be known about the times."""
        if self._is_named is False:
            yield "the venue names no times; ts_event is that of receipt"
        if self.late:
            yield f"{self.late} records carry a time before that of the record above; they have the latter"
        if self.lifted:
            yield f"{self.lifted} records had the time with which an earlier session ended; they are a nanosecond later"

    def _times(self, records: Records) -> Any:
        """Times that never fall: a record without one has that of the record before it, or the first one there is."""
        import numpy as np

        times = records["ts_event_ns" if self._is_named else "ts_recv_ns"]
        first_ns = self._latest_ns or int(times[times != 0][0])
        return np.maximum.accumulate(np.concatenate(([first_ns], times)))[1:]


def _sided(records: Records) -> Any:
    """Where there is a bid or an ask, and not only the frame of a snapshot."""
    import numpy as np

    from neural_trader.market.events import FLAG

    return np.flatnonzero(records["flags"] & (FLAG["bid"] | FLAG["ask"]))


class Storing:
    """The catalog's end of a recording."""

    def __init__(self, catalog: Catalog, venue: str, instruments: Sequence[VenueInstrument], name: str) -> None:
        self.catalog = catalog
        self.rows: dict[str, int] = {}
        """Rows that were added, by dataset."""
        self.failed: dict[str, str] = {}
        """What went wrong, by dataset, which is left alone from then on."""
        self._venue, self._instruments = venue, instruments
        self._origin = Origin(name, hashlib.sha256(name.encode()).hexdigest(), 0)
        self._trades: list[Records] = []
        self._timed: dict[tuple[int, str], Timed] = {}

    def add(self, events: Records) -> None:
        """Takes records in; fast, and nothing is written."""
        import numpy as np

        from neural_trader.market.events import KIND

        trades = events[np.isin(events["kind"], [KIND[name] for name in TRADES])]
        if len(trades):
            self._trades.append(trades)
        for group in ("quote", "depth"):
            of_group = events[np.isin(events["kind"], [KIND[name] for name in GROUPS[group]])]
            for number in np.unique(of_group["instrument"]).tolist():
                if number < len(self._instruments):
                    self._timed_of(number, group).add(of_group[of_group["instrument"] == number])

    @property
    def notes(self) -> list[str]:
        """What is to be known about the rows."""
        names = {"quote": "quotes", "depth": "levels"}
        return [
            f"{self._instruments[number].symbol} {names[group]}: {text}"
            for (number, group), timed in self._timed.items()
            for text in timed.notes()
        ]

    def _timed_of(self, number: int, group: str) -> Timed:
        if (number, group) not in self._timed:
            self._timed[number, group] = Timed(self._stored_ns(number, group))
        return self._timed[number, group]

    def _stored_ns(self, number: int, group: str) -> int | None:
        """The time with which an earlier session ended."""
        key = Key(self._venue, self._instruments[number].symbol, _KINDS[group])
        try:
            return self.catalog.dataset(key).manifest().last_ns
        except DataError:
            return None

    def take(self, *, is_last: bool = False) -> list[Records]:
        """What can be stored now."""
        taken, self._trades = self._trades, []
        for (_, group), timed in self._timed.items():
            ready = timed.take(is_last=is_last, may_be_unnamed=group == "quote")
            if ready is not None:
                taken.append(ready)
        return taken

    def store(self, taken: list[Records]) -> None:
        """Puts what was taken into the catalog, which may take a while."""
        if not taken:
            return
        with spool_folder(self.catalog.root) as folder:
            spool = Spool(folder)
            for records in taken:
                spool.add(records)
            for number, instrument in enumerate(self._instruments):
                self._store_one(spool, number, instrument)

    def _store_one(self, spool: Spool, number: int, instrument: VenueInstrument) -> None:
        # Notes on the times of rows are made where the times are; that some trades were put in order is no news.
        for pieces in datasets_in(spool, number, instrument, []):
            first = next(pieces)
            key = str(Key(self._venue, first.symbol, first.kind))
            if key in self.failed:
                continue
            try:
                done = self.catalog.append_pieces(chain([first], pieces), self._venue, self._origin)
            except DataError as error:
                self.failed[key] = str(error)
                continue
            if done is not None:
                self.rows[key] = self.rows.get(key, 0) + done.new
