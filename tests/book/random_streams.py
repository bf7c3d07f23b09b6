"""Seeded level updates of a market that wanders and leaps, with levels near it and far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Stream:
    """Updates as columns, and where events end."""

    side: NDArray[np.int8]
    price: NDArray[np.int64]
    quantity: NDArray[np.int64]
    ends: NDArray[np.int64]

    @staticmethod
    def seeded(seed: int, size: int, *, quantity_max: int = 50, level: int = 1_000_000, leaps: float = 0.002) -> Stream:
        random = np.random.default_rng(seed)
        market = level + np.cumsum(random.integers(-2, 3, size) + (random.random(size) < leaps) * 20_000)
        side = random.choice(np.array([1, -1], dtype=np.int8), size)
        reach = random.choice([3, 12, 300, 40_000], size, p=[0.4, 0.4, 0.15, 0.05])
        # A few levels come to lie on the wrong side of the market: crossed books are part of the definition.
        price = market - side * (random.integers(0, reach) - 1)
        quantity = np.where(random.random(size) < 0.45, 0, random.integers(1, quantity_max, size))
        ends = np.unique(np.append(random.integers(0, size, size // 2), size))
        return Stream(side, price.astype(np.int64), quantity.astype(np.int64), ends.astype(np.int64))

    def rows(self) -> list[tuple[int, int, int]]:
        return list(zip(self.side.tolist(), self.price.tolist(), self.quantity.tolist(), strict=True))
