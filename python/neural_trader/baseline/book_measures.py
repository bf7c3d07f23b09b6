"""Plain Python twins of what is measured on a book: the definition that ``nt-book`` must match to the last bit.

Sums of counts are exact integers and become floats once; sources stand beside the same names in ``nt-book``. A measure
that a book does not have is NaN. ``b`` and ``a`` are the best prices, ``B`` and ``A`` the quantities there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from neural_trader.baseline.ladder import ASK, BID, Ladder, Level

Touch = tuple[Level | None, Level | None]

NAN = math.nan


def touch(book: Ladder) -> Touch:
    """The best bid and ask."""
    return book.best(BID), book.best(ASK)


def _best(side: int, field: int) -> Callable[[Ladder], float]:
    def measure(book: Ladder) -> float:
        level = book.best(side)
        return NAN if level is None else float(level[field])

    return measure


def _of_touch(formula: Callable[[int, int, int, int], float]) -> Callable[[Ladder], float]:
    """A formula of ``b, B, a, A``."""

    def measure(book: Ladder) -> float:
        bid, ask = touch(book)
        return NAN if bid is None or ask is None else formula(*bid, *ask)

    return measure


mid = _of_touch(lambda b, _, a, __: float(b + a) / 2.0)
spread = _of_touch(lambda b, _, a, __: float(a - b))
weighted_mid = _of_touch(lambda b, bids, a, asks: float(b * asks + a * bids) / float(asks + bids))
size_weighted_touch = _of_touch(lambda b, bids, a, asks: float(b * bids + a * asks) / float(bids + asks))


def imbalance(book: Ladder, levels: int) -> float:
    """``(SB - SA) / (SB + SA)`` with the sums over the best levels."""
    bids, asks = (sum(quantity for _, quantity in book.levels(side, levels)) for side in (BID, ASK))
    return float(bids - asks) / float(bids + asks) if bids + asks else NAN


def depth_within(book: Ladder, side: int, basis_points: float) -> float:
    """What rests no further from the mid than so many basis points of it, or beyond the mid."""
    middle = mid(book)
    if math.isnan(middle):
        return NAN
    reach = abs(middle) * basis_points / 10_000.0
    if side == BID:
        return float(sum(quantity for price, quantity in book.levels(side) if price >= middle - reach))
    return float(sum(quantity for price, quantity in book.levels(side) if price <= middle + reach))


def to_fill(book: Ladder, side: int, quantity: int) -> tuple[int, int, int | None]:
    """What a market order of this side gets: how much, price times quantity, and the last price."""
    filled, notional, last = 0, 0, None
    for price, resting in book.levels(-side):
        here = min(resting, quantity - filled)
        if here <= 0:
            break
        filled, notional, last = filled + here, notional + price * here, price
    return filled, notional, last


def _average(side: int) -> Callable[[Ladder, int], float]:
    def measure(book: Ladder, quantity: int) -> float:
        filled, notional, _ = to_fill(book, side, quantity)
        return float(notional) / float(filled) if filled == quantity else NAN

    return measure


def _last(side: int) -> Callable[[Ladder, int], float]:
    def measure(book: Ladder, quantity: int) -> float:
        filled, _, last = to_fill(book, side, quantity)
        return float(last) if filled == quantity and last is not None else NAN

    return measure


def slope(book: Ladder, side: int, levels: int) -> float:
    """``sum d Q / sum d^2``, summed from the best level on, with distances from the mid and quantities up to there."""
    middle = mid(book)
    up_to_here, across, squares = 0, 0.0, 0.0
    for price, quantity in book.levels(side, levels):
        up_to_here += quantity
        distance = abs(float(price) - middle)
        across += distance * float(up_to_here)
        squares += distance * distance
    return across / squares if squares > 0.0 else NAN


class OrderFlow:
    """``[b >= b'] B - [b <= b'] B' - [a <= a'] A + [a >= a'] A'``, a prime being the state before."""

    def __init__(self, before: Touch = (None, None)) -> None:
        self.before = before

    def update(self, now: Touch) -> float:
        """Take the next state; return its contribution."""
        (bid, ask), (bid_before, ask_before) = now, self.before
        self.before = now
        if bid is None or ask is None or bid_before is None or ask_before is None:
            return NAN
        flow = 0
        if bid[0] >= bid_before[0]:
            flow += bid[1]
        if bid[0] <= bid_before[0]:
            flow -= bid_before[1]
        if ask[0] <= ask_before[0]:
            flow -= ask[1]
        if ask[0] >= ask_before[0]:
            flow += ask_before[1]
        return float(flow)


MEASURES: dict[str, Callable[..., float]] = {
    "best_bid": _best(BID, 0),
    "best_ask": _best(ASK, 0),
    "bid_quantity": _best(BID, 1),
    "ask_quantity": _best(ASK, 1),
    "mid": mid,
    "spread": spread,
    "weighted_mid": weighted_mid,
    "size_weighted_touch": size_weighted_touch,
    "imbalance": imbalance,
    "bid_depth_within": lambda book, basis_points: depth_within(book, BID, basis_points),
    "ask_depth_within": lambda book, basis_points: depth_within(book, ASK, basis_points),
    "buy_average": _average(1),
    "sell_average": _average(-1),
    "buy_last": _last(1),
    "sell_last": _last(-1),
    "bid_slope": lambda book, levels: slope(book, BID, levels),
    "ask_slope": lambda book, levels: slope(book, ASK, levels),
}
"""All measures of one moment, by name."""
