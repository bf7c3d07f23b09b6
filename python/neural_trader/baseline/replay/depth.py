"""The book of one instrument: what is displayed, what of it we have taken, whether it can be trusted (section 3)."""

from __future__ import annotations

from typing import NamedTuple

from neural_trader.baseline.ladder import Ladder, Level
from neural_trader.baseline.replay.events import COUNT_MAX, UNSIZED_FLAG, UNSIZED_QUANTITY, Event, EventKind, side_of
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.baseline.replay.queues import UNKNOWN
from neural_trader.errors import EngineError


class Change(NamedTuple):
    """A level that was set in a book that can be trusted; ``before`` is what was displayed at its price."""

    side: int
    price: int
    before: int
    quantity: int
    was_best: bool
    """Whether the price was the best of its side before."""


class OrderPlayed(NamedTuple):
    """A record of an order was played in a book that can be trusted."""

    side: int
    price: int
    may_cross: bool


class SnapshotEnded:
    """All levels of a snapshot are there."""


class Depth:
    """One book. It is *known* unless a snapshot is awaited or being read; an unknown book shows no level."""

    def __init__(self, *, quotes: bool) -> None:
        self.is_known = True
        self.has_only_best = quotes
        self._levels = Ladder()
        self._taken: dict[tuple[int, int], int] = {}

    # What it shows.

    def best(self, side: int) -> Level | None:
        return self._levels.best(side) if self.is_known else None

    def levels(self, side: int) -> list[Level]:
        """Price and quantity, the best first."""
        return self._levels.levels(side) if self.is_known else []

    def displayed(self, side: int, price: int) -> int:
        return self._levels.quantity_at(side, price) if self.is_known else 0

    def available(self, side: int, price: int) -> int:
        """What is displayed at a price and not yet taken by us."""
        return self.displayed(side, price) - self._taken.get((side, price), 0)

    def take(self, side: int, price: int, quantity: int) -> None:
        self._taken[side, price] = self._taken.get((side, price), 0) + quantity

    # Our orders in it: where every order is told, they stand in queues.

    def place(self, order: ReplayOrder) -> None:
        """An order of ours comes to rest."""

    def leave(self, order: ReplayOrder) -> None:
        """An order of ours rests no more, or goes to the end of its queue."""

    def ahead(self, order: ReplayOrder) -> float | None:
        """What others have before an order of ours; None if that is unknown."""
        return order.front if order.front < UNKNOWN else None

    def standing(self) -> list[int] | None:
        """The ids of ours that stand in queues; None where there are no queues."""
        return None

    # What records do to it.

    def read(self, event: Event) -> Change | OrderPlayed | SnapshotEnded | None:
        """Apply a record; what it returns is to be looked at by the orders."""
        side = side_of(event)
        if self.has_only_best:
            return self._read_quote(side, event) if side and event.kind == EventKind.QUOTE else None
        match event.kind:
            case EventKind.LEVEL if side:
                return self._read_level(side, event)
            case EventKind.SNAPSHOT_LEVEL if side:
                self._set(side, event.price, event.quantity)
            case EventKind.SNAPSHOT_BEGIN | EventKind.RESYNC:
                self._levels.clear()
                self.is_known = False
            case EventKind.SNAPSHOT_END:
                self.is_known = True
                for place in self._taken:
                    self._settle(*place)
                return SnapshotEnded()
        return None

    def _read_level(self, side: int, event: Event) -> Change | None:
        best = self.best(side)
        before = self._set(side, event.price, event.quantity)
        return self._change(side, event.price, before, event.quantity, best) if self.is_known else None

    def _read_quote(self, side: int, event: Event) -> Change:
        quantity = UNSIZED_QUANTITY if event.flags & UNSIZED_FLAG else event.quantity
        best = self.best(side)
        before = self._levels.quantity_at(side, event.price)
        self._levels.sides[side].clear()
        self._set(side, event.price, quantity)
        for taken_side, price in self._taken:
            if taken_side == side:
                self._settle(side, price)
        return self._change(side, event.price, before, quantity, best)

    def _change(self, side: int, price: int, before: int, quantity: int, best: Level | None) -> Change:
        return Change(side, price, before, quantity, was_best=best is not None and best[0] == price)

    def _set(self, side: int, price: int, quantity: int) -> int:
        """Say what is displayed at a price; return what was before."""
        if not 0 <= quantity <= COUNT_MAX or abs(price) > COUNT_MAX or (quantity and price <= 0):
            raise EngineError(f"a record says that {quantity} lots rest at {price} ticks, which no book holds")
        before = self._levels.set(side, price, quantity) if price > 0 else 0
        if self.is_known:
            self._settle(side, price)
        return before

    def _settle(self, side: int, price: int) -> None:
        """What was taken cannot be more than what is displayed."""
        self._taken[side, price] = min(self._taken.get((side, price), 0), self._levels.quantity_at(side, price))

    def check(self) -> None:
        """Raise EngineError where more was taken than is there."""
        for (side, price), taken in self._taken.items():
            if self.is_known and not 0 <= taken <= self.displayed(side, price):
                raise EngineError(f"law 1 is broken: {taken} taken of {self.displayed(side, price)} at {price}")
