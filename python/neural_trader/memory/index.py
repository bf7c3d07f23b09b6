"""Points by row, and those nearest to a query: by looking at all of them, or through a graph where they are many.

The graph is that of Malkov and Yashunin ("Efficient and robust approximate nearest neighbor search using Hierarchical
Navigable Small World graphs", 2018), of the package faiss, which is imported when it is needed. One thread builds it in
the order of the rows, so that the same rows give the same answers. Whatever it or a quantisation proposes is measured
again at full precision, in an order of additions that does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_trader.memory.codes import codes_named, faiss
from neural_trader.memory.embedding import Vectors

GRAPH_FROM = 20_000
"""Rows from which on the graph is faster than looking at all of them (``just bench memory``)."""
_LINKS = 16
_BUILD_WIDTH = 80
_SEARCH_WIDTH = 40
SLACK = 16
"""Rows beyond those asked for that are measured again, in case the first measure confused neighbours."""
_WIDER_MAX = 8.0
"""As many times the width of a search through the graph at most where a filter lets few through."""
_ROUGH = 8
"""As many times the rows asked for are measured again where codes are not exact."""

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Index:
    """Points in the order in which they were added; rows are never moved, and leave only by a mask."""

    def __init__(self, dimensions: int, *, quantisation: str = "float32", graph_from: int | None = GRAPH_FROM) -> None:
        """``graph_from`` is the number of rows from which a graph is kept; None: never."""
        self.dimensions = dimensions
        self.quantisation = quantisation
        self._codes = codes_named(quantisation)
        self._graph_from = graph_from if find_spec("faiss") is not None else None
        self._graph: Any = None
        self._rows = np.empty((0, self._codes.width(dimensions)), dtype=self._codes.dtype)
        self._lengths = np.empty(0, dtype=np.float32)
        self.count = 0

    @property
    def has_graph(self) -> bool:
        return self._graph is not None

    @property
    def bytes(self) -> int:
        """Memory of the rows, without that of the graph."""
        return int(self._rows[: self.count].nbytes + self._lengths[: self.count].nbytes)

    def add(self, vectors: Vectors) -> None:
        """Add rows of float32."""
        codes = self._codes.encode(vectors)
        self._reserve(self.count + len(codes))
        self._rows[self.count : self.count + len(codes)] = codes
        self._lengths[self.count : self.count + len(codes)] = self._codes.lengths(codes)
        self.count += len(codes)
        if self._graph is not None:
            _add_in_one_thread(self._graph, self._codes.for_graph(vectors))

    def grow_graph(self, points: Callable[[Rows], Vectors], progress: Callable[[float], None] | None = None) -> None:
        """Build the graph, if there is none and there are rows enough for one to pay; ``points`` gives rows whole."""
        if self._graph is not None or self._graph_from is None or self.count < self._graph_from:
            return
        graph = self._codes.graph(self.dimensions, _LINKS)
        graph.hnsw.efConstruction = _BUILD_WIDTH
        step = 4096
        for start in range(0, self.count, step):
            rows = np.arange(start, min(start + step, self.count))
            _add_in_one_thread(graph, self._codes.for_graph(points(rows)))
            if progress is not None:
                progress((start + len(rows)) / self.count)
        self._graph = graph

    def nearest(
        self, query: Vectors, k: int, points: Callable[[Rows], Vectors], among: Selection | None = None
    ) -> tuple[Rows, NDArray[np.float64]]:
        """The ``k`` nearest rows, of those that are chosen ``among``, and their squared distances, nearest first.

        Rows of one distance stand in their order. There may be fewer than ``k``.
        """
        pool = k + SLACK if self._codes.is_exact else _ROUGH * k + SLACK
        if self._graph is not None and (among is None or among.selector is not None):
            proposed = self._through_graph(query, pool, among)
        else:
            proposed = self._among(query, pool, among)
        distances = measured(points(proposed), query)
        order = np.lexsort((proposed, distances))[:k]
        return proposed[order], distances[order]

    def points(self, rows: Rows) -> Vectors | None:
        """The points of rows, if the codes are the points."""
        return self._rows[rows] if self._codes.is_exact else None

    def save(self, folder: Path) -> list[str]:
        """Write the rows, and the graph if there is one; returns the names of the files."""
        np.save(folder / "rows.npy", self._rows[: self.count])
        if self._graph is None:
            return ["rows.npy"]
        write = faiss().write_index_binary if self.quantisation == "binary" else faiss().write_index
        write(self._graph, str(folder / "graph.faiss"))
        return ["rows.npy", "graph.faiss"]

    @classmethod
    def load(cls, folder: Path, dimensions: int, quantisation: str, *, has_graph: bool) -> Index:
        """The index that :meth:`save` wrote; OSError or ValueError if it is not there or not one."""
        index = cls(dimensions, quantisation=quantisation)
        index._rows = np.load(folder / "rows.npy", allow_pickle=False)
        index.count = len(index._rows)
        index._lengths = index._codes.lengths(index._rows)
        if has_graph:
            read = faiss().read_index_binary if quantisation == "binary" else faiss().read_index
            try:
                index._graph = read(str(folder / "graph.faiss"))
            except RuntimeError as error:
                raise ValueError(str(error)) from None
        return index

    def _among(self, query: Vectors, pool: int, among: Selection | None) -> Rows:
        codes, lengths = self.part() if among is None else among.part
        distances = lengths - 2 * self._codes.products(codes, query)
        best = np.argpartition(distances, pool)[:pool] if len(distances) > pool else np.arange(len(distances))
        return best if among is None else among.rows[best]

    def part(self, start: int = 0) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Codes and squared lengths of the rows from ``start`` on."""
        return self._rows[start : self.count], self._lengths[start : self.count]

    def _through_graph(self, query: Vectors, pool: int, among: Selection | None) -> Rows:
        options: dict[str, Any] = {"efSearch": max(_SEARCH_WIDTH, pool)}
        if among is not None:
            # Of what is passed on the way only a share is let through.
            wider = min(_WIDER_MAX, (1 + self.count / among.count) / 2)
            options = {"efSearch": int(max(_SEARCH_WIDTH, pool) * wider), "sel": among.selector}
        _, found = self._graph.search(
            np.ascontiguousarray(self._codes.for_graph(query[None])),
            pool,
            params=faiss().SearchParametersHNSW(**options),
        )
        rows: Rows = found[0]
        return rows[rows >= 0]

    def _reserve(self, count: int) -> None:
        if count > len(self._rows):
            room = max(count, 2 * len(self._rows), 1024)
            rows = np.empty((room, self._rows.shape[1]), dtype=self._rows.dtype)
            rows[: self.count] = self._rows[: self.count]
            lengths = np.empty(room, dtype=np.float32)
            lengths[: self.count] = self._lengths[: self.count]
            self._rows, self._lengths = rows, lengths


class Selection:
    """The rows of an index that a filter lets through, in the form in which they are searched fast.

    Where they are few their codes are kept together, to be looked at one after the other; where they are many, and
    there is a graph, they are bits that it looks at on its way.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self.seen = 0
        """Rows of the index that have been judged."""
        self.count = 0
        self._rows: Rows = np.empty(0, dtype=np.int64)
        codes, self._lengths = (each[:0] for each in index.part())
        self._codes = codes
        self._selector: Any = None

    def extend(self, mask: Mask | None) -> None:
        """Judge the rows that have come since; None lets all of them through."""
        codes, lengths = self._index.part(self.seen)
        new = np.arange(len(codes)) if mask is None else np.flatnonzero(mask)
        if len(new):
            self._rows = _joined(self._rows, self.count, self.seen + new)
            if self.count + len(new) < GRAPH_FROM or not self._index.has_graph:
                self._codes = _joined(self._codes, self.count, codes[new])
                self._lengths = _joined(self._lengths, self.count, lengths[new])
            self.count += len(new)
        self.seen += len(codes)
        self._selector = None

    @property
    def rows(self) -> Rows:
        return self._rows[: self.count]

    @property
    def part(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Codes and squared lengths of the rows."""
        return self._codes[: self.count], self._lengths[: self.count]

    @property
    def selector(self) -> Any:
        """The bits that a graph looks at; None where looking at each row is faster."""
        if self.count < GRAPH_FROM or not self._index.has_graph:
            return None
        if self._selector is None:
            mask = np.zeros(self.seen, dtype=bool)
            mask[self.rows] = True
            self._selector = faiss().IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        return self._selector


def _joined(array: NDArray[Any], count: int, new: NDArray[Any]) -> NDArray[Any]:
    """An array with something behind its first ``count`` rows, and room for more."""
    if count + len(new) > len(array):
        grown = np.empty((max(count + len(new), 2 * len(array)), *new.shape[1:]), dtype=new.dtype)
        grown[:count] = array[:count]
        array = grown
    array[count : count + len(new)] = new
    return array


def measured(vectors: Vectors, query: Vectors) -> NDArray[np.float64]:
    """Squared distances of rows from a query, which are the same to the last bit on every machine."""
    differences = np.ascontiguousarray(vectors.T, dtype=np.float64) - query.astype(np.float64)[:, None]
    # A running sum adds in order; a mere sum would add as the machine likes best.
    total: NDArray[np.float64] = np.add.accumulate(differences * differences, axis=0)[-1]
    return total


def _add_in_one_thread(graph: Any, rows: NDArray[Any]) -> None:
    """Add rows with one thread, without which a graph differs from run to run."""
    threads = faiss().omp_get_max_threads()
    faiss().omp_set_num_threads(1)
    try:
        graph.add(np.ascontiguousarray(rows))
    finally:
        faiss().omp_set_num_threads(threads)
