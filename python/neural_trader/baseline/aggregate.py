"""Bars from trades, and coarser bars from finer ones: the plain definition that ``nt-feed`` must match.

The kinds of bars are those of M. Lopez de Prado, *Advances in Financial Machine Learning* (Wiley 2018), chapter 2.
Prices are ticks, quantities lots, times UTC nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Trade(NamedTuple):
    """One trade; ``side`` is 1 where the buyer took, -1 where the seller did, 0 where that is unknown."""

    ts_ns: int
    price: int
    quantity: int = 0
    side: int = 0


class Bar(NamedTuple):
    """One bar, and the row of the first trade, or finer bar, that it was made of."""

    open_ns: int
    close_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    first: int


@dataclass(frozen=True)
class Imbalance:
    """When imbalance bars end; the names are those of the book's section 2.3.2.

    A bar ends at the first trade at which ``|sum(b_t * w_t)| >= E0[T] * |E0[b_t * w_t]|``, where ``b_t`` is the sign of
    a trade and ``w_t`` its weight. The first bar has ``expected_trades`` trades, because nothing is expected yet.
    """

    measure: str
    expected_trades: int
    span_bars: int
    span_trades: int
    shortest: int
    longest: int


def weight_of(trade: Trade, measure: str) -> int:
    return {"trades": 1, "volume": trade.quantity, "notional": trade.price * trade.quantity}[measure]


def time_bars(trades: Sequence[Trade], interval_ns: int, origin_ns: int) -> list[Bar]:
    """One bar for each interval ``[begin, begin + interval)`` that has trades."""
    groups: dict[int, list[int]] = {}
    for row, trade in enumerate(trades):
        groups.setdefault((trade.ts_ns - origin_ns) // interval_ns, []).append(row)
    return [
        _joined(trades, rows)._replace(
            open_ns=origin_ns + number * interval_ns, close_ns=origin_ns + (number + 1) * interval_ns
        )
        for number, rows in groups.items()
    ]


def sum_bars(trades: Sequence[Trade], measure: str, size: int, partial: bool) -> list[Bar]:
    """A bar ends with the trade that brings the sum of its weights to ``size``; that trade is not divided."""
    total = 0

    def ends(trade: Trade) -> bool:
        nonlocal total
        total += weight_of(trade, measure)
        if total < size:
            return False
        total = 0
        return True

    return _event_bars(trades, ends, partial)


def signs(trades: Iterable[Trade]) -> list[int]:
    """The side of each trade; where it is unknown, the tick rule: the sign of the last change of price."""
    found: list[int] = []
    sign, before = 0, None
    for trade in trades:
        if trade.side:
            sign = trade.side
        elif before is not None and trade.price != before:
            sign = 1 if trade.price > before else -1
        before = trade.price
        found.append(sign)
    return found


def imbalance_bars(trades: Sequence[Trade], rule: Imbalance, partial: bool) -> list[Bar]:
    """Bars that end when trading was more one-sided than expected; averages have alpha 2/(span + 1)."""
    sign_of = iter(signs(trades))
    expected_trades = float(rule.expected_trades)
    expected_weight: float | None = None
    threshold: float | None = None
    total = count = 0

    def ends(trade: Trade) -> bool:
        nonlocal expected_trades, expected_weight, threshold, total, count
        signed = next(sign_of) * weight_of(trade, rule.measure)
        total += signed
        count += 1
        if expected_weight is None:
            expected_weight = float(signed)
        else:
            expected_weight += 2.0 / (rule.span_trades + 1.0) * (float(signed) - expected_weight)
        if threshold is None:
            complete = count >= rule.expected_trades
        else:
            complete = count >= rule.shortest and (abs(total) >= threshold or count >= rule.longest)
        if complete:
            expected_trades += 2.0 / (rule.span_bars + 1.0) * (float(count) - expected_trades)
            threshold = expected_trades * abs(expected_weight)
            total = count = 0
        return complete

    return _event_bars(trades, ends, partial)


def resampled_bars(bars: Sequence[Bar], interval_ns: int, origin_ns: int, partial: bool) -> list[Bar]:
    """Bars joined by the interval in which they open; a last one that is not seen to its end is left out."""
    groups: dict[int, list[int]] = {}
    for row, bar in enumerate(bars):
        groups.setdefault((bar.open_ns - origin_ns) // interval_ns, []).append(row)
    made = []
    for number, rows in groups.items():
        begin_ns, end_ns = origin_ns + number * interval_ns, origin_ns + (number + 1) * interval_ns
        members = [bars[row] for row in rows]
        if any(bar.close_ns > end_ns for bar in members):
            raise ValueError("a bar lies in two intervals")
        made.append(
            Bar(
                begin_ns,
                end_ns,
                members[0].open,
                max(bar.high for bar in members),
                min(bar.low for bar in members),
                members[-1].close,
                sum(bar.volume for bar in members),
                rows[0],
            )
        )
    if made and not partial and bars[-1].close_ns < made[-1].close_ns:
        del made[-1]
    return made


def _joined(trades: Sequence[Trade], rows: Sequence[int]) -> Bar:
    prices = [trades[row].price for row in rows]
    volume = sum(trades[row].quantity for row in rows)
    first_ns, last_ns = trades[rows[0]].ts_ns, trades[rows[-1]].ts_ns
    return Bar(first_ns, last_ns + 1, prices[0], max(prices), min(prices), prices[-1], volume, rows[0])


def _event_bars(trades: Sequence[Trade], ends: Callable[[Trade], bool], partial: bool) -> list[Bar]:
    """Bars that end with trades. Where several fall into one instant, they follow one another by nanoseconds."""
    made: list[Bar] = []
    rows: list[int] = []

    def close() -> None:
        bar = _joined(trades, rows)
        open_ns = max(bar.open_ns, made[-1].close_ns) if made else bar.open_ns
        made.append(bar._replace(open_ns=open_ns, close_ns=max(bar.close_ns, open_ns + 1)))
        rows.clear()

    for row, trade in enumerate(trades):
        rows.append(row)
        if ends(trade):
            close()
    if rows and partial:
        close()
    return made
