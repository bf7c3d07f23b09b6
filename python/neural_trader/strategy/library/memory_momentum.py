"""Do again what worked in like situations.

Source: A. Aamodt and E. Plaza, "Case-Based Reasoning", AI Communications 7 (1994). A new
decision is made from the outcomes of the old ones that were most like it. Here the decisions are those of a plain
breakout of momentum, and memory says which of them to leave out, and how much to put into the others.
"""

from __future__ import annotations

import math
from typing import ClassVar

from neural_trader.errors import UsageError
from neural_trader.strategy import Bar, Strategy


class MemoryMomentum(Strategy):
    """Follow momentum, scaled by what came of the most similar decisions before."""

    remembers: ClassVar[bool] = True
    n: int = 48
    """Bars of the momentum that is followed."""
    hold: int = 24
    """Bars for which a position is held."""
    k: int = 25
    """Decisions that are recalled."""
    least: int = 60
    """Decisions that must have ended before memory has a say; before that, every signal is followed in full."""
    confidence: float = 1.5
    """Standard errors of the recalled gains above or below zero at which the size is one whole share, or nothing."""

    def on_start(self) -> None:
        if self.k < 2 or self.n < 1 or self.hold < 1 or self.confidence <= 0:
            raise UsageError("memory_momentum: k must be at least 2, n and hold at least 1, confidence positive")
        self.strength = self.momentum(self.n)
        self.left: dict[str, int] = {}

    def on_bar(self, bar: Bar) -> None:
        if bar.symbol in self.left:
            self.left[bar.symbol] -= 1
            if self.left[bar.symbol] <= 0:
                del self.left[bar.symbol]
                self.target(0.0, reason="held long enough")
            return
        before, now = self.strength.previous, self.strength.value
        if not (before <= 0 < now) or self.position() != 0:
            return
        scale = self.scale()
        if scale > 0:
            self.left[bar.symbol] = self.hold
            self.target(self.share * scale, reason=f"momentum turned up, scale {scale:.2f}")

    def scale(self) -> float:
        """From 0 to 1: how far the gains of like decisions speak for this one."""
        found = self.recall(self.k)
        if found.searched < self.least or len(found) < 2:
            return 1.0
        gains, weights = found.gains, found.weights
        mean = found.expected_gain
        total = float(weights.sum())
        variance = float((weights * (gains - mean) ** 2).sum()) / total
        # The weights make some cards count for more; Kish's number says how many equal ones they are worth.
        worth = total * total / float((weights * weights).sum())
        if variance <= 0:
            return 1.0 if mean > 0 else 0.0
        sureness = mean / math.sqrt(variance / worth)
        return min(1.0, max(0.0, 0.5 + sureness / (2 * self.confidence)))
