"""Where a value came from, and what is wrong with it: the words of every refusal of market data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from neural_trader.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Result = TypeVar("Result")

MESSAGES = {
    "not_a_number": "is not a finite number; correct or remove the row",
    "too_fine": "has more decimals than a grid may have; round the column or give a tick",
    "out_of_range": "does not fit 64-bit counts of the grid; correct it or give a coarser tick or lot",
    "off_grid": "is not a multiple of the tick {step}; correct it or give another tick",
    "not_a_time": "is not a time with one reading; write times as 2024-01-31 or 2024-01-31T09:30:00Z",
    "mixed_zones": "differs from the rows above in naming a time zone; write all times with a zone or none",
    "unsorted": "is earlier than the row before; sort the rows by time",
    "duplicate": "repeats the time of the row before; keep one bar per time (and one instrument per symbol)",
    "not_positive": "is not above zero; a price must be positive: correct or remove the row",
    "high_below_low": "is below the low of its bar; correct or remove the row",
    "open_outside": "lies outside the low and high of its bar; correct or remove the row",
    "close_outside": "lies outside the low and high of its bar; correct or remove the row",
    "negative": "is negative; correct or remove the row",
    "straddles": "lies in two of the longer intervals; choose an interval that the bars divide",
    "cell_count": "breaks over several lines; write one bar per line",
}


class Fault(Exception):
    """A fault that the core found: its code, the column among those handed to the call, and the row."""

    def __init__(self, code: str, column: int, row: int) -> None:
        super().__init__(code, column, row)
        self.code, self.column, self.row = code, column, row


def checked(function: Callable[..., Result], *arguments: Any) -> Result:
    """Calls a function of the core, whose faults arrive as ``ValueError(code, column, row)``."""
    try:
        return function(*arguments)
    except ValueError as error:
        if len(error.args) == 3:
            raise Fault(*error.args) from None
        raise


@dataclass(frozen=True)
class Table:
    """Columns as they were read, with what is needed to name a row as its author counts it."""

    frame: pl.DataFrame
    source: str
    first_line: int | None = None
    """The line of the text file that holds row 0; without one, rows are counted from 0 as data frames do."""
    rows: pl.Series | None = None
    """The row of the source for each row of the frame, where rows were left out."""

    def place(self, row: int) -> str:
        """The row in the words of whoever looks for it: ``prices.csv, line 19``."""
        original = row if self.rows is None else int(self.rows[row])
        counted = f"row {original}" if self.first_line is None else f"line {original + self.first_line}"
        return f"{self.source}, {counted}"

    def only(self, rows: pl.Series) -> Table:
        """The table with only these rows."""
        original = rows if self.rows is None else self.rows.gather(rows)
        return Table(self.frame[rows], self.source, self.first_line, original)

    def error(self, code: str, column: str, row: int, **words: Any) -> DataError:
        """The error that says what is wrong with one value."""
        value = self.frame[column][row]
        shown = f"{value[:60]!r}" if isinstance(value, str) else f"{value}"
        return DataError(f"{self.place(row)}, column {column!r}: {shown} {MESSAGES[code].format(**words)}")

    def refuse_missing(self, column: str) -> None:
        """Raises for the first cell of a column that is empty."""
        series = self.frame[column]
        if series.null_count():
            row = series.is_null().arg_max() or 0
            raise DataError(f"{self.place(row)}, column {column!r}: the value is missing; complete or remove the row")
