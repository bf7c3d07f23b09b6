"""Dynamic time warping: how far a window is from a template where both may be stretched in time.

Both are compared as shapes: less their means, over their population deviations. The distance is the root of the least
sum of squared differences along a path of pairs that begins at both beginnings, goes forward by one value in either or
both, ends at both ends, and never leaves the band (Sakoe and Chiba, 1978). Nothing is pruned here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from neural_trader.baseline.features.profile import shape_of
from neural_trader.baseline.features.window import Window, added


def stretched(points: Sequence[float], n: int) -> list[float]:
    """The line through points, at ``n`` places where these are more."""
    steps, places = len(points) - 1, max(n, len(points)) - 1
    line = []
    for place in range(places + 1):
        before, share = divmod(place * steps, places)
        rise = (points[before + 1] - points[before]) * (share / places) if share else 0.0
        line.append(points[before] + rise if share else points[before])
    return line


def standardised(values: Sequence[float]) -> list[float]:
    """Values less their mean, over their population deviation."""
    distances = [value - values[0] for value in values]
    mean = added(distances) / len(values)
    deviation = math.sqrt(added((each - mean) * (each - mean) for each in distances) / len(values))
    return [(each - mean) / deviation for each in distances]


def warped(a: Sequence[float], b: Sequence[float], band: int) -> float:
    """The distance of two series of one length."""
    sums: dict[tuple[int, int], float] = {(-1, -1): 0.0}
    for i, value in enumerate(a):
        for j in range(max(i - band, 0), min(i + band + 1, len(b))):
            before = min(sums.get(place, math.inf) for place in ((i - 1, j - 1), (i - 1, j), (i, j - 1)))
            sums[i, j] = before + (value - b[j]) * (value - b[j])
    return math.sqrt(sums[len(a) - 1, len(b) - 1])


class Warping:
    """The distance of the last values from a template, at most ``most``; none of a window that is constant."""

    def __init__(self, n: int, band: int, most: float, *template: float) -> None:
        self.template = standardised(stretched([float(each) for each in template], n))
        self.band, self.most = band, float(most)
        self.window: Window[float] = Window(len(self.template))

    def update(self, value: float) -> float | None:
        shape = shape_of(self.window) if self.window.push(value) else None
        if shape is None:
            return None
        return min(warped([shape.of(each) for each in self.window.values], self.template, self.band), self.most)


def nearest(distances: Sequence[float | None], most: float, k: int, apart: int) -> list[tuple[int, float]]:
    """The rows of the ``k`` least distances up to ``most``, each the least of those ``apart`` from all before it."""
    found: list[tuple[int, float]] = []
    while len(found) < k:
        left = [
            (distance, row)
            for row, distance in enumerate(distances)
            if distance is not None and distance <= most and all(abs(row - other) >= apart for other, _ in found)
        ]
        if not left:
            break
        distance, row = min(left)
        found.append((row, distance))
    return found
