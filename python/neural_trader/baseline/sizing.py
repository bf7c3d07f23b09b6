"""How many lots an order is for, resolved when it is submitted (docs/fill-rules.md section 3, "Size")."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from neural_trader.baseline.arithmetic import BILLION, div_down, int64, money
from neural_trader.baseline.orders import Ticket
from neural_trader.baseline.records import BUY, SELL


class Size(NamedTuple):
    """Side and lots of an order; the lots are not positive when there is nothing to buy or sell."""

    side: int
    quantity: int


def resolve_size(
    ticket: Ticket, *, equity: Callable[[], int], position: int, mark: int, worth_of_lot: Callable[[int], int]
) -> Size:
    """The size of a ticket whose prices are positive and whose instrument has a mark if the size needs one.

    ``equity`` and ``worth_of_lot``, the notional of a lot at a price, are in the account currency.
    """
    if ticket.size_kind == "quantity":
        return Size(ticket.side, ticket.size)
    if ticket.size_kind == "target_quantity":
        return _size_of_target(ticket.size, position)
    lot = worth_of_lot(ticket.limit or ticket.stop or mark)
    if ticket.size_kind == "cash":
        return Size(ticket.side, _lots_of_cash(ticket.size, lot, equity()))
    if ticket.size_kind == "fraction":
        return Size(ticket.side, _lots_of_fraction(ticket.size, lot, equity()))
    lots = _lots_of_fraction(abs(ticket.size), lot, equity())
    return _size_of_target(lots if ticket.size >= 0 else -lots, position)


def _size_of_target(target: int, position: int) -> Size:
    delta = int64(target - position, "order quantity")
    return Size(BUY if delta >= 0 else SELL, abs(delta))


def _lots_of_cash(cash: int, lot: int, equity: int) -> int:
    if cash <= 0 or equity <= 0:
        return 0
    return int64(div_down(cash, lot), "order quantity")


def _lots_of_fraction(fraction: int, lot: int, equity: int) -> int:
    if fraction <= 0 or equity <= 0:
        return 0
    return _lots_of_cash(money(div_down(equity * fraction, BILLION), "fraction of equity"), lot, equity)
