"""The order in which bars become known: close moments and open moments (docs/fill-rules.md section 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from neural_trader.baseline.instrument import Bar

CLOSE, OPEN = 0, 1
"""Numbered so that at one time bars that end come before bars that begin."""


class Moment(NamedTuple):
    """All instruments, in ascending order, whose bars close (or open) at one time."""

    time_ns: int
    phase: int
    instruments: list[int]


class OfBars(Protocol):
    """An instrument, of which only the bars matter here."""

    @property
    def bars(self) -> Sequence[Bar]: ...


def moments(instruments: Sequence[OfBars]) -> Iterator[Moment]:
    """Every moment of the run, in order."""
    events = sorted(
        event
        for index, instrument in enumerate(instruments)
        for bar in instrument.bars
        for event in ((bar.close_ns, CLOSE, index), (bar.open_ns, OPEN, index))
    )
    for (time_ns, phase), group in groupby(events, key=lambda event: event[:2]):
        yield Moment(time_ns, phase, [index for _, _, index in group])
