"""What lots of an instrument are worth at a price, rounded against the account (docs/fill-rules.md section 11)."""

from __future__ import annotations

from math import gcd
from typing import Any, Protocol

from neural_trader.baseline.arithmetic import BILLION, div_down, div_up, money
from neural_trader.baseline.terms import ContractTerms
from neural_trader.errors import EngineError


class OnGrid(Protocol):
    """Something with a symbol and the steps of its prices and quantities."""

    @property
    def symbol(self) -> str: ...
    @property
    def tick(self) -> Any: ...
    @property
    def lot(self) -> Any: ...


class Contract:
    """One instrument's arithmetic.

    A position is worth ``quantity * price * unit``, an inverse one ``-quantity * N / (D * price)``.
    """

    def __init__(self, grid: OnGrid, terms: ContractTerms) -> None:
        for step in (grid.tick, grid.lot):
            if step.mantissa <= 0 or not 0 <= step.decimals <= 9:
                raise EngineError(f"{grid.symbol}: a tick or lot needs a positive mantissa and 0 to 9 decimals")
        self.symbol = grid.symbol
        self.kind = terms.kind
        self.currency = terms.currency
        self.maintenance_ppb = terms.maintenance_ppb
        self.liquidation_ppb = terms.liquidation_ppb
        self.tick = grid.tick
        tick, lot = grid.tick, grid.lot
        if terms.kind == "inverse":
            numerator = lot.mantissa * terms.size_mantissa * 10 ** (18 + tick.decimals)
            denominator = tick.mantissa * 10 ** (lot.decimals + terms.size_decimals)
            common = gcd(numerator, denominator)
            self._numerator, self._denominator = numerator // common, denominator // common
            money(self._numerator, "value of a contract")
            return
        whole = tick.mantissa * lot.mantissa * terms.size_mantissa * 10**18
        parts = 10 ** (tick.decimals + lot.decimals + terms.size_decimals)
        if whole % parts:
            raise EngineError(f"{grid.symbol}: tick, lot and contract size make less than 10^-18 of the currency")
        self.unit = money(whole // parts, "value of one tick times one lot")

    def value(self, quantity: int, price: int) -> int:
        """What a position is worth, rounded down; what was paid for it is booked apart where it is a contract."""
        if quantity == 0 or price == 0:
            return 0
        if self.kind != "inverse":
            return money(quantity * price * self.unit, "position value")
        product = money(-quantity * self._numerator, "position value")
        return product // money(price * self._denominator, "position value")

    def cost(self, quantity: int, price: int) -> int:
        """What lots are bought (or, if negative, sold) for: their value, rounded up."""
        return -self.value(-quantity, price)

    def notional(self, quantity: int, price: int, *, up: bool = True) -> int:
        """The size of lots in the currency, without a sign."""
        lots = abs(quantity)
        if self.kind == "inverse":
            # The worth of an inverse contract is negative, so that rounding it down makes the size larger.
            return -self.value(lots, price) if up else self.value(-lots, price)
        return self.value(lots, price)

    def charge(self, quantity: int, price: int, rate_ppb: int) -> int:
        """A rate of the notional, rounded against whoever holds the account: up if it is paid, down if received."""
        if rate_ppb >= 0:
            return share_up(self.notional(quantity, price), rate_ppb)
        notional = self.notional(quantity, price, up=False)
        return -money(div_down(notional * -rate_ppb, BILLION), "rebate")


def share_up(amount: int, rate_ppb: int) -> int:
    """A rate of an amount that is not negative, rounded up; split, so that it is in range whenever its parts are."""
    whole = amount // BILLION * rate_ppb
    return money(whole + div_up(amount % BILLION * rate_ppb, BILLION), "share")
