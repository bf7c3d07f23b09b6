"""The points that contestants of the memory bench search: decisions of a market with twelve hidden factors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

DIMENSIONS, FACTORS, QUERIES, K = 32, 12, 200, 10
SYMBOLS = 10
"""Every card is of one of so many instruments, at random."""
_BLOCK = 50_000


@dataclass(frozen=True)
class Points:
    """Points, what is asked of them, and of which instrument each is."""

    rows: Any
    queries: Any
    symbols: Any

    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(b"".join(each.tobytes() for each in (self.rows, self.queries, self.symbols))).hexdigest()

    def truth(self, *, symbol: int | None = None) -> Any:
        """The ``K`` nearest rows of each query in double precision, nearest first."""
        rows = np.arange(len(self.rows)) if symbol is None else np.flatnonzero(self.symbols == symbol)
        found, distances = np.empty((QUERIES, 0), dtype=np.int64), np.empty((QUERIES, 0))
        queries = self.queries.astype(np.float64)
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            block = self.rows[part].astype(np.float64)
            squared = (block**2).sum(axis=1) - 2 * queries @ block.T
            distances = np.hstack([distances, squared])
            found = np.hstack([found, np.broadcast_to(part, squared.shape)])
            best = np.argsort(distances, axis=1, kind="stable")[:, :K]
            distances, found = np.take_along_axis(distances, best, 1), np.take_along_axis(found, best, 1)
        return found


def made(size: int) -> Points:
    """So many points, the same for every contestant; queries are points of the same market that are not among them."""
    generator = np.random.default_rng(7)
    mixed = generator.normal(size=(FACTORS, DIMENSIONS)) / np.sqrt(FACTORS)
    count = size + QUERIES
    points = np.empty((count, DIMENSIONS), dtype=np.float32)
    for start in range(0, count, _BLOCK):
        part = min(_BLOCK, count - start)
        noise = 0.3 * generator.normal(size=(part, DIMENSIONS))
        points[start : start + part] = generator.normal(size=(part, FACTORS)) @ mixed + noise
    return Points(points[:size], points[size:], generator.integers(0, SYMBOLS, size))


def recall(found: Any, truth: Any) -> float:
    """The share of the nearest that were found."""
    hits = sum(len(set(map(int, one)) & set(map(int, other))) for one, other in zip(found, truth, strict=True))
    return hits / truth.size
