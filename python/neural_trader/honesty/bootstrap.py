"""Resampling of dependent series: blocks of random length, and how long they should be.

- Politis and Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89.
- Politis and White (2004), "Automatic block-length selection for the dependent bootstrap", Econometric Reviews 23,
  with the correction of Patton, Politis and White (2009), Econometric Reviews 28.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from neural_trader.honesty.gauss import Floats

Indices = np.ndarray[Any, np.dtype[np.int64]]

_CELLS = 1 << 20
"""Numbers that are resampled together, so that memory does not grow with the number of resamples."""


def block_length(values: Floats) -> float:
    """The mean length of blocks that estimates the error of the mean best, at least 1 (2004, equation 9, corrected)."""
    count = len(values)
    if count < 8:
        return 1.0
    apart = values - values.mean()
    run = max(5, round(math.sqrt(math.log10(count))))
    longest = min(count - 1, math.ceil(math.sqrt(count)) + run)
    covariance = np.array([float(apart[lag:] @ apart[: count - lag]) for lag in range(longest + 1)]) / count
    if covariance[0] <= 0.0:
        return 1.0
    quiet = np.abs(covariance / covariance[0]) < 2.0 * math.sqrt(math.log10(count) / count)
    memory = next((lag for lag in range(1, longest - run + 1) if quiet[lag + 1 : lag + 1 + run].all()), longest)
    width = min(2 * memory, longest)
    lags = np.arange(1, width + 1)
    # A flat top with sloping sides: near lags count in full, farther ones less and less.
    weight = np.minimum(1.0, 2.0 * (1.0 - lags / width))
    spectrum = float(covariance[0] + 2.0 * (weight * covariance[1 : width + 1]).sum())
    bend = float(2.0 * (weight * lags * covariance[1 : width + 1]).sum())
    if spectrum <= 0.0:
        return 1.0
    length = (bend * bend / (spectrum * spectrum) * count) ** (1.0 / 3.0)
    return float(min(max(length, 1.0), math.ceil(min(3.0 * math.sqrt(count), count / 3.0))))


def stationary_indices(count: int, block: float, resamples: int, rng: np.random.Generator) -> Indices:
    """Row numbers, shape ``(resamples, count)``: blocks of geometric length with mean ``block``, in a circle."""
    begins = rng.random((resamples, count)) < 1.0 / max(block, 1.0)
    begins[:, 0] = True
    at = np.arange(count)
    since = np.maximum.accumulate(np.where(begins, at, 0), axis=1)
    starts = np.zeros((resamples, count), np.int64)
    starts[begins] = rng.integers(0, count, int(begins.sum()))
    found: Indices = (np.take_along_axis(starts, since, axis=1) + at - since) % count
    return found


def resamples(count: int, block: float, total: int, rng: np.random.Generator) -> Iterator[Indices]:
    """The rows of ``total`` resamples, some at a time."""
    step = max(1, _CELLS // max(1, count))
    for begin in range(0, total, step):
        yield stationary_indices(count, block, min(step, total - begin), rng)


def interval(values: Floats, confidence: float = 0.95) -> tuple[float, float] | None:
    """The middle share of resampled values; None where too many of them are undefined to say so."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.9 * len(values) or not len(finite):
        return None
    low, high = np.quantile(finite, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return float(low), float(high)
