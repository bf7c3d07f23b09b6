"""Plain Python twin of the L2 ladder: a dictionary of levels for each side, sorted whenever one asks."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

BID = 1
ASK = -1
PRICE_MAX = 2**53

Level = tuple[int, int]
"""A price in ticks and the quantity in lots that rests there."""


class Ladder:
    """What ``nt-book``'s ladder has to do. A side is 1 for bids and -1 for asks."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {BID: {}, ASK: {}}

    def set(self, side: int, price: int, quantity: int) -> int:
        """Say what rests at a price from now on, zero for nothing; return what did before."""
        if abs(price) > PRICE_MAX or not 0 <= quantity < 2**63:
            raise ValueError(f"no book holds {quantity} at {price}")
        before = self.sides[side].pop(price, 0)
        if quantity:
            self.sides[side][price] = quantity
        return before

    def load(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Replace everything by a snapshot; one that is refused leaves nothing."""
        self.clear()
        loaded = Ladder()
        for side, levels in ((BID, bids), (ASK, asks)):
            for price, quantity in levels:
                if quantity <= 0 or loaded.set(side, price, quantity):
                    raise ValueError(f"no snapshot names {price} with {quantity}, or twice")
        self.sides = loaded.sides

    def truncate(self, depth: int) -> int:
        """Keep the best levels of each side; return how many went."""
        gone = 0
        for side, levels in self.sides.items():
            beyond = self.levels(side)[depth:]
            for price, _ in beyond:
                del levels[price]
            gone += len(beyond)
        return gone

    def clear(self) -> None:
        for levels in self.sides.values():
            levels.clear()

    def levels(self, side: int, depth: int | None = None) -> list[Level]:
        """Price and quantity, the best first."""
        return sorted(self.sides[side].items(), reverse=side == BID)[:depth]

    def best(self, side: int) -> Level | None:
        levels = self.sides[side]
        if not levels:
            return None
        price = max(levels) if side == BID else min(levels)
        return price, levels[price]

    def quantity_at(self, side: int, price: int) -> int:
        return self.sides[side].get(price, 0)

    def count(self, side: int) -> int:
        return len(self.sides[side])

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bid, ask = self.best(BID), self.best(ASK)
        return bid is not None and ask is not None and bid[0] >= ask[0]


def kraken_checksum(ladder: Ladder, price_decimals: int, quantity_decimals: int) -> int:
    """The checksum as the venue words it: texts at full precision, without the point and without leading zeros.

    It stands on a grid whose tick and lot are one unit of the last decimal.
    """
    text = ""
    for side in (ASK, BID):
        for price, quantity in ladder.levels(side, 10):
            for count, decimals in ((price, price_decimals), (quantity, quantity_decimals)):
                digits = f"{count:0{decimals + 1}d}"
                padded = f"{digits[: len(digits) - decimals]}.{digits[len(digits) - decimals :]}"
                text += padded.replace(".", "").lstrip("0")
    return zlib.crc32(text.encode())
