"""The account at the current marks: equity, what positions require, and how much of a fill its margin allows.

docs/fill-rules.md, sections 8 and 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from neural_trader.baseline.arithmetic import BILLION, div_up, int64, money
from neural_trader.baseline.contract import Contract, share_up
from neural_trader.baseline.costs import Costs
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.terms import CONSTANT, AccountTerms
from neural_trader.baseline.tiers import Tiers
from neural_trader.errors import EngineError

Marks = Sequence[int]
Rate = tuple[int, int]
"""Worth of a currency in the account currency, as numerator and denominator."""


class Valued(Protocol):
    """An instrument as the account sees it: its price, and what lots are worth at a price."""

    @property
    def mark(self) -> int: ...
    @property
    def contract(self) -> Contract: ...


class Account:
    """A view of the ledger and the marks; all that it keeps itself is what was traded, for the tier of the fees."""

    def __init__(
        self, ledger: Ledger, instruments: Sequence[Valued], costs: Costs, leverage_ppb: int, terms: AccountTerms
    ) -> None:
        self.instruments = instruments
        self.terms = terms
        self.has_maintenance = any(instrument.contract.maintenance_ppb for instrument in instruments)
        self._ledger = ledger
        self._costs = costs
        self._leverage_ppb = leverage_ppb
        self._tiers = Tiers(list(terms.tiers), terms.start_tier) if terms.tiers else None

    # Worth.

    def equity(self) -> int:
        """Cash, what contracts were entered at and every position at its mark, in the account currency."""
        return self._equity_at(self._marks())

    def maintenance(self) -> int:
        """What equity must not fall below."""
        marks, total = self._marks(), 0
        for index, instrument in enumerate(self.instruments):
            contract, position = instrument.contract, self._ledger.position(index)
            if contract.maintenance_ppb and position:
                required = share_up(contract.notional(position, marks[index]), contract.maintenance_ppb)
                total = money(total + self._converted(required, contract.currency, marks, up=True), "maintenance")
        return total

    def in_danger(self) -> bool:
        """Whether equity is below what the positions require."""
        return self.has_maintenance and self.equity() < self.maintenance()

    def rate(self, currency: int) -> Rate:
        """What a currency is worth now."""
        return self._rate(currency, self._marks())

    def knows_every_rate(self) -> bool:
        """Whether each instrument whose mark is a rate has one."""
        sources = {currency.rate_instrument for currency in self.terms.currencies} - {CONSTANT}
        return all(self.instruments[index].mark for index in sources)

    def worth_of_lot(self, index: int, price: int) -> int:
        """The notional of one lot in the account currency, to reckon sizes with."""
        contract = self.instruments[index].contract
        return self._converted(contract.notional(1, price), contract.currency, self._marks(), up=True)

    def _marks(self) -> list[int]:
        return [instrument.mark for instrument in self.instruments]

    def _equity_at(self, marks: Marks) -> int:
        total = 0
        for currency in range(1 + len(self.terms.currencies)):
            amount = self._ledger.cash(currency)
            for index, instrument in enumerate(self.instruments):
                if instrument.contract.currency == currency:
                    worth = instrument.contract.value(self._ledger.position(index), marks[index])
                    amount = money(amount + self._ledger.entry(index, currency) + worth, "equity")
            total = money(total + self._converted(amount, currency, marks, up=False), "equity")
        return total

    def _exposure_at(self, marks: Marks, instrument: int, position: int) -> int:
        """Notional of all positions, with one of them replaced."""
        total = 0
        for index, other in enumerate(self.instruments):
            held = position if index == instrument else self._ledger.position(index)
            if held:
                notional = other.contract.notional(held, marks[index])
                total = money(total + self._converted(notional, other.contract.currency, marks, up=True), "exposure")
        return total

    def _converted(self, amount: int, currency: int, marks: Marks, *, up: bool) -> int:
        if currency == 0 or amount == 0:
            return amount
        numerator, denominator = self._rate(currency, marks)
        return money(-(-amount * numerator // denominator) if up else amount * numerator // denominator, "converted")

    def _rate(self, currency: int, marks: Marks) -> Rate:
        if currency == 0:
            return 1, 1
        terms = self.terms.currencies[currency - 1]
        if terms.rate_instrument == CONSTANT:
            return terms.rate_ppb, BILLION
        contract, mark = self.instruments[terms.rate_instrument].contract, marks[terms.rate_instrument]
        if mark == 0:
            raise EngineError(f"nobody knows what {terms.code} is worth yet: {contract.symbol} has no price")
        return int64(mark * contract.tick.mantissa, "rate"), 10**contract.tick.decimals

    # Fills.

    def charge(self, index: int, quantity: int, price: int, time_ns: int, *, maker: bool) -> int:
        """The fee of one fill."""
        rate = self._fee_rate(time_ns, maker=maker)
        return money(self.instruments[index].contract.charge(quantity, price, rate) + self._costs.fixed_fee, "fee")

    def liquidation_fee(self, index: int, quantity: int, price: int, time_ns: int) -> int:
        """The fee of one liquidated position; none if equity cannot pay it."""
        contract = self.instruments[index].contract
        rate = self._fee_rate(time_ns, maker=False) + contract.liquidation_ppb
        fee = money(contract.charge(quantity, price, rate) + self._costs.fixed_fee, "fee")
        return fee if self._converted(fee, contract.currency, self._marks(), up=True) <= self.equity() else 0

    def count(self, index: int, quantity: int, price: int, time_ns: int) -> None:
        """Count a fill towards the tier of later days."""
        if self._tiers is not None:
            contract = self.instruments[index].contract
            notional = contract.notional(quantity, price, up=False)
            self._tiers.count(time_ns, self._converted(notional, contract.currency, self._marks(), up=False))

    def _fee_rate(self, time_ns: int, *, maker: bool) -> int:
        rates = self._costs if self._tiers is None else self._tiers.at(time_ns)
        return rates.maker_ppb if maker else rates.taker_ppb

    def allowed(
        self, index: int, side: int, quantity: int, price: int, reference: int, time_ns: int, *, maker: bool
    ) -> int:
        """The largest quantity up to this one that reduces the position or that the account can carry."""
        position = self._ledger.position(index)
        reducing = min(quantity, max(0, -side * position))
        if self.terms.kind == "cash" and side < 0:
            return reducing
        contract = self.instruments[index].contract
        marks = self._marks()
        marks[index] = reference

        def carried(quantity: int) -> bool:
            # A rebate is not there before the fill, so it carries nothing.
            fee = max(0, self.charge(index, quantity, price, time_ns, maker=maker))
            lots = side * quantity
            if self.terms.kind == "cash":
                return contract.cost(lots, price) + fee <= self._ledger.cash(contract.currency)
            slippage = money(contract.cost(lots, price) - contract.cost(lots, reference), "slippage cost")
            costs = self._converted(money(slippage + fee, "costs"), contract.currency, marks, up=True)
            equity_after = money(self._equity_at(marks) - costs, "equity")
            exposure = self._exposure_at(marks, index, position + lots)
            return money(div_up(exposure * BILLION, self._leverage_ppb), "required margin") <= equity_after

        if reducing == quantity or carried(quantity):
            return quantity
        # Both sides of the condition are monotone in the quantity, so the largest that holds is found by halving.
        low, high = reducing, quantity
        while high - low > 1:
            middle = (low + high) // 2
            if carried(middle):
                low = middle
            else:
                high = middle
        return low
