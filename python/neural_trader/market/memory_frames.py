"""Data in memory as one kind of frame: polars frames, pandas frames (never imported here), mappings of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def frame_of(data: Any) -> tuple[pl.DataFrame, str]:
    """The data as a polars frame, and the instrument's name where the data carries it."""
    import polars as pl

    if isinstance(data, pl.DataFrame):
        return data.rechunk(), ""
    if isinstance(data, pl.LazyFrame):
        return data.collect().rechunk(), ""
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return _from_pandas(data)
    if isinstance(data, Mapping):
        return _frame({str(name): column for name, column in data.items()}), ""
    if hasattr(data, "__arrow_c_stream__"):
        return pl.DataFrame(data).rechunk(), ""
    raise DataError(
        f"data of type {type(data).__name__} has no columns; give a polars or pandas frame, or a mapping of columns"
    )


def _frame(columns: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    series = [_series(name, column) for name, column in columns.items()]
    lengths = {len(one) for one in series}
    if len(lengths) > 1:
        told = ", ".join(f"{one.name!r} {len(one)}" for one in series)
        raise DataError(f"data: columns differ in length ({told}); give columns of one length")
    return pl.DataFrame(series)


def _series(name: str, column: Any) -> pl.Series:
    import numpy as np
    import polars as pl

    if isinstance(column, pl.Series):
        return column.alias(name).rechunk()
    values = column if isinstance(column, np.ndarray) else np.asarray(list(column))
    if values.ndim != 1:
        raise DataError(f"data: column {name!r} has {values.ndim} dimensions; give one value per bar")
    if values.dtype.kind == "M" and np.datetime_data(values.dtype)[0] not in ("ns", "us", "ms"):
        values = values.astype("datetime64[ms]")
    try:
        # A copy, so that the bars do not change when their maker changes the array.
        return pl.Series(name, values.tolist() if values.dtype.kind in "OU" else values.copy())
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        said = str(error).split("\n", 1)[0]
        raise DataError(f"data: column {name!r} cannot be used ({said}); give numbers or times of one type") from None


def _array_of(values: Any) -> Any:
    """A pandas column as a numpy array; times with a zone become UTC."""
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    if zone is not None:
        accessor = getattr(values, "dt", values)
        values = accessor.tz_convert("UTC")
        values = getattr(values, "dt", values).tz_localize(None)
    return values.to_numpy()


def _from_pandas(data: Any) -> tuple[pl.DataFrame, str]:
    """A pandas frame: its times may be the index, its column names may come in two levels (field, ticker)."""
    names = list(data.columns)
    named = ""
    if names and all(isinstance(name, tuple) for name in names):
        tickers = {str(name[-1]) for name in names if len(name) > 1 and name[-1] != ""}
        if len(tickers) > 1:
            shown = ", ".join(sorted(tickers)[:6])
            raise DataError(
                f"data: columns of several tickers ({shown}); select one with frame.xs(ticker, axis=1, level=1)"
            )
        named = next(iter(tickers), "")
        names = [name[0] for name in names]
    columns: dict[str, Any] = {}
    index = data.index
    if getattr(index, "dtype", None) is not None and (index.dtype.kind == "M" or index.name is not None):
        columns[str(index.name) if index.name is not None else "index"] = _array_of(index)
    elif index.dtype.kind in "OUT":
        columns["index"] = _array_of(index)
    for position, name in enumerate(names):
        if str(name) in columns:
            raise DataError(f"data: column {str(name)!r} occurs twice; remove one of the two")
        columns[str(name)] = _array_of(data.iloc[:, position])
    return _frame(columns), named
