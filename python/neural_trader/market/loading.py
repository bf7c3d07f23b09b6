"""Bars from files and from data in memory: columns recognised, put on an exact grid, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.faults import Fault, Table, checked
from neural_trader.market.prices import check, mid_prices_of, prices_of, volume_of
from neural_trader.market.recognise import Columns
from neural_trader.market.sources import Source, read, sources_in, suggestion
from neural_trader.market.times import DAY_NS, SECOND_NS, Instants, instant_ns_of, instants, interval_text, time_text

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.market.bars import Column


@dataclass(frozen=True)
class Loaded:
    """The bars of one instrument, the file they came from and the role of each of its columns."""

    bars: Bars
    file: str
    columns: Columns


def load_bars(
    path: str | Path,
    symbols: Iterable[str] | str | None = None,
    start: Any = None,
    end: Any = None,
    tick: Any = None,
    lot: Any = None,
) -> tuple[Bars, ...]:
    """Loads the bars of a file, or of all files in a folder, sorted by symbol.

    A file holds one instrument, whose symbol is the file's name without extensions, or many with a column ``symbol``.
    ``symbols`` selects; ``start`` and ``end`` (text, date, datetime or nanoseconds; UTC) keep bars with
    ``start <= open time < end``. ``tick`` and ``lot`` replace the steps inferred from the decimals of the data.
    Nothing is sorted, repaired or dropped: what is wrong with the data is a ``DataError`` that names file, row,
    column and value.
    """
    window = window_of(start, end)
    wanted = None if symbols is None else [symbols] if isinstance(symbols, str) else list(symbols)
    if wanted == []:
        raise DataError("symbols is empty: name at least one, or leave it out to load all")
    loaded = load(path, wanted, _step(tick, "tick"), _step(lot, "lot"))
    return tuple(within(item.bars, *window) for item in loaded)


def _step(value: Any, name: str) -> Step | None:
    return None if value is None else Step.of(value, name)


def load(path: str | Path, symbols: list[str] | None, tick: Step | None, lot: Step | None) -> list[Loaded]:
    """Loads whole series, with what was recognised, sorted by symbol."""
    sources = sources_in(path)
    loaded: dict[str, Loaded] = {}
    passed: list[str] = []
    for source in _candidates(sources, symbols):
        notes: list[str] = []
        table, columns = read(source, notes)
        for symbol, rows in _instruments(table, columns, source.stem).items():
            if symbols is not None and symbol not in symbols:
                passed.append(symbol)
                continue
            if symbol in loaded:
                raise DataError(f"{source.name}: symbol {symbol!r} is in {loaded[symbol].file} too; remove one of them")
            part = table if rows is None else table.only(rows)
            bars = bars_from_table(part, columns, symbol, tick, lot, "file", str(source.path), list(notes))
            loaded[symbol] = Loaded(bars, source.name, columns)
    if missing := [symbol for symbol in symbols or () if symbol not in loaded]:
        known = sorted({*passed, *loaded} if len(sources) == 1 else {source.stem for source in sources})
        shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        raise DataError(
            f"{Path(path).name}: no symbol {missing[0]!r} here{suggestion(missing[0], known)} (found: {shown})"
        )
    return [loaded[symbol] for symbol in sorted(loaded, key=lambda name: name.encode())]


def _candidates(sources: list[Source], symbols: list[str] | None) -> list[Source]:
    """The files worth reading: those named like a wanted symbol, or all where a column may hold the symbols."""
    if symbols is None or len(sources) == 1:
        return sources
    named = [source for source in sources if source.stem in symbols]
    return named if len(named) == len(set(symbols)) else sources


def _instruments(table: Table, columns: Columns, stem: str) -> dict[str, pl.Series | None]:
    """The instruments of a table, each with its rows in their order; None stands for all rows."""
    if columns.symbol is None:
        return {stem: None}
    import polars as pl

    table.refuse_missing(columns.symbol)
    series = table.frame[columns.symbol].cast(pl.String).str.strip_chars().alias("symbol")
    groups = series.to_frame().with_row_index("row").group_by("symbol", maintain_order=True).agg("row")
    if len(groups) == 1:
        return {groups["symbol"][0]: None}
    return dict(zip(groups["symbol"], groups["row"], strict=True))


def bars_from_table(
    table: Table,
    columns: Columns,
    symbol: str,
    tick: Step | None,
    lot: Step | None,
    origin: Literal["file", "memory"],
    source: str,
    notes: list[str],
) -> Bars:
    """One instrument's bars from the columns that were recognised."""
    if not symbol or any(ord(letter) < 32 for letter in symbol):
        raise DataError(f"{table.source}: {symbol!r} cannot be a symbol; name the instrument")
    if columns.ignored:
        notes.append(f"ignored column(s): {', '.join(map(repr, columns.ignored))}")
    tick = tick or _step_column(table, columns.tick_size, "tick")
    lot = lot or _step_column(table, columns.lot_size, "lot")
    open_ns, close_ns, interval_ns = _time_line(table, columns, notes)
    spread: Column | None = None
    if columns.quoted:
        prices, step, spread = mid_prices_of(table, columns.prices, tick, notes)
    else:
        prices, step = prices_of(table, columns.prices, tick, notes)
        if columns.spread_ticks is not None:
            (spread,), _ = prices_of(table, [columns.spread_ticks], Step(1, 0), notes)
    check(table, columns.prices, prices)
    if tick is None and not columns.quoted:
        notes.append(f"tick {step} inferred from the decimals of the prices")
    volume, lot_step = volume_of(table, columns.volume, lot, notes)
    made = _generator(table, columns.origin)
    arrays = [open_ns, close_ns, *prices, volume, spread]
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
    opens, highs, lows, closes = prices
    return Bars(
        symbol, step, lot_step, open_ns, close_ns, opens, highs, lows, closes, volume, spread,
        origin="synthetic" if made else origin, source=f"{source}: {made}" if made else source,
        interval_ns=interval_ns, notes=tuple(notes),
    )  # fmt: skip


def _generator(table: Table, name: str | None) -> str:
    """What made synthetic bars, from the column in which a file of them says so; empty for all others."""
    import polars as pl

    if name is None or not len(table.frame):
        return ""
    label = table.frame[name].cast(pl.String)[0]
    return label if label is not None and label.startswith("synthetic") else ""


def _step_column(table: Table, name: str | None, what: str) -> Step | None:
    """A tick or lot that a file written by this package carries in a column of one value."""
    if name is None:
        return None
    table.refuse_missing(name)
    if table.frame[name].n_unique() > 1:
        raise DataError(f"{table.source}: column {name!r} has more than one value; an instrument has one {what}")
    text = str(table.frame[name][0]).strip()
    step = Step.of(text, what)
    whole, _, fraction = text.partition(".")
    # As it is written: 10.0 counts tenths, as the bars that were written did.
    return Step(int(whole + fraction), len(fraction)) if (whole + fraction).isdecimal() else step


def _spacing(table: Table, column: str, ns: Column) -> int:
    from neural_trader import _native

    try:
        interval_ns: int = checked(_native.spacing, ns)[0]
        return interval_ns
    except Fault as fault:
        raise table.error(fault.code, column, fault.row) from None


def _with_time_of_day(table: Table, columns: Columns) -> Table:
    """The table with date and time of day joined in the column of dates."""
    import polars as pl

    if columns.time is None or columns.time_of_day is None:
        return table
    date, clock = table.frame[columns.time], table.frame[columns.time_of_day]
    table.refuse_missing(columns.time)
    table.refuse_missing(columns.time_of_day)
    days = date.cast(pl.Date).cast(pl.String) if date.dtype.is_temporal() else date.cast(pl.String).str.strip_chars()
    moments = days + " " + clock.cast(pl.String).str.strip_chars().str.pad_start(5, "0")
    return Table(table.frame.with_columns(moments.alias(columns.time)), table.source, table.first_line, table.rows)


def _time_line(table: Table, columns: Columns, notes: list[str]) -> tuple[Column, Column, int]:
    """Opens, closes and the usual interval."""
    from neural_trader import _native

    closing = None
    if columns.close_time is not None:
        closing = instants(table, columns.close_time, columns.close_time_unit, notes)
    if columns.time is None:
        if closing is None or columns.close_time is None:
            raise DataError(f"{table.source}: no column of times; rename it to 'time'")
        return _labelled_at_close(table, columns.close_time, closing, notes)
    opening = instants(_with_time_of_day(table, columns), columns.time, columns.time_unit, notes)
    interval_ns = _spacing(table, columns.time, opening.ns)
    if closing is not None and columns.close_time is not None:
        return _both(table, columns.close_time, opening, closing, interval_ns, notes)
    if interval_ns == 0:
        if not opening.dates:
            raise DataError(
                f"{table.source}: one bar alone does not tell how long it lasts; add a column 'close_time' or more bars"
            )
        interval_ns = DAY_NS
        notes.append("one bar with a date: taken to last a day")
    return opening.ns, checked(_native.closes, opening.ns, interval_ns), interval_ns


def _inclusive(close_ns: Column, resolution_ns: int, interval_ns: int) -> bool:
    """Whether closes are the last instant within each bar, such as 09:59:59.999, rather than the first after it."""
    whole_ns = 60 * SECOND_NS if interval_ns % (60 * SECOND_NS) == 0 else SECOND_NS
    return bool(((close_ns + resolution_ns) % whole_ns == 0).all()) and resolution_ns < whole_ns


def _labelled_at_close(table: Table, column: str, closing: Instants, notes: list[str]) -> tuple[Column, Column, int]:
    import numpy as np

    interval_ns = _spacing(table, column, closing.ns)
    if interval_ns == 0:
        raise DataError(
            f"{table.source}: one bar alone does not tell how long it lasts; add a column 'open_time' or more bars"
        )
    close_ns = closing.ns
    if _inclusive(close_ns, closing.resolution_ns, interval_ns):
        close_ns = close_ns + closing.resolution_ns
        notes.append(f"column {column!r} is the last instant of each bar: the close is one step later")
    open_ns = np.ascontiguousarray(close_ns - interval_ns)
    open_ns[1:] = np.maximum(open_ns[1:], close_ns[:-1])
    notes.append(f"bars are labelled by their close: each opens {interval_text(interval_ns)} before column {column!r}")
    return open_ns, close_ns, interval_ns


def _both(
    table: Table, column: str, opening: Instants, closing: Instants, interval_ns: int, notes: list[str]
) -> tuple[Column, Column, int]:
    import numpy as np

    open_ns, close_ns = opening.ns, closing.ns
    length_ns = interval_ns or int(close_ns[0] - open_ns[0])
    last = close_ns - open_ns == length_ns - closing.resolution_ns
    # A column that counts finely against the length of the bars; two steps a bar would be a coincidence.
    if closing.resolution_ns * 1000 <= length_ns and 2 * int(last.sum()) > len(last):
        close_ns = close_ns + closing.resolution_ns
        notes.append(f"column {column!r} is the last instant of each bar: the close is one step later")
    early = close_ns <= open_ns
    late = np.zeros(len(early), bool)
    late[:-1] = close_ns[:-1] > open_ns[1:]
    if (early | late).any():
        row = int(np.argmax(early | late))
        what = "is not after the open of its bar" if early[row] else "is after the open of the next bar"
        raise DataError(
            f"{table.place(row)}, column {column!r}: {table.frame[column][row]} {what};"
            " correct it, or remove the column to have closes derived from the opens"
        )
    return open_ns, close_ns, interval_ns or int(close_ns[0] - open_ns[0])


def window_of(start: Any, end: Any) -> tuple[int | None, int | None]:
    start_ns = None if start is None else instant_ns_of(start, "start")
    end_ns = None if end is None else instant_ns_of(end, "end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise DataError(f"start {time_text(start_ns)} is not before end {time_text(end_ns)}; swap them")
    return start_ns, end_ns


def within(bars: Bars, start_ns: int | None, end_ns: int | None) -> Bars:
    """The bars that open within the window."""
    if start_ns is None and end_ns is None:
        return bars
    first = 0 if start_ns is None else int(bars.open_ns.searchsorted(start_ns))
    last = len(bars) if end_ns is None else int(bars.open_ns.searchsorted(end_ns))
    if first >= last:
        asked = " ".join(
            f"{word} {time_text(ns)}" for word, ns in (("from", start_ns), ("to", end_ns)) if ns is not None
        )
        raise DataError(
            f"{bars.symbol}: no bars {asked}; the data runs from {time_text(bars.open_ns[0])}"
            f" to {time_text(bars.close_ns[-1])}: choose a time within it"
        )

    note = f"{last - first} of {len(bars)} bars kept: those that open within the window asked for"
    return replace(bars.rows(first, last), notes=(*bars.notes, note))


def bars_of(data: Any, symbol: str = "", *, tick: Any = None, lot: Any = None) -> Bars:
    """Bars of one instrument from data in memory: a polars or pandas frame, or a mapping of names to columns."""
    from neural_trader.market.memory_frames import frame_of
    from neural_trader.market.recognise import recognise
    from neural_trader.market.times import is_time_of_day

    frame, named = frame_of(data)
    columns = recognise(frame.columns, "data", lambda name: is_time_of_day(frame[name]), symbol)
    table = Table(frame.select(columns.used), "data")
    if frame.is_empty():
        raise DataError("data: no bars; it has columns but no rows")
    parts = _instruments(table, columns, symbol or named)
    if len(parts) > 1 and symbol not in parts:
        raise DataError(f"data: holds {len(parts)} symbols{suggestion(symbol, list(parts))}; name one with symbol=...")
    rows = parts[symbol] if symbol in parts else next(iter(parts.values()))
    part = table if rows is None else table.only(rows)
    name = symbol or next(iter(parts))
    if not name:
        raise DataError("data: no symbol; name the instrument with symbol=...")
    kind = "mapping" if isinstance(data, Mapping) else f"{type(data).__module__.split('.')[0]} frame"
    return bars_from_table(part, columns, name, _step(tick, "tick"), _step(lot, "lot"), "memory", kind, [])
