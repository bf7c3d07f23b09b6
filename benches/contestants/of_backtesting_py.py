"""backtesting.py: its Strategy class, orders of one unit at the next open."""

from __future__ import annotations

import warnings
from typing import Any

import backtesting
import pandas as pd
import polars as pl
from backtesting import Backtest, Strategy
from backtesting.test import SMA
from worker import Job, fills, serve

MINUTE_NS = 60_000_000_000


class OneUnit(Strategy):
    """One unit while the fast average is above the slow one."""

    fast = 10
    slow = 50

    def init(self) -> None:
        self.fast_average = self.I(SMA, self.data.Close, self.fast)
        self.slow_average = self.I(SMA, self.data.Close, self.slow)

    def next(self) -> None:
        spread = self.fast_average[-1] - self.slow_average[-1]
        before = self.fast_average[-2] - self.slow_average[-2]
        if spread > 0.0 and before <= 0.0 and not self.position:
            self.buy(size=1)
        elif spread < 0.0 and before >= 0.0:
            self.position.close()


class BacktestingPy:
    """`Backtest.run`, as its users call it: with the statistics that it always makes."""

    def __init__(self, job: Job) -> None:
        warnings.simplefilter("ignore")
        backtesting.backtesting._tqdm = lambda sequence, **_: sequence
        self.job = job
        self.version = backtesting.__version__
        frame = pl.read_parquet(job["parquet"], n_rows=job["bars"])
        self.time = frame["time"].to_physical().to_numpy()
        names = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
        columns = {shown: frame[name].to_numpy() for name, shown in names.items()}
        self.frame = pd.DataFrame(columns, pd.DatetimeIndex(self.time))
        self.works = {"engine": self.run}

    def run(self) -> Any:
        OneUnit.fast, OneUnit.slow = self.job["fast"], self.job["slow"]
        test = Backtest(self.frame, OneUnit, cash=float(self.job["cash"]), commission=float(self.job["fee"]))
        return test.run()

    def result(self) -> dict[str, Any]:
        stats = self.run()
        events = [(int(t.EntryBar), 1, float(t.EntryPrice), float(t.Size)) for t in stats["_trades"].itertuples()]
        events += [(int(t.ExitBar), -1, float(t.ExitPrice), float(t.Size)) for t in stats["_trades"].itertuples()]
        events += [(int(t.entry_bar), 1, float(t.entry_price), float(t.size)) for t in stats["_strategy"].trades]
        events.sort()
        bars, *others = zip(*events, strict=True)
        return {
            "fill": "open",
            "until_ns": int(self.time[-1]) + MINUTE_NS,
            "fills": fills([self.time[bar] for bar in bars], *others),
        }


serve(BacktestingPy)
