"""Seeded random bars in ticks and lots, and the parameters that the feature tests draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neural_trader.baseline.indicators import Bar

Column = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Market:
    """Columns as the engine holds them."""

    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @classmethod
    def of(cls, start: int, changes: Column, above: Column, below: Column, volume: Column) -> Market:
        """Bars that open at the last close, move by ``changes``, and reach beyond by ``above`` and ``below``."""
        close = np.maximum(start + np.cumsum(changes), 1)
        opened = np.concatenate([[start], close[:-1]]).astype(np.int64)
        high = np.maximum(opened, close) + above
        low = np.maximum(np.minimum(opened, close) - below, 1)
        return cls(opened, high.astype(np.int64), low.astype(np.int64), close.astype(np.int64), volume.astype(np.int64))

    @classmethod
    def seeded(cls, seed: int, size: int = 300) -> Market:
        """A market whose price level and restlessness are themselves drawn from the seed, jumps and pauses included."""
        draw = np.random.default_rng(seed)
        start = int(10 ** draw.uniform(0.5, 9.0))
        pace = max(1, int(start * 10 ** draw.uniform(-4.0, -1.0)))
        changes = draw.integers(-pace, pace + 1, size)
        changes[draw.random(size) < 0.1] = 0
        changes[draw.random(size) < 0.01] *= 20
        reach = draw.integers(0, pace + 1, (2, size))
        return cls.of(start, changes, reach[0], reach[1], draw.integers(0, 10**6, size))

    @property
    def columns(self) -> tuple[Column, Column, Column, Column]:
        return self.open, self.high, self.low, self.close

    def bars(self) -> list[Bar]:
        table = np.stack([*self.columns, self.volume]).astype(float).T
        return [Bar(*row) for row in table.tolist()]


def drawn_parameters(draw: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """Valid parameters for every feature."""
    n = int(draw.integers(2, 40))
    more = int(draw.integers(1, 20))
    skip = int(draw.integers(0, n))
    single = ("atr", "deviation", "ema", "highest", "lowest", "rsi", "sma", "volatility", "volume_mean")
    one: dict[str, tuple[int, ...]] = dict.fromkeys(single, (n,))
    return one | {"macd": (n, n + more), "macd_signal": (n, n + more, more), "momentum": (n, skip)}
