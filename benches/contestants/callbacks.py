"""What a bar costs on its way to a Python strategy, and how fast text becomes bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from worker import Job, serve

import neural_trader as nt
from neural_trader.backtesting.run import play
from neural_trader.backtesting.settings import Settings
from neural_trader.strategy import Bar, Strategy

EVERY = 50


class Counts(Strategy):
    """Looks at the close of every bar."""

    def on_start(self) -> None:
        self.count = 0
        self.last = 0.0

    def on_bar(self, bar: Bar) -> None:
        self.count += 1
        self.last = bar.close


class Orders(Counts):
    """Turns its position around every fifty bars."""

    def on_bar(self, bar: Bar) -> None:
        self.count += 1
        if not self.count % EVERY:
            self.target(quantity=self.count // EVERY % 2)


class Callbacks:
    """Runs in memory, and reading CSV beside polars."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = nt.__version__
        self.bars = nt.load_bars(job["parquet"])
        usual = {"fill": None, "limit": "touch", "leverage": 1, "volume_cap": None, "close_at_end": False}
        self.settings = Settings.of(cash=10**9, fee="0.001", slippage=0, **usual, currency="USD")
        self.rows = list(range(len(self.bars[0])))
        self.works: dict[str, Callable[[], Any]] = {
            "a bare call of a Python method": self.bare,
            "on_bar that reads the close": lambda: self.play(Counts),
            f"on_bar that sends an order every {EVERY} bars": lambda: self.play(Orders),
            "CSV, ours: read, put on an exact grid, checked": lambda: nt.load_bars(job["csv"]),
            "CSV, polars: read into floats and times": self.read,
        }

    def bare(self) -> None:
        call = self.take
        for row in self.rows:
            call(row)

    def take(self, row: int) -> None:
        self.last = row

    def play(self, kind: type[Counts]) -> Counts:
        strategy = kind()
        play(strategy, self.bars, self.settings)
        return strategy

    def read(self) -> pl.DataFrame:
        return pl.read_csv(self.job["csv"], try_parse_dates=True)

    def result(self) -> dict[str, Any]:
        (parsed,), (bars,) = nt.load_bars(self.job["csv"]), self.bars
        columns = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
        strategy = self.play(Counts)
        return {
            "equal": all((getattr(parsed, name) == getattr(bars, name)).all() for name in columns)
            and strategy.count == len(bars)
            and strategy.last == float(bars.close_price[-1]),
        }


serve(Callbacks)
