"""On strategies without any edge the stated error rates hold: several hundred of them, judged by binomial bounds."""

from __future__ import annotations

import math
import os

import numpy as np

from neural_trader.honesty.bootstrap import interval, stationary_indices
from neural_trader.honesty.overfitting import overfitting
from neural_trader.honesty.sharpe import Moments, deflated_sharpe, minimum_track_record, probabilistic_sharpe
from neural_trader.honesty.superiority import reality_check, superior_ability

SCALE = int(os.environ.get("NT_NOISE_SCALE", "1"))
"""Multiplies the numbers of noise strategies; the bounds narrow with them."""


def bounds(rate: float, cases: int) -> tuple[int, int]:
    """Counts that a binomial number lies within but for one time in ten thousand on either side."""
    spread = 3.72 * math.sqrt(rate * (1.0 - rate) * cases)
    return math.floor(rate * cases - spread), math.ceil(rate * cases + spread)


def test_one_noise_strategy_in_twenty_is_believed_with_95_percent() -> None:
    rng = np.random.default_rng(1)
    cases = 1000 * SCALE
    believed = sum(probabilistic_sharpe(Moments.of(rng.normal(0.0, 0.01, 500))) > 0.95 for _ in range(cases))
    low, high = bounds(0.05, cases)
    assert low <= believed <= high


def test_one_fat_tailed_noise_strategy_in_twenty_is_believed_too() -> None:
    rng = np.random.default_rng(2)
    cases = 600 * SCALE
    returns = rng.standard_t(6, (cases, 1000)) * 0.01
    believed = sum(probabilistic_sharpe(Moments.of(row)) > 0.95 for row in returns)
    low, high = bounds(0.05, cases)
    assert low <= believed <= high


def test_the_best_of_a_search_through_noise_is_hardly_ever_believed_once_deflated() -> None:
    rng = np.random.default_rng(3)
    searches, trials, periods = 300 * SCALE, 50, 250
    fooled = deflated = 0
    for _ in range(searches):
        returns = rng.normal(0.0, 0.01, (trials, periods))
        ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
        best = Moments.of(returns[ratios.argmax()])
        fooled += probabilistic_sharpe(best) > 0.95
        deflated += deflated_sharpe(best, trials, float(ratios.var(ddof=1))) > 0.95
    assert fooled > 0.8 * searches, "without deflation nearly every search finds something"
    assert deflated <= bounds(0.05, searches)[1]


def test_a_strategy_with_an_edge_is_still_found_among_noise() -> None:
    rng = np.random.default_rng(4)
    returns = rng.normal(0.0, 0.01, (50, 2500))
    returns[17] += 0.0015
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    best = Moments.of(returns[int(ratios.argmax())])
    assert ratios.argmax() == 17
    assert deflated_sharpe(best, 50, float(ratios.var(ddof=1))) > 0.95
    assert minimum_track_record(best) < 2500


def test_tests_for_superiority_reject_noise_no_more_often_than_they_say() -> None:
    rng = np.random.default_rng(5)
    cases = 200 * SCALE
    rejected = np.zeros(2, int)
    for case in range(cases):
        excess = rng.normal(0.0, 0.01, (200, 12))
        consistent = superior_ability(excess, block=1.5, resamples_count=200, seed=case).consistent
        rejected += [consistent < 0.05, reality_check(excess, block=1.5, resamples_count=200, seed=case)[0] < 0.05]
    low, high = bounds(0.05, cases)
    assert max(0, low) <= rejected[0] <= high and rejected[1] <= high


def test_superiority_is_seen_where_there_is_some() -> None:
    rng = np.random.default_rng(6)
    excess = rng.normal(0.0, 0.01, (500, 20))
    excess[:, 3] += 0.002
    found = superior_ability(excess, resamples_count=500)
    assert found.best == 3 and found.lower <= found.consistent <= found.upper < 0.05
    value, best = reality_check(excess, resamples_count=500)
    assert best == 3 and value < 0.05


def test_poor_strategies_do_not_blunt_the_consistent_p_value() -> None:
    rng = np.random.default_rng(7)
    excess = rng.normal(0.0, 0.01, (400, 60))
    excess[:, 0] += 0.0012
    excess[:, 1:] -= 0.004
    found = superior_ability(excess, resamples_count=1000)
    assert found.consistent < found.upper


def test_the_best_of_noise_is_as_often_below_the_median_afterwards_as_above() -> None:
    rng = np.random.default_rng(8)
    # Searches of the same noise share blocks, so single probabilities scatter; their mean does not.
    found = [overfitting(rng.normal(0.0, 0.01, (160, 20)), 8).probability for _ in range(100 * SCALE)]
    assert abs(float(np.mean(found)) - 0.5) < 3.72 * float(np.std(found)) / math.sqrt(len(found)) + 0.03


def test_intervals_of_a_mean_hold_it_as_often_as_they_say() -> None:
    rng = np.random.default_rng(9)
    cases, count = 300 * SCALE, 400
    held = 0
    for case in range(cases):
        noise = rng.normal(0.0, 1.0, count)
        # An autoregression of 0.3, whose true mean is zero.
        values = np.empty(count)
        values[0] = noise[0]
        for at in range(1, count):
            values[at] = 0.3 * values[at - 1] + noise[at]
        rows = stationary_indices(count, 8.0, 200, np.random.default_rng(case))
        found = interval(values[rows].mean(axis=1))
        assert found is not None
        held += found[0] <= 0.0 <= found[1]
    # Blocks see less than the whole memory of a series, so a few percent are known to be missing.
    assert held >= bounds(0.91, cases)[0]
    assert held <= bounds(0.96, cases)[1]
