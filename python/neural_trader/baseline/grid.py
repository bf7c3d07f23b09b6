"""The grid of a column of prices: the plain definition that ``nt-feed`` must match."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

# Beyond this count a float has no room left for the test below to tell neighbouring decimals apart.
COUNT_LIMIT = 2**51


def counts_of_text(cells: Sequence[str], decimals_max: int) -> tuple[list[int], int] | None:
    """Whole counts of ``10**-decimals``, and the smallest ``decimals`` that makes every cell whole.

    None where a cell is not a finite decimal number, needs more than ``decimals_max`` decimals, or leaves 64 bits.
    """
    values: list[Decimal] = []
    for cell in cells:
        try:
            value = Decimal(cell.strip())
        except InvalidOperation:
            return None
        if not value.is_finite():
            return None
        values.append(value)
    for decimals in range(decimals_max + 1):
        exact = [Fraction(value) * 10**decimals for value in values]
        if all(count.denominator == 1 for count in exact):
            counts = [count.numerator for count in exact]
            return (counts, decimals) if all(abs(count) < 2**63 for count in counts) else None
    return None


def counts_of_floats(columns: Sequence[Sequence[float]], decimals_max: int) -> tuple[list[list[int]], int] | None:
    """Whole counts of ``10**-decimals``, and the smallest ``decimals`` at which every value is the float nearest to its
    count; None where there is none."""
    for decimals in range(decimals_max + 1):
        scale = 10.0**decimals
        counted: list[list[int]] = []
        for column in columns:
            counts = [_count_of(value, scale) for value in column]
            if None in counts:
                break
            counted.append([count for count in counts if count is not None])
        else:
            return counted, decimals
    return None


def _count_of(value: float, scale: float) -> int | None:
    scaled = value * scale
    if not abs(scaled) <= COUNT_LIMIT:
        return None
    count = round(scaled)
    return count if count / scale == value else None
