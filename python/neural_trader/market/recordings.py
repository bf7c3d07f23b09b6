"""Recorded books and trades as the engine replays them: records of 48 bytes, and the grids that they count on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, KIND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Counts = dict[str, int]

BOOKS = ("level", "snapshot_level")
"""Kinds that make a book of levels."""


def depth_of(kinds: Mapping[str, int]) -> str:
    """What a book is made of, given how many records there are of each kind: orders, else levels, else quotes."""
    if kinds.get("order_add"):
        return "orders"
    return "levels" if any(kinds.get(name) for name in BOOKS) else "quotes"


def trades_of(kinds: Mapping[str, int]) -> str:
    """Which records tell trades: single ones, or where there are none, those of one aggressor in one."""
    return "trade" if kinds.get("trade") or not kinds.get("aggregate_trade") else "aggregate_trade"


class Listed(NamedTuple):
    """An instrument of a recording: its symbol, and the steps that prices and quantities count."""

    symbol: str
    tick: Step
    lot: Step


@dataclass(frozen=True, eq=False)
class Recording:
    """Records of one connection in the order of their receipt, and their instruments by number."""

    records: NDArray[Any]
    """With the dtype ``EVENT``."""
    instruments: tuple[Listed, ...]
    origin: Literal["synthetic", "file", "memory"] = "memory"
    source: str = ""
    notes: tuple[str, ...] = ()
    """What was recognised, inferred or left out on the way in, one sentence each."""
    counts: Counts | None = None
    """How many records of each kind there are, where that is known without reading them."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """What makes it again: ``files`` and ``venue``, or ``seed`` and ``duration``; nothing for records from memory."""
    venue: str | None = None
    """Where it was recorded: what tells its symbols from those of other venues."""

    def __post_init__(self) -> None:
        if self.records.dtype != EVENT or self.records.ndim != 1:
            raise DataError(f"{self.source or 'recording'}: records are an array with the dtype EVENT")
        symbols = [each.symbol for each in self.instruments]
        twice = next((symbol for symbol in symbols if symbols.count(symbol) > 1), None)
        if twice is not None:
            raise DataError(f"{self.source or 'recording'}: {twice!r} is two of its instruments")

    def __len__(self) -> int:
        return len(self.records)

    @property
    def words(self) -> NDArray[np.int64]:
        """The records as the engine takes them, without a copy where the array is whole."""
        return np.require(self.records, requirements=["C", "A"]).view(np.int64)

    def kinds(self) -> Counts:
        """How many records of each kind there are."""
        if self.counts is not None:
            return self.counts
        counts = np.bincount(self.records["kind"], minlength=256)
        return {name: int(counts[code]) for name, code in KIND.items() if counts[code]}


def span_of(recording: Recording) -> tuple[int, int]:
    """When its first and its last record were received, or happened where that is unknown; 0 where there is none."""
    ends = [recording.records[at] for at in (0, -1)] if len(recording) else []
    begin, end = (int(each["ts_recv_ns"]) or int(each["ts_event_ns"]) for each in ends) if ends else (0, 0)
    return begin, end


def load_recording(data: str | Path | Sequence[str | Path], venue: str) -> Recording:
    """A recording from a captured session of a venue, in one file or several."""
    from neural_trader.market.captures import read_capture

    paths = [Path(data)] if isinstance(data, str | Path) else [Path(each) for each in data]
    capture = read_capture(paths, venue)
    if not len(capture.events) or not capture.instruments:
        raise DataError(f"{paths[0]}: no record of {venue} in this capture")
    listed = tuple(Listed(one.symbol, Step(*one.tick), Step(*one.data_lot)) for one in capture.instruments)
    notes = []
    if capture.inferred:
        grids = ", ".join(f"{one.symbol} {one.tick} x {one.lot}" for one in listed)
        notes.append(f"tick and lot were inferred from the data: {grids}")
    notes += [f"{path} was cut off, and is played up to there" for path in capture.torn]
    if capture.faults:
        notes.append(f"{len(capture.faults)} malformed messages were left out")
    faults = {name: count for name in ("gap", "bad_checksum", "crossed", "resync") if (count := capture.count(name))}
    if faults:
        notes.append(f"the capture has faults: {', '.join(f'{count} {name}' for name, count in faults.items())}")
    source = " + ".join(str(path) for path in paths)
    recipe = {"files": [str(path) for path in paths], "venue": venue}
    return Recording(capture.events, listed, "file", source, tuple(notes), recipe=recipe, venue=venue)


def synthetic_recording(seed: int, duration: str = "10m") -> Recording:
    """Levels and trades of a seeded random market that nobody ever traded in; :mod:`.order_flow` has its model."""
    from neural_trader.market.order_flow import LOT, TICK, collapsed, made_by, order_flow

    records = np.concatenate(list(collapsed(order_flow(seed=seed, duration=duration))))
    recipe = {"seed": seed, "duration": duration}
    return Recording(records, (Listed("ALPHA", TICK, LOT),), "synthetic", made_by(seed), recipe=recipe)
