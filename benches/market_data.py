"""Market data: messages to books, books of levels and of orders, measures, a recorded session, the catalog, memory.

Every contestant must show the same best prices after each message, update or action before anything is timed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benches.cross import Disagreement
from benches.places import ROOT, PeerError, Worker, python_of
from benches.timing import Time, Work, against, duration, in_turns, table

if TYPE_CHECKING:
    from pathlib import Path

OURS = "neural-trader"
SORTED = "sortedcontainers"
PEERS = {SORTED: "of_sortedcontainers.py", "hftbacktest": "of_hftbacktest.py"}
SECTIONS = {
    "wire": "levels",
    "updates": "updates",
    "orders": "messages",
    "measures": "events",
    "capture": "bytes",
    "catalog": "bars",
}
"""Parts of the bench, each a table, and what its works are counted in."""
REPLAYS = 20

ABOUT = {
    "wire": (
        "From the bytes of Binance's depth messages ({source}) to the book, the best prices read after each message."
        " Ours checks numbers, grids and crossed books and hands out records besides; with orjson and sortedcontainers"
        " it is what a short script does: floats, and nothing checked."
    ),
    "updates": (
        "Updates of single levels on a fine tick, {levels:,} levels at a time, half of them beyond 4,000 ticks of the"
        " best price; best price and quantity of both sides read after each. Ours writes them into columns. hftbacktest"
        " replays them through its two books, the exchange's and the trader's, in numba; nautilus_trader is left out,"
        " because its book cannot be read after each update without a call of Python for each."
    ),
    "orders": (
        "Messages about single orders of a market of random order flow; the best prices after each action. Ours says"
        " what a feed of levels would say of the same market; with sortedcontainers only a book of them is kept."
    ),
    "measures": "Measures after each event of the same market, into columns: {measures}.",
    "capture": (
        "A recorded session in gzip ({source}), {kinds}, to records; bytes are those of the text. Decompressing alone"
        " is what of it no decoder can save."
    ),
    "catalog": (
        "Bars of one minute in the catalog, in {files} Parquet files of {megabytes:,.0f} MB, from the page cache."
    ),
}


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time all contestants that can be had; figures, and Markdown."""
    shared = os.environ.get("NT_SHARED", str(ROOT.parent / "shared"))
    job = {"folder": str(folder), "bars": bars, "shared": shared, "tests": str(ROOT / "tests" / "feed")}
    notices: list[str] = []
    workers = {OURS: Worker(home, "market_data.py", job)}
    try:
        ours = workers[OURS].ask("result")
        for package, script in PEERS.items():
            try:
                # Without peers, what the environment of the tests happens to have is enough.
                python = python_of(package) if peers else home
                worker = Worker(python, script, job)
                theirs = worker.ask("result")
            except (PeerError, OSError) as error:
                notices.append(f"{package} was skipped: {str(error).strip().splitlines()[-1]}")
                continue
            workers[package] = worker
            check(package, ours["best"], theirs["best"])
            # What a message of depth says is counted in levels by us, for all.
            levels = ours["about"]["levels_of_wire"]
            ours["works"] |= {name: (package, items or levels) for name, items in theirs["works"].items()}
        times = _timed(workers, ours["works"], rounds)
    finally:
        for worker in workers.values():
            worker.close()
    memory, sentence = _memory(home, job)
    parts = ["## Market data"]
    for section, unit in SECTIONS.items():
        rows = times[section]
        parts += [ABOUT[section].format(**ours["about"]), against(rows, rows[0], unit)]
    if len(times["wire"]) > 1:
        per_level = [[time.label, f"{time.best / time.items * 1e9:,.0f} ns"] for time in times["wire"]]
        parts.insert(3, table(["", "a level"], per_level))
    parts += [sentence, *(f"*{notice}*" for notice in notices)]
    documents = [time.document() for section in times.values() for time in section]
    return {"times": documents, "skipped": notices, "memory": memory}, "\n\n".join(parts)


def check(package: str, ours: dict[str, str], theirs: dict[str, str]) -> None:
    """Raise unless a contestant saw the same best prices; each says which of the streams it plays."""
    for stream, digest in theirs.items():
        if digest != ours[stream]:
            raise Disagreement(f"{package} has other best prices than we have ({stream})")


def _timed(workers: dict[str, Worker], works: dict[str, Any], rounds: int) -> dict[str, list[Time]]:
    """Times by section; a work is called `section: label`."""
    found = {}
    for section in SECTIONS:
        chosen = [
            Work(name.split(": ", 1)[1], workers[owner], name, items)
            for name, (owner, items) in works.items()
            if name.startswith(f"{section}: ")
        ]
        found[section] = in_turns(chosen, rounds)
    return found


def _memory(home: Path, job: dict[str, Any]) -> tuple[dict[str, int], str]:
    """How much a process needs at its peak for one session and for many, one after the other."""
    worker = Worker(home, "market_data.py", {**job, "only": "wire"})
    try:
        worker.ask("result")
        peaks = []
        for replays in (1, REPLAYS):
            seconds = sum(worker.ask("wire: feed") for _ in range(replays))
            peaks.append(worker.ask("memory") * 1024)
    finally:
        worker.close()
    sentence = (
        f"Peak memory of a process that plays the session of depth messages: {peaks[0] / 1e6:,.1f} MB after the first"
        f" time, {peaks[1] / 1e6:,.1f} MB after {REPLAYS} more ({duration(seconds)} of replay)."
    )
    return {"first": peaks[0], "later": peaks[1]}, sentence
