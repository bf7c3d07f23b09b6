"""Risk by hand: the examples of papers, what must hold for every portfolio, and what is refused."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import UsageError
from neural_trader.risk.covariance import correlation, sample_covariance, shrunk_covariance
from neural_trader.risk.exposure import attribution, completed_scenario, exposure, stressed, worst_stretch
from neural_trader.risk.loss import loss
from neural_trader.risk.mean_variance import mean_variance, minimum_variance
from neural_trader.risk.parity import hierarchical_risk_parity, inverse_variance, risk_contributions, risk_parity
from neural_trader.risk.sizing import kelly, kelly_of_bets, kelly_of_returns, volatility_scale


def market(seed: int = 1, count: int = 300, width: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0005, 0.01, (count, 1))
    return common + rng.normal(0.0, 1.0, (count, width)) * rng.uniform(0.004, 0.02, width)


def test_the_historical_tail_holds_exactly_its_share() -> None:
    returns = np.array([-0.05, 0.01, -0.03, 0.02, 0.00, -0.01, 0.04, 0.03, -0.02, 0.05])
    tenth = loss(returns, confidence=0.9)
    assert tenth == pytest.approx((0.05, 0.05))
    fifth = loss(returns, confidence=0.8)
    assert fifth == pytest.approx((0.03, 0.04))
    # A quarter of ten is the worst two and half of the third.
    quarter = loss(returns, confidence=0.75)
    assert quarter == pytest.approx((0.02, (0.05 + 0.03 + 0.5 * 0.02) / 2.5))
    assert loss(returns, confidence=0.99) == pytest.approx((0.05, 0.05))


@pytest.mark.parametrize("method", ["normal", "cornish_fisher", "historical", "monte_carlo"])
def test_all_methods_agree_on_normal_returns(method: Any) -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.02, 400_000)
    found = loss(returns, confidence=0.95, method=method, draws=400_000)
    assert found.value_at_risk == pytest.approx(1.644854 * 0.02 - 0.001, rel=0.02)
    assert found.expected_shortfall == pytest.approx(2.062713 * 0.02 - 0.001, rel=0.02)


@pytest.mark.parametrize("method", ["normal", "cornish_fisher", "historical", "monte_carlo"])
def test_shortfall_is_never_less_than_value_at_risk(method: Any) -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        returns = rng.standard_t(3, (120, 4)) * 0.01
        found = loss(returns, rng.dirichlet(np.ones(4)), confidence=0.97, method=method, draws=5_000)
        assert found.expected_shortfall >= found.value_at_risk


def test_a_tail_that_is_skewed_costs_more_than_a_normal_one() -> None:
    rng = np.random.default_rng(5)
    skewed = -rng.gamma(2.0, 0.01, 5_000) + 0.021
    normal, corrected, real = (
        loss(skewed, confidence=0.99, method=m) for m in ("normal", "cornish_fisher", "historical")
    )
    assert normal.value_at_risk < corrected.value_at_risk
    assert abs(corrected.value_at_risk - real.value_at_risk) < abs(normal.value_at_risk - real.value_at_risk)


def test_monte_carlo_has_the_covariance_of_the_data() -> None:
    returns = market()
    weights = np.array([0.5, 0.5, 0.0, 0.0, 0.2, -0.2])
    drawn = loss(returns, weights, method="monte_carlo", draws=300_000)
    assert drawn == pytest.approx(loss(returns, weights, method="normal"), rel=0.02)
    assert drawn == loss(returns, weights, method="monte_carlo", draws=300_000)


def test_shrinking_lies_between_the_sample_and_its_target() -> None:
    returns = market(2, 40, 30)
    found = shrunk_covariance(returns)
    sample = np.cov(returns, rowvar=False, ddof=0)
    target = np.trace(sample) / 30 * np.eye(30)
    assert 0.0 < found.intensity < 1.0
    assert found.covariance == pytest.approx(found.intensity * target + (1 - found.intensity) * sample)
    assert np.linalg.cond(found.covariance) < np.linalg.cond(sample)
    assert np.diag(correlation(found.covariance)).tolist() == [1.0] * 30


def test_kelly_of_a_coin_is_its_edge() -> None:
    assert kelly_of_bets(0.6, 1.0) == pytest.approx(0.2)
    assert kelly_of_bets(0.5, 2.0) == pytest.approx(0.25)
    assert kelly_of_bets(0.4, 1.0) == 0.0
    flips = np.array([1.0] * 6 + [-1.0] * 4)
    assert kelly_of_returns(flips) == pytest.approx(0.2)
    assert kelly_of_returns(-flips) == 0.0
    assert kelly_of_returns(np.array([0.0, 0.1])) == math.inf


def test_kelly_of_many_is_that_of_each_where_nothing_is_correlated() -> None:
    means, variances = np.array([0.001, 0.002, -0.001]), np.array([0.0004, 0.0001, 0.0009])
    full = kelly(means, np.diag(variances))
    assert full == pytest.approx(means / variances)
    assert kelly(means, np.diag(variances), fraction=0.5) == pytest.approx(full / 2)
    limited = kelly(means, np.diag(variances), limit=2.0)
    assert np.abs(limited).sum() == pytest.approx(2.0) and limited / full == pytest.approx(limited[0] / full[0])


def test_a_volatility_target_scales_to_it_and_no_further_than_allowed() -> None:
    returns = np.tile([0.01, -0.01], 100)
    a_year = returns.std(ddof=1) * math.sqrt(365.25)
    assert volatility_scale(returns, a_year / 4, 365.25) == pytest.approx(0.25)
    assert volatility_scale(returns, 9.9, 365.25) == 1.0
    assert volatility_scale(returns, 2 * a_year, 365.25, largest=3.0) == pytest.approx(2.0)
    assert volatility_scale(np.zeros(10), 0.2, 252.0) == 1.0


def test_risk_parity_gives_each_its_budget() -> None:
    for seed in range(5):
        covariance = sample_covariance(market(seed))
        assert risk_contributions(risk_parity(covariance), covariance) == pytest.approx(1 / 6)
        budgets = np.arange(1.0, 7.0) / 21.0
        weights = risk_parity(covariance, budgets)
        assert weights.sum() == pytest.approx(1.0) and (weights > 0).all()
        assert risk_contributions(weights, covariance) == pytest.approx(budgets)
    uncorrelated = np.diag([0.04, 0.01])
    assert risk_parity(uncorrelated) == pytest.approx([1 / 3, 2 / 3])


def test_hierarchical_parity_splits_between_groups_before_it_splits_within() -> None:
    # Two that are the same but for noise, and one of its own: the pair shares what one alone would get.
    deviations = np.array([0.01, 0.01, 0.01])
    related = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = hierarchical_risk_parity(related * np.outer(deviations, deviations))
    assert found.sum() == pytest.approx(1.0)
    assert found[2] == pytest.approx(0.5, abs=0.17) and found[2] > found[0]
    assert hierarchical_risk_parity(np.array([[0.04]])).tolist() == [1.0]
    assert hierarchical_risk_parity(np.diag([0.04, 0.01])) == pytest.approx(inverse_variance(np.diag([0.04, 0.01])))


def test_weights_do_not_depend_on_the_order_of_instruments() -> None:
    covariance = sample_covariance(market(3, 250, 7))
    order = np.random.default_rng(1).permutation(7)
    shuffled = covariance[np.ix_(order, order)]
    assert risk_parity(shuffled) == pytest.approx(risk_parity(covariance)[order])
    assert minimum_variance(shuffled) == pytest.approx(minimum_variance(covariance)[order], abs=1e-6)


def test_the_least_variance_has_a_closed_form_where_nothing_binds() -> None:
    covariance = sample_covariance(market(4))
    inverse = np.linalg.solve(covariance, np.ones(6))
    free = minimum_variance(covariance, lower=-5.0, upper=5.0)
    assert free == pytest.approx(inverse / inverse.sum(), abs=1e-7)
    assert free @ covariance @ free <= risk_parity(covariance) @ covariance @ risk_parity(covariance)


def test_limits_are_kept() -> None:
    returns = market(5)
    covariance, means = sample_covariance(returns), returns.mean(axis=0)
    before = np.full(6, 1 / 6)
    found = mean_variance(means, covariance, aversion=3.0, upper=0.4, before=before, turnover=0.25)
    assert found.sum() == pytest.approx(1.0) and found.max() <= 0.4 + 1e-12 and found.min() >= 0.0
    assert np.abs(found - before).sum() <= 0.25 + 1e-7
    # Nothing is worth trading where it costs more than it could gain.
    still = mean_variance(means, covariance, aversion=3.0, before=before, cost=0.5)
    assert still == pytest.approx(before, abs=1e-6)
    with pytest.raises(UsageError, match="no portfolio keeps these limits"):
        mean_variance(means, covariance, before=np.eye(6)[0], upper=0.4, turnover=0.1)


def test_without_the_optimiser_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clarabel", None)
    with pytest.raises(UsageError, match=r"pip install neural-trader\[portfolio\]"):
        minimum_variance(np.eye(2))


def test_exposure_is_counted_on_both_sides() -> None:
    assert exposure([0.5, -0.25, 0.25]) == pytest.approx((1.0, 0.5, 0.75, 0.25, 1 / 0.375))
    assert exposure([0.25] * 4).effective == pytest.approx(4.0)
    assert exposure([0.0, 0.0]) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_scenarios_move_what_was_hit_and_what_hangs_on_it() -> None:
    assert stressed([0.5, 0.5], [[-0.2, 0.1], [0.0, -0.5]]) == pytest.approx([-0.05, -0.25])
    assert stressed([1.0, -1.0], [-0.2, -0.3]) == pytest.approx([0.1])
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    # The other one follows by its beta on what was hit: 0.03 / 0.04.
    assert completed_scenario(covariance, {0: -0.2}) == pytest.approx([-0.2, -0.15])
    assert completed_scenario(covariance, {0: -0.2, 1: 0.1}) == pytest.approx([-0.2, 0.1])


def test_the_worst_stretch_is_found() -> None:
    returns = np.array([[0.1], [-0.2], [-0.1], [0.3], [-0.25]])
    assert worst_stretch(returns, [1.0], 2) == (1, pytest.approx(0.8 * 0.9 - 1.0))
    assert worst_stretch(returns, [1.0], 1) == (4, pytest.approx(-0.25))


def test_attributions_add_up_to_the_compounded_return() -> None:
    returns = market(6, 60, 3)
    weights = np.random.default_rng(2).dirichlet(np.ones(3), 60)
    found = attribution(weights, returns)
    assert found.sum() == pytest.approx(np.prod(1.0 + (weights * returns).sum(axis=1)) - 1.0)
    assert attribution([[1.0, 0.0]], [[0.1, 0.5]]) == pytest.approx([0.1, 0.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: loss([0.1, math.nan]), "not finite"),
        (lambda: loss(np.zeros((5, 2))), "take weights"),
        (lambda: loss([0.1, 0.2], confidence=5), "between 0.5 and 1"),
        (lambda: loss([0.1, 0.2], method="magic"), "historical, normal"),  # type: ignore[arg-type]
        (lambda: risk_parity(np.array([[1.0, 2.0]])), "square"),
        (lambda: risk_parity(np.diag([1.0, 0.0])), "must have varied"),
        (lambda: risk_parity(np.eye(2), [1.0, 0.0]), "above zero"),
        (lambda: kelly([0.1, 0.1], np.ones((2, 2))), "singular"),
        (lambda: kelly([0.1], np.eye(1), fraction=2.0), "grows slower"),
        (lambda: minimum_variance(np.eye(3), upper=0.2), "cannot sum"),
        (lambda: stressed([0.5], [[0.1, 0.2]]), "2 finite numbers"),
        (lambda: completed_scenario(np.eye(2), {5: 0.1}), "by number"),
        (lambda: sample_covariance([[0.1, 0.2]]), "too few"),
    ],
)
def test_what_cannot_be_computed_is_refused(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_a_strategy_sizes_by_hierarchical_risk_parity() -> None:
    class Parity(nt.Strategy):
        """Every day, by the returns of the last hundred bars."""

        window: int = 100

        def on_start(self) -> None:
            self.prices: list[list[float]] = []

        def on_moment(self, time_ns: int) -> None:
            self.prices.append([self.price(symbol) for symbol in self.symbols])
            if len(self.prices) <= self.window or len(self.prices) % 24:
                return
            recent = np.array(self.prices[-self.window - 1 :])
            weights = hierarchical_risk_parity(sample_covariance(recent[1:] / recent[:-1] - 1.0))
            for symbol, weight in zip(self.symbols, weights, strict=True):
                self.target(0.9 * float(weight), symbol=symbol)

    result = nt.backtest(Parity, nt.synthetic_bars(bars=500, symbols=("ALPHA", "BRAVO", "CHARLIE")))
    assert result.look_ahead is not None and result.look_ahead.passed
    assert len(set(result.fills["symbol"])) == 3
