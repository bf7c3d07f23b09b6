"""Exact integer arithmetic with the ranges and roundings of docs/fill-rules.md section 1."""

from __future__ import annotations

from neural_trader.errors import EngineError

BILLION = 10**9

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
INT128_MIN, INT128_MAX = -(2**127), 2**127 - 1


def int64(value: int, what: str) -> int:
    """The value itself, a price or a quantity, unless it leaves 64 bits."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise EngineError(f"{what} {value} does not fit in 64 bits")
    return value


def money(value: int, what: str) -> int:
    """The value itself, an amount of money, unless it leaves 128 bits."""
    if not INT128_MIN <= value <= INT128_MAX:
        raise EngineError(f"{what} {value} does not fit in 128 bits")
    return value


def div_down(dividend: int, divisor: int) -> int:
    """Quotient of a non-negative number, rounded down."""
    return dividend // divisor


def div_up(dividend: int, divisor: int) -> int:
    """Quotient of a non-negative number, rounded up."""
    return -(-dividend // divisor)
