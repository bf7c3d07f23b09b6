"""Runs in an environment of its own: what scipy and scikit-learn make of the same portfolios."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import scipy.cluster.hierarchy as sch
from scipy import optimize, stats
from scipy.spatial.distance import pdist, squareform
from sklearn.covariance import ledoit_wolf


def main() -> None:
    given, answer = map(Path, sys.argv[1:3])
    jobs = json.loads(given.read_text(encoding="utf-8"))
    answer.write_text(json.dumps([globals()[job.pop("kind")](**job) for job in jobs]), encoding="utf-8")


def shrink(returns: list) -> list:
    covariance, intensity = ledoit_wolf(np.array(returns))
    return [covariance.tolist(), float(intensity)]


def leaves(covariance: list) -> list:
    """The order of the paper's `getQuasiDiag`, from scipy's single linkage."""
    matrix = np.array(covariance)
    deviations = np.sqrt(np.diag(matrix))
    distance = np.sqrt(np.clip((1.0 - matrix / np.outer(deviations, deviations)) / 2.0, 0.0, 1.0))
    link = sch.linkage(pdist(distance), "single").astype(int)
    count = len(matrix)
    order = [int(link[-1, 0]), int(link[-1, 1])]
    while max(order) >= count:
        order = [
            leaf
            for item in order
            for leaf in ([item] if item < count else [int(link[item - count, 0]), int(link[item - count, 1])])
        ]
    assert squareform(pdist(distance)).shape == matrix.shape
    return order


def best(
    means: list, covariance: list, aversion: float, upper: float, before: list, turnover: float, cost: float
) -> list:
    """Mean against variance by sequential quadratic programming, purchases and sales as variables of their own."""
    expected, matrix, held = np.array(means), np.array(covariance), np.array(before)
    count = len(expected)

    def objective(x):
        w = held + x[:count] - x[count:]
        return 1e3 * (aversion / 2.0 * w @ matrix @ w - expected @ w + cost * x.sum())

    limits = [
        {"type": "eq", "fun": lambda x: (held + x[:count] - x[count:]).sum() - 1.0},
        {"type": "ineq", "fun": lambda x: turnover - x.sum()},
        {"type": "ineq", "fun": lambda x: held + x[:count] - x[count:]},
        {"type": "ineq", "fun": lambda x: upper - (held + x[:count] - x[count:])},
    ]
    start = np.concatenate([np.maximum(1.0 / count - held, 0.0), np.maximum(held - 1.0 / count, 0.0)])
    found = optimize.minimize(
        objective, start, method="SLSQP", bounds=[(0, None)] * (2 * count), constraints=limits,
        options={"maxiter": 2000, "ftol": 1e-14},
    )  # fmt: skip
    return (held + found.x[:count] - found.x[count:]).tolist()


def parity(covariance: list, budgets: list) -> list:
    """Spinu's convex function, minimised by a general method."""
    matrix, shares = np.array(covariance), np.array(budgets)
    scale = np.sqrt(np.diag(matrix))
    related = matrix / np.outer(scale, scale)
    found = optimize.minimize(
        lambda y: 0.5 * np.exp(y) @ related @ np.exp(y) - shares @ y,
        np.zeros(len(shares)),
        jac=lambda y: np.exp(y) * (related @ np.exp(y)) - shares,
        method="BFGS",
        options={"gtol": 1e-12},
    )
    weights = np.exp(found.x) / scale
    return (weights / weights.sum()).tolist()


def growth(returns: list) -> float:
    """The multiple of one strategy that grows fastest."""
    values = np.array(returns)
    top = -1.0 / values.min()
    found = optimize.minimize_scalar(
        lambda f: -np.log1p(f * values).mean(), bounds=(0.0, top), method="bounded", options={"xatol": 1e-12}
    )
    return float(found.x)


def tail(mean: float, deviation: float, tail: float, skewness: float, excess: float) -> list:
    """Quantile and shortfall of the normal distribution, and of the Edgeworth expansion by quadrature."""
    from scipy.integrate import quad

    z = stats.norm.ppf(tail)
    shortfall = -mean + deviation * stats.norm.pdf(z) / tail
    corrected = z + (z**2 - 1) * skewness / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skewness**2 / 36

    def density(x):
        hermite = (
            1
            + skewness / 6 * (x**3 - 3 * x)
            + excess / 24 * (x**4 - 6 * x**2 + 3)
            + skewness**2 / 72 * (x**6 - 15 * x**4 + 45 * x**2 - 15)
        )
        return stats.norm.pdf(x) * hermite

    expansion = -quad(lambda x: x * density(x), -np.inf, corrected, epsabs=1e-13)[0] / tail
    return [-(mean + deviation * z), shortfall, -(mean + deviation * corrected), -mean + deviation * expansion]


if __name__ == "__main__":
    main()
