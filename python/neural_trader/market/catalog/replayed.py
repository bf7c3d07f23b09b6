"""What a catalog holds of one instrument as a recording: orders, or levels, trades and quotes as they were received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.record_rows import order_records
from neural_trader.market.catalog.references import datasets_of
from neural_trader.market.catalog.rows import counts_of
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.recordings import Listed, Recording

if TYPE_CHECKING:
    import polars as pl

    Records = np.ndarray[Any, np.dtype[Any]]

LEVEL, SNAPSHOT = KIND["level"], KIND["snapshot_level"]
BEGIN, END, LOST = KIND["snapshot_begin"], KIND["snapshot_end"], KIND["resync"]


def recording_of_catalog(reference: str) -> Recording:
    """The recording of the one instrument that a reference names: its orders, else its depth, trades and quotes.

    What was received in the same nanosecond comes in this order; within a dataset, in the order of its rows.

    Raises:
        DataError: if the reference names nothing that can be replayed, or more than one instrument.
    """
    found = [
        dataset for dataset in datasets_of(reference) if dataset.key.kind in ("orders", "depth", "trades", "quotes")
    ]
    if not found:
        raise DataError(f"{reference}: only bars are there; a replay needs orders, depth, trades or quotes")
    instruments = sorted({f"{dataset.key.venue}/{dataset.key.symbol}" for dataset in found})
    if len(instruments) > 1:
        raise DataError(f"{reference}: a replay is of one instrument; choose one of {', '.join(instruments)}")
    by_kind = {dataset.key.kind: dataset for dataset in found}
    kinds = ["orders"] if "orders" in by_kind else [kind for kind in ("depth", "trades", "quotes") if kind in by_kind]
    chosen = [by_kind[kind] for kind in kinds]
    manifests = [dataset.manifest() for dataset in chosen]
    tick, lot = _common([each.tick for each in manifests]), _common([each.lot for each in manifests])
    pieces = [_RECORDS[dataset.key.kind](dataset.frame(), tick, lot) for dataset in chosen]
    records = np.concatenate(pieces)
    if len(pieces) > 1:
        records = records[np.argsort(np.concatenate([_received(piece) for piece in pieces]), kind="stable")]
    records["sequence"] = np.arange(len(records), dtype=np.uint32)
    made = next((each.made for each in manifests if each.made), "")
    note = f"from the catalog: {', '.join(f'{each.rows:,} rows of {each.key.kind}' for each in manifests)}"
    symbol = chosen[0].key.symbol
    return Recording(
        records,
        (Listed(symbol, tick, lot),),
        "synthetic" if made else "file",
        made or reference,
        (note,),
        recipe={"files": [reference]},
        venue=chosen[0].key.venue,
    )


def _received(records: Records) -> Any:
    """When each record could be told: what was received before a snapshot and joined to it comes after it."""
    return np.maximum.accumulate(np.where(records["ts_recv_ns"] != 0, records["ts_recv_ns"], records["ts_event_ns"]))


def _common(steps: list[Step]) -> Step:
    """The coarsest step that all of them are multiples of."""
    decimals = max(step.decimals for step in steps)
    mantissas = [step.mantissa * 10 ** (decimals - step.decimals) for step in steps]
    return Step(int(np.gcd.reduce(mantissas)), decimals)


def _blank(frame: pl.DataFrame, number: str | None) -> Records:
    records = np.zeros(len(frame), EVENT)
    for name, column in (("ts_event_ns", "ts_event"), ("ts_recv_ns", "ts_recv"), ("id", number)):
        if column is not None:
            records[name] = frame[column].to_physical().fill_null(0).to_numpy()
    return records


def _levels(frame: pl.DataFrame, tick: Step, lot: Step) -> Records:
    """Levels with the beginnings and ends of their snapshots; the last level of each update is marked."""
    records = _blank(frame, "sequence")
    records["price"] = counts_of(frame["price"].to_numpy(), tick)
    records["quantity"] = counts_of(frame["quantity"].to_numpy(), lot)
    side, is_snapshot = frame["side"].to_numpy(), frame["is_snapshot"].to_numpy()
    is_begin = is_snapshot & (side == 0)
    records["kind"] = np.select(
        [is_begin, side == 0, is_snapshot], np.array([BEGIN, LOST, SNAPSHOT], dtype=np.uint8), LEVEL
    )
    records["flags"] = np.select([side > 0, side < 0], np.array([FLAG["bid"], FLAG["ask"]], dtype=np.uint8), 0)
    following = np.append(records[1:], np.zeros(1, EVENT))
    ends_update = (records["id"] != following["id"]) | (records["ts_event_ns"] != following["ts_event_ns"])
    records["flags"] |= np.where((records["kind"] == LEVEL) & ends_update, FLAG["last"], 0).astype(np.uint8)
    # A snapshot ends where the next row is not of it; one that no row announces begins with its first level.
    ends = np.flatnonzero(is_snapshot & ~np.append(is_snapshot[1:] & ~is_begin[1:], False))
    begins = np.flatnonzero(is_snapshot & ~is_begin & ~np.concatenate(([False], is_snapshot[:-1])))
    made = np.concatenate([_at(records, begins, BEGIN), _at(records, ends, END)])
    return np.insert(records, np.concatenate([begins, ends + 1]), made)


def _at(records: Records, places: Any, kind: int) -> Records:
    made: Records = records[places]
    made["kind"], made["flags"] = kind, FLAG["last"] if kind == END else 0
    made["price"], made["quantity"] = 0, 0
    return made


def _trades(frame: pl.DataFrame, tick: Step, lot: Step) -> Records:
    records = _blank(frame, "trade_id")
    records["kind"] = KIND["trade"]
    records["price"] = counts_of(frame["price"].to_numpy(), tick)
    records["quantity"] = counts_of(frame["quantity"].to_numpy(), lot)
    side = frame["side"].to_numpy()
    flags = np.select([side > 0, side < 0], np.array([FLAG["bid"], FLAG["ask"]], dtype=np.uint8), 0)
    records["flags"] = flags | FLAG["last"]
    return records


def _quotes(frame: pl.DataFrame, tick: Step, lot: Step) -> Records:
    """Two records of each row: the best bid, then the best ask."""
    records = np.repeat(_blank(frame, None), 2)
    records["kind"] = KIND["quote"]
    # Where a venue names no time the catalog has that of receipt, at which nothing happened at the venue.
    records["ts_event_ns"][records["ts_event_ns"] == records["ts_recv_ns"]] = 0
    for first, price, size, flag in ((0, "bid", "bid_size", "bid"), (1, "ask", "ask_size", "ask")):
        own = records[first::2]
        own["price"] = counts_of(frame[price].to_numpy(), tick)
        sizes = frame[size].to_numpy()
        is_sized = np.isfinite(sizes)
        own["quantity"] = counts_of(np.where(is_sized, sizes, 0.0), lot)
        own["flags"] = FLAG[flag] | np.where(is_sized, 0, FLAG["unsized"]) | (FLAG["last"] if first else 0)
    return records


_RECORDS = {"orders": order_records, "depth": _levels, "trades": _trades, "quotes": _quotes}
