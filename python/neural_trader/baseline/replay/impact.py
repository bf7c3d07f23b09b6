"""What our takes leave on the price of a book, and how it decays (docs/book-rules.md section 13)."""

from __future__ import annotations

from neural_trader.baseline.arithmetic import BILLION, div_down, div_up, int64, money
from neural_trader.baseline.records import BUY, SELL
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.errors import EngineError

LEVELS = 10
"""So many of the best levels are the depth that a take is compared with."""

FINENESS = 1_000
"""Parts of a tick that are counted; what has decayed below one is gone."""


class Impact:
    """What is left on both sides of one book; a rate of 0 is none."""

    def __init__(self, rate_ppb: int, half_life_ns: int) -> None:
        if not 0 <= rate_ppb <= BILLION or half_life_ns <= 0:
            raise EngineError("the rate of an impact is from 0 to 1, and its half-life positive")
        self._rate_ppb = rate_ppb
        self._half_life_ns = half_life_ns
        # Parts of a tick at the beginning of the half-life of this number.
        self._left = {BUY: (0, 0), SELL: (0, 0)}

    def ticks(self, side: int, now_ns: int) -> int:
        """By how much takes of this side are worse now."""
        outstanding = div_down(self._at_beginning(side, now_ns) * self._weight(now_ns), 2 * self._half_life_ns)
        return div_up(outstanding, FINENESS)

    def leave(self, side: int, now_ns: int, price: int, quantity: int, depth: int) -> None:
        """A take of this side filled a quantity at a level of this price."""
        product = money(price * self._rate_ppb * quantity * FINENESS, "impact")
        added = int64(div_up(product, depth * BILLION), "impact")
        # A part of the half-life is over: what began with it would have been more.
        added = div_up(added * 2 * self._half_life_ns, self._weight(now_ns))
        left = int64(self._at_beginning(side, now_ns) + added, "impact")
        self._left[side] = (left, now_ns // self._half_life_ns)

    def _at_beginning(self, side: int, now_ns: int) -> int:
        left, number = self._left[side]
        return left >> (now_ns // self._half_life_ns - number)

    def _weight(self, now_ns: int) -> int:
        """Of twice the half-life, so much is left of what the present one began with."""
        return 2 * self._half_life_ns - now_ns % self._half_life_ns


def worsened(order: ReplayOrder, price: int, ticks: int) -> int:
    """What an order that takes pays at a level: never less than one tick, never beyond its limit."""
    if order.side == BUY:
        paid = int64(price + ticks, "fill price")
        return min(paid, order.limit) if order.is_limit else paid
    paid = max(1, price - ticks)
    return max(paid, order.limit) if order.is_limit else paid
