"""Dynamic time warping: its definition, templates in every form, and the search that prunes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.baseline.features import warping as plain
from neural_trader.errors import StrategyLoadError, UsageError
from neural_trader.features import FeatureSet
from neural_trader.strategy.expressions import Formula, P
from neural_trader.strategy.expressions.parsing import parse
from random_markets import Market

SEEDS = range(12)


def walk(seed: int, size: int = 400) -> Any:
    return np.cumsum(np.random.default_rng(seed).normal(size=size))


def textbook(a: Any, b: Any, band: int) -> float:
    """The table of all least sums, filled cell by cell."""
    sums = np.full((len(a) + 1, len(b) + 1), np.inf)
    sums[0, 0] = 0.0
    for i in range(1, len(a) + 1):
        for j in range(max(1, i - band), min(len(b), i + band) + 1):
            sums[i, j] = (a[i - 1] - b[j - 1]) ** 2 + min(sums[i - 1, j], sums[i, j - 1], sums[i - 1, j - 1])
    return float(np.sqrt(sums[-1, -1]))


def shaped(values: Any) -> Any:
    return (values - np.mean(values)) / np.std(values)


@pytest.mark.parametrize("seed", SEEDS)
def test_distances_are_those_of_the_textbook(seed: int) -> None:
    series, template = walk(seed, 60), walk(100 + seed, 6 + seed)
    made = nt.features.dtw(series, template, band=seed)
    n = len(template)
    windows = np.lib.stride_tricks.sliding_window_view(series, n)
    wanted = [textbook(shaped(window), shaped(template), seed) for window in windows]
    assert np.isnan(made[: n - 1]).all()
    np.testing.assert_allclose(made[n - 1 :], wanted, rtol=1e-12, atol=1e-12)


def test_a_band_of_nothing_compares_value_by_value() -> None:
    series, template = walk(1, 50), walk(2, 9)
    windows = np.lib.stride_tricks.sliding_window_view(series, 9)
    wanted = [np.linalg.norm(shaped(window) - shaped(template)) for window in windows]
    np.testing.assert_allclose(nt.features.dtw(series, template, band=0)[8:], wanted, rtol=1e-12)


def test_level_and_unit_have_no_part_in_a_distance() -> None:
    series, template = walk(3), walk(4, 15)
    made = nt.features.dtw(series, template, band=3)
    np.testing.assert_allclose(nt.features.dtw(7e6 + 40 * series, template, band=3), made, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(nt.features.dtw(series, -2 + 0.01 * template, band=3), made, rtol=1e-9, atol=1e-9)


def test_a_template_of_few_points_is_stretched() -> None:
    series = walk(5)
    line = np.interp(np.linspace(0, 4, 30), range(5), [1, 0, 1, 0, 1])
    made, wanted = nt.features.dtw(series, n=30, band=3), nt.features.dtw(series, line, band=3)
    np.testing.assert_allclose(made, wanted, rtol=1e-9, atol=1e-9)
    # One that has more points than that stays as it is.
    np.testing.assert_array_equal(nt.features.dtw(series, line, n=12), nt.features.dtw(series, line))


@pytest.mark.parametrize("seed", SEEDS)
def test_pruning_changes_no_distance(seed: int) -> None:
    series, template = walk(seed), walk(50 + seed, 20)
    free = nt.features.dtw(series, template, band=4)
    for most in (0.0, 0.5, float(np.nanquantile(free, 0.1)), float(np.nanmin(free)), 4.0):
        np.testing.assert_array_equal(nt.features.dtw(series, template, band=4, most=most), np.minimum(free, most))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_finds_what_the_column_has(seed: int) -> None:
    series, template = walk(seed, 500), walk(80 + seed, 16)
    series[[100, 330]] = np.nan, series[330] + 1e61
    apart = (0, 1, 5, 16, 40, 1000)[seed % 6]
    column = nt.features.dtw(series, template, band=2 + seed % 3)
    found = nt.features.dtw_search(series, template, k=7, apart=apart, band=2 + seed % 3)
    distances = [None if np.isnan(each) else float(each) for each in column]
    assert list(map(tuple, found.matches)) == plain.nearest(distances, 1e60, 7, apart)
    work = found.work
    assert work.windows == np.sum(~np.isnan(column))
    assert work.by_kim + work.by_keogh + work.abandoned + work.completed <= work.windows
    best, near = found.matches[0], found.matches[-1].distance
    # What is beyond a limit is no match.
    closer = nt.features.dtw_search(series, template, k=7, apart=apart, band=2 + seed % 3, most=best.distance)
    assert closer.matches == (best,) or apart == 0
    assert near >= best.distance


def test_most_of_the_work_of_a_search_is_pruned() -> None:
    series = walk(9, 20_000)
    found = nt.features.dtw_search(series, series[5_000:5_100] * 3 + 7, band=5)
    assert found.matches[0].row == 5_099 and found.matches[0].distance == pytest.approx(0.0, abs=1e-6)
    work = found.work
    assert work.windows == 20_000 - 99 == work.by_kim + work.by_keogh + work.abandoned + work.completed
    assert min(work.by_kim, work.by_keogh, work.abandoned) > 0
    assert work.completed < 0.01 * work.windows


def test_a_window_that_is_constant_has_no_distance() -> None:
    assert np.isnan(nt.features.dtw(np.ones(30))).all()
    assert nt.features.dtw_search(np.ones(30), [1, 2, 3]).matches == ()
    assert np.isnan(nt.features.dtw([1.0, 2.0, 3.0])).all()
    assert nt.features.dtw_search([1.0, 2.0], [1, 2, 3]) == ((), (0, 0, 0, 0, 0))


def test_templates_are_given_in_every_form() -> None:
    series = walk(6, 120)
    wanted = nt.features.dtw(series, [0, 2, 1], 12, 3, 2.5)
    for form in ((0, 2, 1), np.array([0, 2, 1]), pl.Series([0.0, 2.0, 1.0])):
        np.testing.assert_array_equal(nt.features.dtw(series, form, n=12, band=3, most=2.5), wanted)
        np.testing.assert_array_equal(nt.features.dtw(series, n=12, band=3, most=2.5, template=form), wanted)
    frame = pl.DataFrame({"close": series})
    as_expression = frame.select(pl.col("close").nt.dtw([0, 2, 1], 12, 3, most=2.5))["close"]
    np.testing.assert_array_equal(as_expression.to_numpy(), wanted)
    made = FeatureSet({"like": "dtw(close, [0, 2, 1], 12, 3, 2.5)", "usual": "dtw"}).columns(frame)
    np.testing.assert_array_equal(made["like"].to_numpy(), wanted)
    np.testing.assert_array_equal(made["usual"].to_numpy(), nt.features.dtw(series))


def test_strategies_and_formulas_take_templates() -> None:
    (bars,) = nt.synthetic_bars(seed=4, symbols=("ALPHA",), bars=300)
    seen = []

    class Watching(nt.Strategy):
        def on_start(self) -> None:
            self.like = self.feature("dtw", [0, 2, 1], 12, 3)

        def on_bar(self, bar: nt.Bar) -> None:
            seen.append(self.like.value)

    nt.backtest(Watching, data=bars, look_ahead=False)
    np.testing.assert_array_equal(seen, nt.features.dtw(bars.close.astype(float), [0, 2, 1], 12, 3))

    like = nt.close.dtw([0, P("top", 2), -1.5], n=P("n", 12), band=3)
    formula = Formula.of(entry=like < 2.0, exit=like > 3.5)
    assert repr(like) == "close.dtw([0, top, -1.5], n, 3, 1e+60)"
    assert Formula.from_document(formula.document()).hash == formula.hash
    assert parse(formula.text).hash == formula.hash
    assert len(nt.backtest(nt.formula(**formula.roles), data=bars, look_ahead=False).orders) > 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            lambda: nt.features.dtw([1.0, 2.0], [1]),
            "dtw: template must be 2 to 10000 numbers that are not all the same",
        ),
        (lambda: nt.features.dtw([1.0, 2.0], [3, 3, 3]), "that are not all the same"),
        (lambda: nt.features.dtw([1.0, 2.0], [1, float("nan")]), "that are not all the same"),
        (lambda: nt.features.dtw([1.0, 2.0], ["x", "y"]), "parameters are numbers"),
        (lambda: nt.features.dtw([1.0, 2.0], [1, 2], 3, 4, 5, 6), "takes at most 3 parameters, not 4"),
        (lambda: nt.features.dtw([1.0, 2.0], band=-1), "band must be a whole number from 0"),
        (lambda: nt.features.sma([1.0, 2.0], [1, 2]), "parameters are numbers"),
        (lambda: nt.features.dtw_search([1.0, 2.0], [1, 1]), "that are not all the same"),
        (lambda: nt.features.dtw_search([1.0, 2.0], [1, 2], k=0), "k is at least 1"),
        (lambda: nt.features.dtw_search([1.0, 2.0], [1, 2], window=3), "cannot take window here"),
        (lambda: FeatureSet(["dtw([1, 1])"]), "that are not all the same"),
        (lambda: FeatureSet(["dtw([1, 'x'])"]), "write it as"),
        (lambda: FeatureSet(["sma([1, 2])"]), "write it as"),
    ],
)
def test_a_template_that_is_none_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        wrong()


def test_a_formula_refuses_a_template_where_it_is_written() -> None:
    with pytest.raises(StrategyLoadError, match=r"test_warping.py line \d+: dtw: template must be 2 to 10000 numbers"):
        nt.close.dtw([1, 1])
    with pytest.raises(StrategyLoadError, match="dtw: template is a number, not 'x'"):
        nt.close.dtw([1, "x"])


def test_whole_markets_are_read_as_they_are() -> None:
    market = Market.seeded(3)
    np.testing.assert_array_equal(market.feature("dtw"), nt.features.dtw(market.columns["close"], [1, 0, 1, 0, 1]))
