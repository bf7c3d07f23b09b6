"""The account at the current marks: equity, and how much of a fill its margin allows (docs/fill-rules.md section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from neural_trader.baseline.arithmetic import BILLION, div_up, money
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.ledger import Ledger


class Valued(Protocol):
    """An instrument as the account sees it: its value, and the money in one tick times one lot."""

    @property
    def mark(self) -> int: ...
    @property
    def unit(self) -> int: ...


class Account:
    """A view of the ledger and the marks; it holds no state of its own."""

    def __init__(self, ledger: Ledger, instruments: Sequence[Valued], costs: Costs, leverage_ppb: int) -> None:
        self._ledger = ledger
        self._instruments = instruments
        self._costs = costs
        self._leverage_ppb = leverage_ppb

    def equity(self) -> int:
        """Cash plus every position at its mark."""
        return self._equity_with(-1, 0)

    def _equity_with(self, instrument: int, price: int) -> int:
        """Equity with one instrument valued at this price instead of its mark."""
        total = self._ledger.cash()
        for index, other in enumerate(self._instruments):
            value_at = price if index == instrument else other.mark
            total = money(
                total + money(self._ledger.position(index) * value_at * other.unit, "position value"), "equity"
            )
        return total

    def _exposure_with(self, instrument: int, position: int, price: int) -> int:
        """Value of all positions, sign left out, with one of them replaced."""
        total = 0
        for index, other in enumerate(self._instruments):
            held, value_at = (position, price) if index == instrument else (self._ledger.position(index), other.mark)
            total = money(total + money(abs(held) * value_at * other.unit, "position value"), "exposure")
        return total

    def allowed(self, instrument: int, side: int, quantity: int, price: int, reference: int, *, maker: bool) -> int:
        """The largest quantity up to this one that reduces the position or that equity can carry."""
        position = self._ledger.position(instrument)
        reducing = min(quantity, max(0, -side * position))

        def affordable(quantity: int) -> bool:
            unit = self._instruments[instrument].unit
            slippage = money(abs(price - reference) * quantity * unit, "slippage cost")
            fee = self._costs.fee(money(price * quantity * unit, "notional"), maker=maker)
            equity_after = money(self._equity_with(instrument, reference) - slippage - fee, "equity")
            exposure = self._exposure_with(instrument, position + side * quantity, reference)
            return money(div_up(exposure * BILLION, self._leverage_ppb), "required margin") <= equity_after

        if reducing == quantity or affordable(quantity):
            return quantity
        # Both sides of the condition are monotone in the quantity, so the largest that holds is found by halving.
        low, high = reducing, quantity
        while high - low > 1:
            middle = (low + high) // 2
            if affordable(middle):
                low = middle
            else:
                high = middle
        return low
