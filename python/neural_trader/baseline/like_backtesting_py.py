"""The rules of backtesting.py 0.6.6 in plain Python: one queue of orders, worked off when a bar is complete.

docs/peer-parity.md says what the rules are; the Rust engine has them too, and the suite holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from neural_trader.baseline.arithmetic import BILLION, div_down, div_up, int64, money
from neural_trader.baseline.callbacks import Strategy
from neural_trader.baseline.engine import Engine
from neural_trader.baseline.instrument import Bar, BarsLike, Instrument
from neural_trader.baseline.orders import Bracket, Order, Ticket
from neural_trader.baseline.records import BUY, SELL, FillRecord, Kind, Reason, State, TimeInForce, TradeRecord
from neural_trader.baseline.timeline import Moment
from neural_trader.baseline.trades import trades_of_matches
from neural_trader.errors import EngineError

_LONE = 0
_NO_EXITS = Bracket(None, None, None)


class _Met(NamedTuple):
    """Where and when a bar fills an order; ``stop`` is the stop that it reached, or 0."""

    price: int
    time_ns: int
    stop: int
    is_market: bool


@dataclass(slots=True)
class _Queued:
    order: Order
    fraction: int = 0
    """What part of the buying power it takes, in parts per billion; 0 for an order in units."""


@dataclass(slots=True)
class _OpenTrade:
    order: Order
    fill: int
    quantity: int
    stop_loss: Order | None = None
    take_profit: Order | None = None

    @property
    def exits(self) -> list[Order]:
        return [order for order in (self.stop_loss, self.take_profit) if order is not None]


class EngineLikeBacktestingPy(Engine):
    """The engine under these rules; one instrument, whose units are whole numbers of lots."""

    def __init__(self, instruments: Sequence[BarsLike], *, exclusive_orders: bool = False, **settings: Any) -> None:
        super().__init__(instruments, **settings)
        if len(instruments) != 1:
            raise EngineError("backtesting.py trades one instrument per run")
        lot = instruments[0].lot
        if 10**lot.decimals % lot.mantissa:
            raise EngineError("backtesting.py trades whole units, which these lots do not make up")
        self._unit = 10**lot.decimals // lot.mantissa
        self._leverage_ppb = settings.get("leverage_ppb", BILLION)
        self._exclusive = exclusive_orders
        self._queue: list[_Queued] = []
        self._trades: list[_OpenTrade] = []
        self._matches: list[tuple[int, int, int]] = []
        """Entry fill, exit fill and lots of every part of a trade that was closed."""

    @property
    def _market(self) -> Instrument:
        return self.instruments[_LONE]

    # The time line: nothing happens at an opening, everything when the bar is complete.

    def _open_moment(self, moment: Moment, strategy: Strategy) -> None:
        self._market.open_next_bar()

    def _close_moment(self, moment: Moment, strategy: Strategy) -> None:
        self._market.mark = self._market.bar.close
        if not self.halted:
            self._work_off()
            self._check_ruin()
        self._notify(strategy)
        strategy.on_bar(self, _LONE, self._market.current)
        self._notify(strategy)
        self._sample_equity()

    def _close_positions_at_end(self, strategy: Strategy) -> None:
        """Work the last bar off once more, with an exit of every trade in front."""
        if self.halted or not self.equity_samples:
            return
        self._leave(list(reversed(self._trades)), is_target=False)
        self._work_off()
        self._check_ruin()
        self._notify(strategy)
        self.equity_samples.pop()
        self._exposed.pop()
        self._sample_equity()

    def _check_ruin(self) -> None:
        if self.equity() > 0:
            return
        self.halted = True
        for order in self._book.working_orders([_LONE]):
            self._book.cut(order, order.leaves, Reason.RUIN)
        met = _Met(self._market.mark, self._now_ns, 0, True)
        for trade in self._trades:
            self._matches.append((trade.fill, len(self.fills), trade.quantity))
            self._piece(None, -trade.order.side, trade.quantity, met)
        self._trades = []

    # Orders.

    def _enter(self, index: int, ticket: Ticket) -> int:
        trails = ticket.kind is Kind.TRAILING_STOP or (ticket.bracket is not None and ticket.bracket.trail is not None)
        if trails or ticket.time_in_force is not TimeInForce.GTC or ticket.size_kind == "cash":
            raise EngineError("backtesting.py has no trailing stops, no time in force and no sizes in cash")
        if ticket.is_target:
            return self._reach(ticket)
        return self._place(ticket, is_target=False)

    def _reach(self, ticket: Ticket) -> int:
        """Leave what stands on the other side, then enter with the package's kind of size."""
        wanted, position = ticket.size, self.position(_LONE)
        if wanted == 0:
            return self._leave(self._trades, is_target=True)
        delta = int64(wanted - position, "order quantity")
        is_fraction = ticket.size_kind == "target_fraction"
        if delta == 0 or (is_fraction and position != 0 and (position > 0) == (wanted > 0)):
            return 0
        signed = wanted if is_fraction or self._exclusive else delta
        size_kind = "fraction" if is_fraction else "quantity"
        order = replace(ticket, side=BUY if signed > 0 else SELL, size_kind=size_kind, size=abs(signed))
        if is_fraction and not self._exclusive and self._refused(order) is Reason.NONE:
            self._leave(self._trades, is_target=True)
        return self._place(order, is_target=True)

    def _place(self, ticket: Ticket, *, is_target: bool) -> int:
        refusal = self._refused(ticket)
        if refusal is Reason.NONE and self._exclusive:
            self._clear_for_the_next(is_target)
        is_fraction = ticket.size_kind == "fraction"
        order = self._new_order(ticket.side, ticket.kind, 0 if is_fraction else max(0, ticket.size), 0)
        order.limit, order.stop, order.bracket = ticket.limit or 0, ticket.stop or 0, ticket.bracket
        order.target = 0 if is_target else None
        if refusal is not Reason.NONE:
            self._book.reject(order, refusal)
        else:
            self._queue.append(_Queued(order, ticket.size if is_fraction else 0))
        return order.id

    def _refused(self, ticket: Ticket) -> Reason:
        refusal = self._refusal(ticket, self._market)
        if refusal is not Reason.NONE:
            return refusal
        if self._market.mark == 0:
            return Reason.NO_PRICE
        bracket = ticket.bracket or _NO_EXITS
        entry = ticket.limit or ticket.stop or self._market.mark
        low, high = bracket.stop_loss, bracket.take_profit
        if ticket.side == SELL:
            low, high = high, low
        if (low is not None and low >= entry) or (high is not None and high <= entry):
            return Reason.PRICE
        if ticket.size_kind == "fraction":
            return Reason.NONE if 1 <= ticket.size <= BILLION else Reason.SIZE
        return Reason.NONE if ticket.size > 0 and ticket.size % self._unit == 0 else Reason.SIZE

    def _clear_for_the_next(self, is_target: bool) -> None:
        """Exclusive orders: cancel what waits and protects no trade, and leave every trade."""
        waiting = self._waiting()
        at = 0
        # The package walks along the list that it cancels from, so the order behind each cancelled one is passed over.
        while at < len(waiting):
            order = waiting[at].order
            if not _is_contingent(order):
                self._book.cut(order, order.leaves, Reason.REPLACED)
                del waiting[at]
            at += 1
        self._leave(self._trades, is_target=is_target)

    def _leave(self, trades: Sequence[_OpenTrade], *, is_target: bool) -> int:
        """Queue a market exit for every trade, each in front of all that waits; returns the id of the last."""
        last = 0
        for trade in trades:
            order = self._new_order(-trade.order.side, Kind.MARKET, trade.quantity, trade.order.id)
            order.target = 0 if is_target else None
            self._queue.insert(0, _Queued(order))
            last = order.id
        return last

    def _new_order(self, side: int, kind: Kind, quantity: int, parent: int) -> Order:
        opened = self._market.opened
        return self._book.add(
            Order(self._book.next_id, _LONE, side, kind, quantity, opened, self._now_ns, parent=parent)
        )

    def _waiting(self) -> list[_Queued]:
        """The queue without what has ended since it was last looked at."""
        self._queue = [queued for queued in self._queue if queued.order.is_working]
        return list(self._queue)

    # Filling.

    def _work_off(self) -> None:
        """Try every order against the complete bar, and all again where the exits of an entry may have been reached."""
        again = True
        while again:
            again = False
            for queued in self._waiting():
                met = self._meet(queued.order) if queued.order.is_working else None
                if met is None:
                    continue
                if queued.order.parent:
                    self._exit(queued.order, met)
                elif self._open_with(queued, met):
                    again = True

    def _meet(self, order: Order) -> _Met | None:
        """Where the bar fills an order. A stop that it reaches is spent, whether the order fills or not."""
        bar, buys = self._market.bar, order.side == BUY
        before = self._market.bars[self._market.current - 1]
        stop = 0
        if order.stop and not order.triggered:
            if not (bar.high >= order.stop if buys else bar.low <= order.stop):
                return None
            order.triggered = True
            stop = order.stop
        if order.limit:
            is_reached = bar.low <= order.limit if buys else bar.high >= order.limit
            may_come_before_the_stop = stop and (order.limit <= stop if buys else order.limit >= stop)
            if not is_reached or may_come_before_the_stop:
                return None
            first = stop or bar.open
            return _Met(min(first, order.limit) if buys else max(first, order.limit), bar.close_ns, stop, False)
        at_last_close = self._fill_close and not _is_contingent(order)
        price = before.close if at_last_close else bar.open
        if not stop:
            return _Met(price, before.close_ns if at_last_close else bar.open_ns, 0, True)
        return _Met(max(price, stop) if buys else min(price, stop), bar.close_ns, stop, False)

    def _exit(self, order: Order, met: _Met) -> None:
        """An order that belongs to a trade reduces that trade and no other."""
        trade = next((trade for trade in self._trades if trade.order.id == order.parent), None)
        if trade is not None:
            self._reduce(trade, order, min(trade.quantity, order.leaves), met)
        if order.is_working:
            self._book.cut(order, order.leaves, Reason.NOTHING_TO_REDUCE)

    def _open_with(self, queued: _Queued, met: _Met) -> bool:
        """Close what faces the order, then open a trade with what is left, if margin carries that.

        Says whether the queue has to be tried again because exits of the new trade may have been reached in this bar.
        """
        order = queued.order
        cost = self._cost_of_one(queued, met.price)
        if queued.fraction:
            power = self._buying_power()
            # The whole is the package's default size, the last float below one.
            share = max(0, power - 1) if queued.fraction == BILLION else div_down(power * queued.fraction, BILLION)
            order.quantity = int64(share // cost * self._unit, "order quantity")
            if order.quantity == 0:
                self._book.cut(order, 0, Reason.MARGIN)
                return False
        while order.leaves and self._trades and self._trades[0].order.side != order.side:
            self._reduce(self._trades[0], order, min(order.leaves, self._trades[0].quantity), met)
        if order.leaves == 0:
            return False
        if order.leaves // self._unit * cost > self._buying_power():
            self._book.cut(order, order.leaves, Reason.MARGIN)
            return False
        self._open_trade(order, order.leaves, met)
        if order.bracket is None:
            return False
        if met.is_market:
            return True
        is_plain_stop = met.stop != 0 and order.limit == 0
        return is_plain_stop and _went_on_to_the_target(order.side, order.bracket, self._market.bar)

    def _open_trade(self, order: Order, quantity: int, met: _Met) -> None:
        """A trade with its exits: the stop loss in front of the queue, the take profit behind it."""
        trade = _OpenTrade(order, len(self.fills), quantity)
        self._piece(order, order.side, quantity, met)
        bracket = order.bracket or _NO_EXITS
        if bracket.stop_loss is not None:
            trade.stop_loss = self._new_order(-order.side, Kind.STOP, quantity, order.id)
            trade.stop_loss.stop = bracket.stop_loss
            self._queue.insert(0, _Queued(trade.stop_loss))
        if bracket.take_profit is not None:
            trade.take_profit = self._new_order(-order.side, Kind.LIMIT, quantity, order.id)
            trade.take_profit.limit = bracket.take_profit
            self._queue.append(_Queued(trade.take_profit))
        self._trades.append(trade)

    def _reduce(self, trade: _OpenTrade, order: Order, quantity: int, met: _Met) -> None:
        """Close a trade or a part of it with an order, and take as much from its exits."""
        self._matches.append((trade.fill, len(self.fills), quantity))
        self._piece(order, -trade.order.side, quantity, met)
        trade.quantity -= quantity
        if trade.quantity == 0:
            self._trades.remove(trade)
        reason = Reason.SIBLING if order in trade.exits else Reason.NOTHING_TO_REDUCE
        for other in trade.exits:
            if other is not order and other.is_working:
                self._book.cut(other, quantity, reason)

    def _piece(self, order: Order | None, side: int, quantity: int, met: _Met) -> None:
        """One fill, charged on its own, of an order or of the engine itself."""
        contract = self._market.contract
        fee = contract.charge(quantity, met.price, self.costs.taker_ppb) + self.costs.fixed_fee
        order_id, maker = (order.id, int(order.limit != 0)) if order is not None else (0, 0)
        fill = FillRecord(order_id, _LONE, side, quantity, met.price, met.price, fee, 0, maker, met.time_ns)
        self._ledger.post_fill(fill, contract)
        self.fills.append(fill)
        self._book.notifications.append(fill)
        if order is not None:
            order.filled += quantity
            if order.leaves == 0:
                self._book.finish(order, State.FILLED, order.reason)

    def _cost_of_one(self, queued: _Queued, price: int) -> int:
        """What one unit costs with its commission; the fixed part is spread over the order as it was sent."""
        value = money(price * self._unit * self._market.contract.unit, "notional")
        rate_part = div_up(value * self.costs.taker_ppb, BILLION)
        if queued.fraction:
            return value + rate_part + div_up(self.costs.fixed_fee * BILLION, queued.fraction)
        return value + rate_part + div_up(self.costs.fixed_fee * self._unit, queued.order.quantity)

    def _buying_power(self) -> int:
        """How much exposure may be added at the mark: equity times leverage, less the exposure that there is."""
        equity = self.equity()
        if equity <= 0:
            return 0
        exposure = abs(self.position(_LONE)) * self._market.mark * self._market.contract.unit
        return max(0, div_down(equity * self._leverage_ppb, BILLION) - exposure)

    def trades(self) -> list[TradeRecord]:
        still_open = [(trade.fill, trade.quantity) for trade in self._trades]
        return trades_of_matches(self.fills, self.instruments, self._matches, still_open)


def _is_contingent(order: Order) -> bool:
    """Whether an order is the stop loss or the take profit of a trade."""
    return order.parent != 0 and order.kind is not Kind.MARKET


def _went_on_to_the_target(side: int, bracket: Bracket, bar: Bar) -> bool:
    """Whether a bar that reached a plain stop reached the target beyond it, and never the stop loss behind it."""
    target, stop = bracket.take_profit, bracket.stop_loss
    if target is None:
        return False
    if side == BUY:
        return bar.high >= target and (stop is None or bar.low > stop)
    return bar.low <= target and (stop is None or bar.high < stop)
