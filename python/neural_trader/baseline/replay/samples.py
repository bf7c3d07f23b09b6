"""Equity and best prices, looked at in equal steps of time at the venue (docs/book-rules.md section 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from neural_trader.baseline.records import BUY, SELL
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.market import Market
from neural_trader.baseline.replay.sources import Source


class Samples:
    """When samples are due, and those that were taken."""

    def __init__(self, sources: Sequence[Source], closes_ns: Iterable[int], interval_ns: int | None) -> None:
        self.equity: list[tuple[int, int]] = []
        self.touches: list[tuple[int, int]] = []
        self.at_closes = interval_ns is None
        """Whether they are due at the closes of bars, and at no other time."""
        times = {time_ns for source in sources for time_ns in source.venue_ns if time_ns > 0}
        times |= {time_ns for time_ns in closes_ns if time_ns > 0}
        # The end of each interval in which something happened: a market that sleeps is not sampled.
        ends = {-(-time_ns // interval_ns) * interval_ns for time_ns in times} if interval_ns is not None else ()
        self._due = deque(sorted(ends))

    @property
    def next_ns(self) -> int | None:
        return self._due[0] if self._due else None

    def take(self, execution: Execution, markets: Sequence[Market]) -> None:
        """Take the sample that is due now."""
        self._take(self._due.popleft(), execution, markets)

    def take_at_close(self, execution: Execution, markets: Sequence[Market]) -> None:
        """Take one at the end of a close moment, where that is when they are due."""
        if self.at_closes:
            self._take(execution.now_ns, execution, markets)

    def take_last(self, end_ns: int, execution: Execution, markets: Sequence[Market]) -> None:
        """Take one at the end of the run, unless there was one."""
        if end_ns >= 0 and (not self.equity or self.equity[-1][0] < end_ns):
            execution.now_ns = end_ns
            self._take(end_ns, execution, markets)

    def _take(self, time_ns: int, execution: Execution, markets: Sequence[Market]) -> None:
        for market in markets:
            market.value()
        execution.check_ruin()
        self.equity.append((time_ns, execution.equity()))
        self.touches += [_touch(market) for market in markets]


def _touch(market: Market) -> tuple[int, int]:
    bid, ask = market.depth.best(BUY), market.depth.best(SELL)
    return bid[0] if bid else 0, ask[0] if ask else 0
