"""Trades and quotes of one instrument as exact integer columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neural_trader.market.bars import Step

if TYPE_CHECKING:
    import numpy as np

    from neural_trader.market.bars import Column

    Sides = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True, eq=False, repr=False)
class Trades:
    """Trades of one instrument in the order of their times; prices in ticks, quantities in lots, UTC nanoseconds."""

    symbol: str
    tick: Step
    lot: Step
    ts_ns: Column
    """When the venue matched it."""
    price: Column
    quantity: Column
    side: Sides
    """Who took: 1 the buyer, -1 the seller, 0 unknown."""
    trade_id: Column | None = None
    recv_ns: Column | None = None
    """When it was received."""
    source: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"Trades({self.symbol}: {len(self)} trades, tick {self.tick}, lot {self.lot})"


@dataclass(frozen=True, eq=False, repr=False)
class Quotes:
    """Best bids and asks of one instrument in the order of their times; prices in ticks, sizes in lots."""

    symbol: str
    tick: Step
    lot: Step
    ts_ns: Column
    bid: Column
    ask: Column
    bid_size: Column | None = None
    ask_size: Column | None = None
    recv_ns: Column | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"Quotes({self.symbol}: {len(self)} quotes, tick {self.tick}, lot {self.lot})"
