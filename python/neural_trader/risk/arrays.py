"""What every analytic takes: arrays of floats, and the refusal of what cannot be computed with."""

from __future__ import annotations

from typing import Any

import numpy as np

from neural_trader.errors import UsageError

Floats = np.ndarray[Any, np.dtype[np.float64]]


def returns_of(values: Any, *, periods: int = 2) -> Floats:
    """Returns as periods by instruments; UsageError if they are not finite, or too few."""
    found = np.asarray(values, np.float64)
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or not found.shape[1]:
        raise UsageError("returns are periods by instruments, one column each")
    if len(found) < periods:
        raise UsageError(f"{len(found)} periods of returns are too few; {periods} or more are needed")
    if not np.isfinite(found).all():
        raise UsageError("returns have values that are not finite; leave those periods out")
    return found


def covariance_of(values: Any) -> Floats:
    """A covariance matrix; UsageError if it is not square, symmetric, finite and positive on its diagonal."""
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not len(found):
        raise UsageError("a covariance is a square matrix, one row and column for each instrument")
    if not np.isfinite(found).all() or not np.allclose(found, found.T, rtol=1e-9, atol=1e-18):
        raise UsageError("a covariance is finite and symmetric")
    if not (np.diag(found) > 0.0).all():
        raise UsageError("a covariance is positive on its diagonal: each instrument must have varied")
    return found


def weights_of(values: Any, count: int) -> Floats:
    """Weights, one for each instrument; UsageError otherwise."""
    found = np.asarray(values, np.float64).ravel()
    if len(found) != count or not np.isfinite(found).all():
        raise UsageError(f"weights are {count} finite numbers, one for each instrument")
    return found
