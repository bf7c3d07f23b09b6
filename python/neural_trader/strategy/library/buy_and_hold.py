"""Buy and hold.

Source: the yardstick of every strategy; W. F. Sharpe, "The Arithmetic of Active Management", Financial Analysts Journal
47 (1991).
"""

from __future__ import annotations

from neural_trader.strategy import Bar, Strategy


class BuyAndHold(Strategy):
    """Buy equal shares at the first bar and keep them."""

    def on_start(self) -> None:
        self.bought: set[str] = set()

    def on_bar(self, bar: Bar) -> None:
        if bar.symbol not in self.bought:
            self.bought.add(bar.symbol)
            self.target(self.share)

    def native(self) -> tuple[str, tuple[int, ...]]:
        return "run_buy_and_hold", (1_000_000_000 // len(self.symbols),)
