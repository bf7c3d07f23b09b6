"""What a replay made of a session, as plain rows that can be compared, and the first difference between two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from itertools import zip_longest
from typing import Any

from replay.random_sessions import Session, play_session
from replay.scenario import RECORDS, Engines, records_of, samples_of

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Outcome:
    """Streams of rows in the order in which a difference is best explained: what was seen comes first in time."""

    seen: Rows
    numbers: tuple[list[int], list[int]]
    """Which orders and fills the numbers known here are of."""
    orders: Rows
    fills: Rows
    postings: Rows
    equity_samples: Rows
    touches: Rows
    trades: Rows
    halted: bool
    digests: dict[str, str]


def outcome_of(engines: Engines, session: Session, play: Callable[..., Any] = play_session) -> Outcome:
    """Play a session and gather what came of it."""
    replay, program = play(engines, session)
    if program.seen[-1:] == [("error",)]:
        return Outcome(program.seen, ([], []), [], [], [], [], [], [], halted=replay.halted, digests={})
    rows = {stream: [astuple(record) for record in records_of(replay, stream)] for stream in RECORDS}
    return Outcome(
        seen=program.seen,
        numbers=(list(replay.known_orders), list(replay.known_fills)),
        **rows,
        equity_samples=samples_of(replay),
        touches=list(replay.touches),
        halted=replay.halted,
        digests=replay.digests("0.0.0", '{"a":1}'),
    )


def first_difference(session: Session, expected: Outcome, found: Outcome) -> str | None:
    """None if the outcomes are equal."""
    for stream in (column.name for column in fields(Outcome)):
        left, right = getattr(expected, stream), getattr(found, stream)
        if left == right:
            continue
        heading = f"seed {session.seed}: {stream} differ\nconfig: {session.config}"
        if not isinstance(left, list):
            return f"{heading}\nbaseline: {left}\nrust:     {right}"
        at = next(index for index, pair in enumerate(zip_longest(left, right)) if pair[0] != pair[1])
        lines = [heading, f"first at row {at}:"]
        lines += [f"  {row}" for row in left[max(0, at - 6) : at]]
        lines += [f"  baseline: {left[at : at + 1]}", f"  rust:     {right[at : at + 1]}"]
        return "\n".join(lines)
    return None
