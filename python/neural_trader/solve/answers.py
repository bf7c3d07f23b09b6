"""What comes with every answer of a solver."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Certificate:
    """How an answer was found, and what is proved about its error.

    ``residual`` is the largest absolute entry of the residual, computed anew from the matrix after the answer was
    found. ``bound`` is what that residual proves: no value of the answer is further from the truth, with rounding
    counted in. ``bound_before`` is what theory promised before the residual was looked at. ``confidence`` is 1 where
    the bound is certain, and otherwise the share of intervals of walks that hold the truth. ``rows`` and ``entries``
    of the matrix were read, with repetitions, in ``iterations`` sweeps, steps, pushes or walks.
    """

    method: str
    reason: str
    eps: float
    residual: float
    bound_before: float
    bound: float
    confidence: float
    rows: int
    entries: int
    iterations: int

    @property
    def is_met(self) -> bool:
        """Whether the bound is as small as was asked for."""
        return self.bound <= self.eps

    def document(self) -> dict[str, Any]:
        """The certificate for JSON."""
        return {**asdict(self), "is_met": self.is_met}


@dataclass(frozen=True, slots=True)
class Solution:
    """A whole solution: ``x``, of the shape of the right side, and its certificate."""

    x: NDArray[np.float64]
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a solution: its value, and its certificate."""

    value: float
    certificate: Certificate

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true value is."""
        return self.value - self.certificate.bound, self.value + self.certificate.bound


@dataclass(frozen=True, slots=True)
class SparseSolution:
    """A solution where it is not zero: ``rows``, ascending, and their ``values``; others are 0 within the bound."""

    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    certificate: Certificate
