"""Double-entry ledger: every balance is the sum of its postings."""

from __future__ import annotations

from collections.abc import Sequence

from neural_trader.baseline.arithmetic import div_up, money
from neural_trader.baseline.contract import Contract
from neural_trader.baseline.records import Account, FillRecord, PostingRecord

CURRENCY = 0
"""The unit of the account currency; units of instruments are the rank of the symbol plus one."""
CURRENCIES = 2**31
"""Beyond it are the units of other currencies."""


def unit_of(currency: int) -> int:
    """The unit of a posting in the account currency (0), or in the n-th of the others."""
    return CURRENCIES + currency if currency else CURRENCY


class Ledger:
    """Postings of the deposit (transaction 0), and of one transaction for each fill, funding payment and interest."""

    def __init__(self, deposit: int, deposits: Sequence[int] = ()) -> None:
        self.postings: list[PostingRecord] = []
        self._transactions = 0
        self._balances: dict[tuple[Account, int, int], int] = {}
        lines = []
        for currency, amount in enumerate((deposit, *deposits)):
            unit = unit_of(currency)
            lines += [(Account.CASH, 0, unit, amount), (Account.CAPITAL, 0, unit, -amount)]
        self._post(lines)

    def cash(self, currency: int = 0) -> int:
        return self._balances.get((Account.CASH, 0, unit_of(currency)), 0)

    def position(self, instrument: int) -> int:
        return self._balances.get((Account.POSITION, instrument + 1, instrument + 1), 0)

    def entry(self, instrument: int, currency: int) -> int:
        """What the open position of a contract was entered at, with the sign of money: negative where it was bought."""
        return self._balances.get((Account.ENTRY, instrument + 1, unit_of(currency)), 0)

    def post_fill(self, fill: FillRecord, contract: Contract) -> None:
        """Book a fill: spot is paid for, a contract only settles what its closed part has gained."""
        own, unit = fill.instrument + 1, unit_of(contract.currency)
        quantity = fill.side * fill.quantity
        paid, worth = contract.cost(quantity, fill.price), contract.cost(quantity, fill.reference)
        cash, entry = -paid, 0
        if contract.kind != "spot":
            before = self.entry(fill.instrument, contract.currency)
            after = self._entry_after(fill, contract, before)
            cash, entry = before - paid - after, after - before
        self._post(
            [
                (Account.CASH, 0, unit, cash - fill.fee),
                (Account.ENTRY, own, unit, entry),
                (Account.TRADING, own, unit, worth),
                (Account.SLIPPAGE, 0, unit, fill.slippage),
                (Account.FEES, 0, unit, fill.fee),
                (Account.POSITION, own, own, quantity),
                (Account.TRADING, own, own, -quantity),
            ]
        )

    def _entry_after(self, fill: FillRecord, contract: Contract, before: int) -> int:
        """What a fill leaves open keeps its average entry; what it opens is entered at its price."""
        held = self.position(fill.instrument)
        quantity = fill.side * fill.quantity
        left = held + quantity
        if held * quantity >= 0:
            return before - contract.cost(quantity, fill.price)
        if held * left > 0:
            return div_up(before * abs(left), abs(held))
        return -contract.cost(left, fill.price)

    def post_funding(self, instrument: int, currency: int, amount: int) -> None:
        """Book what a position pays, or receives if it is negative."""
        unit = unit_of(currency)
        self._post([(Account.CASH, 0, unit, -amount), (Account.FUNDING, instrument + 1, unit, amount)])

    def post_interest(self, currency: int, amount: int, instrument: int = -1) -> None:
        """Book interest on cash that is owed, or on spot of an instrument."""
        unit = unit_of(currency)
        self._post([(Account.CASH, 0, unit, -amount), (Account.INTEREST, instrument + 1, unit, amount)])

    def _post(self, lines: list[tuple[Account, int, int, int]]) -> None:
        for account, account_instrument, unit, amount in lines:
            if amount == 0:
                continue
            key = (account, account_instrument, unit)
            self._balances[key] = money(self._balances.get(key, 0) + amount, f"balance of {account.name.lower()}")
            self.postings.append(
                PostingRecord(self._transactions, account, account_instrument, unit, money(amount, "posting"))
            )
        self._transactions += 1
