"""Bars of the catalog that stay in their files: read one after the other as often as somebody goes through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neural_trader.market.bars import Bars
from neural_trader.market.catalog.reading import MARKS, bars_of_frame, item_of, marks_of_frame, no_bars, nothing_there
from neural_trader.market.catalog.store import dates_within
from neural_trader.market.consistency import refuse_inconsistent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neural_trader.market.bars import Step
    from neural_trader.market.catalog.manifest import Manifest
    from neural_trader.market.catalog.store import Dataset


PIECE = 8_192
"""Bars in a piece: enough to make its cost vanish, and few beside a file where many instruments are played."""


@dataclass(frozen=True, eq=False)
class StoredBars:
    """The bars that a dataset had when its manifest was read, or those of a window of time; a ``Series``."""

    dataset: Dataset
    manifest: Manifest
    window: tuple[int | None, int | None]
    blank: Bars
    """The same instrument without bars."""
    count: int
    start_ns: int
    """When the first bar opens."""
    end_ns: int
    """When the last bar closes."""

    @classmethod
    def of(cls, dataset: Dataset, manifest: Manifest, start_ns: int | None, end_ns: int | None) -> StoredBars:
        """The bars that open in a window; DataError where there are none."""
        dates = dates_within(manifest, start_ns, end_ns)
        # Only the first and the last file can lie partly outside.
        ends = {date: dataset.period(manifest, date, start_ns, end_ns) for date in {*dates[:1], *dates[-1:]}}
        count = sum(len(ends[date]) if date in ends else manifest.parts[date].rows for date in dates)
        if not count:
            raise nothing_there(manifest, start_ns, end_ns)
        first, last = (bars_of_frame(manifest, ends[date]) for date in (dates[0], dates[-1]))
        return cls(dataset, manifest, (start_ns, end_ns), no_bars(manifest), count, first.start_ns, last.end_ns)

    def __len__(self) -> int:
        return self.count

    def pieces(self) -> Iterator[Bars]:
        """The bars in order, held to what bars in memory are held to; one file at a time is in memory."""
        before, closed_ns = 0, None
        for date in dates_within(self.manifest, *self.window):
            bars = bars_of_frame(self.manifest, self.dataset.period(self.manifest, date, *self.window))
            refuse_inconsistent(bars, before, closed_ns)
            yield from _cut(bars)
            before, closed_ns = before + len(bars), bars.end_ns

    def marks(self) -> Iterator[Bars]:
        """Times, opens and closes of the bars, which is what the value of an account is read off."""
        for date in dates_within(self.manifest, *self.window):
            frame = self.dataset.period(self.manifest, date, *self.window, MARKS)
            yield from _cut(marks_of_frame(self.manifest, frame))

    def whole(self) -> Bars:
        """All of them in memory."""
        bars = item_of(self.dataset, self.manifest, *self.window)
        assert isinstance(bars, Bars)
        refuse_inconsistent(bars)
        return bars

    def empty(self) -> Bars:
        """The same instrument without bars."""
        return self.blank

    @property
    def symbol(self) -> str:
        return self.blank.symbol

    @property
    def tick(self) -> Step:
        return self.blank.tick

    @property
    def lot(self) -> Step:
        return self.blank.lot

    @property
    def origin(self) -> str:
        return self.blank.origin

    @property
    def source(self) -> str:
        return self.blank.source

    @property
    def interval_ns(self) -> int:
        return self.blank.interval_ns

    @property
    def notes(self) -> tuple[str, ...]:
        return self.blank.notes


def _cut(bars: Bars) -> Iterator[Bars]:
    for first in range(0, len(bars), PIECE):
        yield bars.rows(first, first + PIECE)
