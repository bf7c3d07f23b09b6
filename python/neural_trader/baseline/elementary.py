"""Logarithm and exponential out of + - * / alone: unlike those of platforms, their bits are the same everywhere."""

from __future__ import annotations

import math

SQRT_2 = 1.4142135623730951
LN_2 = 0.6931471805599453


def logarithm(x: float) -> float:
    """The natural logarithm of a positive normal number, within three units of the last place.

    With ``x = 2**e * m`` and ``s = (m - 1) / (m + 1)``, it is ``e ln 2 + 2 (s + s**3/3 + s**5/5 + ...)``; for ``m``
    between the roots of 1/2 and 2, eleven terms are below half a unit of the last place.
    """
    half, exponent = math.frexp(x)
    mantissa, exponent = 2.0 * half, exponent - 1
    if mantissa > SQRT_2:
        mantissa /= 2.0
        exponent += 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = 0.0
    for term in reversed(range(11)):
        series = series * square + 1.0 / (2 * term + 1)
    return exponent * LN_2 + 2.0 * s * series


def exponential(x: float) -> float:
    """The exponential of a number from -700 to 700, beyond which it is taken for the end of that range.

    With ``x = n ln 2 + r`` it is ``2**n`` times the Taylor series of ``r``, of which fifteen terms are below half a
    unit of the last place.
    """
    x = min(max(x, -700.0), 700.0)
    n = math.floor(x / LN_2 + 0.5)
    r = x - n * LN_2
    series = 1.0
    for term in range(14, 0, -1):
        series = 1.0 + series * r / term
    return math.ldexp(series, n)
