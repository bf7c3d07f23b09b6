"""How two series move together."""

from __future__ import annotations

import math

from neural_trader.baseline.features.window import Window


class Cross(Window[tuple[float, float]]):
    """The last ``n`` pairs, and ``n**2`` times their population variances and covariance, from the pivots."""

    def spreads(self) -> tuple[float, float, float]:
        n, (a, b) = self.n, self.pivot
        x, y = self.total(lambda pair: pair[0] - a), self.total(lambda pair: pair[1] - b)
        xx = self.total(lambda pair: (pair[0] - a) * (pair[0] - a))
        yy = self.total(lambda pair: (pair[1] - b) * (pair[1] - b))
        xy = self.total(lambda pair: (pair[0] - a) * (pair[1] - b))
        return max(n * xx - x * x, 0.0), max(n * yy - y * y, 0.0), n * xy - x * y

    @property
    def correlation(self) -> float | None:
        """Pearson's correlation, from -1 to 1; none where one side is constant."""
        x, y, both = self.spreads()
        return min(max(both / (math.sqrt(x) * math.sqrt(y)), -1.0), 1.0) if x > 0.0 and y > 0.0 else None

    @property
    def slope(self) -> float | None:
        """The slope of the first on the second; none where the second is constant."""
        _, y, both = self.spreads()
        return both / y if y > 0.0 else None

    @property
    def covariance(self) -> float:
        """The covariance with divisor ``n - 1``."""
        return self.spreads()[2] / (self.n * (self.n - 1.0))


class Beta:
    """``cov(x, y) / var(y)``."""

    def __init__(self, n: int) -> None:
        self.pairs = Cross(n)

    def update(self, x: float, y: float) -> float | None:
        return self.pairs.slope if self.pairs.push((x, y)) else None


class Correlation:
    """``cov(x, y) / sqrt(var(x) var(y))``."""

    def __init__(self, n: int) -> None:
        self.pairs = Cross(n)

    def update(self, x: float, y: float) -> float | None:
        return self.pairs.correlation if self.pairs.push((x, y)) else None


class Covariance:
    """``sum((x - mean(x)) (y - mean(y))) / (n - 1)``."""

    def __init__(self, n: int) -> None:
        self.pairs = Cross(n)

    def update(self, x: float, y: float) -> float | None:
        return self.pairs.covariance if self.pairs.push((x, y)) else None
