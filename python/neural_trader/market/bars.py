"""Bars of one instrument as exact integer columns: the form in which the engine reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Column = np.ndarray[Any, np.dtype[np.int64]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]


class Step(NamedTuple):
    """An exact decimal step, ``mantissa / 10**decimals``: the tick of a price or the lot of a quantity."""

    mantissa: int
    decimals: int

    def __str__(self) -> str:
        if self.decimals == 0:
            return str(self.mantissa)
        digits = str(self.mantissa).rjust(self.decimals + 1, "0")
        return f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"

    def value_of(self, counts: Any) -> Any:
        """The decimal value of a count of steps (number or array) as the nearest float, when counts stay below 2**53."""
        return counts * self.mantissa / 10**self.decimals


@dataclass(frozen=True, eq=False)
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

    @property
    def open_price(self) -> Floats:
        return self.tick.value_of(self.open)

    @property
    def high_price(self) -> Floats:
        return self.tick.value_of(self.high)

    @property
    def low_price(self) -> Floats:
        return self.tick.value_of(self.low)

    @property
    def close_price(self) -> Floats:
        return self.tick.value_of(self.close)

    @property
    def volume_units(self) -> Floats | None:
        return None if self.volume is None else self.lot.value_of(self.volume)
