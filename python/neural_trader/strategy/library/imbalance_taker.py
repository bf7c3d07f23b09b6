"""Taking where the book leans.

Source: M. D. Gould and J. Bonart, "Queue imbalance as a one-tick-ahead price predictor in a limit order book", Market
Microstructure and Liquidity 2 (2016); R. Cont, A. Kukanov and S. Stoikov, "The price impact of order book events",
Journal of Financial Econometrics 12 (2014), have the changes of these queues as what moves prices. With B and A the
quantities of the best levels of bids and asks:

imbalance = (B - A) / (B + A), between -1 and 1

The forecast is right more often than not, and worth less than a tick: whoever takes pays the spread and the taker's fee
twice, so it nearly always loses. It is here to show what a signal costs to trade.
"""

from __future__ import annotations

from dataclasses import dataclass

from neural_trader.strategy import Fill, Order, Strategy


@dataclass(slots=True)
class _Market:
    """What is known of one instrument."""

    lot: float
    order: int = 0
    """The order that is on its way, or 0."""
    leaves: int = 0
    """Its lots that have not filled."""
    entered_ns: int = 0


class ImbalanceTaker(Strategy):
    """Take the side on which less rests, leave after a time or when the book leans the other way."""

    depth: int = 5
    """Best levels of each side that count."""
    threshold: float = 0.6
    """Imbalance from which on it takes."""
    hold: float = 5.0
    """Seconds after which it leaves at the latest, with the next change of the book."""
    fraction: float = 0.005
    """Worth of a position as a fraction of the cash at the beginning; at least a lot."""
    size: float = 0.0
    """Units of a position, in place of the fraction."""

    def on_start(self) -> None:
        if self.depth < 1 or not 0 < self.threshold <= 1:
            raise ValueError(
                f"imbalance_taker: depth ({self.depth}) must be at least 1, threshold ({self.threshold}) above 0 and "
                "at most 1"
            )
        if not (self.hold >= 0 and self.fraction > 0 and self.size >= 0):
            raise ValueError("imbalance_taker: fraction must be positive, hold and size at least 0")
        self.stake = self.fraction * self.cash
        self.markets = {symbol: _Market(self.lot(symbol)) for symbol in self.symbols}

    def on_book(self, symbol: str) -> None:
        market = self.markets[symbol]
        if market.order:
            return
        bids, asks = (self.levels(side, self.depth, symbol) for side in (1, -1))
        if not bids or not asks:
            return
        bid_size, ask_size = (sum(quantity for _, quantity in side) for side in (bids, asks))
        imbalance = (bid_size - ask_size) / (bid_size + ask_size)
        held = round(self.position(symbol) / market.lot)
        if held == 0:
            if abs(imbalance) >= self.threshold:
                middle = (bids[0][0] + asks[0][0]) / 2
                lots = max(1, int((self.size or self.stake / middle) / market.lot))
                market.entered_ns = self.now_ns
                self._take(symbol, market, lots if imbalance > 0 else -lots, asks if imbalance > 0 else bids)
        elif self.now_ns - market.entered_ns >= self.hold * 1e9 or held * imbalance < 0:
            self._take(symbol, market, -held, bids if held > 0 else asks)

    def _take(self, symbol: str, market: _Market, lots: int, levels: list[tuple[float, float]]) -> None:
        """Take what the best level of the other side has; the next change of the book may ask for the rest."""
        send = self.buy if lots > 0 else self.sell
        market.order = send(abs(lots) * market.lot, limit=levels[0][0], good_till="ioc", symbol=symbol)
        market.leaves = abs(lots)

    def on_fill(self, fill: Fill) -> None:
        market = self.markets[fill.symbol]
        if market.order == fill.order:
            market.leaves -= round(fill.quantity / market.lot)
            if market.leaves <= 0:
                market.order = 0

    def on_order(self, order: Order) -> None:
        market = self.markets[order.symbol]
        if order.event == "ended" and market.order == order.id:
            market.order = 0
