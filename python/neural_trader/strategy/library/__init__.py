"""The strategies that come with the package, one readable file each; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from neural_trader.strategy.base import Strategy


class Entry(NamedTuple):
    """One row of the library: where a strategy lives, and what it does in one line."""

    module: str
    class_name: str
    line: str
    world: Literal["bars", "replays"] = "bars"
    """What it decides on: bars of ``backtest``, or recorded books and trades of ``replay``."""


LIBRARY: dict[str, Entry] = {
    "avellaneda_stoikov": Entry(
        "avellaneda_stoikov",
        "AvellanedaStoikov",
        "Quote both sides, wider the more restless the market is, and lean against the inventory.",
        "replays",
    ),
    "bollinger_breakout": Entry(
        "bollinger_breakout", "BollingerBreakout", "Buy a close above the upper Bollinger band, leave at the middle."
    ),
    "buy_and_hold": Entry("buy_and_hold", "BuyAndHold", "Buy equal shares at the first bar and keep them."),
    "cross_sectional_momentum": Entry(
        "cross_sectional_momentum",
        "CrossSectionalMomentum",
        "Hold the strongest of a universe, ranked by momentum, in equal weights.",
    ),
    "donchian_turtle": Entry(
        "donchian_turtle",
        "DonchianTurtle",
        "Buy a 20-bar breakout sized by risk, stop 2 N away, leave at the 10-bar low.",
    ),
    "grid": Entry(
        "grid",
        "Grid",
        "Bid and offer at even steps around a slow average, and sell each purchase one step above.",
        "replays",
    ),
    "imbalance_taker": Entry(
        "imbalance_taker",
        "ImbalanceTaker",
        "Take the side on which less rests, leave after a time or when the book leans the other way.",
        "replays",
    ),
    "macd_momentum": Entry(
        "macd_momentum", "MacdMomentum", "Buy when the MACD crosses its signal upwards in a rising market."
    ),
    "memory_momentum": Entry(
        "memory_momentum",
        "MemoryMomentum",
        "Follow momentum, scaled by what came of the most similar decisions before.",
    ),
    "relative_strength": Entry(
        "relative_strength",
        "RelativeStrength",
        "Hold the strongest of a universe in equal weights, as a formula that sweeps play at once.",
    ),
    "rsi_reversion": Entry("rsi_reversion", "RsiReversion", "Buy when the RSI is low, leave when it has recovered."),
    "sma_cross": Entry("sma_cross", "SmaCross", "Be in the market while a fast average is above a slow one."),
    "twap": Entry(
        "twap",
        "Twap",
        "Execute a quantity in equal slices: each rests at the best price first, and takes what is left at its end.",
        "replays",
    ),
    "vwap": Entry(
        "vwap",
        "Vwap",
        "Execute a quantity in slices as large as the volume expected of them, resting first and taking at the end.",
        "replays",
    ),
}
"""Name -> where it lives; the name is what the command line, ``backtest`` and ``replay`` take."""


def load(name: str) -> type[Strategy]:
    """The class of a library strategy; KeyError for a name that is not in :data:`LIBRARY`."""
    entry = LIBRARY[name]
    module = importlib.import_module(f"{__name__}.{entry.module}")
    strategy: type[Strategy] = getattr(module, entry.class_name)
    return strategy


def __getattr__(name: str) -> Any:
    """``from neural_trader.strategy.library import SmaCross`` imports one file, not all of them."""
    for key, entry in LIBRARY.items():
        if name == entry.class_name:
            return load(key)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *(entry.class_name for entry in LIBRARY.values())])
