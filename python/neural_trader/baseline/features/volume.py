"""How much was traded, and at what price."""

from __future__ import annotations

from neural_trader.baseline.features.average import Vwma


class Total:
    """A sum that goes on for ever, with what rounding took off it (Neumaier)."""

    def __init__(self) -> None:
        self.sum = self.lost = 0.0

    def add(self, value: float) -> float:
        total = self.sum + value
        larger, smaller = (self.sum, value) if abs(self.sum) >= abs(value) else (value, self.sum)
        self.lost += (larger - total) + smaller
        self.sum = total
        return total + self.lost


class Obv:
    """The sum of volumes, each with the sign of the change of the close; the first counts as a rise."""

    def __init__(self) -> None:
        self.total = Total()
        self.close: float | None = None

    def update(self, close: float, volume: float) -> float:
        before, self.close = self.close, close
        if before is None or close > before:
            return self.total.add(volume)
        return self.total.add(-volume if close < before else 0.0)


class Accumulation:
    """The sum of ``volume ((close - low) - (high - close)) / (high - low)``; a bar without a range adds nothing."""

    def __init__(self) -> None:
        self.total = Total()

    def update(self, high: float, low: float, close: float, volume: float) -> float:
        share = ((close - low) - (high - close)) / (high - low) if high > low else 0.0
        return self.total.add(share * volume)


class Vwap:
    """``sum(p v) / sum(v)`` of typical prices ``p = (high + low + close) / 3``."""

    def __init__(self, n: int) -> None:
        self.mean = Vwma(n)

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        return self.mean.update((high + low + close) / 3.0, volume)


class AnchoredVwap:
    """``sum(x v) / sum(v)`` since the anchor was last other than 0, its own row included."""

    def __init__(self) -> None:
        self.products, self.weights = Total(), Total()

    def update(self, value: float, volume: float, anchor: float) -> float | None:
        if anchor != 0.0:
            self.products, self.weights = Total(), Total()
        products, weights = self.products.add(value * volume), self.weights.add(volume)
        return products / weights if weights != 0.0 else None
