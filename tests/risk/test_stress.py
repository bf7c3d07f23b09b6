"""Scenarios: by hand, and against the closed forms of what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neural_trader.errors import UsageError
from neural_trader.risk.loss import drawn_loss, loss
from neural_trader.risk.stress import SCENARIOS, correlations, stress


def returns(count: int = 400) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(1)
    both = rng.normal(0.0, 0.01, (count, 1))
    return 0.7 * both + rng.normal(0.0, [0.01, 0.02, 0.005], (count, 3))


def by_name(past: Any, weights: Any) -> dict[str, Any]:
    found = stress(past, weights)
    assert [each.scenario for each in found] == list(SCENARIOS)
    return {each.scenario: each for each in found}


def test_the_worst_that_was_is_found_whatever_is_held() -> None:
    past = returns()
    past[77] = -0.1, -0.2, -0.15
    past[200:210] -= 0.03
    found = by_name(past, [[1.0, 0.0, 0.0], [0.0, -0.5, 0.5]])
    assert found["worst_period"].begin == 77 and found["worst_stretch"].begin == 200
    assert found["worst_period"].losses == pytest.approx([0.1, -0.5 * 0.2 + 0.5 * 0.15])
    grown = np.prod(1.0 + past[200:210], axis=0) - 1.0
    assert found["worst_stretch"].losses == pytest.approx([-grown[0], 0.5 * grown[1] - 0.5 * grown[2]])


def test_what_moves_together_hits_the_net_and_what_goes_against_hits_the_gross() -> None:
    found = by_name(returns(), [[0.6, -0.4, 0.3], [0.0, 0.0, 0.0]])
    assert found["all_fall"].losses == pytest.approx([0.2 * 0.5, 0.0])
    assert found["all_rise"].losses == pytest.approx([-0.2 * 0.5, 0.0])
    assert found["all_against"].losses == pytest.approx([0.1 * 1.3, 0.0])


def test_losses_by_covariance_are_those_of_many_draws() -> None:
    past, weights = returns(), np.array([0.6, -0.4, 0.3])
    apart = past - past.mean(axis=0)
    found = {name: float(each.losses[0]) for name, each in by_name(past, weights).items()}
    drawn = loss(apart, weights, confidence=0.99, method="monte_carlo", draws=400_000)
    assert found["covariance"] == pytest.approx(drawn.expected_shortfall, rel=0.02)
    assert found["volatility_doubled"] == pytest.approx(2.0 * found["covariance"])
    # Of longs alone, correlations of one are the worst that a covariance can do.
    long = {name: float(each.losses[0]) for name, each in by_name(past, np.abs(weights)).items()}
    assert long["correlation_one"] > long["volatility_doubled"]
    # Of one instrument they change nothing.
    alone = by_name(past[:, :1], [0.5])
    assert alone["correlation_one"].losses == pytest.approx(alone["volatility_doubled"].losses)


def test_holdings_drawn_apart_of_returns_lose_what_one_portfolio_loses() -> None:
    past, weights = returns(), np.array([0.6, -0.4, 0.3])
    same = drawn_loss(past, np.tile(weights, (50, 1)), confidence=0.99)
    assert same == pytest.approx(loss(past, weights, confidence=0.99, method="monte_carlo"), rel=1e-9)
    # Half of the time nothing is held: the tail of one in a hundred is that of one in fifty of the other half.
    half = drawn_loss(past, np.vstack([weights, np.zeros(3)]), confidence=0.99)
    expected = loss(past, weights, confidence=0.98, method="monte_carlo")
    assert half == pytest.approx(expected, rel=0.04)


def test_correlations_are_those_of_numpy_and_absent_where_nothing_varies() -> None:
    past = returns()
    assert correlations(past) == pytest.approx(np.corrcoef(past, rowvar=False))
    past[:, 1] = 0.01
    found = correlations(past)
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all() and found[0, 0] == 1.0


@pytest.mark.parametrize("weights", [[0.5, 0.5], [[0.1, np.nan, 0.2]], np.zeros((2, 2, 3))])
def test_weights_that_make_no_sense_are_refused(weights: Any) -> None:
    with pytest.raises(UsageError):
        stress(returns(), weights)


def test_an_instrument_that_lost_everything_has_no_stretches() -> None:
    past = returns()
    past[5, 0] = -1.0
    with pytest.raises(UsageError, match="lost everything"):
        stress(past, [0.1, 0.1, 0.1])
