"""Numbers of instruments set beside each other, in plain Python (docs/expressions.md, section 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

NAN = math.nan


def _total(values: Sequence[float]) -> float:
    """Not `sum`, which newer Pythons round in a way of their own."""
    total = 0.0
    for value in values:
        total += value
    return total


def _distances(values: Sequence[float]) -> list[float]:
    """Distances from the mean. They are taken from the first value before, so that equal values have exactly none."""
    from_first = [value - values[0] for value in values]
    mean = _total(from_first) / len(values)
    return [distance - mean for distance in from_first]


def _rank(x: Sequence[float]) -> list[float]:
    if len(x) == 1:
        return [0.5]
    below = [float(sum(other < value for other in x)) for value in x]
    equal = [float(sum(other == value for other in x)) for value in x]
    return [(lower + (same - 1.0) / 2.0) / (len(x) - 1.0) for lower, same in zip(below, equal, strict=True)]


def _mean(x: Sequence[float]) -> list[float]:
    return [_total(x) / len(x)] * len(x)


def _demean(x: Sequence[float]) -> list[float]:
    return [value - mean for value, mean in zip(x, _mean(x), strict=True)]


def _zscore(x: Sequence[float]) -> list[float]:
    distances = _distances(x)
    deviation = math.sqrt(_total([distance * distance for distance in distances]) / len(x))
    return [distance / deviation if deviation != 0.0 else NAN for distance in distances]


def _scale(x: Sequence[float]) -> list[float]:
    total = _total([abs(value) for value in x])
    return [value / total if total != 0.0 else NAN for value in x]


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    rank = int(place)
    part = place - rank
    return ordered[rank] + part * (ordered[rank + 1] - ordered[rank]) if part else ordered[rank]


def _winsorise(x: Sequence[float], share: float) -> list[float]:
    ordered = sorted(x)
    low, high = _quantile(ordered, share), _quantile(ordered, 1.0 - share)
    return [low if value < low else min(value, high) for value in x]


def _neutralise(x: Sequence[float], y: Sequence[float]) -> list[float]:
    distances, others = _distances(x), _distances(y)
    spread = _total([b * b for b in others])
    slope = _total([a * b for a, b in zip(distances, others, strict=True)]) / spread if spread != 0.0 else 0.0
    return [a - slope * b for a, b in zip(distances, others, strict=True)]


def _places(x: Sequence[float]) -> list[int]:
    """Positions from the largest value to the smallest; equal values stand in the order of their symbols."""
    return sorted(range(len(x)), key=lambda place: -x[place])


def _top(x: Sequence[float], count: float) -> list[float]:
    chosen = set(_places(x)[: int(count)])
    return [float(place in chosen) for place in range(len(x))]


def _bottom(x: Sequence[float], count: float) -> list[float]:
    chosen = set(_places(x)[-int(count) :])
    return [float(place in chosen) for place in range(len(x))]


ACROSS: dict[str, Callable[..., list[float]]] = {
    "rank_across": _rank,
    "mean_across": _mean,
    "demean_across": _demean,
    "zscore_across": _zscore,
    "scale_across": _scale,
    "winsorise_across": _winsorise,
    "neutralise_across": _neutralise,
    "count_across": lambda x: [float(len(x))] * len(x),
    "top_across": _top,
    "bottom_across": _bottom,
}
"""By name: the values of the instruments that know what it reads, in the order of their symbols."""

CHOICES = ("top_across", "bottom_across")
"""Those that are signals, off where something is not known."""


def across(operation: str, numbers: Sequence[float], *read: Sequence[float]) -> list[float]:
    """The values of all instruments whose bars close at one time; ``read`` has what each of them knows."""
    known = [place for place, row in enumerate(zip(*read, strict=True)) if not any(map(math.isnan, row))]
    found = [0.0 if operation in CHOICES else NAN] * len(read[0])
    if known:
        made = ACROSS[operation](*([values[place] for place in known] for values in read), *numbers)
        for place, value in zip(known, made, strict=True):
            found[place] = value
    return found
