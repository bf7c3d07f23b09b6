"""The Turtles' breakout, System 1, one unit per market.

Source: Richard Dennis and William Eckhardt, 1983, as published by Curtis Faith, The Original Turtle Trading Rules
(2003). N is the average true range of 20 bars. A unit is sized so that a move of N changes equity by one percent, the
stop stands 2 N from the close that decided the entry. Decisions are taken at the close; the Turtles bought during the
day, added up to three more units, and skipped a signal after a winner. None of that is done here.
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class DonchianTurtle(Strategy):
    """Buy a 20-bar breakout sized by risk, stop 2 N away, leave at the 10-bar low."""

    entry: int = 20
    """Bars of the channel whose break opens a position."""
    exit: int = 10
    """Bars of the channel whose break closes it."""
    n: int = 20
    """Bars of the average true range N."""
    stop: float = 2.0
    """Distance of the stop in N."""
    risk: float = 0.01
    """Fraction of equity that a move of one N wins or loses; no position is larger than the instrument's share."""
    short: bool = False
    """Sell short below the lower channel."""

    def on_start(self) -> None:
        if not 1 <= self.exit <= self.entry:
            raise ValueError(f"donchian_turtle: exit ({self.exit}) must be at least 1 and at most entry ({self.entry})")
        if not self.stop > 0:
            raise ValueError(f"donchian_turtle: stop ({self.stop}) must be positive")
        if not 0 < self.risk < 1:
            raise ValueError(f"donchian_turtle: risk ({self.risk}) must be between 0 and 1")
        self.top = self.highest(self.entry)
        self.bottom = self.lowest(self.entry)
        self.exit_top = self.highest(self.exit)
        self.exit_bottom = self.lowest(self.exit)
        self.range = self.atr(self.n)

    def on_bar(self, bar: Bar) -> None:
        # The channels of the bars before this one; a close cannot be above a high that it belongs to.
        held = self.position()
        if (held > 0 and bar.close < self.exit_bottom.previous) or (held < 0 and bar.close > self.exit_top.previous):
            self.target(0.0)
        elif held == 0 and bar.close > self.top.previous:
            self.enter(bar, 1)
        elif held == 0 and self.short and bar.close < self.bottom.previous:
            self.enter(bar, -1)

    def enter(self, bar: Bar, direction: int) -> None:
        """Open one unit with its stop, once N is known."""
        average_range = self.range.value
        if not average_range > 0:
            return
        size = min(self.share, self.risk * bar.close / average_range)
        stop = bar.close - direction * self.stop * average_range
        # A short stop always exists; a long one may lie below zero in a wild market, and is then no stop.
        self.target(direction * size, stop_loss=stop if stop > 0 else None)
