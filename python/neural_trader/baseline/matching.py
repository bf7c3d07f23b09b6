"""Which orders a price or a bar satisfies, and at which reference price (docs/fill-rules.md sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterable

from neural_trader.baseline.instrument import Bar
from neural_trader.baseline.orders import Order
from neural_trader.baseline.records import BUY, Kind


def stop_reached(order: Order, price: int) -> bool:
    """Whether the market at this price is at the stop or beyond it."""
    return price >= order.stop if order.side == BUY else price <= order.stop


def limit_accepts(order: Order, price: int, *, through: bool) -> bool:
    """Whether the market at this price is at the limit or better; with ``through`` only better counts."""
    if price == order.limit:
        return not through
    return price < order.limit if order.side == BUY else price > order.limit


def satisfied_by_open(order: Order, open_: int, *, fill_close: bool, through: bool) -> bool:
    """Whether the opening price fills a live order; a stop-limit is judged by its limit, once it is triggered."""
    if order.kind is Kind.MARKET:
        return not fill_close
    if order.kind in (Kind.STOP, Kind.TRAILING_STOP):
        return order.triggered or stop_reached(order, open_)
    if order.kind is Kind.STOP_LIMIT and not order.triggered:
        return False
    return limit_accepts(order, open_, through=through)


def intrabar_stops(orders: Iterable[Order], bar: Bar) -> list[tuple[Order, int]]:
    """Untriggered stops that the bar reaches, each with its reference, nearest to the open first."""
    reached = []
    for order in orders:
        if order.kind not in (Kind.STOP, Kind.TRAILING_STOP, Kind.STOP_LIMIT) or order.triggered:
            continue
        if stop_reached(order, bar.high if order.side == BUY else bar.low):
            # A bar that opened beyond the stop never traded at it: the first price was the open.
            reference = max(bar.open, order.stop) if order.side == BUY else min(bar.open, order.stop)
            reached.append((order, reference))
    return _by_distance_from_open(reached, bar)


def intrabar_limits(orders: Iterable[Order], bar: Bar, *, through: bool) -> list[tuple[Order, int]]:
    """Limits and triggered stop-limits that the bar reaches, each with its reference, nearest to the open first."""
    reached = []
    for order in orders:
        resting = order.kind is Kind.LIMIT or (order.kind is Kind.STOP_LIMIT and order.triggered)
        if resting and limit_accepts(order, bar.low if order.side == BUY else bar.high, through=through):
            reference = min(bar.open, order.limit) if order.side == BUY else max(bar.open, order.limit)
            reached.append((order, reference))
    return _by_distance_from_open(reached, bar)


def _by_distance_from_open(reached: list[tuple[Order, int]], bar: Bar) -> list[tuple[Order, int]]:
    return sorted(reached, key=lambda item: (abs(item[1] - bar.open), item[0].id))
