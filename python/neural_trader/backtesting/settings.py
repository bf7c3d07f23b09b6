"""What a run is charged and allowed, read from plain numbers and text into the engine's exact integers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.like import Like
from neural_trader.backtesting.numbers import decimal_of, plain_decimal, rate_of, whole_units
from neural_trader.config import KEYS
from neural_trader.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.market.bars import Step

_PPB = 10**9
_MONEY = 10**18


@dataclass(frozen=True)
class Fee:
    """Fee rates of the notional, and a fixed amount per fill, as exact decimals."""

    maker: Decimal
    taker: Decimal
    fixed: Decimal = Decimal(0)

    @classmethod
    def of(cls, given: float | str | Decimal | Fee) -> Fee:
        """A fee from a rate (``0.001``, ``"0.1%"``, ``"10bps"``) or ``"MAKER/TAKER[/FIXED]"``."""
        if isinstance(given, Fee):
            return given
        parts = str(given).split("/")
        if len(parts) > 3:
            raise ConfigError(f"fee {given!r}: give one rate, or maker/taker, or maker/taker/fixed")
        rates = [rate_of("fee", part) for part in parts[:2]]
        fixed = decimal_of("fee", parts[2]) if len(parts) == 3 else Decimal(0)
        if fixed < 0 or any(not -1 < rate < 1 for rate in rates):
            raise ConfigError(
                f"fee {given!r}: a rate is below 1 (0.001 is 0.1 %; below 0 it is a rebate), a fixed fee not negative"
            )
        return cls(rates[0], rates[-1], fixed)


@dataclass(frozen=True)
class Slippage:
    """How much worse than the market takers fill: ticks, a rate of the price, a share of the bar's spread; added up."""

    ticks: int = 0
    rate: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)

    @classmethod
    def of(cls, given: float | str | Decimal | Slippage) -> Slippage:
        """Slippage from a rate (``0.0002``, ``"2bps"``), ``"1tick"``, ``"0.5spread"``, or several joined by ``+``."""
        if isinstance(given, Slippage):
            return given
        ticks, rate, spread = 0, Decimal(0), Decimal(0)
        # A plus sign joins terms, but not the sign of an exponent, as in 1e+0.
        for term in re.split(r"(?<![eE])\+", str(given)):
            match = re.fullmatch(r"\s*(\S+?)\s*(ticks?|spreads?)\s*", term)
            if match is None:
                rate += rate_of("slippage", term)
            elif match[2].startswith("tick"):
                count = decimal_of("slippage", match[1])
                if count != int(count):
                    raise ConfigError(f"slippage {given!r}: ticks are whole")
                ticks += int(count)
            else:
                spread += decimal_of("slippage", match[1])
        if ticks < 0 or not 0 <= rate < 1 or spread < 0:
            raise ConfigError(f"slippage {given!r}: it is not negative, and a rate is below 1 (0.0002 is 2 bps)")
        return cls(ticks, rate, spread)

    def __str__(self) -> str:
        terms = []
        if self.ticks:
            terms.append(f"{self.ticks} tick" + "s" * (self.ticks > 1))
        if self.rate:
            terms.append(f"{plain_decimal(self.rate * 10_000)} bps")
        if self.spread:
            terms.append(f"{plain_decimal(self.spread)} spread")
        return " + ".join(terms) or "none"


@dataclass(frozen=True)
class Settings:
    """All settings of a run that change its outcome, beside strategy and data."""

    cash: Decimal
    fee: Fee
    slippage: Slippage
    fill: Literal["open", "close"] = "open"
    limit: Literal["touch", "through"] = "touch"
    leverage: Decimal = Decimal(1)
    volume_cap: Decimal | None = None
    close_at_end: bool = False
    currency: str = "USD"
    like: Like | None = None
    """Whose rules orders obey; None for our own."""
    account: AccountSettings | None = None
    """What the account is beyond one currency and spot instruments."""

    @classmethod
    def of(
        cls,
        *,
        cash: Any,
        fee: Any,
        slippage: Any,
        fill: str | None,
        limit: str,
        leverage: Any,
        volume_cap: Any,
        close_at_end: bool,
        currency: str,
        like: str | Like | None = None,
        account: AccountSettings | None = None,
    ) -> Settings:
        """Settings from what a user gives; ConfigError names the one that makes no sense.

        Cash, fee, slippage and fill that are not given are those that the peer takes for granted, or our defaults.
        """
        peer = None if like is None else Like.of(like)
        usual = {} if peer is None else peer.conventions
        cash, fee, slippage, fill = (
            usual.get(name, KEYS[name].default) if given is None else given
            for name, given in (("cash", cash), ("fee", fee), ("slippage", slippage), ("fill", fill))
        )
        amount = decimal_of("cash", cash)
        if amount <= 0:
            raise ConfigError(f"cash {cash}: a run needs a positive amount, such as 10000")
        if amount >= 10**15:
            raise ConfigError(f"cash {cash}: at most 10^15 of the currency can be accounted for exactly")
        if fill not in ("open", "close"):
            raise ConfigError(f'fill {fill!r}: "open" (the next bar\'s open) or "close" (the deciding bar\'s close)')
        if limit not in ("touch", "through"):
            raise ConfigError(f'limit {limit!r}: "touch" or "through"')
        times = decimal_of("leverage", leverage)
        if not Decimal("0.001") <= times <= 1000:
            raise ConfigError(f"leverage {leverage}: between 0.001 and 1000")
        cap = None if volume_cap is None else rate_of("volume_cap", volume_cap)
        if cap is not None and not 0 < cap <= 1:
            raise ConfigError(f"volume_cap {volume_cap}: a share of each bar's volume above 0, at most 1")
        settings = cls(
            cash=amount,
            fee=Fee.of(fee),
            slippage=Slippage.of(slippage),
            fill=fill,  # type: ignore[arg-type]
            limit=limit,  # type: ignore[arg-type]
            leverage=times,
            volume_cap=cap,
            close_at_end=close_at_end,
            currency=currency,
            like=peer,
            account=account,
        )
        if peer is not None:
            if account is not None:
                raise ConfigError(f"like {peer.name}: its account knows one currency and spot only; leave out account")
            if settings.fee.maker < 0 or settings.fee.taker < 0:
                raise ConfigError(f"like {peer.name}: it knows no rebates; give a fee that is not negative")
            settings = peer.imposed(settings)
        settings.engine_arguments()
        return settings

    def engine_arguments(self, symbols: Sequence[str] = (), ticks: Sequence[Step] = ()) -> dict[str, Any]:
        """The engine's keyword arguments, all integers; those of the account for these instruments."""
        account = self.account
        return {
            **({} if account is None or not symbols else {"account": account.terms(symbols, ticks, self.currency)}),
            "cash": whole_units("cash", self.cash, _MONEY),
            "leverage_ppb": whole_units("leverage", self.leverage, _PPB),
            "maker_ppb": whole_units("fee", self.fee.maker, _PPB),
            "taker_ppb": whole_units("fee", self.fee.taker, _PPB),
            "fixed_fee": whole_units("fee", self.fee.fixed, _MONEY),
            "slippage_ticks": self.slippage.ticks,
            "slippage_ppb": whole_units("slippage", self.slippage.rate, _PPB),
            "slippage_spread_ppb": whole_units("slippage", self.slippage.spread, _PPB),
            "fill_close": self.fill == "close",
            "limit_through": self.limit == "through",
            "volume_cap_ppb": None if self.volume_cap is None else whole_units("volume_cap", self.volume_cap, _PPB),
            "close_at_end": self.close_at_end,
            **({} if self.like is None else self.like.engine_arguments()),
        }

    def document(self) -> dict[str, Any]:
        """The settings as plain values for reports and for the parameter digest; numbers are exact decimal text."""

        def plain(value: Any) -> Any:
            if isinstance(value, Decimal):
                return plain_decimal(value)
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            return value

        document: dict[str, Any] = plain(asdict(self))
        like = None if self.like is None else str(self.like)
        del document["account"]
        # Runs whose account is the usual one do not speak of it, and keep their hashes.
        account = {} if self.account is None else {"account": self.account.document()}
        return document | {"slippage": str(self.slippage), "like": like} | account
