"""Instruments as their venues describe them, and the grids on which their market data is decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from neural_trader._native import instruments_of
from neural_trader.errors import DataError

# What stands before a message in captures: an address and a time, or a time.
_RECORDED = re.compile(rb"\s*(\S+ -> )?\d+(\.\d+:|:| )\s*")
Step = tuple[int, int]
"""An exact decimal step: mantissa and decimals."""


@dataclass(frozen=True)
class VenueInstrument:
    """One instrument: its currencies, the steps of its orders, and the decimals of its market data."""

    symbol: str
    tick: Step
    lot: Step
    price_decimals: int
    quantity_decimals: int
    base: str = ""
    quote: str = ""
    quantity_min: str = ""
    notional_min: str = ""
    tradable: bool = True

    @property
    def data_lot(self) -> Step:
        """The step of quantities in market data: orders from before a lot was made coarser may rest between lots."""
        return 1, min(self.quantity_decimals, 9)

    def price(self, ticks: int) -> Decimal:
        """The price of a record."""
        return Decimal(ticks * self.tick[0]).scaleb(-self.tick[1])

    def quantity(self, lots: int) -> Decimal:
        """The quantity of a record."""
        return Decimal(lots).scaleb(-self.data_lot[1])


def described_instruments(venue: str, document: bytes) -> dict[str, VenueInstrument]:
    """The instruments of a venue's own description (exchangeInfo, AssetPairs, products, ...) by symbol.

    Those whose steps are missing or finer than nine decimals are left out.
    """
    try:
        described, _ = instruments_of(venue, document)
    except ValueError as error:
        if len(error.args) != 2:
            raise
        code, offset = error.args
        raise DataError(f"the description of {venue} cannot be read: {code} at byte {offset}") from None
    return {one["symbol"]: VenueInstrument(**one) for one in described}


def instruments_in(path: str | Path, venue: str) -> tuple[VenueInstrument, ...]:
    """The instruments of a description in a file, compressed with gzip or not: the venue's answer as it is, or as a
    line of a capture."""
    from neural_trader.market.captures import opened

    try:
        with opened(Path(path)) as file:
            text = file.read()
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: the file is damaged: {error}") from None
    recorded = _RECORDED.match(text)
    try:
        found = described_instruments(venue, text[recorded.end() :] if recorded else text)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except ValueError as error:
        # A venue that nobody knows.
        raise DataError(str(error)) from None
    if not found:
        raise DataError(f"{path}: describes no instrument of {venue}; take the venue's own list of them")
    return tuple(found.values())
