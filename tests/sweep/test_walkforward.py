"""Walks forward: what is tested was not seen, nothing is tested twice, and tests are runs that can be repeated."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from math import comb
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.sweeping.splits import combined, groups, paths, purged, walks
from neural_trader.backtesting.sweeping.walkforward import delayed
from neural_trader.errors import UsageError
from neural_trader.strategy.expressions import FormulaStrategy

GRID = {"n": "10,20,40"}


def trend() -> type[FormulaStrategy]:
    average = nt.close.sma(nt.P("n", 20))
    return nt.formula(entry=nt.close > average, exit=nt.close < average, name="trend")


@pytest.fixture(scope="module")
def market() -> Any:
    (bars,) = nt.synthetic_bars(7, ["BTC"])
    return bars.rows(0, 3000)


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("purge", [0, 7])
def test_tests_follow_one_another_and_never_what_trains_them(anchored: bool, purge: int) -> None:
    folds = walks(1003, 5, 2.5, anchored=anchored, purge=purge)
    assert folds[-1].test[1] == 1003
    for before, after in pairwise(folds):
        assert before.test[1] == after.test[0]
    for fold in folds:
        assert fold.train[1] == fold.test[0] - purge and fold.train[0] < fold.train[1]
        assert (fold.train[0] == 0) == (anchored or fold is folds[0])
        assert anchored or fold.test[0] - fold.train[0] == folds[0].test[0]


def test_every_combination_is_tested_and_every_test_is_in_one_path() -> None:
    chosen = combined(6, 2)
    assert len(chosen) == comb(6, 2)
    lanes = paths(6, chosen)
    assert len(lanes) == comb(5, 1)
    used = [(at, group) for lane in lanes for group, at in enumerate(lane)]
    assert sorted(used) == sorted((at, group) for at, each in enumerate(chosen) for group in each.tested)
    assert all(group not in chosen[at].trained for at, group in used)


def test_groups_cover_all_bars_and_are_purged_where_they_touch() -> None:
    cut = groups(103, 4)
    assert cut[0][0] == 0 and cut[-1][1] == 103
    assert all(a[1] == b[0] for a, b in pairwise(cut))
    kept = purged(cut, 3, 2)
    assert kept[0] == (0, cut[0][1] - 3) and kept[-1] == (cut[-1][0] + 2, 103)
    assert kept[1] == (cut[1][0] + 2, cut[1][1] - 3)
    with pytest.raises(UsageError):
        purged(cut, 20, 20)


def test_a_test_is_a_run_that_can_be_repeated(market: Any) -> None:
    found = nt.walkforward(trend(), market, grid={"n": "20"}, folds=3, train=2, warmup=0)
    for test in found.tests:
        first, last = np.searchsorted(market.open_ns, [test.begin_ns, test.end_ns])
        alone = nt.backtest(trend(), market.rows(first, last), parameters={"n": 20}, close_at_end=True, benchmark=False)
        assert alone.hash == test.hash and alone.stats["Return [%]"] == pytest.approx(test.tested, rel=1e-12)
        assert test.growth[-1] == alone.equity_curve[-1] / 10_000
    _, equity = found.curve()
    assert equity[-1] == pytest.approx(10_000 * np.prod([test.growth[-1] for test in found.tests]), rel=1e-12)


def test_what_comes_after_a_training_does_not_change_what_it_chooses(market: Any) -> None:
    found = nt.walkforward(trend(), market, grid=GRID, folds=4)
    begin = int(np.searchsorted(market.open_ns, found.tests[2].begin_ns))
    changed = {
        name: np.concatenate([getattr(market, name)[:begin], getattr(market, name)[begin:][::-1] + 7])
        for name in ("open", "high", "low", "close")
    }
    other = nt.walkforward(trend(), replace(market, **changed), grid=GRID, folds=4)
    for at in range(3):
        assert other.tests[at].parameters == found.tests[at].parameters
        assert other.tests[at].trained == found.tests[at].trained
    assert [test.hash for test in other.tests[:2]] == [test.hash for test in found.tests[:2]]
    assert other.tests[2].hash != found.tests[2].hash


def test_features_are_warm_at_the_first_bar_of_a_test_and_nothing_is_traded_before(market: Any) -> None:
    class_ = trend()
    formula = delayed(class_.formula, 500)
    late = nt.formula(**formula.roles)
    fills = nt.backtest(late, market, parameters={"n": 40}).fills
    assert int(fills["time"].dt.timestamp("ns")[0]) >= int(market.open_ns[501])
    found = nt.walkforward(class_, market, grid={"n": "40"}, folds=3)
    cold = nt.walkforward(class_, market, grid={"n": "40"}, folds=3, warmup=0)
    assert len(found.tests[1].growth) == len(cold.tests[1].growth)
    assert (found.tests[1].growth[:39] != 1.0).any() and (cold.tests[1].growth[:39] == 1.0).all()


def test_a_cross_validation_reports_its_paths(market: Any) -> None:
    found = nt.walkforward(trend(), market, grid=GRID, cpcv=(4, 2), purge=20, embargo=5, metric="sharpe")
    assert len(found.tests) == 12 and len(found.paths) == 3
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [len(path["tests"]) for path in document["paths"]] == [4, 4, 4]
    for at in range(3):
        times, equity = found.curve(at)
        assert (np.diff(times) > 0).all() and len(times) == len(equity) == len(market)


def test_a_class_walks_too(market: Any) -> None:
    found = nt.walkforward("sma_cross", market, grid={"fast": "5,10", "slow": "30"}, folds=2, threads=1)
    assert len(found.tests) == 2 and all(test.parameters["slow"] == 30 for test in found.tests)


@pytest.mark.parametrize(
    "arguments", [{"folds": 0}, {"train": 0}, {"folds": 5000}, {"purge": -1}, {"cpcv": (4, 4)}, {"cpcv": (40, 2)}]
)
def test_cuts_that_make_no_sense_are_refused(market: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        nt.walkforward(trend(), market, grid=GRID, **arguments)
