"""A coverage meter: which of the interesting situations a run went through, read from its records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neural_trader.baseline import Engine
from neural_trader.baseline.instrument import Bar
from neural_trader.baseline.records import (
    BUY,
    FillRecord,
    Kind,
    OrderRecord,
    Reason,
    State,
    TimeInForce,
)
from parity.outcome import Outcome
from parity.programs import Case

STOPS = (Kind.STOP, Kind.TRAILING_STOP)
LIMITS = (Kind.LIMIT, Kind.STOP_LIMIT)

EXPECTED = {
    *(f"order ended as {state.name.lower()}" for state in State if state is not State.SENT),
    *(f"reason {reason.name.lower()}" for reason in Reason if reason < Reason.REFUSED),
    *(f"{kind.name.lower()} filled as taker" for kind in Kind if kind is not Kind.MARKET_IF_TOUCHED),
    "limit filled as maker",
    "stop_limit filled as maker",
    "stop_limit came back to its limit in the bar that triggered it",
    "stop_limit filled in a bar after the one that triggered it",
    "gtd order expired",
    "day order expired",
    "market order filled at a close",
    "stop filled at a gapped open",
    "stop filled at its price inside the bar",
    "limit filled better than its price inside the bar",
    "slippage cut at a limit",
    "sell price held at one tick",
    "slippage from a spread",
    "child filled in the bar of its parent",
    "child filled at an open",
    "trailing child filled",
    "stop and target in reach of one bar",
    "children enlarged by a later fill of their parent",
    "target partly filled before its stop",
    "order filled in several bars",
    "stop filled again after the bar that triggered it",
    "target cut to what was missing of it",
    "child stopped short by the end of its position",
    "margin cut a fill short",
    "margin refused a whole order",
    "margin cut a reversal to its reducing part",
    "position went through zero in one fill",
    "position closed by a fill without order",
    "ruin at an open",
    "ruin at the worst price of a bar",
    "ruin of several positions at once",
    "equity below zero",
    "closed at the end",
    "fill in a bar of one price",
    "fill at a price of one tick",
    "two instruments filled at one time",
    "order sent from a notification",
    "cancel refused",
    "cancel accepted",
    "target already reached",
    "open trade at the end",
    "one fill closed several entries",
    "fee share split with a remainder",
}


def situations(case: Case, outcome: Outcome, engine: Engine) -> set[str]:
    """Names from EXPECTED that apply to this run."""
    return {
        *_of_orders(engine),
        *_of_fills(case, engine),
        *_of_brackets(engine),
        *_of_ruin_and_end(case, engine),
        *_of_calls(outcome),
        *_of_trades(engine),
    }


def _of_orders(engine: Engine) -> Iterator[str]:
    fills = _fills_by_order(engine)
    for order in engine.orders:
        yield f"order ended as {State(order.state).name.lower()}"
        yield f"reason {Reason(order.reason).name.lower()}"
        own = fills[order.id]
        if order.state == State.EXPIRED:
            yield "gtd order expired" if order.time_in_force == TimeInForce.GTD else "day order expired"
        if order.reason == Reason.REACHED and order.filled:
            yield "target cut to what was missing of it"
        if order.reason == Reason.NOTHING_TO_REDUCE and order.filled:
            yield "child stopped short by the end of its position"
        if order.reason == Reason.MARGIN:
            yield "margin cut a fill short" if order.filled else "margin refused a whole order"
        if len({_bar_index(engine, fill) for fill in own}) > 1:
            yield "order filled in several bars"
            if order.kind in STOPS:
                yield "stop filled again after the bar that triggered it"


def _of_fills(case: Case, engine: Engine) -> Iterator[str]:
    position: dict[int, int] = defaultdict(int)
    last: FillRecord | None = None
    for fill in engine.fills:
        before = position[fill.instrument]
        after = position[fill.instrument] = before + fill.side * fill.quantity
        if before * after < 0:
            yield "position went through zero in one fill"
        if fill.order == 0:
            continue
        order = engine.orders[fill.order - 1]
        kind = Kind(order.kind)
        bar, at_open = _bar(engine, fill)
        yield f"{kind.name.lower()} filled as {'maker' if fill.maker else 'taker'}"
        if after == 0 and order.reason == Reason.MARGIN:
            yield "margin cut a reversal to its reducing part"
        if last is not None and last.time_ns == fill.time_ns and last.instrument != fill.instrument:
            yield "two instruments filled at one time"
        last = fill
        if bar.low == bar.high:
            yield "fill in a bar of one price"
        if fill.price == 1:
            yield "fill at a price of one tick"
        if bar.spread and case.config["slippage_spread_ppb"] and fill.slippage:
            yield "slippage from a spread"
        if fill.side != BUY and fill.price == 1 and fill.reference <= case.config["slippage_ticks"]:
            yield "sell price held at one tick"
        if kind is Kind.MARKET and not at_open:
            yield "market order filled at a close"
        if kind is Kind.STOP and at_open and fill.reference != order.stop:
            yield "stop filled at a gapped open"
        if kind is Kind.STOP and not at_open and fill.reference == order.stop != bar.open:
            yield "stop filled at its price inside the bar"
        if kind is Kind.LIMIT and not at_open and fill.reference != order.limit:
            yield "limit filled better than its price inside the bar"
        distance = abs(order.limit - fill.reference)
        if kind in LIMITS and not fill.maker and fill.price == order.limit and distance < case.config["slippage_ticks"]:
            yield "slippage cut at a limit"
        if kind is Kind.STOP_LIMIT:
            yield from _of_stop_limit(engine, order, fill, bar, at_open=at_open)


def _of_stop_limit(engine: Engine, order: OrderRecord, fill: FillRecord, bar: Bar, *, at_open: bool) -> Iterator[str]:
    """A maker fill at the limit, in a bar that opened before the stop, is one that came back after triggering there."""
    if not fill.maker:
        return
    opened_before_stop = bar.open < order.stop if order.side == BUY else bar.open > order.stop
    accepts_stop = order.stop <= order.limit if order.side == BUY else order.stop >= order.limit
    if at_open:
        yield "stop_limit filled in a bar after the one that triggered it"
    elif opened_before_stop and not accepts_stop and fill.reference == order.limit:
        previous = engine.instruments[fill.instrument].bars[: _bar_index(engine, fill)]
        since = [earlier for earlier in previous if earlier.open_ns >= order.submit_ns]
        if not any(earlier.high >= order.stop if order.side == BUY else earlier.low <= order.stop for earlier in since):
            yield "stop_limit came back to its limit in the bar that triggered it"


def _of_brackets(engine: Engine) -> Iterator[str]:
    fills = _fills_by_order(engine)
    by_parent: dict[int, list[OrderRecord]] = defaultdict(list)
    for child in engine.orders:
        if not child.parent:
            continue
        by_parent[child.parent].append(child)
        first = fills[child.parent][0]
        if child.quantity > first.quantity:
            yield "children enlarged by a later fill of their parent"
        for fill in fills[child.id]:
            _, at_open = _bar(engine, fill)
            if at_open:
                yield "child filled at an open"
            if _bar_index(engine, fill) == _bar_index(engine, first):
                yield "child filled in the bar of its parent"
            if child.kind == Kind.TRAILING_STOP:
                yield "trailing child filled"
    for children in by_parent.values():
        if len(children) < 2:
            continue
        stop, target = children
        if stop.filled and stop.cancelled and stop.reason == Reason.SIBLING and target.filled:
            yield "target partly filled before its stop"
        for fill in fills[stop.id]:
            bar, at_open = _bar(engine, fill)
            if not at_open and bar.low <= min(stop.stop, target.limit) <= max(stop.stop, target.limit) <= bar.high:
                yield "stop and target in reach of one bar"


def _of_ruin_and_end(case: Case, engine: Engine) -> Iterator[str]:
    closing = [fill for fill in engine.fills if fill.order == 0]
    if closing:
        yield "position closed by a fill without order"
    if any(amount < 0 for _, amount in engine.equity_samples):
        yield "equity below zero"
    if closing and not engine.halted:
        yield "closed at the end"
    if engine.halted:
        if len(closing) > 1:
            yield "ruin of several positions at once"
        for fill in closing:
            bar, at_open = _bar(engine, fill)
            if at_open:
                yield "ruin at an open"
            elif fill.time_ns == bar.close_ns and fill.price in (bar.low, bar.high) and fill.price != bar.close:
                yield "ruin at the worst price of a bar"


def _of_calls(outcome: Outcome) -> Iterator[str]:
    answering = False
    for what, *values in outcome.seen:
        if what == "cancel":
            yield "cancel accepted" if values[1] else "cancel refused"
        elif what == "submit":
            if values[0] == 0:
                yield "target already reached"
            elif answering:
                yield "order sent from a notification"
        answering = what in ("fill", "order")


def _of_trades(engine: Engine) -> Iterator[str]:
    exits: dict[int, int] = defaultdict(int)
    for trade in engine.trades():
        if trade.exit_fill < 0:
            yield "open trade at the end"
            continue
        exits[trade.exit_fill] += 1
        entry = engine.fills[trade.entry_fill]
        if entry.fee * trade.quantity % entry.quantity:
            yield "fee share split with a remainder"
    if any(count > 1 for count in exits.values()):
        yield "one fill closed several entries"


def _fills_by_order(engine: Engine) -> dict[int, list[FillRecord]]:
    fills: dict[int, list[FillRecord]] = defaultdict(list)
    for fill in engine.fills:
        fills[fill.order].append(fill)
    return fills


def _bar_index(engine: Engine, fill: FillRecord) -> int:
    """The bar of a fill; where one closes as the next opens, the one whose prices explain the fill."""
    bars = engine.instruments[fill.instrument].bars
    begun = [index for index, bar in enumerate(bars) if bar.open_ns <= fill.time_ns]
    latest = begun[-1]
    if bars[latest].open_ns == fill.time_ns and fill.reference != bars[latest].open:
        return max(0, latest - 1)
    return latest


def _bar(engine: Engine, fill: FillRecord) -> tuple[Bar, bool]:
    """The bar of a fill, and whether the fill was at its opening."""
    bar = engine.instruments[fill.instrument].bars[_bar_index(engine, fill)]
    return bar, bar.open_ns == fill.time_ns
