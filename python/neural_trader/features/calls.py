"""A feature as a function of columns: numpy arrays, polars series and expressions, or a frame that has them."""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from neural_trader._native import feature_columns
from neural_trader.errors import UsageError
from neural_trader.features.table import Kind, table

if TYPE_CHECKING:
    from numpy.typing import NDArray


@cache
def function_of(name: str) -> Callable[..., Any]:
    """The function of a feature; KeyError if there is none of this name."""
    kind = table()[name]

    def feature(*given: Any, **named: Any) -> Any:
        return call(kind, given, named)

    feature.__name__ = feature.__qualname__ = name
    feature.__module__ = "neural_trader.features"
    feature.__doc__ = f"{kind.line}\n\n{kind.source}"
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    places = [inspect.Parameter(each, positional) for each, _ in kind.inputs]
    for each in kind.parameters:
        default = int(each.default) if each.whole else each.default
        places.append(inspect.Parameter(each.name, positional, default=default))
    feature.__signature__ = inspect.Signature(places)  # type: ignore[attr-defined]
    return feature


def call(kind: Kind, given: Sequence[Any], named: dict[str, Any]) -> Any:
    """A feature of its inputs, which are columns of one sort, or of a frame or struct that has them by name."""
    first: Any = given[0] if given else next(iter(named.values()), None)
    whole = isinstance(first, pl.DataFrame) or _is_struct(first) or (isinstance(first, pl.Expr) and _alone(kind, given))
    if whole:
        numbers = _numbers(kind, given[1:], named)
        if isinstance(first, pl.Expr):
            return _expression(kind, first, numbers)
        return _of_frame(kind, first if isinstance(first, pl.DataFrame) else first.struct.unnest(), numbers)
    inputs, rest = _inputs(kind, given, named)
    numbers = _numbers(kind, given[len(inputs) - len(rest) :], named, taken=rest)
    if all(isinstance(each, pl.Expr) for each in inputs):
        return _expression(kind, inputs[0] if len(inputs) == 1 else _struct(kind, inputs), numbers)
    columns = evaluated(kind, inputs, numbers)
    if isinstance(first, pl.Series):
        return _as_polars(kind, columns, first.name)
    return columns[0] if len(columns) == 1 else _outputs(kind)(*columns)


def evaluated(kind: Kind, inputs: Sequence[Any], numbers: Sequence[float]) -> list[NDArray[np.float64]]:
    """The outputs over columns."""
    columns = [as_read(each, field) for each, (_, field) in zip(inputs, kind.inputs, strict=True)]
    try:
        return feature_columns(kind.name, numbers, columns)
    except ValueError as error:
        raise UsageError(str(error)) from None


def of_frame(kind: Kind, frame: pl.DataFrame) -> list[pl.Series]:
    """The columns of a frame that a feature reads: by the names of its inputs, else of the fields of bars."""
    found = []
    for name, field in kind.inputs:
        column = next((each for each in (name, field) if each in frame.columns), None)
        if column is None:
            wanted = name if field in {name, None} else f"{name} or {field}"
            raise UsageError(f"{kind.name} reads {wanted}; the frame has {', '.join(frame.columns)}")
        found.append(frame[column])
    return found


def as_read(column: Any, field: str | None) -> NDArray[np.float64]:
    """A column as the engine reads it, of a field of bars or of none."""
    return instants(column) if field == "time" else floats(column)


def instants(column: Any) -> NDArray[np.float64]:
    """Times as the engine reads them: UTC nanoseconds since the epoch, cut to 512; what is null is NaN.

    Dates and times of any sort, those without a zone in UTC, or nanoseconds as numbers.
    """
    if not isinstance(column, pl.Series) and "datetime64" in str(getattr(column, "dtype", "")):
        column = np.asarray(column, dtype="datetime64[ns]")
    times = column if isinstance(column, pl.Series) else pl.Series(column)
    if times.dtype.is_float():
        return floats(times)
    if times.dtype.is_temporal():
        times = times.cast(pl.Datetime("ns"))
    if not (times.dtype.is_temporal() or times.dtype.is_integer()):
        raise UsageError(f"times are dates with times of day, or nanoseconds since 1970; a column is {times.dtype}")
    return floats(times.cast(pl.Int64).to_frame("ns").select(pl.col("ns") - pl.col("ns") % 512)["ns"])


def floats(column: Any) -> NDArray[np.float64]:
    """A column as the engine reads it; what is null is NaN."""
    if isinstance(column, pl.Series):
        column = column.cast(pl.Float64).to_numpy()
    array = np.ascontiguousarray(column, dtype=np.float64)
    if array.ndim != 1:
        raise UsageError(f"a column has one dimension, not {array.ndim}")
    return array


def _inputs(kind: Kind, given: Sequence[Any], named: dict[str, Any]) -> tuple[list[Any], set[str]]:
    """The inputs in order, and which of them came by name."""
    names = [name for name, _ in kind.inputs]
    by_name = {name for name in names[len(given) :] if name in named}
    inputs = [*given[: len(names)], *(named[name] for name in names[len(given) :] if name in named)]
    missing = names[len(inputs) :]
    if missing or any(isinstance(each, int | float) for each in inputs):
        raise UsageError(f"{kind.call} reads the columns {', '.join(names)}, or a frame that has them")
    return inputs, by_name


def _numbers(
    kind: Kind, given: Sequence[Any], named: dict[str, Any], taken: set[str] | frozenset[str] = frozenset()
) -> list[float]:
    """All parameters, the defaults of those that are not given included."""
    places = [each.name for each in kind.parameters]
    for name in named:
        if name not in taken and (name not in places or places.index(name) < len(given)):
            raise UsageError(f"{kind.call} cannot take {name} here")
    if len(given) > len(places):
        raise UsageError(f"{kind.call} takes at most {len(places)} parameters, not {len(given)}")
    try:
        rest = [float(named.get(each.name, each.default)) for each in kind.parameters[len(given) :]]
        return [*map(float, given), *rest]
    except (TypeError, ValueError):
        raise UsageError(f"{kind.call}: parameters are numbers") from None


def _is_struct(column: Any) -> bool:
    return isinstance(column, pl.Series) and column.dtype == pl.Struct


def _alone(kind: Kind, given: Sequence[Any]) -> bool:
    """Whether one expression stands for all inputs: a struct that has them by name."""
    return len(kind.inputs) > 1 and not any(isinstance(each, pl.Expr) for each in given[1:])


def _struct(kind: Kind, inputs: Sequence[pl.Expr]) -> pl.Expr:
    return pl.struct(each.alias(name) for (name, _), each in zip(kind.inputs, inputs, strict=True))


def _expression(kind: Kind, inputs: pl.Expr, numbers: list[float]) -> pl.Expr:
    """The feature as an expression, evaluated when the frame is known; on a struct it takes its inputs by name."""

    def evaluate(column: pl.Series) -> pl.Series:
        if column.dtype == pl.Struct:
            made = _of_frame(kind, column.struct.unnest(), numbers)
        else:
            made = _as_polars(kind, evaluated(kind, [column], numbers), column.name)
        return made if isinstance(made, pl.Series) else made.to_struct(column.name)

    fields = {name: pl.Float64 for name, _ in kind.outputs}
    dtype = pl.Float64() if len(fields) == 1 else pl.Struct(fields)
    return inputs.map_batches(evaluate, return_dtype=dtype)


def _of_frame(kind: Kind, frame: pl.DataFrame, numbers: list[float]) -> pl.Series | pl.DataFrame:
    return _as_polars(kind, evaluated(kind, of_frame(kind, frame), numbers), kind.name)


def _as_polars(kind: Kind, columns: list[NDArray[np.float64]], name: str) -> pl.Series | pl.DataFrame:
    """As polars has it: what has no value is null."""
    if len(columns) == 1:
        return pl.Series(name, columns[0], nan_to_null=True)
    named = {output: column for (output, _), column in zip(kind.outputs, columns, strict=True)}
    return pl.DataFrame(named, nan_to_null=True)


@cache
def _outputs(kind: Kind) -> Any:
    """The named tuple of a feature with several outputs."""
    return namedtuple(kind.name, [name for name, _ in kind.outputs])  # noqa: PYI024 (the fields are of the table)
