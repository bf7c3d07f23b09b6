"""Replays: books, a market maker with latency and queues, books of single orders, Python callbacks, memory.

hftbacktest must see the same best prices, and its market maker must end with the same orders, fills, position and
balance as ours under its rules, before anything is timed.
"""

from __future__ import annotations

import statistics
import subprocess
from typing import TYPE_CHECKING, Any

from benches.cross import Disagreement
from benches.places import SCRIPTS, PeerError, Worker, python_of
from benches.timing import Time, Work, against, duration, in_turns

if TYPE_CHECKING:
    from pathlib import Path

OURS = "neural-trader"
PEER = "hftbacktest"
RECORDS_PER_BAR = 5
SECTIONS = {
    "books": "records",
    "every 100 ms": "records",
    "every 10 ms": "records",
    "orders": "messages",
    "callbacks": "events",
}
"""Parts of the bench, each a table, and what its works are counted in."""
FIRSTS_MAX = 5

ABOUT = {
    "books": (
        "A session of levels and trades, {minutes:,.1f} minutes of a made market: the books at the venue and, a while"
        " later, here. Every 100 ms of the market's time the best prices are read, by us in Python, for hftbacktest in"
        " numba; their sums must be equal before anything is timed."
    ),
    "every 100 ms": (
        "A market maker over the same session, 10 ms from an order to the venue and 10 ms back, places in queues by the"
        " power model. Every 100 ms it moves one order on each side with the middle: {equal every 100 ms}. hftbacktest"
        " must end with the same before anything is timed; its strategy is compiled by numba. Under our own rules the"
        " same maker has {rules every 100 ms}. That of the library is another strategy, which amends its orders to move"
        " them: {native every 100 ms}, the same run hash in Python and in Rust."
    ),
    "every 10 ms": (
        "The same every 10 ms: {equal every 10 ms}; under our rules {rules every 10 ms}, that of the library"
        " {native every 10 ms}."
    ),
    "orders": (
        "Messages about single orders of a market of random order flow, and the best prices every second. They are"
        " those of its feed of levels, or nothing is timed."
    ),
    "callbacks": (
        "Trades through the `on_trade` of a Python strategy, in columns through its `on_batch`, and what a call costs"
        " that does nothing else. The market has a trade every millisecond, so a batch of 10 ms has ten."
    ),
}


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time all contestants that can be had; figures, and Markdown."""
    subprocess.run([str(home), str(SCRIPTS / "session.py"), str(bars * RECORDS_PER_BAR), str(folder)], check=True)
    job = {"session": str(folder / "session.npy"), "bars": bars}
    notices: list[str] = []
    workers = {OURS: Worker(home, "replay_ours.py", job)}
    try:
        ours = workers[OURS].ask("result")
        works = {name: (OURS, items) for name, items in ours["works"].items()}
        if peers:
            try:
                worker = Worker(python_of(PEER), "replay_of_hftbacktest.py", job)
                theirs = worker.ask("result")
            except (PeerError, OSError) as error:
                notices.append(f"{PEER} was skipped: {str(error).strip().splitlines()[-1]}")
            else:
                workers[PEER] = worker
                check(PEER, ours["equal"], theirs["equal"])
                works |= {name: (PEER, items) for name, items in theirs["works"].items()}
        times = _timed(workers, works, rounds)
    finally:
        for worker in workers.values():
            worker.close()
    files = {name: _file(home, folder / f"{name}.npy", min(rounds, FIRSTS_MAX)) for name in ("short", "long")}
    parts = ["## Replays of books and trades"]
    for section, unit in SECTIONS.items():
        rows = times[section]
        parts += [ABOUT[section].format(**_words(ours)), against(rows, rows[0], unit)]
    parts += [_sentence(files), *(f"*{notice}*" for notice in notices)]
    documents = [time.document() for section in times.values() for time in section]
    figures = {"times": documents, "skipped": notices, "equal": ours["equal"], "about": ours["about"], "files": files}
    return figures, "\n\n".join(parts)


def check(package: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise unless a contestant has what we have under its rules: best prices, and what a market maker ends with."""
    for name, found in ours.items():
        if found != theirs.get(name):
            raise Disagreement(f"{package} has {theirs.get(name)} where we have {found} ({name})")


def _timed(workers: dict[str, Worker], works: dict[str, tuple[str, int]], rounds: int) -> dict[str, list[Time]]:
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


def _file(home: Path, path: Path, rounds: int) -> dict[str, Any]:
    """What a recording in a file takes, each time in a new process: times to the first trade, and memory at the end."""
    found = []
    for _ in range(rounds):
        worker = Worker(home, "replay_file.py", {"recording": str(path)})
        try:
            found.append(worker.ask("result"))
        finally:
            worker.close()
    memory = {name: max(each[name] for each in found) for name in ("before", "anonymous", "peak")}
    return {"bytes": path.stat().st_size, "first_s": [each["first_s"] for each in found], **memory}


def _words(ours: dict[str, Any]) -> dict[str, Any]:
    """What the makers did, in words."""
    told = {f"equal {name}": found for name, found in ours["equal"].items() if name != "books"} | ours["about"]
    words = {name: f"{found['orders']:,} orders, {found['fills']:,} fills" for name, found in told.items()}
    return words | {"minutes": ours["minutes"]}


def _sentence(files: dict[str, Any]) -> str:
    short, long = files["short"], files["long"]
    first = f"{duration(min(long['first_s']))} at best, {duration(statistics.median(long['first_s']))} in the median"
    sentence = (
        f"A recording of {long['bytes'] / 1e6:,.0f} MB in a file is opened, and its first trade has reached the"
        f" strategy, in {first} (file in the page cache, libraries imported)."
    )
    if not long["peak"]:
        return sentence
    own, peak = ([f"{each[name] / 1e6:,.1f} MB" for each in (short, long)] for name in ("anonymous", "peak"))
    return (
        f"{sentence} Peak memory of a process that replays it, without pages of files: {own[1]}, and {own[0]} for a"
        f" quarter of its length; with them, which the kernel drops where memory is short, {peak[1]} and {peak[0]}."
    )
