"""Whether a series is chaotic: its largest Lyapunov exponent, and surrogates that have none of its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader._native import lyapunov_exponent
from neural_trader.errors import UsageError
from neural_trader.features.calls import floats

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LyapunovTest(NamedTuple):
    """An exponent beside those of surrogates."""

    exponent: float
    surrogates: tuple[float, ...]
    p_value: float
    """The share of surrogates, the series itself counted among them, whose exponents are as far from their middle."""


def lyapunov(series: Any, dimension: int = 3, lag: int = 1, exclusion: int = 10, steps: int = 5) -> float:
    """The largest Lyapunov exponent of a series, per row; NaN where no line can be drawn.

    Rosenstein, Collins and De Luca, A practical method for calculating largest Lyapunov exponents from small data sets
    (1993). States are ``dimension`` values ``lag`` rows apart; each has the nearest state more than ``exclusion`` rows
    away, and the exponent is the slope of the mean logarithm of their distance over ``steps`` rows. The time that it
    takes grows with the square of the rows. Noise has a positive exponent too: see :func:`lyapunov_test`.

    >>> x = [0.3]
    >>> for _ in range(1999):
    ...     x.append(4 * x[-1] * (1 - x[-1]))
    >>> round(lyapunov(x, dimension=2, steps=4), 1)  # the logistic map has ln 2
    0.7
    """
    given = (("dimension", dimension, 1), ("lag", lag, 1), ("exclusion", exclusion, 0), ("steps", steps, 1))
    for name, value, least in given:
        if value < least:
            raise UsageError(f"lyapunov: {name} must be at least {least}, not {value}")
    return lyapunov_exponent(floats(series), dimension, lag, exclusion, steps)


def lyapunov_test(series: Any, *, surrogates: int = 39, seed: int = 0, **unfolding: int) -> LyapunovTest:
    """Whether the exponent differs from that of noise with the same values and nearly the same spectrum.

    Surrogates are amplitude-adjusted phase-randomised copies (Theiler et al., Testing for nonlinearity in time series,
    1992), drawn from ``seed``; the test is two-sided. A small p says that the series is no linear noise seen through a
    static function. It does not say that it is chaos.
    """
    values = floats(series)
    if surrogates < 1 or len(values) < 4:
        raise UsageError("lyapunov_test takes at least one surrogate and four values")
    draw = np.random.default_rng(seed)
    own = lyapunov(values, **unfolding)
    others = np.array([lyapunov(_surrogate(values, draw), **unfolding) for _ in range(surrogates)])
    middle = float(np.median(others))
    as_far = int(np.sum(np.abs(others - middle) >= abs(own - middle)))
    return LyapunovTest(own, tuple(others.tolist()), (as_far + 1) / (surrogates + 1))


def _surrogate(values: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.float64]:
    """The same values in another order: that of a copy, made normal, whose phases are random."""
    ranks = np.argsort(np.argsort(values))
    normal = np.sort(draw.normal(size=len(values)))[ranks]
    spectrum = np.fft.rfft(normal)
    turned = np.fft.irfft(spectrum * np.exp(2j * np.pi * draw.random(len(spectrum))), n=len(values))
    return np.sort(values)[np.argsort(np.argsort(turned))]
