"""Systems to time solvers on: about ten entries a row, signed, with a solution that is known.

`near` rows know others within 50 places; `far` rows know any, so that a neighbourhood is soon everything; `even` rows
are near, and symmetric.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

OTHERS = 9
REACH = 50
QUERIES = 5


class Made(NamedTuple):
    """A system in compressed rows, its right side, its solution, and the entries that are asked for."""

    begins: Any
    columns: Any
    values: Any
    b: Any
    x: Any
    asked: list[int]

    def digest(self) -> str:
        """Equal for contestants that were given the same."""
        parts = (self.begins, self.columns, self.values, self.b)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def made(shape: str, size: int, dominance: float) -> Made:
    """The system of a case."""
    random = np.random.default_rng(size)
    columns, values = _even(size, random) if shape == "even" else _asymmetric(shape, size, random)
    values[:, 0] = dominance * np.abs(values[:, 1:]).sum(axis=1)
    x = random.uniform(-1.0, 1.0, size)
    b = np.einsum("ij,ij->i", values, x[columns])
    begins = np.arange(0, columns.size + 1, columns.shape[1], dtype=np.int32)
    asked = [int(each) for each in random.integers(0, size, QUERIES)]
    return Made(begins, columns.ravel(), values.ravel(), b, x, asked)


def _even(size: int, random: np.random.Generator) -> tuple[Any, Any]:
    """Columns and values of which those beside the diagonal are equal in both directions."""
    distances = np.array([3, 11, 24, 41], np.int32)
    own = np.arange(size, dtype=np.int32)[:, None]
    columns = np.concatenate([own, (own + distances) % size, (own - distances) % size], axis=1, dtype=np.int32)
    signed = random.uniform(0.1, 1.0, (size, len(distances))) * (random.integers(0, 2, (size, len(distances))) * 2 - 1)
    back = np.stack([np.roll(signed[:, at], distance) for at, distance in enumerate(distances)], axis=1)
    return columns, np.concatenate([np.zeros((size, 1)), signed, back], axis=1)


def _asymmetric(shape: str, size: int, random: np.random.Generator) -> tuple[Any, Any]:
    own = np.arange(size, dtype=np.int32)[:, None]
    columns = np.empty((size, OTHERS + 1), np.int32)
    columns[:, :1] = own
    if shape == "near":
        # Distances of one row differ: one of each of nine bands of ten places.
        bands = np.arange(OTHERS, dtype=np.int32) - OTHERS // 2
        columns[:, 1:] = (own + 1 + bands * 11 + random.integers(0, 10, (size, OTHERS), dtype=np.int32)) % size
    else:
        # Distances of one row differ here too: one of each ninth of all.
        part = (size - 1) // OTHERS
        starts = np.arange(OTHERS, dtype=np.int32) * np.int32(part)
        columns[:, 1:] = (own + 1 + starts + random.integers(0, part, (size, OTHERS), dtype=np.int32)) % size
    values = np.empty((size, OTHERS + 1))
    values[:, 1:] = random.uniform(0.1, 1.0, (size, OTHERS))
    values[:, 0] = 0.0
    values[:, 1:] *= random.integers(0, 2, (size, OTHERS)) * 2 - 1
    return columns, values
