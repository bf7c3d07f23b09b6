"""The loop of a contestant: asked for its result once, and then for the time of one repetition, as often as it takes.

Standard library only, because it runs in the environment of every contestant. Questions and answers are lines of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

BRIEF_S = 0.5

Job = dict[str, Any]
"""`parquet`, `bars` to take of it, `cash`, `fee` as a rate, `fast`, `slow`, and what single contestants add."""


class Contestant(Protocol):
    """What a contestant shows: its version, its results, and the works that can be timed."""

    version: str
    works: dict[str, Callable[[], Any]]
    """By name; what one returns is dropped after the clock has stopped."""

    def result(self) -> dict[str, Any]:
        """What has to be right before anything is timed. A `ready` beside it, if any, prepares the next repetition."""


def fills(time_ns: Any, side: Any, price: Any, quantity: Any) -> dict[str, list[Any]]:
    """Fills in the form in which all contestants show them; side is 1 or -1."""
    return {
        "time_ns": [int(each) for each in time_ns],
        "side": [int(each) for each in side],
        "price": [float(each) for each in price],
        "quantity": [float(each) for each in quantity],
    }


def serve(make: Callable[[Job], Contestant]) -> None:
    """Answer questions until there are no more."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What libraries print must not mix with answers.
    os.dup2(2, 1)
    contestant, taken = make(job), 0.0
    for line in sys.stdin:
        asked = json.loads(line)
        answer: Any
        if asked == "result":
            answer = {"version": contestant.version, "works": list(contestant.works), **contestant.result()}
        elif asked == "memory":
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        elif asked == "cores":
            answer = taken
        else:
            answer, taken = _seconds(contestant.works[asked], getattr(contestant, "ready", lambda: None))
        print(json.dumps(answer), file=answers, flush=True)


def _seconds(work: Callable[[], Any], ready: Callable[[], None]) -> tuple[float, float]:
    """The time of a repetition, and what it took of all cores together; of the second of two where one is brief.

    While other contestants ran, allocators gave back memory and the caches were filled with other things: the first
    repetition takes that away from whoever happens to come first.
    """
    times = _once(work, ready)
    return _once(work, ready) if times[0] < BRIEF_S else times


def _once(work: Callable[[], Any], ready: Callable[[], None]) -> tuple[float, float]:
    gc.collect()
    begun, of_cores = time.perf_counter(), time.process_time()
    kept = work()
    times = time.perf_counter() - begun, time.process_time() - of_cores
    del kept
    ready()
    return times
