"""Columns of prices and volumes become exact counts of a tick and a lot; what was inferred or rounded is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neural_trader.errors import DataError
from neural_trader.market.bars import DECIMALS_MAX, Step
from neural_trader.market.faults import Fault, Table, checked
from neural_trader.market.times import joined

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.market.bars import Column, Floats

LOT_DECIMALS_MAX = 8
"""The most decimals that a lot inferred from volumes has: no venue trades finer."""


class _Exact:
    """A column of exact decimals, each ``mantissas / 10**decimals``."""

    def __init__(self, mantissas: Column, decimals: int) -> None:
        self.mantissas, self.decimals = mantissas, decimals


def _pieces(series: pl.Series) -> list[Floats]:
    """The floats of a column in the pieces in which they were read, without a copy."""
    import numpy as np
    import polars as pl

    floats = series if series.dtype == pl.Float64 else series.cast(pl.Float64)
    return [np.ascontiguousarray(piece.to_numpy()) for piece in floats.get_chunks()]


def _whole(pieces: list[Floats]) -> Floats:
    import numpy as np

    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _refuse_other_types(table: Table, column: str) -> None:
    import polars as pl

    dtype = table.frame[column].dtype
    if not (dtype.is_numeric() or dtype == pl.String):
        raise DataError(f"{table.source}: column {column!r} of type {dtype} has no numbers; convert it to numbers")


def _exact(table: Table, column: str, decimals_max: int) -> _Exact | None:
    """The column as exact decimals; None where it has floats, or text finer than any grid."""
    import numpy as np
    import polars as pl

    from neural_trader import _native

    series = table.frame[column]
    if series.dtype.is_float():
        return None
    if series.dtype.is_integer():
        try:
            return _Exact(np.ascontiguousarray(series.cast(pl.Int64).rechunk().to_numpy()), 0)
        except pl.exceptions.PolarsError:
            raise table.error("out_of_range", column, int(series.arg_max() or 0)) from None
    text = joined(table, column)
    try:
        return _Exact(*checked(_native.decimals_from_text, text, len(series), decimals_max))
    except Fault as fault:
        if fault.code == "too_fine":
            return None
        raise table.error(fault.code, column, fault.row) from None


def _as_floats(table: Table, column: str) -> list[Floats]:
    """The column as floats: what is left for text with more decimals than any grid has."""
    import polars as pl

    from neural_trader import _native

    series = table.frame[column]
    if series.dtype != pl.String:
        return _pieces(series)
    text = joined(table, column)
    try:
        return [checked(_native.floats_from_text, text, len(series))]
    except Fault as fault:
        raise table.error(fault.code, column, fault.row) from None


def _fit_note(what: str, fit: str, worst: float, step: Step) -> str:
    if fit == "single":
        return f"{what} are single-precision floats: read as the decimals nearest to them"
    return f"{what} have more decimals than a grid may have: rounded to {step}, none by more than {worst:.1e} of itself"


def prices_of(
    table: Table, columns: Sequence[str], tick: Step | None, notes: list[str], decimals_max: int = DECIMALS_MAX
) -> tuple[list[Column], Step]:
    """The columns in ticks, and the tick: the given one, or the coarsest power of ten that represents every price."""
    from neural_trader import _native

    for column in columns:
        table.refuse_missing(column)
        _refuse_other_types(table, column)
    exact = [_exact(table, column, decimals_max) for column in columns]
    decimals = [column.decimals for column in exact if column is not None]
    counted: list[Column] = []
    if len(decimals) == len(exact):
        step = tick or Step(1, max(decimals))
        for name, decimal in zip(columns, exact, strict=True):
            if decimal is not None:
                as_is = step == Step(1, decimal.decimals)
                counted.append(decimal.mantissas if as_is else _on_step(table, name, decimal, step))
    elif tick is not None:
        step = tick
        for name, decimal in zip(columns, exact, strict=True):
            counted.append(_on_step(table, name, decimal or _as_floats(table, name), step))
    else:
        try:
            counted, places, fit, worst = checked(
                _native.prices_on_grid, [_as_floats(table, name) for name in columns], decimals_max
            )
        except Fault as fault:
            raise table.error(fault.code, columns[fault.column], fault.row) from None
        step = Step(1, places)
        if fit != "exact":
            notes.append(_fit_note("prices", fit, worst, step))
    return counted, step


def _on_step(table: Table, name: str, column: _Exact | list[Floats], step: Step) -> Column:
    from neural_trader import _native

    try:
        counts: Column
        if isinstance(column, _Exact):
            exact = (column.mantissas, column.decimals)
            counts, _ = checked(_native.decimals_on_step, *exact, step.mantissa, step.decimals, False)
        else:
            counts, _ = checked(_native.floats_on_step, _whole(column), step.mantissa, step.decimals, False)
        return counts
    except Fault as fault:
        raise table.error(fault.code, name, fault.row, step=step) from None


def mid_prices_of(
    table: Table, columns: Sequence[str], tick: Step | None, notes: list[str]
) -> tuple[list[Column], Step, Column]:
    """Mid prices of bid and ask columns on the grid of half ticks, the tick, and the spread at the open in ticks."""
    import numpy as np

    sides, quoted = prices_of(table, columns, None, notes, DECIMALS_MAX - 1)
    for role in range(4):
        bid, ask = sides[role], sides[role + 4]
        if bool((ask < bid).any()):
            row = int(np.argmax(ask < bid))
            raise DataError(
                f"{table.place(row)}, column {columns[role]!r}: the bid {table.frame[columns[role]][row]} is above"
                f" the ask {table.frame[columns[role + 4]][row]}; correct or remove the row"
            )
    half = Step(5, quoted.decimals + 1)
    mids, spread = mid_columns(sides[:4], sides[4:])
    if tick is not None and tick != half:
        fives = [_Exact(column * 5, half.decimals) for column in (*mids, spread)]
        *mids, spread = [_on_step(table, columns[min(role, 3)], column, tick) for role, column in enumerate(fives)]
    notes.append(
        f"prices are the middle of bid and ask, on half of their tick {quoted}; the spread is that at the open"
    )
    return mids, tick or half, spread


def mid_columns(bid: Sequence[Column], ask: Sequence[Column]) -> tuple[list[Column], Column]:
    """Middles of bid and ask in half ticks, and the spread of the first pair, which is that of the open."""
    mids: list[Column] = [low + high for low, high in zip(bid, ask, strict=True)]
    spread: Column = (ask[0] - bid[0]) * 2
    return mids, spread


def volume_of(table: Table, name: str | None, lot: Step | None, notes: list[str]) -> tuple[Column | None, Step]:
    """Volumes in lots, and the lot: the given one, or the coarsest power of ten that represents every volume."""
    from neural_trader import _native

    if name is None or table.frame[name].null_count() == len(table.frame):
        if lot is None:
            notes.append("no volume column: lot 1 assumed (give lot=... to trade smaller quantities)")
        return None, lot or Step(1, 0)
    table.refuse_missing(name)
    _refuse_other_types(table, name)
    floored, fit = 0, "exact"
    exact = _exact(table, name, LOT_DECIMALS_MAX)
    try:
        if exact is None and lot is None:
            values = _as_floats(table, name)
            lots, places, fit, floored = checked(_native.volume_on_grid, values, LOT_DECIMALS_MAX)
            step = Step(1, places)
        elif exact is None:
            step = lot or Step(1, 0)
            lots, floored = checked(
                _native.floats_on_step, _whole(_as_floats(table, name)), step.mantissa, step.decimals, True
            )
        else:
            step = lot or Step(1, exact.decimals)
            lots, floored = checked(
                _native.decimals_on_step, exact.mantissas, exact.decimals, step.mantissa, step.decimals, True
            )
        traded = checked(_native.check_not_negative, lots)
    except Fault as fault:
        raise table.error(fault.code, name, fault.row) from None
    if not traded:
        notes.append(f"column {name!r} is zero in every row: taken as no volume; lot {lot or 1}")
        return None, lot or Step(1, 0)
    if fit == "rounded":
        notes.append(f"volumes of column {name!r} carry the noise of binary floats: taken off at lot {step}")
    elif fit == "single":
        notes.append(_fit_note(f"volumes of column {name!r}", fit, 0.0, step))
    if floored:
        notes.append(f"{floored} of {len(lots)} volumes of column {name!r} floored to the lot {step}")
    if lot is None:
        notes.append(f"lot {step} inferred from the decimals of column {name!r}")
    return lots, step


def check(table: Table, columns: Sequence[str], prices: Sequence[Column]) -> None:
    """Raises for the first bar whose prices are not positive or contradict one another."""
    from neural_trader import _native

    try:
        checked(_native.check_prices, *prices)
    except Fault as fault:
        raise table.error(fault.code, columns[fault.column], fault.row) from None
