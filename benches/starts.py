"""Whole processes: how long commands take from nothing, and how much memory a run needs at its peak."""

from __future__ import annotations

import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

from benches.cross import TERMS
from benches.places import Worker
from benches.timing import Time, duration, table

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "`neural-trader --help`": ["--help"],
    "`neural-trader version`": ["version"],
    "`neural-trader backtest`, as it is without options": ["backtest"],
}


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Time commands in turns and measure memory; figures, and Markdown."""
    del peers
    seconds: dict[str, list[float]] = {label: [] for label in COMMANDS}
    with tempfile.TemporaryDirectory() as elsewhere:
        # The first round fills the caches of the disk and of Python, as any earlier use does.
        for each in range(rounds + 1):
            for label, arguments in COMMANDS.items():
                begun = time.perf_counter()
                command = [str(home), "-m", "neural_trader", *arguments]
                subprocess.run(command, cwd=elsewhere, capture_output=True, check=True, stdin=subprocess.DEVNULL)
                if each:
                    seconds[label].append(time.perf_counter() - begun)
    times = [Time(label, 1, tuple(taken)) for label, taken in seconds.items()]
    worker = Worker(home, "ours.py", {**TERMS, "parquet": str(folder / "MINUTE.parquet"), "bars": bars})
    try:
        worker.ask("signal, whole run")
        peak = worker.ask("memory") * 1024
    finally:
        worker.close()
    memory = (
        f"Peak memory of a process that reads {bars:,} bars from Parquet, runs the signal and makes the statistics:"
        f" {peak / 1e6:,.0f} MB, Python and polars included."
    )
    rows = [[each.label, duration(each.best), duration(each.median)] for each in times]
    parts = ["## Whole processes", table(["", "best", "median"], rows), memory]
    return {"times": [each.document() for each in times], "peak_bytes": peak}, "\n\n".join(parts)
