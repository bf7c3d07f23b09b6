"""Relative strength across a universe.

Source: N. Jegadeesh and S. Titman, "Returns to Buying Winners and Selling Losers: Implications for Stock Market
Efficiency", Journal of Finance 48 (1993). With daily bars, 252 / 21 / 21 is their twelve-month ranking that leaves out
the last month, renewed monthly.
"""

from __future__ import annotations

import math

from neural_trader.strategy import Bar, Strategy


class CrossSectionalMomentum(Strategy):
    """Hold the strongest of a universe, ranked by momentum, in equal weights."""

    n: int = 252
    """Bars back to where the ranking begins."""
    skip: int = 21
    """Latest bars that the ranking leaves out."""
    hold: int = 3
    """How many instruments are held, and sold short if short is on."""
    every: int = 21
    """Close times from one ranking to the next."""
    short: bool = False
    """Sell the weakest short; each side then has half of the equity."""

    def on_start(self) -> None:
        if not 0 <= self.skip < self.n:
            raise ValueError(f"cross_sectional_momentum: skip ({self.skip}) must be at least 0 and below n ({self.n})")
        if self.every < 1:
            raise ValueError(f"cross_sectional_momentum: every ({self.every}) must be at least 1")
        held = self.hold * (2 if self.short else 1)
        if not self.hold >= 1 or held > len(self.symbols):
            wanted = f"hold ({self.hold}) {'on each side ' if self.short else ''}"
            raise ValueError(
                f"cross_sectional_momentum: {wanted}must be at least 1 and fit the {len(self.symbols)} instruments"
            )
        self.strength = self.momentum(self.n, self.skip)
        self.waited = 0

    def on_bar(self, bar: Bar) -> None:
        """Nothing: a rank exists only when every instrument of the moment has closed."""

    def on_moment(self, time_ns: int) -> None:
        ranked = sorted(
            (symbol for symbol in self.symbols if not math.isnan(self.strength[symbol])),
            # Equal strengths stand in the order of their symbols.
            key=lambda symbol: -self.strength[symbol],
        )
        if len(ranked) < self.hold * (2 if self.short else 1):
            return
        self.waited -= 1
        if self.waited > 0:
            return
        self.waited = self.every
        sides = 2 if self.short else 1
        weight = 1.0 / (self.hold * sides)
        wanted = dict.fromkeys(self.symbols, 0.0)
        wanted.update(dict.fromkeys(ranked[: self.hold], weight))
        if self.short:
            wanted.update(dict.fromkeys(ranked[-self.hold :], -weight))
        for symbol, fraction in wanted.items():
            if fraction or self.position(symbol):
                self.target(fraction, symbol=symbol)
