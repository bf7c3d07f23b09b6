"""Bootstrap and tests for superior ability against the package arch, which draws its own random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from neural_trader.honesty.bootstrap import block_length, stationary_indices
from neural_trader.honesty.superiority import _long_run_variance, reality_check, superior_ability

if TYPE_CHECKING:
    from collections.abc import Callable

RESAMPLES = 4000
TOLERANCE = 0.035
"""Two p-values of 4,000 resamples each differ by chance up to four standard errors of 0.011, less near the ends."""


def autoregression(weight: float, count: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=count)
    values = np.empty(count)
    values[0] = noise[0]
    for at in range(1, count):
        values[at] = weight * values[at - 1] + noise[at]
    return values


def test_block_lengths_are_those_of_arch(ask: Callable[[str, Any], Any]) -> None:
    plain = [autoregression(0.0, 400 + 100 * seed, seed) for seed in range(12)]
    slow = [autoregression(0.5, 2000, seed) for seed in range(12)]
    theirs = ask("arch", [{"kind": "block", "values": values.tolist()} for values in (*plain, *slow)])
    ours = [block_length(values) for values in (*plain, *slow)]
    # Where the first correlation is already insignificant both look equally far, and agree to the last digits. It
    # never gives less than 1 here, because half a value cannot be resampled.
    exact = [abs(one - max(1.0, other)) < 1e-9 * other for one, other in zip(ours, theirs, strict=True)]
    assert sum(exact[:12]) >= 10
    # Elsewhere it looks one lag farther than the paper says, which moves single lengths but not what is typical.
    assert np.median(ours[12:]) == pytest.approx(np.median(theirs[12:]), rel=0.25)


def test_the_spread_of_a_resampled_mean_is_that_of_arch(ask: Callable[[str, Any], Any]) -> None:
    values = autoregression(0.4, 500, 3)
    spread, low, high = ask(
        "arch", [{"kind": "mean", "values": values.tolist(), "block": 9.0, "resamples": RESAMPLES, "seed": 1}]
    )[0]
    found = values[stationary_indices(500, 9.0, RESAMPLES, np.random.default_rng(2))].mean(axis=1)
    assert found.std() == pytest.approx(spread, rel=0.06)
    assert np.quantile(found, [0.025, 0.975]) == pytest.approx([low, high], abs=4 * spread * 0.06)


@pytest.mark.parametrize("edge", [0.0, 0.05, 0.12])
def test_p_values_of_superior_ability_are_those_of_arch(ask: Callable[[str, Any], Any], edge: float) -> None:
    rng = np.random.default_rng(11)
    excess = rng.normal(0.0, 1.0, (400, 15)) * np.linspace(0.5, 2.0, 15)
    excess[:, 3] += edge
    excess[:, 9:] -= 0.3
    # It works out the variance of each column but compares plain means, so columns are brought to one scale for it:
    # then both compute Hansen's statistic.
    deviations = np.sqrt(_long_run_variance(excess, 5.0))
    job = {"block": 5.0, "resamples": RESAMPLES, "seed": 4}
    theirs, check, variances = ask(
        "arch",
        [
            {"kind": "spa", "values": (excess / deviations).tolist(), **job},
            {"kind": "spa", "values": excess.tolist(), **job},
            {"kind": "variance", "values": excess.tolist(), **job},
        ],
    )
    assert (deviations**2).tolist() == pytest.approx(variances, rel=1e-9)
    ours = superior_ability(excess, block=5.0, resamples_count=RESAMPLES, seed=5)
    assert list(ours[:3]) == pytest.approx(theirs, abs=TOLERANCE)
    value, _ = reality_check(excess, block=5.0, resamples_count=RESAMPLES, seed=6)
    assert value == pytest.approx(check[2], abs=TOLERANCE)
