"""Reversion after an extreme of the relative strength index.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), for the index and its levels 30 and 70; the
exit at the middle is the usual one of mean-reversion systems (L. Connors and C. Alvarez, Short Term Trading Strategies
That Work, 2008).
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class RsiReversion(Strategy):
    """Buy when the RSI is low, leave when it has recovered."""

    n: int = 14
    """Bars of the index."""
    low: float = 30.0
    """Buy below this level."""
    high: float = 70.0
    """Sell short above this level, if short is on."""
    middle: float = 50.0
    """Leave when the index has come back across this level."""
    short: bool = False

    def on_start(self) -> None:
        if not 0 < self.low < self.middle < self.high < 100:
            levels = f"low ({self.low}), middle ({self.middle}) and high ({self.high})"
            raise ValueError(f"rsi_reversion: {levels} must ascend between 0 and 100")
        self.strength = self.rsi(self.n)

    def on_bar(self, bar: Bar) -> None:
        strength = self.strength.value
        held = self.position()
        # While the index warms up it is NaN, and no comparison with NaN is true.
        if strength < self.low:
            if held <= 0:
                self.target(self.share)
        elif strength > self.high:
            if self.short and held >= 0:
                self.target(-self.share)
            elif held > 0:
                self.target(0.0)
        elif (held > 0 and strength > self.middle) or (held < 0 and strength < self.middle):
            self.target(0.0)
