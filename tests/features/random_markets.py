"""Seeded random columns for the inputs of any feature, and parameters drawn from the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neural_trader._native import feature_columns, feature_warmup
from neural_trader.features.table import Kind, table

Column = np.ndarray[Any, np.dtype[np.float64]]
LONGEST = 40


@dataclass(frozen=True)
class Market:
    """Columns by the names of inputs."""

    columns: dict[str, Column]

    @classmethod
    def of(cls, changes: Column, reach: Column, volume: Column, start: float) -> Market:
        """Bars that open at the last close, move by ``changes``, and reach beyond by ``reach``."""
        close = np.maximum(start + np.cumsum(changes), 1.0)
        opened = np.concatenate([[start], close[:-1]])
        high = np.maximum(opened, close) + reach[0]
        low = np.maximum(np.minimum(opened, close) - reach[1], 1.0)
        time = 1.6e18 + 300e9 * np.arange(len(close))
        return cls({"open": opened, "high": high, "low": low, "close": close, "volume": volume, "time": time})

    @classmethod
    def seeded(cls, seed: int, size: int = 300, *, whole: bool = True) -> Market:
        """A market whose price level and restlessness are themselves drawn from the seed, jumps and pauses included.

        Counts of ticks and lots where ``whole``, otherwise floats of any digits.
        """
        draw = np.random.default_rng(seed)
        start = int(10 ** draw.uniform(0.5, 9.0))
        pace = max(1, int(start * 10 ** draw.uniform(-4.0, -1.0)))
        changes = draw.integers(-pace, pace + 1, size).astype(float)
        changes[draw.random(size) < 0.1] = 0
        changes[draw.random(size) < 0.01] *= 20
        reach = draw.integers(0, pace + 1, (2, size)).astype(float)
        volume = draw.integers(0, 10**6, size).astype(float)
        market = cls.of(changes, reach, volume, float(start))
        # Bars of one length, but for some that are missing: from minutes to hours.
        steps = np.cumsum(draw.choice([1.0, 2.0, 50.0], size, p=[0.9, 0.08, 0.02]))
        market.columns["time"] = 1.6e18 + 60e9 * int(draw.integers(1, 200)) * steps
        return market if whole else market.scaled(float(np.pi) * 1e-3, float(np.pi) * 1e-3)

    def inputs(self, kind: Kind) -> list[Column]:
        """The columns that a feature reads."""
        return [self.columns[name if name in self.columns else str(field)] for name, field in kind.inputs]

    def with_quotes(self, draw: np.random.Generator) -> Market:
        """The same with the inputs that bars do not have: quotes around the close, sides of trades, anchors."""
        close = self.columns["close"]
        size = len(close)
        step = close.min() / 16
        more = {
            "x": np.diff(close, prepend=close[0]),
            "y": np.diff(self.columns["open"], prepend=close[0]) + draw.integers(-9, 10, size),
            "bid": close - step * draw.integers(0, 3, size),
            "ask": close + step * draw.integers(0, 3, size),
            "bid_size": draw.integers(0, 100, size).astype(float),
            "ask_size": draw.integers(0, 100, size).astype(float),
            "price": close,
            "quantity": draw.integers(0, 50, size).astype(float),
            "side": draw.choice([-1.0, 0.0, 1.0], size),
            "anchor": (draw.random(size) < 0.05).astype(float),
        }
        return Market(self.columns | more)

    def feature(self, name: str, *parameters: float) -> Column:
        """The first output of a feature."""
        return self.outputs(name, *parameters)[0]

    def outputs(self, name: str, *parameters: float) -> list[Column]:
        """All outputs of a feature."""
        return feature_columns(name, parameters, self.inputs(table()[name]))

    def scaled(self, prices: float, volumes: float) -> Market:
        """The same in other units."""
        factors = {"volume": volumes, "time": 1.0}
        return Market({name: column * factors.get(name, prices) for name, column in self.columns.items()})

    def changed(self, change: Any) -> Market:
        """The same with something done to each column."""
        return Market({name: change(column) for name, column in self.columns.items()})


def drawn_parameters(kind: Kind, draw: np.random.Generator) -> tuple[float, ...]:
    """Valid parameters: short windows, and numbers around their defaults."""
    while True:
        drawn: list[float] = []
        for each in kind.parameters:
            if each.whole:
                drawn.append(float(draw.integers(int(each.least), min(int(each.most), LONGEST) + 1)))
            else:
                drawn.append(float(np.clip(each.default * draw.uniform(0.5, 1.5), each.least, each.most)))
        try:
            feature_warmup(kind.name, drawn)
        except ValueError:
            continue
        return tuple(drawn)
