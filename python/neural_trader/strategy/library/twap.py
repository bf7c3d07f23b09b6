"""Executing a quantity evenly over time.

Source: D. Bertsimas and A. W. Lo, "Optimal control of execution costs", Journal of Financial Markets 1 (1998): where
prices walk at random and each trade moves them in proportion to its size, equal slices cost least. In R. Almgren and
N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2001), they are what a trader does who
minds no risk. With the quantity Q and n slices,

due after slice i = Q * i / n

What it cost is told by the implementation shortfall of A. F. Perold, "The implementation shortfall: paper versus
reality", Journal of Portfolio Management 14 (1988): with the middle price M when it began, fills of q at p, and a side
of 1 (buy) or -1 (sell),

shortfall = side * (sum(q * p) / sum(q) / M - 1), in basis points, fees apart

It is reported at the end, with the slices that were begun and the part of the quantity that filled at rest.
"""

from __future__ import annotations

import math
from typing import Any

from neural_trader.strategy import Fill, Order, Strategy


class Twap(Strategy):
    """Execute a quantity in equal slices: each rests at the best price first, and takes what is left at its end."""

    side: str = "buy"
    """What to do with the quantity: buy or sell."""
    fraction: float = 0.2
    """Worth of the whole as a fraction of the cash at the beginning; at least a lot."""
    quantity: float = 0.0
    """Units of the whole, in place of the fraction."""
    horizon: float = 300.0
    """Seconds that it may take."""
    slices: int = 10
    """Parts that the horizon is cut into."""
    passive: float = 0.8
    """Part of each slice for which its order rests; what is left then takes."""
    reach: float = 5.0
    """Basis points beyond the best price up to which it takes."""
    every_ms: int = 250
    """Milliseconds from one look at the market to the next."""

    def on_start(self) -> None:
        if self.side not in ("buy", "sell") or len(self.symbols) != 1:
            raise ValueError(f"twap: side ({self.side!r}) is buy or sell, and a run has one instrument: --symbols")
        if not (self.fraction > 0 and self.quantity >= 0 and self.horizon > 0 and self.reach >= 0):
            raise ValueError("twap: fraction and horizon must be positive, quantity and reach at least 0")
        if self.slices < 1 or self.every_ms < 1 or not 0 <= self.passive <= 1:
            raise ValueError("twap: slices and every_ms must be at least 1, passive between 0 and 1")
        (self.symbol,) = self.symbols
        self.sign = 1 if self.side == "buy" else -1
        self.arrival = math.nan
        """Middle price when it began."""
        self.began_ns = 0
        self.slice = -1
        self.total = self.due = self.done = 0
        """Lots: all, those that the schedule wants by the end of this slice, and those that have filled."""
        self.passively = 0
        """Lots of them that filled at rest."""
        self.paid = 0.0
        """Quantity times price of the fills."""
        self.order = self.sent = self.leaves = 0
        """The order that is on its way or rests, or 0; its lots, and those of them that have not filled."""
        self.quoted = 0.0
        self.rests = self.is_cancelled = False
        self.set_timer(after_ns=self.every_ms * 1_000_000)

    def on_timer(self, time_ns: int) -> None:
        if self.total and self.done >= self.total:
            return
        self.set_timer(after_ns=self.every_ms * 1_000_000)
        bid, ask = self.best_bid(self.symbol), self.best_ask(self.symbol)
        if not bid < ask:
            self._withdraw()
            return
        if not self.total:
            self._begin(time_ns, (bid + ask) / 2)
        elapsed = (time_ns - self.began_ns) / 1e9 / self.horizon * self.slices
        while self.slice + 1 <= min(elapsed, self.slices - 1):
            self.slice += 1
            self.due = min(self.total, max(self.due, self.schedule(self.slice)))
        own, other = (bid, ask) if self.sign > 0 else (ask, bid)
        if elapsed - self.slice < self.passive:
            self._rest(own)
        else:
            self._take(other)

    def schedule(self, at: int) -> int:
        """Lots that shall have filled by the end of a slice; asked for as it begins."""
        return self.total * (at + 1) // self.slices

    def _begin(self, time_ns: int, middle: float) -> None:
        wanted = self.quantity or self.fraction * self.cash / middle
        self.total = max(1, round(wanted / self.lot(self.symbol)))
        self.began_ns, self.arrival = time_ns, middle

    def _rest(self, best: float) -> None:
        if self.order and self.rests:
            if self.quoted != best and not self.is_cancelled:
                self.amend(self.order, limit=best, quantity=self.sent * self.lot(self.symbol))
                self.quoted = best
        elif not self.order:
            self._child(best, rests=True)

    def _take(self, best: float) -> None:
        # One order at a time, so that no more than the whole can fill whatever is on its way.
        if self.order and self.rests:
            self._withdraw()
        elif not self.order:
            self._child(best * (1 + self.sign * self.reach / 10_000), rests=False)

    def _child(self, price: float, *, rests: bool) -> None:
        missing = self.due - self.done
        if missing <= 0 or price < self.tick(self.symbol):
            return
        send = self.buy if self.sign > 0 else self.sell
        terms = {"post_only": True} if rests else {"good_till": "ioc"}
        self.order = send(missing * self.lot(self.symbol), limit=price, symbol=self.symbol, **terms)
        self.sent = self.leaves = missing
        self.quoted, self.rests, self.is_cancelled = price, rests, False

    def _withdraw(self) -> None:
        if self.order and self.rests and not self.is_cancelled:
            self.cancel(self.order)
            self.is_cancelled = True

    def on_fill(self, fill: Fill) -> None:
        lots = round(fill.quantity / self.lot(self.symbol))
        self.done += lots
        self.passively += lots if fill.maker else 0
        self.paid += fill.quantity * fill.price
        self.leaves -= lots
        if self.leaves <= 0:
            self.order = 0

    def on_order(self, order: Order) -> None:
        if order.event == "ended" and order.id == self.order:
            self.order = 0

    def report(self) -> dict[str, Any]:
        lot = self.lot(self.symbol)
        return {
            "quantity": self.total * lot,
            "done": self.done * lot,
            "slices": self.slices,
            "slices begun": self.slice + 1,
            "arrival price": self.arrival,
            "shortfall [bps]": self.shortfall,
            "filled at rest [%]": 100 * self.passively / self.done if self.done else None,
        }

    @property
    def shortfall(self) -> float:
        """What the fills cost against the price at the beginning, in basis points; NaN without a fill."""
        filled = self.done * self.lot(self.symbol)
        return self.sign * (self.paid / filled / self.arrival - 1) * 10_000 if self.done else math.nan
