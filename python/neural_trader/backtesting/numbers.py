"""Numbers as users write them, exactly: decimals, rates with their units, and counts of the engine's units."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from neural_trader.errors import ConfigError


def decimal_of(name: str, given: Any) -> Decimal:
    """A finite number as an exact decimal; ConfigError for anything else."""
    try:
        value = Decimal(str(given).strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ConfigError(f"{name} {given!r} is not a number")
    return value


def rate_of(name: str, given: Any) -> Decimal:
    """A rate such as ``0.001``, ``"0.1%"`` or ``"10bps"``."""
    text = str(given).strip()
    for suffix, scale in (("bps", 10_000), ("bp", 10_000), ("%", 100)):
        if text.endswith(suffix):
            return decimal_of(name, text.removesuffix(suffix)) / scale
    return decimal_of(name, text)


def whole_units(name: str, value: Decimal, scale: int) -> int:
    """A value as a count of the engine's units, of which ``scale`` make one; ConfigError if it lies between two."""
    scaled = value * scale
    if scaled != int(scaled):
        raise ConfigError(f"{name} {value} is finer than the engine counts ({Decimal(1) / scale:f})")
    return int(scaled)


def plain_decimal(value: Decimal) -> str:
    """A decimal without an exponent and without zeros that say nothing."""
    return f"{value.normalize():f}"
