"""Covariance of returns, plain and shrunk, and the correlations in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neural_trader.risk.arrays import Floats, covariance_of, returns_of


class Shrunk(NamedTuple):
    """A covariance between the sample's and a simple target."""

    covariance: Floats
    intensity: float
    """The share of the target, from 0 to 1."""


def sample_covariance(returns: Any) -> Floats:
    """The unbiased covariance of returns (periods by instruments), ddof = 1."""
    found: Floats = np.atleast_2d(np.cov(returns_of(returns), rowvar=False))
    return found


def shrunk_covariance(returns: Any) -> Shrunk:
    """Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices".

    The target is the mean variance on the diagonal. Sums are over the number of periods (ddof = 0), as in the paper.
    """
    columns = returns_of(returns)
    count, width = columns.shape
    apart = columns - columns.mean(axis=0)
    sample = apart.T @ apart / count
    mean = float(np.trace(sample)) / width
    target = mean * np.eye(width)
    distance = float(np.square(sample - target).sum()) / width
    squares = np.square(apart)
    error = (float((squares.T @ squares).sum()) / count - float(np.square(sample).sum())) / width / count
    intensity = 1.0 if distance <= 0.0 else min(error, distance) / distance
    return Shrunk(intensity * target + (1.0 - intensity) * sample, intensity)


def correlation(covariance: Any) -> Floats:
    """The correlations of a covariance, exactly 1 on the diagonal."""
    matrix = covariance_of(covariance)
    deviations = np.sqrt(np.diag(matrix))
    found: Floats = np.clip(matrix / np.outer(deviations, deviations), -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found
