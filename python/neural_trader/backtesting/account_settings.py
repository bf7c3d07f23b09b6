"""An account with contracts, currencies, margin and tiers, read from plain values (docs/fill-rules.md section 11)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting.funding import FundingRow, funding_document, funding_of
from neural_trader.backtesting.numbers import decimal_of, plain_decimal, rate_of, whole_units
from neural_trader.baseline.terms import (
    ACCOUNTS,
    CONSTANT,
    KINDS,
    AccountTerms,
    ContractTerms,
    Currency,
    Funding,
    Tier,
)
from neural_trader.config import near
from neural_trader.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.market.bars import Step

_PPB = 10**9
_MONEY = 10**18
_KEYS = ("kind", "interest", "borrow", "fee_tiers", "start_tier", "instruments", "currencies", "funding")
EVERY = "*"
"""In place of a symbol: all instruments that are not named."""


@dataclass(frozen=True)
class InstrumentSettings:
    """How an instrument is settled and what its positions require."""

    kind: str = "spot"
    currency: str | None = None
    """None for the account currency."""
    size: Decimal = Decimal(1)
    maintenance: Decimal = Decimal(0)
    liquidation: Decimal = Decimal(0)


@dataclass(frozen=True)
class CurrencySettings:
    """What of a currency is there at first, and what it is worth: a constant, or an instrument's mark."""

    deposit: Decimal
    rate: Decimal | str


@dataclass(frozen=True)
class AccountSettings:
    """All of an account's settings beside its cash, its fee and its leverage."""

    kind: str = "margin"
    interest: Decimal = Decimal(0)
    borrow: Decimal = Decimal(0)
    fee_tiers: tuple[tuple[Decimal, Decimal, Decimal], ...] = ()
    """Volume, maker rate and taker rate of each."""
    start_tier: int = 0
    instruments: tuple[tuple[str, InstrumentSettings], ...] = ()
    currencies: tuple[tuple[str, CurrencySettings], ...] = ()
    funding: tuple[FundingRow, ...] = ()

    @classmethod
    def of(cls, given: Any, funding: Any = None) -> AccountSettings | None:
        """Settings from a mapping or a TOML file, and funding from rows or a file; None where neither is given.

        ConfigError names the value that makes no sense.
        """
        if given is None and funding is None:
            return None
        table = _table(given)
        for key in table:
            if key not in _KEYS:
                raise ConfigError(f"account: no such key {key!r} (there are: {', '.join(_KEYS)}){near(key, _KEYS)}")
        if funding is not None:
            table["funding"] = funding
        kind = table.get("kind", "margin")
        if kind not in ACCOUNTS:
            raise ConfigError(f"account.kind {kind!r}: one of {', '.join(ACCOUNTS)}")
        tier = table.get("start_tier", 0)
        if isinstance(tier, bool) or not isinstance(tier, int):
            raise ConfigError(f"account.start_tier {tier!r}: a whole number; tiers are counted from 0")
        return cls(
            kind=kind,
            interest=_yearly("account.interest", table.get("interest", 0)),
            borrow=_yearly("account.borrow", table.get("borrow", 0)),
            fee_tiers=tuple(_tier(row) for row in _rows(table.get("fee_tiers", ()))),
            start_tier=tier,
            instruments=tuple(
                (symbol, _instrument(symbol, each)) for symbol, each in sorted(_tables(table, "instruments").items())
            ),
            currencies=tuple(
                (code, _currency(code, each)) for code, each in sorted(_tables(table, "currencies").items())
            ),
            funding=funding_of(table["funding"]) if table.get("funding") is not None else (),
        )

    def terms(self, symbols: Sequence[str], ticks: Sequence[Step], currency: str) -> AccountTerms:
        """The engine's integers, for instruments in the order of their symbols and an account in this currency."""
        own = dict(self.instruments)
        named = {row.symbol for row in self.funding if row.symbol is not None}
        for name in (*own, *sorted(named)):
            if name not in (EVERY, *symbols):
                raise ConfigError(
                    f"account: there is no instrument {name!r} in this run ({', '.join(symbols)}){near(name, symbols)}"
                )
        ranks = {code: rank for rank, (code, _) in enumerate(self.currencies, 1)} | {currency: 0}
        if currency in dict(self.currencies):
            raise ConfigError(
                f"account.currencies.{currency}: that is the currency of the account, which needs no rate"
            )
        contracts = []
        for symbol in symbols:
            each = own.get(symbol, own.get(EVERY, InstrumentSettings()))
            if each.currency is not None and each.currency not in ranks:
                raise ConfigError(
                    f"account.instruments.{symbol}: nobody says what {each.currency} is worth; "
                    f"write [account.currencies.{each.currency}] with a rate"
                )
            contracts.append(_contract(symbol, each, 0 if each.currency is None else ranks[each.currency]))
        is_plain = all(contract == ContractTerms() for contract in contracts)
        return AccountTerms(
            kind=self.kind,
            contracts=[] if is_plain else contracts,
            currencies=[_currency_terms(code, each, symbols) for code, each in self.currencies],
            tiers=[
                Tier(
                    whole_units("account.fee_tiers", volume, _MONEY),
                    whole_units("account.fee_tiers", maker, _PPB),
                    whole_units("account.fee_tiers", taker, _PPB),
                )
                for volume, maker, taker in self.fee_tiers
            ],
            start_tier=self.start_tier,
            funding=self._funding(symbols, ticks),
            interest_ppb=whole_units("account.interest", self.interest, _PPB),
            borrow_ppb=whole_units("account.borrow", self.borrow, _PPB),
        )

    def _funding(self, symbols: Sequence[str], ticks: Sequence[Step]) -> list[Funding]:
        if any(row.symbol is None for row in self.funding) and len(symbols) != 1:
            raise ConfigError(f"funding: name the symbol of each row; the run has {len(symbols)} instruments")
        rank = {symbol: index for index, symbol in enumerate(symbols)} | {None: 0}
        rows = []
        for row in self.funding:
            index = rank[row.symbol]
            mark = 0 if row.mark is None else _ticks(row.mark, ticks[index])
            rows.append(Funding(row.time_ns, index, whole_units("funding rate", row.rate, _PPB), mark))
        return sorted(rows)

    def without_funding(self) -> AccountSettings:
        """The same without what falls due."""
        return replace(self, funding=())

    def document(self) -> dict[str, Any]:
        """The settings as plain values for reports and for the parameter digest; ``of`` reads them back."""
        return {
            "kind": self.kind,
            "interest": plain_decimal(self.interest),
            "borrow": plain_decimal(self.borrow),
            "fee_tiers": [[plain_decimal(each) for each in tier] for tier in self.fee_tiers],
            "start_tier": self.start_tier,
            "instruments": {
                symbol: {
                    "kind": each.kind,
                    "currency": each.currency,
                    "size": plain_decimal(each.size),
                    "maintenance": plain_decimal(each.maintenance),
                    "liquidation": plain_decimal(each.liquidation),
                }
                for symbol, each in self.instruments
            },
            "currencies": {
                code: {
                    "deposit": plain_decimal(each.deposit),
                    "rate": plain_decimal(each.rate) if isinstance(each.rate, Decimal) else each.rate,
                }
                for code, each in self.currencies
            },
            "funding": funding_document(self.funding),
        }


def _table(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, str | Path):
        raise ConfigError(f"account: a mapping, or a TOML file of one, not {type(given).__name__}")
    return account_in(Path(given))


def account_in(path: Path) -> dict[str, Any]:
    """The account that a TOML file describes; what it names is beside it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; docs/fill-rules.md section 11 has an account to start from") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    if isinstance(table.get("funding"), str):
        table["funding"] = str(path.parent / Path(table["funding"]).expanduser())
    return table


def _tables(table: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    tables = table.get(name, {})
    if not isinstance(tables, Mapping) or not all(isinstance(each, Mapping) for each in tables.values()):
        raise ConfigError(
            f"account.{name} is a table of tables; write [account.{name}.NAME] and one line for each value"
        )
    return dict(tables)


def _known(where: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise ConfigError(f"{where}: no such key {key!r} (there are: {', '.join(keys)}){near(key, keys)}")


def _instrument(symbol: str, table: Mapping[str, Any]) -> InstrumentSettings:
    where = f"account.instruments.{symbol}"
    _known(where, table, ("kind", "currency", "size", "maintenance", "liquidation"))
    kind = table.get("kind", "spot")
    if kind not in KINDS:
        raise ConfigError(f"{where}.kind {kind!r}: one of {', '.join(KINDS)}")
    size = decimal_of(f"{where}.size", table.get("size", 1))
    if not 0 < size < 10**9:
        raise ConfigError(f"{where}.size {size}: a positive number, below 10^9")
    maintenance, liquidation = (rate_of(f"{where}.{key}", table.get(key, 0)) for key in ("maintenance", "liquidation"))
    for key, rate in (("maintenance", maintenance), ("liquidation", liquidation)):
        if not 0 <= rate < 1:
            raise ConfigError(f"{where}.{key} {table[key]}: a rate from 0 to below 1, such as 0.5%")
    return InstrumentSettings(kind, table.get("currency"), size, maintenance, liquidation)


def _currency(code: str, table: Mapping[str, Any]) -> CurrencySettings:
    where = f"account.currencies.{code}"
    _known(where, table, ("deposit", "rate"))
    deposit = decimal_of(f"{where}.deposit", table.get("deposit", 0))
    if not 0 <= deposit < 10**15:
        raise ConfigError(f"{where}.deposit {deposit}: not negative, and below 10^15")
    if "rate" not in table:
        raise ConfigError(f"{where}: what is it worth? Give a rate, or the symbol of an instrument whose price it is")
    given = table["rate"]
    try:
        rate: Decimal | str = decimal_of(f"{where}.rate", given)
    except ConfigError:
        return CurrencySettings(deposit, str(given))
    if not Decimal(0) < Decimal(rate) < 10**9:
        raise ConfigError(f"{where}.rate {given}: a positive number, below 10^9")
    return CurrencySettings(deposit, rate)


def _currency_terms(code: str, each: CurrencySettings, symbols: Sequence[str]) -> Currency:
    deposit = whole_units(f"account.currencies.{code}.deposit", each.deposit, _MONEY)
    if isinstance(each.rate, Decimal):
        return Currency(code, deposit, whole_units(f"account.currencies.{code}.rate", each.rate, _PPB), CONSTANT)
    if each.rate not in symbols:
        raise ConfigError(
            f"account.currencies.{code}.rate {each.rate!r}: neither a number nor an instrument of the run "
            f"({', '.join(symbols)}){near(each.rate, symbols)}"
        )
    return Currency(code, deposit, 0, symbols.index(each.rate))


def _contract(symbol: str, each: InstrumentSettings, currency: int) -> ContractTerms:
    where = f"account.instruments.{symbol}"
    decimals = max(0, -int(each.size.normalize().as_tuple().exponent))
    return ContractTerms(
        each.kind,
        currency,
        whole_units(f"{where}.size", each.size, 10 ** min(decimals, 9)),
        min(decimals, 9),
        whole_units(f"{where}.maintenance", each.maintenance, _PPB),
        whole_units(f"{where}.liquidation", each.liquidation, _PPB),
    )


def _rows(given: Any) -> Sequence[Sequence[Any]]:
    is_table = isinstance(given, list | tuple) and all(isinstance(row, list | tuple) and len(row) == 3 for row in given)
    if not is_table:
        raise ConfigError("account.fee_tiers: rows of volume, maker and taker rate, such as [[0, '0.1%', '0.2%']]")
    rows: Sequence[Sequence[Any]] = given
    return rows


def _tier(row: Sequence[Any]) -> tuple[Decimal, Decimal, Decimal]:
    volume = decimal_of("account.fee_tiers", row[0])
    maker, taker = (rate_of("account.fee_tiers", rate) for rate in row[1:])
    if not 0 <= volume < 10**15 or not all(-1 < rate < 1 for rate in (maker, taker)):
        raise ConfigError(f"account.fee_tiers {list(row)}: a volume from 0 to below 10^15, and rates between -1 and 1")
    return volume, maker, taker


def _yearly(name: str, given: Any) -> Decimal:
    rate = rate_of(name, given)
    if not 0 <= rate < 1000:
        raise ConfigError(f"{name} {given}: a yearly rate that is not negative, such as 5%")
    return rate


def _ticks(mark: Decimal, tick: Step) -> int:
    """A mark as the nearest count of ticks."""
    return int((mark.scaleb(tick.decimals) / tick.mantissa + Decimal("0.5")) // 1)
