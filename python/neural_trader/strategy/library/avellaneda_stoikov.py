"""Market making against one's own inventory.

Source: M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008).
With the middle price s, the inventory q, the risk aversion gamma, the variance sigma^2 of the middle in a second, the
seconds T - t that are left, and market orders that reach a distance d from the middle at a rate of A * exp(-k * d):

reservation price r = s - q * gamma * sigma^2 * (T - t)

spread from bid to ask = gamma * sigma^2 * (T - t) + (2 / gamma) * ln(1 + gamma / k)

Distances are in basis points of the middle here, and q counts quotes, so that one gamma and one k do for every market.
Three things are not from the paper. T - t is a constant, the time for which a position is feared, because a market that
never closes has no T. sigma^2 is an exponential average of squared changes of the middle, of the past of the session
alone. And the maker's fee c widens each side by c: a fill at distance d earns d - c, so the best distance lies c
further out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neural_trader.baseline.elementary import logarithm
from neural_trader.strategy import Fill, Order, Strategy

ENOUGH = 0.4
"""Weight of the changes seen from which on their variance is trusted."""


@dataclass(slots=True)
class _Quote:
    """The order of one side, from when it is sent until the venue has said that it is over."""

    order: int
    price: float
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
    middle: float | None = None
    variance: float = 0.0
    """Weighted sum of squared changes per second, in square basis points."""
    weight: float = 0.0
    """Sum of the weights; it goes to 1."""
    quotes: dict[int, _Quote] = field(default_factory=dict)
    """By their side."""


class AvellanedaStoikov(Strategy):
    """Quote both sides, wider the more restless the market is, and lean against the inventory."""

    gamma: float = 0.02
    """Risk aversion, per basis point and quote held."""
    k: float = 1.0
    """How fast fills get rarer with the distance from the middle, per basis point."""
    horizon: float = 30.0
    """Seconds for which a position is feared: T - t."""
    memory: float = 30.0
    """Mean age, in seconds, of what the variance is made of; the first quotes wait for half of that."""
    fee: float = 2.0
    """What a maker pays, in basis points."""
    fraction: float = 0.005
    """Worth of one quote as a fraction of the cash at the beginning; at least a lot."""
    size: float = 0.0
    """Units of one quote, in place of the fraction."""
    limit: int = 5
    """How many quotes may be held, long or short."""
    every_ms: int = 100
    """Milliseconds from one look at the market to the next."""
    tolerance: float = 0.5
    """Basis points by which a price may be off before the quote is moved and loses its place."""

    def on_start(self) -> None:
        if not (self.gamma > 0 and self.k > 0):
            raise ValueError(f"avellaneda_stoikov: gamma ({self.gamma}) and k ({self.k}) must be positive")
        if not (self.horizon >= 0 and self.memory > 0 and self.tolerance >= 0):
            raise ValueError("avellaneda_stoikov: horizon and tolerance must be at least 0, memory positive")
        if not (self.fraction > 0 and self.size >= 0 and self.limit >= 1 and self.every_ms >= 1):
            raise ValueError("avellaneda_stoikov: fraction, limit and every_ms must be positive, size at least 0")
        self.stake = self.fraction * self.cash
        self.seconds = self.every_ms / 1000
        self.decay = self.memory / (self.memory + self.seconds)
        # The logarithm that is the same on every machine.
        self.flow_spread = 2 / self.gamma * logarithm(1 + self.gamma / self.k)
        self.markets = {symbol: _Market(self.tick(symbol), self.lot(symbol)) for symbol in self.symbols}
        self.set_timer(after_ns=self.every_ms * 1_000_000)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=self.every_ms * 1_000_000)
        for symbol, market in self.markets.items():
            bid, ask = self.best_bid(symbol), self.best_ask(symbol)
            if bid < ask:
                self._learn(market, (bid + ask) / 2)
                if market.weight >= ENOUGH:
                    self._quote(symbol, market, bid, ask)
            else:
                # No book, or none that can be: what rests there has a price of the past.
                market.middle = None
                for side in (1, -1):
                    self._withdraw(market.quotes.get(side))

    def _learn(self, market: _Market, middle: float) -> None:
        if market.middle is not None:
            change = (middle - market.middle) / market.middle * 10_000
            market.variance = self.decay * market.variance + (1 - self.decay) * (change * change / self.seconds)
            market.weight = self.decay * market.weight + (1 - self.decay)
        market.middle = middle

    def _quote(self, symbol: str, market: _Market, bid: float, ask: float) -> None:
        middle = (bid + ask) / 2
        market.unit = market.unit or max(1, int((self.size or self.stake / middle) / market.lot))
        held = round(self.position(symbol) / market.lot)
        risk = self.gamma * (market.variance / market.weight) * self.horizon
        lean = held / market.unit * risk
        half = (risk + self.flow_spread) / 2 + self.fee
        tolerance = self.tolerance / 10_000 * middle
        for side in (1, -1):
            wanted = middle * (1 - (lean + side * half) / 10_000)
            # At most as good as the best price: one that crosses would not rest.
            price = min(wanted, bid) if side > 0 else max(wanted, ask)
            quote = market.quotes.get(side)
            if quote is None:
                # Nothing of this side is on its way, so the limit holds whatever fills.
                lots = min(market.unit, self.limit * market.unit - side * held)
                if lots > 0 and price >= market.tick:
                    send = self.buy if side > 0 else self.sell
                    order = send(lots * market.lot, limit=price, post_only=True, symbol=symbol)
                    market.quotes[side] = _Quote(order, price, lots, lots)
            elif price < market.tick:
                self._withdraw(quote)
            elif not quote.is_cancelled and abs(price - quote.price) > tolerance:
                # A change, since a new order could fill beside an old one whose cancellation comes too late.
                self.amend(quote.order, limit=price, quantity=quote.lots * market.lot)
                quote.price = price

    def _withdraw(self, quote: _Quote | None) -> None:
        if quote is not None and not quote.is_cancelled:
            self.cancel(quote.order)
            quote.is_cancelled = True

    def on_fill(self, fill: Fill) -> None:
        market = self.markets[fill.symbol]
        quote = market.quotes.get(fill.side)
        if quote is not None and quote.order == fill.order:
            quote.leaves -= round(fill.quantity / market.lot)
            if quote.leaves <= 0:
                del market.quotes[fill.side]

    def on_order(self, order: Order) -> None:
        quotes = self.markets[order.symbol].quotes
        if order.event == "ended" and order.side in quotes and quotes[order.side].order == order.id:
            del quotes[order.side]

    def native(self) -> tuple[str, tuple[float, ...]]:
        return "run_avellaneda_stoikov", (
            *(self.every_ms * 1_000_000, self.seconds, self.stake, self.size, self.gamma, self.horizon, self.decay),
            *(ENOUGH, self.flow_spread, self.fee, self.limit, self.tolerance),
        )
