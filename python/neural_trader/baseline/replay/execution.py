"""One fill and what follows from it: quantity, margin, money, exits (docs/fill-rules.md sections 3 and 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from neural_trader.baseline.account import Account, Rate
from neural_trader.baseline.accruals import Accruals
from neural_trader.baseline.arithmetic import int64, money
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.records import BUY, SELL, FillRecord, Kind, Reason, State
from neural_trader.baseline.replay.market import Market
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.baseline.terms import AccountTerms

Tell = Callable[[str, int, int, int], None]
"""Send an answer of this kind on its way: about which instrument, of which number, and of which order."""


class Execution:
    """All orders of a run, how they fill and how they end, and the account as the venue knows it."""

    def __init__(
        self,
        markets: Sequence[Market],
        ledger: Ledger,
        known: Ledger,
        costs: Costs,
        leverage_ppb: int,
        terms: AccountTerms,
        tell: Tell,
    ) -> None:
        self.now_ns = 0
        self.orders: list[ReplayOrder] = []
        self.fills: list[FillRecord] = []
        self.exits_to_arrive: deque[ReplayOrder] = deque()
        """Children that this happening has made; they meet the book when it is over."""
        self.is_halted = False
        self._markets = markets
        self._ledger = ledger
        self.account = Account(ledger, markets, costs, leverage_ppb, terms)
        # What falls due by a public timetable is known here at once.
        self.accruals = Accruals(terms, self.account, ledger, known)
        self.fill_rates: list[Rate] = []
        """What the currency of each fill was worth then, where there are several."""
        self.liquidations: list[int] = []
        """Fills by which positions were liquidated."""
        self._working: dict[int, ReplayOrder] = {}
        self._tell = tell

    # Orders and how they end.

    def equity(self) -> int:
        return self.account.equity()

    def working(self, order_id: int) -> ReplayOrder | None:
        return self._working.get(order_id)

    def working_orders(self) -> list[ReplayOrder]:
        """By id, as a list because what is done to one may end another."""
        return sorted(self._working.values(), key=lambda order: order.id)

    def tell(self, kind: str, order: ReplayOrder) -> None:
        self._tell(kind, order.instrument, order.id, order.id)

    def begin(self, order: ReplayOrder) -> None:
        """The order works from now on."""
        order.state = State.WORKING
        self._working[order.id] = order

    def accept(self, order: ReplayOrder) -> None:
        """The venue of bars acknowledges it; its expiry is a matter of openings."""
        order.accept_ns = self.now_ns
        self.tell("accepted", order)

    def tell_fill(self, instrument: int, order_id: int) -> None:
        """Send the news of the last fill on its way."""
        self._tell("fill", instrument, len(self.fills) - 1, order_id)

    def reject(self, order: ReplayOrder, reason: Reason) -> None:
        """End an order that never worked, without a word."""
        order.cancelled = order.quantity
        order.state = State.REJECTED
        order.reason = reason

    def cut(self, order: ReplayOrder, quantity: int, reason: Reason) -> None:
        """Take a quantity off a working order; it is cancelled when nothing is left of it."""
        order.cancelled += quantity
        order.reason = reason
        if order.leaves == 0:
            self.finish(order, State.CANCELLED, reason)

    def cancel(self, order: ReplayOrder, reason: Reason) -> None:
        self.cut(order, order.leaves, reason)

    def expire(self, order: ReplayOrder) -> None:
        order.cancelled += order.leaves
        self.finish(order, State.EXPIRED, Reason.TIME)

    def finish(self, order: ReplayOrder, state: State, reason: Reason) -> None:
        """End a working order; that it is filled is told by its last fill."""
        order.state = state
        order.reason = reason
        del self._working[order.id]
        self._markets[order.instrument].remove(order)
        if state is not State.FILLED:
            self.tell("ended", order)

    # Fills.

    def fill(self, order: ReplayOrder, found: int, price: int, *, maker: bool, reference: int | None = None) -> int:
        """Fill as much of what was found as the order's purpose and the margin allow; nothing only if it ends so.

        ``reference`` is the price of the book, where that is not the one that is paid.
        """
        reference = price if reference is None else reference
        quantity = self.wanted(order, found)
        if quantity == 0:
            return 0
        allowed = self.account.allowed(
            order.instrument, order.side, quantity, price, reference, self.now_ns, maker=maker
        )
        if allowed:
            self._record(order, allowed, price, reference, maker=maker)
        if allowed < quantity:
            self.cancel(order, Reason.MARGIN)
        if allowed:
            self._follow(order, allowed, price)
        return allowed

    def fill_among_ourselves(self, taker: ReplayOrder, maker: ReplayOrder) -> None:
        """Two fills at the maker's price; margin has no say where the position stays as it was."""
        quantity = self.wanted(taker, min(taker.leaves, maker.leaves))
        if quantity:
            quantity = self.wanted(maker, quantity)
        if quantity:
            for order in (maker, taker):
                self._record(order, quantity, maker.limit, maker.limit, maker=order is maker)
                self._follow(order, quantity, maker.limit)

    def wanted(self, order: ReplayOrder, found: int) -> int:
        """What of a quantity found the order's purpose leaves; what has become pointless is cancelled."""
        position = self._ledger.position(order.instrument)
        if order.target is not None:
            missing = max(0, order.side * (order.target - position))
            if missing < order.leaves:
                self.cut(order, order.leaves - missing, Reason.REACHED)
        quantity = min(order.leaves, found)
        if quantity and order.reduce_only:
            quantity = min(quantity, max(0, -order.side * position))
            if quantity == 0:
                self.cancel(order, Reason.NOTHING_TO_REDUCE)
        return quantity

    def _record(self, order: ReplayOrder, quantity: int, price: int, reference: int, *, maker: bool) -> None:
        fee = self.account.charge(order.instrument, quantity, price, self.now_ns, maker=maker)
        order.filled += quantity
        self._post(order.id, order.instrument, order.side, quantity, price, reference, fee, maker=maker)
        if order.leaves == 0:
            self.finish(order, State.FILLED, order.reason)

    def _post(
        self,
        order_id: int,
        index: int,
        side: int,
        quantity: int,
        price: int,
        reference: int,
        fee: int,
        *,
        maker: bool,
    ) -> None:
        market = self._markets[index]
        lots = side * quantity
        slippage = money(market.contract.cost(lots, price) - market.contract.cost(lots, reference), "slippage cost")
        fill = FillRecord(order_id, index, side, quantity, price, reference, fee, slippage, int(maker), self.now_ns)
        int64(market.position + side * quantity, "position")
        if self.account.terms.currencies:
            self.fill_rates.append(self.account.rate(market.contract.currency))
        self.account.count(index, quantity, price, self.now_ns)
        self.accruals.begin(self.now_ns)
        self._ledger.post_fill(fill, market.contract)
        # What is closed without an order is closed at its mark, which stays.
        if order_id:
            market.value()
            market.mark = market.mark or reference
        self.fills.append(fill)
        self.tell_fill(index, order_id)

    def _follow(self, order: ReplayOrder, quantity: int, price: int) -> None:
        """What a fill means for other orders."""
        sibling = self.working(order.sibling)
        if sibling is not None:
            self.cut(sibling, min(quantity, sibling.leaves), Reason.SIBLING)
        self._release_exits(order, quantity)
        self._attach_exits(order, quantity, price)

    def _release_exits(self, order: ReplayOrder, quantity: int) -> None:
        """Cancel the exits of a position that this fill has brought to zero or through it."""
        after = self._ledger.position(order.instrument)
        before = after - order.side * quantity
        if before * order.side < 0 <= after * order.side:
            for other in self.working_orders():
                if other.instrument == order.instrument and other.parent and other.side == order.side:
                    self.cancel(other, Reason.NOTHING_TO_REDUCE)

    def _attach_exits(self, parent: ReplayOrder, quantity: int, price: int) -> None:
        """Make the exits of a bracket with the first fill of their parent; enlarge those that work with later ones."""
        bracket = parent.bracket
        if bracket is None:
            return
        if parent.filled > quantity:
            for child_id in (parent.stop_child, parent.limit_child):
                child = self.working(child_id)
                if child is not None:
                    child.quantity = int64(child.quantity + quantity, "order quantity")
            return
        stop = limit = None
        if bracket.stop_loss is not None or bracket.trail is not None:
            stop = self._make_exit(parent, Kind.TRAILING_STOP if bracket.trail else Kind.STOP, quantity)
            stop.stop = bracket.stop_loss or 0
            stop.trail = bracket.trail
            if stop.trail is not None:
                stop.start_trailing(price)
            parent.stop_child = stop.id
        if bracket.take_profit is not None:
            limit = self._make_exit(parent, Kind.LIMIT, quantity)
            limit.limit = bracket.take_profit
            parent.limit_child = limit.id
        if stop is not None and limit is not None:
            stop.sibling, limit.sibling = limit.id, stop.id

    def _make_exit(self, parent: ReplayOrder, kind: Kind, quantity: int) -> ReplayOrder:
        child = ReplayOrder(
            id=len(self.orders) + 1,
            instrument=parent.instrument,
            side=-parent.side,
            kind=kind,
            quantity=quantity,
            live_bar=0,
            submit_ns=self.now_ns,
            parent=parent.id,
            reduce_only=True,
        )
        self.orders.append(child)
        self.begin(child)
        self.exits_to_arrive.append(child)
        return child

    # Liquidation and ruin.

    def check_ruin(self) -> None:
        """Liquidate where equity does not suffice for the positions, and end the run where there is none."""
        if self.is_halted:
            return
        if self.account.in_danger() and self.equity() > 0:
            self._liquidate()
        if self.equity() <= 0:
            self._ruin()

    def _liquidate(self) -> None:
        """Cancel every order, and close at its mark every position that requires something."""
        for order in self.working_orders():
            self.cancel(order, Reason.LIQUIDATION)
        for market in self._markets:
            position, mark = market.position, market.mark
            if position and market.contract.maintenance_ppb:
                fee = self.account.liquidation_fee(market.index, abs(position), mark, self.now_ns)
                self.liquidations.append(len(self.fills))
                side = SELL if position > 0 else BUY
                self._post(0, market.index, side, abs(position), mark, mark, fee, maker=False)

    def _ruin(self) -> None:
        """Without equity: cancel everything, close every position at its mark for nothing, and halt."""
        for order in self.working_orders():
            self.cancel(order, Reason.RUIN)
        for market in self._markets:
            if market.position:
                side = SELL if market.position > 0 else BUY
                self._post(0, market.index, side, abs(market.position), market.mark, market.mark, 0, maker=False)
        self.is_halted = True
