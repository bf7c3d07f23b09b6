"""The nearest rows, by looking at all of them and through a graph, in each quantisation."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader.errors import UsageError
from neural_trader.memory.index import GRAPH_FROM, Index, Selection, measured

ROWS, DIMENSIONS, QUERIES, K = 6000, 32, 200, 10

LEAST = {"float32": 1.0, "float16": 1.0, "int8": 0.99, "binary": 0.6}
"""Recall@10 of an exact scan on points of eight hidden factors; docs/memory.md has the figures of larger sets."""


def points(count, seed):
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(count, 8))
    weights = np.random.default_rng(0).normal(size=(8, DIMENSIONS)) / np.sqrt(8)
    return (factors @ weights + 0.3 * generator.normal(size=(count, DIMENSIONS))).astype(np.float32)


@pytest.fixture(scope="module")
def market():
    rows, queries = points(ROWS, 1), points(QUERIES, 2)
    distances = ((queries[:, None].astype(np.float64) - rows[None]) ** 2).sum(axis=2)
    return rows, queries, distances


def chosen(index, mask):
    """What a mask lets through, judged in two steps."""
    if mask is None:
        return None
    selection = Selection(index)
    selection.extend(mask)
    assert selection.count == np.count_nonzero(mask) and selection.seen == index.count
    return selection


def recall_of(index, market, mask=None):
    rows, queries, distances = market
    found = 0
    for query, truth in zip(queries, distances, strict=True):
        allowed = truth if mask is None else np.where(mask, truth, np.inf)
        nearest, squared = index.nearest(query, K, rows.__getitem__, chosen(index, mask))
        assert list(squared) == sorted(squared)
        assert squared == pytest.approx(truth[nearest], rel=1e-9)
        assert mask is None or mask[nearest].all()
        found += len(set(nearest) & set(np.argsort(allowed, kind="stable")[:K]))
    return found / (QUERIES * K)


@pytest.mark.parametrize("quantisation", LEAST)
@pytest.mark.parametrize("is_filtered", [False, True])
def test_a_scan_finds_as_many_of_the_nearest_as_is_said(market, quantisation, is_filtered):
    index = Index(DIMENSIONS, quantisation=quantisation, graph_from=None)
    for start in range(0, ROWS, 700):
        index.add(market[0][start : start + 700])
    mask = np.arange(ROWS) % 3 == 0 if is_filtered else None
    assert recall_of(index, market, mask) >= LEAST[quantisation]


@pytest.mark.parametrize("quantisation", LEAST)
def test_a_graph_finds_nearly_as_many(market, quantisation, monkeypatch):
    pytest.importorskip("faiss")
    monkeypatch.setattr("neural_trader.memory.index.GRAPH_FROM", 1000)
    index = Index(DIMENSIONS, quantisation=quantisation, graph_from=1000)
    index.add(market[0][:5000])
    index.grow_graph(market[0].__getitem__)
    index.add(market[0][5000:])
    assert index.has_graph
    least = min(0.97, LEAST[quantisation] - 0.05)
    assert recall_of(index, market) >= least
    # Half of the rows go through the graph, and a handful are looked at one by one.
    assert recall_of(index, market, np.arange(ROWS) % 2 == 0) >= least
    assert recall_of(index, market, np.arange(ROWS) % 50 == 0) >= LEAST[quantisation]


def test_the_same_rows_make_the_same_graph(market):
    faiss = pytest.importorskip("faiss")
    graphs = []
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        index = Index(DIMENSIONS, graph_from=1000)
        index.add(market[0])
        index.grow_graph(market[0].__getitem__)
        graphs.append(faiss.serialize_index(index._graph).tobytes())
        assert faiss.omp_get_max_threads() == threads
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("quantisation", LEAST)
def test_an_index_is_the_same_after_it_was_written_and_read(market, tmp_path, quantisation):
    pytest.importorskip("faiss")
    index = Index(DIMENSIONS, quantisation=quantisation, graph_from=1000)
    index.add(market[0])
    index.grow_graph(market[0].__getitem__)
    index.save(tmp_path)
    again = Index.load(tmp_path, DIMENSIONS, quantisation, has_graph=True)
    for query in market[1][:20]:
        for one, other in zip(
            index.nearest(query, K, market[0].__getitem__), again.nearest(query, K, market[0].__getitem__), strict=True
        ):
            assert (one == other).all()
    again.add(market[0][:10])
    assert again.count == ROWS + 10


def test_smaller_codes_take_the_memory_that_they_promise(market):
    sizes = {}
    for quantisation in LEAST:
        index = Index(DIMENSIONS, quantisation=quantisation, graph_from=None)
        index.add(market[0])
        sizes[quantisation] = index.bytes - 4 * ROWS
    assert sizes == {"float32": 128 * ROWS, "float16": 64 * ROWS, "int8": 32 * ROWS, "binary": 4 * ROWS}


def test_there_is_no_graph_below_the_size_where_it_pays(market):
    index = Index(DIMENSIONS)
    index.add(market[0])
    index.grow_graph(market[0].__getitem__)
    assert not index.has_graph and index.count < GRAPH_FROM


def test_distances_are_the_same_bits_in_any_company(market):
    rows, queries, _ = market
    alone = [measured(rows[at : at + 1], queries[0])[0] for at in range(100)]
    assert measured(rows[:100], queries[0]).tolist() == alone


def test_an_unknown_quantisation_is_refused():
    with pytest.raises(UsageError, match="float32, float16, int8, binary"):
        Index(4, quantisation="int4")
