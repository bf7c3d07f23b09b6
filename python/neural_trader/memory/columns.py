"""What filters look at, card by card: columns beside the points of an index, row for row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_trader.errors import UsageError
from neural_trader.memory.cards import OPEN_NS
from neural_trader.memory.store import Change

Mask = NDArray[np.bool_]
_NUMBERS: dict[str, Any] = {
    "id": np.int64,
    "time_ns": np.int64,
    "close_ns": np.int64,
    "gain": np.float64,
    "lives": bool,
}
_TEXTS = ("strategy", "symbol", "regime")


@dataclass(frozen=True)
class Filter:
    """Which cards count; what is None does not matter."""

    symbol: str | None = None
    strategy: str | None = None
    regime: str | None = None
    after_ns: int | None = None
    """Decided at or after this time."""
    before_ns: int | None = None
    """Known before this time: decided before it, and ended before it unless ``ended`` is False."""
    ended: bool | None = None
    """Only cards that have ended, or only those that have not, as far as is known at ``before_ns``."""
    won: bool | None = None
    """Only cards that ended with a gain, or only those that ended without one."""

    def __post_init__(self) -> None:
        if self.ended is False and self.won is not None:
            raise UsageError("a card that has not ended has neither won nor lost")

    def document(self) -> dict[str, Any]:
        """What is set of it."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Columns:
    """Growing columns; names are kept as numbers, so that a filter is a comparison of integers."""

    def __init__(self) -> None:
        self.count = 0
        self.version = 0
        """Rises when a row changes, and is 0 while all live; rows that are added change none."""
        self._arrays = {
            **{name: np.empty(0, dtype=dtype) for name, dtype in _NUMBERS.items()},
            **{name: np.empty(0, dtype=np.int32) for name in _TEXTS},
        }
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _TEXTS}
        self._row_of: dict[int, int] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name][: self.count]

    def row_of(self, card: int) -> int | None:
        """The row of a card, if it has one."""
        return self._row_of.get(card)

    def add(self, changes: Sequence[Change]) -> None:
        """Add a row for each card."""
        self._reserve(self.count + len(changes))
        rows = slice(self.count, self.count + len(changes))
        self.count += len(changes)
        for name in ("id", "time_ns", "close_ns", "gain"):
            self._arrays[name][rows] = [getattr(each, name) for each in changes]
        self._arrays["lives"][rows] = True
        for name in _TEXTS:
            codes = self._codes[name]
            self._arrays[name][rows] = [codes.setdefault(getattr(each, name), len(codes)) for each in changes]
        self._row_of.update((each.id, rows.start + at) for at, each in enumerate(changes))

    def end(self, row: int, change: Change) -> None:
        """Note that a card has ended."""
        self.version += 1
        self._arrays["close_ns"][row] = change.close_ns
        self._arrays["gain"][row] = change.gain

    def forget(self, ids: Iterable[int]) -> None:
        """Let no filter pass these cards any more."""
        self.version += 1
        for card in ids:
            row = self._row_of.get(card)
            if row is not None:
                self._arrays["lives"][row] = False

    def mask(self, wanted: Filter, start: int = 0) -> Mask | None:
        """The rows from ``start`` on that a filter lets through; None if that is all of them."""
        known_ns = OPEN_NS if wanted.before_ns is None else wanted.before_ns
        column = {name: self[name][start:] for name in self._arrays}
        masks: list[Mask] = []
        if not column["lives"].all():
            masks.append(column["lives"])
        for name in _TEXTS:
            text = getattr(wanted, name)
            if text is not None:
                masks.append(column[name] == self._codes[name].get(text, -1))
        if wanted.after_ns is not None:
            masks.append(column["time_ns"] >= wanted.after_ns)
        if wanted.before_ns is not None:
            masks.append(column["time_ns"] < wanted.before_ns)
        # What was not known to have ended before a time must neither be shown nor felt then.
        only_by_time = wanted.ended is None and wanted.before_ns is not None
        if wanted.ended or wanted.won is not None or only_by_time:
            masks.append(column["close_ns"] < known_ns)
        if wanted.ended is False:
            masks.append(column["close_ns"] >= known_ns)
        if wanted.won is not None:
            masks.append((column["gain"] > 0) == wanted.won)
        return np.logical_and.reduce(masks) if masks else None

    def document(self) -> dict[str, NDArray[Any]]:
        """All that is needed to make these columns again, as arrays."""
        arrays = {name: self[name] for name in self._arrays}
        return arrays | {f"{name}_names": np.array(list(self._codes[name]), dtype=np.str_) for name in _TEXTS}

    @classmethod
    def of(cls, document: dict[str, NDArray[Any]]) -> Columns:
        """The columns that :meth:`document` described."""
        columns = cls()
        columns.count = len(document["id"])
        columns._arrays = {name: document[name].copy() for name in columns._arrays}
        columns._codes = {name: {str(text): at for at, text in enumerate(document[f"{name}_names"])} for name in _TEXTS}
        columns._row_of = {int(card): row for row, card in enumerate(document["id"])}
        columns.version = 0 if columns["lives"].all() else 1
        return columns

    def _reserve(self, count: int) -> None:
        room = len(self._arrays["id"])
        if count > room:
            for name, array in self._arrays.items():
                grown = np.empty(max(count, 2 * room, 1024), dtype=array.dtype)
                grown[:room] = array
                self._arrays[name] = grown
