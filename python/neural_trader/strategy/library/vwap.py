"""Executing a quantity along with the volume of the market.

Source: S. A. Berkowitz, D. E. Logue and E. A. Noser, "The total cost of transactions on the NYSE", Journal of Finance
43 (1988), have the volume-weighted average price as what an execution is measured by; H. Konishi, "Optimal slice of a
VWAP trade", Journal of Financial Markets 5 (2002), comes nearest to it with slices in proportion to expected volume.
With the quantity Q and the volumes v of a given curve, of which V is the sum,

due after slice i = Q * (v_1 + ... + v_i) / V

Without a curve the volume expected of a slice is that of the slice before, and of each after it the mean of all that
have passed, so the slice gets its part of what is not due yet; the first gets an equal one. Forecasts made while
trading are the idea of J. Bialkowski, S. Darolles and G. Le Fol, "Improving VWAP strategies: a dynamic volume
approach", Journal of Banking & Finance 32 (2008), whose model needs many days and is not used here.
"""

from __future__ import annotations

from itertools import accumulate

from neural_trader.strategy import Tick
from neural_trader.strategy.library.twap import Twap


class Vwap(Twap):
    """Execute a quantity in slices as large as the volume expected of them, resting first and taking at the end."""

    curve: str = ""
    """Relative volumes of the slices, as in 3,2,1,1,2; without them volume is measured as the session goes."""

    def on_start(self) -> None:
        try:
            volumes = [float(volume) for volume in self.curve.split(",")] if self.curve else []
        except ValueError:
            raise ValueError(f"vwap: curve is a list of numbers, as in 3,2,1,1,2, not {self.curve!r}") from None
        if volumes:
            if not all(0 <= volume < float("inf") for volume in volumes) or not sum(volumes):
                raise ValueError(f"vwap: the volumes of curve ({self.curve}) are at least 0, not all of them 0")
            self.slices = len(volumes)
        self.cumulated = list(accumulate(volumes))
        self.seen: list[float] = []
        """Volumes of the slices that have passed."""
        self.volume = 0.0
        """Of the present slice."""
        super().on_start()

    def on_trade(self, trade: Tick) -> None:
        if self.slice >= 0:
            self.volume += trade.quantity

    def schedule(self, at: int) -> int:
        if at == self.slices - 1:
            return self.total
        if self.cumulated:
            return int(self.total * self.cumulated[at] / self.cumulated[-1])
        if at:
            self.seen.append(self.volume)
            self.volume = 0.0
        mean = sum(self.seen) / at if at else 0.0
        if mean == 0:
            return self.total * (at + 1) // self.slices
        rest = self.seen[-1] + (self.slices - at - 1) * mean
        return self.due + int((self.total - self.due) * self.seen[-1] / rest)
