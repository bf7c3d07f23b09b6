"""The normal distribution as arrays need it."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

_NORMAL = NormalDist()

EULER_MASCHERONI = 0.5772156649015329


def below(z: float) -> float:
    """The probability that a standard normal number lies below ``z``."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def quantile(probability: float) -> float:
    """The number below which a standard normal one lies with this probability, strictly between 0 and 1."""
    return _NORMAL.inv_cdf(probability)
