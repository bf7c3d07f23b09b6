"""A loop in numba that does the same: every average once, then pairs in parallel, each a loop over bars with its fills.

What a careful user would write for this one strategy: half of equity at the cross, filled at the next open, with a fee.
Its money is in floats, and it keeps final equity and the number of fills alone.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import polars as pl
from worker import Job, serve


@numba.njit(parallel=True)
def averages(close, windows):  # type: ignore[no-untyped-def]
    """A row for each window; NaN before it is full."""
    rows = np.empty((len(windows), len(close)))
    for at in numba.prange(len(windows)):
        window, total = windows[at], 0.0
        for bar in range(len(close)):
            total += close[bar] - (close[bar - window] if bar >= window else 0.0)
            rows[at, bar] = total / window if bar + 1 >= window else np.nan
    return rows


@numba.njit(parallel=True)
def sweep(open_, close, rows, fast, slow, cash, fee, lot):  # type: ignore[no-untyped-def]
    """Final equity and fills of every pair."""
    equity, fills = np.empty(len(fast)), np.empty(len(fast), np.int64)
    for pair in numba.prange(len(fast)):
        quick, steady = rows[fast[pair]], rows[slow[pair]]
        money, position, target, filled = cash, 0.0, 0.0, 0
        before = np.nan
        for bar in range(len(close)):
            if target != position:
                change = target - position
                money -= change * open_[bar] + abs(change) * open_[bar] * fee
                position = target
                filled += 1
            spread = quick[bar] - steady[bar]
            if spread > 0.0 and before <= 0.0 and position == 0.0:
                target = np.floor(0.5 * money / close[bar] / lot + 1e-9) * lot
            elif spread < 0.0 and before >= 0.0 and position > 0.0:
                target = 0.0
            before = spread
        equity[pair] = money + position * close[len(close) - 1]
        fills[pair] = filled
    return equity, fills


class NumbaSweep:
    """The loop over all pairs, on all cores and on one."""

    def __init__(self, job: Job) -> None:
        self.version = numba.__version__
        frame = pl.read_parquet(job["parquet"], columns=["open", "close"]).head(job["bars"])
        self.open, self.close = frame["open"].to_numpy(), frame["close"].to_numpy()
        pairs = np.array(job["pairs"], dtype=np.int64)
        self.windows, places = np.unique(pairs, return_inverse=True)
        self.fast, self.slow = np.ascontiguousarray(places.reshape(pairs.shape).T)
        self.terms = float(job["cash"]), float(job["fee"]), float(job["lot"])
        self.works = {"sweep, fills": self.swept, "sweep, fills, one thread": self.on_one}

    def swept(self) -> Any:
        rows = averages(self.close, self.windows)
        return sweep(self.open, self.close, rows, self.fast, self.slow, *self.terms)

    def on_one(self) -> Any:
        threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            return self.swept()
        finally:
            numba.set_num_threads(threads)

    def result(self) -> dict[str, Any]:
        equity, fills = self.swept()
        return {"equity": equity.tolist(), "fills": fills.tolist()}


serve(NumbaSweep)
