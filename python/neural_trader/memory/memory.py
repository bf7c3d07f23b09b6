"""A memory: cards that are kept, and found again by likeness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from neural_trader.errors import DataError, UsageError
from neural_trader.memory.cards import Card, Outcome
from neural_trader.memory.columns import Columns, Filter
from neural_trader.memory.embedding import DIMENSIONS, Embedding, FeatureEmbedding, embedding_of, fit
from neural_trader.memory.index import GRAPH_FROM, Index
from neural_trader.memory.kept_index import load_index, save_index
from neural_trader.memory.places import opened_store
from neural_trader.memory.recall import Question, Recall, Weighting
from neural_trader.memory.shelf import Shelf, embedded
from neural_trader.memory.store import Change, SearchingStore, Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEARN_FROM = 64
"""Cards from which the embedding of a memory is learned, once; before that each answer learns from what is there."""
_MANY = 4096


class Memory:
    """Cards that are kept in a file (SQLite), with an index over them in memory that any process can make again.

    ``place`` is the file, or a database of PostgreSQL with pgvector, which then searches by itself:
    ``postgresql://USER@HOST/DATABASE?schema=NAME`` (the extra ``neural-trader[postgres]``). ``embedding`` is your own,
    or None for the one that the cards teach. ``quantisation`` is float32, float16, int8 or binary; ``graph_from`` the
    number of cards from which a graph is kept (None: never). Several processes may use one place.

    >>> import tempfile
    >>> from neural_trader.memory import Card, Memory
    >>> memory = Memory(Path(tempfile.mkdtemp()) / "memory.sqlite")
    >>> for day in range(3):
    ...     seen = {"momentum": float(day), "volatility": 1.0}
    ...     _ = memory.add([Card(day, "demo", "ALPHA", "buy", 1.0, 100.0, seen)])
    >>> [card.time_ns for card in memory.retrieve_top_k({"momentum": 1.9, "volatility": 1.0}, 2).cards]
    [2, 1]
    """

    def __init__(
        self,
        place: str | Path,
        *,
        create: bool = True,
        embedding: Embedding | None = None,
        quantisation: str = "float32",
        graph_from: int | None = GRAPH_FROM,
        as_of: int | None = None,
    ) -> None:
        self.as_of = as_of
        """The revision as of which runs know this memory, and then write nothing to it; None: the present."""
        self.store: Store = opened_store(place, create=create)
        self._own = embedding
        self._quantisation = quantisation
        self._graph_from = graph_from
        self._shelf: Shelf | None = None
        """What has been taken in of the cards; None before the first."""
        self._learned: str | None = None
        """The name of the embedding of the shelf, if it is the one of the file."""
        self._seen = 0
        """The revision up to which changes have been taken in."""
        self._dirty = False
        """Whether the shelf has more than the files of its index."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self.store.count()

    @property
    def place(self) -> str:
        """Where it is kept, without any password."""
        return self.store.place

    def close(self) -> None:
        """Close the file, and keep the index beside it if it took long to make."""
        if self._dirty and self._shelf is not None and self._shelf.index.has_graph and not self.store.read_only:
            self.save_index()
        self.store.close()

    # Writing.

    def add(self, cards: Sequence[Card]) -> list[int]:
        """Keep cards; returns their ids once they are on disk. A decision that is known already is kept once."""
        cards = [card.checked() for card in cards]
        ids = None
        # Another process may learn an embedding between the question and the answer.
        while ids is None:
            document = self.store.embedding()
            if document is None:
                dimensions = DIMENSIONS if self._own is None else self._own.dimensions
                vectors = np.zeros((len(cards), dimensions), dtype=np.float32)
            else:
                vectors = embedded(self._of(document), [card.features for card in cards])
            ids = self.store.add(cards, vectors, document)
        if document is None and (self._own is not None or self.store.count() >= LEARN_FROM):
            self._learn(anew=False)
        return ids

    def end(self, outcomes: Iterable[tuple[int, Outcome]]) -> None:
        """Keep how decisions ended, by the ids of their cards."""
        self.store.end(outcomes)

    def forget(self, ids: Iterable[int]) -> int:
        """Delete cards by their ids; returns how many there were."""
        return self.store.forget(ids)

    def learn(self) -> None:
        """Learn the embedding from all cards anew, or take the one that was given, and embed every card with it."""
        self._learn(anew=True)

    def _learn(self, *, anew: bool) -> None:
        is_done = False
        # Cards that other processes write meanwhile are to be embedded too.
        while not is_done and (anew or self.store.embedding() is None):
            revision = self.store.revision()
            cards = list(self.store.all_cards())
            features = [card.features for card in cards]
            embedding: Embedding = self._own or fit(features)
            document: dict[str, Any] = {"own": embedding.name}
            if isinstance(embedding, FeatureEmbedding):
                document = embedding.document()
            document["learned_until_ns"] = max((card.time_ns for card in cards), default=0)
            vectors = embedded(embedding, features)
            is_done = self.store.embed_anew(document, [card.id for card in cards], vectors, revision)

    # Reading.

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """Cards by their ids, in that order."""
        return self.store.cards(ids)

    def all_cards(self) -> Iterator[Card]:
        """Every card, by id."""
        return self.store.all_cards()

    def retrieve_top_k(
        self,
        query: Mapping[str, float],
        k: int = 10,
        *,
        symbol: str | None = None,
        strategy: str | None = None,
        regime: str | None = None,
        after_ns: int | None = None,
        before_ns: int | None = None,
        ended: bool | None = None,
        won: bool | None = None,
        weighting: Weighting | None = None,
    ) -> Recall:
        """The ``k`` cards whose situations are most like ``query``, features by name, that pass the filters.

        ``before_ns``: only what was known before that time, by its outcome too; ages are counted up to it. The other
        filters are those of :class:`~neural_trader.memory.columns.Filter`. Cards of one distance stand in the order in
        which they were kept. Where ``weighting`` is given, the best of the nearest are answered, by weight.
        """
        wanted = Filter(symbol, strategy, regime, after_ns, before_ns, ended, won)
        question = Question(query, k, wanted, weighting or Weighting())
        there = self._searching()
        if there is None:
            return self.refreshed().recall(question, before_ns, self._read_cards)
        store, embedding = there
        point = embedded(embedding, [query])[0]
        near, points, searched, newest_ns = store.nearest(point, question.pool, wanted)
        if not searched:
            return question.nothing()
        now_ns = newest_ns if before_ns is None else before_ns
        return question.answer(near, searched, now_ns, embedding.dimensions, lambda: points, self._read_cards)

    def learned_embedding(self) -> Embedding | None:
        """The embedding by which the points of the file were made; None before one was learned."""
        document = self.store.embedding()
        return None if document is None else self._of(document)

    def learned_until_ns(self) -> int | None:
        """The time of the newest card of which the embedding was learned; None before one was."""
        document = self.store.embedding()
        return None if document is None else int(document["learned_until_ns"])

    def refreshed(self, progress: Callable[[float], None] | None = None, *, kept: bool = True) -> Shelf:
        """The shelf, with what was written since the last time by whichever process taken in.

        ``kept=False`` makes it anew instead of taking the files of its index.
        """
        revision = self.store.revision()
        if self._shelf is not None and revision == self._seen and kept:
            return self._shelf
        embedding = self.learned_embedding()
        if self._shelf is None or embedding is None or embedding.name != self._learned or not kept:
            self._shelf = self._new_shelf(embedding, revision, kept=kept)
        shelf = self._shelf
        changes = self.store.changes(self._seen)
        if embedding is None:
            changes = iter(self._taught(list(changes), shelf.embedding))
        while block := list(islice(changes, _MANY)):
            shelf.add(block)
            self._dirty = True
        shelf.columns.forget(self.store.forgotten(self._seen))
        shelf.grow_graph(progress)
        self._seen = revision
        return shelf

    def rebuild(self, progress: Callable[[float], None] | None = None) -> None:
        """Make the index anew from the cards, and keep it beside them."""
        if self.store.read_only:
            raise UsageError(f"{self.place}: may only be read; make it writable, or copy it elsewhere")
        if isinstance(self.store, SearchingStore):
            self.store.rebuild()
        else:
            self.refreshed(progress, kept=False)
            self.save_index()

    def save_index(self) -> None:
        """Keep the index beside the file, so that the next process need not make it."""
        shelf = self.refreshed()
        if self._learned is not None and self.index_path is not None:
            save_index(self.index_path, shelf.index, shelf.columns, self._seen, self._learned)
        self._dirty = False

    def stats(self) -> dict[str, Any]:
        """Counts and sizes, as plain data."""
        cards, ended, won = self.store.counts()
        there = self._searching()
        if there is not None:
            store, embedding = there
            index = {"kind": "server", "quantisation": "float32", "bytes": store.index_bytes()}
        else:
            shelf = self.refreshed()
            embedding = shelf.embedding
            kind = "graph" if shelf.index.has_graph else "exact"
            index = {"kind": kind, "quantisation": shelf.index.quantisation, "bytes": shelf.index.bytes}
        return {
            "path": self.place,
            "cards": cards,
            "ended": ended,
            "won": won,
            "bytes": self.store.size(),
            "dimensions": embedding.dimensions,
            "features": list(embedding.names) if isinstance(embedding, FeatureEmbedding) else None,
            "learned": self.store.embedding() is not None,
            "index": index,
        }

    @property
    def index_path(self) -> Path | None:
        """The folder of the files of the index; None where the database keeps it."""
        return None if isinstance(self.store, SearchingStore) else Path(self.place + ".index")

    def _searching(self) -> tuple[SearchingStore, Embedding] | None:
        """The store, if it searches by itself, and by what: before anything is learned, no store does."""
        if not isinstance(self.store, SearchingStore):
            return None
        embedding = self.learned_embedding()
        return None if embedding is None else (self.store, embedding)

    def _of(self, document: dict[str, Any]) -> Embedding:
        """The embedding of a document, if it is that of this memory."""
        if "own" not in document and self._own is None:
            return embedding_of(document)
        if self._own is None or document.get("own") != self._own.name:
            raise DataError(f"{self.place}: its cards were embedded by another embedding; open it with that one")
        return self._own

    def _new_shelf(self, embedding: Embedding | None, revision: int, *, kept: bool) -> Shelf:
        """A shelf as the files of its index left it, or an empty one."""
        self._seen = 0
        self._dirty = False
        self._learned = None if embedding is None else embedding.name
        if embedding is None:
            # Points that are not in the file yet cannot be read from there, so they are kept whole.
            features = [card.features for card in self.store.all_cards()]
            embedding = self._own or (fit(features) if features else FeatureEmbedding((), (), ()))
            return Shelf(embedding, Index(embedding.dimensions, graph_from=None), Columns(), self.store.vectors)
        path = self.index_path if kept else None
        found = None if path is None else load_index(path, embedding.name, self._quantisation, revision)
        if found is None:
            index = Index(embedding.dimensions, quantisation=self._quantisation, graph_from=self._graph_from)
            return Shelf(embedding, index, Columns(), self.store.vectors)
        index, columns, self._seen = found
        return Shelf(embedding, index, columns, self.store.vectors)

    def _taught(self, changes: list[Change], embedding: Embedding) -> list[Change]:
        """Cards of which no embedding has been learned yet, with points by what the few of them can teach."""
        features = [card.features for card in self.store.cards([each.id for each in changes])]
        vectors = embedded(embedding, features)
        return [each._replace(vector=vector.tobytes()) for each, vector in zip(changes, vectors, strict=True)]

    def _read_cards(self, ids: Sequence[int], known: NDArray[np.bool_]) -> list[Card]:
        return [
            card if told else replace(card, outcome=None) for card, told in zip(self.cards(ids), known, strict=True)
        ]
