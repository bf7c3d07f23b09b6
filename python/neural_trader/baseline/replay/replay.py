"""The replay: recorded books and trades, and a strategy whose orders meet them (docs/book-rules.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from neural_trader.baseline.arithmetic import BILLION, int64
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.instrument import BarsLike
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.orders import OF_BARS, Ticket, make_ticket
from neural_trader.baseline.records import BUY, SELL, FillRecord, Reason
from neural_trader.baseline.replay.bars import BarMarket, BarVenue
from neural_trader.baseline.replay.callbacks import ReplayStrategy
from neural_trader.baseline.replay.depth import OrderPlayed, SnapshotEnded
from neural_trader.baseline.replay.events import (
    BEFORE_FLAG,
    COUNT_MAX,
    ENDS_OF_AGGRESSORS,
    LAST_FLAG,
    Event,
    kind_named,
    side_of,
)
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.invariants import ReplayInvariants
from neural_trader.baseline.replay.known import Known
from neural_trader.baseline.replay.latency import Connection, ConstantLatency, Latency, RecordedLatency
from neural_trader.baseline.replay.market import Grid, Market, Step, check_order
from neural_trader.baseline.replay.markets import markets_of, views_of
from neural_trader.baseline.replay.matching import Matching
from neural_trader.baseline.replay.orders import (
    OF_REPLAYS,
    ReplayOrder,
    Standing,
    check_options,
    order_of,
    refusal_of,
)
from neural_trader.baseline.replay.orders_depth import OrdersDepth
from neural_trader.baseline.replay.passive import Passive
from neural_trader.baseline.replay.queues import front_model
from neural_trader.baseline.replay.results import ReplayResults
from neural_trader.baseline.replay.samples import Samples
from neural_trader.baseline.replay.sources import NOT_PART, Source, sources_of
from neural_trader.baseline.replay.timeline import Agenda, Answer, Command, Happening
from neural_trader.baseline.sizing import Size, resolve_size
from neural_trader.baseline.terms import AccountTerms, check_terms
from neural_trader.errors import EngineError

CALLS_MAX = 10_000
"""Answers and timers at one time; more can only be a strategy that answers each of them with an order or a timer."""

NEVER_NS = -1


class Replay(ReplayResults):
    """One run over sources of market records; instruments are numbered by the order of their symbols."""

    def __init__(
        self,
        instruments: Sequence[tuple[str, Any, Any]],
        sources: Sequence[tuple[Any, Sequence[int]]],
        *,
        cash: int,
        leverage_ppb: int = BILLION,
        maker_ppb: int = 0,
        taker_ppb: int = 0,
        fixed_fee: int = 0,
        entry_ns: int = 0,
        response_ns: int = 0,
        feed_ns: int | None = None,
        latency_rows: Sequence[tuple[int, int, int]] | None = None,
        queue: str = "risk_averse",
        power: int = 2,
        whole: bool = False,
        depth: str | Sequence[str] = "levels",
        trades: str | Sequence[str] = "trade",
        self_trade: str = "cancel_newest",
        sample_ns: int | None = BILLION,
        roles: Sequence[str] | None = None,
        view: str | Sequence[str] | None = None,
        by_bars: bool = False,
        bars: Sequence[tuple[int, BarsLike]] = (),
        slippage_ticks: int = 0,
        slippage_ppb: int = 0,
        slippage_spread_ppb: int = 0,
        fill_close: bool = False,
        limit_through: bool = False,
        volume_cap_ppb: int | None = None,
        account: AccountTerms | None = None,
        impact: tuple[int, int] | None = None,
        checked: bool = False,
    ) -> None:
        """``bars`` are those of the instruments that come as bars, by rank; the settings behind it are for them.

        Without ``sample_ns`` equity is sampled at closes of bars.
        """
        grids = [Grid(symbol, *(Step(s.mantissa, s.decimals) for s in steps)) for symbol, *steps in instruments]
        check_order(grids)
        if cash <= 0 or leverage_ppb <= 0 or (sample_ns is not None and sample_ns <= 0):
            raise EngineError("cash, leverage and the sampling interval must be positive")
        terms = account or AccountTerms()
        check_terms(terms, [grid.symbol for grid in grids], leverage_ppb)
        self.now_ns = 0
        deposits = [currency.deposit for currency in terms.currencies]
        ledger, known = Ledger(cash, deposits), Ledger(cash, deposits)
        costs = Costs(maker_ppb, taker_ppb, fixed_fee, slippage_ticks, slippage_ppb, slippage_spread_ppb)
        self._grids = grids
        self._sources = sources_of(sources, len(grids), feed_ns, roles)
        of_bars = dict(bars)
        self._columns = sorted(of_bars.items())
        self._markets = markets_of(
            grids,
            of_bars,
            ledger,
            terms,
            depth=depth,
            trades=trades,
            first=queue == "front",
            volume_cap_ppb=volume_cap_ppb,
        )
        self._execution = Execution(self._markets, ledger, known, costs, leverage_ppb, terms, self._tell)
        self._matching = Matching(self._markets, self._execution, impact, self_trade=self_trade, by_bars=by_bars)
        self._passive = Passive(self._execution, self._matching, front_model(queue, power), whole=whole)
        self._ledger = ledger
        self._bars = BarVenue(
            self._markets,
            self._execution,
            ledger,
            costs,
            feed_ns=feed_ns or 0,
            fill_close=fill_close,
            limit_through=limit_through,
        )
        self._line_of_bars = min(of_bars, default=0)
        self._at_once = latency_rows is None and not entry_ns and not response_ns and not feed_ns
        """Whether commands about bars are obeyed when they are given, and what they do is known here then."""
        self._samples = Samples(self._sources, self._bars.closes_ns, sample_ns)
        self._agenda = Agenda()
        ends = [source.here_ns[-1] for source in self._sources if source.events]
        self._end_ns = max([*ends, self._bars.last_arrival_ns], default=NEVER_NS)
        """The last arrival here of any record or close; nothing is played after it."""
        self._said: list[tuple[str, int, int, int]] = []
        """What the venue has said of the present happening, as kind, instrument, number and order."""
        # What is known here: it lags behind the venue.
        self._known = known
        self._names = Known()
        self._orders_seen = 0
        """Orders up to here have been looked at for exits that are known as they come to exist."""
        self._views = views_of(self._markets, depth if view is None else view)
        latency = _latency_of(entry_ns, response_ns, latency_rows)
        lines = {self._line(index): Connection(latency) for index in range(len(grids))}
        self._connections = [lines[self._line(index)] for index in range(len(grids))]
        self._by_bars = by_bars
        self._unheard: list[list[tuple[int, Command]]] = [[] for _ in grids]
        """Commands that have to wait until their venue listens, with the time of their arrival."""
        self._wants: set[int] = set()
        self._wants_bars = False
        self._calls = (0, 0)
        """The time of the last answer or timer, and how many there were at that time."""
        self._has_run = False
        laws = {"meets_others": self_trade != "off", "slips": impact is not None}
        invariants = ReplayInvariants(self._execution, self._markets, ledger, **laws)
        self._invariants = invariants if checked else None

    # What a strategy may ask and do.

    def position(self, instrument: int) -> int:
        """Lots held, as far as fills are known here."""
        return self._known.position(self._index(instrument))

    def cash(self, currency: int = 0) -> int:
        """Cash in the account currency, or in the n-th of the others, as far as fills are known here."""
        return self._known.cash(currency)

    def best(self, instrument: int, side: int) -> tuple[int, int] | None:
        """Price and quantity of the best bid (side 1) or ask (-1) of the book that has arrived here."""
        if side not in (BUY, SELL):
            raise EngineError(f"side must be {BUY} (bid) or {SELL} (ask), not {side}")
        return self._views[self._index(instrument)].best(side)

    def standing(self, order_number: int) -> Standing:
        """How an order stood with the last answer about it that has arrived here."""
        return self._names.standing(order_number)

    def mark(self, instrument: int) -> int:
        """The last price of an instrument of bars that is known here; 0 before there is any."""
        index = self._index(instrument)
        mark: int = self._markets[index].mark if self._at_once else self._bars.known_marks[index]
        return mark

    def queue_ahead(self, order_number: int) -> float | None:
        """What others have before an order at its venue; None if it does not rest or nobody knows.

        To judge models by, not for strategies: it is news that has not arrived here yet.
        """
        order = self._order(order_number)
        market = self._markets[order.instrument]
        return market.depth.ahead(order) if market.rests(order) else None

    def timer(self, time_ns: int) -> None:
        """Call ``on_timer`` at this time; a time that has passed is now."""
        self._agenda.add(Happening.TIMER, max(self.now_ns, int64(time_ns, "time of a timer")))

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
        post_only: bool = False,
        reduce_only: bool = False,
        display: int | None = None,
    ) -> int:
        """Send an order; returns its number, or 0 when a target is already reached. The side of a target is ignored."""
        index = self._index(instrument)
        is_of_bars = self._is_of_bars(index)
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
            vocabulary=OF_BARS if is_of_bars else OF_REPLAYS,
        )
        if is_of_bars:
            if post_only or reduce_only or display is not None:
                raise EngineError("post-only, reduce-only and a displayed part are for books; bars have none")
            return self._submit_to_bars(index, ticket)
        check_options(ticket, post_only=post_only, display=display)
        shown = None if display is None else int64(display, "display")
        resolved = resolve_size(
            ticket, equity=lambda: 0, position=self.position(index), mark=0, worth_of_lot=lambda _: 1
        )
        refusal = refusal_of(ticket, resolved, shown)
        if refusal is not Reason.NONE:
            resolved = Size(ticket.side, max(0, ticket.size) if ticket.size_kind == "quantity" else 0)
        elif resolved.quantity == 0:
            return 0
        order = self._make(index, ticket, resolved)
        order.post_only, order.reduce_only, order.display = post_only, reduce_only, max(0, shown or 0)
        self._execution.orders.append(order)
        number = self._names.of_order(order.id, order.standing())
        if refusal is Reason.NONE:
            self._send(Command("submit", order))
        else:
            self._execution.reject(order, refusal)
            self._answer(self._connections[index].answer_arrives_at(self.now_ns), "ended", order)
        return number

    def _submit_to_bars(self, index: int, ticket: Ticket) -> int:
        execution = self._execution
        if self._at_once:
            self._bars.begin()
            order_id = self._bars.enter(index, ticket)
            if order_id and execution.orders[order_id - 1].is_working:
                execution.accept(execution.orders[order_id - 1])
            self._send_answers()
            return self._names.of_order(order_id, execution.orders[order_id - 1].standing()) if order_id else 0
        # What it comes to is found where it arrives.
        lots = max(0, ticket.size) if ticket.size_kind == "quantity" else 0
        order = self._make(index, ticket, Size(ticket.side, lots))
        order.target = None
        execution.orders.append(order)
        number = self._names.of_order(order.id, order.standing())
        self._send(Command("submit", order, ticket=ticket))
        return number

    def cancel(self, order_number: int) -> None:
        """Ask the venue to cancel an order."""
        command = Command("cancel", self._order(order_number))
        if self._at_once and self._is_of_bars(command.order.instrument):
            self._obey(command)
            self._send_answers()
        else:
            self._send(command)

    def amend(self, order_number: int, limit: int, quantity: int) -> None:
        """Ask the venue to change the limit price and the total quantity of an order that rests."""
        limit, quantity = int64(limit, "limit"), int64(quantity, "quantity")
        if limit <= 0:
            raise EngineError("a limit price is positive")
        self._send(Command("amend", self._order(order_number), limit, quantity))

    def _make(self, index: int, ticket: Ticket, size: Size) -> ReplayOrder:
        order_id, position = len(self._execution.orders) + 1, self.position(index)
        return order_of(ticket, size, order_id=order_id, instrument=index, position=position, now_ns=self.now_ns)

    # Commands and answers on their way.

    def _send(self, command: Command) -> None:
        """Send a command, which is answered without having been at the venue where that will not hear of it."""
        order = command.order
        index = order.instrument
        connection = self._connections[index]
        entry = connection.entry(self.now_ns)
        arrives_ns = self.now_ns + entry.after_ns
        if not entry.is_refused:
            arrives_ns = connection.command_arrives(arrives_ns)
            if self._by_bars and not self._is_of_bars(index):
                self._unheard[index].append((arrives_ns, command))
            else:
                self._agenda.add(Happening.COMMAND, arrives_ns, self._line(index), command)
        elif command.what == "submit":
            self._execution.reject(order, Reason.REFUSED)
            self._answer(connection.answer_arrives_at(arrives_ns), "ended", order)
        else:
            # Whoever refuses it has not looked at the order.
            answer = Answer("refused", order.id, order.id)
            self._agenda.add(Happening.ANSWER, connection.answer_arrives_at(arrives_ns), self._line(index), answer)

    def _answer(self, arrives_ns: int, kind: str, order: ReplayOrder) -> None:
        answer = Answer(kind, order.id, order.id, order.standing())
        self._agenda.add(Happening.ANSWER, arrives_ns, self._line(order.instrument), answer)

    def _tell(self, kind: str, instrument: int, number: int, order_id: int) -> None:
        if kind == "fill" and self._at_once and self._is_of_bars(instrument):
            self._know(self._execution.fills[number])
        self._said.append((kind, instrument, number, order_id))

    def _send_answers(self) -> None:
        """What the venue said leaves it when all has happened that belongs together."""
        for order in self._execution.orders[self._orders_seen :]:
            if order.parent and self._at_once and self._is_of_bars(order.instrument):
                self._names.of_order(order.id, order.standing())
        self._orders_seen = len(self._execution.orders)
        for kind, instrument, number, order_id in self._said:
            arrives_ns = self._connections[instrument].answer_arrives(self.now_ns)
            standing = self._execution.orders[order_id - 1].standing() if order_id else None
            answer = Answer(kind, number, order_id, standing)
            self._agenda.add(Happening.ANSWER, arrives_ns, self._line(instrument), answer)
        self._said.clear()

    def _know(self, fill: FillRecord) -> None:
        self._known.post_fill(fill, self._markets[fill.instrument].contract)

    def _is_of_bars(self, index: int) -> bool:
        return isinstance(self._markets[index], BarMarket)

    def _line(self, index: int) -> int:
        """Whose commands and answers keep an order among themselves: all instruments of bars are one."""
        return self._line_of_bars if self._is_of_bars(index) else index

    # The time line (section 2).

    def run(self, strategy: ReplayStrategy, wants: Iterable[str] = (), *, bars: bool = False) -> None:
        """Play all records to the strategy, which is told of those of the kinds that it wants, and of ``bars`` or not.

        A replay runs once.
        """
        if self._has_run:
            raise EngineError("this replay has already run: make a new one")
        self._has_run = True
        self._wants_bars = bars
        self._wants = {kind_named(name) for name in wants}
        while True:
            time_ns, kind, number = min(self._next())
            # What falls due at the very end is not part of the run.
            if (time_ns, kind) >= (self._end_ns, Happening.ACCRUAL):
                break
            self.now_ns = self._execution.now_ns = time_ns
            self._play(kind, number, strategy)
            self._matching.let_exits_arrive()
            self._send_answers()
            if self._invariants is not None:
                self._invariants.check()
        self._samples.take_last(self._end_ns, self._execution, self._markets)

    def _next(self) -> list[tuple[int, Happening, int]]:
        """The first of each kind, as time, kind, and the number of the source or order."""
        first = [(self._end_ns + 1, Happening.SAMPLE, 0)]
        for source in self._sources:
            if source.at_venue < len(source.events):
                first.append((source.venue_ns[source.at_venue], Happening.RECORD_AT_VENUE, source.number))
            if source.here < source.at_venue:
                first.append((source.here_ns[source.here], Happening.RECORD_HERE, source.number))
        first += [
            (order.ends_ns, Happening.EXPIRY, order.id)
            for order in self._execution.working_orders()
            if order.ends_ns is not None
        ]
        first += [(time_ns, kind, 0) for time_ns, kind in self._agenda.first_times()]
        first += [(time_ns, kind, 0) for time_ns, kind in self._bars.next()]
        if self._execution.accruals.next_ns is not None:
            first.append((self._execution.accruals.next_ns, Happening.ACCRUAL, 0))
        if self._samples.next_ns is not None:
            first.append((self._samples.next_ns, Happening.SAMPLE, 0))
        return first

    def _play(self, kind: Happening, number: int, strategy: ReplayStrategy) -> None:
        match kind:
            case Happening.RECORD_AT_VENUE:
                self._record_at_venue(self._sources[number])
            case Happening.EXPIRY:
                self._execution.expire(self._execution.orders[number - 1])
            case Happening.COMMAND:
                self._obey(self._agenda.pop(kind))
            case Happening.ANSWER:
                self._answer_here(self._agenda.pop(kind), strategy)
            case Happening.RECORD_HERE:
                self._record_here(self._sources[number], strategy)
            case Happening.TIMER:
                self._agenda.pop(kind)
                self._count_call()
                strategy.on_timer(self, self.now_ns)
            case Happening.ACCRUAL:
                self._execution.accruals.post_next(halted=self._execution.is_halted)
            case Happening.SAMPLE:
                self._samples.take(self._execution, self._markets)
            case _:
                self._play_bars(kind, strategy)

    def _play_bars(self, kind: Happening, strategy: ReplayStrategy) -> None:
        match kind:
            case Happening.CLOSE_AT_VENUE | Happening.OPENING:
                self._bars.play_moment()
            case Happening.END_OF_MOMENT:
                self._bars.end_moment()
                self._samples.take_at_close(self._execution, self._markets)
            case Happening.BAR_HERE:
                place = self._bars.bar_here()
                if self._wants_bars:
                    strategy.on_bar(self, *place)
            case Happening.MOMENT_HERE:
                self._bars.moment_here()
                if self._wants_bars:
                    strategy.on_moment(self, self.now_ns)

    def _record_at_venue(self, source: Source) -> None:
        event = source.events[source.at_venue]
        rank = source.rank_at_venue(event)
        try:
            if rank != NOT_PART:
                self._happen(self._markets[rank], event)
                if self._markets[rank].is_rate:
                    self._markets[rank].value()
                if event.flags & LAST_FLAG:
                    self._listen(rank)
        except EngineError as error:
            raise EngineError(f"record {source.at_venue} of source {source.number}: {error}") from error
        source.at_venue += 1

    def _happen(self, market: Market, event: Event) -> None:
        is_trade = event.kind == market.trades
        depth = market.depth
        met = depth.meets(event) if isinstance(depth, OrdersDepth) else None
        if self._invariants is not None:
            self._invariants.begin(event, is_trade=is_trade or met is not None)
        if is_trade:
            if event.price > 0 and event.quantity > 0 and not event.flags & BEFORE_FLAG:
                if max(event.price, event.quantity) > COUNT_MAX:
                    raise EngineError(f"a trade of {event.quantity} lots at {event.price} ticks is beyond counting")
                self._passive.trade(market, event.price, event.quantity, side_of(event))
            return
        if met is not None:
            self._passive.order_met(market, met)
        elif event.kind in ENDS_OF_AGGRESSORS:
            market.aggressor = None
        change = depth.read(event)
        if isinstance(change, SnapshotEnded):
            self._passive.snapshot_ended(market)
        elif isinstance(change, OrderPlayed):
            self._passive.order_played(market, change)
        elif change is not None:
            self._passive.level_changed(market, change)

    def _listen(self, index: int) -> None:
        """Commands that came earlier arrive now, those of this very time later."""
        for arrived_ns, command in self._unheard[index]:
            if arrived_ns < self.now_ns:
                self._agenda.add(Happening.COMMAND, self.now_ns, index, command)
        self._unheard[index] = [each for each in self._unheard[index] if each[0] >= self.now_ns]

    def _obey(self, command: Command | Answer | None) -> None:
        assert isinstance(command, Command)
        match command.what:
            case "submit":
                if command.ticket is not None:
                    self._bars.arrive(command.order, command.ticket)
                else:
                    self._matching.arrive(command.order)
            case "cancel":
                self._matching.cancel(command.order)
            case "amend":
                self._matching.amend(command.order, command.limit, command.quantity)

    def _answer_here(self, answer: Command | Answer | None, strategy: ReplayStrategy) -> None:
        assert isinstance(answer, Answer)
        self._count_call()
        if answer.kind == "fill":
            fill = self._execution.fills[answer.number]
            if not (self._at_once and self._is_of_bars(fill.instrument)):
                self._know(fill)
        strategy.on_answer(self, answer.kind, self._names.of_answer(answer))

    def _record_here(self, source: Source, strategy: ReplayStrategy) -> None:
        index = source.here
        source.here += 1
        event = source.events[index]
        rank = source.rank_here(event)
        if rank != NOT_PART:
            self._views[rank].read(event)
            if event.kind in self._wants:
                strategy.on_record(self, source.number, index)

    def _count_call(self) -> None:
        time_ns, count = self._calls
        count = count + 1 if time_ns == self.now_ns else 1
        self._calls = (self.now_ns, count)
        if count > CALLS_MAX:
            raise EngineError(f"more than {CALLS_MAX} answers and timers at {self.now_ns} ns: orders answer orders")

    def _order(self, number: int) -> ReplayOrder:
        return self._execution.orders[self._names.order_id(number) - 1]

    def _index(self, index: int) -> int:
        if not 0 <= index < len(self._markets):
            raise EngineError(f"there is no instrument {index}: they are numbered from 0 to {len(self._markets) - 1}")
        return index


def _latency_of(entry_ns: int, response_ns: int, rows: Sequence[tuple[int, int, int]] | None) -> Latency:
    return ConstantLatency(entry_ns, response_ns) if rows is None else RecordedLatency(rows)
