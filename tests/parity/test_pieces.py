"""Bars that arrive in pieces: the same records, samples and digests as from bars that are there at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random
from typing import Any

import numpy as np
import pytest

from neural_trader._core import Engine, Valuation
from neural_trader.errors import EngineError
from neural_trader.market.bars import Bars
from parity.outcome import PARAMETERS_JSON, VERSION, RecordsFromColumns
from parity.programs import Case, Program, make_case

RUNS = 300


def cut(bars: Bars, sizes: list[int]) -> Iterator[Bars]:
    """The bars in pieces of these sizes, over and over."""
    done = 0
    for size in cycle(sizes):
        if done >= len(bars):
            return
        yield bars.rows(done, done + size)
        done += size


def in_pieces(case: Case, sizes: list[int]) -> Engine:
    pieces = [cut(bars, sizes) for bars in case.market]
    return Engine([bars.empty() for bars in case.market], pieces=pieces, **case.config)


def records(engine: Engine) -> list[Any]:
    engine.check_invariants()
    digests = engine.digests(VERSION, PARAMETERS_JSON)
    return [digests, engine.orders, engine.fills, engine.postings, engine.trades, engine.exposed_samples, engine.halted]


def replayed(case: Case, sizes: list[int], runs: list[Engine]) -> tuple[list[int], list[list[float]]]:
    """Times and equity of the samples of runs, asked for a few at a time."""
    replay = Valuation([bars.empty() for bars in case.market], [cut(bars, sizes) for bars in case.market], runs)
    times: list[int] = []
    curves: list[list[float]] = [[] for _ in runs]
    while True:
        found, amounts = replay.read(1 + len(times) % 7)
        if not len(found):
            return times, curves
        times += found.tolist()
        curves = [[*curve, *amount.tolist()] for curve, amount in zip(curves, amounts, strict=True)]


def test_pieces_of_any_size_leave_the_same_records_and_samples() -> None:
    fills = failed = 0
    for case in map(make_case, range(RUNS)):
        random = Random(case.seed)
        sizes = [random.choice((1, 2, 3, 10, 40)) for _ in range(4)]
        outcomes = []
        whole, streamed = Engine(case.market, **case.config), in_pieces(case, sizes)
        for engine in (whole, streamed):
            program = Program(case)
            try:
                engine.run(RecordsFromColumns(program))
                outcomes.append((program.seen, records(engine)))
            except EngineError as error:
                outcomes.append((program.seen, [str(error)]))
        assert outcomes[0] == outcomes[1], (case.seed, sizes)
        if len(outcomes[0][1]) == 1:
            failed += 1
            continue
        times, curve = whole.equity_curve()
        assert replayed(case, sizes, [streamed, streamed]) == (times.tolist(), [curve.tolist()] * 2), (case.seed, sizes)
        assert streamed.sample_count == whole.sample_count == len(times)
        fills += len(whole.fills["order"])
    assert fills > RUNS > 10 * failed


@pytest.mark.parametrize("strategy", ["run_sma_cross", "run_buy_and_hold"])
def test_strategies_in_rust_find_in_pieces_what_they_look_back_on(strategy: str) -> None:
    fills = 0
    for case in map(make_case, range(RUNS)):
        random = Random(case.seed)
        sizes = [random.choice((1, 2, 3, 10, 40)) for _ in range(4)]
        window = random.randint(1, 6)
        arguments = (window, window + random.randint(1, 9), 10**9, -(10**9)) if "sma" in strategy else (10**9,)
        outcomes: list[Any] = []
        whole, streamed = Engine(case.market, **case.config), in_pieces(case, sizes)
        for engine in (whole, streamed):
            try:
                getattr(engine, strategy)(*arguments)
                outcomes.append(records(engine))
            except EngineError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1], (case.seed, sizes)
        if not isinstance(outcomes[0], str):
            times, curve = whole.equity_curve()
            assert replayed(case, sizes, [streamed]) == (times.tolist(), [curve.tolist()]), (case.seed, sizes)
            fills += len(whole.fills["order"])
    assert fills > RUNS // 2


class Watching:
    """Writes down what each bar and indicator said."""

    def __init__(self, engine: Engine) -> None:
        self._features = [engine.feature(name, [3.0])[0][1] for name in ("sma", "highest", "atr")]
        self.seen: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        values = [feature.value for feature in self._features]
        self.seen.append((repr(bar), bar.index, [None if np.isnan(value) else value for value in values]))


def test_bars_and_indicators_do_not_see_the_borders_of_pieces() -> None:
    for case in map(make_case, range(40)):
        seen = []
        for engine in (Engine(case.market, **case.config), in_pieces(case, [1, 5, 2])):
            watching = Watching(engine)
            engine.play(on_bar=watching.on_bar, on_moment=watching.seen.append)
            seen.append(watching.seen)
        assert seen[0] == seen[1], case.seed
        assert len(seen[0]) > sum(map(len, case.market))


def test_what_is_not_kept_is_refused() -> None:
    case = make_case(1)
    engine = in_pieces(case, [5])
    with pytest.raises(EngineError, match="played to their end"):
        engine.digests(VERSION, PARAMETERS_JSON)
    engine.play()
    for ask in (engine.equity_curve, lambda: engine.equity_samples):
        with pytest.raises(EngineError, match="a Valuation of them gives the equity samples"):
            ask()
    with pytest.raises(EngineError, match="for every instrument and by our own rules"):
        Engine([case.market[0].empty()], pieces=[[]], cash=10**20, like="vectorbt")


def test_a_run_does_not_go_on_after_a_piece_that_could_not_be_read() -> None:
    case = make_case(2)

    def broken() -> Iterator[Bars]:
        yield case.market[0].rows(0, 10)
        raise ValueError("unreadable")

    engine = Engine([case.market[0].empty()], pieces=[broken()], **case.config)
    with pytest.raises(ValueError, match="unreadable"):
        engine.play()
    with pytest.raises(RuntimeError, match="could not be read"):
        engine.play()
    with pytest.raises(EngineError, match="played to their end"):
        engine.digests(VERSION, PARAMETERS_JSON)
