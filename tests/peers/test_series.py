"""Features against stumpy, nolds and statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import neural_trader as nt

if TYPE_CHECKING:
    from collections.abc import Callable


def walk(seed: int, size: int) -> Any:
    return np.cumsum(np.random.default_rng(seed).normal(size=size))


def test_profiles_lines_and_exponents_are_those_of_their_packages(ask: Callable[[str, Any], Any]) -> None:
    series = [(walk(1, 300) + 1e4, 24), (np.sin(np.arange(260) / 9.0) + walk(2, 260) * 0.05, 50)]
    jobs: list[dict[str, Any]] = [{"kind": "profile", "series": each.tolist(), "n": n} for each, n in series]
    window = series[0][0][200:224]
    jobs.append({"kind": "distances", "series": series[0][0].tolist(), "window": window.tolist()})
    unfoldings = [(2, 1, 10, 4), (3, 2, 5, 6), (4, 3, 20, 3)]
    chaos = [0.3]
    while len(chaos) < 500:
        chaos.append(4 * chaos[-1] * (1 - chaos[-1]))
    columns = [chaos, walk(3, 500).tolist(), chaos]
    for column, (dimension, lag, exclusion, steps) in zip(columns, unfoldings, strict=True):
        jobs.append(
            {
                "kind": "lyapunov",
                "series": column,
                "dimension": dimension,
                "lag": lag,
                "exclusion": exclusion,
                "steps": steps,
            }
        )
    x, y = walk(5, 60), walk(6, 60)
    jobs += [
        {"kind": "line", "x": list(range(60)), "y": y.tolist()},
        {"kind": "line", "x": y.tolist(), "y": x.tolist()},
        {"kind": "line", "x": y[:-3].tolist(), "y": y[3:].tolist()},
    ]
    answers = ask("stumpy", jobs)

    for (each, n), (distance, (neighbour, before)) in zip(series, answers[:2], strict=True):
        made = nt.features.matrix_profile(each, n)
        np.testing.assert_allclose(made.distance[n - 1 :], distance, rtol=1e-6, atol=1e-6)
        # They name windows by where these begin.
        np.testing.assert_array_equal(made.neighbour[n - 1 :] - (n - 1), neighbour)
        left = made.left_neighbour[n - 1 :]
        np.testing.assert_array_equal(np.where(left < 0, -1, left - (n - 1)), before)
    by_value = nt.features.dtw(series[0][0], window, band=0)
    np.testing.assert_allclose(by_value[23:], answers[2], rtol=1e-6, atol=1e-5)
    exponents = [nt.features.lyapunov(column, *each) for column, each in zip(columns, unfoldings, strict=True)]
    assert exponents == pytest.approx(answers[3:6], rel=1e-9)
    trend, beta, lagged = answers[6:]
    slope, value, r2 = (column[-1] for column in nt.features.regression(y, 60))
    assert [value - 59 * slope, slope, r2] == pytest.approx(trend, rel=1e-9)
    assert nt.features.beta(x, y, 60)[-1] == pytest.approx(beta[1], rel=1e-9)
    assert nt.features.correlation(x, y, 60)[-1] ** 2 == pytest.approx(beta[2], rel=1e-9)
    assert nt.features.autocorrelation(y, 57, 3)[-1] ** 2 == pytest.approx(lagged[2], rel=1e-9)
