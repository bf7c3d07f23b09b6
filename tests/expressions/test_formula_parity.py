"""Random formulas over random markets: the plain definition and the engine in Rust agree to the last record."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import neural_trader as nt
from expressions.random_formulas import Draw
from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.baseline import formula as plain
from neural_trader.errors import EngineError
from neural_trader.features.table import table
from neural_trader.strategy.expressions import Formula, Outputs
from parity.outcome import rows_of_columns, rows_of_records
from parity.programs import Case, make_case

SEEDS = int(os.environ.get("NT_PARITY_SEEDS", "300"))
BARS_PER_YEAR = 8766.0


def program(formula: Formula, case: Case) -> tuple[list[Any], dict[str, int], list[float]]:
    terms, roles = formula.lowered({"share": 1 / len(case.market), "bars_per_year": BARS_PER_YEAR})
    return [tuple(term) for term in terms], roles, [float(value) for value in formula.parameters.values()]


def play_plain(formula: Formula, case: Case) -> tuple[BaselineEngine, bool]:
    terms, roles, values = program(formula, case)
    bound = [
        plain.Term(operation, inputs, tuple(values[int(x)] if is_parameter else x for is_parameter, x in given))
        for operation, inputs, given in terms
    ]
    grids = [
        plain.Grid(*((float(step.mantissa), 10.0**step.decimals) for step in (bars.tick, bars.lot)))
        for bars in case.market
    ]
    engine = BaselineEngine(case.market, **case.config)
    strategy = plain.OnEngine(plain.Trader(bound, roles, grids), case.market)
    return engine, _fails(lambda: engine.run(strategy))


def play_rust(formula: Formula, case: Case) -> tuple[Any, bool]:
    from neural_trader._core import Engine

    engine = Engine(case.market, **case.config)
    return engine, _fails(lambda: engine.run_formula(*program(formula, case)))


def _fails(run: Any) -> bool:
    try:
        run()
    except EngineError:
        return True
    return False


def test_random_formulas_leave_the_same_records() -> None:
    orders = fills = held_short = 0
    for seed in range(SEEDS):
        case, formula = make_case(seed), Draw(Random(seed)).formula()
        (expected, fails), (found, fails_too) = play_plain(formula, case), play_rust(formula, case)
        told = f"seed {seed}:\n{formula}"
        assert fails == fails_too, told
        if fails:
            continue
        assert rows_of_records(expected.orders) == rows_of_columns("orders", found.orders), told
        assert rows_of_records(expected.fills) == rows_of_columns("fills", found.fills), told
        assert rows_of_records(expected.postings) == rows_of_columns("postings", found.postings), told
        assert expected.equity_samples == list(zip(*found.equity_samples, strict=True)), told
        orders += len(expected.orders)
        fills += len(expected.fills)
        held_short += any(sample.side < 0 and sample.parent == 0 for sample in expected.orders)
    assert orders > 2 * SEEDS and fills > SEEDS and held_short > SEEDS // 20


def formulas_of_every_feature() -> list[Formula]:
    found = []
    for kind in table().values():
        if not kind.of_bars:
            continue
        made = getattr(nt.bars, kind.name)()
        outputs = made._made.values() if isinstance(made, Outputs) else [made]
        found += [Formula.of(entry=each > each.lag(2), exit=each < each.lag(1)) for each in outputs]
    return found


def test_every_feature_of_bars_can_be_traded_on() -> None:
    cases = [case for case in map(make_case, range(60)) if len(case.market) == 1 and len(case.market[0]) > 40]
    formulas = formulas_of_every_feature()
    assert len(formulas) > 40
    fills = 0
    for formula in formulas:
        for case in cases[:3]:
            (expected, fails), (found, fails_too) = play_plain(formula, case), play_rust(formula, case)
            assert fails == fails_too, formula.text
            if not fails:
                assert rows_of_records(expected.orders) == rows_of_columns("orders", found.orders), formula.text
                fills += len(expected.fills)
    assert fills > len(formulas)
