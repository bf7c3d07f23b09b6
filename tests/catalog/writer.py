"""Imports pieces of a market into a catalog, as a process that may be killed."""

from __future__ import annotations

import sys

from catalog_markets import part_of, some_trades
from neural_trader.market.catalog import Catalog


def main(root: str, rows: int, piece: int, step: int, first: int) -> None:
    """Appends every ``step``-th piece from the ``first`` on."""
    catalog, whole = Catalog(root), some_trades(rows)
    print("ready", flush=True)
    for begin in range(first * piece, rows, step * piece):
        catalog.append(part_of(whole, begin, begin + piece), "binance")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
