"""Single entries and whole solutions of dominant systems, beside scipy and a local push in numba.

All contestants make the same systems, of which the solution is known, and are as loose as the error allows; what is
timed has that error at the entries that are asked for, or everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.cross import Disagreement
from benches.places import PeerError, Worker, python_of
from benches.timing import Time, Work, duration, in_turns, ratio, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CASES = [("near", 2.0, 1e-4), ("near", 1.1, 1e-5), ("far", 2.0, 1e-4), ("far", 1.1, 1e-5), ("even", 1.1, 1e-5)]
"""Shape, dominance, and the error that is allowed."""
SIZES = (10_000, 100_000, 1_000_000)
QUERIES = 5
BARS_OF_ALL = 1_000_000
"""From this many bars on, the bench has its full sizes."""
ROUNDS_MAX = 5
WHOLE_PEERS = ("Jacobi", "BiCGSTAB", "GMRES", "CG")
PEERS = (*WHOLE_PEERS, "numba push")


def run(home: Path, folder: Path, bars: int, rounds: int, *, peers: bool) -> tuple[dict[str, Any], str]:
    """Check and time; figures, and Markdown."""
    del folder
    sizes = SIZES if bars >= BARS_OF_ALL else (max(bars // 2, 200),)
    figures: dict[str, Any] = {"times": [], "facts": {}, "skipped": []}
    rows: dict[str, list[list[str]]] = {"entry": [], "whole": []}
    for size in sizes:
        found = _of_size(home, size, min(rounds, ROUNDS_MAX), peers, figures)
        for shape, dominance, error in CASES:
            name = f"{shape} {dominance:g}"
            facts = figures["facts"][f"{size}"][name]
            rows["entry"].append(_entry_row(f"{size:,}, {name}, {error:g}", name, found, facts))
            rows["whole"].append(_whole_row(f"{size:,}, {name}, {error:g}", name, found))
    regime = (
        "About ten entries a row, signed, the solution known; `near` rows know others within 50 places, `far` rows"
        " any, `even` rows are near and symmetric, so that CG takes part. Rows are called by size, shape,"
        " |a_ii| / sum |a_ij|, and error. *Proved* is our own choice of what is certain, with that error in the"
        " certificate; *measured* the same as loose as the error allows, with the bound that this leaves. The others"
        " are stopped where the known solution says that they are good enough, and check nothing. Means over"
        f" {QUERIES} entries. The last columns are the fastest of scipy, and numba, against *measured*."
    )
    whole_regime = (
        "The whole solution, to that error everywhere; the last columns are the fastest of scipy against *measured*"
        " and *proved*. *Matrix* is what looking at a matrix takes, once for all questions; *change* another value on"
        " the right side of a solution that is kept (`Tracked`), with a look at its entry:"
    )
    head = ["", "method", "entries read", "proved", "measured", *PEERS, "scipy", "numba"]
    parts = [
        "## One entry of a dominant system",
        regime,
        table(head, rows["entry"]),
        whole_regime,
        table(["", "matrix", "change", "proved", "measured", *WHOLE_PEERS, "scipy", "proved"], rows["whole"]),
        *(f"*{notice}*" for notice in figures["skipped"]),
    ]
    return figures, "\n\n".join(parts)


def check(name: str, ours: dict[str, Any], theirs: dict[str, Any] | None, error: float) -> None:
    """Raise unless all solved the same system, and to the error that is allowed."""
    errors = {kind: ours[kind]["error"] for kind in ("proved", "entry", "sure", "whole")}
    if theirs is not None:
        if theirs["digest"] != ours["digest"]:
            raise Disagreement(f"{name}: contestants were given different systems")
        errors |= theirs["errors"]
    wrong = {label: missed for label, missed in errors.items() if not missed <= error}
    if wrong or not max(ours["proved"]["bound"], ours["sure"]["bound"], ours["tracked"]) <= error:
        raise Disagreement(f"{name}: not solved to {error:g}: {wrong}")


def _of_size(home: Path, size: int, rounds: int, peers: bool, figures: dict[str, Any]) -> dict[str, Time]:
    job = {"size": size, "cases": CASES}
    workers = {"ours": Worker(home, "solver_ours.py", job)}
    try:
        ours = workers["ours"].ask("result")
        theirs: dict[str, Any] = {"cases": {}, "works": []}
        if peers:
            try:
                worker = Worker(python_of("scipy"), "solver_peers.py", job)
                theirs = worker.ask("result")
                workers["peers"] = worker
                figures["skipped"] += [
                    f"{size:,}, {label}: not within the steps or the time allowed" for label in theirs["skipped"]
                ]
            except (PeerError, OSError) as error:
                figures["skipped"].append(f"scipy and numba were skipped: {str(error).strip().splitlines()[-1]}")
        for shape, dominance, error in CASES:
            name = f"{shape} {dominance:g}"
            check(name, ours["cases"][name], theirs["cases"].get(name), error)
        figures["facts"][f"{size}"] = ours["cases"]
        works = [Work(label, workers["ours"], label, 1) for label in ours["works"]]
        works += [Work(label, workers["peers"], label, 1) for label in theirs["works"]]
        times = in_turns(works, rounds)
    finally:
        for worker in workers.values():
            worker.close()
    figures["times"] += [{**time.document(), "size": size} for time in times]
    return {time.label: time for time in times}


def _entry_row(title: str, name: str, found: dict[str, Time], facts: dict[str, Any]) -> list[str]:
    ours = found[f"{name}: entry, error measured"].best / QUERIES
    # A whole solution answers for all entries at once; a push is asked one by one.
    seconds = {peer: _best(found, f"{name}: {peer}, entry", QUERIES if peer == "numba push" else 1) for peer in PEERS}
    scipy = [each for peer, each in seconds.items() if each is not None and peer != "numba push"]
    shown = ["" if each is None else duration(each) for each in seconds.values()]
    numba = seconds["numba push"]
    return [
        title,
        facts["methods"]["proved"],
        f"{facts['entries']['proved']:,}",
        duration(found[f"{name}: entry, error proved"].best / QUERIES),
        duration(ours),
        *shown,
        ratio(min(scipy) / ours) if scipy else "",
        "" if numba is None else ratio(numba / ours),
    ]


def _whole_row(title: str, name: str, found: dict[str, Time]) -> list[str]:
    measured, proved = (found[f"{name}: whole, error {kind}"].best for kind in ("measured", "proved"))
    seconds = [_best(found, f"{name}: {peer}, whole", 1) for peer in WHOLE_PEERS]
    change = found[f"{name}: change"].best / (2 * QUERIES)
    shown = [duration(each) for each in (found[f"{name}: matrix"].best, change, proved, measured)]
    shown += ["" if each is None else duration(each) for each in seconds]
    return [title, *shown, _fastest(seconds, measured), _fastest(seconds, proved)]


def _best(found: dict[str, Time], label: str, queries: int) -> float | None:
    return found[label].best / queries if label in found else None


def _fastest(seconds: Sequence[float | None], ours: float) -> str:
    known = [each for each in seconds if each is not None]
    return ratio(min(known) / ours) if known else ""
