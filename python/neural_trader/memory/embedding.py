"""Features of a decision as a point in space, so that like situations lie close together.

Each feature is centred on its median and divided by its spread (the interquartile range as that of a normal
distribution, 1.349 standard deviations), both learned from past cards only, and held within ``LIMIT`` spreads, so that
one wild number does not drown the others. What is more than ``dimensions`` numbers then goes through a random
projection with a fixed seed, which keeps distances within a few percent of each other with high probability (Johnson
and Lindenstrauss 1984; the sparse +-1 form of Achlioptas, "Database-friendly random projections", JCSS 66, 2003).
Fewer are filled up with zeros, which keeps distances exactly.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neural_trader.errors import DataError
from neural_trader.memory.cards import sha256

DIMENSIONS = 32
LIMIT = 8.0
_NORMAL_IQR = 1.3489795003921634
"""Interquartile range of the standard normal distribution."""

Vectors = NDArray[np.float32]


class Embedding(Protocol):
    """What makes points of features; bring your own by giving an object with these to ``Memory``."""

    @property
    def dimensions(self) -> int:
        """Numbers of a point."""

    @property
    def name(self) -> str:
        """What tells this embedding from others: cards that another one embedded are embedded anew."""

    def embed(self, features: Sequence[Mapping[str, float]]) -> Vectors:
        """One row of ``dimensions`` finite float32 numbers for each mapping."""


@dataclass(frozen=True)
class FeatureEmbedding:
    """The embedding of the module's first lines; :func:`fit` learns one."""

    names: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    dimensions: int = DIMENSIONS
    seed: int = 7

    @property
    def name(self) -> str:
        return sha256(self.document()).hex()

    def document(self) -> dict[str, Any]:
        """The embedding as plain data, of which it can be made again."""
        return {
            "names": list(self.names),
            "centre": list(self.centre),
            "spread": list(self.spread),
            "dimensions": self.dimensions,
            "seed": self.seed,
        }

    def embed(self, features: Sequence[Mapping[str, float]]) -> Vectors:
        """Rows of float32. A feature that is missing, or whose spread is 0, stands at its centre."""
        if len(features) == 1 and len(self.names) <= self.dimensions:
            return self._one(features[0])
        rows = np.zeros((len(features), len(self.names)))
        for at, name in enumerate(self.names):
            if self.spread[at]:
                centre = self.centre[at]
                column = np.array([each.get(name, centre) for each in features], dtype=np.float64)
                rows[:, at] = np.clip((column - centre) / self.spread[at], -LIMIT, LIMIT)
        if not np.isfinite(rows).all():
            name = self.names[int(np.argwhere(~np.isfinite(rows))[0][1])]
            raise DataError(f"feature {name!r} is not a number; a situation is described by numbers")
        if len(self.names) <= self.dimensions:
            return np.pad(rows, ((0, 0), (0, self.dimensions - len(self.names)))).astype(np.float32)
        return self._projected(rows)

    def _one(self, features: Mapping[str, float]) -> Vectors:
        """The same numbers for a single situation, for which arrays would take ten times as long."""
        row = [0.0] * self.dimensions
        for at, (name, centre, spread) in enumerate(zip(self.names, self.centre, self.spread, strict=True)):
            if spread:
                scaled = (features.get(name, centre) - centre) / spread
                if math.isnan(scaled):
                    raise DataError(f"feature {name!r} is not a number; a situation is described by numbers")
                row[at] = min(max(scaled, -LIMIT), LIMIT)
        return np.array([row], dtype=np.float32)

    def _projected(self, rows: NDArray[np.float64]) -> Vectors:
        # Sums in a fixed order: a product of matrices differs in its last bits from machine to machine.
        signs = _signs(len(self.names), self.dimensions, self.seed)
        projected = np.zeros((len(rows), self.dimensions))
        for at in range(len(self.names)):
            projected += rows[:, at : at + 1] * signs[at]
        scaled: Vectors = (projected / np.sqrt(self.dimensions)).astype(np.float32)
        return scaled


def fit(past: Sequence[Mapping[str, float]], *, dimensions: int = DIMENSIONS, seed: int = 7) -> FeatureEmbedding:
    """The embedding that past situations teach; every name that any of them has is one of its features."""
    if not past:
        raise DataError("nothing to learn an embedding from: there are no cards")
    names = sorted({name for each in past for name in each})
    centre, spread = [], []
    for name in names:
        column = np.array([each[name] for each in past if name in each], dtype=np.float64)
        if not np.isfinite(column).all():
            raise DataError(f"feature {name!r} is not a number everywhere; a situation is described by numbers")
        low, middle, high = np.quantile(column, (0.25, 0.5, 0.75))
        # A feature that is mostly one value has no quartiles apart, but may say something where it differs.
        width = (high - low) / _NORMAL_IQR or float(column.std())
        centre.append(float(middle))
        spread.append(float(width))
    return FeatureEmbedding(tuple(names), tuple(centre), tuple(spread), dimensions, seed)


def embedding_of(document: Mapping[str, Any]) -> FeatureEmbedding:
    """The embedding that :meth:`FeatureEmbedding.document` described."""
    return FeatureEmbedding(
        tuple(document["names"]),
        tuple(document["centre"]),
        tuple(document["spread"]),
        document["dimensions"],
        document["seed"],
    )


def _signs(features: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Fair signs, the same on every machine: Python promises what ``random`` draws from version to version."""
    generator = random.Random(seed)
    drawn = np.array([[generator.random() for _ in range(dimensions)] for _ in range(features)])
    return np.where(drawn < 0.5, 1.0, -1.0)
