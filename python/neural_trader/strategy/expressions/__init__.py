"""Strategies as formulas: ``nt.close.sma(10).crosses_above(nt.close.sma(50))``; docs/expressions.md has their words."""

from __future__ import annotations

from neural_trader.strategy.expressions.roles import Formula
from neural_trader.strategy.expressions.series import Expression, OfBars, Outputs, P, Series, Signal, field
from neural_trader.strategy.expressions.strategy import FormulaStrategy, formula, of_file, parse_formula

open = field("open")  # noqa: A001
"""First price of each bar."""
high = field("high")
"""Highest price of each bar."""
low = field("low")
"""Lowest price of each bar."""
close = field("close")
"""Last price of each bar."""
volume = field("volume")
"""Quantity traded in each bar; not known where the data has none."""
bars = OfBars()
"""Features of bars by their names."""
share = Series("share")
"""The equal share of equity of one instrument: one over their number."""
bars_per_year = Series("bars_per_year")
"""Bars in a year of 365.25 days at the usual distance between bars."""


def atr(n: int | P) -> Series:
    """Wilder's average true range."""
    made: Series = bars.atr(n)
    return made


def volatility_target(annual: float | P, window: int | P = 20, most: float | P = 1.0) -> Series:
    """The fraction of equity whose volatility is ``annual``, from that of the last bars; at most ``most``.

    ``annual / (volatility(window) * sqrt(bars_per_year))``; ``size=volatility_target(0.15)`` holds more in a calm.
    """
    volatility: Series = close.volatility(window)
    return (annual / (volatility * bars_per_year.sqrt())).smaller(most)


__all__ = [
    "Expression",
    "Formula",
    "FormulaStrategy",
    "Outputs",
    "P",
    "Series",
    "Signal",
    "atr",
    "bars",
    "bars_per_year",
    "close",
    "formula",
    "high",
    "low",
    "of_file",
    "open",
    "parse_formula",
    "share",
    "volatility_target",
    "volume",
]
