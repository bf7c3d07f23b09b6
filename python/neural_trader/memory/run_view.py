"""What a memory knows during a run: at each moment what had ended before it, of other runs and of this one.

Nothing else is in the index that answers, so there is no filter that could be forgotten: cards wait, in order of the
time when they ended, until the clock of the run has passed it. Nor does the embedding know more: that of the file is
used if all it learned from was decided before the run began; if not, one is learned during the run, from the first
cards that have ended.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neural_trader.memory.cards import OPEN_NS, Card, sha256
from neural_trader.memory.columns import Columns, Filter
from neural_trader.memory.embedding import Embedding, fit
from neural_trader.memory.index import Index
from neural_trader.memory.kept_index import load_index
from neural_trader.memory.memory import LEARN_FROM, Memory
from neural_trader.memory.recall import Question, Recall, Weighting
from neural_trader.memory.shelf import Shelf, embedded
from neural_trader.memory.store import Change

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RunView:
    """The memory of one run, whose clock begins at ``start_ns``."""

    def __init__(self, memory: Memory, start_ns: int) -> None:
        self._memory = memory
        self._now_ns = start_ns
        self._own: list[Card] = []
        """Cards of this run that have ended; that of id ``-n`` is the ``n``-th."""
        learned_until_ns = memory.learned_until_ns()
        is_past = learned_until_ns is not None and learned_until_ns < start_ns
        self._is_learned_here = False
        self._embedding: Embedding | None = memory.learned_embedding() if is_past else None
        self._shelf = self._kept_shelf(start_ns)
        self._waiting: list[tuple[int, int, Change]] = []
        """Cards that are not known yet, by when they ended: a heap."""
        revision = memory.store.revision() if memory.as_of is None else memory.as_of
        ended = [each for each in memory.store.changes(0, revision) if each.close_ns < OPEN_NS]
        self.basis: dict[str, Any] = {"revision": revision, "cards": len(ended), "digest": _digest(ended)}
        """What the run can know of other runs, as plain data: with it, an answer can be had again."""
        if self._shelf is None:
            self._waiting = [(each.close_ns, each.id, each) for each in ended]
            heapq.heapify(self._waiting)
        self._unlearned: list[Change] = []
        """Cards that have ended, while there are too few to learn an embedding from."""
        self._know(start_ns)
        if self._shelf is not None:
            self._shelf.grow_graph()

    def ended(self, card: Card) -> None:
        """Take in a card of this run that has ended; it is known from the next moment on."""
        if card.outcome is None or self._memory.store.has(card.digest, self.basis["revision"]):
            return
        self._own.append(replace(card, id=-len(self._own) - 1))
        outcome = card.outcome
        change = Change(
            self._own[-1].id, card.time_ns, outcome.close_ns, card.strategy, card.symbol, card.regime, outcome.gain, b""
        )
        heapq.heappush(self._waiting, (outcome.close_ns, 2**62 + len(self._own), change))

    def recall(
        self,
        features: Mapping[str, float],
        k: int,
        now_ns: int,
        *,
        symbol: str | None = None,
        strategy: str | None = None,
        regime: str | None = None,
        won: bool | None = None,
        weighting: Weighting | None = None,
    ) -> Recall:
        """The best cards of all that had ended before ``now_ns``, the time of the run."""
        self._know(now_ns)
        question = Question(features, k, Filter(symbol, strategy, regime, won=won), weighting or Weighting())
        if self._shelf is None:
            return question.nothing()
        return self._shelf.recall(question, now_ns, self._read_cards)

    def _know(self, now_ns: int) -> None:
        """Let the cards in that ended before a time."""
        self._now_ns = max(self._now_ns, now_ns)
        new = []
        while self._waiting and self._waiting[0][0] < self._now_ns:
            new.append(heapq.heappop(self._waiting)[2])
        if new:
            self._take_in(new)

    def _take_in(self, new: list[Change]) -> None:
        is_kept = self._embedding is not None and not self._is_learned_here
        if self._embedding is None:
            self._unlearned.extend(new)
            if len(self._unlearned) < LEARN_FROM:
                return
            new, self._unlearned = self._unlearned, []
            self._embedding = fit(self._features(new))
            self._is_learned_here = True
        if self._shelf is None:
            self._shelf = Shelf(
                self._embedding, Index(self._embedding.dimensions), Columns(), self._memory.store.vectors
            )
        # Points of the file are taken as they are where they were made by this embedding.
        bare = [each for each in new if not is_kept or not each.vector]
        vectors = iter(embedded(self._embedding, self._features(bare)) if bare else ())
        self._shelf.add(
            [each._replace(vector=next(vectors).tobytes()) if not is_kept or not each.vector else each for each in new]
        )

    def _kept_shelf(self, start_ns: int) -> Shelf | None:
        """The index that is kept beside the file, if all that it knows was known when the run began."""
        if self._embedding is None:
            return None
        store = self._memory.store
        path = self._memory.index_path
        found = None if path is None else load_index(path, self._embedding.name, "float32", store.revision())
        if found is None:
            return None
        index, columns, revision = found
        is_past = bool((columns["close_ns"] < start_ns).all() and columns["lives"].all())
        is_present = revision == store.revision() and self._memory.as_of is None
        return Shelf(self._embedding, index, columns, store.vectors) if is_past and is_present else None

    def _features(self, changes: Sequence[Change]) -> list[Mapping[str, float]]:
        return [card.features for card in self._read_cards([each.id for each in changes], None)]

    def _read_cards(self, ids: Sequence[int], known: NDArray[np.bool_] | None) -> list[Card]:
        kept = {card.id: card for card in self._memory.cards([each for each in ids if each > 0])}
        return [kept[each] if each > 0 else self._own[-each - 1] for each in ids]


def _digest(changes: Sequence[Change]) -> str:
    """SHA-256 of which cards there are and how they ended."""
    return sha256([[each.id, each.time_ns, each.close_ns, each.gain] for each in changes]).hex()
