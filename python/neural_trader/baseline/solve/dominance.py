"""Which weights prove that a matrix dominates, and what a residual proves about an error.

A matrix is a list of rows, and a row a list of pairs of a column and a value, in the order in which they are added
up. ``weights`` prove dominance by rows where every ``|a_ii| w_i - sum |a_ij| w_j`` is positive, and by columns where
the same holds of the transposed (Ostrowski 1937); those amounts are the ``slack``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Matrix = list[list[tuple[int, float]]]

EPSILON = 2.0**-52


def rounding(terms: int) -> float:
    """What a sum of so many products may be wrong by, relative to the sum of their absolute values."""
    return (terms + 3) * EPSILON


@dataclass(frozen=True)
class Dominance:
    """Positive weights with their slack; ``spread`` is what a step of Jacobi leaves of them, ``rate`` the factor."""

    by_rows: bool
    scaled: bool
    diagonal: list[float]
    weights: list[float]
    slack: list[float]
    spread: list[float]
    rate: float
    is_monotone: bool
    row_entries_max: int

    @property
    def scale(self) -> float:
        """What a reach is multiplied by to bound an entry."""
        return max(self.weights) if self.by_rows else 1.0 / min(self.slack)

    def reach(self, side: list[float]) -> tuple[float, float]:
        """What it can make of x: ``low w <= x <= high w``, or by columns ``slack |x| <= high``."""
        if self.by_rows and self.is_monotone:
            parts = [b / slack for b, slack in zip(side, self.slack, strict=True)]
            return min(parts), max(parts)
        if self.by_rows:
            most = max(abs(b) / slack for b, slack in zip(side, self.slack, strict=True))
        else:
            most = 0.0
            for b, weight in zip(side, self.weights, strict=True):
                most += abs(b) * weight
        return -most, most

    def units(self) -> list[float]:
        """What a residual over the diagonal is multiplied by: by rows the largest product is the reach, or the sum."""
        if self.by_rows:
            return [abs(own) / slack for own, slack in zip(self.diagonal, self.slack, strict=True)]
        return [abs(own) * weight for own, weight in zip(self.diagonal, self.weights, strict=True)]


def transposed(matrix: Matrix) -> Matrix:
    """Rows and columns exchanged."""
    across: Matrix = [[] for _ in matrix]
    for row, entries in enumerate(matrix):
        for column, value in entries:
            across[column].append((row, value))
    return across


def diagonal_of(matrix: Matrix) -> list[float]:
    """The diagonal, 0 where nothing is stored."""
    return [next((value for column, value in entries if column == row), 0.0) for row, entries in enumerate(matrix)]


def slack_of(matrix: Matrix, weights: list[float]) -> list[float]:
    """By how much each row dominates with these weights, rounded downwards."""
    slack = []
    for row, entries in enumerate(matrix):
        own = others = 0.0
        for column, value in entries:
            part = abs(value) * weights[column]
            if column == row:
                own = part
            else:
                others += part
        slack.append((own - others) - rounding(len(entries)) * (own + others))
    return slack


def proved(matrix: Matrix, weights: list[float], *, by_rows: bool, scaled: bool = False) -> Dominance | None:
    """Dominance with these weights, if they prove it."""
    slack = slack_of(matrix if by_rows else transposed(matrix), weights)
    if not all(amount > 0 and weight > 0 for amount, weight in zip(slack, weights, strict=True)):
        return None
    own = diagonal_of(matrix)
    spread = [max(w - s / abs(d), 0.0) for w, s, d in zip(weights, slack, own, strict=True)]
    rate = max(each / weight for each, weight in zip(spread, weights, strict=True))
    is_monotone = all(
        value > 0 if column == row else value <= 0 for row, entries in enumerate(matrix) for column, value in entries
    )
    widest = max(len(entries) for entries in matrix)
    return Dominance(by_rows, scaled, own, weights, slack, spread, rate, is_monotone, widest)


def dominance_of(matrix: Matrix) -> Dominance | None:
    """Dominance by rows, else by columns, else scaled by rows; None where none is found."""
    ones = [1.0] * len(matrix)
    found = proved(matrix, ones, by_rows=True) or proved(matrix, ones, by_rows=False)
    if found or not all(diagonal_of(matrix)):
        return found
    from neural_trader.baseline.solve.sweeps import weights_of

    comparison = [
        [(column, abs(value) if column == row else -abs(value)) for column, value in entries]
        for row, entries in enumerate(matrix)
    ]
    return proved(matrix, weights_of(comparison), by_rows=True, scaled=True)


def certify(matrix: Matrix, known: Dominance, side: list[float], x: list[float]) -> tuple[float, float]:
    """The largest residual and the bound that it proves, each residual with what rounding may have taken from it."""
    residual = []
    for row, entries in enumerate(matrix):
        left, size = side[row], abs(side[row])
        for column, value in entries:
            part = value * x[column]
            left -= part
            size += abs(part)
        residual.append(abs(left) + rounding(len(entries)) * size)
    if known.by_rows:
        reach = max(each / slack for each, slack in zip(residual, known.slack, strict=True))
    else:
        reach = 0.0
        for each, weight in zip(residual, known.weights, strict=True):
            reach += each * weight
        reach *= 1.0 + rounding(len(residual))
    return max(residual), reach * known.scale * (1.0 + 4.0 * EPSILON)


def sweeps_needed(rate: float, eps: float, first: float) -> int:
    """After how many sweeps an error that was at most ``first`` is at most ``eps``."""
    if first <= eps or rate <= 0.0:
        return 0
    return math.ceil(math.log(eps / first) / math.log(rate))
