"""Strategies: the base class, the library that comes with the package, and how a strategy is found by name."""

from neural_trader.strategy.base import Bar, Fill, Indicator, Order, Strategy, Tick

__all__ = ["Bar", "Fill", "Indicator", "Order", "Strategy", "Tick"]
