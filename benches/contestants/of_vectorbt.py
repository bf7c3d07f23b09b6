"""vectorbt: signals shifted by one bar and filled at the open, in its numba engine or its Rust engine."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import vectorbt as vbt
from worker import Job, fills, serve

MINUTE_NS = 60_000_000_000
FIGURES = (
    "total_return",
    "annualized_return",
    "annualized_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
)
OF_TRADES = ("count", "win_rate", "profit_factor", "expectancy", "sqn")


class Vectorbt:
    """Reading with polars, indicators and simulation, some of its statistics."""

    def __init__(self, job: Job) -> None:
        warnings.simplefilter("ignore")
        self.job = job
        vbt.settings["engine"] = job["engine"]
        self.version = vbt.__version__
        self.time, self.open, self.close = self.read()
        self.works = {"whole run": self.whole, "engine": lambda: self.engine(self.open, self.close)}

    def read(self) -> tuple[Any, Any, Any]:
        frame = pl.read_parquet(self.job["parquet"])
        time = frame["time"].to_physical().to_numpy()
        index = pd.DatetimeIndex(time)
        return time, pd.Series(frame["open"].to_numpy(), index), pd.Series(frame["close"].to_numpy(), index)

    def engine(self, open_: Any, close: Any) -> Any:
        fast = vbt.MA.run(close, self.job["fast"]).ma.to_numpy()
        slow = vbt.MA.run(close, self.job["slow"]).ma.to_numpy()
        spread = fast - slow
        entries, exits = np.zeros(len(spread), bool), np.zeros(len(spread), bool)
        # Decided at a close, filled at the next open.
        entries[2:] = (spread[1:-1] > 0.0) & (spread[:-2] <= 0.0)
        exits[2:] = (spread[1:-1] < 0.0) & (spread[:-2] >= 0.0)
        return vbt.Portfolio.from_signals(
            close,
            pd.Series(entries, close.index),
            pd.Series(exits, close.index),
            price=open_,
            size=1.0,
            fees=float(self.job["fee"]),
            init_cash=float(self.job["cash"]),
            freq="1min",
        )

    def whole(self) -> Any:
        _, open_, close = self.read()
        portfolio = self.engine(open_, close)
        facts = {name: getattr(portfolio, name)() for name in FIGURES}
        facts |= {name: getattr(portfolio.trades, name)() for name in OF_TRADES}
        return portfolio, facts

    def result(self) -> dict[str, Any]:
        portfolio, facts = self.whole()
        records = portfolio.orders.values
        return {
            "fill": "open",
            "until_ns": int(self.time[-1]) + MINUTE_NS,
            "fills": fills(
                self.time[records["idx"]], np.where(records["side"] == 0, 1, -1), records["price"], records["size"]
            ),
            "stats": {
                "Return [%]": 100.0 * float(facts["total_return"]),
                "Max. Drawdown [%]": 100.0 * float(facts["max_drawdown"]),
            },
        }


serve(Vectorbt)
