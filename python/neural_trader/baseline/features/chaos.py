"""How fast neighbouring states of a series part: its largest Lyapunov exponent."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from neural_trader.baseline.elementary import logarithm


def lyapunov(series: Sequence[float], dimension: int, lag: int, exclusion: int, steps: int) -> float:
    """The largest Lyapunov exponent per row (Rosenstein and others, 1993); NaN where no line can be drawn.

    Every state ``(x[i], x[i+lag], ...)`` that can be followed has the nearest one that is more than ``exclusion`` rows
    away. The slope of the mean logarithm of the distance of the two over 0 to ``steps`` rows, by least squares, is the
    exponent. Pairs that are ever at no distance are left out.
    """
    followed = len(series) - (dimension - 1) * lag - steps
    if followed <= 0 or not all(abs(value) <= 1e60 for value in series):
        return math.nan

    def square(i: int, j: int) -> float:
        total = 0.0
        for at in range(dimension):
            difference = series[i + at * lag] - series[j + at * lag]
            total += difference * difference
        return total

    sums = [0.0] * (steps + 1)
    pairs = 0
    for i in range(followed):
        near = ((square(i, j), j) for j in range(followed) if abs(i - j) > exclusion)
        _, j = min((pair for pair in near if 0.0 < pair[0] < math.inf), default=(0.0, i))
        squares = [square(i + step, j + step) for step in range(steps + 1)]
        if j == i or min(squares) < sys.float_info.min:
            continue
        pairs += 1
        for step, each in enumerate(squares):
            sums[step] += 0.5 * logarithm(each)
    if pairs == 0:
        return math.nan
    count = steps + 1.0
    cross = 0.0
    for step, total in enumerate(sums):
        cross += (step - (count - 1.0) / 2.0) * (total / pairs)
    return cross / (count * (count * count - 1.0) / 12.0)
