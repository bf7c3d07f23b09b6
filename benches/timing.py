"""Repetitions in turns, so that whatever else a machine does hits all contestants alike, and tables of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benches.places import Worker

SECONDS_MAX = 8.0
"""A work that has taken this long in all, and was repeated at least three times, is repeated no more."""
ROUNDS_MIN = 3


@dataclass(frozen=True)
class Work:
    """One thing to time: what it is called in the table, whose it is, and over how many items it goes."""

    label: str
    worker: Worker
    name: str
    items: int


@dataclass(frozen=True)
class Time:
    """The repetitions of a work."""

    label: str
    items: int
    seconds: tuple[float, ...]
    cores: tuple[float, ...] = ()
    """Seconds of all cores together, in each repetition; other work of the machine lengthens them less."""

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Items per second of the best repetition."""
        return self.items / self.best

    def document(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "items": self.items,
            "seconds": self.seconds,
            "cores": self.cores,
            "best": self.best,
            "median": self.median,
        }


def in_turns(works: Sequence[Work], rounds: int) -> list[Time]:
    """Every work once, then every work again, and so on."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, taken, strict=True):
            if len(times) < ROUNDS_MIN or sum(seconds for seconds, _ in times) < SECONDS_MAX:
                times.append((work.worker.ask(work.name), work.worker.ask("cores")))
    columns = (tuple(zip(*times, strict=True)) for times in taken)
    return [Time(work.label, work.items, *column) for work, column in zip(works, columns, strict=True)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def against(times: Sequence[Time], first: Time, unit: str = "bars") -> str:
    """Times beside one of them: how many times as long each takes for one item."""
    rows = [
        [
            time.label,
            f"{time.items:,}",
            duration(time.best),
            duration(time.median),
            rate(time.rate),
            "1" if time is first else ratio(first.rate / time.rate),
        ]
        for time in times
    ]
    return table(["", unit, "best", "median", f"{unit}/s", "takes"], rows)


def of_cores(times: Sequence[Time], unit: str) -> str:
    """What each takes of a core for one item: the least of its repetitions, in nanoseconds."""
    rows = [[time.label, f"{min(time.cores) / time.items * 1e9:.2f} ns"] for time in times]
    return table(["", f"of a core per {unit}"], rows)


def duration(seconds: float) -> str:
    """Milliseconds or seconds with three digits."""
    return f"{seconds:.3g} s" if seconds >= 1.0 else f"{seconds * 1e3:.3g} ms"


def rate(per_second: float) -> str:
    """Thousands or millions with three digits."""
    for size, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= size:
            return f"{per_second / size:.3g}{suffix}"
    return f"{per_second:.3g}"


def ratio(value: float) -> str:
    """`0.85x`, `12x`, `1,200x`."""
    return f"{value:,.0f}x" if value >= 10.0 else f"{value:.2f}x"
