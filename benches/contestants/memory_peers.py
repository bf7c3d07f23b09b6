"""Other ways to find the nearest of many points, each in one thread: the job names the package.

What has a width is as narrow as a recall of 0.95 allows, which is found beforehand.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from memory_points import DIMENSIONS, QUERIES, K, Points, made, recall
from worker import Job, serve

LEAST = 0.95
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
LINKS, BUILD_WIDTH = 16, 80
Search = Callable[[], list[Any]]


def of_numpy(points: Points) -> tuple[str, list[Search]]:
    """A product of matrices and the least of it."""
    rows, lengths = points.rows, (points.rows**2).sum(axis=1)

    def search() -> list[Any]:
        found = []
        for query in points.queries:
            squared = lengths - 2 * (rows @ query)
            best = np.argpartition(squared, K)[:K]
            found.append(best[np.argsort(squared[best])])
        return found

    return np.__version__, [search]


def of_hnswlib(points: Points) -> tuple[str, list[Search]]:
    hnswlib = import_module("hnswlib")
    index = hnswlib.Index(space="l2", dim=DIMENSIONS)
    index.init_index(len(points.rows), ef_construction=BUILD_WIDTH, M=LINKS)
    index.set_num_threads(1)
    index.add_items(points.rows)

    def search(width: int) -> list[Any]:
        index.set_ef(width)
        return [index.knn_query(query, k=K)[0][0] for query in points.queries]

    return hnswlib.__version__ if hasattr(hnswlib, "__version__") else "", [partial(search, width) for width in WIDTHS]


def of_faiss(points: Points) -> tuple[str, list[Search]]:
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(DIMENSIONS, LINKS)
    index.hnsw.efConstruction = BUILD_WIDTH
    index.add(points.rows)

    def search(width: int) -> list[Any]:
        index.hnsw.efSearch = width
        return [index.search(query[None], K)[1][0] for query in points.queries]

    return faiss.__version__, [partial(search, width) for width in WIDTHS]


def of_usearch(points: Points) -> tuple[str, list[Search]]:
    usearch = import_module("usearch")
    module = import_module("usearch.index")
    index = module.Index(ndim=DIMENSIONS, metric="l2sq", dtype="f32", connectivity=LINKS, expansion_add=BUILD_WIDTH)
    index.add(np.arange(len(points.rows)), points.rows, threads=1)

    def search(width: int) -> list[Any]:
        index.expansion_search = width
        return [index.search(query, K, threads=1).keys for query in points.queries]

    return usearch.__version__, [partial(search, width) for width in WIDTHS]


def of_sqlite_vec(points: Points) -> tuple[str, list[Search]]:
    # That of the standard library is often built without extensions.
    sqlite3, sqlite_vec = import_module("pysqlite3"), import_module("sqlite_vec")
    base = sqlite3.connect(":memory:")
    base.enable_load_extension(True)
    sqlite_vec.load(base)
    base.execute(f"CREATE VIRTUAL TABLE card USING vec0(point float[{DIMENSIONS}])")
    base.executemany(
        "INSERT INTO card (rowid, point) VALUES (?, ?)", ((at, row.tobytes()) for at, row in enumerate(points.rows))
    )
    asked = "SELECT rowid FROM card WHERE point MATCH ? AND k = ? ORDER BY distance"

    def search() -> list[Any]:
        return [[row[0] for row in base.execute(asked, (query.tobytes(), K))] for query in points.queries]

    return sqlite_vec.__version__, [search]


MAKERS = {
    "numpy": of_numpy,
    "hnswlib": of_hnswlib,
    "faiss": of_faiss,
    "usearch": of_usearch,
    "sqlite-vec": of_sqlite_vec,
}


class Peer:
    """One work, that is all queries one after the other."""

    def __init__(self, job: Job) -> None:
        points = made(job["size"])
        begun = time.process_time()
        self.version, searches = MAKERS[job["package"]](points)
        built = time.process_time() - begun
        truth = points.truth()
        self.facts: dict[str, Any] = {}
        for search in searches:
            found = recall(search(), truth)
            if found >= LEAST or search is searches[-1]:
                self.works = {job["package"]: search}
                self.facts[job["package"]] = {"recall": found, "build_s": built}
                break
        self._digest = points.digest()

    def result(self) -> dict[str, Any]:
        return {"digest": self._digest, "facts": self.facts, "queries": QUERIES}


serve(Peer)
