"""What a strategy reports of itself, checked: names, and plain values that every report can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neural_trader.backtesting.run import place_of
from neural_trader.errors import StrategyRunError

if TYPE_CHECKING:
    from neural_trader.report.outcome import Figure
    from neural_trader.strategy.base import Strategy


def own_figures(strategy: Strategy) -> dict[str, Figure]:
    """The figures of ``strategy.report()``; numbers that are none become None. StrategyRunError says what is wrong."""
    try:
        found: object = strategy.report()
    except Exception as error:
        raise StrategyRunError(place_of(strategy, error)) from error
    name = type(strategy).__name__
    if not isinstance(found, dict) or not all(isinstance(key, str) and key for key in found):
        raise StrategyRunError(f"{name}.report: return figures by their names, as in {{'slices': 10}}")
    return {key: _plain(f"{name}.report: {key}", value) for key, value in found.items()}


def _plain(where: str, value: object) -> Figure:
    # Numbers of numpy are told from others by what they can do.
    if value is not None and not isinstance(value, str | bool) and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    raise StrategyRunError(f"{where} is a {type(value).__name__}; a figure is a number, a text, True, False or None")
