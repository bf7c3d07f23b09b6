"""Cards that can be asked for by likeness: points, columns and the question that both answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.errors import DataError, UsageError
from neural_trader.memory.cards import OPEN_NS, Card
from neural_trader.memory.columns import Columns, Filter
from neural_trader.memory.embedding import Embedding, Vectors
from neural_trader.memory.index import Index, Rows
from neural_trader.memory.recall import Recall, Weighting, diverse, likeness_of, nothing
from neural_trader.memory.store import Change

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POOL = 5
"""As many times the cards asked for are weighed, where weights may put others before the nearest."""


class Shelf:
    """Rows of cards by one embedding."""

    def __init__(
        self,
        embedding: Embedding,
        index: Index,
        columns: Columns,
        read_vectors: Callable[[Sequence[int]], list[bytes]],
    ) -> None:
        """``read_vectors`` gives the points of cards by their ids, where the index does not keep them whole."""
        self.embedding = embedding
        self.index = index
        self.columns = columns
        self._read_vectors = read_vectors

    def add(self, changes: Sequence[Change]) -> None:
        """Take in cards with their points, and how those that are here ended."""
        new = []
        for change in changes:
            row = self.columns.row_of(change.id)
            if row is None:
                new.append(change)
            else:
                self.columns.end(row, change)
        vectors = np.frombuffer(b"".join(each.vector for each in new), dtype=np.float32)
        if vectors.size != len(new) * self.embedding.dimensions:
            raise DataError(f"points are not of {self.embedding.dimensions} numbers; `memory rebuild --learn`")
        self.columns.add(new)
        self.index.add(vectors.reshape(len(new), self.embedding.dimensions))

    def points(self, rows: Rows) -> Vectors:
        """Points at full precision."""
        kept = self.index.points(rows)
        if kept is not None:
            return kept
        whole = b"".join(self._read_vectors([int(card) for card in self.columns["id"][rows]]))
        return np.frombuffer(whole, dtype=np.float32).reshape(len(rows), self.embedding.dimensions)

    def grow_graph(self, progress: Callable[[float], None] | None = None) -> None:
        """Build the graph of the index, if there are rows enough for one to pay."""
        self.index.grow_graph(self.points, progress)

    def recall(
        self,
        features: Mapping[str, float],
        k: int,
        wanted: Filter,
        weighting: Weighting,
        now_ns: int | None,
        read_cards: Callable[[Sequence[int], NDArray[np.bool_]], Sequence[Card]],
    ) -> Recall:
        """The ``k`` best cards that pass a filter; ages are counted up to ``now_ns``, or the newest card.

        ``read_cards`` gives cards by their ids, with outcomes where the second argument says that they are known.
        """
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        asked: dict[str, Any] = {"features": dict(features), "k": k, **wanted.document(), **weighting.document()}
        if not self.columns.count:
            return nothing(asked)
        query = embedded(self.embedding, [features])[0]
        mask = self.columns.mask(wanted)
        searched = self.columns.count if mask is None else int(np.count_nonzero(mask))
        rows, squared = self.index.nearest(query, k if weighting.is_plain else _POOL * k, self.points, mask)
        likeness = likeness_of(squared, self.embedding.dimensions)
        known = self.columns["close_ns"][rows] < (OPEN_NS if wanted.before_ns is None else wanted.before_ns)
        gains = np.where(known, self.columns["gain"][rows], np.nan)
        weights = likeness
        if not weighting.is_plain:
            times = self.columns["time_ns"][rows]
            now_ns = int(self.columns["time_ns"].max()) if now_ns is None else now_ns
            weights = weighting.weights(likeness, (now_ns - times).astype(np.float64), gains)
            if weighting.diversity:
                order = np.array(diverse(self.points(rows), weights, k, weighting.diversity), dtype=np.int64)
            else:
                order = np.argsort(-weights, kind="stable")[:k]
            rows, squared, likeness, weights = rows[order], squared[order], likeness[order], weights[order]
            gains, known = gains[order], known[order]
        ids = self.columns["id"][rows].tolist()
        return Recall(np.sqrt(squared), likeness, weights, gains, asked, searched, lambda: read_cards(ids, known))


def embedded(embedding: Embedding, features: Sequence[Mapping[str, float]]) -> Vectors:
    """Points of situations, whoever's embedding it is; DataError if it gave something else."""
    vectors = np.ascontiguousarray(embedding.embed(features), dtype=np.float32)
    if vectors.shape != (len(features), embedding.dimensions) or not np.isfinite(vectors).all():
        raise DataError(
            f"the embedding gave {vectors.shape} for {len(features)} situations of {embedding.dimensions} "
            "dimensions, or numbers that are not finite"
        )
    return vectors
