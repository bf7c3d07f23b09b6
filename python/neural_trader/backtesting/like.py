"""The rules of other backtesters: which there are, what they take for granted, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from neural_trader.config import PEERS, near
from neural_trader.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from neural_trader.backtesting.settings import Settings
    from neural_trader.market.bars import Bars, Series

OPTIONS: dict[str, tuple[str, ...]] = {
    "backtesting.py": ("exclusive_orders", "finalize_trades", "trade_on_close"),
    "vectorbt": (),
}
"""Options by their names in the packages, as in ``like="backtesting.py:exclusive_orders,trade_on_close"``."""

_GROWTH = 1_000
"""Room for equity to grow before sizes on the finest lot leave 64 bits."""


@dataclass(frozen=True)
class Like:
    """The rules of a package, with those of its options that are switched on."""

    name: str
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | Like) -> Like:
        """Rules from ``"vectorbt"`` or ``"backtesting.py:exclusive_orders,trade_on_close"``."""
        if isinstance(given, Like):
            return given
        name, colon, rest = str(given).partition(":")
        if name not in OPTIONS:
            raise ConfigError(f"like {given!r}: unknown engine{near(name, OPTIONS)}; known: {', '.join(OPTIONS)}")
        options = sorted({option.strip() for option in rest.split(",")}) if colon else []
        for option in options:
            if option not in OPTIONS[name]:
                known = f"it has {', '.join(OPTIONS[name])}" if OPTIONS[name] else "it has none"
                raise ConfigError(
                    f"like {given!r}: {name} has no option {option!r}{near(option, OPTIONS[name])}; {known}"
                )
        return cls(name, tuple(options))

    def __str__(self) -> str:
        return f"{self.name}:{','.join(self.options)}" if self.options else self.name

    @property
    def conventions(self) -> dict[str, Any]:
        """The settings that the package takes for granted."""
        return PEERS[self.name]

    def imposed(self, settings: Settings) -> Settings:
        """The settings with what the options mean in them; ConfigError where the package knows no such thing."""
        if "trade_on_close" in self.options:
            settings = replace(settings, fill="close")
        if "finalize_trades" in self.options:
            settings = replace(settings, close_at_end=True)
        for is_known, what in (_demands_of_backtesting_py if self.name == "backtesting.py" else _demands_of_vectorbt)(
            settings
        ):
            if not is_known:
                raise ConfigError(f"like {self.name}: {what}")
        return settings

    def engine_arguments(self) -> dict[str, Any]:
        """The engine's keyword arguments."""
        return {"like": self.name, "exclusive_orders": "exclusive_orders" in self.options}

    def fitted(self, bars: Sequence[Series], cash: Decimal) -> tuple[Bars, ...]:
        """The bars as these rules need them: one instrument in memory, and under vectorbt a grid as fine as floats."""
        if len(bars) != 1:
            symbols = ", ".join(each.symbol for each in bars)
            raise ConfigError(
                f"like {self.name}: one instrument per run, not {len(bars)} ({symbols}); choose with symbols"
            )
        if self.name == "backtesting.py":
            lot = bars[0].lot
            if 10**lot.decimals % lot.mantissa:
                raise ConfigError(f"like {self.name}: it trades whole units, and lots of {lot} do not make up one")
            return (bars[0].whole(),)
        return (_on_fine_grid(bars[0].whole(), cash),)


def _demands_of_backtesting_py(settings: Settings) -> list[tuple[bool, str]]:
    return [
        (str(settings.slippage) == "none", "its fills have no slippage; set slippage to 0"),
        (settings.fee.maker == settings.fee.taker, "it has one commission for makers and takers"),
        (10 * settings.fee.taker < 1, "its commission stays below 10 %"),
        (settings.leverage >= 1, "its margin is at most 1, so leverage is at least 1"),
        (settings.limit == "touch", "its limit orders fill when prices touch them"),
        (settings.volume_cap is None, "it has no volume cap"),
    ]


def _demands_of_vectorbt(settings: Settings) -> list[tuple[bool, str]]:
    slips_by_rate = not settings.slippage.ticks and not settings.slippage.spread
    return [
        (settings.fill == "close", 'signals fill at the close that they were decided on; set fill to "close"'),
        (slips_by_rate, "slippage is a rate of the price"),
        (settings.fee.maker == settings.fee.taker, "it has one fee for makers and takers"),
        (settings.leverage == 1, "it has no leverage"),
        (settings.limit == "touch", "targets fill when prices touch them"),
        (settings.volume_cap is None, "it has no volume cap"),
        (not settings.close_at_end, "it leaves positions open at the end"),
    ]


def _on_fine_grid(bars: Bars, cash: Decimal) -> Bars:
    """The same bars on so fine a grid that rounding to it stays at the level of floats, as far as 64 bits allow."""
    import numpy as np

    if not len(bars):
        return bars
    highest, lowest = float(bars.high_price.max()), float(bars.low_price.min())
    volume = bars.volume_units
    units = max(float(cash) / lowest * _GROWTH, 0.0 if volume is None else float(np.max(volume)))
    tick = _refined(bars.tick, highest, 2.0**53)
    lot = _refined(bars.lot, units, 2.0**62)
    ticks = _ratio(bars.tick, tick)
    columns = {name: getattr(bars, name) * ticks for name in ("open", "high", "low", "close")}
    if bars.spread is not None:
        columns["spread"] = bars.spread * ticks
    if bars.volume is not None:
        columns["volume"] = bars.volume * _ratio(bars.lot, lot)
    note = f"Prices are counted in {tick} and sizes in {lot}, close to the floats of vectorbt."
    return replace(bars, tick=tick, lot=lot, notes=(*bars.notes, note), **columns)


def _refined(step: Any, largest: float, room: float) -> Any:
    """The finest step of at most nine decimals by which the largest value counts to less than the room."""
    for decimals in range(9, step.decimals, -1):
        if largest * 10.0**decimals < room:
            return type(step)(1, decimals)
    return step


def _ratio(coarse: Any, fine: Any) -> int:
    """How many fine steps make up a coarse one."""
    return int(coarse.mantissa * 10 ** (fine.decimals - coarse.decimals) // fine.mantissa)
