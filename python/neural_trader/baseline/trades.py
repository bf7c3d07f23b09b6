"""Round trips: fills of one instrument matched first in, first out (docs/fill-rules.md section 9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain

from neural_trader.baseline.account import Rate, Valued
from neural_trader.baseline.arithmetic import money
from neural_trader.baseline.records import FillRecord, TradeRecord


class _Lot:
    """What is still open of the fill that opened it."""

    def __init__(self, fill: int, quantity: int) -> None:
        self.fill = fill
        self.quantity = quantity


class _FeeShares:
    """Deals the fee of each fill out to its parts so that the shares add up to the fee exactly."""

    def __init__(self, fills: Sequence[FillRecord]) -> None:
        self._fills = fills
        self._assigned = [0] * len(fills)

    def take(self, fill: int, quantity: int) -> int:
        whole = self._fills[fill]
        before = self._assigned[fill]
        after = before + quantity
        self._assigned[fill] = after
        return whole.fee * after // whole.quantity - whole.fee * before // whole.quantity


def match_trades(
    fills: Sequence[FillRecord], instruments: Sequence[Valued], rates: Sequence[Rate] = (), last: Sequence[Rate] = ()
) -> list[TradeRecord]:
    """Closed trades in the order of their exits, then open lots in the order of their entries, valued at the mark.

    ``rates`` are what the currency of each fill was worth then, ``last`` what those of the instruments are worth now;
    without them there is one currency. A trade is told in the account currency, at the rate of its exit.
    """
    shares = _FeeShares(fills)
    trades: list[TradeRecord] = []
    open_lots: list[deque[_Lot]] = [deque() for _ in instruments]

    def add(lot: _Lot, quantity: int, exit_fill: int, exit_price: int, exit_fees: int) -> None:
        entry = fills[lot.fill]
        fees = shares.take(lot.fill, quantity) + exit_fees
        gain = gain_of(instruments[entry.instrument], entry, quantity, exit_price)
        if rates:
            numerator, denominator = rates[exit_fill] if exit_fill >= 0 else last[entry.instrument]
            fees, gain = -(-fees * numerator // denominator), gain * numerator // denominator
        pnl = money(gain - fees, "profit")
        trades.append(TradeRecord(entry.instrument, entry.side, quantity, lot.fill, exit_fill, fees, pnl))

    for index, fill in enumerate(fills):
        lots = open_lots[fill.instrument]
        leaves = fill.quantity
        while leaves and lots and fills[lots[0].fill].side != fill.side:
            quantity = min(leaves, lots[0].quantity)
            add(lots[0], quantity, index, fill.price, shares.take(index, quantity))
            leaves -= quantity
            lots[0].quantity -= quantity
            if lots[0].quantity == 0:
                lots.popleft()
        if leaves:
            lots.append(_Lot(index, leaves))
    for lot in sorted(chain.from_iterable(open_lots), key=lambda lot: lot.fill):
        add(lot, lot.quantity, -1, instruments[fills[lot.fill].instrument].mark, 0)
    return trades


def gain_of(instrument: Valued, entry: FillRecord, quantity: int, exit_price: int) -> int:
    """What a part of an entry gained up to a price, before fees."""
    lots = entry.side * quantity
    contract = instrument.contract
    return money(contract.value(lots, exit_price) - contract.cost(lots, entry.price), "gain")


def trades_of_matches(
    fills: Sequence[FillRecord],
    instruments: Sequence[Valued],
    closed: Sequence[tuple[int, int, int]],
    still_open: Sequence[tuple[int, int]],
) -> list[TradeRecord]:
    """Trades that rules of their own have matched: (entry, exit, lots) in their order, then open (entry, lots)."""
    shares = _FeeShares(fills)
    trades: list[TradeRecord] = []
    for entry, leave, quantity in [*closed, *((entry, -1, quantity) for entry, quantity in still_open)]:
        opening = fills[entry]
        instrument = instruments[opening.instrument]
        fees = shares.take(entry, quantity) + (shares.take(leave, quantity) if leave >= 0 else 0)
        exit_price = fills[leave].price if leave >= 0 else instrument.mark
        pnl = money(gain_of(instrument, opening, quantity, exit_price) - fees, "profit")
        trades.append(TradeRecord(opening.instrument, opening.side, quantity, entry, leave, fees, pnl))
    return trades
