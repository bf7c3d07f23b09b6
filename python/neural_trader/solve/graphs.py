"""Graphs of markets: who is near whom, who leads whom, and how much resistance is between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError, UsageError
from neural_trader.solve.answers import Entry, SparseSolution
from neural_trader.solve.matrices import Rows, from_coordinates, rows_of
from neural_trader.solve.system import System

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Ranking:
    """Personalised PageRank: where a walk is that follows links and begins anew at the seeds now and then.

    ``graph`` is a square matrix of links with weights of 0 or more, row by row; ``damping`` the chance of following a
    link rather than beginning anew. A walk that comes to a node without links begins anew. The rank is the solution
    of ``(1 - damping P^T) x = (1 - damping) seeds``, found by forward push (Andersen, Chung and Lang 2006), which
    touches the neighbourhood of the seeds only; columns dominate by ``1 - damping``.

    >>> Ranking([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).of(0, eps=1e-9).values.round(3).tolist()
    [0.389, 0.33, 0.281]
    """

    def __init__(self, graph: Any, *, damping: float = 0.85) -> None:
        import numpy as np

        if not 0 < damping < 1:
            raise UsageError(f"damping must be between 0 and 1, not {damping}")
        links = rows_of(graph)
        _check_links(links)
        sources = _sources(links)
        degree = np.bincount(sources, weights=links.values, minlength=len(links.begins) - 1)
        self._damping = damping
        self._has_ends = bool((degree == 0).any())
        self._system = _one_minus(links, damping / np.where(degree > 0, degree, 1)[sources])

    def of(self, seeds: int | Mapping[int, float], *, eps: float = 1e-6) -> SparseSolution:
        """The rank of the nodes near the seeds, one node or weights of several; all ranks are within the bound."""
        given = {seeds: 1.0} if isinstance(seeds, int) else dict(seeds)
        if not given or not all(weight > 0 for weight in given.values()):
            raise UsageError("seeds are one node, or nodes with weights above 0")
        scale = (1 - self._damping) / sum(given.values())
        answer = self._system.spread({node: weight * scale for node, weight in given.items()}, eps=eps)
        if not self._has_ends:
            return answer
        # Beginning anew from a node without links gives all ranks the same factor, which makes their sum 1 again.
        from dataclasses import replace

        total, bound = float(answer.values.sum()), answer.certificate.bound
        certificate = replace(answer.certificate, bound=2 * bound / (total - bound))
        return SparseSolution(answer.rows, answer.values / total, certificate)


def influence(leads: Any, source: int, *, decay: float = 0.8, eps: float = 1e-6) -> SparseSolution:
    """What a unit at ``source`` comes to elsewhere along chains of leads, each link of a chain weakened by ``decay``.

    ``leads[i][j]`` is how much a move of i is followed by one of j, with its sign; rows whose absolute values add up
    to more than 1 are divided by that sum. The answer is the row of ``source`` in ``1 + decay W + (decay W)^2 +
    ...``, signed.
    """
    import numpy as np

    if not 0 < decay < 1:
        raise UsageError(f"decay must be between 0 and 1, not {decay}")
    links = rows_of(leads)
    sources = _sources(links)
    sizes = np.bincount(sources, weights=np.abs(links.values), minlength=len(links.begins) - 1)
    return _one_minus(links, decay / np.maximum(sizes, 1)[sources]).spread({source: 1.0}, eps=eps)


def lead_lag(returns: NDArray[np.float64], *, lag: int = 1, least: float = 0.1) -> Rows:
    """Who leads whom: correlations of the return of i with that of j ``lag`` bars later, where at least ``least``.

    ``returns`` has a row per bar and a column per instrument. What an instrument says about itself is left out.
    """
    import numpy as np

    given = np.asarray(returns, dtype=np.float64)
    if given.ndim != 2 or lag < 1 or len(given) < lag + 3:
        raise UsageError("lead_lag needs returns of two dimensions, a lag of 1 or more, and some bars more than that")
    first, later = given[:-lag], given[lag:]
    spreads = first.std(axis=0)[:, None] * later.std(axis=0)[None, :]
    products = (first - first.mean(axis=0)).T @ (later - later.mean(axis=0)) / len(first)
    leads = np.divide(products, spreads, out=np.zeros_like(products), where=spreads > 0)
    leads[(np.abs(leads) < least) | np.eye(len(leads), dtype=bool)] = 0.0
    rows, columns = np.nonzero(leads)
    return from_coordinates(rows, columns, leads[rows, columns], len(leads))


def effective_resistance(graph: Any, first: int, second: int, *, eps: float = 1e-6) -> Entry:
    """The resistance between two nodes of a network whose links are conductances.

    ``graph`` is symmetric with values of 0 or more. With ``second`` grounded, the Laplacian of the rest is an
    M-matrix, and the resistance is the potential at ``first`` when one unit of current enters there: one entry of one
    solution.

    >>> round(effective_resistance([[0, 1, 1], [1, 0, 1], [1, 1, 0]], 0, 1).value, 5)
    0.66667
    """
    import numpy as np

    links = rows_of(graph)
    _check_links(links)
    length = len(links.begins) - 1
    for node in (first, second):
        if not 0 <= node < length:
            raise UsageError(f"node {node} is out of range: the graph has nodes 0 to {length - 1}")
    if first == second:
        raise UsageError("a resistance is between two nodes; name two that differ")
    sources, targets = _sources(links), links.columns.astype(np.int64)
    back = from_coordinates(targets, sources, links.values, length)
    there = from_coordinates(sources, targets, links.values, length)
    if not all(np.array_equal(one, other) for one, other in zip(there, back, strict=True)):
        raise DataError("the graph is not symmetric; conductances are the same in both directions")
    inside = _reachable(links, second)
    if not inside[first]:
        raise DataError(f"no path leads from node {first} to node {second}, so that the resistance is infinite")
    inside[second] = False
    names = np.cumsum(inside) - 1
    degree = np.bincount(sources, weights=links.values * (sources != targets), minlength=length)
    kept = inside[sources] & inside[targets] & (sources != targets)
    nodes = np.flatnonzero(inside)
    system = System(
        from_coordinates(
            np.concatenate([names[sources[kept]], names[nodes]]),
            np.concatenate([names[targets[kept]], names[nodes]]),
            np.concatenate([-links.values[kept], degree[nodes]]),
            len(nodes),
        )
    )
    current = np.zeros(len(nodes))
    current[names[first]] = 1.0
    return system.entry(int(names[first]), current, eps=eps, confidence=None)


def _one_minus(links: Rows, factors: NDArray[np.float64]) -> System:
    """The system ``1 - W^T`` of links with these factors."""
    import numpy as np

    length = len(links.begins) - 1
    nodes = np.arange(length)
    rows = np.concatenate([links.columns, nodes])
    columns = np.concatenate([_sources(links), nodes])
    values = np.concatenate([-links.values * factors, np.ones(length)])
    return System(from_coordinates(rows, columns, values, length))


def _sources(links: Rows) -> NDArray[np.int64]:
    import numpy as np

    return np.repeat(np.arange(len(links.begins) - 1), np.diff(links.begins))


def _check_links(links: Rows) -> None:
    import numpy as np

    if not np.isfinite(links.values).all() or (links.values < 0).any():
        raise DataError("the links of this graph must have finite weights of 0 or more")


def _reachable(links: Rows, node: int) -> NDArray[np.bool_]:
    import numpy as np

    seen = np.zeros(len(links.begins) - 1, dtype=bool)
    seen[node] = True
    waiting = [node]
    while waiting:
        at = waiting.pop()
        span = slice(links.begins[at], links.begins[at + 1])
        near = links.columns[span][links.values[span] > 0]
        new = near[~seen[near]]
        seen[new] = True
        waiting.extend(new.tolist())
    return seen
