"""Bars through Python callbacks, and bars from CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.cross import Disagreement
from benches.places import Worker
from benches.timing import Work, against, in_turns

if TYPE_CHECKING:
    from pathlib import Path


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time; figures, and Markdown."""
    del peers
    job = {"parquet": str(folder / "MINUTE.parquet"), "csv": str(folder / "MINUTE.csv")}
    worker = Worker(home, "callbacks.py", job)
    try:
        result = worker.ask("result")
        if not result["equal"]:
            raise Disagreement("bars from CSV are not those from Parquet, or a strategy did not see all of them")
        times = in_turns([Work(name, worker, name, bars) for name in result["works"]], rounds)
    finally:
        worker.close()
    csv = [time for time in times if time.label.startswith("CSV")]
    calls = [time for time in times if time not in csv]
    text = "\n\n".join(
        [
            "## Python strategies: events through a callback, and reading CSV",
            against(calls, calls[1], "events"),
            against(csv, csv[0]),
        ]
    )
    return {"times": [time.document() for time in times]}, text
