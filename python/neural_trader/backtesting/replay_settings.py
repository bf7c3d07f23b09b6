"""What a replay is charged and how its orders meet the market, read into the engine's exact integers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.numbers import decimal_of, plain_decimal, rate_of, whole_units
from neural_trader.backtesting.settings import Fee
from neural_trader.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.market.bars import Step

QUEUES = ("front", "risk_averse", "power", "power_2", "power_3", "log", "log_2")
"""Models of the place in a queue; docs/book-rules.md has their formulas."""
SelfTrade = Literal["cancel_newest", "cancel_oldest", "cancel_both", "off"]

_UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_LATENCY_NS_MAX = 3600 * 10**9


@dataclass(frozen=True)
class Impact:
    """What our takes leave on the price: a share of it for all of the depth, and how long half of that lasts."""

    rate: Decimal
    half_life_ns: int

    @classmethod
    def of(cls, given: Any) -> Impact:
        """An impact from a text such as "2bps/500ms"."""
        rate, _, half_life = str(given).partition("/")
        impact = cls(rate_of("impact", rate), duration_ns("impact", half_life))
        if not 0 < impact.rate <= 1 or impact.half_life_ns == 0:
            raise ConfigError(f"impact {given!r}: a positive share of the price and its half-life, such as 2bps/500ms")
        return impact

    def exact(self) -> tuple[int, int]:
        """The share in parts per billion, and nanoseconds."""
        return whole_units("impact", self.rate, 10**9), self.half_life_ns

    def __str__(self) -> str:
        return f"{plain_decimal(self.rate * 10_000)}bps/{duration_text(self.half_life_ns)}"


@dataclass(frozen=True)
class ReplaySettings:
    """All settings of a replay that change its outcome, beside strategy and data."""

    cash: Decimal
    fee: Fee
    leverage: Decimal
    currency: str
    entry_ns: int
    response_ns: int
    feed_ns: int | None
    queue: str
    power: int
    whole: bool
    self_trade: SelfTrade
    sample_ns: int
    impact: Impact | None = None
    account: AccountSettings | None = None
    """What the account is beyond one currency and spot instruments."""

    @classmethod
    def of(
        cls,
        *,
        cash: Any,
        fee: Any,
        leverage: Any,
        currency: str,
        latency: Any,
        feed: Any,
        queue: Any,
        whole: Any,
        self_trade: str,
        sample: str,
        impact: Any = None,
        account: AccountSettings | None = None,
    ) -> ReplaySettings:
        """Settings from what a user gives; ConfigError names the one that makes no sense.

        ``latency`` is "10ms" each way or "10ms/5ms" to the venue and back; ``feed`` the latency of records where it
        shall not be as recorded; ``queue`` a model, with its power where it has one, as in "power:3"; ``impact`` a
        share of the price and its half-life, as in "2bps/500ms".
        """
        amount = decimal_of("cash", cash)
        if not 0 < amount < 10**15:
            raise ConfigError(f"cash {cash}: a run needs a positive amount below 10^15, such as 10000")
        times = decimal_of("leverage", leverage)
        if not Decimal("0.001") <= times <= 1000:
            raise ConfigError(f"leverage {leverage}: between 0.001 and 1000")
        parts = str(latency).split("/")
        if len(parts) > 2:
            raise ConfigError(f"latency {latency!r}: give one, such as 10ms, or two, to the venue and back: 10ms/5ms")
        ways = [duration_ns("latency", part) for part in parts]
        model, _, power = str(queue).partition(":")
        if model not in QUEUES or (power and (not model.startswith("power") or not power.isdecimal())):
            raise ConfigError(f"queue {queue!r}: one of {', '.join(QUEUES)}; those of power take one, as in power:3")
        if power and not 1 <= int(power) <= 16:
            raise ConfigError(f"queue {queue!r}: the power is from 1 to 16")
        if not isinstance(whole, bool):
            raise ConfigError(f"whole {whole!r}: True or False")
        if self_trade not in get_args(SelfTrade):
            raise ConfigError(f"self_trade {self_trade!r}: one of {', '.join(get_args(SelfTrade))}")
        interval_ns = duration_ns("sample", sample)
        if interval_ns == 0:
            raise ConfigError(f"sample {sample!r}: the time between samples of equity is not zero")
        settings = cls(
            cash=amount,
            fee=Fee.of(fee),
            leverage=times,
            currency=currency,
            entry_ns=ways[0],
            response_ns=ways[-1],
            feed_ns=None if feed is None else duration_ns("feed", feed),
            queue=model,
            power=int(power or 2),
            whole=whole,
            self_trade=self_trade,  # type: ignore[arg-type]
            sample_ns=interval_ns,
            impact=None if impact is None else Impact.of(impact),
            account=account,
        )
        settings.engine_arguments()
        return settings

    def engine_arguments(self, symbols: Sequence[str] = (), ticks: Sequence[Step] = ()) -> dict[str, Any]:
        """The engine's keyword arguments, all integers and names; those of the account for these instruments."""
        account = self.account
        return {
            **({} if account is None or not symbols else {"account": account.terms(symbols, ticks, self.currency)}),
            "cash": whole_units("cash", self.cash, 10**18),
            "leverage_ppb": whole_units("leverage", self.leverage, 10**9),
            "maker_ppb": whole_units("fee", self.fee.maker, 10**9),
            "taker_ppb": whole_units("fee", self.fee.taker, 10**9),
            "fixed_fee": whole_units("fee", self.fee.fixed, 10**18),
            "entry_ns": self.entry_ns,
            "response_ns": self.response_ns,
            "feed_ns": self.feed_ns,
            "queue": self.queue,
            "power": self.power,
            "whole": self.whole,
            "self_trade": self.self_trade,
            "sample_ns": self.sample_ns,
            **({} if self.impact is None else {"impact": self.impact.exact()}),
        }

    def document(self) -> dict[str, Any]:
        """The settings as plain values for reports and for the parameter digest; numbers are exact decimal text."""
        fee = {name: plain_decimal(getattr(self.fee, name)) for name in ("maker", "taker", "fixed")}
        queue = f"{self.queue}:{self.power}" if self.queue.startswith("power") else self.queue
        return {
            "cash": plain_decimal(self.cash),
            "fee": fee,
            "leverage": plain_decimal(self.leverage),
            "currency": self.currency,
            "latency": f"{duration_text(self.entry_ns)}/{duration_text(self.response_ns)}",
            "feed": None if self.feed_ns is None else duration_text(self.feed_ns),
            "queue": queue,
            "whole": self.whole,
            "self_trade": self.self_trade,
            "sample": duration_text(self.sample_ns),
            **({} if self.impact is None else {"impact": str(self.impact)}),
            **({} if self.account is None else {"account": self.account.document()}),
        }


def duration_ns(name: str, text: Any) -> int:
    """Nanoseconds of a duration such as 250us, 10ms or 1.5s; ConfigError for anything else."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(ns|us|ms|s|m|h)?\s*", str(text))
    if match is None or (match[2] is None and Decimal(match[1]) != 0):
        raise ConfigError(f"{name} {text!r}: write a duration with its unit, such as 250us, 10ms or 1s")
    duration = Decimal(match[1]) * _UNITS_NS[match[2] or "ns"]
    if duration != int(duration) or duration > _LATENCY_NS_MAX:
        raise ConfigError(f"{name} {text!r}: whole nanoseconds, at most an hour")
    return int(duration)


def duration_text(duration_ns: int) -> str:
    """A duration in the largest unit that counts it wholly."""
    unit = next(unit for unit, size in reversed(_UNITS_NS.items()) if duration_ns % size == 0)
    return f"{duration_ns // _UNITS_NS[unit]}{unit}" if duration_ns else "0ms"
