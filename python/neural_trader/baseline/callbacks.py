"""The calls by which the engine tells a strategy what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from neural_trader.baseline.records import FillRecord, OrderRecord

if TYPE_CHECKING:
    from neural_trader.baseline.engine import Engine


class Strategy(Protocol):
    """Each of these calls may submit and cancel."""

    def on_bar(self, engine: Engine, instrument: int, bar_index: int) -> None:
        """A bar closed."""

    def on_fill(self, engine: Engine, fill: FillRecord) -> None:
        """An order was filled, wholly or partly, or the engine closed a position (order 0)."""

    def on_order(self, engine: Engine, order: OrderRecord) -> None:
        """An order ended as cancelled, expired or rejected."""
