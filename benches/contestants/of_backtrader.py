"""backtrader: its Strategy class, market orders of one unit, which fill at the next open."""

from __future__ import annotations

from typing import Any

import backtrader as bt
import pandas as pd
import polars as pl
from worker import Job, fills, serve

MINUTE_NS = 60_000_000_000


class OneUnit(bt.Strategy):  # type: ignore[misc]
    """One unit while the fast average is above the slow one."""

    params = (("fast", 10), ("slow", 50))

    def __init__(self) -> None:
        self.fast_average = bt.indicators.SimpleMovingAverage(self.data.close, period=self.p.fast)
        self.slow_average = bt.indicators.SimpleMovingAverage(self.data.close, period=self.p.slow)
        self.before = float("nan")
        self.done: list[tuple[int, int, float, float]] = []

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            executed = order.executed
            self.done.append((len(self) - 1, 1 if order.isbuy() else -1, executed.price, abs(executed.size)))

    def next(self) -> None:
        spread = self.fast_average[0] - self.slow_average[0]
        before, self.before = self.before, spread
        if spread > 0.0 and before <= 0.0 and not self.position:
            self.buy(size=1)
        elif spread < 0.0 and before >= 0.0 and self.position:
            self.close()


class Backtrader:
    """`Cerebro.run` with preloaded data and vectorised indicators, its fastest way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = bt.__version__
        frame = pl.read_parquet(job["parquet"], n_rows=job["bars"])
        self.time = frame["time"].to_physical().to_numpy()
        columns = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
        self.frame = pd.DataFrame(columns, pd.DatetimeIndex(self.time))
        self.works = {"engine": self.run}

    def run(self) -> Any:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker.setcash(float(self.job["cash"]))
        cerebro.broker.setcommission(commission=float(self.job["fee"]))
        cerebro.adddata(bt.feeds.PandasData(dataname=self.frame))
        cerebro.addstrategy(OneUnit, fast=self.job["fast"], slow=self.job["slow"])
        return cerebro.run()[0]

    def result(self) -> dict[str, Any]:
        bars, *others = zip(*self.run().done, strict=True)
        return {
            "fill": "open",
            "until_ns": int(self.time[-1]) + MINUTE_NS,
            "fills": fills([self.time[bar] for bar in bars], *others),
        }


serve(Backtrader)
