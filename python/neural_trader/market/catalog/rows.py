"""What each kind of dataset holds, and how exact columns become rows that any tool can read, and come back.

Prices and quantities are floats, each the one nearest to its decimal. That is exact: while a count of ticks stays below
2**53 the float leads back to the count, and every column is led back before it is written. A count that would not come
back is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.faults import Fault, checked
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import DAY_NS, SECOND_NS, interval_ns_of, interval_text

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.market.bars import Column


@dataclass(frozen=True)
class Kind:
    """The columns of a kind: each with what it counts."""

    columns: dict[str, str]
    optional: tuple[str, ...]
    """Columns that all rows of a dataset have, or none."""
    compared: tuple[str, ...]
    """Columns in which two rows of one identity must agree."""

    @property
    def time(self) -> str:
        return next(iter(self.columns))


KINDS = {
    "bars": Kind(
        {
            "open_time": "time", "close_time": "time", "open": "price", "high": "price", "low": "price",
            "close": "price", "volume": "quantity", "spread": "price",
        },
        ("volume", "spread"),
        ("close_time", "open", "high", "low", "close", "volume", "spread"),
    ),
    "trades": Kind(
        {
            "ts_event": "time", "ts_recv": "time", "trade_id": "id", "price": "price", "quantity": "quantity",
            "side": "side",
        },
        ("trade_id",),
        ("price", "quantity", "side"),
    ),
    "quotes": Kind(
        {
            "ts_event": "time", "ts_recv": "time", "bid": "price", "ask": "price", "bid_size": "quantity",
            "ask_size": "quantity",
        },
        ("bid_size", "ask_size"),
        ("bid", "ask", "bid_size", "ask_size"),
    ),
    "depth": Kind(
        {
            "ts_event": "time", "ts_recv": "time", "sequence": "id", "is_snapshot": "flag", "side": "side",
            "price": "price", "quantity": "quantity",
        },
        (),
        ("sequence", "is_snapshot", "side", "price", "quantity"),
    ),
    "orders": Kind(
        {
            "ts_event": "time", "ts_recv": "time", "sequence": "id", "action": "text", "order_id": "id",
            "side": "side", "price": "price", "quantity": "quantity", "is_last": "flag",
        },
        (),
        ("sequence", "action", "order_id", "side", "price", "quantity", "is_last"),
    ),
}  # fmt: skip
"""Every kind; sides are 1 (a buyer took; a bid), -1 (a seller took; an ask) and 0 (unknown)."""


@dataclass(frozen=True)
class Rows:
    """Rows of one dataset on their way in."""

    symbol: str
    kind: str
    every: str
    tick: Step
    lot: Step
    columns: tuple[str, ...]
    """The optional columns that have values."""
    frame: pl.DataFrame
    made: str = ""
    """What generated them, where no market traded them."""
    notes: tuple[str, ...] = ()


def rows_of(item: Bars | Trades | Quotes) -> Rows:
    """The rows that keep bars, trades or quotes."""
    if isinstance(item, Bars):
        arrays: dict[str, Any] = {
            "open_time": item.open_ns, "close_time": item.close_ns, "open": item.open, "high": item.high,
            "low": item.low, "close": item.close, "volume": item.volume, "spread": item.spread,
        }  # fmt: skip
        return _rows(item, "bars", interval_text(item.interval_ns), arrays)
    if isinstance(item, Trades):
        arrays = {
            "ts_event": item.ts_ns, "ts_recv": item.recv_ns, "trade_id": item.trade_id, "price": item.price,
            "quantity": item.quantity, "side": item.side,
        }  # fmt: skip
        return _rows(item, "trades", "", arrays)
    arrays = {
        "ts_event": item.ts_ns, "ts_recv": item.recv_ns, "bid": item.bid, "ask": item.ask,
        "bid_size": item.bid_size, "ask_size": item.ask_size,
    }  # fmt: skip
    return _rows(item, "quotes", "", arrays)


def _rows(item: Bars | Trades | Quotes, kind: str, every: str, arrays: dict[str, Any]) -> Rows:
    label = item.source[item.source.index("synthetic") :] if getattr(item, "origin", "") == "synthetic" else ""
    return rows_of_arrays(item.symbol, kind, every, (item.tick, item.lot), arrays, label)


def rows_of_arrays(
    symbol: str, kind: str, every: str, grid: tuple[Step, Step], arrays: dict[str, Any], made: str = ""
) -> Rows:
    """Rows of exact columns, by name; one that is None has no values."""
    import polars as pl

    shape = KINDS[kind]
    length = len(arrays[shape.time])
    series: list[pl.Series] = []
    for name, what in shape.columns.items():
        values, dtype = arrays[name], dtype_of(what)
        if values is None:
            series.append(pl.Series(name, [None], dtype=dtype).new_from_index(0, length))
        elif what in ("price", "quantity"):
            series.append(pl.Series(name, _floats(symbol, name, values, grid[0] if what == "price" else grid[1])))
        else:
            series.append(pl.Series(name, values).cast(dtype))
    present = tuple(name for name in shape.optional if arrays[name] is not None)
    return Rows(symbol, kind, every, *grid, present, pl.DataFrame(series), made)


def dtype_of(what: str) -> Any:
    """The type of a column that counts this, in files."""
    import polars as pl

    dtypes: dict[str, Any] = {
        "time": pl.Datetime("ns", "UTC"), "id": pl.Int64, "side": pl.Int8, "flag": pl.Boolean, "text": pl.String,
    }  # fmt: skip
    return dtypes.get(what, pl.Float64)


def _floats(symbol: str, name: str, counts: Column, step: Step) -> Any:
    """The floats nearest to counts of a step, each proved to lead back to its count."""
    import numpy as np

    values = step.value_of(counts)
    try:
        back = counts_of(values, step)
    except Fault:
        back = None
    if back is None or not np.array_equal(back, counts):
        row = 0 if back is None else int(np.argmax(back != counts))
        raise DataError(
            f"{symbol}, row {row}, column {name!r}: {values[row]} in steps of {step} has more digits than a float"
            " keeps; give a coarser tick or lot"
        )
    return values


def counts_of(values: Any, step: Step) -> Column:
    """Floats as counts of a step; one that is no multiple raises the fault of the core."""
    import numpy as np

    from neural_trader import _native

    return checked(
        _native.floats_on_step, np.ascontiguousarray(values, np.float64), step.mantissa, step.decimals, False
    )[0]


def dates_of(frame: pl.DataFrame, kind: str, every: str) -> pl.Series:
    """The first day of the period of each row."""
    import polars as pl

    return frame.select(
        pl.col(KINDS[kind].time).dt.truncate(period_of(kind, every)).dt.strftime("%Y-%m-%d")
    ).to_series()


def period_of(kind: str, every: str) -> str:
    """The period that one file covers: a day, for bars of a minute and more a month, of an hour and more a year."""
    if kind != "bars":
        return "1d"
    try:
        length_ns = interval_ns_of(every)
    except DataError:
        return "1mo"
    return "1d" if length_ns < 60 * SECOND_NS else "1mo" if length_ns < DAY_NS // 24 else "1y"
