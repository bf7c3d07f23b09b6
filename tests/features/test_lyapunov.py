"""The largest Lyapunov exponent: its twin, known values, and surrogates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.baseline.features import chaos
from neural_trader.errors import UsageError


def logistic(size: int, r: float = 4.0) -> Any:
    series = [0.3]
    for _ in range(size - 1):
        series.append(r * series[-1] * (1 - series[-1]))
    return np.array(series)


@pytest.mark.parametrize("seed", range(12))
def test_the_exponent_is_that_of_its_twin_to_the_last_bit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    series = np.round(np.cumsum(draw.normal(size=120)), seed % 3)
    unfolding = [int(draw.integers(low, high)) for low, high in ((1, 4), (1, 4), (0, 12), (1, 7))]
    ours, plain = nt.features.lyapunov(series, *unfolding), chaos.lyapunov(series.tolist(), *unfolding)
    assert ours == plain or (math.isnan(ours) and math.isnan(plain))


def test_the_logistic_map_has_the_logarithm_of_two() -> None:
    series = logistic(2_500)
    exponent = nt.features.lyapunov(series, dimension=2, steps=4)
    assert exponent == pytest.approx(math.log(2), abs=0.05)
    # The unit of a series has no part in it.
    assert nt.features.lyapunov(8.0 * series, dimension=2, steps=4) == pytest.approx(exponent, rel=1e-12)
    assert nt.features.lyapunov(1e4 - 321.7 * series, dimension=2, steps=4) == pytest.approx(exponent, abs=1e-6)


def test_a_cycle_does_not_part() -> None:
    turns = np.sin(np.arange(1_000) * 0.1 * math.sqrt(2))
    assert nt.features.lyapunov(turns, dimension=3, lag=10, exclusion=40, steps=10) == pytest.approx(0.0, abs=0.01)


def test_what_has_no_neighbours_has_no_exponent() -> None:
    assert math.isnan(nt.features.lyapunov(np.ones(100)))
    assert math.isnan(nt.features.lyapunov(np.arange(6.0)))
    assert math.isnan(nt.features.lyapunov([*range(50), math.nan, *range(50)]))
    with pytest.raises(UsageError, match="lyapunov: lag must be at least 1, not 0"):
        nt.features.lyapunov(np.arange(50.0), lag=0)


def test_surrogates_tell_chaos_from_noise() -> None:
    found = nt.features.lyapunov_test(logistic(400), surrogates=19, dimension=2, steps=3)
    assert found.p_value == 1 / 20 and len(found.surrogates) == 19
    assert found == nt.features.lyapunov_test(logistic(400), surrogates=19, dimension=2, steps=3)
    noise = np.random.default_rng(6).normal(size=400)
    assert nt.features.lyapunov_test(noise, surrogates=19, dimension=2, steps=3).p_value > 0.05
