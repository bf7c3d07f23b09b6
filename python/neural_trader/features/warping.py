"""Where in a series something like a template is: a search by dynamic time warping."""

from __future__ import annotations

from typing import Any, NamedTuple

from neural_trader import _native
from neural_trader.errors import UsageError
from neural_trader.features.calls import flat_numbers, floats
from neural_trader.features.table import table


class Match(NamedTuple):
    """A window that resembles the template, by the row at which it ends."""

    row: int
    distance: float


class Work(NamedTuple):
    """How far the work on the windows of a series went."""

    windows: int
    """Windows that have a shape: those that are constant or have a hole have none."""
    by_kim: int
    """Pruned by the distance of their two ends (LB_Kim)."""
    by_keogh: int
    """Pruned by what is outside of the band around the template (LB_Keogh)."""
    abandoned: int
    """Given up before the last row of the path."""
    completed: int
    """Worked out. What remains was too near a match to be looked at."""


class Matches(NamedTuple):
    """The nearest windows, nearest first, and the work that it took to find them."""

    matches: tuple[Match, ...]
    work: Work


def dtw_search(series: Any, template: Any, k: int = 1, *, apart: int | None = None, **parameters: float) -> Matches:
    """The ``k`` windows of a series that are most like a template, by dynamic time warping.

    ``n``, ``band`` and ``most`` are those of the feature ``dtw``, whose column has the same distances. The first match
    is the nearest window of all, the next the nearest of those that end at least ``apart`` rows from it (the length of
    a window), and so on. Bounds prune what cannot be nearer than the best so far (Rakthanmanon and others, Searching
    and mining trillions of time series subsequences under dynamic time warping, 2012), which changes no match.

    >>> found = dtw_search([5, 5, 1, 2, 1, 5, 6, 7, 40, 60, 41, 7], [0, 1, 0], k=2, band=1)
    >>> [(match.row, round(match.distance, 2)) for match in found.matches]
    [(4, 0.0), (10, 0.08)]
    """
    kind = table()["dtw"]
    numbers = flat_numbers(kind, (template,), dict(parameters))
    length = max(int(numbers[0]), len(numbers) - len(kind.parameters))
    apart = length if apart is None else apart
    if k < 1 or apart < 0:
        raise UsageError(f"dtw_search: k is at least 1 and apart at least 0, not {k} and {apart}")
    try:
        rows, distances, work = _native.dtw_search(floats(series), numbers, k, apart)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Matches(tuple(map(Match, rows, distances)), Work(*work))
