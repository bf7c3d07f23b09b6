"""Rows of a catalog as exact columns again, file by file, so that only the columns themselves are ever held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.catalog.rows import KINDS, counts_of
from neural_trader.market.faults import Fault
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import interval_ns_of, time_text

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.catalog.manifest import Manifest
    from neural_trader.market.catalog.store import Dataset

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
    try:
        interval_ns = interval_ns_of(key.every)
    except DataError:
        interval_ns = 0
    return Bars(
        *common, columns["open_time"], columns["close_time"], columns["open"], columns["high"], columns["low"],
        columns["close"], columns.get("volume"), columns.get("spread"), origin="synthetic" if manifest.made else "file",
        source=f"{source}: {manifest.made}" if manifest.made else source, interval_ns=interval_ns,
        notes=(f"tick {manifest.tick} and lot {manifest.lot} are those of the catalog",),
    )  # fmt: skip


def _columns(
    dataset: Dataset, manifest: Manifest, start_ns: int | None, end_ns: int | None
) -> dict[str, np.ndarray[Any, Any]]:
    """Columns as integers; one that no row has a value in is left out."""
    import numpy as np

    kind = KINDS[manifest.key.kind]
    kept = {
        name: what for name, what in kind.columns.items()
        if name not in kind.optional or name in manifest.columns
    }  # fmt: skip
    windowed = start_ns is not None or end_ns is not None
    frames = dataset.frames(manifest, start_ns, end_ns)
    if windowed:
        frames = iter(held := list(frames))
        total = sum(len(frame) for frame in held)
    else:
        total = manifest.rows
    if not total:
        asked = " ".join(f"{w} {time_text(ns)}" for w, ns in (("from", start_ns), ("to", end_ns)) if ns is not None)
        raise DataError(
            f"{manifest.key}: no rows {asked}; the data runs from {time_text(manifest.first_ns)}"
            f" to {time_text(manifest.last_ns)}: choose a time within it"
        )
    columns = {name: np.empty(total, _TYPES.get(what, "int64")) for name, what in kept.items()}
    absent: set[str] = set()
    done = 0
    for frame in frames:
        for name, what in kept.items():
            series = frame[name]
            if series.null_count():
                absent.add(name)
                continue
            step = manifest.tick if what == "price" else manifest.lot
            columns[name][done : done + len(frame)] = _numbers(manifest, series, what, step)
        done += len(frame)
    if required := absent - {"ts_recv"}:
        raise DataError(f"{manifest.key}: column {min(required)!r} has rows without a value; import the data again")
    for column in columns.values():
        column.flags.writeable = False
    return {name: column for name, column in columns.items() if name not in absent}


def _numbers(manifest: Manifest, series: pl.Series, what: str, step: Step) -> Any:
    if what in ("price", "quantity"):
        try:
            return counts_of(series.to_numpy(), step)
        except Fault as fault:
            raise DataError(
                f"{manifest.key}: {series.name} {series[fault.row]} is no multiple of {step};"
                " the file was changed: remove the dataset and import it again"
            ) from None
    return series.to_physical().to_numpy()
