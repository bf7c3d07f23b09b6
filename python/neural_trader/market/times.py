"""Time columns of any form become nanoseconds since 1970-01-01 UTC; what was taken for what is noted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.faults import Fault, Table, checked

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.bars import Column

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
UNITS_NS = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# Below 10**8 seconds a number is a count or an index rather than a time: that limit is March 1973.
SMALLEST_EPOCH = 10**8
_INTERVAL_UNITS = {"w": 7 * DAY_NS, "d": DAY_NS, "h": 3600 * SECOND_NS, "m": 60 * SECOND_NS, "s": SECOND_NS}
_NUMERIC = re.compile(r"\s*[+-]?\d+(\.\d+)?([eE][+]?\d+)?\s*$")
_COMPACT_DATE = re.compile(r"\s*(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])[0-5]\d([0-5]\d)?)?\s*$")
_TIME_OF_DAY = re.compile(r"\s*\d{1,2}:\d\d(:\d\d([.,]\d+)?)?\s*$")


@dataclass(frozen=True)
class Instants:
    """A time column in nanoseconds."""

    ns: Column
    resolution_ns: int
    """The smallest step that the column can express: one millisecond for a column of milliseconds."""
    dates: bool = False
    """Whether the column has dates without a time of day."""


def time_text(ns: int) -> str:
    """An instant for a reader: a date, or a date and time where it is not midnight UTC."""
    seconds, fraction = divmod(int(ns), SECOND_NS)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if seconds % 86_400 == 0 and not fraction:
        return f"{moment:%Y-%m-%d}"
    text = f"{moment:%Y-%m-%d %H:%M}" if seconds % 60 == 0 and not fraction else f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{text}.{fraction:09d}".rstrip("0") if fraction else text


def interval_text(interval_ns: int) -> str:
    """An interval for a reader: ``1h``, ``5m``, ``1d``."""
    for unit in "dhms":
        if interval_ns and interval_ns % _INTERVAL_UNITS[unit] == 0:
            return f"{interval_ns // _INTERVAL_UNITS[unit]}{unit}"
    return f"{interval_ns / SECOND_NS:g}s"


def interval_ns_of(interval: str | int | timedelta) -> int:
    """The nanoseconds of ``"1h"``, ``"5m"``, ``"1d"``, a timedelta, or a number of nanoseconds."""
    if isinstance(interval, timedelta):
        interval_ns = (interval.days * 86_400 + interval.seconds) * SECOND_NS + interval.microseconds * 1000
    elif isinstance(interval, str):
        match = re.fullmatch(r"\s*(\d+)\s*([wdhms])\s*", interval)
        interval_ns = int(match[1]) * _INTERVAL_UNITS[match[2]] if match else 0
    else:
        interval_ns = int(interval)
    if not 0 < interval_ns < 2**62:
        raise DataError(f"interval {interval!r} is not a length of time; write it like 1h, 15m or 1d")
    return interval_ns


def instant_ns_of(value: Any, name: str) -> int:
    """The nanoseconds of an instant that a caller names: text, date, datetime, datetime64 or nanoseconds."""
    from neural_trader import _native

    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1000
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days * DAY_NS
    if isinstance(value, str):
        try:
            return int(checked(_native.instants_from_text, value.strip().encode(), 1)[0][0])
        except Fault:
            raise DataError(f"{name} {value!r} is not a time; write it as 2024-01-31 or 2024-01-31T09:30:00Z") from None
    if type(value).__module__ == "numpy" and type(value).__name__ == "datetime64":
        return int(value.astype("datetime64[ns]").astype("int64"))
    try:
        return int(value)
    except (TypeError, ValueError):
        raise DataError(f"{name} {value!r} is not a time; write it as 2024-01-31 or 2024-01-31T09:30:00Z") from None


def is_time_of_day(series: pl.Series) -> bool:
    """Whether a column has times of day without dates, which a column of dates must complete."""
    import polars as pl

    if series.dtype == pl.String:
        first = series.drop_nulls().head(1)
        return bool(len(first)) and bool(_TIME_OF_DAY.match(first[0]))
    return bool(series.dtype == pl.Time)


def looks_like_time(cell: str) -> bool:
    """Whether a cell of text could be a time: a date, a date-time, or a number as large as times are."""
    if _NUMERIC.match(cell):
        return bool(_COMPACT_DATE.match(cell)) or abs(float(cell)) >= SMALLEST_EPOCH
    return bool(re.match(r"\s*\d{4}[-/.]?\d\d[-/.]?\d\d", cell))


def instants(table: Table, column: str, unit: str | None, notes: list[str]) -> Instants:
    """Reads a time column; ``unit`` is what the column's name says (s, ms, us, ns), if it says it."""
    import polars as pl

    table.refuse_missing(column)
    series = table.frame[column]
    dtype = series.dtype
    if dtype == pl.String:
        return _from_text(table, column, unit, notes)
    if dtype == pl.Date:
        notes.append(f"column {column!r} has dates: each bar opens at 00:00 UTC")
        return Instants(_scaled(table, column, _integers(series.to_physical()), DAY_NS), DAY_NS, dates=True)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            notes.append(f"column {column!r} names no time zone: read as UTC")
        elif dtype.time_zone != "UTC":
            notes.append(f"column {column!r} is in {dtype.time_zone}: converted to UTC")
        own_ns = UNITS_NS[dtype.time_unit]
        counts = _integers(series.to_physical())
        return Instants(counts if own_ns == 1 else _scaled(table, column, counts, own_ns), own_ns)
    if dtype.is_integer():
        if _all_compact(series.cast(pl.String)) and unit is None:
            return _from_text(_with(table, column, series.cast(pl.String)), column, unit, notes)
        return _from_epoch(table, column, _integers(series), 0, unit, notes)
    if dtype.is_float():
        return _from_floats(table, column, unit, notes)
    raise DataError(
        f"{table.source}: column {column!r} of type {dtype} is not a time; convert it to dates or date-times"
    )


def _with(table: Table, column: str, series: pl.Series) -> Table:
    return Table(table.frame.with_columns(series.alias(column)), table.source, table.first_line, table.rows)


def _integers(series: pl.Series) -> Column:
    import numpy as np
    import polars as pl

    whole = series if series.dtype == pl.Int64 else series.cast(pl.Int64)
    return np.ascontiguousarray(whole.rechunk().to_numpy())


def _scaled(table: Table, column: str, counts: Column, unit_ns: int) -> Column:
    from neural_trader import _native

    try:
        return checked(_native.in_nanoseconds, counts, unit_ns)
    except Fault as fault:
        value = table.frame[column][fault.row]
        raise DataError(
            f"{table.place(fault.row)}, column {column!r}: {value} lies outside the years 1677 to 2262; correct the row"
        ) from None


def _all_compact(text: pl.Series) -> bool:
    """Whether cells are dates or date-times without separators, such as 20240131 or 20240131093000."""
    # The ends are enough to decide; every cell is validated when it is parsed.
    return bool(len(text)) and all(bool(_COMPACT_DATE.match(text[row])) for row in (0, len(text) // 2, -1))


def joined(table: Table, column: str) -> bytes:
    """The cells of a column as text, joined by newlines."""
    import polars as pl

    series = table.frame[column]
    cells = series if series.dtype == pl.String else series.cast(pl.String)
    text: str = cells.str.join("\n").item()
    if text.count("\n") != len(cells) - 1:
        row = cells.str.contains("\n", literal=True).arg_max() or 0
        raise table.error("cell_count", column, row)
    return text.encode()


def _from_text(table: Table, column: str, unit: str | None, notes: list[str]) -> Instants:
    from neural_trader import _native

    series = table.frame[column]
    compact = unit is None and _all_compact(series)
    if not compact and _NUMERIC.match(series[0]):
        try:
            mantissas, decimals = checked(_native.decimals_from_text, joined(table, column), len(series), 9)
        except Fault as fault:
            raise table.error("not_a_time", column, fault.row) from None
        return _from_epoch(table, column, mantissas, decimals, unit, notes)
    try:
        ns, zoned, shifted, timed = checked(_native.instants_from_text, joined(table, column), len(series))
    except Fault as fault:
        if fault.code == "out_of_range":
            fault.code = "not_a_time"
        raise table.error(fault.code, column, fault.row) from None
    if compact:
        notes.append(f"column {column!r} read as dates written without separators, such as {series[0]}")
    if not timed:
        notes.append(f"column {column!r} has dates: each bar opens at 00:00 UTC")
    elif not zoned:
        notes.append(f"column {column!r} names no time zone: read as UTC")
    elif shifted:
        notes.append(f"column {column!r} has offsets from UTC: converted to UTC")
    return Instants(ns, SECOND_NS if timed else DAY_NS, dates=not timed)


def _from_floats(table: Table, column: str, unit: str | None, notes: list[str]) -> Instants:
    import numpy as np
    import polars as pl

    from neural_trader import _native

    values = np.ascontiguousarray(table.frame[column].cast(pl.Float64).to_numpy())
    try:
        (counts,), decimals, _, _ = checked(_native.prices_on_grid, [[values]], 6)
    except Fault as fault:
        raise table.error("not_a_time", column, fault.row) from None
    return _from_epoch(table, column, counts, decimals, unit, notes)


def _unit_by_size(size: int) -> str:
    return "s" if size < 10**11 else "ms" if size < 10**14 else "us" if size < 10**17 else "ns"


def _from_epoch(
    table: Table, column: str, counts: Column, decimals: int, unit: str | None, notes: list[str]
) -> Instants:
    """Numbers of seconds, milliseconds, microseconds or nanoseconds since 1970; ``counts / 10**decimals`` of them."""
    import numpy as np

    sizes = np.abs(counts) // 10**decimals if decimals else np.abs(counts)
    largest = int(sizes.max())
    by_size = _unit_by_size(largest)
    if unit is None and largest < SMALLEST_EPOCH:
        raise DataError(
            f"{table.source}: column {column!r} has numbers such as {table.frame[column][0]}, too small for times;"
            " name the column of times 'time', or write dates as 2024-01-31"
        )
    if unit is not None and by_size != unit:
        raise DataError(
            f"{table.place(int(sizes.argmax()))}, column {column!r}: the name says {UNIT_NAMES[unit]} since 1970, but"
            f" {table.frame[column][int(sizes.argmax())]} is as large as {UNIT_NAMES[by_size]};"
            f" rename the column, for example to 'time_{by_size}'"
        )
    if unit is None and _unit_by_size(int(sizes.min())) != by_size:
        _refuse_mixed_units(table, column, sizes)
    said = "by its name" if unit else "by the size of the numbers"
    notes.append(f"column {column!r} read as {UNIT_NAMES[by_size]} since 1970, UTC, {said}")
    unit_ns = UNITS_NS[by_size]
    finer = 10**decimals
    if unit_ns % finer:
        raise DataError(f"{table.source}: column {column!r} has times finer than nanoseconds; round them")
    resolution_ns = unit_ns // finer
    in_ns = counts if resolution_ns == 1 else _scaled(table, column, counts, resolution_ns)
    return Instants(in_ns, resolution_ns)


def _refuse_mixed_units(table: Table, column: str, sizes: np.ndarray[Any, Any]) -> None:
    import numpy as np

    classes = np.searchsorted(np.array([10**11, 10**14, 10**17]), sizes, side="right")
    row = int(np.argmax(classes != classes[0]))
    first, other = list(UNITS_NS)[classes[0]], list(UNITS_NS)[classes[row]]
    raise DataError(
        f"{table.place(row)}, column {column!r}: {table.frame[column][row]} is as large as {UNIT_NAMES[other]}, but the"
        f" rows above have {UNIT_NAMES[first]}; write all times in one unit, and name it in the column if they are all"
        f" {UNIT_NAMES[other]}: 'time_{other}'"
    )
