"""Cards that can be asked for by likeness: points, columns and the question that both answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neural_trader.errors import DataError
from neural_trader.memory.cards import Card
from neural_trader.memory.columns import Columns, Filter
from neural_trader.memory.embedding import Embedding, Vectors
from neural_trader.memory.index import Index, Rows, Selection
from neural_trader.memory.recall import Question, Recall
from neural_trader.memory.store import Change, Near

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVERYTHING = Filter()
_KEPT = 8
"""Filters of which it is kept what they let through."""


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
        self._selections: dict[Filter, Selection] = {}
        """What filters without times let through, those that were asked for last."""
        self._chosen_at = 0
        """The version of the columns that they are of."""

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
        question: Question,
        now_ns: int | None,
        read_cards: Callable[[Sequence[int], NDArray[np.bool_]], Sequence[Card]],
    ) -> Recall:
        """The best cards by a question; ages are counted up to ``now_ns``, or the newest card.

        ``read_cards`` gives cards by their ids, with outcomes where the second argument says that they are known.
        """
        columns = self.columns
        if not columns.count:
            return question.nothing()
        query = embedded(self.embedding, [question.features])[0]
        chosen = self._chosen(question.wanted)
        searched = columns.count if chosen is None else chosen.count
        rows, squared = self.index.nearest(query, question.pool, self.points, chosen)
        near = Near(
            columns["id"][rows], columns["time_ns"][rows], columns["close_ns"][rows], columns["gain"][rows], squared
        )
        if now_ns is None:
            # Ages matter to weights alone, and the newest card takes long to find.
            now_ns = 0 if question.weighting.is_plain else int(columns["time_ns"][columns["lives"]].max(initial=0))
        return question.answer(near, searched, now_ns, self.embedding.dimensions, lambda: self.points(rows), read_cards)

    def _chosen(self, wanted: Filter) -> Selection | None:
        """What a filter lets through, None for everything; it is kept where no time is asked for."""
        columns = self.columns
        if wanted == _EVERYTHING and columns.version == 0:
            return None
        if self._chosen_at != columns.version:
            self._selections.clear()
            self._chosen_at = columns.version
        chosen = self._selections.pop(wanted, None) or Selection(self.index)
        if chosen.seen < columns.count:
            chosen.extend(columns.mask(wanted, chosen.seen))
        if wanted.after_ns is None and wanted.before_ns is None:
            # The one that was asked for last stands last.
            self._selections[wanted] = chosen
            if len(self._selections) > _KEPT:
                del self._selections[next(iter(self._selections))]
        return None if chosen.count == columns.count else chosen


def embedded(embedding: Embedding, features: Sequence[Mapping[str, float]]) -> Vectors:
    """Points of situations, whoever's embedding it is; DataError if it gave something else."""
    vectors = np.ascontiguousarray(embedding.embed(features), dtype=np.float32)
    if vectors.shape != (len(features), embedding.dimensions) or not np.isfinite(vectors).all():
        raise DataError(
            f"the embedding gave {vectors.shape} for {len(features)} situations of {embedding.dimensions} "
            "dimensions, or numbers that are not finite"
        )
    return vectors
