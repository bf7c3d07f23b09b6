"""How much of what is nearest each way to keep points finds, and how fast: measured on the cards themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neural_trader.memory.codes import QUANTISATIONS
from neural_trader.memory.index import GRAPH_FROM, Index
from neural_trader.memory.memory import Memory

_QUERIES = 200
_K = 10


def measured_recall(memory: Memory, progress: Callable[[float], None] | None = None) -> list[dict[str, Any]]:
    """For each quantisation, the share of the ten nearest that are found and the median time of a search.

    The questions are cards of the memory, a little moved; the truth is a scan at full precision. A graph is measured
    where there are cards enough for one.
    """
    shelf = memory.refreshed()
    count = shelf.columns.count
    if not count:
        return []
    vectors = shelf.points(np.arange(count))
    generator = np.random.default_rng(7)
    chosen = generator.integers(0, count, min(_QUERIES, count))
    noise = generator.normal(0, 0.05, (len(chosen), vectors.shape[1]))
    queries = (vectors[chosen] + noise).astype(np.float32)
    truth = Index(vectors.shape[1], graph_from=None)
    truth.add(vectors)
    wanted = [set(truth.nearest(query, _K, vectors.__getitem__)[0].tolist()) for query in queries]
    kinds: list[tuple[str, int | None]] = [("exact", None)]
    if count >= GRAPH_FROM:
        kinds.append(("graph", GRAPH_FROM))
    found = []
    for kind, graph_from in kinds:
        for quantisation in QUANTISATIONS:
            index = Index(vectors.shape[1], quantisation=quantisation, graph_from=graph_from)
            index.add(vectors)
            index.grow_graph(vectors.__getitem__)
            if index.has_graph != (kind == "graph"):
                continue
            hits, times = 0, []
            for query, nearest in zip(queries, wanted, strict=True):
                begun = time.perf_counter()
                rows, _ = index.nearest(query, _K, vectors.__getitem__)
                times.append(time.perf_counter() - begun)
                hits += len(nearest & set(rows.tolist()))
            found.append(
                {
                    "quantisation": quantisation,
                    "kind": kind,
                    "recall": hits / sum(len(each) for each in wanted),
                    "microseconds": float(np.median(times)) * 1e6,
                    "bytes": index.bytes,
                }
            )
            if progress is not None:
                progress(len(found) / (len(kinds) * len(QUANTISATIONS)))
    return found
