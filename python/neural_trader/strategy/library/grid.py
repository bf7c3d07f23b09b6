"""A ladder of orders around a slow average.

Source: the practice of grid trading, of which no paper is the origin; A. Taranto and S. Khan, "Bi-directional grid
absorption barrier constrained stochastic processes with applications in finance and investment", Risk Governance and
Control 10 (2020), describe it. With the centre c, a step of d basis points and h quotes held, the ladder has

bids at c * (1 - (h + i) * d / 10,000), offers at c * (1 - (h - i) * d / 10,000), for i from 1 to the number of rungs

so what was bought on one rung is offered on the next one above it. The step has to pay the fees of a purchase and a
sale. It earns while prices come back, and holds all that it may while they run away: the limit is what it can lose by.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neural_trader.strategy import Fill, Order, Strategy


@dataclass(slots=True)
class _Rung:
    """An order, from when it is sent until the venue has said that it is over."""

    order: int
    side: int
    step: int
    """Steps from the centre."""
    centre: float
    lots: int
    leaves: int
    is_cancelled: bool = False


@dataclass(slots=True)
class _Market:
    """What is known of one instrument."""

    tick: float
    lot: float
    unit: int = 0
    """Lots of one quote."""
    average: float = 0.0
    centre: float = 0.0
    """What the ladder stands around: the average as it was when the ladder was last moved."""
    held: int = 0
    """Whole quotes held; part of one more or less does not count yet."""
    rungs: list[_Rung] = field(default_factory=list)


class Grid(Strategy):
    """Bid and offer at even steps around a slow average, and sell each purchase one step above."""

    step: float = 6.0
    """Basis points from one rung to the next."""
    rungs: int = 3
    """Rungs on each side."""
    memory: float = 300.0
    """Mean age, in seconds, of the average; the ladder moves when it is a step away."""
    fraction: float = 0.005
    """Worth of one quote as a fraction of the cash at the beginning; at least a lot."""
    size: float = 0.0
    """Units of one quote, in place of the fraction."""
    limit: int = 5
    """How many quotes may be held, long or short."""
    every_ms: int = 100
    """Milliseconds from one look at the market to the next."""

    def on_start(self) -> None:
        if not (0 < self.step < 10_000 and self.memory >= 0):
            raise ValueError(f"grid: step ({self.step}) must be positive, memory ({self.memory}) at least 0")
        if not (self.fraction > 0 and self.size >= 0 and min(self.rungs, self.limit, self.every_ms) >= 1):
            raise ValueError("grid: fraction, rungs, limit and every_ms must be positive, size at least 0")
        self.stake = self.fraction * self.cash
        self.weight = self.every_ms / (self.memory * 1000 + self.every_ms)
        self.markets = {symbol: _Market(self.tick(symbol), self.lot(symbol)) for symbol in self.symbols}
        self.set_timer(after_ns=self.every_ms * 1_000_000)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=self.every_ms * 1_000_000)
        for symbol, market in self.markets.items():
            bid, ask = self.best_bid(symbol), self.best_ask(symbol)
            if bid < ask:
                self._look(symbol, market, (bid + ask) / 2)
                self._withdraw(market)
                for side in (1, -1):
                    for i in range(1, self.rungs + 1):
                        self._place(symbol, market, side, -market.held - side * i, bid if side > 0 else ask)

    def _look(self, symbol: str, market: _Market, middle: float) -> None:
        if market.centre == 0:
            market.unit = max(1, int((self.size or self.stake / middle) / market.lot))
            market.average = market.centre = middle
        market.average += self.weight * (middle - market.average)
        if abs(market.average - market.centre) >= market.centre * self.step / 10_000:
            market.centre = market.average
        beyond = round(self.position(symbol) / market.lot) - market.held * market.unit
        if abs(beyond) >= market.unit:
            market.held += beyond // market.unit if beyond > 0 else -(-beyond // market.unit)

    def _withdraw(self, market: _Market) -> None:
        """Cancel what stands on rungs that the inventory has moved away from."""
        for rung in market.rungs:
            distance = -rung.side * (rung.step + market.held)
            if not 1 <= distance <= self.rungs and not rung.is_cancelled:
                self.cancel(rung.order)
                rung.is_cancelled = True

    def _place(self, symbol: str, market: _Market, side: int, step: int, best: float) -> None:
        price = market.centre * (1 + step * self.step / 10_000)
        if price < market.tick or side * (price - best) > 0:
            return
        rung = next((rung for rung in market.rungs if (rung.side, rung.step) == (side, step)), None)
        if rung is not None:
            if rung.centre != market.centre and not rung.is_cancelled:
                self.amend(rung.order, limit=price, quantity=rung.lots * market.lot)
                rung.centre = market.centre
            return
        # All that may still fill counts, also what waits for its cancellation: the limit holds whatever happens.
        working = sum(rung.leaves for rung in market.rungs if rung.side == side)
        held = round(self.position(symbol) / market.lot)
        lots = min(market.unit, self.limit * market.unit - side * held - working)
        if lots > 0:
            send = self.buy if side > 0 else self.sell
            order = send(lots * market.lot, limit=price, post_only=True, symbol=symbol)
            market.rungs.append(_Rung(order, side, step, market.centre, lots, lots))

    def on_fill(self, fill: Fill) -> None:
        market = self.markets[fill.symbol]
        for rung in market.rungs:
            if rung.order == fill.order:
                rung.leaves -= round(fill.quantity / market.lot)
        market.rungs = [rung for rung in market.rungs if rung.leaves > 0]

    def on_order(self, order: Order) -> None:
        if order.event == "ended":
            market = self.markets[order.symbol]
            market.rungs = [rung for rung in market.rungs if rung.order != order.id]

    def native(self) -> tuple[str, tuple[float, ...]]:
        every_ns = self.every_ms * 1_000_000
        return "run_grid", (every_ns, self.stake, self.size, self.step, self.rungs, self.weight, self.limit)
