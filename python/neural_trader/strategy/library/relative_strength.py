"""Relative strength across a universe, as a formula; where no bar is missing, with the orders of its class.

Source: N. Jegadeesh and S. Titman, "Returns to Buying Winners and Selling Losers: Implications for Stock Market
Efficiency", Journal of Finance 48 (1993). The class is ``cross_sectional_momentum``, which counts times at which bars
close where the formula counts bars of each instrument. A formula is swept in Rust, many points at once.
"""

from __future__ import annotations

from neural_trader.strategy.expressions import Formula, FormulaStrategy, P, close

_strength = close.momentum(P("n", 252), P("skip", 21))
_hold = P("hold", 3)


class RelativeStrength(FormulaStrategy):
    """Hold the strongest of a universe in equal weights, as a formula that sweeps play at once."""

    n: int = 252
    """Bars back to where the ranking begins."""
    skip: int = 21
    """Latest bars that the ranking leaves out."""
    hold: int = 3
    """How many instruments are held."""
    every: int = 21
    """Bars from one ranking to the next."""

    formula = Formula.of(
        "RelativeStrength",
        target=_strength.top_across(_hold).choose(1 / _hold, 0),
        when=(_strength.count_across() >= _hold).every(P("every", 21)),
    )
