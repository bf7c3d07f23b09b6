"""A stretch of a market, with the bars after it made into others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.market.bars import Bars

if TYPE_CHECKING:
    from neural_trader.market.bars import Series, Step

TAIL = 8
"""Bars that are played after the end of an excerpt, so that whoever looks ahead finds something there."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """The bars of a series that open at or after one time and close up to another; a ``Series``.

    A few bars follow. With a ``factor`` their prices are multiplied by it, but for the opening of a bar that is open at
    ``until_ns``, which is known by then; without one they are those of the series.
    """

    series: Series
    until_ns: int
    from_ns: int | None = None
    factor: float | None = None

    def pieces(self) -> Iterator[Bars]:
        """The bars of the excerpt, then those that follow."""
        left = TAIL
        for piece in self.series.pieces():
            first = 0 if self.from_ns is None else int(np.searchsorted(piece.open_ns, self.from_ns))
            last = int(np.searchsorted(piece.close_ns, self.until_ns, side="right"))
            if first < last:
                yield piece.rows(first, last)
            after = piece.rows(max(first, last), max(first, last) + left)
            left -= len(after)
            if len(after):
                yield after if self.factor is None else self._others(after, self.factor)
            if not left:
                return

    def _others(self, bars: Bars, factor: float) -> Bars:
        """The bars at other prices; multiplying keeps their order, so that they are bars as before."""

        def scaled(column: Any) -> Any:
            return np.maximum(1, np.rint(column * factor)).astype(np.int64)

        open_, high, low, close = (scaled(column) for column in (bars.open, bars.high, bars.low, bars.close))
        known = bars.open_ns <= self.until_ns
        open_ = np.where(known, bars.open, open_)
        volume = None if bars.volume is None else bars.volume * 2 + 1
        return replace(
            bars, open=open_, high=np.maximum(high, open_), low=np.minimum(low, open_), close=close, volume=volume
        )

    def __len__(self) -> int:
        return sum(len(piece) for piece in self.pieces())

    def marks(self) -> Iterator[Bars]:
        """All of it."""
        return self.pieces()

    def whole(self) -> Bars:
        """All of it in memory."""
        parts = list(self.pieces())
        if not parts:
            return self.empty()
        joined: dict[str, Any] = {
            column.name: np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(Bars)
            if isinstance(getattr(parts[0], column.name), np.ndarray)
        }
        return replace(parts[0], **joined)

    def empty(self) -> Bars:
        """The same instrument without bars."""
        return self.series.empty()

    @property
    def symbol(self) -> str:
        return self.series.symbol

    @property
    def tick(self) -> Step:
        return self.series.tick

    @property
    def lot(self) -> Step:
        return self.series.lot

    @property
    def origin(self) -> str:
        return self.series.origin

    @property
    def source(self) -> str:
        return self.series.source

    @property
    def interval_ns(self) -> int:
        return self.series.interval_ns

    @property
    def notes(self) -> tuple[str, ...]:
        return self.series.notes

    @property
    def start_ns(self) -> int:
        return self.series.start_ns if self.from_ns is None else self.from_ns

    @property
    def end_ns(self) -> int:
        return self.until_ns
