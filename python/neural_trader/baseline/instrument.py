"""One instrument as the engine sees it: its bars, and what is known of them now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from typing import Any, NamedTuple, Protocol

from neural_trader.baseline.arithmetic import BILLION, div_down, int64
from neural_trader.baseline.contract import Contract, OnGrid
from neural_trader.baseline.terms import ContractTerms
from neural_trader.errors import EngineError


class BarsLike(OnGrid, Sized, Protocol):
    """The part of ``neural_trader.market.bars.Bars`` that the engine reads; any integer columns will do."""

    @property
    def open_ns(self) -> Any: ...
    @property
    def close_ns(self) -> Any: ...
    @property
    def open(self) -> Any: ...
    @property
    def high(self) -> Any: ...
    @property
    def low(self) -> Any: ...
    @property
    def close(self) -> Any: ...
    @property
    def volume(self) -> Any: ...
    @property
    def spread(self) -> Any: ...


class Bar(NamedTuple):
    """One bar; ``volume`` is None and ``spread`` 0 where the source does not know them."""

    open_ns: int
    close_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    spread: int


class Instrument:
    """Bars in order, how many of them have opened, the last known price and what is left of the volume budget."""

    def __init__(self, bars: BarsLike, volume_cap_ppb: int | None, terms: ContractTerms) -> None:
        self.symbol: str = bars.symbol
        self.contract = Contract(bars, terms)
        self.bars = read_bars(bars)
        self._volume_cap_ppb = volume_cap_ppb
        if volume_cap_ppb is not None and bars.volume is None:
            raise EngineError(f"{self.symbol}: a volume cap needs bars with volume")
        self.opened = 0
        self.mark = 0
        self.budget: int | None = None
        """Lots that orders may still fill in this bar; None without a cap."""

    @property
    def current(self) -> int:
        """Zero-based index of the bar that opened last."""
        return self.opened - 1

    @property
    def bar(self) -> Bar:
        return self.bars[self.current]

    def open_next_bar(self) -> None:
        self.opened += 1
        self.mark = self.bar.open
        self.budget = self.full_budget()

    def mark_where(self, in_danger: Callable[[], bool], best: int, worst: int) -> None:
        """Mark at the worst price of the bar, or at the first one on the way there at which equity does not suffice."""
        self.mark = worst
        if not in_danger():
            return
        safe, danger = best, worst
        while abs(danger - safe) > 1:
            self.mark = (safe + danger) // 2
            if in_danger():
                danger = self.mark
            else:
                safe = self.mark
        self.mark = danger

    def full_budget(self) -> int | None:
        """Lots that orders may fill in the current bar in all."""
        if self._volume_cap_ppb is None or self.bar.volume is None:
            return None
        return int64(div_down(self.bar.volume * self._volume_cap_ppb, BILLION), "volume budget")


def read_bars(bars: BarsLike) -> list[Bar]:
    """The columns as one record per bar, refused where they contradict each other."""
    n = len(bars)
    required = [bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close]
    volume = [None] * n if bars.volume is None else integers(bars.volume)
    spread = [0] * n if bars.spread is None else integers(bars.spread)
    rows = [Bar(*row) for row in zip(*map(integers, required), volume, spread, strict=True)]
    previous_close_ns = None
    for index, bar in enumerate(rows):
        ordered = bar.open_ns < bar.close_ns and (previous_close_ns is None or previous_close_ns <= bar.open_ns)
        priced = 1 <= bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        if not ordered or not priced or bar.spread < 0 or (bar.volume is not None and bar.volume < 0):
            raise EngineError(f"{bars.symbol}: bar {index} contradicts itself or the bar before it: {bar}")
        previous_close_ns = bar.close_ns
    return rows


def integers(column: Iterable[Any]) -> list[int]:
    return [int64(int(value), "bar value") for value in column]
