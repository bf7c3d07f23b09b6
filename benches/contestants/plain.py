"""The plain Python engine of this repository: the definition that the fast engine is held to, order for order."""

from __future__ import annotations

from typing import Any

from worker import Job, fills, serve

import neural_trader as nt
from neural_trader.baseline.engine import Engine
from neural_trader.baseline.features.average import Sma


class Cross:
    """One lot while the fast average is above the slow one."""

    def __init__(self, job: Job, closes: list[int]) -> None:
        self.closes = closes
        self.fast, self.slow = Sma(job["fast"]), Sma(job["slow"])
        self.before = float("nan")

    def on_bar(self, engine: Any, instrument: int, index: int) -> None:
        close = float(self.closes[index])
        short, long = self.fast.update(close), self.slow.update(close)
        spread = float("nan") if short is None or long is None else short - long
        before, self.before = self.before, spread
        if spread > 0.0 and before <= 0.0:
            engine.submit(instrument, 1, size_kind="target_quantity", size=1)
        elif spread < 0.0 and before >= 0.0:
            engine.submit(instrument, 1, size_kind="target_quantity", size=0)

    def on_fill(self, engine: Any, fill: Any) -> None:
        """Nothing is decided on fills."""

    def on_order(self, engine: Any, order: Any) -> None:
        """Nothing is decided on ends of orders."""


class Plain:
    """The engine alone; it has no other part."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = nt.__version__
        (bars,) = nt.load_bars(job["parquet"])
        self.bars = bars.rows(0, job["bars"])
        self.closes = self.bars.close.tolist()
        self.works = {"engine": self.run}

    def run(self) -> Engine:
        rate = round(float(self.job["fee"]) * 10**9)
        engine = Engine([self.bars], cash=int(self.job["cash"]) * 10**18, maker_ppb=rate, taker_ppb=rate)
        engine.run(Cross(self.job, self.closes))
        return engine

    def result(self) -> dict[str, Any]:
        records = self.run().fills
        step, lot = self.bars.tick, self.bars.lot
        columns = [
            [fill.time_ns for fill in records],
            [fill.side for fill in records],
            [step.value_of(fill.price) for fill in records],
            [lot.value_of(fill.quantity) for fill in records],
        ]
        return {"fill": "open", "until_ns": int(self.bars.close_ns[-1]), "fills": fills(*columns)}


serve(Plain)
