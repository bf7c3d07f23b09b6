"""Funding rates of contracts, from a file or a frame: time, rate, and if there are more instruments, the symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader.backtesting.numbers import decimal_of, plain_decimal
from neural_trader.errors import DataError

if TYPE_CHECKING:
    import polars as pl


class FundingRow(NamedTuple):
    """What longs pay to shorts at a time, as a share of the notional at a mark."""

    time_ns: int
    symbol: str | None
    """None where the run has one instrument."""
    rate: Decimal
    mark: Decimal | None
    """None for the price that the run knows then."""


def funding_of(given: Any) -> tuple[FundingRow, ...]:
    """Rows from a CSV or Parquet file, a frame (polars or pandas), a mapping of symbol to frame, or a document.

    Columns are ``time`` and ``rate``, and if there are any ``symbol`` and ``mark``. DataError names what is wrong.
    """
    if isinstance(given, Mapping):
        rows = [row._replace(symbol=symbol) for symbol, frame in given.items() for row in _of_frame(frame, "funding")]
    elif isinstance(given, str | Path):
        rows = _of_frame(_read(Path(given)), str(given))
    elif isinstance(given, list | tuple):
        rows = [_of_document(row) for row in given]
    else:
        rows = _of_frame(given, "funding")
    rows.sort(key=lambda row: (row.time_ns, row.symbol or ""))
    for first, second in pairwise(rows):
        if first[:2] == second[:2]:
            raise DataError(f"funding: two rates at {first.time_ns} ns{f' of {first.symbol}' if first.symbol else ''}")
    return tuple(rows)


def funding_document(rows: tuple[FundingRow, ...]) -> list[list[Any]]:
    """Rows as plain values: nanoseconds, symbol, rate and mark."""
    return [
        [row.time_ns, row.symbol, plain_decimal(row.rate), None if row.mark is None else plain_decimal(row.mark)]
        for row in rows
    ]


def _of_document(row: Any) -> FundingRow:
    try:
        time_ns, symbol, rate, mark = row
        return FundingRow(int(time_ns), symbol, Decimal(rate), None if mark is None else Decimal(mark))
    except (TypeError, ValueError, ArithmeticError):
        raise DataError(f"funding: {row!r} is no row of time, symbol, rate and mark") from None


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        # As text, so that rates stay the decimals that they are.
        return pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; funding is a CSV or Parquet file with columns time and rate") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read as CSV or Parquet ({str(error).splitlines()[0]})") from error


def _of_frame(given: Any, source: str) -> list[FundingRow]:
    import polars as pl

    from neural_trader.market.faults import Table
    from neural_trader.market.times import instants

    frame = given if isinstance(given, pl.DataFrame) else _of_pandas(given, source)
    for column in ("time", "rate"):
        if column not in frame.columns:
            raise DataError(f"{source}: funding needs a column {column!r} (found: {', '.join(frame.columns)})")
    time = frame["time"]
    if time.dtype == pl.String and len(time) and time.str.contains(r"^\s*\d+\s*$").all():
        frame = frame.with_columns(time.str.strip_chars().cast(pl.Int64))
    times = instants(Table(frame, source), "time", None, []).ns
    rows = []
    for index, time_ns in enumerate(times):
        row = {name: frame[name][index] for name in ("rate", "mark", "symbol") if name in frame.columns}
        rate = decimal_of(f"{source}: row {index}, rate", row["rate"])
        if abs(rate) >= 1:
            raise DataError(f"{source}: row {index}, rate {rate}: a share of the notional, such as 0.0001")
        mark = row.get("mark")
        rows.append(
            FundingRow(
                int(time_ns),
                row.get("symbol"),
                rate,
                None if mark in (None, "") else decimal_of(f"{source}: row {index}, mark", mark),
            )
        )
    return rows


def _of_pandas(given: Any, source: str) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.DataFrame(given) if not type(given).__module__.startswith("pandas") else pl.from_pandas(given)
    except (TypeError, ValueError) as error:
        raise DataError(f"{source}: a file, or a frame of time and rate, not {type(given).__name__}") from error
