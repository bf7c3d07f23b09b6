"""The book of an instrument of which every order is told: ours stand in its queues (docs/book-rules.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from neural_trader.baseline.ladder import Level
from neural_trader.baseline.records import BUY
from neural_trader.baseline.replay.depth import Depth, OrderPlayed, SnapshotEnded
from neural_trader.baseline.replay.events import COUNT_MAX, Event, EventKind, side_of
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.errors import EngineError

NUMBERS = 2**64 - 2**32
"""Numbers of orders are below this one."""


@dataclass(slots=True, eq=False)
class Other:
    """An order of somebody else."""

    number: int
    side: int
    price: int
    quantity: int


Standing = Other | ReplayOrder


class Met(NamedTuple):
    """An order of somebody else is about to be filled."""

    side: int
    price: int
    quantity: int
    before: list[ReplayOrder]
    """Our orders that stand before it in its queue."""


class OrdersDepth(Depth):
    """Queues by side and price. What it shows is of others; each of our orders at rest stands in one queue."""

    def __init__(self) -> None:
        super().__init__(quotes=False)
        self._orders: dict[int, Other] = {}
        self._queues: dict[tuple[int, int], list[Standing]] = {}
        self._displaced: list[tuple[ReplayOrder, list[int | ReplayOrder] | None]] = []
        """Ours while the book is not known, and what stood before each: numbers of others, and ours. None for all."""

    # What it shows.

    def best(self, side: int) -> Level | None:
        return next(iter(self.levels(side)), None)

    def levels(self, side: int) -> list[Level]:
        prices = sorted((price for of, price in self._queues if of == side), reverse=side == BUY)
        levels = [(price, self.displayed(side, price)) for price in prices]
        return [level for level in levels if level[1] > 0]

    def displayed(self, side: int, price: int) -> int:
        return self._of_others(side, price) if self.is_known else 0

    def _of_others(self, side: int, price: int) -> int:
        return _sum_of_others(self._queues.get((side, price), []))

    # Our orders in it.

    def place(self, order: ReplayOrder) -> None:
        if self.is_known:
            self._queues.setdefault((order.side, order.limit), []).append(order)
        else:
            self._displaced.append((order, None))

    def leave(self, order: ReplayOrder) -> None:
        self._displaced = [(other, before) for other, before in self._displaced if other is not order]
        for queue in self._queues.values():
            queue[:] = [other for other in queue if other is not order]

    def ahead(self, order: ReplayOrder) -> float | None:
        for queue in self._queues.values():
            if order in queue:
                return float(_sum_of_others(queue[: queue.index(order)]))
        return None

    def standing(self) -> list[int] | None:
        queued = [other.id for queue in self._queues.values() for other in queue if isinstance(other, ReplayOrder)]
        return queued + [order.id for order, _ in self._displaced]

    # What records do to it.

    def meets(self, event: Event) -> Met | None:
        maker = self._orders.get(event.id)
        if event.kind != EventKind.ORDER_FILL or not self.is_known or maker is None:
            return None
        queue = self._queues[maker.side, maker.price]
        before = [other for other in queue[: queue.index(maker)] if isinstance(other, ReplayOrder)]
        return Met(maker.side, maker.price, event.quantity, before)

    def read(self, event: Event) -> OrderPlayed | SnapshotEnded | None:
        match event.kind:
            case EventKind.ORDER_ADD:
                return self._add(event)
            case EventKind.ORDER_CHANGE | EventKind.ORDER_DELETE | EventKind.ORDER_FILL:
                return self._alter(event)
            case EventKind.SNAPSHOT_BEGIN | EventKind.RESYNC:
                self._forget()
            case EventKind.SNAPSHOT_END:
                self._become_known()
                return SnapshotEnded()
        return None

    def _add(self, event: Event) -> OrderPlayed | None:
        side = side_of(event)
        if side == 0 or event.id >= NUMBERS or event.id in self._orders:
            raise EngineError(
                f"an order {event.id} cannot be added: its side or its number is wrong, or it rests already"
            )
        _check(event)
        order = Other(event.id, side, event.price, event.quantity)
        self._orders[event.id] = order
        self._queues.setdefault((side, event.price), []).append(order)
        return self._played(side, event.price, may_cross=True)

    def _alter(self, event: Event) -> OrderPlayed | None:
        order = self._orders.get(event.id)
        if order is None:
            if self.is_known:
                raise EngineError(f"no order {event.id} rests in the book")
            return None
        if event.kind == EventKind.ORDER_CHANGE:
            _check(event)
            return self._amend(order, event.price, event.quantity)
        filled = order.quantity
        if event.kind == EventKind.ORDER_FILL:
            filled = event.quantity
            if not 1 <= filled <= order.quantity:
                raise EngineError(f"order {event.id} has {order.quantity} left and cannot be filled with {filled}")
        order.quantity -= filled
        if order.quantity == 0:
            del self._orders[order.number]
            self._queues[order.side, order.price].remove(order)
        return self._played(order.side, order.price, may_cross=False)

    def _amend(self, order: Other, price: int, quantity: int) -> OrderPlayed | None:
        before = order.price
        if price != before or quantity > order.quantity:
            self._queues[order.side, before].remove(order)
            self._queues.setdefault((order.side, price), []).append(order)
        order.price, order.quantity = price, quantity
        if self.is_known:
            self._settle(order.side, before)
        return self._played(order.side, price, may_cross=True)

    def _played(self, side: int, price: int, *, may_cross: bool) -> OrderPlayed | None:
        if not self.is_known:
            return None
        self._settle(side, price)
        return OrderPlayed(side, price, may_cross)

    def _settle(self, side: int, price: int) -> None:
        if (side, price) in self._taken:
            self._taken[side, price] = min(self._taken[side, price], self._of_others(side, price))

    def _forget(self) -> None:
        for queue in self._queues.values():
            for index, order in enumerate(queue):
                if isinstance(order, ReplayOrder):
                    before = [other.number if isinstance(other, Other) else other for other in queue[:index]]
                    self._displaced.append((order, before))
        self._orders.clear()
        self._queues.clear()
        self.is_known = False

    def _become_known(self) -> None:
        self.is_known = True
        displaced, self._displaced = self._displaced, []
        for order, before in displaced:
            queue = self._queues.setdefault((order.side, order.limit), [])
            names = [other.number if isinstance(other, Other) else other for other in queue]
            places = [index + 1 for index, name in enumerate(names) if before is None or name in before]
            queue.insert(max(places, default=0), order)
        for side, price in self._taken:
            self._settle(side, price)


DEPTHS = ("levels", "quotes", "orders")


def depth_named(name: str) -> Depth:
    """An empty book made of records of this kind."""
    if name not in DEPTHS:
        raise EngineError(f"unknown depth {name!r}: use one of {', '.join(DEPTHS)}")
    return OrdersDepth() if name == "orders" else Depth(quotes=name == "quotes")


def _sum_of_others(queue: list[Standing]) -> int:
    return sum(order.quantity for order in queue if isinstance(order, Other))


def _check(event: Event) -> None:
    if not (1 <= event.price <= COUNT_MAX and 1 <= event.quantity <= COUNT_MAX):
        raise EngineError(f"an order of {event.quantity} lots at {event.price} ticks cannot rest in a book")
