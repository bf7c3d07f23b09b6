"""Sharpe ratios and their errors, against the figures that their papers print."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neural_trader.honesty.gauss import below, quantile
from neural_trader.honesty.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    probabilistic_sharpe,
)


def moments(count: int, sharpe: float, skewness: float = 0.0, kurtosis: float = 3.0) -> Moments:
    return Moments(count, sharpe, 1.0, skewness, kurtosis)


def test_a_hedge_fund_of_the_paper_is_less_sure_for_its_skewness_and_tails() -> None:
    # Bailey and Lopez de Prado (2012), section 4: two years of monthly returns, mean 0.036, deviation 0.079.
    fund = moments(24, 0.458, -2.448, 10.164)
    assert probabilistic_sharpe(moments(24, 0.458)) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(fund) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("periods", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_a_ratio_of_two_takes_the_years_of_the_paper_to_be_above_one(periods: int, years: float) -> None:
    root = math.sqrt(periods)
    needed = minimum_track_record(moments(1, 2.0 / root), 1.0 / root)
    assert needed / periods == pytest.approx(years, abs=5e-3)


def test_a_track_record_of_the_minimum_length_is_exactly_confident() -> None:
    fund = moments(24, 0.3, -1.2, 6.0)
    needed = minimum_track_record(fund, 0.1, 0.95)
    assert below((0.3 - 0.1) * math.sqrt((needed - 1.0) / fund.spread)) == pytest.approx(0.95, abs=1e-12)
    assert minimum_track_record(fund, 0.3) == math.inf


def test_the_example_of_the_deflated_ratio_has_the_values_of_the_paper() -> None:
    # Bailey and Lopez de Prado (2014), "A numerical example": 2.5 a year on five years of days, 100 trials.
    candidate = moments(1250, 2.5 / math.sqrt(250), -3.0, 10.0)
    variance = 0.5 / 250
    assert expected_best(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(candidate, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(candidate, 46, variance) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(moments(1250, 2.5 / math.sqrt(250)), 88, variance) == pytest.approx(0.9505, abs=5e-4)


def test_one_trial_is_no_search() -> None:
    candidate = moments(500, 0.05)
    assert expected_best(1, 0.01) == 0.0
    assert deflated_sharpe(candidate, 1, 0.01) == probabilistic_sharpe(candidate)


def test_the_expected_best_is_what_the_best_of_many_is() -> None:
    rng = np.random.default_rng(5)
    for trials in (20, 200, 1000):
        found = rng.normal(0.0, 0.3, (4000, trials)).max(axis=1)
        assert expected_best(trials, 0.09) == pytest.approx(found.mean(), rel=0.02)


def test_moments_are_those_of_their_definitions() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0, -0.01])
    found = Moments.of(returns)
    apart = [value - sum(returns) / 5 for value in returns]
    second = sum(value**2 for value in apart) / 5
    assert found.mean == pytest.approx(0.002)
    assert found.deviation == pytest.approx(math.sqrt(second * 5 / 4))
    assert found.skewness == pytest.approx(sum(value**3 for value in apart) / 5 / second**1.5)
    assert found.kurtosis == pytest.approx(sum(value**4 for value in apart) / 5 / second**2)


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1], [0.0, 0.0]])
def test_returns_without_variation_have_no_moments(returns: list[float]) -> None:
    with pytest.raises(ValueError, match=r"two returns|do not vary"):
        Moments.of(np.array(returns))


@pytest.mark.parametrize("length", [1, 7, 100, 1000])
def test_moments_of_a_curve_do_not_depend_on_its_blocks(length: int) -> None:
    returns = np.random.default_rng(3).standard_t(5, 1000) * 0.01 + 0.0004
    curve = 250.0 * np.cumprod(1.0 + returns)
    whole = Moments.of(returns)
    cut = Moments.of_curve(250.0, (curve[begin : begin + length] for begin in range(0, 1000, length)))
    assert cut.count == whole.count
    for name in ("mean", "deviation", "skewness", "kurtosis"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_a_curve_that_was_not_always_positive_has_no_moments() -> None:
    with pytest.raises(ValueError, match="positive"):
        Moments.of_curve(100.0, [np.array([90.0, 0.0, 10.0])])


def test_quantiles_undo_probabilities() -> None:
    for probability in (1e-9, 0.05, 0.5, 0.975, 1 - 1e-9):
        assert below(quantile(probability)) == pytest.approx(probability, rel=1e-6)
