"""New rows beside those that are there: what is known changes nothing, what contradicts is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neural_trader.errors import DataError
from neural_trader.market.catalog.rows import KINDS, Kind
from neural_trader.market.times import time_text

if TYPE_CHECKING:
    import polars as pl

_RANK = "_rank"
_STORED = "_stored"


def merged(
    kind: str, has_ids: bool, stored: pl.DataFrame | None, added: pl.DataFrame, where: str
) -> pl.DataFrame | None:
    """Stored and added rows as one, in the order of their times; None if nothing is new.

    A bar is known by its opening, a trade with an id by time and id. Trades without ids, quotes and levels are known by
    their time and their place among the rows of that time: one file with a part of them and one with all agree.
    """
    import polars as pl

    shape = KINDS[kind]
    keys = _keys(shape, kind, has_ids)
    added = _ranked(added, keys, shape)
    _refuse_repeated(added, ["trade_id"] if has_ids else keys, shape, where)
    if stored is None:
        return added.drop(_RANK, strict=False)
    stored = _ranked(stored, keys, shape)
    beside = stored.select(*keys, *shape.compared, pl.lit(True).alias(_STORED))
    joined = added.join(beside, on=keys, how="left", suffix=_STORED, maintain_order="left")
    _refuse_contradiction(joined, shape, where)
    fresh = joined.filter(pl.col(_STORED).is_null()).select(added.columns)
    if fresh.is_empty():
        return None
    whole = pl.concat([stored, fresh]).sort(keys, maintain_order=True)
    if kind == "bars":
        _refuse_overlap(whole, where)
    if has_ids:
        _refuse_repeated(whole, ["trade_id"], shape, where)
    return whole.drop(_RANK, strict=False)


def _keys(shape: Kind, kind: str, has_ids: bool) -> list[str]:
    return [shape.time] if kind == "bars" else [shape.time, "trade_id" if has_ids else _RANK]


def _ranked(frame: pl.DataFrame, keys: list[str], shape: Kind) -> pl.DataFrame:
    """With the place of each row among those of its time, where that is part of what it is known by."""
    import polars as pl

    if _RANK not in keys:
        return frame
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over(shape.time).alias(_RANK))


def _named(row: dict[str, object], shape: Kind) -> str:
    what = {"open_time": "bar opening"}.get(shape.time, "row of")
    if row.get("trade_id") is not None:
        what = f"trade {row['trade_id']} of"
    time = row[shape.time]
    return f"{what} {time_text(time) if isinstance(time, int) else time}"


def _row(frame: pl.DataFrame, at: int, shape: Kind) -> dict[str, object]:
    import polars as pl

    # As numbers: Python's own times end at microseconds.
    return frame[at : at + 1].with_columns(pl.col(shape.time).dt.epoch("ns")).row(0, named=True)


def _refuse_repeated(frame: pl.DataFrame, keys: list[str], shape: Kind, where: str) -> None:
    if _RANK in keys:
        return
    repeated = frame.select(keys).is_duplicated()
    if repeated.any():
        at = int(repeated.arg_true()[1])
        raise DataError(f"{where}: the {_named(_row(frame, at, shape), shape)} is there twice; keep one")


def refuse_repeated_ids(frame: pl.LazyFrame, kind: str, where: str) -> None:
    """Raises for the first trade id that several rows have; only times and ids are read."""
    shape = KINDS[kind]
    _refuse_repeated(frame.select(shape.time, "trade_id").collect(), ["trade_id"], shape, where)


def _refuse_contradiction(joined: pl.DataFrame, shape: Kind, where: str) -> None:
    import polars as pl

    known = pl.col(_STORED).is_not_null()
    differing = {
        name: joined.select((known & pl.col(name).ne_missing(pl.col(name + _STORED))).alias(name)).to_series()
        for name in shape.compared
    }
    wrong = {name: int(marks.arg_true()[0]) for name, marks in differing.items() if marks.any()}
    if not wrong:
        return
    name, at = min(wrong.items(), key=lambda item: item[1])
    row = _row(joined, at, shape)
    raise DataError(
        f"{where}: the {_named(row, shape)} has {name} {row[name]}, but {row[name + _STORED]} is stored;"
        " remove the wrong one"
    )


def _refuse_overlap(bars: pl.DataFrame, where: str) -> None:
    import polars as pl

    early = bars.select(pl.col("open_time") < pl.col("close_time").shift(1)).to_series().fill_null(False)
    if early.any():
        at = int(early.arg_true()[0])
        named = _named(_row(bars, at, KINDS["bars"]), KINDS["bars"])
        raise DataError(f"{where}: the {named} opens before the one before it closes; keep bars of one length")
