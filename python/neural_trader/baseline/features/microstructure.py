"""What quotes and trades say: pressure, the price of trading, and who knows more."""

from __future__ import annotations

import math

from neural_trader.baseline.elementary import exponential
from neural_trader.baseline.features.pair import Cross
from neural_trader.baseline.features.returns import log_ratio
from neural_trader.baseline.features.window import Window


class Microprice:
    """``(bid ask_size + ask bid_size) / (bid_size + ask_size)``, taken from the bid."""

    def update(self, bid: float, ask: float, bid_size: float, ask_size: float) -> float | None:
        size = bid_size + ask_size
        return bid + (ask - bid) * (bid_size / size) if size > 0.0 else None


class Imbalance:
    """``(bid_size - ask_size) / (bid_size + ask_size)``."""

    def update(self, bid_size: float, ask_size: float) -> float | None:
        size = bid_size + ask_size
        return (bid_size - ask_size) / size if size > 0.0 else None


class OrderFlowImbalance:
    """The sum of ``n`` flows, bids less asks.

    The flow of a side whose price got better is its size, of one that got worse less the size before, otherwise the
    difference.
    """

    def __init__(self, n: int) -> None:
        self.last: tuple[float, float, float, float] | None = None
        self.window: Window[float] = Window(n)

    def update(self, bid: float, ask: float, bid_size: float, ask_size: float) -> float | None:
        last, self.last = self.last, (bid, ask, bid_size, ask_size)
        if last is None:
            return None
        bids = (bid_size if bid >= last[0] else 0.0) - (last[2] if bid <= last[0] else 0.0)
        asks = (ask_size if ask <= last[1] else 0.0) - (last[3] if ask >= last[1] else 0.0)
        return self.window.total(lambda flow: flow) if self.window.push(bids - asks) else None


class TradeImbalance:
    """``sum(side quantity) / sum(quantity)`` of the last ``n`` trades."""

    def __init__(self, n: int) -> None:
        self.window: Window[tuple[float, float]] = Window(n)

    def update(self, quantity: float, side: float) -> float | None:
        if not self.window.push((side * quantity, quantity)):
            return None
        gross = self.window.total(lambda pair: pair[1])
        return self.window.total(lambda pair: pair[0]) / gross if gross > 0.0 else None


class Vpin:
    """The mean of ``|bought - sold| / bucket`` over the last ``n`` buckets; trades are cut at the borders of buckets.

    Of the buckets that one trade fills alone, only the last ``n`` count.
    """

    def __init__(self, bucket: float, n: int) -> None:
        self.bucket = float(bucket)
        self.filled = self.net = 0.0
        self.window: Window[float] = Window(n)
        self.value: float | None = None

    def update(self, quantity: float, side: float) -> float | None:
        room = self.bucket - self.filled
        if quantity < room:
            self.filled += quantity
            self.net += side * quantity
            return self.value
        self._close(self.net + side * room)
        more = (quantity - room) / self.bucket
        for _ in range(int(min(more, self.window.n))):
            self._close(side * self.bucket)
        # As in Rust, whole numbers end at 2**64.
        rest = quantity - room - float(int(min(more, 2.0**64))) * self.bucket
        self.filled = rest if 0.0 < rest < self.bucket else 0.0
        self.net = side * self.filled
        return self.value

    def _close(self, net: float) -> None:
        if self.window.push(abs(net) / self.bucket):
            self.value = self.window.total(lambda share: share) / self.window.n


class KyleLambda:
    """The slope of price changes on signed volume ``side quantity``, over the last ``n`` trades."""

    def __init__(self, n: int) -> None:
        self.price: float | None = None
        self.pairs = Cross(n)

    def update(self, price: float, quantity: float, side: float) -> float | None:
        before, self.price = self.price, price
        if before is None or not self.pairs.push((price - before, side * quantity)):
            return None
        return self.pairs.slope


class RollSpread:
    """``2 sqrt(-cov(d[t], d[t-1]))`` of the last ``n`` such pairs of changes ``d``; 0 where it is positive."""

    def __init__(self, n: int) -> None:
        self.value: float | None = None
        self.change: float | None = None
        self.pairs = Cross(n)

    def update(self, value: float) -> float | None:
        last, self.value = self.value, value
        if last is None:
            return None
        before, self.change = self.change, value - last
        if before is None or not self.pairs.push((self.change, before)):
            return None
        return 2.0 * math.sqrt(max(-self.pairs.covariance, 0.0))


class CorwinSchultz:
    """The mean of ``2 (e**a - 1) / (1 + e**a)`` over the last ``n`` pairs of bars, negative ones as 0.

    With ``b = ln(h1/l1)**2 + ln(h2/l2)**2`` and ``g = ln(max(h1, h2) / min(l1, l2))**2`` of a pair,
    ``a = (sqrt(2 b) - sqrt(b)) / (3 - 2 sqrt(2)) - sqrt(g / (3 - 2 sqrt(2)))``.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.bar: tuple[float, float] | None = None
        self.window: Window[float] = Window(n)

    def update(self, high: float, low: float) -> float | None:
        before, self.bar = self.bar, (high, low)
        spread = None if before is None else self.of_pair(*before, high, low)
        if spread is None:
            self.window = Window(self.n)
            return None
        return self.window.total(lambda each: each) / self.n if self.window.push(spread) else None

    @staticmethod
    def of_pair(first_high: float, first_low: float, high: float, low: float) -> float | None:
        first, second = log_ratio(first_high, first_low), log_ratio(high, low)
        both = log_ratio(max(first_high, high), min(first_low, low))
        if first is None or second is None or both is None:
            return None
        squares = first * first + second * second
        divisor = 3.0 - 2.0 * math.sqrt(2.0)
        a = (math.sqrt(2.0 * squares) - math.sqrt(squares)) / divisor - math.sqrt(both * both / divisor)
        power = exponential(a)
        return max(2.0 * (power - 1.0) / (1.0 + power), 0.0)


class Amihud:
    """The mean of ``|x[t] / x[t-1] - 1| / (x[t] volume)`` over the last ``n`` bars.

    A bar without turnover begins the window anew.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.close: float | None = None
        self.window: Window[float] = Window(n)

    def update(self, close: float, volume: float) -> float | None:
        before, self.close = self.close, close
        turnover = close * volume
        if before is None or before <= 0.0 or turnover <= 0.0:
            self.window = Window(self.n)
            return None
        if not self.window.push(abs(close / before - 1.0) / turnover):
            return None
        return self.window.total(lambda cost: cost) / self.n
