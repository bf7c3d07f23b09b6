"""Double-entry ledger: every balance is the sum of its postings."""

from __future__ import annotations

from neural_trader.baseline.arithmetic import money
from neural_trader.baseline.records import Account, FillRecord, PostingRecord

CURRENCY = 0
"""The unit of money; units of instruments are the rank of the symbol plus one."""


class Ledger:
    """Postings of the deposit (transaction 0) and of one transaction for each fill."""

    def __init__(self, deposit: int) -> None:
        self.postings: list[PostingRecord] = []
        self._transactions = 0
        self._balances: dict[tuple[Account, int, int], int] = {}
        self._post([(Account.CASH, 0, CURRENCY, deposit), (Account.CAPITAL, 0, CURRENCY, -deposit)])

    def cash(self) -> int:
        return self._balances.get((Account.CASH, 0, CURRENCY), 0)

    def position(self, instrument: int) -> int:
        return self._balances.get((Account.POSITION, instrument + 1, instrument + 1), 0)

    def post_fill(self, fill: FillRecord, unit: int) -> None:
        """Book a fill; ``unit`` is the money in one tick times one lot of its instrument."""
        own = fill.instrument + 1
        paid = money(fill.price * fill.quantity * unit, "notional")
        worth = money(fill.reference * fill.quantity * unit, "notional")
        self._post(
            [
                (Account.CASH, 0, CURRENCY, -(fill.side * paid + fill.fee)),
                (Account.TRADING, own, CURRENCY, fill.side * worth),
                (Account.SLIPPAGE, 0, CURRENCY, fill.slippage),
                (Account.FEES, 0, CURRENCY, fill.fee),
                (Account.POSITION, own, own, fill.side * fill.quantity),
                (Account.TRADING, own, own, -fill.side * fill.quantity),
            ]
        )

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
