"""Recall of like situations beside other ways to find the nearest points, and cards written: python -m benches.memory

Alone it runs in this interpreter and puts its table into docs/memory.md; ``--cards`` says how many there are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benches.cross import Disagreement
from benches.places import PeerError, Worker, python_of
from benches.timing import Time, Work, in_turns, rate, table

SIZES = (100_000, 1_000_000)
BARS_OF_ALL = 1_000_000
"""From this many bars on, the bench has its full sizes."""
CARDS_MAX = 100_000
"""Cards that are written to a file; larger sizes are of the index alone."""
GRAPH_FROM = 20_000
TOGETHER = 512
LEAST = 0.95
"""The recall below which nothing is worth its time."""
PEERS = ("numpy", "hnswlib", "faiss", "usearch", "sqlite-vec")
STRATEGY, WRITING = "recall in a strategy", "cards written"
PAGE = Path(__file__).parent.parent / "docs" / "memory.md"
BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->"


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time; figures, and Markdown."""
    del folder
    sizes = SIZES if bars >= BARS_OF_ALL else (bars,)
    return measured(home, sizes, rounds, peers=peers)


def measured(home: Path, sizes: tuple[int, ...], rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """The same for numbers of cards."""
    figures: dict[str, Any] = {"times": [], "facts": {}, "skipped": []}
    rows = [row for size in sizes for row in _of_size(home, size, rounds, peers, figures)]
    regime = (
        "Points of 32 numbers with 12 hidden factors, 10 neighbours of each of 200 queries, one thread. *Mean* is that"
        " of the 200 in the best repetition, *build* the processor time until the first answer. Whatever has a width is"
        f" as narrow as a recall of {LEAST} allows, except ours, whose width is what it is. Searches of ours include"
        " the question and the answer, and in a strategy the embedding too; those of one symbol let a tenth through."
    )
    head = ["cards", "", "recall@10", "mean us", "build s", "per second"]
    parts = ["## Memory", regime, table(head, rows), *(f"*{notice}*" for notice in figures["skipped"])]
    return figures, "\n\n".join(parts)


def check(label: str, digest: str, found: dict[str, Any]) -> None:
    """Raise unless a contestant searched the same points, and found what it was to find."""
    if found["digest"] != digest:
        raise Disagreement(f"{label}: contestants were given different points")
    for name, facts in found["facts"].items():
        if facts["recall"] < LEAST:
            raise Disagreement(f"{label}, {name}: found {facts['recall']:.3f} of the nearest; {LEAST} is the least")


def _of_size(home: Path, size: int, rounds: int, peers: bool, figures: dict[str, Any]) -> list[list[str]]:
    graph_from = GRAPH_FROM if size >= GRAPH_FROM else None
    job = {"size": size, "cards": size if size <= CARDS_MAX else 0, "graph_from": graph_from}
    workers = [Worker(home, "memory_ours.py", job)]
    try:
        ours = workers[0].ask("result")
        check("ours", ours["digest"], ours)
        works = [Work(f"ours: {name}", workers[0], name, ours["queries"]) for name in ours["works"]]
        facts = {f"ours: {name}": each for name, each in ours["facts"].items()}
        for package in PEERS if peers else ():
            try:
                worker = Worker(python_of(package), "memory_peers.py", {"size": size, "package": package})
                workers.append(worker)
                theirs = worker.ask("result")
                check(package, ours["digest"], theirs)
                works += [Work(name, worker, name, theirs["queries"]) for name in theirs["works"]]
                facts |= theirs["facts"]
            except (PeerError, OSError, Disagreement) as error:
                figures["skipped"].append(f"{size:,}: {package} was skipped: {str(error).strip().splitlines()[-1]}")
        times = in_turns(works, rounds)
    finally:
        for worker in workers:
            worker.close()
    figures["facts"][f"{size}"] = facts
    figures["times"] += [{**time.document(), "size": size} for time in times]
    return [_row(size, time, facts.get(time.label)) for time in times]


def _row(size: int, time: Time, facts: dict[str, float] | None) -> list[str]:
    if facts is None:
        return [f"{size:,}", time.label, "", "", "", rate(TOGETHER / time.best)]
    shown = [f"{facts['recall']:.3f}", f"{time.best / time.items * 1e6:,.0f}", f"{facts['build_s']:.3g}"]
    return [f"{size:,}", time.label, *shown, rate(time.rate)]


def main() -> int:
    """Write the table into the page of the memory."""
    parser = argparse.ArgumentParser(prog="python -m benches.memory", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cards", default="100000,1000000", metavar="N,N", help="how many there are")
    parser.add_argument("--rounds", type=int, default=15, help="repetitions (15)")
    options = parser.parse_args()
    sizes = tuple(int(each) for each in options.cards.split(","))
    _, text = measured(Path(sys.executable), sizes, options.rounds, peers=True)
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN, 1)[0], page.split(END, 1)[1]
    PAGE.write_text(f"{before}{BEGIN}{text.partition(chr(10))[2].strip()}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
