"""The terms of an order as a strategy words them, turned into the engine's exact integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from neural_trader.market.bars import Step

_PPB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of an instrument."""

    tick: Step
    lot: Step

    def price(self, price: float, *, up: bool) -> int:
        """Ticks of a price, or the next ones in a direction where it is off the grid beyond noise."""
        return _steps(self.tick, number("price", price), up=up)

    def lots(self, quantity: float) -> int:
        """Whole lots of a quantity, towards zero."""
        lots = _steps(self.lot, abs(number("quantity", quantity)), up=False)
        return lots if quantity >= 0 else -lots


@dataclass(frozen=True, kw_only=True)
class Exits:
    """What closes a position that an order opens."""

    stop_loss: float | None = None
    stop_loss_trail: float | None = None
    take_profit: float | None = None

    def arguments(self, grid: Grid, side: int) -> dict[str, Any]:
        """The engine's arguments; ``side`` is that of the entry."""
        arguments: dict[str, Any] = {}
        if self.stop_loss is not None:
            arguments["stop_loss"] = grid.price(self.stop_loss, up=side < 0)
        if self.stop_loss_trail is not None:
            arguments["stop_loss_trail_ticks"] = grid.price(self.stop_loss_trail, up=True)
        if self.take_profit is not None:
            arguments["take_profit"] = grid.price(self.take_profit, up=side > 0)
        return arguments


@dataclass(frozen=True, kw_only=True)
class Terms(Exits):
    """The terms of one order; :meth:`Strategy.buy` says what each one means."""

    quantity: float | None = None
    cash: float | None = None
    fraction: float | None = None
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    touch: float | None = None
    good_till: str | int | datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    display: float | None = None

    @property
    def is_of_replay(self) -> bool:
        """Whether only a replay knows such an order."""
        return self.touch is not None or self.post_only or self.reduce_only or self.display is not None

    def arguments(self, grid: Grid, side: int, share: float = 1.0) -> dict[str, Any]:
        """The engine's arguments; an order without a size is for a ``share`` of equity."""
        arguments = super().arguments(grid, side) | self._size(grid, share) | self._prices(grid, side)
        if self.good_till in ("day", "ioc", "fok"):
            arguments["time_in_force"] = self.good_till
        elif self.good_till is not None:
            arguments |= {"time_in_force": "gtd", "expire_ns": _time_ns(self.good_till)}
        if self.is_of_replay:
            arguments |= {"post_only": self.post_only, "reduce_only": self.reduce_only}
        if self.display is not None:
            arguments["display"] = grid.lots(self.display)
        return arguments

    def _size(self, grid: Grid, share: float) -> dict[str, Any]:
        if sum(size is not None for size in (self.quantity, self.cash, self.fraction)) > 1:
            raise UsageError("an order has one size: a quantity, cash or a fraction")
        if self.quantity is not None:
            return {"size_kind": "quantity", "size": grid.lots(self.quantity)}
        if self.cash is not None:
            return {"size_kind": "cash", "size": int(number("cash", self.cash) * 1e9) * 10**9}
        return {"size_kind": "fraction", "size": rate(share if self.fraction is None else self.fraction)}

    def _prices(self, grid: Grid, side: int) -> dict[str, Any]:
        limit, stop = self.limit, self.stop
        if self.touch is not None:
            if not (self.trail is None and limit is None and stop is None):
                raise UsageError("an order that waits to be touched takes no limit, no stop and no trail")
            return {"kind": "market_if_touched", "stop": grid.price(self.touch, up=side < 0)}
        if self.trail is not None:
            if not (limit is None and stop is None):
                raise UsageError("a trailing stop takes no limit and no stop")
            return {"kind": "trailing_stop", "trail_ticks": grid.price(self.trail, up=True)}
        prices: dict[str, Any] = {}
        if limit is not None:
            prices |= {"kind": "limit", "limit": grid.price(limit, up=side < 0)}
        if stop is not None:
            prices |= {"kind": "stop" if limit is None else "stop_limit", "stop": grid.price(stop, up=side > 0)}
        return prices


def number(name: str, value: float) -> float:
    """A finite number; UsageError for what an indicator is before it is warm."""
    if not math.isfinite(value):
        raise UsageError(f"the {name} of an order is {value}; indicators are NaN until they are warm: wait for that")
    return value


def rate(fraction: float) -> int:
    """A fraction in parts per billion."""
    # Towards zero, so that equal shares never add up to more than the whole; the half unit absorbs float noise.
    return math.trunc(number("fraction", fraction) * _PPB + math.copysign(1e-4, fraction))


def _steps(step: Step, value: float, *, up: bool) -> int:
    raw: float = value * 10**step.decimals / step.mantissa
    nearest = round(raw)
    if abs(raw - nearest) <= 1e-9 * max(1.0, abs(raw)):
        return nearest
    return math.ceil(raw) if up else math.floor(raw)


def _time_ns(moment: str | int | datetime) -> int:
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        raise UsageError(f'good_till is "day", "ioc", "fok", UTC nanoseconds or a datetime, not {moment!r}')
    if moment.tzinfo is None:
        raise UsageError("good_till needs a datetime with a time zone")
    return int(moment.timestamp() * 1_000_000) * 1_000
