"""Random systems that dominate: by rows, by columns, scaled; signed or monotone; asymmetric unless asked otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from neural_trader.baseline.solve import Matrix
from neural_trader.solve import Rows, from_coordinates

KINDS = ("rows", "columns", "scaled", "symmetric")


@dataclass(frozen=True)
class Case:
    """A system with a solution that is known by another way."""

    dense: np.ndarray
    b: np.ndarray

    @property
    def rows(self) -> Rows:
        where = np.nonzero(self.dense)
        return from_coordinates(*where, self.dense[where], len(self.b))

    @property
    def plain(self) -> Matrix:
        begins, columns, values = (part.tolist() for part in self.rows)
        spans = pairwise(begins)
        return [list(zip(columns[start:end], values[start:end], strict=True)) for start, end in spans]

    @property
    def x(self) -> np.ndarray:
        return np.linalg.solve(self.dense, self.b)


def case(seed: int, *, size: int | None = None, kind: str | None = None, dominance: float | None = None) -> Case:
    """The system of a seed."""
    random = np.random.default_rng(seed)
    size = size or int(random.integers(1, 40))
    kind = kind or KINDS[seed % len(KINDS)]
    dominance = dominance or float(random.choice([1.02, 1.2, 2.0, 5.0]))
    dense = random.normal(size=(size, size)) * (random.random((size, size)) < min(1.0, 4 / size))
    if random.random() < 0.5:
        dense = -np.abs(dense)
    np.fill_diagonal(dense, 0.0)
    if kind == "symmetric":
        dense = dense + dense.T
    of_axis = np.abs(dense).sum(axis=0 if kind == "columns" else 1)
    sign = 1.0 if kind == "symmetric" or random.random() < 0.7 else random.choice([-1.0, 1.0], size)
    np.fill_diagonal(dense, sign * (dominance * of_axis + (of_axis == 0)))
    if kind == "scaled":
        dense = dense / np.exp(random.normal(size=size))
    b = random.normal(size=size) * (random.random(size) < 0.8)
    return Case(dense, b)


def ring(
    size: int, *, dominance: float = 2.0, neighbours: int = 4, signed: bool = True, far: bool = False, seed: int = 0
) -> Any:
    """A system of rows that know as many neighbours to either side, or any rows, as arrays of compressed rows."""
    random = np.random.default_rng(seed)
    offsets = np.array([*range(-neighbours, 0), *range(1, neighbours + 1)])
    if far:
        # One of each part of the others, so that no two are the same.
        part = (size - 1) // len(offsets)
        offsets = 1 + part * np.arange(len(offsets)) + random.integers(0, part, (size, len(offsets)))
    columns = (np.arange(size)[:, None] + offsets) % size
    values = random.uniform(0.1, 1.0, columns.shape)
    values *= random.choice([-1.0, 1.0], columns.shape) if signed else -1.0
    columns = np.concatenate([np.arange(size)[:, None], columns], axis=1)
    values = np.concatenate([dominance * np.abs(values).sum(axis=1, keepdims=True), values], axis=1)
    begins = np.arange(0, columns.size + 1, columns.shape[1])
    return Rows(begins.astype(np.int64), columns.ravel().astype(np.int64), values.ravel())
