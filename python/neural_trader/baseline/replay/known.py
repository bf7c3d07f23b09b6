"""The numbers by which orders and fills are known here, and how orders stood when we last heard of them (section 2)."""

from __future__ import annotations

from neural_trader.baseline.replay.orders import Standing
from neural_trader.baseline.replay.timeline import Answer
from neural_trader.errors import EngineError


class Known:
    """What a strategy may know of orders and fills: nothing of what is still on its way."""

    def __init__(self) -> None:
        self.orders: list[int] = []
        """The venue's id of each order, in the order in which they became known."""
        self.fills: list[int] = []
        """The venue's number of each fill that was told."""
        self._number: dict[int, int] = {}
        self._standing: dict[int, Standing] = {}

    def of_order(self, order_id: int, standing: Standing | None) -> int:
        """The number of an order, which it is given now if it has none, and what is known of it from now on."""
        if order_id not in self._number:
            self.orders.append(order_id)
            self._number[order_id] = len(self.orders)
        if standing is not None:
            self._standing[order_id] = standing
        return self._number[order_id]

    def of_answer(self, answer: Answer) -> int:
        """The number of what an answer that arrives is about."""
        number = self.of_order(answer.order, answer.standing) if answer.order else 0
        if answer.kind != "fill":
            return number
        self.fills.append(answer.number)
        return len(self.fills) - 1

    def standing(self, number: int) -> Standing:
        return self._standing[self.order_id(number)]

    def order_id(self, number: int) -> int:
        if not 1 <= number <= len(self.orders):
            raise EngineError(f"there is no order {number}")
        return self.orders[number - 1]
