"""The bar engine: orders meet bars exactly as docs/fill-rules.md says, one method for each of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from neural_trader.baseline.account import Account, Rate
from neural_trader.baseline.accruals import Accruals
from neural_trader.baseline.arithmetic import BILLION, int64, money
from neural_trader.baseline.book import OrderBook
from neural_trader.baseline.callbacks import Strategy
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.instrument import BarsLike, Instrument
from neural_trader.baseline.invariants import Invariants
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.matching import (
    intrabar_limits,
    intrabar_stops,
    limit_accepts,
    satisfied_by_open,
    stop_reached,
)
from neural_trader.baseline.orders import Order, Ticket, make_ticket
from neural_trader.baseline.records import (
    BUY,
    SELL,
    FillRecord,
    Kind,
    OrderRecord,
    PostingRecord,
    Reason,
    State,
    TradeRecord,
)
from neural_trader.baseline.sizing import Size, resolve_size
from neural_trader.baseline.terms import AccountTerms, check_terms
from neural_trader.baseline.timeline import OPEN, Moment, moments
from neural_trader.baseline.trades import match_trades
from neural_trader.errors import EngineError

MAX_NOTIFICATIONS = 10_000
"""At one time; more can only be a strategy that answers every notification with an order that is refused."""


class Engine:
    """One run over the bars of some instruments, which are numbered by the order of their symbols."""

    def __init__(
        self,
        instruments: Sequence[BarsLike],
        *,
        cash: int,
        leverage_ppb: int = BILLION,
        maker_ppb: int = 0,
        taker_ppb: int = 0,
        fixed_fee: int = 0,
        slippage_ticks: int = 0,
        slippage_ppb: int = 0,
        slippage_spread_ppb: int = 0,
        fill_close: bool = False,
        limit_through: bool = False,
        volume_cap_ppb: int | None = None,
        close_at_end: bool = False,
        account: AccountTerms | None = None,
        checked: bool = False,
    ) -> None:
        symbols = [bars.symbol.encode() for bars in instruments]
        if any(first >= second for first, second in pairwise(symbols)):
            raise EngineError("instruments must be in ascending order of their symbols, each symbol once")
        if cash <= 0 or leverage_ppb <= 0 or (volume_cap_ppb is not None and volume_cap_ppb <= 0):
            raise EngineError("cash, leverage and the volume cap must be positive")
        terms = account or AccountTerms()
        check_terms(terms, [bars.symbol for bars in instruments], leverage_ppb)
        self.instruments = [
            Instrument(bars, volume_cap_ppb, terms.contract(index)) for index, bars in enumerate(instruments)
        ]
        self.costs = Costs(maker_ppb, taker_ppb, fixed_fee, slippage_ticks, slippage_ppb, slippage_spread_ppb)
        self.fills: list[FillRecord] = []
        self.equity_samples: list[tuple[int, int]] = []
        """(time, equity) of each close moment."""
        self.halted = False
        self._fill_close = fill_close
        self._limit_through = limit_through
        self._close_at_end = close_at_end
        self._exposed: list[bool] = []
        """For each equity sample, whether any position was open."""
        self._book = OrderBook(self.instruments)
        self._ledger = Ledger(cash, [currency.deposit for currency in terms.currencies])
        self.account = Account(self._ledger, self.instruments, self.costs, leverage_ppb, terms)
        self._accruals = Accruals(terms, self.account, self._ledger)
        self._fill_rates: list[Rate] = []
        """What the currency of each fill was worth then, where there are several."""
        self.liquidations: list[int] = []
        """Fills by which positions were liquidated."""
        self._now_ns = 0
        self._notified = (0, 0)
        """The time of the last notification, and how many there were at that time."""
        self._has_run = False
        self._invariants = Invariants(self) if checked else None

    # What a strategy may ask and do.

    def position(self, instrument: int) -> int:
        self._known(instrument)
        return self._ledger.position(instrument)

    def mark(self, instrument: int) -> int:
        """The last price known, an open or a close; 0 before there is any."""
        return self._known(instrument).mark

    def equity(self) -> int:
        return self.account.equity()

    def cash(self, currency: int = 0) -> int:
        """Cash in the account currency, or in the n-th of the others."""
        return self._ledger.cash(currency)

    def maintenance(self) -> int:
        """What equity must not fall below."""
        return self.account.maintenance()

    def is_working(self, order_id: int) -> bool:
        """Whether an order of this id may still fill."""
        return self._book.working(order_id) is not None

    def submit(
        self,
        instrument: int,
        side: int,
        kind: str = "market",
        *,
        size_kind: str = "quantity",
        size: int,
        limit: int | None = None,
        stop: int | None = None,
        trail_ticks: int | None = None,
        trail_ppb: int | None = None,
        time_in_force: str = "gtc",
        expire_ns: int | None = None,
        stop_loss: int | None = None,
        take_profit: int | None = None,
        stop_loss_trail_ticks: int | None = None,
        stop_loss_trail_ppb: int | None = None,
    ) -> int:
        """Send an order; returns its id, or 0 when a target is already reached. The side of a target is ignored."""
        self._known(instrument)
        ticket = make_ticket(
            side,
            kind,
            size_kind=size_kind,
            size=size,
            limit=limit,
            stop=stop,
            trail_ticks=trail_ticks,
            trail_ppb=trail_ppb,
            time_in_force=time_in_force,
            expire_ns=expire_ns,
            stop_loss=stop_loss,
            take_profit=take_profit,
            stop_loss_trail_ticks=stop_loss_trail_ticks,
            stop_loss_trail_ppb=stop_loss_trail_ppb,
        )
        if ticket.is_target:
            self._recall_targets(instrument)
        return self._enter(instrument, ticket)

    def cancel(self, order_id: int) -> bool:
        """Cancel a working order; False if no working order has this id."""
        order = self._book.working(order_id)
        if order is None:
            return False
        self._book.cut(order, order.leaves, Reason.USER)
        return True

    # The time line (section 2).

    def run(self, strategy: Strategy) -> None:
        """Play all bars to the strategy. An engine runs once."""
        if self._has_run:
            raise EngineError("this engine has already run: make a new one")
        self._has_run = True
        for moment in moments(self.instruments):
            self._accrue(moment)
            self._now_ns = moment.time_ns
            if moment.phase == OPEN:
                self._open_moment(moment, strategy)
            else:
                self._close_moment(moment, strategy)
            if self._invariants is not None:
                self._invariants.check()
        if self._close_at_end:
            self._close_positions_at_end(strategy)

    def check_invariants(self) -> None:
        """Raise EngineError if the records so far break a conservation or price law."""
        Invariants(self).check(by_bar=False)

    def _accrue(self, moment: Moment) -> None:
        """Post what falls due before a moment: at the time of a close it is due after it, before what opens then."""
        until_ns = moment.time_ns if moment.phase == OPEN else moment.time_ns - 1
        self._accruals.until(until_ns, halted=self.halted)

    def _open_moment(self, moment: Moment, strategy: Strategy) -> None:
        for index in moment.instruments:
            instrument = self.instruments[index]
            instrument.open_next_bar()
            for order in self._book.working_orders([index]):
                order.starts_day(instrument.current, moment.time_ns)
        for order in self._book.working_orders(moment.instruments):
            if order.is_expired_at(moment.time_ns):
                self._book.expire(order)
        self._check_ruin()
        self._opening_match(moment.instruments)
        self._check_ruin()
        self._notify(strategy)

    def _close_moment(self, moment: Moment, strategy: Strategy) -> None:
        self._play_closes(moment)
        self._notify(strategy)
        for index in moment.instruments:
            strategy.on_bar(self, index, self.instruments[index].current)
            self._notify(strategy)
        if self._fill_close:
            self._closing_match(moment.instruments)
            self._check_ruin()
            self._notify(strategy)
        self._sample_equity()

    def _play_closes(self, moment: Moment) -> None:
        for index in moment.instruments:
            self._intrabar_match(index)
            self._mark_close(index)
            self._move_trailing_stops(index)

    def _notify(self, strategy: Strategy) -> None:
        """Deliver what is pending, and what arises from that, in the order in which it arose."""
        while self._book.notifications:
            notification = self._book.notifications.popleft()
            self._count_notification()
            if isinstance(notification, FillRecord):
                strategy.on_fill(self, notification)
            else:
                strategy.on_order(self, notification)

    def _count_notification(self) -> None:
        time_ns, count = self._notified
        self._notified = (self._now_ns, count + 1 if time_ns == self._now_ns else 1)
        if count >= MAX_NOTIFICATIONS and time_ns == self._now_ns:
            raise EngineError(f"more than {MAX_NOTIFICATIONS} notifications at {self._now_ns} ns: orders answer orders")

    def _sample_equity(self) -> None:
        self.equity_samples.append((self._now_ns, self.equity()))
        self._exposed.append(any(self.position(index) for index in range(len(self.instruments))))

    # Orders (section 3).

    def _enter(self, index: int, ticket: Ticket) -> int:
        """Work the order of a ticket or reject it; returns its id, or 0 if the ticket is a target already reached."""
        instrument = self.instruments[index]
        size, refusal = self._judge(index, ticket)
        if refusal is Reason.REACHED:
            return 0
        order = self._book.add(
            Order(
                id=self._book.next_id,
                instrument=index,
                side=size.side,
                kind=ticket.kind,
                quantity=size.quantity,
                live_bar=instrument.opened,
                submit_ns=self._now_ns,
                limit=ticket.limit or 0,
                stop=ticket.stop or 0,
                trail=ticket.trail,
                time_in_force=ticket.time_in_force,
                expire_ns=ticket.expire_ns,
                bracket=ticket.bracket,
                target=self.position(index) + size.side * size.quantity if ticket.is_target else None,
            )
        )
        if refusal is not Reason.NONE:
            self._book.reject(order, refusal)
        elif order.trail is not None:
            order.start_trailing(instrument.mark)
        return order.id

    def _recall_targets(self, index: int) -> None:
        """Cancel what still works of earlier targets."""
        for order in self._book.working_orders([index]):
            if order.target is not None:
                self._book.cut(order, order.leaves, Reason.REPLACED)

    def _judge(self, index: int, ticket: Ticket) -> tuple[Size, Reason]:
        """What a ticket comes to, and why it is refused if it is; a target may be reached already."""
        instrument = self.instruments[index]
        size = Size(ticket.side, max(0, ticket.size) if ticket.size_kind == "quantity" else 0)
        refusal = self._refusal(ticket, instrument)
        if refusal is not Reason.NONE:
            return size, refusal
        size = resolve_size(
            ticket,
            equity=self.equity,
            position=self.position(index),
            mark=instrument.mark,
            worth_of_lot=lambda price: self.account.worth_of_lot(index, price),
        )
        if size.quantity > 0:
            return size, Reason.NONE
        return Size(ticket.side, 0), Reason.REACHED if ticket.is_target else Reason.SIZE

    def _refusal(self, ticket: Ticket, instrument: Instrument) -> Reason:
        """Why a ticket is refused whatever its size comes to."""
        if self.halted:
            return Reason.HALTED
        if not ticket.prices_are_positive():
            return Reason.PRICE
        if ticket.needs_mark and instrument.mark == 0:
            return Reason.NO_PRICE
        return Reason.NONE

    # Matching (sections 5 and 6).

    def _opening_match(self, indices: Sequence[int]) -> None:
        candidates: list[tuple[Order, bool]] = []
        for order in self._book.live_orders(indices):
            instrument = self.instruments[order.instrument]
            open_ = instrument.bar.open
            # A limit that was there before this bar waited for the market; one that arrives with it takes.
            maker = order.kind in (Kind.LIMIT, Kind.STOP_LIMIT) and order.live_bar < instrument.current
            if order.kind is Kind.STOP_LIMIT and not order.triggered and stop_reached(order, open_):
                order.triggered = True
                maker = False
            if satisfied_by_open(order, open_, fill_close=self._fill_close, through=self._limit_through):
                # All that is left of a stop from here on is a market order.
                order.triggered = order.triggered or order.kind in (Kind.STOP, Kind.TRAILING_STOP)
                candidates.append((order, maker))
        self._fill_in_two_passes(candidates, at_open=True)

    def _closing_match(self, indices: Sequence[int]) -> None:
        candidates = [(order, False) for order in self._book.working_orders(indices) if order.kind is Kind.MARKET]
        self._fill_in_two_passes(candidates, at_open=False)

    def _fill_in_two_passes(self, candidates: list[tuple[Order, bool]], *, at_open: bool) -> None:
        """Try first what reduces a position, because it frees margin for what does not; the mark is the reference."""
        left = []
        for order, maker in candidates:
            if order.side * self.position(order.instrument) < 0:
                self._try(order, self.instruments[order.instrument].mark, maker=maker, at_open=at_open)
            else:
                left.append((order, maker))
        for order, maker in left:
            self._try(order, self.instruments[order.instrument].mark, maker=maker, at_open=at_open)

    def _intrabar_match(self, index: int) -> None:
        bar = self.instruments[index].bar
        orders = self._book.live_orders([index])
        stops = intrabar_stops(orders, bar)
        # Chosen before the stops are tried: a stop-limit that this bar triggers is not yet a limit in it.
        limits = intrabar_limits(orders, bar, through=self._limit_through)
        for order, reference in stops:
            if order.is_working:
                order.triggered = True
                self._try_stop(order, reference, bar.close)
        for order, reference in limits:
            self._try(order, reference, maker=True)

    def _try_stop(self, order: Order, reference: int, close: int) -> None:
        if order.kind is not Kind.STOP_LIMIT or limit_accepts(order, reference, through=False):
            self._try(order, reference, maker=False)
        elif limit_accepts(order, close, through=self._limit_through):
            # The bar went through the stop and came back to the limit, which had been waiting for it.
            self._try(order, order.limit, maker=True)

    def _move_trailing_stops(self, index: int) -> None:
        bar = self.instruments[index].bar
        for order in self._book.live_orders([index]):
            if order.kind is Kind.TRAILING_STOP and not order.triggered:
                order.trail_after(bar.high, bar.low)

    # Fills (sections 3, 4 and 8).

    def _try(self, order: Order, reference: int, *, maker: bool, at_open: bool = False) -> None:
        """Fill as much of the order as its purpose, the volume and the margin allow."""
        quantity = self._wanted(order) if order.is_working else 0
        if quantity == 0:
            return
        instrument = self.instruments[order.instrument]
        price = reference
        if not maker:
            price = self.costs.taker_price(order.side, reference, instrument.bar.spread, order.limit)
        allowed = self.account.allowed(
            order.instrument, order.side, quantity, price, reference, self._now_ns, maker=maker
        )
        if allowed:
            self._fill(order, allowed, price, reference, maker=maker)
            if instrument.budget is not None:
                instrument.budget -= allowed
        if allowed < quantity:
            self._book.cut(order, order.leaves, Reason.MARGIN)
        if allowed:
            self._cut_sibling(order, allowed)
            self._release_children(order, allowed)
            self._attach_children(order, allowed, price, instrument.current if at_open else instrument.opened)

    def _wanted(self, order: Order) -> int:
        """What of a working order the volume of the bar and the order's purpose leave; an idle rest is cancelled."""
        position = self.position(order.instrument)
        if order.target is not None:
            # What else has filled in the meantime, a stop for example, already did a part of the way.
            missing = max(0, order.side * (order.target - position))
            if missing < order.leaves:
                self._book.cut(order, order.leaves - missing, Reason.REACHED)
        budget = self.instruments[order.instrument].budget
        quantity = order.leaves if budget is None else min(order.leaves, budget)
        if quantity == 0 or not order.parent:
            return quantity
        protected = max(0, -order.side * position)
        if protected == 0:
            self._book.cut(order, order.leaves, Reason.NOTHING_TO_REDUCE)
        return min(quantity, protected)

    def _fill(self, order: Order, quantity: int, price: int, reference: int, *, maker: bool) -> None:
        fee = self._fee(order.instrument, quantity, price, maker=maker)
        order.filled += quantity
        self._record_fill(order.id, order.instrument, order.side, quantity, price, reference, fee, maker=maker)
        if order.leaves == 0:
            self._book.finish(order, State.FILLED, order.reason)

    def _fee(self, index: int, quantity: int, price: int, *, maker: bool) -> int:
        return self.account.charge(index, quantity, price, self._now_ns, maker=maker)

    def _record_fill(
        self, order_id: int, index: int, side: int, quantity: int, price: int, reference: int, fee: int, *, maker: bool
    ) -> None:
        contract = self.instruments[index].contract
        lots = side * quantity
        slippage = money(contract.cost(lots, price) - contract.cost(lots, reference), "slippage cost")
        fill = FillRecord(order_id, index, side, quantity, price, reference, fee, slippage, int(maker), self._now_ns)
        int64(self.position(index) + lots, "position")
        if self.account.terms.currencies:
            self._fill_rates.append(self.account.rate(contract.currency))
        self.account.count(index, quantity, price, self._now_ns)
        self._accruals.begin(self._now_ns)
        self._ledger.post_fill(fill, contract)
        self.fills.append(fill)
        self._book.notifications.append(fill)

    def _cut_sibling(self, order: Order, quantity: int) -> None:
        sibling = self._book.working(order.sibling)
        if sibling is not None:
            self._book.cut(sibling, min(quantity, sibling.leaves), Reason.SIBLING)

    def _release_children(self, order: Order, quantity: int) -> None:
        """Cancel the exits of a position that this fill has brought to zero or through it."""
        after = self.position(order.instrument)
        before = after - order.side * quantity
        if before * order.side < 0 <= after * order.side:
            for other in self._book.working_orders([order.instrument]):
                if other.parent and other.side == order.side:
                    self._book.cut(other, other.leaves, Reason.NOTHING_TO_REDUCE)

    def _attach_children(self, parent: Order, quantity: int, price: int, live_bar: int) -> None:
        """Make the exits of a bracket with the first fill of their parent; enlarge those that work with later ones."""
        bracket = parent.bracket
        if bracket is None:
            return
        if parent.filled > quantity:
            for child_id in (parent.stop_child, parent.limit_child):
                child = self._book.working(child_id)
                if child is not None:
                    child.quantity = int64(child.quantity + quantity, "order quantity")
            return
        stop = limit = None
        if bracket.stop_loss is not None or bracket.trail is not None:
            stop = self._make_child(parent, Kind.TRAILING_STOP if bracket.trail else Kind.STOP, quantity, live_bar)
            stop.stop = bracket.stop_loss or 0
            stop.trail = bracket.trail
            if stop.trail is not None:
                stop.start_trailing(price)
            parent.stop_child = stop.id
        if bracket.take_profit is not None:
            limit = self._make_child(parent, Kind.LIMIT, quantity, live_bar)
            limit.limit = bracket.take_profit
            parent.limit_child = limit.id
        if stop is not None and limit is not None:
            stop.sibling, limit.sibling = limit.id, stop.id

    def _make_child(self, parent: Order, kind: Kind, quantity: int, live_bar: int) -> Order:
        return self._book.add(
            Order(
                id=self._book.next_id,
                instrument=parent.instrument,
                side=-parent.side,
                kind=kind,
                quantity=quantity,
                live_bar=live_bar,
                submit_ns=self._now_ns,
                parent=parent.id,
            )
        )

    # Ruin and the end (section 8).

    def _mark_close(self, index: int) -> None:
        """Mark at the close, but be ruined on the way there if the worst price of the bar ruins."""
        instrument = self.instruments[index]
        position = self.position(index)
        if position:
            bar = instrument.bar
            best, worst = (bar.high, bar.low) if position > 0 else (bar.low, bar.high)
            instrument.mark_where(self.account.in_danger, best, worst)
            self._check_ruin()
        instrument.mark = instrument.bar.close
        self._check_ruin()

    def _check_ruin(self) -> None:
        """Liquidate where equity does not suffice for the positions, and end the run where there is none."""
        if self.halted:
            return
        if self.account.in_danger() and self.equity() > 0:
            self._liquidate()
        if self.equity() <= 0:
            self._ruin()

    def _liquidate(self) -> None:
        """Cancel every order, and close at its mark every position that requires something."""
        for order in self._book.working_orders(range(len(self.instruments))):
            self._book.cut(order, order.leaves, Reason.LIQUIDATION)
        for index, instrument in enumerate(self.instruments):
            position = self.position(index)
            if position and instrument.contract.maintenance_ppb:
                side, mark = (SELL if position > 0 else BUY), instrument.mark
                fee = self.account.liquidation_fee(index, abs(position), mark, self._now_ns)
                self.liquidations.append(len(self.fills))
                self._record_fill(0, index, side, abs(position), mark, mark, fee, maker=False)

    def _ruin(self) -> None:
        for order in self._book.working_orders(range(len(self.instruments))):
            self._book.cut(order, order.leaves, Reason.RUIN)
        for index, instrument in enumerate(self.instruments):
            position = self.position(index)
            if position:
                side = SELL if position > 0 else BUY
                self._record_fill(0, index, side, abs(position), instrument.mark, instrument.mark, 0, maker=False)
        self.halted = True

    def _close_positions_at_end(self, strategy: Strategy) -> None:
        """Bring every position to zero at its last mark, where no spread is known, and sample the equity again."""
        for index, instrument in enumerate(self.instruments):
            position = self.position(index)
            if position:
                side = SELL if position > 0 else BUY
                price = self.costs.taker_price(side, instrument.mark, 0, 0)
                fee = self._fee(index, abs(position), price, maker=False)
                self._record_fill(0, index, side, abs(position), price, instrument.mark, fee, maker=False)
        if self._invariants is not None:
            self._invariants.check()
        self._notify(strategy)
        if self.equity_samples:
            self.equity_samples.pop()
            self._exposed.pop()
            self._sample_equity()

    # What is left after a run.

    @property
    def orders(self) -> list[OrderRecord]:
        return [order.record() for order in self._book.orders]

    @property
    def postings(self) -> list[PostingRecord]:
        return self._ledger.postings

    @property
    def exposed_samples(self) -> int:
        """How many equity samples were taken with a position open."""
        return sum(self._exposed)

    def trades(self) -> list[TradeRecord]:
        last: list[Rate] = []
        if self.account.terms.currencies:
            last = [self.account.rate(instrument.contract.currency) for instrument in self.instruments]
        return match_trades(self.fills, self.instruments, self._fill_rates, last)

    def _known(self, index: int) -> Instrument:
        if not 0 <= index < len(self.instruments):
            raise EngineError(
                f"there is no instrument {index}: they are numbered from 0 to {len(self.instruments) - 1}"
            )
        return self.instruments[index]
