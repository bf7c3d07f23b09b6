"""neural-trader: a formula with many pairs of windows at once, and with some of them by themselves to check it."""

from __future__ import annotations

from typing import Any

import numpy as np
from worker import Job, serve

import neural_trader as nt
from neural_trader._native import Engine, Sweep
from neural_trader.backtesting.settings import Settings

SETTINGS = {"fill": None, "limit": "touch", "leverage": 1, "volume_cap": None, "close_at_end": False}


class Ours:
    """The sweep with what follows from fills, and with curves of equity; the same formula event by event."""

    def __init__(self, job: Job) -> None:
        self.version = nt.__version__
        (bars,) = nt.load_bars(job["parquet"])
        self.bars = bars.rows(0, job["bars"])
        self.cash = float(job["cash"])
        settings = Settings.of(cash=job["cash"], fee=job["fee"], slippage=0, currency="USD", **SETTINGS)
        self.arguments = settings.engine_arguments()
        fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
        formula = nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow), size=0.5).formula
        self.program = formula.lowered({"share": 1.0, "bars_per_year": 525_960.0})
        self.pairs = np.array(job["pairs"], dtype=np.float64)
        self.works = {
            "sweep, fills": self.swept,
            "sweep, fills and curves": lambda: self.swept(curve=True),
            "sweep, fills, one thread": lambda: self.swept(threads=1),
            "one pair, event by event": lambda: self.alone(self.pairs[0]),
        }

    def swept(self, *, curve: bool = False, threads: int = 0) -> Sweep:
        sweep = Sweep(Engine([self.bars], **self.arguments), *self.program, self.pairs, curve=curve, threads=threads)
        while sweep.advance() < 1.0:
            pass
        return sweep

    def alone(self, pair: Any) -> Engine:
        engine = Engine([self.bars], **self.arguments)
        engine.run_formula(*self.program, list(pair))
        return engine

    def result(self) -> dict[str, Any]:
        figures, failed = self.swept().figures()
        checked = range(0, len(self.pairs), max(1, len(self.pairs) // 40))
        runs = {at: self.alone(self.pairs[at]) for at in checked}
        equal = all(
            engine.equity_value == figures["equity"][at] and len(engine.fills["order"]) == figures["fills"][at]
            for at, engine in runs.items()
        )
        return {
            "equal_to_runs": equal and not failed,
            "lot": float(str(self.bars.lot)),
            "equity": figures["equity"].tolist(),
            "fills": figures["fills"].astype(int).tolist(),
        }


serve(Ours)
