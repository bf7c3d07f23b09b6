"""Moving-average cross.

Source: W. Brock, J. Lakonishok and B. LeBaron, "Simple Technical Trading Rules and the Stochastic Properties of Stock
Returns", Journal of Finance 47 (1992), the variable-length moving average.
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class SmaCross(Strategy):
    """Be in the market while a fast average is above a slow one."""

    fast: int = 50
    """Bars of the fast average."""
    slow: int = 200
    """Bars of the slow average."""
    short: bool = False
    """Sell short on the cross downwards instead of only leaving."""

    def on_start(self) -> None:
        if not 1 <= self.fast < self.slow:
            raise ValueError(f"sma_cross: fast ({self.fast}) must be at least 1 and below slow ({self.slow})")
        self.fast_average = self.sma(self.fast)
        self.slow_average = self.sma(self.slow)

    def on_bar(self, bar: Bar) -> None:
        if self.fast_average.crosses_above(self.slow_average):
            self.target(self.share)
        elif self.fast_average.crosses_below(self.slow_average):
            self.target(-self.share if self.short else 0.0)

    def native(self) -> tuple[str, tuple[int, ...]]:
        share = 1_000_000_000 // len(self.symbols)
        return "run_sma_cross", (self.fast, self.slow, share, -share if self.short else 0)
