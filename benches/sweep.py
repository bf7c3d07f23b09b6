"""Sweeps of a moving-average cross: many pairs of windows over the same bars, with fills, fees and accounting.

Half of equity long above, flat below; decided at the close, filled at the next open; 0.1 % fee. Ours is checked pair by
pair against runs of the engine by themselves, and the numba loop against ours, before anything is timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from benches.places import PeerError, Worker, python_of
from benches.timing import Work, against, in_turns, of_cores

if TYPE_CHECKING:
    from pathlib import Path

TERMS = {"cash": 1_000_000, "fee": "0.001"}
TOLERANCE = 1e-6
"""Of equity, relative: the loop counts in floats."""
LONG, SHORT = 100_000, 5_000


class Disagreement(Exception):
    """A contestant did something else, so its time means nothing."""


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time both sizes; figures, and Markdown."""
    grid = [(a, b) for a in range(5, 105, 4) for b in range(120, 520, 10)]
    sizes = [(LONG, grid), (SHORT, [(a, b) for a in range(2, 100) for b in range(a + 1, 101)])]
    if bars < LONG:
        sizes = [(bars, grid[::25])]
    figures: dict[str, Any] = {"times": [], "skipped": [], "memory": {}}
    parts = ["## Sweeps", (__doc__ or "").replace("\n", " ").strip()]
    for count, pairs in sizes:
        job = {**TERMS, "parquet": str(_file_of(folder, count)), "bars": count, "pairs": pairs}
        parts.append(_timed(home, job, rounds, figures, peers=peers))
    return figures, "\n\n".join([*parts, *(f"*{notice}*" for notice in figures["skipped"])])


def _file_of(folder: Path, count: int) -> Path:
    """A file of so many of the bars: the memory of a process must not be that of bars that it leaves out."""
    path = folder / f"{count}-bars" / "MINUTE.parquet"
    path.parent.mkdir()
    pl.read_parquet(folder / "MINUTE.parquet").head(count).write_parquet(path)
    return path


def _timed(home: Path, job: dict[str, Any], rounds: int, figures: dict[str, Any], *, peers: bool) -> str:
    ours = Worker(home, "sweep_ours.py", job)
    workers = {"neural-trader": ours}
    try:
        loaded = ours.ask("memory") * 1024
        found = ours.ask("result")
        if not found["equal_to_runs"]:
            raise Disagreement("the sweep and runs by themselves differ")
        items = job["bars"] * len(job["pairs"])
        works = [Work(f"neural-trader: {each}", ours, each, items) for each in found["works"][:-1]]
        alone = Work(f"neural-trader: {found['works'][-1]}", ours, found["works"][-1], job["bars"])
        if peers:
            try:
                loop = Worker(python_of("numba"), "sweep_numba.py", {**job, "lot": found["lot"]})
                workers["numba loop"] = loop
                theirs = loop.ask("result")
                check(found, theirs)
                works += [Work(f"numba loop: {each}", loop, each, items) for each in theirs["works"]]
            except (PeerError, OSError) as error:
                figures["skipped"].append(f"the numba loop was skipped: {str(error).strip().splitlines()[-1]}")
        times = in_turns([*works, alone], rounds)
        figures["times"] += [time.document() for time in times]
        memory = {name: worker.ask("memory") * 1024 for name, worker in workers.items()}
        memory["neural-trader before it sweeps"] = loaded
        figures["memory"][f"{len(job['pairs'])} pairs"] = memory
        peaks = ", ".join(f"{peak / 1e6:,.0f} MB ({name})" for name, peak in memory.items())
        fills = sum(found["fills"]) / len(found["fills"])
        head = f"{len(job['pairs']):,} pairs over {job['bars']:,} bars, {fills:,.0f} fills each. At their peak "
        head += f"the processes, with Python and the libraries that read Parquet, took {peaks}:"
        return "\n\n".join([head, against(times, times[0], "pair-bars"), of_cores(times, "pair-bar")])
    finally:
        for worker in workers.values():
            worker.close()


def check(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise unless the loop found our fills and our equity."""
    for at, (mine, other) in enumerate(zip(ours["equity"], theirs["equity"], strict=True)):
        if ours["fills"][at] != theirs["fills"][at] or abs(mine - other) > TOLERANCE * abs(mine):
            pair = f"equity {other} after {theirs['fills'][at]} fills, ours {mine} after {ours['fills'][at]}"
            raise Disagreement(f"the numba loop, pair {at}: {pair}")
