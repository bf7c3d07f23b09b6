"""A sweep gives every set of parameters the records that a run of its own would have, whatever the threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from expressions.random_formulas import Draw
from expressions.test_formula_parity import SEEDS, program
from neural_trader.errors import EngineError
from neural_trader.report.curve import Measure
from neural_trader.strategy.expressions import Formula
from parity.accounts import make_account_case
from parity.programs import Case, make_case

SETS = 12
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume", "spread")


def random_sets(random: Random, formula: Formula) -> np.ndarray[Any, Any]:
    """Values around the defaults, of which some make no sense."""
    rows = [
        [
            float(
                random.choice((value, value + 1, value + 2, 0)) if isinstance(value, int) else value * random.random()
            )
            for value in formula.parameters.values()
        ]
        for _ in range(SETS)
    ]
    return np.array(rows, dtype=np.float64).reshape(SETS, len(formula.parameters))


def swept(case: Case, formula: Formula, sets: np.ndarray[Any, Any], **options: Any) -> Any:
    from neural_trader._core import Engine, Sweep

    terms, roles, _ = program(formula, case)
    sweep = Sweep(Engine(case.market, **case.config), terms, roles, sets, **options)
    while sweep.advance() < 1.0:
        pass
    return sweep


@pytest.mark.parametrize(("make", "seeds"), [(make_case, SEEDS), (make_account_case, SEEDS // 3)])
def test_sweeps_and_runs_leave_the_same_records(make: Callable[[int], Case], seeds: int) -> None:
    from neural_trader._core import Engine

    compared = failed = fills = 0
    for seed in range(seeds):
        random, case = Random(seed), make(seed)
        formula = Draw(random).formula()
        sets = random_sets(random, formula)
        samples = len(np.unique(np.concatenate([bars.close_ns for bars in case.market])))
        ends = np.array(sorted(random.sample(range(samples), min(samples, 3))), dtype=np.int64)
        sweep = swept(case, formula, sets, records=True, threads=1, ends=ends)
        brief = swept(case, formula, sets, curve=True, threads=2, ends=ends)
        figures, refused = brief.figures()
        kept = sweep.figures()[0]
        for name, column in kept.items():
            if not name.startswith(("ruined", "return", "downside", "drawdown")):
                assert column.tobytes() == figures[name].tobytes(), (seed, name)
        terms, roles, _ = program(formula, case)
        for at, digests in enumerate(sweep.digests()):
            engine = Engine(case.market, **case.config)
            told = f"seed {seed}, set {sets[at]}:\n{formula}"
            try:
                engine.run_formula(terms, roles, list(sets[at]))
            except EngineError:
                assert digests is None and at in refused, told
                failed += 1
                continue
            alone = engine.digests("", "")
            assert digests == (alone["orders"], alone["fills"], alone["postings"]), told
            assert figures["equity"][at] == engine.equity_value, told
            assert figures["exposed"][at] == engine.exposed_samples, told
            closed = [
                pnl for pnl, exit_ in zip(engine.trades["pnl"], engine.trades["exit_fill"], strict=True) if exit_ >= 0
            ]
            assert figures["trades"][at] == len(closed) and figures["wins"][at] == sum(pnl > 0 for pnl in closed), told
            assert figures["gained"][at] == sum(pnl for pnl in closed if pnl > 0) / 1e18, told
            equity = engine.equity_curve()[1][ends]
            assert sweep.periods()[at].tolist() == equity.tolist() == brief.periods()[at].tolist(), told
            _compare_curve(engine, case, {name: column[at] for name, column in figures.items()}, told)
            compared += 1
            fills += int(figures["fills"][at])
    assert compared > 6 * seeds and failed > 0 and fills > 6 * seeds


def _compare_curve(engine: Any, case: Case, figures: dict[str, float], told: str) -> None:
    times, curve = engine.equity_curve()
    cash = case.config["cash"] / 1e18
    measure = Measure(cash, int(times[0]) - 1)
    measure.add(times, curve)
    facts = measure.facts()
    assert figures["drawdown"] == pytest.approx(facts.drawdown, rel=1e-12, abs=1e-15), told
    assert bool(figures["ruined"]) == (facts.ruin_ns is not None), told
    if facts.ruin_ns is None and facts.samples > 1:
        assert figures["return_mean"] == pytest.approx(facts.return_mean, rel=1e-9, abs=1e-14), told
        deviation = (figures["return_squares"] / (facts.samples - 1)) ** 0.5
        assert deviation == pytest.approx(facts.return_deviation, rel=1e-9, abs=1e-14), told


def _with_gaps(random: Random, bars: Any) -> Any:
    """The bars without some single ones and without one stretch of them."""
    kept = np.ones(len(bars), dtype=bool)
    kept[[random.randrange(len(bars)) for _ in range(len(bars) // 50)]] = False
    first = random.randrange(len(bars))
    kept[first : first + 500] = False
    columns = {name: getattr(bars, name)[kept].copy() for name in COLUMNS if getattr(bars, name) is not None}
    return replace(bars, **columns)


@pytest.mark.parametrize("symbols", [["BTC"], ["BTC", "ETH", "SOL"]])
def test_blocks_do_not_show(symbols: list[str]) -> None:
    """A run as long as many blocks, with features that reach over their ends, and instruments that miss bars."""
    import neural_trader as nt
    from neural_trader._core import Engine

    random = Random(1)
    market = nt.synthetic_bars(3, symbols, bars=13_000)
    if len(symbols) > 1:
        market = [_with_gaps(random, bars) for bars in market]
    config = {"cash": 10**22, "taker_ppb": 1000}
    # Positions that owe can be ruined, so that calm is not taken for granted.
    for leverage in (10**9, 3 * 10**9):
        for _ in range(6):
            formula = Draw(random).formula()
            case = replace(make_case(0), market=list(market), config=config | {"leverage_ppb": leverage})
            terms, roles, _ = program(formula, case)
            sets = random_sets(random, formula)
            for at, digests in enumerate(swept(case, formula, sets, records=True).digests()):
                engine = Engine(market, **case.config)
                try:
                    engine.run_formula(terms, roles, list(sets[at]))
                except EngineError:
                    assert digests is None
                    continue
                alone = engine.digests("", "")
                assert digests == (alone["orders"], alone["fills"], alone["postings"]), formula.text
