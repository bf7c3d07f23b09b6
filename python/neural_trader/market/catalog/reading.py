"""Rows of a catalog as exact columns again, file by file: in pieces, or whole without holding anything else whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars
from neural_trader.market.catalog.rows import KINDS, counts_of
from neural_trader.market.faults import Fault
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import interval_ns_of, time_text

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.catalog.manifest import Manifest
    from neural_trader.market.catalog.store import Dataset

MARKS = ("open_time", "close_time", "open", "close")
_TYPES = {"side": "int8", "flag": "bool"}


def item_of(dataset: Dataset, manifest: Manifest, start_ns: int | None, end_ns: int | None) -> Bars | Trades | Quotes:
    """The rows of a dataset, or those of a window of time, as bars, trades or quotes."""
    key = manifest.key
    if key.kind in ("depth", "orders"):
        raise DataError(f"{key}: levels and orders of a book are read with frame() or scan()")
    columns = _columns(dataset, manifest, start_ns, end_ns)
    common = (key.symbol, manifest.tick, manifest.lot)
    source = f"catalog:{key}"
    if key.kind == "trades":
        return Trades(
            *common, columns["ts_event"], columns["price"], columns["quantity"], columns["side"],
            columns.get("trade_id"), columns.get("ts_recv"), source,
        )  # fmt: skip
    if key.kind == "quotes":
        return Quotes(
            *common, columns["ts_event"], columns["bid"], columns["ask"], columns.get("bid_size"),
            columns.get("ask_size"), columns.get("ts_recv"), source,
        )  # fmt: skip
    return bars_of_columns(manifest, columns)


def bars_of_frame(manifest: Manifest, frame: pl.DataFrame) -> Bars:
    """Some rows of a dataset of bars."""
    columns = {}
    for name, what in _kept(manifest).items():
        if frame[name].null_count():
            raise _incomplete(manifest, name)
        columns[name] = _numbers(manifest, frame[name], what)
    return bars_of_columns(manifest, columns)


def marks_of_frame(manifest: Manifest, frame: pl.DataFrame) -> Bars:
    """Some rows of a dataset of bars of which only ``MARKS`` were read; highs and lows are the closes."""
    what = KINDS["bars"].columns
    columns = {name: _numbers(manifest, frame[name], what[name]) for name in MARKS}
    return bars_of_columns(manifest, {**columns, "high": columns["close"], "low": columns["close"]})


def bars_of_columns(manifest: Manifest, columns: dict[str, np.ndarray[Any, Any]]) -> Bars:
    """Bars from exact columns by the names that they have in files."""
    key = manifest.key
    try:
        interval_ns = interval_ns_of(key.every)
    except DataError:
        interval_ns = 0
    source = f"catalog:{key}"
    return Bars(
        key.symbol, manifest.tick, manifest.lot, columns["open_time"], columns["close_time"], columns["open"],
        columns["high"], columns["low"], columns["close"], columns.get("volume"), columns.get("spread"),
        origin="synthetic" if manifest.made else "file",
        source=f"{source}: {manifest.made}" if manifest.made else source, interval_ns=interval_ns,
        notes=(f"tick {manifest.tick} and lot {manifest.lot} are those of the catalog",),
    )  # fmt: skip


def no_bars(manifest: Manifest) -> Bars:
    """The instrument of a dataset of bars, with the columns that its bars have."""
    import numpy as np

    return bars_of_columns(manifest, {name: np.empty(0, np.int64) for name in _kept(manifest)})


def nothing_there(manifest: Manifest, start_ns: int | None, end_ns: int | None) -> DataError:
    """What to say of a window without rows."""
    asked = " ".join(f"{w} {time_text(ns)}" for w, ns in (("from", start_ns), ("to", end_ns)) if ns is not None)
    return DataError(
        f"{manifest.key}: no rows {asked}; the data runs from {time_text(manifest.first_ns)}"
        f" to {time_text(manifest.last_ns)}: choose a time within it"
    )


def _incomplete(manifest: Manifest, name: str) -> DataError:
    return DataError(f"{manifest.key}: column {name!r} has rows without a value; import the data again")


def _kept(manifest: Manifest) -> dict[str, str]:
    """The columns that have values, each with what it counts."""
    kind = KINDS[manifest.key.kind]
    return {
        name: what for name, what in kind.columns.items()
        if name not in kind.optional or name in manifest.columns
    }  # fmt: skip


def _columns(
    dataset: Dataset, manifest: Manifest, start_ns: int | None, end_ns: int | None
) -> dict[str, np.ndarray[Any, Any]]:
    """Columns as integers; one that no row has a value in is left out."""
    import numpy as np

    kept = _kept(manifest)
    windowed = start_ns is not None or end_ns is not None
    frames = dataset.frames(manifest, start_ns, end_ns)
    if windowed:
        frames = iter(held := list(frames))
        total = sum(len(frame) for frame in held)
    else:
        total = manifest.rows
    if not total:
        raise nothing_there(manifest, start_ns, end_ns)
    columns = {name: np.empty(total, _TYPES.get(what, "int64")) for name, what in kept.items()}
    absent: set[str] = set()
    done = 0
    for frame in frames:
        for name, what in kept.items():
            series = frame[name]
            if series.null_count():
                absent.add(name)
                continue
            columns[name][done : done + len(frame)] = _numbers(manifest, series, what)
        done += len(frame)
    if required := absent - {"ts_recv"}:
        raise _incomplete(manifest, min(required))
    for column in columns.values():
        column.flags.writeable = False
    return {name: column for name, column in columns.items() if name not in absent}


def _numbers(manifest: Manifest, series: pl.Series, what: str) -> Any:
    if what in ("price", "quantity"):
        step = manifest.tick if what == "price" else manifest.lot
        try:
            return counts_of(series.to_numpy(), step)
        except Fault as fault:
            raise DataError(
                f"{manifest.key}: {series.name} {series[fault.row]} is no multiple of {step};"
                " the file was changed: remove the dataset and import it again"
            ) from None
    return series.to_physical().to_numpy()
