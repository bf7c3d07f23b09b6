"""Round trips: fills of one instrument matched first in, first out (docs/fill-rules.md section 9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

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


def match_trades(fills: Sequence[FillRecord], units: Sequence[int]) -> list[TradeRecord]:
    """Trades by instrument: the closed ones in the order of their exits, then the lots that are still open.

    The profit of an open lot is what is certain about it: the fee it has paid.
    """
    shares = _FeeShares(fills)
    trades: list[TradeRecord] = []
    for instrument, unit in enumerate(units):
        open_lots: deque[_Lot] = deque()
        for index, fill in enumerate(fills):
            if fill.instrument != instrument:
                continue
            leaves = fill.quantity
            while leaves and open_lots and fills[open_lots[0].fill].side != fill.side:
                lot = open_lots[0]
                quantity = min(leaves, lot.quantity)
                entry = fills[lot.fill]
                fees = shares.take(lot.fill, quantity) + shares.take(index, quantity)
                gain = money(entry.side * (fill.price - entry.price) * quantity * unit, "gain")
                trades.append(TradeRecord(instrument, entry.side, quantity, lot.fill, index, fees, gain - fees))
                leaves -= quantity
                lot.quantity -= quantity
                if lot.quantity == 0:
                    open_lots.popleft()
            if leaves:
                open_lots.append(_Lot(index, leaves))
        for lot in open_lots:
            fees = shares.take(lot.fill, lot.quantity)
            trades.append(TradeRecord(instrument, fills[lot.fill].side, lot.quantity, lot.fill, -1, fees, -fees))
    return trades
