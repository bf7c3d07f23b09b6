"""What an account is beyond one currency and spot instruments, as integers (docs/fill-rules.md section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from neural_trader.baseline.arithmetic import BILLION
from neural_trader.errors import EngineError

KINDS = ("spot", "linear", "inverse")
ACCOUNTS = ("margin", "cash")
CONSTANT = -1
"""In place of the rank of the instrument whose mark is a rate."""


class ContractTerms(NamedTuple):
    """How one instrument is settled: its kind, its currency, the size of a contract and what its positions require."""

    kind: str = "spot"
    currency: int = 0
    """0 is the account currency, n the n-th of the others."""
    size_mantissa: int = 1
    size_decimals: int = 0
    """One unit of quantity stands for ``size_mantissa / 10**size_decimals`` of the base currency (linear), or of the
    quote currency (inverse)."""
    maintenance_ppb: int = 0
    liquidation_ppb: int = 0
    """What a liquidation costs beyond the taker fee."""


class Currency(NamedTuple):
    """A currency beside that of the account: what of it was deposited, and what it is worth."""

    code: str
    deposit: int = 0
    rate_ppb: int = 0
    """Its worth in the account currency, if that is constant."""
    rate_instrument: int = CONSTANT
    """Else the instrument whose mark says it."""


class Tier(NamedTuple):
    """Fee rates from a traded notional on."""

    volume: int
    maker_ppb: int
    taker_ppb: int


class Funding(NamedTuple):
    """A rate that longs pay to shorts at a time, of the notional at a mark; 0 stands for the mark that is known."""

    time_ns: int
    instrument: int
    rate_ppb: int
    mark: int = 0


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """All of it; as it is made by default, an account is what section 8 describes."""

    kind: str = "margin"
    contracts: Sequence[ContractTerms] = ()
    """One for each instrument, in order of their symbols; or none, where all are spot in the account currency."""
    currencies: Sequence[Currency] = ()
    """In ascending order of their codes."""
    tiers: Sequence[Tier] = ()
    start_tier: int = 0
    funding: Sequence[Funding] = ()
    """In order of time, then of instruments."""
    interest_ppb: int = 0
    """On cash that is owed, for a year of 365 days."""
    borrow_ppb: int = 0
    """On spot that is owed, for a year of 365 days."""

    def contract(self, instrument: int) -> ContractTerms:
        """The terms of one instrument."""
        return self.contracts[instrument] if self.contracts else ContractTerms()


def check_terms(terms: AccountTerms, symbols: Sequence[str], leverage_ppb: int) -> None:
    """Refuse, in one line, what makes no sense before the run."""
    if terms.kind not in ACCOUNTS:
        raise EngineError(f"an account is one of {', '.join(ACCOUNTS)}, not {terms.kind!r}")
    if terms.contracts and len(terms.contracts) != len(symbols):
        raise EngineError(f"there are terms of {len(terms.contracts)} contracts for {len(symbols)} instruments")
    if terms.kind == "cash" and (leverage_ppb != BILLION or terms.interest_ppb or terms.borrow_ppb):
        raise EngineError("a cash account borrows nothing: it has leverage 1 and no interest")
    if min(terms.interest_ppb, terms.borrow_ppb) < 0:
        raise EngineError("interest must not be negative")
    _check_currencies(terms, len(symbols))
    for index, symbol in enumerate(symbols):
        _check_contract(terms, terms.contract(index), symbol, leverage_ppb)
    _check_tiers(terms)
    _check_funding(terms, symbols)


def _check_currencies(terms: AccountTerms, count: int) -> None:
    codes = [currency.code.encode() for currency in terms.currencies]
    if any(first >= second for first, second in pairwise(codes)):
        raise EngineError("currencies must be in ascending order of their codes, each code once")
    for currency in terms.currencies:
        if currency.deposit < 0:
            raise EngineError(f"the deposit of {currency.code} must not be negative")
        by_instrument = currency.rate_instrument != CONSTANT
        if by_instrument == (currency.rate_ppb > 0) or not CONSTANT <= currency.rate_instrument < count:
            raise EngineError(f"{currency.code} needs a rate: a positive constant, or an instrument of the run")
        if by_instrument:
            source = terms.contract(currency.rate_instrument)
            own = 1 + terms.currencies.index(currency)
            if source.currency != (own if source.kind == "inverse" else 0):
                raise EngineError(f"the rate of {currency.code} must be in the account currency")


def _check_contract(terms: AccountTerms, contract: ContractTerms, symbol: str, leverage_ppb: int) -> None:
    if contract.kind not in KINDS:
        raise EngineError(f"{symbol}: an instrument is one of {', '.join(KINDS)}, not {contract.kind!r}")
    if not 0 <= contract.currency <= len(terms.currencies):
        raise EngineError(f"{symbol}: settled in an unknown currency")
    if not 0 < contract.size_mantissa < 2**63 or not 0 <= contract.size_decimals <= 9:
        raise EngineError(f"{symbol}: a contract size is positive and has at most 9 decimals")
    if contract.kind == "spot" and (contract.size_mantissa, contract.size_decimals) != (1, 0):
        raise EngineError(f"{symbol}: a spot instrument has no contract size")
    if terms.kind == "cash" and (contract.kind != "spot" or contract.maintenance_ppb):
        raise EngineError(f"{symbol}: a cash account holds spot instruments without margin; use a margin account")
    if not (contract.maintenance_ppb >= 0 and 0 <= contract.liquidation_ppb < BILLION):
        raise EngineError(f"{symbol}: maintenance and liquidation rates are from 0 to below 1")
    if contract.maintenance_ppb * leverage_ppb >= BILLION * BILLION:
        raise EngineError(f"{symbol}: the maintenance rate must be below the initial one, which is 1 / leverage")


def _check_tiers(terms: AccountTerms) -> None:
    if any(first.volume >= second.volume for first, second in pairwise(terms.tiers)):
        raise EngineError("fee tiers must be in ascending order of their volumes")
    if terms.tiers and terms.tiers[0].volume != 0:
        raise EngineError("the first fee tier begins at volume 0")
    if not 0 <= terms.start_tier < max(1, len(terms.tiers)):
        raise EngineError(f"there is no fee tier {terms.start_tier}: there are {len(terms.tiers)}, numbered from 0")


def _check_funding(terms: AccountTerms, symbols: Sequence[str]) -> None:
    if any(first[:2] >= second[:2] for first, second in pairwise(terms.funding)):
        raise EngineError("funding must be in order of time, one rate for each instrument and time")
    for row in terms.funding:
        if not 0 <= row.instrument < len(symbols):
            raise EngineError("funding names an unknown instrument")
        if terms.contract(row.instrument).kind == "spot":
            raise EngineError(f"{symbols[row.instrument]}: a spot instrument has no funding")
        if row.mark < 0:
            raise EngineError(f"{symbols[row.instrument]}: a mark of funding must not be negative")
