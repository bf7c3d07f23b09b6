"""neural-trader: the cross as the built-in Rust signal, and as a Python class; costs, ledger and all."""

from __future__ import annotations

from typing import Any

import numpy as np
from worker import Job, fills, serve

import neural_trader as nt
from neural_trader.backtesting.run import play
from neural_trader.backtesting.settings import Settings
from neural_trader.strategy import Bar, Strategy


class OneUnit(Strategy):
    """Holds one unit while the fast average is above the slow one."""

    fast: int = 10
    slow: int = 50

    def on_start(self) -> None:
        self.fast_average = self.sma(self.fast)
        self.slow_average = self.sma(self.slow)

    def on_bar(self, bar: Bar) -> None:
        if self.fast_average.crosses_above(self.slow_average):
            self.target(quantity=1)
        elif self.fast_average.crosses_below(self.slow_average):
            self.target(quantity=0)

    def native(self) -> tuple[str, tuple[int, ...]]:
        return "run_sma_cross_lots", (self.fast, self.slow, 1, 0)


class Ours:
    """Both forms of the strategy, whole and engine alone."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = nt.__version__
        self.terms = {"cash": job["cash"], "fee": job["fee"], "slippage": 0}
        self.bars = nt.load_bars(job["parquet"])
        usual = {"fill": None, "limit": "touch", "leverage": 1, "volume_cap": None, "close_at_end": False}
        self.settings = Settings.of(**self.terms, **usual, currency="USD")
        self.works = {
            "signal, whole run": lambda: self.whole(native=True),
            "signal, engine": lambda: self.engine(native=True),
            "signal, engine and equity curve": lambda: self.engine(native=True).equity_curve(),
            "class, whole run": lambda: self.whole(native=False),
            "class, engine": lambda: self.engine(native=False),
            "load": lambda: nt.load_bars(job["parquet"]),
        }

    def strategy(self) -> OneUnit:
        return OneUnit(fast=self.job["fast"], slow=self.job["slow"])

    def run(self, *, native: bool, fill: str = "open") -> Any:
        # The others neither count what is tried nor look for the future in it.
        alone = {"trials": "off", "look_ahead": False}
        return nt.backtest(self.strategy(), self.job["parquet"], **self.terms, **alone, fill=fill, native=native)

    def whole(self, *, native: bool) -> Any:
        result = self.run(native=native)
        return result, result.stats

    def engine(self, *, native: bool) -> Any:
        return play(self.strategy(), self.bars, self.settings, native=native)

    def result(self) -> dict[str, Any]:
        runs = {fill: self.run(native=True, fill=fill) for fill in ("open", "close")}
        by_class = self.run(native=False)
        stats = runs["open"].stats
        return {
            "fills": {fill: self.fills(run) for fill, run in runs.items()},
            "stats": dict(stats),
            "hashes_equal": runs["open"].digests == by_class.digests and dict(by_class.stats) == dict(stats),
        }

    def fills(self, run: Any) -> dict[str, list[Any]]:
        columns = run.engine.fill_arrays()
        return fills(*(np.asarray(columns[name]).tolist() for name in ("time_ns", "side", "price", "quantity")))


serve(Ours)
