"""What it takes to replay a recording from its file, measured in a process that has done nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

from worker import Job, serve

import neural_trader as nt
from neural_trader.errors import StrategyRunError
from neural_trader.strategy import Strategy, Tick

STATUS = Path("/proc/self/status")
SETTINGS: dict[str, Any] = {"cash": 10**14, "fee": 0, "benchmark": False}


class First(Strategy):
    """Ends the run at the first trade."""

    def on_trade(self, trade: Tick) -> None:
        raise StopIteration


class Watches(Strategy):
    """Looks at the book, and at the memory that is not of files, every second of the market."""

    most: ClassVar[int] = 0

    def on_start(self) -> None:
        self.set_timer(after_ns=10**9)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=10**9)
        self.best_bid(self.symbols[0])
        Watches.most = max(Watches.most, _memory("RssAnon"))


class File:
    """One recording, opened and played once to its first trade and once to its end."""

    version = nt.__version__

    def __init__(self, job: Job) -> None:
        self.path = job["recording"]
        self.works: dict[str, Any] = {}
        # What is imported is no part of the time to the first trade.
        self.replay = nt.replay

    def result(self) -> dict[str, Any]:
        begun = time.perf_counter()
        try:
            self.replay(First(), self.path, **SETTINGS)
        except StrategyRunError:
            first_s = time.perf_counter() - begun
        before = _memory("RssAnon")
        self.replay(Watches(), self.path, **SETTINGS)
        return {"first_s": first_s, "before": before, "anonymous": Watches.most, "peak": _memory("VmHWM")}


def _memory(name: str) -> int:
    """Bytes of this process by the kernel's name for them; 0 where there is no such kernel."""
    if not STATUS.exists():
        return 0
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:"))) * 1024


serve(File)
