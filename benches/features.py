"""Columns of features: ours beside the plain Python that defines them, TA-Lib and polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.cross import Disagreement
from benches.places import Worker
from benches.timing import Work, in_turns, rate, ratio, table

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("Rust", "plain Python", "TA-Lib", "polars")


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time; figures, and Markdown."""
    del peers
    worker = Worker(home, "features.py", {"parquet": str(folder / "MINUTE.parquet")})
    try:
        result = worker.ask("result")
        if result["wrong"]:
            raise Disagreement(f"features differ: {', '.join(result['wrong'])}")
        short = result["plain_bars"]
        works = [
            Work(name, worker, name, short if "plain Python" in name or "event by event" in name else bars)
            for name in result["works"]
        ]
        times = {time.label: time for time in in_turns(works, rounds)}
    finally:
        worker.close()
    rows = []
    for name, given in result["parameters"].items():
        found = [times.get(f"{name}: {side}") for side in SIDES]
        ours, plain = found[0], found[1]
        assert ours is not None and plain is not None
        shown = [f"{name} {', '.join(map(str, given))}"] + ["" if time is None else rate(time.rate) for time in found]
        shown += ["" if time is None else ratio(ours.rate / time.rate) for time in (plain, found[2])]
        rows.append(shown)
    regime = (
        "Ours and plain Python are equal to the last bit before they are timed (plain Python on"
        f" {result['plain_bars']:,} bars); TA-Lib and polars agree within 1e-6 once warm. A row counts once, however"
        " many features go over it; events are given from Python. The last columns are Rust against plain Python and"
        " against TA-Lib. One core each."
    )
    parts = [
        f"## Features, columns over {bars:,} bars, rows/s",
        regime,
        table(["", *SIDES, "to plain", "to TA-Lib"], rows),
    ]
    return {"times": [time.document() for time in times.values()]}, "\n\n".join(parts)
