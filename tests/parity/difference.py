"""The first difference between two outcomes of a case, told so that one can see what happened."""

from __future__ import annotations

from dataclasses import fields
from itertools import zip_longest
from typing import Any

from parity.outcome import Outcome, names_of
from parity.programs import Case

BARS_AROUND = 3


def first_difference(case: Case, baseline: Outcome, rust: Outcome) -> str | None:
    """None if the outcomes are equal."""
    for stream in (column.name for column in fields(Outcome)):
        expected, found = getattr(baseline, stream), getattr(rust, stream)
        if expected == found:
            continue
        heading = [f"seed {case.seed}: {stream} differ", f"config: {case.config}"]
        if not isinstance(expected, list):
            return "\n".join([*heading, f"baseline: {expected}", f"rust:     {found}"])
        for index, (left, right) in enumerate(zip_longest(expected, found)):
            if left != right:
                rows = [f"first at row {index}:", _show(stream, left, right), *_context(stream, expected, index)]
                return "\n".join([*heading, *rows, *_bars_around(case, stream, left or right)])
    return None


def _show(stream: str, left: tuple[Any, ...] | None, right: tuple[Any, ...] | None) -> str:
    """Both rows, one column per line where names are known, with the columns that differ marked."""
    if stream not in ("orders", "fills", "postings", "trades"):
        return f"  baseline: {left}\n  rust:     {right}"
    names = names_of(stream)
    lines = [f"  {'':16} {'baseline':>28} {'rust':>28}"]
    for index, name in enumerate(names):
        pair = ["-" if row is None else str(row[index]) for row in (left, right)]
        lines.append(f"  {name:16} {pair[0]:>28} {pair[1]:>28} {'' if pair[0] == pair[1] else ' <<<'}")
    return "\n".join(lines)


def _context(stream: str, rows: list[tuple[Any, ...]], index: int) -> list[str]:
    """What happened just before, where the rows are in the order of time."""
    if stream != "seen" or index == 0:
        return []
    return ["before that:", *(f"  {row}" for row in rows[max(0, index - 6) : index])]


def _bars_around(case: Case, stream: str, row: tuple[Any, ...]) -> list[str]:
    """The bars of the instrument near the time of a row that has both."""
    if stream not in ("orders", "fills"):
        return []
    names = names_of(stream)
    bars = case.market[row[names.index("instrument")]]
    time_ns = row[-1]
    opened = [index for index in range(len(bars)) if bars.open_ns[index] <= time_ns]
    centre = opened[-1] if opened else 0
    lines = [
        f"bars of {bars.symbol} around {time_ns}:",
        "  index  open_ns  close_ns  open high low close volume spread",
    ]
    for index in range(max(0, centre - BARS_AROUND), min(len(bars), centre + BARS_AROUND + 1)):
        columns = (bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.spread)
        values = ["-" if column is None else str(int(column[index])) for column in columns]
        lines.append(f"  {index:5}  {'  '.join(values)}")
    return lines
