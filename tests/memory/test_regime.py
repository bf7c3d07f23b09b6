"""The filter of regimes, held against the sum over all paths that a hidden Markov model stands for."""

from __future__ import annotations

import itertools
import random

import pytest

from neural_trader.memory.regime import EXPECTED, RANGE, SLOW, STATES, STAY, STRESS, TREND, Regime, density, filtered


def test_the_filter_is_the_sum_over_all_paths_of_states():
    generator = random.Random(4)
    seen = [(abs(generator.gauss(1, 1)), abs(generator.gauss(1, 0.4))) for _ in range(6)]
    weights = dict.fromkeys(STATES, 0.0)
    # One state before the first observation and one at each.
    for path in itertools.product(STATES, repeat=len(seen) + 1):
        weight = 1 / 3
        for before, after, (strength, heat) in zip(path, path[1:], seen, strict=False):
            weight *= STAY if before == after else (1 - STAY) / 2
            weight *= density(strength, *EXPECTED[after][0]) * density(heat, *EXPECTED[after][1])
        weights[path[-1]] += weight
    probabilities = (1 / 3, 1 / 3, 1 / 3)
    for strength, heat in seen:
        probabilities = filtered(probabilities, strength, heat)
    total = sum(weights.values())
    assert probabilities == pytest.approx([weights[state] / total for state in STATES])


def test_the_density_is_students_t_up_to_its_factor():
    from scipy import stats

    ratio = stats.t.pdf(0.3, df=3, loc=0.7, scale=0.5) / density(0.3, 0.7, 0.5)
    for value, place, width in [(-4.0, 0.7, 0.5), (2.0, 2.4, 0.7), (9.0, 0.0, 3.0)]:
        assert stats.t.pdf(value, df=3, loc=place, scale=width) == pytest.approx(ratio * density(value, place, width))


def market(seed, parts):
    """Closes of stretches with a drift and a volatility each, and the true regime of each close."""
    generator = random.Random(seed)
    close, closes, truth = 100.0, [], []
    for regime, bars, drift, volatility in parts:
        for _ in range(bars):
            close *= 1 + generator.gauss(drift, volatility)
            closes.append(close)
            truth.append(regime)
    return closes, truth


PARTS = [
    (RANGE, 600, 0.0, 0.01),
    (TREND, 300, 0.008, 0.01),
    (RANGE, 300, 0.0, 0.01),
    (STRESS, 100, 0.0, 0.035),
    (RANGE, 300, 0.0, 0.01),
    (TREND, 300, -0.008, 0.01),
]


def test_regimes_of_a_made_market_are_mostly_told():
    right = dict.fromkeys(STATES, 0)
    bars = dict.fromkeys(STATES, 0)
    for seed in range(20):
        closes, truth = market(seed, PARTS)
        regime = Regime()
        for close, wanted in zip(closes, truth, strict=True):
            told = regime.update(close)
            if told:
                bars[wanted] += 1
                right[wanted] += told == wanted
    shares = {state: right[state] / bars[state] for state in STATES}
    assert shares[TREND] > 0.6 and shares[RANGE] > 0.6 and shares[STRESS] > 0.6, shares


def test_what_comes_later_changes_nothing_that_was_told():
    closes, _ = market(1, PARTS)
    whole = Regime()
    told = [whole.update(close) for close in closes]
    part = Regime()
    assert [part.update(close) for close in closes[:700]] == told[:700]
    assert [part.update(1e6 + at) for at in range(50)] != told[700:750]


def test_it_says_nothing_before_it_can_and_survives_anything():
    regime = Regime()
    assert [regime.update(100.0 + at % 2) for at in range(SLOW)] == [""] * SLOW
    assert regime.update(100.0) in STATES
    for close in (float("nan"), 0.0, -1.0, 1e308, 1e-308, 1e308, 100.0, 100.0):
        regime.update(close)
    assert sum(regime.probabilities) == pytest.approx(1.0)
    still = Regime()
    for _ in range(400):
        still.update(5.0)
    assert sum(still.probabilities) == pytest.approx(1.0)
