"""Decisions that are played again bring the same answers, and one that was changed does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline.journal import FIELDS, WIDTHS, Frame, encode
from replay.journals import HEADER, decoded, kept, played_again
from replay.random_sessions import Program, Session, make_session, spoiled

pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")

DECISIONS = ("submit", "cancel", "amend", "set_timer")


def changed(frame: Frame, **values: int) -> Frame:
    names = [name for name, _ in FIELDS[frame.name]]
    return frame._replace(values=tuple(values.get(name, old) for name, old in zip(names, frame.values, strict=True)))


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_every_random_session_is_played_again_as_recorded(first: int) -> None:
    frames = 0
    for seed in range(first, first + 40):
        session = make_session(seed)
        content = kept(session)
        assert played_again(session, content) is None, seed
        frames += len(decoded(content).frames)
    assert frames > 4_000


def test_runs_that_the_engine_broke_off_are_played_again_up_to_there() -> None:
    aborted = 0
    for seed in range(60):
        session = spoiled(make_session(seed, records=60))
        content = kept(session)
        assert played_again(session, content) is None, seed
        aborted += decoded(content).frames[-1].name == "aborted"
    assert 0 < aborted < 40


def test_a_strategy_that_fails_leaves_a_journal_that_says_where() -> None:
    class Flawed(Program):
        def on_answer(self, replay: object, kind: str, number: int) -> None:
            super().on_answer(replay, kind, number)
            if kind == "fill":
                raise ZeroDivisionError("nothing to divide by")

    aborted = 0
    for seed in range(20):
        session = make_session(seed)
        content = kept(session, lambda program: setattr(program, "__class__", Flawed))
        last = decoded(content).frames[-1]
        if last.name == "aborted":
            aborted += last.tail == b"nothing to divide by"
            assert played_again(session, content) is None, seed
    assert aborted > 5


def test_a_decision_that_was_changed_is_found() -> None:
    """With checksums and chain made to fit again, what it leads to still is another."""
    found: Counter[str] = Counter()
    for seed in range(40):
        session, random = make_session(seed), Random(seed)
        frames = decoded(kept(session)).frames
        for name in DECISIONS:
            at = random.choice([k for k, frame in enumerate(frames) if frame.name == name] or [-1])
            if at < 0:
                continue
            values = dict(zip((field for field, _ in FIELDS[name]), frames[at].values, strict=True))
            what = {"submit": "side", "cancel": "order", "amend": "order", "set_timer": "at_ns"}[name]
            other = -values[what] if what == "side" else values[what] + 1
            tampered = [*frames[:at], changed(frames[at], **{what: other}), *frames[at + 1 :]]
            difference = played_again(session, encode(HEADER, tampered))
            # What changes nothing, as in a session that is over, is not found: it has no answer to differ.
            if difference is not None:
                assert difference[0] > at
                found[name] += 1
    assert all(found[name] > 5 for name in DECISIONS), found


def test_an_answer_that_was_changed_is_found_where_it_stands() -> None:
    session = make_session(3)
    frames = decoded(kept(session)).frames
    for at, frame in enumerate(frames):
        if frame.name in ("fill", "sample", "ended", "accepted", "timer"):
            forged = frame._replace(values=(frame.values[0], *(value + 1 for value in frame.values[1:])))
            if frame.name == "timer":
                forged = Frame("timer", (frame.values[0] + 1,))
            difference = played_again(session, encode(HEADER, [*frames[:at], forged, *frames[at + 1 :]]))
            assert difference is not None and difference[0] == at + 1
            assert difference[2] != difference[3]


def test_a_decision_that_was_left_out_or_put_in_is_found() -> None:
    session = make_session(3)
    frames = decoded(kept(session)).frames
    at = next(k for k, frame in enumerate(frames) if frame.name == "submit" and frame.values[1])
    for tampered in (frames[:at] + frames[at + 1 :], frames[: at + 1] + frames[at:]):
        difference = played_again(session, encode(HEADER, tampered))
        assert difference is not None and difference[0] >= at


def test_another_market_is_found() -> None:
    session = make_session(3)
    content = kept(session)
    records, ranks = session.sources[0]
    other = records.copy()
    other["price"] += 1
    assert played_again(replace(session, sources=[(other, ranks), *session.sources[1:]]), content) is not None
    assert played_again(replace(session, config=session.config | {"taker_ppb": 77, "maker_ppb": 77}), content)


@given(st.data())
def test_decisions_without_sense_are_differences_and_nothing_worse(data: st.DataObject) -> None:
    session, frames = busy()
    at = data.draw(st.sampled_from([k for k, frame in enumerate(frames) if frame.name in DECISIONS]), "frame")
    fields = FIELDS[frames[at].name]
    number = data.draw(st.integers(0, len(fields) - 1), "field")
    bits = 8 * WIDTHS[fields[number][1]]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if fields[number][1][0] == "i" else (0, 2**bits - 1)
    value = data.draw(st.sampled_from((low, high)) | st.integers(max(low, -3), 9) | st.integers(low, high), "value")
    tampered = changed(frames[at], **{fields[number][0]: value})
    difference = played_again(session, encode(HEADER, [*frames[:at], tampered, *frames[at + 1 :]]))
    if value != frames[at].values[number] and fields[number][0] in ("time_ns", "order"):
        assert difference is not None and difference[0] >= at


@cache
def busy() -> tuple[Session, list[Frame]]:
    session = make_session(3)
    return session, decoded(kept(session)).frames
