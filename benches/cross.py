"""A moving-average cross over one-minute bars, every cross traded: ours beside everybody else's.

One unit long above, flat below; decided at the close, filled at the next open; 0.1 % fee; the market is read from
Parquet (zstd). All contestants must make the same trades before anything is timed.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benches.places import PeerError, Worker, python_of
from benches.timing import Time, Work, against, in_turns

if TYPE_CHECKING:
    from pathlib import Path

TERMS = {"cash": 1_000_000, "fee": "0.001", "fast": 10, "slow": 50}
TOLERANCE = 1e-6
"""Of statistics, relative: one unit moves equity by millionths a bar, and all add such returns in another order."""


@dataclass(frozen=True)
class Entry:
    """A contestant: its package, its script, and on how many bars it can be asked to run."""

    label: str
    package: str | None
    script: str
    bars_max: int = 10**9
    engine: str = ""
    note: str = ""


OURS = Entry("neural-trader", None, "ours.py")
ENTRIES = (
    OURS,
    Entry("numba loop", "numba", "numba_loop.py"),
    Entry("vectorbt, Rust engine", "vectorbt", "of_vectorbt.py", engine="rust"),
    Entry("vectorbt, numba engine", "vectorbt", "of_vectorbt.py", engine="numba"),
    Entry("backtesting.py", "backtesting.py", "of_backtesting_py.py", 100_000),
    Entry("nautilus_trader", "nautilus_trader", "of_nautilus.py", 100_000, note=" (fills at the close)"),
    Entry("backtrader", "backtrader", "of_backtrader.py", 50_000),
    Entry("plain Python, our definition", None, "plain.py", 20_000),
)


class Disagreement(Exception):
    """A contestant did something else, so its time means nothing."""


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time all contestants that can be had; figures, and Markdown."""
    workers: dict[Entry, Worker] = {}
    results: dict[str, Any] = {}
    notices: list[str] = []
    try:
        for entry in ENTRIES:
            if entry.package is not None and not peers:
                continue
            market = {"parquet": str(folder / "MINUTE.parquet"), "bars": min(bars, entry.bars_max)}
            job = {**TERMS, **market, "engine": entry.engine}
            try:
                python = home if entry.package is None else python_of(entry.package)
                worker = Worker(python, entry.script, job)
                results[entry.label] = worker.ask("result")
                workers[entry] = worker
            except (PeerError, OSError) as error:
                if entry is OURS:
                    raise
                notices.append(f"{entry.label} was skipped: {str(error).strip().splitlines()[-1]}")
        for entry in workers:
            check(entry, results[OURS.label], results[entry.label])
        return _timed(workers, results, bars, rounds, notices)
    finally:
        for worker in workers.values():
            worker.close()


def check(entry: Entry, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise unless a contestant made our trades, up to where its bars end, and what it has of our statistics."""
    if entry is OURS:
        if not ours["hashes_equal"]:
            raise Disagreement("our built-in signal and our Python class differ")
        return
    wanted = ours["fills"][theirs["fill"]]
    # At the time of the last close nothing fills at an open any more, but what fills at the close does.
    until_ns = theirs["until_ns"] + (theirs["fill"] == "close")
    count = bisect_left(wanted["time_ns"], until_ns)
    for name, values in theirs["fills"].items():
        ours_of_it = wanted[name][:count]
        if values != ours_of_it:
            pairs = enumerate(zip(values, ours_of_it, strict=False))
            at = next((at for at, (one, other) in pairs if one != other), min(count, len(values)))
            shown = [{key: column[at : at + 1] for key, column in side.items()} for side in (theirs["fills"], wanted)]
            raise Disagreement(
                f"{entry.label} has {len(values)} fills where we have {count}; at {at}: {shown[0]}, ours {shown[1]}"
            )
    for name, value in theirs.get("stats", {}).items():
        if not math.isclose(value, ours["stats"][name], rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            raise Disagreement(f"{entry.label}: {name} is {value}, ours {ours['stats'][name]}")


def _timed(
    workers: dict[Entry, Worker], results: dict[str, Any], bars: int, rounds: int, notices: list[str]
) -> tuple[dict[str, Any], str]:
    works: list[Work] = []
    for entry, worker in workers.items():
        result, items = results[entry.label], min(bars, entry.bars_max)
        labels = [(name, f"{entry.label} {result['version']}: {name}{entry.note}") for name in result["works"]]
        works += [Work(label, worker, name, items) for name, label in labels]
    times = dict(zip([(work.label, work.name) for work in works], in_turns(works, rounds), strict=True))
    whole = [time for (_, name), time in times.items() if "whole" in name]
    load = [time for (_, name), time in times.items() if name == "load"]
    engine = [time for (_, name), time in times.items() if "whole" not in name and name != "load"]
    fills = len(results[OURS.label]["fills"]["open"]["time_ns"])
    about = (__doc__ or "").split("\n\n", 1)[1].replace("\n", " ").strip()
    whole_is = (
        f"{about} The whole run is reading, running and statistics (for us: fills, trades and buy and hold beside it;"
        " the numba loop makes the same figures, vectorbt eleven of its own)."
    )
    engine_is = (
        "The engine alone, from bars in memory to all of its records in memory (backtesting.py: its `run`, which makes"
        " statistics; nautilus_trader: without making its objects of bars; fewer bars where it says so):"
    )
    parts = [f"## Moving-average cross, {bars:,} one-minute bars, {fills:,} fills", whole_is]
    parts += [against(whole, _of(whole, "signal")), "Reading alone:", against(load, load[0])]
    parts += [engine_is, against(engine, _of(engine, "signal, engine")), *(f"*{notice}*" for notice in notices)]
    figures = {"fills": fills, "times": [time.document() for time in times.values()], "skipped": notices}
    return figures, "\n\n".join(parts)


def _of(times: list[Time], part: str) -> Time:
    return next(time for time in times if part in time.label)
