"""Trades and quotes from files: columns recognised, put on an exact grid, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.faults import Table
from neural_trader.market.prices import prices_of
from neural_trader.market.recognise_ticks import QUOTES, TRADES, QuoteColumns, TradeColumns
from neural_trader.market.sources import Source, read_shaped, sources_in
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import instants, time_text

if TYPE_CHECKING:
    from neural_trader.market.bars import Column
    from neural_trader.market.ticks import Sides

Ticks = TypeVar("Ticks", Trades, Quotes)
_BUYERS = {"buy": 1, "b": 1, "bid": 1, "buyer": 1, "1": 1, "1.0": 1, "+1": 1, "": 0, "0": 0, "none": 0, "unknown": 0}
_SELLERS = {"sell": -1, "s": -1, "ask": -1, "seller": -1, "-1": -1, "-1.0": -1, "offer": -1}
_MAKER_BOUGHT = {"1": -1, "true": -1, "t": -1, "yes": -1, "0": 1, "false": 1, "f": 1, "no": 1, "": 0}


def load_trades(path: str | Path, *, tick: Any = None, lot: Any = None, sort: bool = False) -> tuple[Trades, ...]:
    """Loads the trades of a file or folder, one item per instrument, sorted by symbol.

    Nothing is repaired: rows whose times fall are a ``DataError``, unless ``sort`` asks for them to be sorted, which is
    noted. Rows of one time keep their order.
    """
    return _loaded([trade for source in sources_in(path) for trade in trades_in(source, tick, lot, sort)], path)


def load_quotes(path: str | Path, *, tick: Any = None, lot: Any = None, sort: bool = False) -> tuple[Quotes, ...]:
    """Loads the quotes of a file or folder, one item per instrument, as ``load_trades`` does."""
    return _loaded([quote for source in sources_in(path) for quote in quotes_in(source, tick, lot, sort)], path)


def _loaded(found: list[Ticks], path: str | Path) -> tuple[Ticks, ...]:
    known: set[str] = set()
    for item in found:
        if item.symbol in known:
            raise DataError(f"{path}: symbol {item.symbol!r} is in two files; load them one by one")
        known.add(item.symbol)
    return tuple(sorted(found, key=lambda item: item.symbol.encode()))


def trades_in(source: Source, tick: Any = None, lot: Any = None, sort: bool = False) -> list[Trades]:
    """The trades of one file, instrument by instrument."""
    notes: list[str] = []
    table, columns = read_shaped(source, TRADES, notes)
    steps = _steps(tick, lot)
    parts = _parts(table, columns, source)
    return [_in_order(_trades(part, columns, name, steps, [*notes]), part, columns.time, sort) for name, part in parts]


def quotes_in(source: Source, tick: Any = None, lot: Any = None, sort: bool = False) -> list[Quotes]:
    """The quotes of one file, instrument by instrument."""
    notes: list[str] = []
    table, columns = read_shaped(source, QUOTES, notes)
    steps = _steps(tick, lot)
    parts = _parts(table, columns, source)
    return [_in_order(_quotes(part, columns, name, steps, [*notes]), part, columns.time, sort) for name, part in parts]


def _steps(tick: Any, lot: Any) -> tuple[Step | None, Step | None]:
    return (
        None if tick is None else Step.of(tick, "tick"),
        None if lot is None else Step.of(lot, "lot"),
    )


def _parts(table: Table, columns: TradeColumns | QuoteColumns, source: Source) -> list[tuple[str, Table]]:
    import polars as pl

    if columns.symbol is None:
        return [(source.stem, table)]
    table.refuse_missing(columns.symbol)
    series = table.frame[columns.symbol].cast(pl.String).str.strip_chars().alias("symbol")
    groups = series.to_frame().with_row_index("row").group_by("symbol", maintain_order=True).agg("row")
    if len(groups) == 1:
        return [(groups["symbol"][0], table)]
    return [(symbol, table.only(rows)) for symbol, rows in zip(groups["symbol"], groups["row"], strict=True)]


def _counted(
    table: Table, names: Sequence[str], step: Step | None, what: str, notes: list[str]
) -> tuple[list[Column], Step]:
    """Columns on one grid; what is noted about them speaks of ``what`` they are."""
    own: list[str] = []
    counts, found = prices_of(table, names, step, own)
    notes += [note.replace("prices", what, 1) for note in own]
    if step is None:
        notes.append(f"{'tick' if what == 'prices' else 'lot'} {found} inferred from the decimals of the {what}")
    return counts, found


def _trades(
    table: Table, columns: TradeColumns, symbol: str, steps: tuple[Step | None, Step | None], notes: list[str]
) -> Trades:
    times = instants(table, columns.time, columns.time_unit, notes)
    (price,), tick = _counted(table, [columns.price], steps[0], "prices", notes)
    (quantity,), lot = _counted(table, [columns.quantity], steps[1], "quantities", notes)
    _refuse(table, columns.price, price, lambda counts: counts <= 0, "not_positive")
    _refuse(table, columns.quantity, quantity, lambda counts: counts < 0, "negative")
    return Trades(
        symbol, tick, lot, times.ns, price, quantity, _sides(table, columns, notes), _ids(table, columns, notes),
        _received(table, columns, notes), table.source, tuple(notes),
    )  # fmt: skip


def _quotes(
    table: Table, columns: QuoteColumns, symbol: str, steps: tuple[Step | None, Step | None], notes: list[str]
) -> Quotes:
    times = instants(table, columns.time, columns.time_unit, notes)
    (bid, ask), tick = _counted(table, [columns.bid, columns.ask], steps[0], "prices", notes)
    for name, counts in ((columns.bid, bid), (columns.ask, ask)):
        _refuse(table, name, counts, lambda counts: counts <= 0, "not_positive")
    named = [name for name in (columns.bid_size, columns.ask_size) if name is not None and not _is_empty(table, name)]
    sizes: dict[str, Column] = {}
    lot = steps[1] or Step(1, 0)
    if named:
        counted, lot = _counted(table, named, steps[1], "sizes", notes)
        sizes = dict(zip(named, counted, strict=True))
        for name, size in sizes.items():
            _refuse(table, name, size, lambda counts: counts < 0, "negative")
    return Quotes(
        symbol, tick, lot, times.ns, bid, ask, sizes.get(columns.bid_size or ""), sizes.get(columns.ask_size or ""),
        _received(table, columns, notes), table.source, tuple(notes),
    )  # fmt: skip


def _refuse(table: Table, name: str, counts: Column, wrong: Callable[[Column], Any], code: str) -> None:
    found = wrong(counts)
    if found.any():
        raise table.error(code, name, int(found.argmax()))


def _is_empty(table: Table, column: str) -> bool:
    """Whether no row has a value: an export writes such columns too."""
    return table.frame[column].null_count() == len(table.frame)


def _received(table: Table, columns: TradeColumns | QuoteColumns, notes: list[str]) -> Column | None:
    if columns.recv is None or _is_empty(table, columns.recv):
        return None
    return instants(table, columns.recv, columns.recv_unit, notes).ns


def _sides(table: Table, columns: TradeColumns, notes: list[str]) -> Sides:
    import numpy as np
    import polars as pl

    name = columns.side or columns.maker
    if name is None:
        notes.append("no column tells who took: the side of trades is unknown")
        return np.zeros(len(table.frame), np.int8)
    known = _BUYERS | _SELLERS if columns.side else _MAKER_BOUGHT
    cells = table.frame[name].cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
    sides = cells.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Int8)
    if sides.null_count():
        row = sides.is_null().arg_max() or 0
        meant = "buy or sell" if columns.side else "true or false"
        raise DataError(f"{table.place(row)}, column {name!r}: {table.frame[name][row]!r} is not {meant}; correct it")
    return np.ascontiguousarray(sides.to_numpy())


def _ids(table: Table, columns: TradeColumns, notes: list[str]) -> Column | None:
    import numpy as np
    import polars as pl

    if columns.trade_id is None or _is_empty(table, columns.trade_id):
        return None
    ids = table.frame[columns.trade_id]
    whole = ids.cast(pl.String).str.strip_chars().cast(pl.Int64, strict=False)
    if whole.null_count():
        notes.append(f"column {columns.trade_id!r} holds more than whole numbers: ids of trades are not kept")
        return None
    return np.ascontiguousarray(whole.to_numpy())


def _in_order(ticks: Ticks, table: Table, column: str, sort: bool) -> Ticks:
    """The rows in the order of time (and of id within one time); others are refused or, if asked for, sorted."""
    import numpy as np

    ids = getattr(ticks, "trade_id", None)
    later = np.diff(ticks.ts_ns)
    falls = later < 0
    if ids is not None:
        _refuse_repeated_ids(ticks.ts_ns, ids, table)
        falls |= (later == 0) & (np.diff(ids) <= 0)
    if not falls.any():
        return ticks
    row = int(falls.argmax()) + 1
    if not sort:
        if later[row - 1] < 0:
            raise table.error("unsorted", column, row)
        raise DataError(
            f"{table.place(row)}: trade {'' if ids is None else ids[row]} follows one of the same time with a larger"
            " id; sort the rows by time and id"
        )
    keys = (ticks.ts_ns,) if ids is None else (ids, ticks.ts_ns)
    order = np.lexsort(keys)
    moved = int((order != np.arange(len(order))).sum())
    columns: dict[str, Any] = {name: all_[order] for name, all_ in vars(ticks).items() if isinstance(all_, np.ndarray)}
    note = f"{moved} of {len(ticks)} rows moved: they were not in the order of time"
    return replace(ticks, **columns, notes=(*ticks.notes, note))


def _refuse_repeated_ids(ts_ns: Column, ids: Column, table: Table) -> None:
    import numpy as np

    if (np.diff(ids) > 0).all():
        return
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(np.diff(ids[order]) == 0)
    if len(repeated):
        row = int(order[repeated + 1].min())
        raise DataError(f"{table.place(row)}: trade {ids[row]} of {time_text(ts_ns[row])} is there twice; keep one")
