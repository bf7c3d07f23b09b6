"""MACD cross in the direction of the trend.

Source: Gerald Appel, The Moving Average Convergence-Divergence Method (1979) and Technical Analysis: Power Tools for
Active Investors (2005): buy on the cross above the signal line, with the long-term trend.
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class MacdMomentum(Strategy):
    """Buy when the MACD crosses its signal upwards in a rising market."""

    fast: int = 12
    """Bars of the fast average of the line."""
    slow: int = 26
    """Bars of the slow average of the line."""
    signal: int = 9
    """Bars of the average of the line."""
    trend: int = 200
    """Bars of the average that says which way the market goes."""
    short: bool = False
    """Sell short on the cross downwards in a falling market."""

    def on_start(self) -> None:
        if not 1 <= self.fast < self.slow:
            raise ValueError(f"macd_momentum: fast ({self.fast}) must be at least 1 and below slow ({self.slow})")
        if self.signal < 1 or self.trend < 1:
            raise ValueError(f"macd_momentum: signal ({self.signal}) and trend ({self.trend}) must be at least 1")
        self.line, self.average_line, _ = self.macd(self.fast, self.slow, self.signal)
        self.trend_average = self.ema(self.trend)

    def on_bar(self, bar: Bar) -> None:
        if self.line.crosses_above(self.average_line):
            if bar.close > self.trend_average.value:
                self.target(self.share)
            elif self.position() < 0:
                self.target(0.0)
        elif self.line.crosses_below(self.average_line):
            if self.short and bar.close < self.trend_average.value:
                self.target(-self.share)
            elif self.position() > 0:
                self.target(0.0)
