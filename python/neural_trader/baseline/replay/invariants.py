"""Conservation and price laws of a replay, recomputed from the records alone and held against the venue's state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from neural_trader.baseline.arithmetic import INT64_MAX
from neural_trader.baseline.invariants import worth_of
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.records import BUY, SELL, Account, State
from neural_trader.baseline.replay.events import Event
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.market import Market
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.errors import EngineError

AFTER: dict[State, tuple[State, ...]] = {
    State.SENT: (State.WORKING, State.REJECTED),
    State.WORKING: (State.FILLED, State.CANCELLED, State.EXPIRED),
}
"""Which states may follow; between two checks an order may pass through more than one."""


class ReplayInvariants:
    """Checks what is new since the last call, so that a run can be checked after each of its happenings."""

    def __init__(
        self,
        execution: Execution,
        markets: Sequence[Market],
        ledger: Ledger,
        *,
        meets_others: bool,
        slips: bool,
    ) -> None:
        self._execution = execution
        self._markets = markets
        self._ledger = ledger
        self._meets_others = meets_others
        """Whether no fill of a maker is one against another of our orders."""
        self._slips = slips
        self._trade: int | None = None
        self._balances: dict[tuple[int, int, int], int] = defaultdict(int)
        self._filled: dict[int, int] = defaultdict(int)
        self._states: dict[int, State] = {}
        self._final: dict[int, tuple[int, ...]] = {}
        self._fills_seen = 0
        self._postings_seen = 0

    def begin(self, event: Event, *, is_trade: bool) -> None:
        """This record is what the next check follows."""
        self._trade = max(0, event.quantity) if is_trade else None

    def check(self) -> None:
        """Raise EngineError, naming the law, where one is broken."""
        self._check_fills()
        self._check_postings()
        self._check_orders()
        for market in self._markets:
            market.depth.check()
            self._check_queues(market)

    def _check_fills(self) -> None:
        execution, passive = self._execution, 0
        for at, fill in enumerate(execution.fills[self._fills_seen :], self._fills_seen):
            _hold(fill.quantity > 0 and 1 <= fill.price <= INT64_MAX, 20, "a fill off the grid", fill)
            of_bars = bool(self._markets[fill.instrument].bars)
            contract, lots = self._markets[fill.instrument].contract, fill.side * fill.quantity
            slipped = contract.cost(lots, fill.price) - contract.cost(lots, fill.reference)
            may_slip = of_bars or (self._slips and not fill.maker)
            _hold(fill.slippage == slipped and (may_slip or not slipped), 2, "slippage beside the book", fill)
            _hold(fill.side * (fill.price - fill.reference) >= 0, 17, "better than the book", fill)
            _hold(fill.time_ns == execution.now_ns, 5, "a fill at another time", fill)
            if at in execution.liquidations:
                _hold(contract.maintenance_ppb > 0, 19, "liquidated", fill)
                continue
            if fill.order == 0:
                _hold(execution.is_halted and fill.fee == 0, 19, "closed without an order", fill)
                continue
            order = execution.orders[fill.order - 1]
            self._filled[fill.order] += fill.quantity
            passive += fill.quantity * fill.maker * (not of_bars)
            _hold((order.side, order.instrument) == (fill.side, fill.instrument), 3, "fill of another order", fill)
            _hold(order.accept_ns is not None and order.accept_ns <= fill.time_ns, 5, "before acceptance", fill)
            _hold(order.accepts(fill.price), 17, f"worse than the limit {order.limit}", fill)
            _hold(of_bars or not fill.maker or fill.price == order.limit, 17, "a maker fills at its own price", fill)
            fee = execution.account.charge(
                fill.instrument, fill.quantity, fill.price, fill.time_ns, maker=bool(fill.maker)
            )
            _hold(fill.fee == fee, 19, f"fee should be {fee}", fill)
        if self._trade is not None and self._meets_others:
            _hold(passive <= self._trade, 1, f"{passive} filled by a trade of {self._trade}")
        self._trade = None
        self._fills_seen = len(execution.fills)

    def _check_postings(self) -> None:
        sums: dict[tuple[int, int], int] = defaultdict(int)
        postings = self._ledger.postings
        for posting in postings[self._postings_seen :]:
            sums[posting.transaction, posting.unit] += posting.amount
            self._balances[posting.account, posting.instrument, posting.unit] += posting.amount
        self._postings_seen = len(postings)
        for (transaction, _), total in sums.items():
            _hold(total == 0, 2, f"transaction {transaction} sums to {total}")
        for market in self._markets:
            position = self._balances[Account.POSITION, market.index + 1, market.index + 1]
            _hold(position == market.position, 2, f"position is {market.position}, postings say {position}")
        if not self._execution.account.knows_every_rate():
            return
        equity = worth_of(self._balances, self._execution.account)
        _hold(equity == self._execution.equity(), 2, f"equity is {self._execution.equity()}, its parts sum to {equity}")

    def _check_orders(self) -> None:
        for order in self._execution.orders:
            numbers = (order.filled, order.cancelled, order.quantity, order.state)
            if order.id in self._final:
                _hold(numbers == self._final[order.id], 3, "changed after its end", order)
                continue
            _hold(order.filled == self._filled[order.id], 3, f"fills sum to {self._filled[order.id]}", order)
            _hold(min(order.leaves, order.filled, order.cancelled) >= 0, 3, "more than was ordered", order)
            lives = order.state in AFTER
            is_sized = order.state is not State.SENT or not self._markets[order.instrument].bars
            _hold((order.leaves > 0) == lives or not is_sized, 3, f"{order.leaves} left", order)
            self._check_step(order)
            if not lives:
                self._final[order.id] = numbers

    def _check_step(self, order: ReplayOrder) -> None:
        """Law 4: no state is skipped, none comes back; only what was accepted can fill, expire or be cancelled."""
        before = self._states.get(order.id, State.SENT)
        legal = {before}
        for _ in range(2):
            legal |= {state for known in legal for state in AFTER.get(known, ())}
        _hold(order.state in legal, 4, f"from {before.name.lower()} to {order.state.name.lower()}", order)
        if order.state in (State.WORKING, State.FILLED, State.EXPIRED):
            _hold(order.accept_ns is not None, 4, "never acknowledged", order)
        elif order.state is not State.CANCELLED:
            _hold(order.accept_ns is None, 4, "acknowledged", order)
        self._states[order.id] = order.state

    def _check_queues(self, market: Market) -> None:
        """Law 4: an order that works either rests or waits, and no other does."""
        if market.bars:
            return
        placed = [order.id for side in (BUY, SELL) for order in market.resting[side]] + list(market.waiting)
        working = [order.id for order in self._execution.working_orders() if order.instrument == market.index]
        _hold(sorted(placed) == working, 4, f"orders {placed} are in the book, {working} work")
        standing, resting = market.depth.standing(), sorted(set(placed) - set(market.waiting))
        _hold(standing is None or sorted(standing) == resting, 4, f"orders {standing} stand in queues, {resting} rest")


def _hold(holds: bool, law: int, broken: str, by: object = "") -> None:
    if not holds:
        raise EngineError(f"law {law} is broken: {broken} {by}")
