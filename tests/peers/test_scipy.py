"""Portfolios and risk against scipy and scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from neural_trader.risk.covariance import sample_covariance, shrunk_covariance
from neural_trader.risk.loss import loss
from neural_trader.risk.mean_variance import mean_variance
from neural_trader.risk.parity import leaf_order, risk_parity
from neural_trader.risk.sizing import kelly_of_returns

if TYPE_CHECKING:
    from collections.abc import Callable


def markets(seed: int, count: int = 250, width: int = 9) -> np.ndarray:
    """Returns that share two factors."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.0, 0.01, (count, 2)) @ rng.normal(0.0, 1.0, (2, width))
    return factors + rng.standard_t(5, (count, width)) * rng.uniform(0.003, 0.02, width) + rng.normal(0, 0.0005, width)


def test_shrinkage_is_that_of_scikit_learn(ask: Callable[[str, Any], Any]) -> None:
    tables = [markets(seed, count, width) for seed, count, width in ((1, 250, 9), (2, 20, 30), (3, 5, 2), (4, 900, 3))]
    answers = ask("scikit-learn", [{"kind": "shrink", "returns": table.tolist()} for table in tables])
    for table, (covariance, intensity) in zip(tables, answers, strict=True):
        found = shrunk_covariance(table)
        assert found.intensity == pytest.approx(intensity, rel=1e-9)
        assert found.covariance == pytest.approx(np.array(covariance), rel=1e-9)


def test_the_order_of_the_tree_is_that_of_the_paper_on_scipys_linkage(ask: Callable[[str, Any], Any]) -> None:
    matrices = [sample_covariance(markets(seed, 250, 2 + seed % 19)) for seed in range(40)]
    answers = ask("scikit-learn", [{"kind": "leaves", "covariance": matrix.tolist()} for matrix in matrices])
    assert [leaf_order(matrix) for matrix in matrices] == answers


def test_risk_parity_is_the_minimum_of_its_function(ask: Callable[[str, Any], Any]) -> None:
    cases = [(sample_covariance(markets(seed)), np.arange(1.0, 10.0) / 45.0) for seed in range(5)]
    jobs = [{"kind": "parity", "covariance": each.tolist(), "budgets": shares.tolist()} for each, shares in cases]
    for (matrix, shares), answer in zip(cases, ask("scikit-learn", jobs), strict=True):
        assert risk_parity(matrix, shares) == pytest.approx(np.array(answer), rel=1e-5)


def test_mean_variance_with_limits_is_that_of_a_general_method(ask: Callable[[str, Any], Any]) -> None:
    jobs = []
    for seed in range(8):
        table = markets(seed, 250, 6)
        before = np.random.default_rng(seed).dirichlet(np.ones(6))
        jobs.append(
            {
                "means": table.mean(axis=0).tolist(),
                "covariance": sample_covariance(table).tolist(),
                "aversion": 8.0,
                "upper": 0.5,
                "before": before.clip(0, 0.5).tolist(),
                "turnover": (0.3, 2.0)[seed % 2],
                "cost": (0.0, 0.0005)[seed // 2 % 2],
            }
        )
    answers = ask("scikit-learn", [{"kind": "best", **job} for job in jobs])
    for job, answer in zip(jobs, answers, strict=True):
        found = mean_variance(
            job["means"], job["covariance"], aversion=8.0, upper=0.5, before=job["before"],
            turnover=job["turnover"], cost=job["cost"],
        )  # fmt: skip

        def worth(weights: Any, job: dict[str, Any] = job) -> float:
            w = np.array(weights)
            paid = job["cost"] * float(np.abs(w - job["before"]).sum())
            return float(w @ job["means"] - 4.0 * w @ np.array(job["covariance"]) @ w) - paid

        assert worth(found) >= worth(answer) - 1e-9
        assert found == pytest.approx(np.array(answer), abs=2e-3)


def test_the_fraction_of_fastest_growth_is_a_maximum(ask: Callable[[str, Any], Any]) -> None:
    columns = [markets(seed, 400, 1).ravel() + 0.002 for seed in range(6)]
    answers = ask("scikit-learn", [{"kind": "growth", "returns": column.tolist()} for column in columns])
    assert [kelly_of_returns(column) for column in columns] == pytest.approx(answers, rel=1e-5)


def test_tails_are_those_of_their_distributions(ask: Callable[[str, Any], Any]) -> None:
    cases = [(markets(seed, 800, 1).ravel(), confidence) for seed in range(4) for confidence in (0.9, 0.95, 0.99)]
    jobs = []
    for column, confidence in cases:
        apart = (column - column.mean()) / column.std()
        jobs.append(
            {
                "kind": "tail",
                "mean": float(column.mean()),
                "deviation": float(column.std(ddof=1)),
                "tail": 1.0 - confidence,
                "skewness": float((apart**3).mean()),
                "excess": float((apart**4).mean()) - 3.0,
            }
        )
    for (column, confidence), answer in zip(cases, ask("scikit-learn", jobs), strict=True):
        normal = loss(column, confidence=confidence, method="normal")
        corrected = loss(column, confidence=confidence, method="cornish_fisher")
        assert [*normal, corrected.value_at_risk] == pytest.approx(answer[:3], rel=1e-9)
        assert corrected.expected_shortfall == pytest.approx(max(answer[3], answer[2]), rel=1e-6)
