"""Records of orders, levels and trades as rows of a catalog; those of orders also the way back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.rows import Rows, counts_of, rows_of_arrays
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.faults import Fault
from neural_trader.market.order_flow import collapsed

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    Records = np.ndarray[Any, np.dtype[Any]]

ACTIONS = (
    "snapshot_begin", "snapshot_end", "order_add", "order_change", "order_delete", "order_fill", "trade",
)  # fmt: skip
"""What a row of orders may say."""


def order_rows(records: Records, symbol: str, grid: tuple[Step, Step], made: str = "") -> Rows:
    """Every record of an L3 feed as a row; ``order_id`` is the number of the order, or of the trade in its own row."""
    import numpy as np

    names = {KIND[name]: name for name in ACTIONS}
    kinds, places = np.unique(records["kind"], return_inverse=True)
    if other := [int(kind) for kind in kinds if kind not in names]:
        known = {number: name for name, number in KIND.items()}
        raise DataError(f"{symbol}: a feed of orders has no record of kind {known.get(other[0], other[0])}")
    arrays = {
        **_times(records),
        "sequence": records["sequence"].astype(np.int64),
        "action": np.array([names[kind] for kind in kinds], dtype=object)[places],
        "order_id": records["id"].astype(np.int64),
        "side": _sides(records),
        **_counts(records),
        "is_last": (records["flags"] & FLAG["last"]) != 0,
    }
    return rows_of_arrays(symbol, "orders", "", grid, arrays, made)


def order_records(frame: pl.DataFrame, tick: Step, lot: Step) -> Records:
    """Rows of orders as records with the dtype ``EVENT`` again, of instrument 0.

    Raises:
        DataError: if a price or quantity is no multiple of tick or lot, or an action has no name.
    """
    import numpy as np

    records = np.zeros(len(frame), EVENT)
    if unknown := set(frame["action"].unique()) - set(ACTIONS):
        raise DataError(f"a feed of orders has no action {min(map(str, unknown))}; there are {', '.join(ACTIONS)}")
    for name, column in (("ts_event_ns", "ts_event"), ("ts_recv_ns", "ts_recv"), ("id", "order_id")):
        records[name] = frame[column].to_physical().to_numpy()
    for name, step in (("price", tick), ("quantity", lot)):
        try:
            records[name] = counts_of(frame[name].to_numpy(), step)
        except Fault as fault:
            raise DataError(f"row {fault.row}: {name} {frame[name][fault.row]} is no multiple of {step}") from None
    records["sequence"] = frame["sequence"].to_numpy()
    records["kind"] = frame["action"].replace_strict({name: KIND[name] for name in ACTIONS}).to_numpy()
    side, last = frame["side"].to_numpy(), frame["is_last"].to_numpy()
    records["flags"] = FLAG["bid"] * (side > 0) + FLAG["ask"] * (side < 0) + FLAG["last"] * last
    return records


def level_rows(records: Records, symbol: str, grid: tuple[Step, Step], made: str = "") -> Rows:
    """The levels of an L2 feed as rows of depth."""
    import numpy as np

    levels = records[np.isin(records["kind"], [KIND["level"], KIND["snapshot_level"]])]
    arrays = {
        **_times(levels),
        "sequence": levels["id"].astype(np.int64),
        "is_snapshot": levels["kind"] == KIND["snapshot_level"],
        "side": _sides(levels),
        **_counts(levels),
    }
    return rows_of_arrays(symbol, "depth", "", grid, arrays, made)


def trade_rows(records: Records, symbol: str, grid: tuple[Step, Step], made: str = "") -> Rows:
    """The trades of a feed as rows of trades."""
    import numpy as np

    trades = records[records["kind"] == KIND["trade"]]
    arrays = {
        **_times(trades),
        "trade_id": trades["id"].astype(np.int64),
        **_counts(trades),
        "side": _sides(trades),
    }
    return rows_of_arrays(symbol, "trades", "", grid, arrays, made)


def flow_rows(
    blocks: Iterable[Records], symbol: str, grid: tuple[Step, Step], made: str = "", *, collapse: bool = False
) -> dict[str, Rows]:
    """The rows of an L3 feed by their kind: orders and, collapsed, the depth and the trades of its L2 feed."""
    import polars as pl

    pieces: dict[str, list[Rows]] = {"orders": []}

    def noted() -> Iterator[Records]:
        for block in blocks:
            pieces["orders"].append(order_rows(block, symbol, grid, made))
            yield block

    if collapse:
        pieces |= {"depth": [], "trades": []}
        for told in collapsed(noted()):
            pieces["depth"].append(level_rows(told, symbol, grid, made))
            pieces["trades"].append(trade_rows(told, symbol, grid, made))
    else:
        deque(noted(), maxlen=0)
    return {
        kind: replace(each[0], frame=pl.concat([piece.frame for piece in each]))
        for kind, each in pieces.items() if each
    }  # fmt: skip


def _times(records: Records) -> dict[str, Any]:
    return {"ts_event": _whole(records, "ts_event_ns"), "ts_recv": _whole(records, "ts_recv_ns")}


def _counts(records: Records) -> dict[str, Any]:
    return {"price": _whole(records, "price"), "quantity": _whole(records, "quantity")}


def _whole(records: Records, name: str) -> Any:
    import numpy as np

    return np.ascontiguousarray(records[name])


def _sides(records: Records) -> Any:
    import numpy as np

    bid, ask = records["flags"] & FLAG["bid"], records["flags"] & FLAG["ask"]
    return (bid != 0).astype(np.int8) - (ask != 0).astype(np.int8)
