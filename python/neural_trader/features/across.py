"""Instruments beside each other: their ranks, distances, weights and choices at each time of a table.

Values are a numpy array with a row for each time and a column for each instrument; or, as in long tables, one column
with ``by`` beside it, whose equal values are one time. Both may be polars expressions, where ``by`` may be a name, and
``.over("time")`` does what ``by`` does, more slowly. What is NaN or null is not known: it takes no part, and stays so.
Ties go by the order of columns or rows.

Each is the operation of formulas of that name (docs/expressions.md), to the last bit.

>>> import neural_trader as nt
>>> nt.features.rank_across([[3.0, 1.0, 2.0], [5.0, 5.0, float("nan")]]).tolist()
[[1.0, 0.0, 0.5], [0.5, 0.5, nan]]
>>> import polars as pl
>>> table = pl.DataFrame({"time": [1, 1, 1], "symbol": ["A", "B", "C"], "x": [3.0, 1.0, 2.0]})
>>> table.select("symbol", nt.features.top_across(pl.col("x"), 2, by="time"))["x"].to_list()
[True, False, True]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from neural_trader._native import across_rows
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rank_across(x: Any, *, by: Any = None) -> Any:
    """Place from 0 for the smallest to 1 for the largest; ties share their places, and one alone has 0.5."""
    return _across("rank_across", (x,), None, by)


def mean_across(x: Any, *, by: Any = None) -> Any:
    """The mean."""
    return _across("mean_across", (x,), None, by)


def demean_across(x: Any, *, by: Any = None) -> Any:
    """Distance from the mean."""
    return _across("demean_across", (x,), None, by)


def zscore_across(x: Any, *, by: Any = None) -> Any:
    """Distance from the mean in population standard deviations; not known where all are equal."""
    return _across("zscore_across", (x,), None, by)


def scale_across(x: Any, *, by: Any = None) -> Any:
    """Share of the sum of sizes; not known where that is 0."""
    return _across("scale_across", (x,), None, by)


def winsorise_across(x: Any, share: float, *, by: Any = None) -> Any:
    """Moved to the quantiles ``share`` and ``1 - share`` where it is beyond them; 0 <= share < 0.5."""
    return _across("winsorise_across", (x,), share, by)


def neutralise_across(x: Any, other: Any, *, by: Any = None) -> Any:
    """What the line of least squares through another leaves of it; where that is constant, `demean_across`."""
    return _across("neutralise_across", (x, other), None, by)


def count_across(x: Any, *, by: Any = None) -> Any:
    """How many are known."""
    return _across("count_across", (x,), None, by)


def top_across(x: Any, n: int, *, by: Any = None) -> Any:
    """Whether it is among the n largest; of equal ones the first are chosen."""
    return _across("top_across", (x,), n, by)


def bottom_across(x: Any, n: int, *, by: Any = None) -> Any:
    """Whether it is among the n smallest; of equal ones the last are chosen, so that top and bottom keep apart."""
    return _across("bottom_across", (x,), n, by)


ACROSS = {
    each.__name__: each
    for each in (
        rank_across, mean_across, demean_across, zscore_across, scale_across, winsorise_across, neutralise_across,
        count_across, top_across, bottom_across,
    )
}  # fmt: skip
"""All of them by name."""


def _across(name: str, columns: tuple[Any, ...], number: float | None, by: Any) -> Any:
    if isinstance(columns[0], pl.Expr):
        return _expression(name, columns, number, by)
    if isinstance(columns[0], pl.Series):
        values = _evaluated(name, [_floats(each) for each in columns], number, by)
        return pl.Series(columns[0].name, values, nan_to_null=True)
    return _evaluated(name, [np.asarray(each, dtype=np.float64) for each in columns], number, by)


def _expression(name: str, columns: tuple[Any, ...], number: float | None, by: Any) -> pl.Expr:
    read = [pl.col(each) if isinstance(each, str) else each for each in (*columns, *([] if by is None else [by]))]
    if not all(isinstance(each, pl.Expr) for each in read):
        raise UsageError(f"{name} of an expression reads expressions and names of columns only")

    def evaluate(given: Sequence[pl.Series]) -> pl.Series:
        times = given[len(columns)] if by is not None else None
        made: pl.Series = _across(name, tuple(given[: len(columns)]), number, times)
        return made

    dtype = pl.Boolean() if name in ("top_across", "bottom_across") else pl.Float64()
    return pl.map_batches(read, evaluate, return_dtype=dtype)


def _evaluated(name: str, columns: list[NDArray[np.float64]], number: float | None, by: Any) -> NDArray[Any]:
    first = columns[0]
    if any(each.shape != first.shape for each in columns) or first.ndim not in (1, 2):
        raise UsageError(f"{name} reads arrays of one shape: times by instruments, or one column")
    if by is not None and first.ndim == 2:
        raise UsageError(f"{name}: the rows of a table of times by instruments are its times; leave out by")
    order, ends = _times(by, first)
    flat = [np.ascontiguousarray(each.ravel() if order is None else each[order]) for each in columns]
    try:
        made = across_rows(name, [] if number is None else [float(number)], ends, flat)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if order is not None:
        placed = np.empty_like(made)
        placed[order] = made
        made = placed
    found: NDArray[Any] = made.reshape(first.shape)
    return found == 1.0 if name in ("top_across", "bottom_across") else found


def _times(by: Any, column: NDArray[np.float64]) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """In which order rows of one time stand together, if they do not yet, and where each time ends there."""
    if by is None:
        width = column.shape[-1]
        return None, np.arange(1, column.size // max(width, 1) + 1, dtype=np.int64) * width
    times = by if isinstance(by, pl.Series) else pl.Series(by)
    if len(times) != len(column):
        raise UsageError(f"by has {len(times)} rows, and the column has {len(column)}")
    codes = times.rank("dense").fill_null(0).to_numpy()
    order = np.argsort(codes, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(codes[order])) + 1, len(codes)).astype(np.int64)


def _floats(column: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = pl.Series(column).cast(pl.Float64).to_numpy()
    return values
