"""hftbacktest: its replay of level updates, driven by numba, the best prices of the trader's book read after each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hftbacktest
import numba
import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from touches import digest
from worker import Job, serve

FEED = 2
"""What `wait_next_feed` returns for a message of the market."""
ROOM = 400_000
"""Ticks on each side of the first price; its book in an array has to be told."""


@numba.njit
def replay(backtest: Any, touches: Any) -> int:  # pragma: no cover - compiled
    """Write the touch after each update."""
    rows = 0
    while rows < len(touches) and backtest.wait_next_feed(False, 1_000_000_000) == FEED:
        depth = backtest.depth(0)
        # Its own best quantities of the book in an array are prices, as of 2.4.4.
        touches[rows, 0] = depth.best_bid
        touches[rows, 1] = depth.bid_qty_at_tick(depth.best_bid_tick)
        touches[rows, 2] = depth.best_ask
        touches[rows, 3] = depth.ask_qty_at_tick(depth.best_ask_tick)
        rows += 1
    return rows


class HftBacktest:
    """Both kinds of its book."""

    version = hftbacktest.__version__

    def __init__(self, job: Job) -> None:
        lines = (Path(job["folder"]) / "updates.txt").read_text(encoding="ascii").splitlines()
        # The last message ends the replay and is not seen, so the last update is sent twice.
        updates = np.array([line.split() for line in [*lines, lines[-1]]], np.int64)
        self.events = np.zeros(len(updates), event_dtype)
        sides = np.where(updates[:, 0] == 1, BUY_EVENT, SELL_EVENT)
        self.events["ev"] = (DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT | sides).astype(np.uint64)
        self.events["exch_ts"] = self.events["local_ts"] = 1_000_000 * (1 + np.arange(len(updates)))
        self.events["px"], self.events["qty"] = updates[:, 1], updates[:, 2]
        self.kinds = {"hash map": HashMapMarketDepthBacktest, "array": ROIVectorMarketDepthBacktest}
        self.works = {f"updates: hftbacktest, {kind}": lambda kind=kind: self.played(kind) for kind in self.kinds}

    def played(self, kind: str) -> Any:
        middle = self.events["px"][0]
        asset = (
            BacktestAsset()
            .data(self.events)
            .linear_asset(1.0)
            .constant_order_latency(0, 0)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(1.0)
            .lot_size(1.0)
            .roi_lb(middle - ROOM)
            .roi_ub(middle + ROOM)
        )
        backtest = self.kinds[kind]([asset])
        touches = np.zeros((len(self.events) - 1, 4))
        rows = replay(backtest, touches)
        backtest.close()
        return touches[:rows]

    def result(self) -> dict[str, Any]:
        best = [digest(np.nan_to_num(self.played(kind)).astype(np.int64).tolist()) for kind in self.kinds]
        if best[0] != best[1]:
            raise SystemExit("its two kinds of book have different best prices")
        return {"best": {"updates": best[0]}, "works": dict.fromkeys(self.works, len(self.events) - 1)}


serve(HftBacktest)
