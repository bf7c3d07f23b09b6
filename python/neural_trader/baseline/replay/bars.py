"""Bars in a replay: the venue of all of them is the bar engine, on the account of the replay (section 12)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from neural_trader.baseline.callbacks import Strategy
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.engine import Engine
from neural_trader.baseline.instrument import BarsLike, Instrument
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.orders import Order, Ticket
from neural_trader.baseline.records import BUY, SELL, FillRecord, Reason, State
from neural_trader.baseline.replay.depth import Depth
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.orders import ReplayOrder
from neural_trader.baseline.replay.timeline import Happening
from neural_trader.baseline.terms import ContractTerms
from neural_trader.baseline.timeline import CLOSE, Moment, moments


class BarMarket(Instrument):
    """An instrument of bars, with what a replay asks of every market: it shows no book, and nothing rests in it."""

    def __init__(
        self, index: int, bars: BarsLike, ledger: Ledger, terms: ContractTerms, volume_cap_ppb: int | None
    ) -> None:
        super().__init__(bars, volume_cap_ppb, terms)
        self.index = index
        self.columns = bars
        self.depth = Depth(quotes=True)
        self.resting: dict[int, list[ReplayOrder]] = {BUY: [], SELL: []}
        self.waiting: dict[int, ReplayOrder] = {}
        self._ledger = ledger

    @property
    def position(self) -> int:
        return self._ledger.position(self.index)

    def value(self) -> None:
        """Its mark is that of its bars."""

    def remove(self, order: ReplayOrder) -> None:
        """Nothing rests here."""

    def rests(self, order: ReplayOrder) -> bool:
        return False


class BarVenue(Engine):
    """The bar engine over those markets of a replay that have bars; its orders and fills are those of the replay."""

    def __init__(
        self,
        markets: Sequence[Any],
        execution: Execution,
        ledger: Ledger,
        costs: Costs,
        *,
        feed_ns: int,
        fill_close: bool,
        limit_through: bool,
    ) -> None:
        self.instruments = list(markets)
        self.costs = costs
        self.fills = execution.fills
        self.halted = False
        self._fill_close = fill_close
        self._limit_through = limit_through
        self._execution = execution
        self._ledger = ledger
        self.account = execution.account
        self.liquidations = execution.liquidations
        self._accruals = execution.accruals
        self._fill_rates = execution.fill_rates
        self._book: Any = _Orders(execution, self.instruments)
        self._moments = deque(moments(self.instruments))
        closes = [moment for moment in self._moments if moment.phase == CLOSE]
        self._ends = deque(moment for moment in closes)
        self._here = deque(
            (moment.time_ns + feed_ns, Happening.BAR_HERE, (index, self._place(moment, index)))
            for moment in closes
            for index in moment.instruments
        )
        """When closes arrive here: instruments, and the positions of their bars."""
        self._told: int | None = None
        """When the moment is told of whose closes have arrived."""
        self.known_marks = dict.fromkeys(range(len(self.instruments)), 0)
        """The last closes that have arrived here."""
        self.closes_ns = [moment.time_ns for moment in closes]
        self.last_arrival_ns = self._here[-1][0] if self._here else -1

    def _place(self, moment: Moment, index: int) -> int:
        return next(at for at, bar in enumerate(self.instruments[index].bars) if bar.close_ns == moment.time_ns)

    def next(self) -> list[tuple[int, Happening]]:
        """What can happen next of bars, and when."""
        first = []
        if self._moments:
            kind = Happening.CLOSE_AT_VENUE if self._moments[0].phase == CLOSE else Happening.OPENING
            first.append((self._moments[0].time_ns, kind))
        # A close moment can end once its closes have been played.
        if self._ends and (not self._moments or self._moments[0] is not self._ends[0]):
            first.append((self._ends[0].time_ns, Happening.END_OF_MOMENT))
        if self._told is not None:
            first.append((self._told, Happening.MOMENT_HERE))
        if self._here:
            first.append(self._here[0][:2])
        return first

    def bar_here(self) -> tuple[int, int]:
        """A close arrives here; returns the instrument, and the position of the bar."""
        self._told, _, (index, at) = self._here.popleft()
        self.known_marks[index] = self.instruments[index].bars[at].close
        return index, at

    def moment_here(self) -> None:
        """All closes of a time have arrived."""
        self._told = None

    def play_moment(self) -> None:
        self.begin()
        moment = self._moments.popleft()
        if moment.phase == CLOSE:
            self._play_closes(moment)
        else:
            self._open_moment(moment, _NOBODY)

    def end_moment(self) -> None:
        self.begin()
        moment = self._ends.popleft()
        if self._fill_close:
            self._closing_match(moment.instruments)
            self._check_ruin()

    def begin(self) -> None:
        """Take over the time, and whether the run is ruined."""
        self._now_ns = self._execution.now_ns
        self.halted = self._execution.is_halted

    def _check_ruin(self) -> None:
        self._execution.check_ruin()
        self.halted = self._execution.is_halted

    def enter(self, index: int, ticket: Ticket) -> int:
        """Obey a ticket at once; returns the id of the order, or 0 if it is a target already reached."""
        if ticket.is_target:
            self._recall_targets(index)
        return self._enter(index, ticket)

    def arrive(self, order: ReplayOrder, ticket: Ticket) -> None:
        """An order arrives that was sent: it becomes what its ticket comes to now."""
        self.begin()
        execution, index = self._execution, order.instrument
        if ticket.is_target:
            self._recall_targets(index)
        size, refusal = self._judge(index, ticket)
        order.side, order.quantity = size.side, size.quantity
        if refusal is Reason.REACHED:
            order.state, order.reason = State.CANCELLED, Reason.REACHED
            execution.tell("ended", order)
        elif refusal is not Reason.NONE:
            execution.reject(order, refusal)
            execution.tell("ended", order)
        else:
            order.target = self.position(index) + size.side * size.quantity if ticket.is_target else None
            order.live_bar = self.instruments[index].opened
            if order.trail is not None:
                order.start_trailing(self.instruments[index].mark)
            execution.begin(order)
            execution.accept(order)


class _Orders:
    """The orders of a replay as the bar engine's own."""

    def __init__(self, execution: Execution, markets: Sequence[Any]) -> None:
        self._execution = execution
        self._markets = markets
        self.notifications = _Answers(execution)
        self.working = execution.working
        self.cut = execution.cut
        self.expire = execution.expire
        self.finish = execution.finish

    @property
    def next_id(self) -> int:
        return len(self._execution.orders) + 1

    def working_orders(self, indices: Sequence[int]) -> list[ReplayOrder]:
        return [order for order in self._execution.working_orders() if order.instrument in indices]

    def live_orders(self, indices: Sequence[int]) -> list[ReplayOrder]:
        working = self.working_orders(indices)
        return [order for order in working if self._markets[order.instrument].current >= order.live_bar]

    def add(self, order: Order) -> ReplayOrder:
        fields = {name: getattr(order, name) for name in Order.__slots__}
        added = ReplayOrder(**fields, reduce_only=bool(order.parent))
        self._execution.orders.append(added)
        self._execution.begin(added)
        if added.parent:
            self._execution.exits_to_arrive.append(added)
        return added

    def reject(self, order: ReplayOrder, reason: Reason) -> None:
        order.cancelled = order.quantity
        self._execution.finish(order, State.REJECTED, reason)


class _Answers:
    """Where the bar engine leaves its notifications: what it says is on its way at once, and nothing waits."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def __len__(self) -> int:
        return 0

    def append(self, fill: FillRecord) -> None:
        self._execution.tell_fill(fill.instrument, fill.order)


class _Nobody:
    """Hears nothing: in a replay notifications travel as answers."""

    def on_bar(self, engine: Engine, instrument: int, bar_index: int) -> None: ...

    def on_fill(self, engine: Engine, fill: object) -> None: ...

    def on_order(self, engine: Engine, order: object) -> None: ...


_NOBODY: Strategy = _Nobody()
