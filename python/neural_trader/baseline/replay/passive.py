"""How orders at rest fill: trades, changes of their level, crossing levels (docs/book-rules.md section 5)."""

from __future__ import annotations

from math import floor

from neural_trader.baseline.records import BUY, SELL
from neural_trader.baseline.replay.depth import Change, OrderPlayed
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.market import Market
from neural_trader.baseline.replay.matching import Matching
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.baseline.replay.orders_depth import Met, OrdersDepth
from neural_trader.baseline.replay.queues import UNKNOWN, Front


class Passive:
    """What records do to orders at rest. ``whole`` lets an order fill only if it can fill wholly."""

    def __init__(self, execution: Execution, matching: Matching, front_after: Front, *, whole: bool) -> None:
        self._execution = execution
        self._matching = matching
        self._front_after = front_after
        self._whole = whole

    def trade(self, market: Market, price: int, quantity: int, aggressor: int) -> None:
        """A trade printed; the aggressor's side is 0 where the record does not say it."""
        aggressor = aggressor or _likely_aggressor(market, price)
        if aggressor and not isinstance(market.depth, OrdersDepth):
            self._meet_aggressor(market, price, quantity, -aggressor)
        market.last_trade = price
        self._matching.look_at_stops(market, price)

    def _meet_aggressor(self, market: Market, price: int, quantity: int, side: int) -> None:
        rest, used, ahead = quantity, 0, 0.0
        for order in market.queue(side):
            if not order.is_working or not order.accepts(price):
                continue
            if order.limit != price:
                # The aggressor would have met it before it came to the price of the print.
                rest -= self.fill(order, rest)
                continue
            ahead = max(order.front, ahead)
            left = rest - used
            order.front = UNKNOWN if ahead >= UNKNOWN else max(0.0, ahead - left)
            order.traded += quantity
            found = max(0, floor(left - ahead))
            used += self.fill(order, min(found, order.shown) if order.display else found)

    def order_met(self, market: Market, met: Met) -> None:
        """An order of somebody else fills next: whoever of ours stands before it is filled first."""
        who, rest = (met.side, self._execution.now_ns), met.quantity
        if market.aggressor is None or market.aggressor[:2] != who:
            market.aggressor = (*who, 0)
            for order in market.resting[met.side]:
                order.traded = 0
        for order in market.queue(met.side):
            is_better = met.side * (order.limit - met.price) > 0
            if order.is_working and (is_better or order in met.before):
                order.traded += met.quantity
                # What the aggressor filled of ours would not have come to those behind.
                taken = market.aggressor[2]
                left = min(rest, order.traded - taken)
                filled = self.fill(order, min(left, order.shown) if order.display and not is_better else left)
                market.aggressor = (*who, taken + filled)
                rest -= filled

    def order_played(self, market: Market, played: OrderPlayed) -> None:
        """A record of an order has changed a book that is known."""
        if played.may_cross:
            self.cross(market, played.side, played.price)
        self._matching.look_at_stops(market, None)

    def fill(self, order: ReplayOrder, found: int) -> int:
        """Fill an order at rest at its own price; returns how much."""
        if found <= 0 or (self._whole and found < order.leaves):
            return 0
        before = order.leaves
        filled = self._execution.fill(order, found, order.limit, maker=True)
        self._matching.show_next_part(order, before)
        return filled

    def level_changed(self, market: Market, change: Change) -> None:
        """A level of a known book was set: our queue there moves up, and what it crosses fills."""
        if market.depth.has_only_best:
            self._best_changed(market, change)
        else:
            for order in market.resting[change.side]:
                if order.limit == change.price:
                    self._move_up(order, change)
        self.cross(market, change.side, change.price)
        self._matching.look_at_stops(market, None)

    def _best_changed(self, market: Market, change: Change) -> None:
        """The side shows one level, this one; nobody else is known to be at better prices, nothing of worse ones."""
        for order in market.resting[change.side] if change.quantity else ():
            if order.limit == change.price:
                if change.was_best:
                    self._move_up(order, change)
                else:
                    order.front = min(order.front, float(change.quantity))
                    order.traded = 0
            elif change.side * (order.limit - change.price) > 0:
                order.front = 0.0

    def _move_up(self, order: ReplayOrder, change: Change) -> None:
        lost = change.before - change.quantity - order.traded
        order.traded = 0
        order.front = self._front_after(order.front, change.before, change.quantity, lost)

    def cross(self, market: Market, side: int, price: int) -> None:
        """Own orders on the other side take what is there of a level that crosses them, at their own prices."""
        for order in market.queue(-side):
            if order.is_working and order.accepts(price):
                market.depth.take(side, price, self.fill(order, market.depth.available(side, price)))

    def snapshot_ended(self, market: Market) -> None:
        """The book is known again: nobody is behind more than what is displayed, and every level may cross."""
        for side in (BUY, SELL):
            for order in market.resting[side]:
                order.front = min(order.front, float(market.depth.displayed(side, order.limit)))
                order.traded = 0
        for side in (BUY, SELL):
            for price, _ in market.depth.levels(side):
                self.cross(market, side, price)
        self._matching.look_at_stops(market, None)


def _likely_aggressor(market: Market, price: int) -> int:
    bid, ask = market.depth.best(BUY), market.depth.best(SELL)
    if bid is not None and price <= bid[0]:
        return SELL
    if ask is not None and price >= ask[0]:
        return BUY
    return 0
