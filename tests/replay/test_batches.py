"""Batches are timers plus what has arrived: a program that does it itself has the same turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import ConfigError, EngineError, UsageError
from neural_trader.market.events import EVENT, KIND
from neural_trader.strategy import Strategy
from replay.outcome import first_difference, outcome_of
from replay.random_orders import make_orders_session
from replay.random_sessions import Program, Session, joined, make_session
from replay.scenario import Engines, engines_named
from replay.scripted import BOOK, END, session

RANK = "instrument"


def as_told(session: Session, places: list[tuple[int, int]]) -> list[Any]:
    """Records as a batch has them: as they were written, numbered by rank."""
    told = []
    for source, index in places:
        records, ranks = session.sources[source]
        row = records[index].copy()
        row[RANK] = ranks[row[RANK]]
        told.append(row.tolist())
    return told


@dataclass
class InBatches(Program):
    """Acts on batches as the random program does on records."""

    def batch(self, replay: Any, rows: list[Any]) -> None:
        self._see(replay, "batch", len(rows))
        self.seen.append(("rows", *rows))
        for _ in rows:
            if self._random.random() < self._appetite:
                self._act(replay)


@dataclass
class ByItself(InBatches):
    """Keeps the records that it is told of one by one, and sets the timers of batches itself."""

    interval_ns: int = 1
    timers: list[tuple[int, int, bool]] = field(default_factory=list)
    """Times, numbers, and whether it is that of a batch."""
    kept: list[tuple[int, int]] = field(default_factory=list)

    def start(self, replay: Any) -> None:
        super().start(self.watched(replay))

    def watched(self, replay: Any) -> Any:
        return _Watched(replay, self)

    def set(self, replay: Any, time_ns: int, *, is_batch: bool) -> None:
        self.timers.append((max(time_ns, replay.now_ns), len(self.timers), is_batch))
        replay.timer(time_ns)

    def on_record(self, replay: Any, source: int, index: int) -> None:
        if not self.kept:
            self.set(replay, -(-replay.now_ns // self.interval_ns) * self.interval_ns, is_batch=True)
        self.kept.append((source, index))

    def on_answer(self, replay: Any, kind: str, number: int) -> None:
        super().on_answer(self.watched(replay), kind, number)

    def on_timer(self, replay: Any, time_ns: int) -> None:
        first = min(timer for timer in self.timers if timer[1] >= 0)
        self.timers[first[1]] = (first[0], -1, False)
        if first[2]:
            rows, self.kept = as_told(self.session, self.kept), []
            self.batch(self.watched(replay), rows)
        else:
            super().on_timer(self.watched(replay), time_ns)


class _Watched:
    """A replay of which the timers are known to the program, so that it can tell its own from those of batches."""

    def __init__(self, replay: Any, program: ByItself) -> None:
        self._replay, self._program = replay, program

    def __getattr__(self, name: str) -> Any:
        return getattr(self._replay, name)

    def timer(self, time_ns: int) -> None:
        self._program.set(self._replay, time_ns, is_batch=False)


def interval_of(session: Session) -> int:
    span = max(8, session.end_ns - session.start_ns)
    return Random(session.seed).choice((1, 3, span // 50 + 1, span // 7, span))


def play_batches(engines: Engines, session: Session) -> tuple[Any, Program]:
    """In batches by the engine where it has them, by the program itself where it has not."""
    interval_ns = interval_of(session)
    replay = engines.replay(session.instruments, session.sources, **session.config)
    native = engines.name == "rust"
    program = InBatches(session) if native else ByItself(session, interval_ns=interval_ns)
    program.start(replay)
    if native:
        replay.batches(lambda words: program.batch(replay, words.view(EVENT).tolist()), interval_ns, session.wants)
    try:
        replay.run(program, session.wants)
    except EngineError as error:
        if "law" in str(error):
            raise
        program.seen.append(("error",))
    return replay, program


def sessions() -> Iterator[Session]:
    for seed in range(30):
        yield make_session(seed)
        yield make_orders_session(seed)
        if seed < 15:
            yield joined(make_session(seed), make_orders_session(seed + 10**6))


def test_the_twin_whose_program_sets_timers_has_the_same_turns_and_the_same_run() -> None:
    rust, batches, shared = engines_named("rust"), 0, 0
    for each in sessions():
        plain = outcome_of(Engines("baseline"), each, play_batches)
        difference = first_difference(each, plain, outcome_of(rust, each, play_batches))
        assert difference is None, difference
        sizes = [row[1] for row in plain.seen if row[0] == "batch"]
        batches += len(sizes)
        shared += sum(size > 1 for size in sizes)
        assert 0 not in sizes
    assert batches > 1_000 and shared > 500


def test_what_comes_later_changes_nothing_before() -> None:
    """Records from a time on are overwritten: every turn before it is told as it was."""
    rust, compared = engines_named("rust"), 0
    for seed in range(40):
        whole = make_session(seed, feed_ns=0)
        middle = (whole.start_ns + whole.end_ns) // 2
        sources = []
        for records, ranks in whole.sources:
            other = records.copy()
            later = np.maximum.accumulate(other["ts_event_ns"]) >= middle
            other["quantity"][later] = np.abs(other["quantity"][later] // 2) + 1
            sources.append((other, ranks))
        seen = [
            [row for row in _turns(play_batches(rust, each)[1].seen) if row[0] < middle]
            for each in (whole, replace(whole, sources=sources))
        ]
        assert seen[0] == seen[1]
        compared += len(seen[0])
    assert compared > 400


def _turns(seen: list[Any]) -> Iterator[tuple[int, Any]]:
    """What was seen, with the time of the turn in which it was."""
    now_ns = 0
    for at, row in enumerate(seen):
        if row[0] in ("batch", "timer") or (len(row) > 4 and row[0] != "rows"):
            now_ns = row[2]
        if row[0] != "error":
            yield now_ns, (at, row)


# As strategies see them.


class Columns(Strategy):
    """Keeps the batches that it gets."""

    batch: ClassVar[str] = "10ns"
    got: ClassVar[list[tuple[int, Any]]]

    def on_start(self) -> None:
        type(self).got = []

    def on_batch(self, events: Any) -> None:
        self.got.append((self.now_ns, events))


TAPE = BOOK + "3 bought 10000 1\n8 sold 9900 2, bid 9900 18\n20 bought 10000 3\n45 sold 9900 1\n" + END


def told(kind: type[Columns], data: Any) -> list[tuple[int, list[tuple[str, int, int]]]]:
    nt.replay(kind, data, latency="0ms", feed="0ms", sample="10ns", cash=10**6, benchmark=False)
    names = {number: name for name, number in KIND.items()}
    return [
        (time, [(names[int(e["kind"])], int(e["price"]), int(e["instrument"])) for e in events])
        for time, events in kind.got
    ]


def test_all_that_has_arrived_comes_at_multiples_of_the_interval() -> None:
    found = told(Columns, session(TAPE))
    assert [time for time, _ in found] == [10, 20, 50, 90]
    assert [name for name, _, _ in found[0][1]][-3:] == ["trade", "trade", "level"]
    assert [row[:2] for _, rows in found[1:3] for row in rows] == [("trade", 10_000), ("trade", 9_900)]


def test_kinds_can_be_chosen() -> None:
    class Trades(Columns):
        batch_kinds = ("trade",)

    assert [(time, len(rows)) for time, rows in told(Trades, session(TAPE))] == [(10, 2), (20, 1), (50, 1)]


def test_records_that_follow_each_other_are_a_view_which_cannot_be_written_to() -> None:
    recording = session(TAPE)
    told(Columns, recording)
    for _, events in Columns.got:
        assert np.shares_memory(events, recording.records) and not events.flags.writeable
        assert events.dtype == EVENT
    with pytest.raises(ValueError, match="read-only"):
        Columns.got[0][1]["price"][0] = 1


def test_what_lies_apart_is_a_copy_in_the_order_of_arrival_with_ranks_for_numbers() -> None:
    one, other = session("1 bid 9900 10\n4 bid 9901 10\n" + END), session("2 ask 10000 10\n3 ask 10001 10\n" + END)
    other = replace(other, instruments=(other.instruments[0]._replace(symbol="B"),))
    found = told(Columns, [one, other])
    assert found[0] == (
        10,
        [("level", 9_900, 0), ("level", 10_000, 1), ("level", 10_001, 1), ("level", 9_901, 0)],
    )
    events = Columns.got[0][1]
    assert not events.flags.writeable and not np.shares_memory(events, one.records)


def test_a_run_in_batches_is_the_run_of_the_same_orders() -> None:
    class Trader(Columns):
        def on_batch(self, events: Any) -> None:
            self.target(quantity=float(np.count_nonzero(events["kind"] == KIND["trade"]) % 2))

    class ByTimer(Strategy):
        def on_start(self) -> None:
            self.count = 0
            self.awaits = False

        def on_trade(self, trade: nt.Tick) -> None:
            self.count += 1

        def on_timer(self, time_ns: int) -> None:
            self.target(quantity=float(self.count % 2))
            self.count = 0

    class Timed(ByTimer):
        def on_start(self) -> None:
            super().on_start()
            for time_ns in (10, 20, 50, 90):
                self.set_timer(at_ns=time_ns)

    runs = [
        nt.replay(kind, session(TAPE), latency="0ms", sample="10ns", cash=10**6, benchmark=False)
        for kind in (Trader, Timed)
    ]
    assert runs[0].digests["orders"] == runs[1].digests["orders"] and len(runs[0].fills) > 0


@pytest.mark.parametrize("interval", ["soon", "10", "0ms", "-5ms", ""])
def test_a_batch_that_is_no_interval_is_told_in_one_line(interval: str) -> None:
    class Wrong(Columns):
        batch = interval

    with pytest.raises(ConfigError, match=r"Wrong\.batch") as error:
        told(Wrong, session(TAPE))
    assert "\n" not in str(error.value)


def test_unknown_kinds_two_ways_at_once_and_journals_are_refused(tmp_path: Any) -> None:
    class Unknown(Columns):
        batch_kinds = ("trades",)

    class Both(Columns):
        def on_trade(self, trade: nt.Tick) -> None: ...

    with pytest.raises(ConfigError, match="batch_kinds"):
        told(Unknown, session(TAPE))
    with pytest.raises(UsageError, match="not both"):
        told(Both, session(TAPE))
    with pytest.raises(UsageError, match="journal"):
        nt.replay(Columns, session(TAPE), journal=tmp_path / "run.journal")


def test_a_run_in_batches_that_stopped_goes_on_as_if_it_had_not(tmp_path: Any) -> None:
    class Trader(Strategy):
        batch: ClassVar[str] = "10ns"

        def on_start(self) -> None:
            self.count = 0

        def on_batch(self, events: Any) -> None:
            self.count += len(events)
            self.target(quantity=float(self.count % 2))

    def run(**more: Any) -> Any:
        return nt.replay(
            Trader, session(TAPE), latency="0ms", sample="10ns", cash=10**6, impact="1%/20ns", benchmark=False, **more
        )

    whole = run()
    for turns in range(1, 6):
        path = tmp_path / f"{turns}.snapshot"
        with pytest.raises(nt.errors.RunStopped):
            run(snapshot=path, stop_at=f"{turns} turns")
        assert run(resume=path).hash == whole.hash
