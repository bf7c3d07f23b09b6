"""Portfolios in which every instrument, or every branch of a tree of them, carries its share of the risk."""

from __future__ import annotations

from typing import Any

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.risk.arrays import Floats, covariance_of, weights_of
from neural_trader.risk.covariance import correlation


def inverse_variance(covariance: Any) -> Floats:
    """Weights in proportion to the inverse of the variances: the least variance where nothing is correlated."""
    inverse = 1.0 / np.diag(covariance_of(covariance))
    found: Floats = inverse / inverse.sum()
    return found


def risk_contributions(weights: Any, covariance: Any) -> Floats:
    """The share of each instrument in the variance of a portfolio; they sum to 1."""
    matrix = covariance_of(covariance)
    held = weights_of(weights, len(matrix))
    marginal = matrix @ held
    variance = float(held @ marginal)
    if variance <= 0.0:
        raise UsageError("a portfolio without variance has no contributions to it")
    found: Floats = held * marginal / variance
    return found


def risk_parity(covariance: Any, budgets: Any = None) -> Floats:
    """Positive weights whose shares in the variance are ``budgets`` (equal ones by default), summing to 1.

    Spinu (2013), "An algorithm for computing risk parity weights": the minimum of a convex function, by cyclical
    coordinate descent (Griveau-Billion, Richard and Roncalli 2013).
    """
    matrix = covariance_of(covariance)
    count = len(matrix)
    shares = np.full(count, 1.0 / count) if budgets is None else weights_of(budgets, count)
    if not (shares > 0.0).all():
        raise UsageError("budgets of risk are above zero")
    shares = shares / shares.sum()
    # Correlations make the steps independent of units.
    deviations = np.sqrt(np.diag(matrix))
    related = matrix / np.outer(deviations, deviations)
    x = np.sqrt(shares)
    for _ in range(10_000):
        before = x.copy()
        for k in range(count):
            others = float(related[k] @ x - x[k])
            x[k] = 0.5 * (-others + np.sqrt(others * others + 4.0 * shares[k]))
        if float(np.abs(x - before).max()) <= 1e-14 * float(x.max()):
            break
    weights = x / deviations
    found: Floats = weights / weights.sum()
    return found


def hierarchical_risk_parity(covariance: Any) -> Floats:
    """Weights by halving an order in which similar instruments are neighbours, summing to 1.

    Lopez de Prado (2016), "Building diversified portfolios that outperform out of sample": single linkage on the
    distances between columns of the distances of correlations, then inverse variance between halves.
    """
    matrix = covariance_of(covariance)
    order = leaf_order(matrix)
    weights = np.ones(len(matrix))
    stack = [order]
    while stack:
        cluster = stack.pop()
        if len(cluster) < 2:
            continue
        middle = len(cluster) // 2
        halves = cluster[:middle], cluster[middle:]
        left, right = (_cluster_variance(matrix, half) for half in halves)
        share = 1.0 - left / (left + right)
        weights[halves[0]] *= share
        weights[halves[1]] *= 1.0 - share
        stack.extend(halves)
    found: Floats = weights / weights.sum()
    return found


def leaf_order(covariance: Any) -> list[int]:
    """The order of the leaves of the tree of single linkage, as the paper takes it from its table of merges."""
    distance = np.sqrt(np.maximum(0.0, 0.5 * (1.0 - correlation(covariance))))
    # The distance of two columns of distances, which sees how each relates to all others.
    apart = np.sqrt(np.square(distance[:, :, None] - distance[:, None, :]).sum(axis=0))
    np.fill_diagonal(apart, np.inf)
    leaves = [[k] for k in range(len(apart))]
    # Clusters are numbered as they come to be; of two that merge the earlier one stands first.
    number = list(range(len(apart)))
    for new in range(len(apart), 2 * len(apart) - 1):
        one, other = divmod(int(apart.argmin()), len(apart))
        if number[one] > number[other]:
            one, other = other, one
        leaves[one] = leaves[one] + leaves[other]
        number[one] = new
        nearest = np.minimum(apart[one], apart[other])
        apart[one], apart[:, one] = nearest, nearest
        apart[other], apart[:, other] = np.inf, np.inf
        apart[one, one] = np.inf
        if len(leaves[one]) == len(number):
            return leaves[one]
    return leaves[0]


def _cluster_variance(matrix: Floats, cluster: list[int]) -> float:
    inside = matrix[np.ix_(cluster, cluster)]
    weights = inverse_variance(inside)
    return float(weights @ inside @ weights)
