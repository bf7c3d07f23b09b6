"""Runs of bars alone, played by the engine of bars and by a replay, so that the two can be compared."""

from __future__ import annotations

from dataclasses import astuple
from itertools import zip_longest
from typing import Any

from neural_trader.baseline import Engine as PlainEngine
from neural_trader.baseline import run_hash
from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord, TradeRecord
from neural_trader.baseline.replay import Replay as PlainReplay
from neural_trader.errors import EngineError
from parity.outcome import RecordsFromColumns, rows_of_columns
from parity.programs import Case, Program

Rows = list[tuple[Any, ...]]
STREAMS = {"orders": OrderRecord, "fills": FillRecord, "postings": PostingRecord, "trades": TradeRecord}


def comparable(case: Case) -> Case:
    """The case without what a replay has no word for."""
    return Case(case.seed, case.market, case.config | {"close_at_end": False})


class OfBars:
    """A replay as programs of bars see an engine."""

    def __init__(self, replay: Any, units: list[int], *, is_usual: bool) -> None:
        self._replay, self._units, self._is_usual = replay, units, is_usual
        self.submit, self.position, self.mark, self.cash = replay.submit, replay.position, replay.mark, replay.cash

    @property
    def halted(self) -> bool:
        return bool(self._replay.halted)

    def equity(self) -> int:
        if not self._is_usual:
            return int(self.cash())
        held = ((self.position(k), self.mark(k), unit) for k, unit in enumerate(self._units))
        return int(self.cash()) + sum(position * mark * unit for position, mark, unit in held)

    def cancel(self, order: int) -> None:
        try:
            self._replay.cancel(order)
        except EngineError:
            assert order not in range(1, len(rows_of(self._replay, "orders")) + 1)


class Silent:
    """An engine of bars that does not say whether it cancelled, nor what an account of many parts is worth."""

    def __init__(self, engine: Any, *, is_usual: bool) -> None:
        self._engine, self._is_usual = engine, is_usual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def equity(self) -> int:
        return int(self._engine.equity() if self._is_usual else self._engine.cash())

    def cancel(self, order: int) -> None:
        self._engine.cancel(order)


class Quiet(Program):
    """A program that is played by an engine of bars."""

    def _silenced(self, engine: Any) -> Silent:
        return Silent(engine, is_usual=not self._has_account)

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        super().on_bar(self._silenced(engine), instrument, bar_index)

    def on_fill(self, engine: Any, fill: Any) -> None:
        super().on_fill(self._silenced(engine), fill)

    def on_order(self, engine: Any, order: Any) -> None:
        super().on_order(self._silenced(engine), order)


class Replayed(Program):
    """The same program, played by a replay; what only replays say is left out."""

    def bind(self, replay: Any) -> None:
        self._engine = OfBars(replay, self._units, is_usual=not self._has_account)

    def on_bar(self, replay: Any, instrument: int, bar_index: int) -> None:
        super().on_bar(self._engine, instrument, bar_index)

    def on_moment(self, replay: Any, time_ns: int) -> None: ...

    def on_record(self, replay: Any, source: int, index: int) -> None: ...

    def on_timer(self, replay: Any, time_ns: int) -> None: ...

    def on_answer(self, replay: Any, kind: str, number: int) -> None:
        if kind == "fill":
            super().on_fill(self._engine, FillRecord(*rows_of(replay, "fills")[number]))
        elif kind == "ended":
            super().on_order(self._engine, OrderRecord(*rows_of(replay, "orders")[number - 1]))


def rows_of(engine: Any, stream: str) -> Rows:
    """The records of any of the four engines, as bars alone have them."""
    name = "bar_orders" if stream == "orders" and hasattr(engine, "bar_orders") else stream
    found = getattr(engine, name)
    found = found() if callable(found) else found
    if isinstance(found, dict):
        return rows_of_columns(stream, found)
    return [astuple(record) for record in found]


def outcome(engine: Any, seen: Rows) -> dict[str, Any]:
    """All that came of a run, in the order in which a difference is best explained."""
    samples = engine.equity_samples
    samples = samples if isinstance(samples, list) else list(zip(*samples, strict=True))
    streams = {stream: rows_of(engine, stream) for stream in STREAMS}
    return {"seen": seen, **streams, "samples": samples, "halted": engine.halted}


def broken(seen: Rows) -> dict[str, Any]:
    """The same of a run that an error has ended, as where a currency has no price yet: what was seen up to it."""
    return {"seen": [*seen, ("error",)], **{stream: [] for stream in STREAMS}, "samples": [], "halted": False}


def by_bars(case: Case, engine_of: Any) -> dict[str, Any]:
    """What the engine of bars makes of a case."""
    program = Quiet(case)
    try:
        if engine_of is PlainEngine:
            engine = PlainEngine(case.market, **case.config, checked=True)
            engine.run(program)
        else:
            engine = engine_of(case.market, **case.config)
            engine.run(RecordsFromColumns(program))
    except EngineError as error:
        if " law " in f" {error}":
            raise
        return broken(program.seen)
    return outcome(engine, program.seen)


def by_replay(case: Case, replay_of: Any) -> dict[str, Any]:
    """What a replay without latency makes of it, sampled at closes."""
    config = {name: value for name, value in case.config.items() if name != "close_at_end"}
    bars = list(enumerate(case.market))
    if replay_of is PlainReplay:
        listed = [(each.symbol, each.tick, each.lot) for each in case.market]
        replay = PlainReplay(listed, [], bars=bars, sample_ns=None, **config, checked=True)
    else:
        pairs = [(each.symbol, tuple(each.tick), tuple(each.lot)) for each in case.market]
        replay = replay_of(pairs, [], bars=bars, sample_ns=None, **config)
    program = Replayed(case)
    program.bind(replay)
    try:
        replay.run(program, bars=True)
    except EngineError as error:
        if " law " in f" {error}":
            raise
        return broken(program.seen)
    return outcome(replay, program.seen)


def difference_of(case: Case, expected: dict[str, Any], found: dict[str, Any]) -> str | None:
    """None if two outcomes are equal."""
    for stream, left in expected.items():
        right = found[stream]
        if left == right:
            continue
        heading = f"seed {case.seed}: {stream} differ\nconfig: {case.config}"
        if not isinstance(left, list):
            return f"{heading}\n{left} by bars, {right} by the replay"
        at = next(index for index, pair in enumerate(zip_longest(left, right)) if pair[0] != pair[1])
        lines = [heading, f"first at row {at}:", *(f"  {row}" for row in left[max(0, at - 6) : at])]
        return "\n".join([*lines, f"  by bars:   {left[at : at + 1]}", f"  by replay: {right[at : at + 1]}"])
    return None


def digests(streams: dict[str, Any]) -> tuple[str, ...]:
    """The digests of orders, fills and postings of a run of bars."""
    kinds = (
        (run_hash.digest_orders, OrderRecord, "orders"),
        (run_hash.digest_fills, FillRecord, "fills"),
        (run_hash.digest_postings, PostingRecord, "postings"),
    )
    return tuple(digest(record(*row) for row in streams[name]).hex() for digest, record, name in kinds)
