"""Bars that were put together by hand, held to what loading holds files to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neural_trader.errors import DataError
from neural_trader.market.faults import Fault, Table, checked
from neural_trader.market.prices import check

if TYPE_CHECKING:
    from neural_trader.market.bars import Bars

_PRICES = ("open", "high", "low", "close")


def refuse_inconsistent(bars: Bars, before: int = 0, closed_ns: int | None = None) -> None:
    """Raises DataError for columns that the engine cannot read, and for the first bar that contradicts itself.

    Of a piece, ``before`` is the number of bars before it, and ``closed_ns`` when the last of them closed.
    """
    import numpy as np
    import polars as pl

    from neural_trader import _native

    columns = {name: getattr(bars, name) for name in ("open_ns", "close_ns", *_PRICES)}
    columns |= {name: column for name in ("volume", "spread") if (column := getattr(bars, name)) is not None}
    for name, column in columns.items():
        if not (isinstance(column, np.ndarray) and column.dtype == np.int64 and column.flags.c_contiguous):
            raise DataError(
                f"{bars.symbol}, {name}: give a contiguous numpy array of int64, or use bars_of for other data"
            )
        if column.shape != (len(bars),):
            raise DataError(f"{bars.symbol}, {name}: {column.shape} values for {len(bars)} bars; give one per bar")
    if not len(bars):
        raise DataError(f"{bars.symbol}: no bars")
    late = np.flatnonzero(bars.close_ns <= bars.open_ns)
    overlapping = np.flatnonzero(bars.open_ns[1:] < bars.close_ns[:-1]) + 1
    if closed_ns is not None and bars.open_ns[0] < closed_ns:
        overlapping = np.zeros(1, np.intp)
    if len(late) or len(overlapping):
        row = int(min([*late[:1], *overlapping[:1]]))
        raise DataError(
            f"{bars.symbol}, bar {before + row}: it must close after it opens, and open no earlier than the last closed"
        )
    table = Table(
        pl.DataFrame({name: columns[name] for name in columns}), bars.symbol,
        rows=pl.int_range(before, before + len(bars), eager=True) if before else None,
    )  # fmt: skip
    check(table, _PRICES, [columns[name] for name in _PRICES])
    for name in ("volume", "spread"):
        if name in columns:
            try:
                checked(_native.check_not_negative, columns[name])
            except Fault as fault:
                raise table.error(fault.code, name, fault.row) from None
