"""All orders of a run: which of them work, how they end, and what is still to be told about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from neural_trader.baseline.instrument import Instrument
from neural_trader.baseline.orders import Order
from neural_trader.baseline.records import FillRecord, OrderRecord, Reason, State


class OrderBook:
    """Orders by id, and what the strategy has not been told yet, in the order in which it arose."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.orders: list[Order] = []
        self.notifications: deque[FillRecord | OrderRecord] = deque()
        self._instruments = instruments
        self._working: dict[int, Order] = {}
        """The orders that may still fill, by ascending id."""

    @property
    def next_id(self) -> int:
        return len(self.orders) + 1

    def working(self, order_id: int) -> Order | None:
        return self._working.get(order_id)

    def working_orders(self, indices: Sequence[int]) -> list[Order]:
        """Working orders of these instruments by id, as a list because filling one may end another."""
        return [order for order in self._working.values() if order.instrument in indices]

    def live_orders(self, indices: Sequence[int]) -> list[Order]:
        """Working orders that the current bar of their instrument may fill."""
        return [
            order
            for order in self.working_orders(indices)
            if self._instruments[order.instrument].current >= order.live_bar
        ]

    def add(self, order: Order) -> Order:
        self.orders.append(order)
        self._working[order.id] = order
        return order

    def reject(self, order: Order, reason: Reason) -> None:
        """End an order just added: all that was ordered is cancelled."""
        order.cancelled = order.quantity
        self.finish(order, State.REJECTED, reason)

    def cut(self, order: Order, quantity: int, reason: Reason) -> None:
        """Take a quantity off a working order; it is cancelled when nothing is left of it."""
        order.cancelled += quantity
        order.reason = reason
        if order.leaves == 0:
            self.finish(order, State.CANCELLED, reason)

    def expire(self, order: Order) -> None:
        order.cancelled += order.leaves
        self.finish(order, State.EXPIRED, Reason.TIME)

    def finish(self, order: Order, state: State, reason: Reason) -> None:
        order.state = state
        order.reason = reason
        del self._working[order.id]
        # That an order is filled is told by its last fill.
        if state is not State.FILLED:
            self.notifications.append(order.record())
