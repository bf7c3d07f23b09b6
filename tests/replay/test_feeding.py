"""Records that come while they are played: any cut of the stream gives the same run and the same turns (law 14)."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from neural_trader.errors import EngineError
from replay.outcome import first_difference, outcome_of
from replay.random_orders import make_orders_session
from replay.random_sessions import Program, Session, joined, make_session
from replay.scenario import Engines, engines_named

HOW = ("one by one", "in batches", "all at once")


def words_of(records: Any) -> Any:
    return np.ascontiguousarray(records).view(np.int64)


def feed(replay: Any, session: Session, how: str) -> Any:
    """Feeds all sources in pieces, and yields whenever something can be played; the sources take turns by chance."""
    random = Random(session.seed)
    left = {source: records for source, (records, _) in enumerate(session.sources)}
    while left:
        source = random.choice(list(left))
        records = left[source]
        size = {"one by one": 1, "in batches": random.randint(0, 40), "all at once": len(records)}[how]
        piece, left[source] = records[:size], records[size:]
        is_last = not len(left[source])
        replay.feed(source, words_of(piece), last=is_last)
        if is_last:
            del left[source]
        yield


def play_fed(how: str) -> Any:
    def play(engines: Engines, session: Session) -> tuple[Any, Program]:
        program = Program(session)
        empty = [(records[:0], ranks) for records, ranks in session.sources]
        replay = engines.replay(session.instruments, empty, **session.config)
        all_times = [records["ts_event_ns"] for records, _ in session.sources]
        replay.open(by_receipt=not any((times > 0).any() for times in all_times))
        program.start(replay)
        try:
            for _ in feed(replay, session, how):
                replay.run(program, session.wants)
        except EngineError:
            program.seen.append(("error",))
        return replay, program

    return play


def is_told_alike(session: Session) -> bool:
    """Whether all sources know the venue's time, or none does: of a stream that must be known before."""
    return len({bool((records["ts_event_ns"] > 0).any()) for records, _ in session.sources}) == 1


def sessions() -> list[Session]:
    made = [make_session(seed) for seed in range(25)] + [make_orders_session(seed) for seed in range(10)]
    made += [joined(make_session(seed), make_session(seed + 10**6)) for seed in range(10)]
    return [session for session in made if is_told_alike(session)]


@pytest.mark.parametrize("how", HOW)
def test_any_cut_of_the_stream_is_the_same_run_and_the_same_turns(how: str) -> None:
    rust, turns = engines_named("rust"), 0
    for session in sessions():
        whole, fed = outcome_of(rust, session), outcome_of(rust, session, play_fed(how))
        difference = first_difference(session, whole, fed)
        assert difference is None, difference
        turns += len(whole.seen)
    assert turns > 10_000


def test_what_has_come_is_played_before_the_rest_is_known() -> None:
    """A fed replay is not one that waits for the end."""
    session = make_session(3)
    replay, program = (
        engines_named("rust").replay(
            session.instruments, [(records[:0], ranks) for records, ranks in session.sources], **session.config
        ),
        Program(session),
    )
    replay.open()
    pieces = feed(replay, session, "in batches")
    lengths = []
    for _ in pieces:
        replay.run(program, session.wants)
        lengths.append(len(program.seen))
    assert 0 < lengths[len(lengths) // 2] < lengths[-1]


def test_a_source_that_is_over_takes_no_more() -> None:
    session = make_session(3)
    replay = engines_named("rust").replay(session.instruments, session.sources, **session.config)
    with pytest.raises(ValueError, match="source 0 takes no more records"):
        replay.feed(0, words_of(session.sources[0][0]))
    replay.open()
    replay.feed(0, words_of(session.sources[0][0]), last=True)
    with pytest.raises(ValueError, match="source 0 takes no more records"):
        replay.feed(0, words_of(session.sources[0][0]))
