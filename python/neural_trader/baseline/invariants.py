"""Conservation and price laws, recomputed from the records alone and held against the engine's state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from neural_trader.baseline.account import Account as AccountView
from neural_trader.baseline.arithmetic import INT64_MAX
from neural_trader.baseline.ledger import unit_of
from neural_trader.baseline.records import BUY, Account, Kind, State
from neural_trader.errors import EngineError

if TYPE_CHECKING:
    from neural_trader.baseline.engine import Engine


class Invariants:
    """Checks what is new since the last call, so that a run can be checked after each of its moments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._balances: dict[tuple[int, int, int], int] = defaultdict(int)
        self._filled: dict[int, int] = defaultdict(int)
        self._final: dict[int, tuple[int, int, int]] = {}
        self._filled_in_bar: dict[tuple[int, int], int] = defaultdict(int)
        self._fills_seen = 0
        self._postings_seen = 0

    def check(self, *, by_bar: bool = True) -> None:
        """Raise EngineError, naming the law, where one is broken. Without ``by_bar`` the volume budget is left out."""
        self._check_postings()
        self._check_fills(by_bar)
        self._check_orders()

    def _check_postings(self) -> None:
        sums: dict[tuple[int, int], int] = defaultdict(int)
        engine = self._engine
        for posting in engine.postings[self._postings_seen :]:
            sums[posting.transaction, posting.unit] += posting.amount
            self._balances[posting.account, posting.instrument, posting.unit] += posting.amount
        self._postings_seen = len(engine.postings)
        for (transaction, _), total in sums.items():
            _hold(total == 0, 2, f"transaction {transaction} sums to {total}")
        for index in range(len(engine.instruments)):
            position = self._balances[Account.POSITION, index + 1, index + 1]
            _hold(
                position == engine.position(index), 2, f"position is {engine.position(index)}, postings say {position}"
            )
        if not engine.account.knows_every_rate():
            return
        equity = worth_of(self._balances, engine.account)
        _hold(equity == engine.equity(), 2, f"equity is {engine.equity()}, cash and positions are worth {equity}")

    def _check_fills(self, by_bar: bool) -> None:
        engine = self._engine
        for at, fill in enumerate(engine.fills[self._fills_seen :], self._fills_seen):
            instrument = engine.instruments[fill.instrument]
            _hold(fill.quantity > 0 and 1 <= fill.price <= INT64_MAX, 20, f"a fill off the grid: {fill}")
            contract, lots = instrument.contract, fill.side * fill.quantity
            cost = contract.cost(lots, fill.price) - contract.cost(lots, fill.reference)
            _hold(fill.slippage == cost, 2, f"slippage should be {cost}: {fill}")
            fee = engine.account.charge(
                fill.instrument, fill.quantity, fill.price, fill.time_ns, maker=bool(fill.maker)
            )
            if at in engine.liquidations:
                _hold(contract.maintenance_ppb > 0 and fill.price == fill.reference, 19, f"liquidated: {fill}")
                continue
            if fill.order == 0:
                # The engine itself closed a position: for nothing when ruined, as a taker at the end of data.
                free = engine.halted and fill.price == fill.reference
                _hold(fill.fee == (0 if free else fee), 19, f"fee should be {fee} or, in ruin, 0: {fill}")
                continue
            self._filled[fill.order] += fill.quantity
            order = engine.orders[fill.order - 1]
            _hold((order.side, order.instrument) == (fill.side, fill.instrument), 3, f"fill of another order: {fill}")
            if order.kind in (Kind.LIMIT, Kind.STOP_LIMIT):
                kept = fill.price <= order.limit if fill.side == BUY else fill.price >= order.limit
                _hold(kept, 17, f"worse than the limit {order.limit}: {fill}")
            _hold(fill.fee == fee, 19, f"fee should be {fee}: {fill}")
            if by_bar:
                self._filled_in_bar[fill.instrument, instrument.current] += fill.quantity
                in_bar = self._filled_in_bar[fill.instrument, instrument.current]
                budget = instrument.full_budget()
                _hold(budget is None or in_bar <= budget, 1, f"{in_bar} filled in a bar of {budget}: {fill}")
        self._fills_seen = len(engine.fills)

    def _check_orders(self) -> None:
        for order in self._engine.orders:
            _hold(order.filled == self._filled[order.id], 3, f"fills sum to {self._filled[order.id]}: {order}")
            if order.id in self._final:
                known = self._final[order.id]
                _hold((order.filled, order.cancelled, order.state) == known, 3, f"changed after its end: {order}")
                continue
            leaves = order.quantity - order.filled - order.cancelled
            _hold(leaves >= 0 and order.filled >= 0 and order.cancelled >= 0, 3, f"more than was ordered: {order}")
            _hold((leaves > 0) == (order.state == State.WORKING), 3, f"{leaves} left: {order}")
            if order.state != State.WORKING:
                self._final[order.id] = (order.filled, order.cancelled, order.state)


def worth_of(balances: Mapping[tuple[int, int, int], int], account: AccountView) -> int:
    """Equity, from nothing but the sums of postings, the marks, and what currencies are worth."""
    total = 0
    for currency in range(1 + len(account.terms.currencies)):
        unit = unit_of(currency)
        amount = balances[Account.CASH, 0, unit]
        for index, instrument in enumerate(account.instruments):
            if instrument.contract.currency == currency:
                position = balances[Account.POSITION, index + 1, index + 1]
                amount += balances[Account.ENTRY, index + 1, unit] + instrument.contract.value(
                    position, instrument.mark
                )
        numerator, denominator = account.rate(currency) if amount else (1, 1)
        total += amount * numerator // denominator
    return total


def _hold(holds: bool, law: int, broken: str) -> None:
    if not holds:
        raise EngineError(f"law {law} is broken: {broken}")
