"""Breakout from the Bollinger bands.

Source: John Bollinger, Bollinger on Bollinger Bands (2001), Method I, volatility breakout; the bands are the mean of 20
closes plus and minus two population standard deviations.
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class BollingerBreakout(Strategy):
    """Buy a close above the upper Bollinger band, leave at the middle."""

    n: int = 20
    """Bars of the mean and of the deviation."""
    width: float = 2.0
    """Distance of the bands from the mean in standard deviations."""
    short: bool = False
    """Sell short below the lower band."""

    def on_start(self) -> None:
        if self.n < 2:
            raise ValueError(f"bollinger_breakout: n ({self.n}) must be at least 2")
        if not self.width > 0:
            raise ValueError(f"bollinger_breakout: width ({self.width}) must be positive")
        self.mean = self.sma(self.n)
        self.spread = self.deviation(self.n)

    def on_bar(self, bar: Bar) -> None:
        close = bar.close
        mean = self.mean.value
        reach = self.width * self.spread.value
        if close > mean + reach:
            if self.position() <= 0:
                self.target(self.share)
        elif self.short and close < mean - reach:
            if self.position() >= 0:
                self.target(-self.share)
        elif close < mean:
            if self.position() > 0:
                self.target(0.0)
        elif self.short and close > mean and self.position() < 0:
            self.target(0.0)
