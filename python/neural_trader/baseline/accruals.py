"""What falls due as time passes: funding of contracts and interest on what is owed (docs/fill-rules.md section 11)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from neural_trader.baseline.account import Account, Valued
from neural_trader.baseline.arithmetic import div_up, money
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.orders import DAY_NS
from neural_trader.baseline.terms import AccountTerms, Funding

YEAR = 365 * 10**9
"""Parts per billion of a year's rate are this many of a day's."""


class Accruals:
    """Rows of funding that are still to come, and the next midnight at which interest is due."""

    def __init__(self, terms: AccountTerms, account: Account, *ledgers: Ledger) -> None:
        """What falls due is judged by the first of the ledgers and posted to all of them."""
        self._terms = terms
        self._account = account
        self._instruments: Sequence[Valued] = account.instruments
        self._ledgers = ledgers
        self._funding: deque[Funding] = deque(terms.funding)
        self._midnight_ns: int | None = None

    @property
    def next_ns(self) -> int | None:
        """When something is due next."""
        times = [self._midnight_ns] if self._midnight_ns is not None else []
        if self._funding:
            times.append(self._funding[0].time_ns)
        return min(times, default=None)

    def begin(self, fill_ns: int) -> None:
        """The first fill begins the days of interest: nothing can have been owed before it."""
        bears = self._terms.interest_ppb or self._terms.borrow_ppb
        if self._midnight_ns is None and bears:
            self._midnight_ns = (fill_ns // DAY_NS + 1) * DAY_NS

    def until(self, time_ns: int, *, halted: bool) -> None:
        """Post all that is due up to and including a time, in order."""
        while self.next_ns is not None and self.next_ns <= time_ns:
            self.post_next(halted=halted)

    def post_next(self, *, halted: bool) -> None:
        """Post all that is due at the next time: funding by instrument, then interest. A halted account has neither."""
        due_ns = self.next_ns
        while self._funding and self._funding[0].time_ns == due_ns:
            row = self._funding.popleft()
            if not halted:
                self._fund(row)
        if self._midnight_ns is not None and self._midnight_ns == due_ns:
            self._midnight_ns += DAY_NS
            if not halted:
                self._charge_interest()

    def _fund(self, row: Funding) -> None:
        instrument = self._instruments[row.instrument]
        position = self._ledgers[0].position(row.instrument)
        mark = row.mark or instrument.mark
        if position == 0 or mark == 0:
            return
        direction = 1 if position > 0 else -1
        amount = instrument.contract.charge(position, mark, direction * row.rate_ppb)
        if amount:
            for ledger in self._ledgers:
                ledger.post_funding(row.instrument, instrument.contract.currency, amount)

    def _charge_interest(self) -> None:
        venue = self._ledgers[0]
        for currency in range(1 + len(self._terms.currencies)):
            owed = max(0, -venue.cash(currency))
            self._post_interest(currency, owed, self._terms.interest_ppb, -1)
        for index, instrument in enumerate(self._instruments):
            contract, position = instrument.contract, venue.position(index)
            if contract.kind == "spot" and position < 0:
                owed = contract.notional(position, instrument.mark)
                self._post_interest(contract.currency, owed, self._terms.borrow_ppb, index)

    def _post_interest(self, currency: int, owed: int, rate_ppb: int, instrument: int) -> None:
        amount = money(owed // YEAR * rate_ppb + div_up(owed % YEAR * rate_ppb, YEAR), "interest")
        if amount:
            for ledger in self._ledgers:
                ledger.post_interest(currency, amount, instrument)
