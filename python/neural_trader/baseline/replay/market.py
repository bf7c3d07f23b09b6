"""One instrument at its venue: its book, our orders that rest in it or wait beside it, and the prices last known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from neural_trader.baseline.contract import Contract
from neural_trader.baseline.instrument import Bar
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.records import BUY, SELL
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.baseline.replay.orders_depth import depth_named
from neural_trader.baseline.replay.queues import UNKNOWN
from neural_trader.baseline.terms import ContractTerms
from neural_trader.errors import EngineError


class Step(NamedTuple):
    """A tick or a lot: ``mantissa / 10**decimals``."""

    mantissa: int
    decimals: int


class Grid(NamedTuple):
    """An instrument's symbol, and the steps of its prices and quantities."""

    symbol: str
    tick: Step
    lot: Step


def check_order(grids: Sequence[Grid]) -> None:
    """Raise EngineError unless symbols ascend."""
    if any(first.symbol.encode() >= second.symbol.encode() for first, second in pairwise(grids)):
        raise EngineError("instruments must be in ascending order of their symbols, each symbol once")


def one_for_each(names: str | Sequence[str], count: int) -> list[str]:
    """A word for all instruments, or one for each of them."""
    each = [names] * count if isinstance(names, str) else list(names)
    if len(each) != count:
        raise EngineError("depth and trades are one for all instruments, or one for each")
    return each


class Market:
    """What the venue knows of one instrument."""

    bars: Sequence[Bar] = ()
    """An instrument of records has none."""

    def __init__(
        self,
        index: int,
        grid: Grid,
        ledger: Ledger,
        terms: ContractTerms,
        *,
        depth: str,
        trades: int,
        first: bool = False,
        is_rate: bool = False,
    ) -> None:
        self.index = index
        self.grid = grid
        self.contract = Contract(grid, terms)
        self.is_rate = is_rate
        """Whether the mark says what a currency is worth, so that it is needed without a position too."""
        self.depth = depth_named(depth)
        self.trades = trades
        """The kind of record that tells trades."""
        self.last_trade: int | None = None
        self.mark = 0
        """The price at which the position could be closed, when it was last looked at; 0 before any is known."""
        self.resting: dict[int, list[ReplayOrder]] = {BUY: [], SELL: []}
        """Our queue on each side, in the order of arrival."""
        self.aggressor: tuple[int, int, int] | None = None
        """Whoever fills single orders now: of which side, when, and how much of ours it has filled."""
        self.waiting: dict[int, ReplayOrder] = {}
        """Stops that have not triggered, by id."""
        self._ledger = ledger
        self._first = first

    @property
    def position(self) -> int:
        return self._ledger.position(self.index)

    def value(self) -> None:
        """Look at the mark: the best bid for what we hold, the best ask for what we owe, if there is one."""
        if self.position == 0 and not self.is_rate:
            return
        best = self.depth.best(SELL if self.position < 0 else BUY)
        if best is not None:
            self.mark = best[0]

    def queue(self, side: int) -> list[ReplayOrder]:
        """Our orders at rest on one side, the best price first, then the one that came first; a copy."""
        return sorted(self.resting[side], key=lambda order: -side * order.limit)

    def join_queue(self, order: ReplayOrder) -> None:
        """Put an order at the end of our queue at its price, behind what is displayed there."""
        self.remove(order)
        order.front = self._front(order)
        order.traded = 0
        order.shown = min(order.display, order.leaves)
        self.resting[order.side].append(order)
        self.depth.place(order)

    def _front(self, order: ReplayOrder) -> float:
        if self._first:
            return 0.0
        if not self.depth.is_known:
            return UNKNOWN
        if self.depth.has_only_best:
            best = self.depth.best(order.side)
            if best is None or order.side * (best[0] - order.limit) > 0:
                return UNKNOWN
        return float(self.depth.displayed(order.side, order.limit))

    def remove(self, order: ReplayOrder) -> None:
        """Forget an order that has ended, or that leaves its queue."""
        self.waiting.pop(order.id, None)
        if self.rests(order):
            self.resting[order.side] = [other for other in self.resting[order.side] if other is not order]
            self.depth.leave(order)

    def rests(self, order: ReplayOrder) -> bool:
        return any(other is order for other in self.resting[order.side])
