"""Bars of one instrument as exact integer columns: the form in which the engine reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from neural_trader.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    Column = np.ndarray[Any, np.dtype[np.int64]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

DECIMALS_MAX = 9
"""The most decimals that a tick or lot may have: so is one tick times one lot exact money."""


class Step(NamedTuple):
    """An exact decimal step, ``mantissa / 10**decimals``: the tick of a price or the lot of a quantity."""

    mantissa: int
    decimals: int

    @classmethod
    def of(cls, value: Step | Decimal | str | float | int, name: str = "step") -> Step:
        """The step written as ``value``: ``"0.25"``, ``0.25`` and ``Decimal("0.25")`` are the same step."""
        if isinstance(value, Step):
            return value
        try:
            decimal = Decimal(str(value).strip())
        except InvalidOperation:
            raise DataError(f"{name} {value!r} is not a decimal number; write it like 0.01") from None
        if not decimal.is_finite() or decimal <= 0:
            raise DataError(f"{name} {value} must be above zero; write it like 0.01")
        decimal = decimal.normalize()
        exponent = int(decimal.as_tuple().exponent)
        if -exponent > DECIMALS_MAX:
            raise DataError(f"{name} {value} has more than {DECIMALS_MAX} decimals; choose a coarser one")
        decimals = max(0, -exponent)
        mantissa = int(decimal.scaleb(decimals))
        if mantissa >= 2**53:
            raise DataError(f"{name} {value} is too large; choose a smaller one")
        return cls(mantissa, decimals)

    def __str__(self) -> str:
        if self.decimals == 0:
            return str(self.mantissa)
        digits = str(self.mantissa).rjust(self.decimals + 1, "0")
        return f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"

    def value_of(self, counts: Any) -> Any:
        """The decimal value of a count of steps (number or array): the nearest float while counts stay below 2**53."""
        return counts * self.mantissa / 10**self.decimals


class Series(Protocol):
    """Bars of one instrument wherever they are: in memory, or in files that are read piece by piece."""

    @property
    def symbol(self) -> str: ...
    @property
    def tick(self) -> Step: ...
    @property
    def lot(self) -> Step: ...
    @property
    def origin(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def interval_ns(self) -> int: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    def __len__(self) -> int: ...
    def pieces(self) -> Iterator[Bars]: ...
    def marks(self) -> Iterator[Bars]: ...
    def whole(self) -> Bars: ...
    def empty(self) -> Bars: ...


@dataclass(frozen=True, eq=False, repr=False)
class Bars:
    """Bars of one instrument; prices in ticks, volume in lots, times in UTC nanoseconds.

    All columns are contiguous int64 arrays of one length; ``open_ns < close_ns <= open_ns of the next bar``.
    """

    symbol: str
    tick: Step
    lot: Step
    open_ns: Column
    close_ns: Column
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column | None = None
    spread: Column | None = None
    """Ask minus bid over the bar in ticks, where the source knows it."""
    origin: Literal["synthetic", "file", "memory"] = "memory"
    source: str = ""
    interval_ns: int = 0
    """The usual distance between bars: the most frequent one."""
    notes: tuple[str, ...] = ()
    """What was recognised, inferred or rounded on the way in, one sentence each."""

    def __len__(self) -> int:
        return len(self.open_ns)

    def __repr__(self) -> str:
        from neural_trader.market.times import interval_text, time_text

        span = f", {time_text(self.open_ns[0])} to {time_text(self.close_ns[-1])}" if len(self) else ""
        every = f" every {interval_text(self.interval_ns)}" if self.interval_ns else ""
        return f"Bars({self.symbol}: {len(self)} bars{every}{span}, tick {self.tick}, lot {self.lot}, {self.origin})"

    def rows(self, first: int, last: int) -> Bars:
        """The bars from ``first`` up to, not including, ``last``, without a copy."""

        def cut(column: Column | None) -> Column | None:
            return None if column is None else column[first:last]

        return replace(
            self,
            open_ns=self.open_ns[first:last],
            close_ns=self.close_ns[first:last],
            open=self.open[first:last],
            high=self.high[first:last],
            low=self.low[first:last],
            close=self.close[first:last],
            volume=cut(self.volume),
            spread=cut(self.spread),
        )

    @property
    def start_ns(self) -> int:
        """When the first bar opens."""
        return int(self.open_ns[0])

    @property
    def end_ns(self) -> int:
        """When the last bar closes."""
        return int(self.close_ns[-1])

    def pieces(self) -> Iterator[Bars]:
        """All bars in one piece."""
        yield self

    def marks(self) -> Iterator[Bars]:
        """The same; of bars in files only what the value of an account is read off."""
        yield self

    def whole(self) -> Bars:
        """These bars."""
        return self

    def empty(self) -> Bars:
        """The same instrument without bars."""
        return self.rows(0, 0)

    def _prices(self, column: Column) -> Floats:
        prices: Floats = self.tick.value_of(column)
        return prices

    @property
    def open_price(self) -> Floats:
        return self._prices(self.open)

    @property
    def high_price(self) -> Floats:
        return self._prices(self.high)

    @property
    def low_price(self) -> Floats:
        return self._prices(self.low)

    @property
    def close_price(self) -> Floats:
        return self._prices(self.close)

    @property
    def volume_units(self) -> Floats | None:
        if self.volume is None:
            return None
        units: Floats = self.lot.value_of(self.volume)
        return units
