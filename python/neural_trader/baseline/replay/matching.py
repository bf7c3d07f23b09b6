"""Orders that arrive at the venue: stops wait, what is marketable takes, limits rest (sections 4, 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

from neural_trader.baseline.records import BUY, SELL, Reason, TimeInForce
from neural_trader.baseline.replay.bars import BarMarket
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.impact import LEVELS, Impact, worsened
from neural_trader.baseline.replay.market import Market
from neural_trader.baseline.replay.orders import IMMEDIATE, ReplayOrder
from neural_trader.errors import EngineError

SELF_TRADE = ("cancel_newest", "cancel_oldest", "cancel_both", "off")


class Matching:
    """What the venue does with commands, and with stops that a price has reached."""

    def __init__(
        self,
        markets: Sequence[Market],
        execution: Execution,
        impact: tuple[int, int] | None,
        *,
        self_trade: str,
        by_bars: bool = False,
    ) -> None:
        if self_trade not in SELF_TRADE:
            raise EngineError(f"unknown self-trade rule {self_trade!r}: use one of {', '.join(SELF_TRADE)}")
        self._markets = markets
        self._execution = execution
        self._impacts = [Impact(*impact or (0, 1)) for _ in markets]
        self._self_trade = self_trade
        self._by_bars = by_bars

    # Commands.

    def arrive(self, order: ReplayOrder) -> None:
        """A new order reaches the venue."""
        execution, market = self._execution, self._markets[order.instrument]
        water = self._first_water(order, market) if order.trail is not None else None
        if execution.is_halted or (order.trail is not None and water is None):
            execution.reject(order, Reason.HALTED if execution.is_halted else Reason.NO_PRICE)
            execution.tell("ended", order)
            return
        if water is not None:
            order.start_trailing(water)
        execution.begin(order)
        self._enter(order)

    def let_exits_arrive(self) -> None:
        """Children of the happening that is over now, and of what their own arrival brings, meet the book."""
        exits = self._execution.exits_to_arrive
        while exits:
            child = exits.popleft()
            if child.is_working and isinstance(self._markets[child.instrument], BarMarket):
                self._execution.accept(child)
            elif child.is_working:
                self._enter(child)

    def cancel(self, order: ReplayOrder) -> None:
        if order.is_working:
            self._execution.cancel(order, Reason.USER)
        else:
            self._execution.tell("refused", order)

    def amend(self, order: ReplayOrder, limit: int, quantity: int) -> None:
        market = self._markets[order.instrument]
        if not market.rests(order):
            self._execution.tell("refused", order)
            return
        if quantity <= order.filled + order.cancelled:
            self._execution.cancel(order, Reason.USER)
            return
        keeps_place = limit == order.limit and quantity <= order.quantity
        order.limit, order.quantity = limit, quantity
        self._execution.tell("amended", order)
        if keeps_place:
            order.shown = min(order.shown, order.leaves)
        else:
            market.remove(order)
            self._match(order)

    # Arrival, step 1.

    def _enter(self, order: ReplayOrder) -> None:
        execution, market = self._execution, self._markets[order.instrument]
        order.accept(execution.now_ns)
        execution.tell("accepted", order)
        if order.ends_ns is not None and order.ends_ns <= execution.now_ns:
            execution.expire(order)
        elif order.is_stop:
            market.waiting[order.id] = order
            self._trigger_if_reached(order, market, None)
        else:
            self._match(order)

    @staticmethod
    def _first_water(order: ReplayOrder, market: Market) -> int | None:
        if market.last_trade is not None:
            return market.last_trade
        best = market.depth.best(-order.side)
        return best[0] if best else None

    # Stops (section 6).

    def look_at_stops(self, market: Market, trade: int | None) -> None:
        """Trigger what a trade at this price reaches, or what the best prices reach; then trailing stops follow."""
        for _, order in sorted(market.waiting.items()):
            if order.id in market.waiting:
                self._trigger_if_reached(order, market, trade)
        if trade is not None:
            for order in market.waiting.values():
                if order.trail is not None:
                    order.trail_after(trade, trade)

    def _trigger_if_reached(self, order: ReplayOrder, market: Market, trade: int | None) -> None:
        price = trade
        if price is None:
            # Where bids have come up to a price, or offers down to it, it is the market's.
            best = market.depth.best(BUY if order.waits_for_rise else SELL)
            price = best[0] if best else None
        if price is not None and order.triggers_at(price):
            del market.waiting[order.id]
            order.triggered = True
            self._execution.tell("triggered", order)
            self._match(order)

    # Steps 2 to 4.

    def _match(self, order: ReplayOrder) -> None:
        execution, market = self._execution, self._markets[order.instrument]
        available = sum(quantity for _, quantity in self._available(order, market))
        is_marketable = available > 0 or any(order.accepts(own.limit) for own in market.queue(-order.side))
        if order.post_only and is_marketable and not self._by_bars:
            execution.cancel(order, Reason.WOULD_TAKE)
            return
        if order.time_in_force is TimeInForce.FOK and available < order.leaves:
            execution.expire(order)
            return
        if is_marketable:
            self._take(order, market)
        if not order.is_working:
            return
        if not order.is_limit:
            execution.cancel(order, Reason.NO_LIQUIDITY)
        elif order.time_in_force in IMMEDIATE:
            execution.expire(order)
        else:
            market.join_queue(order)

    def _available(self, order: ReplayOrder, market: Market) -> list[tuple[int, int]]:
        """Price and available quantity of the levels that the order accepts, the best first."""
        depth, side = market.depth, -order.side
        return [
            (price, depth.available(side, price))
            for price, _ in depth.levels(side)
            if order.accepts(price) and depth.available(side, price) > 0
        ]

    def _take(self, order: ReplayOrder, market: Market) -> None:
        ticks = self._impacts[market.index].ticks(order.side, self._execution.now_ns)
        depth = sum(displayed for _, displayed in market.depth.levels(-order.side)[:LEVELS])
        for price, available in self._available(order, market):
            # Where own orders may fill against each other, those of others come first at one price.
            reach = price - order.side if self._self_trade == "off" else price
            self._meet_own(order, [own for own in market.queue(-order.side) if order.side * (own.limit - reach) <= 0])
            self._take_level(order, market, price, available, ticks, depth)
            if not order.is_working:
                return
        self._meet_own(order, [own for own in market.queue(-order.side) if order.accepts(own.limit)])

    def _take_level(
        self, order: ReplayOrder, market: Market, price: int, available: int, ticks: int, depth: int
    ) -> None:
        """One fill, and where the order has lost its purpose with it, the end of the order."""
        while order.is_working and available:
            filled = self._execution.fill(order, available, worsened(order, price, ticks), reference=price, maker=False)
            market.depth.take(-order.side, price, filled)
            if filled:
                self._impacts[market.index].leave(order.side, self._execution.now_ns, price, filled, depth)
            available -= filled

    # Own orders among themselves (section 7).

    def _meet_own(self, order: ReplayOrder, own: Sequence[ReplayOrder]) -> None:
        """Deal with own orders at rest that the order meets now."""
        if own and self._self_trade in ("cancel_oldest", "cancel_both"):
            for other in own:
                self._execution.cancel(other, Reason.SELF_TRADE)
        if own and self._self_trade in ("cancel_newest", "cancel_both"):
            self._execution.cancel(order, Reason.SELF_TRADE)
        if self._self_trade == "off":
            self._fill_against(order, own)

    def _fill_against(self, order: ReplayOrder, own: Sequence[ReplayOrder]) -> None:
        for other in own:
            if order.is_working and other.is_working:
                before = other.leaves
                self._execution.fill_among_ourselves(order, other)
                self.show_next_part(other, before)

    def show_next_part(self, order: ReplayOrder, leaves_before: int) -> None:
        """After a fill of an iceberg: when the part shown is used up, the next one goes to the end of the queue."""
        if order.display and order.is_working:
            order.shown -= leaves_before - order.leaves
            if order.shown <= 0:
                self._markets[order.instrument].join_queue(order)
