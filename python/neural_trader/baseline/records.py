"""Records that a run leaves behind, with the codes of docs/fill-rules.md section 10."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

BUY = 1
SELL = -1


class Kind(IntEnum):
    """What makes an order fill."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4
    MARKET_IF_TOUCHED = 5


class TimeInForce(IntEnum):
    """Until when an order works: cancelled, a given time, the end of its day; or only at once, in parts or all."""

    GTC = 0
    GTD = 1
    DAY = 2
    IOC = 3
    FOK = 4


class State(IntEnum):
    """Where an order is in its life; all but working, and sent in a replay, are final."""

    WORKING = 0
    FILLED = 1
    CANCELLED = 2
    EXPIRED = 3
    REJECTED = 4
    SENT = 5


class Reason(IntEnum):
    """Why an order was cut, cancelled, expired or rejected."""

    NONE = 0
    USER = 1
    MARGIN = 2
    REPLACED = 3
    SIBLING = 4
    NOTHING_TO_REDUCE = 5
    RUIN = 6
    TIME = 7
    SIZE = 8
    NO_PRICE = 9
    HALTED = 10
    PRICE = 11
    REACHED = 12
    REFUSED = 13
    NO_LIQUIDITY = 14
    WOULD_TAKE = 15
    SELF_TRADE = 16
    LIQUIDATION = 17


class Account(IntEnum):
    """Accounts of the ledger; trading, position, entry, funding and the interest of spot exist for each instrument."""

    CASH = 0
    CAPITAL = 1
    TRADING = 2
    SLIPPAGE = 3
    FEES = 4
    POSITION = 5
    ENTRY = 6
    FUNDING = 7
    INTEREST = 8


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as it stands; numbers that it does not have are 0."""

    id: int
    parent: int
    instrument: int
    side: int
    kind: int
    time_in_force: int
    expire_ns: int
    quantity: int
    limit: int
    stop: int
    trail_ticks: int
    trail_ppb: int
    filled: int
    cancelled: int
    state: int
    reason: int
    submit_ns: int


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One fill; order 0 is the closing of a position by ruin, by liquidation or at the end of data."""

    order: int
    instrument: int
    side: int
    quantity: int
    price: int
    reference: int
    fee: int
    slippage: int
    maker: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class PostingRecord:
    """One line of a transaction; ``instrument`` is the rank of the symbol plus one, 0 for none.

    ``unit`` is that of an instrument too, 0 the account currency, and ``CURRENCIES`` plus n the n-th of the others.
    """

    transaction: int
    account: int
    instrument: int
    unit: int
    amount: int


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """A quantity that one fill opened and another closed; fills are indices, exit -1 while the quantity is open."""

    instrument: int
    direction: int
    quantity: int
    entry_fill: int
    exit_fill: int
    fees: int
    pnl: int
