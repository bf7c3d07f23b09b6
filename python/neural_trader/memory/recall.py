"""What a memory answers: the cards most worth looking at, and why it was those."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.errors import UsageError
from neural_trader.memory.cards import OPEN_NS, Card, canonical, sha256
from neural_trader.memory.columns import Filter
from neural_trader.memory.embedding import Vectors
from neural_trader.memory.merkle import merkle_proof, merkle_root
from neural_trader.memory.store import Near

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weighting:
    """What makes a card worth more than its likeness alone.

    The likeness of a card at squared distance ``d`` of ``n`` dimensions is ``1 / (1 + d / n)``. It is multiplied by
    ``2 ** (-age / half_life_ns)`` where a half-life is given, and by ``1 + outcome * tanh(gain / scale)``, in which
    ``outcome`` is 0 to 1 and ``scale`` one percent. ``diversity`` is that of maximal marginal relevance (Carbonell and
    Goldstein 1998): with 0 the best cards are taken, towards 1 cards are rather taken that are unlike those taken.
    """

    half_life_ns: int | None = None
    outcome: float = 0.0
    diversity: float = 0.0

    def __post_init__(self) -> None:
        if self.half_life_ns is not None and self.half_life_ns <= 0:
            raise UsageError("a half-life must be positive")
        for name in ("outcome", "diversity"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be from 0 to 1, not {getattr(self, name)}")

    def document(self) -> dict[str, Any]:
        """What is set of it."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def is_plain(self) -> bool:
        """Whether the nearest cards are the best, in that order."""
        return self == Weighting()

    def weights(self, likeness: Floats, ages_ns: Floats, gains: Floats) -> Floats:
        weights = likeness.copy()
        if self.half_life_ns is not None:
            weights *= 2.0 ** (-np.maximum(ages_ns, 0.0) / self.half_life_ns)
        if self.outcome:
            weights *= 1 + self.outcome * np.tanh(np.nan_to_num(gains) / _GAIN_SCALE)
        return weights


_GAIN_SCALE = 0.01
_POOL = 5
"""As many times the cards asked for are weighed, where weights may put others before the nearest."""


class Recalled(NamedTuple):
    """One card of an answer, with how like it is and what weight it has."""

    card: Card
    distance: float
    likeness: float
    weight: float


@dataclass(frozen=True)
class Recall:
    """An answer: cards, best first, with what they say together, and a certificate of the set.

    The cards themselves are read when they are first asked for: a strategy that only wants to know how it went does not
    wait for them.
    """

    distances: Floats
    likeness: Floats
    weights: Floats
    gains: Floats
    """What came of each, as a share of what was put in; NaN where that is not known."""
    query: dict[str, Any]
    """What was asked, as plain data."""
    searched: int
    """How many cards the filters let through."""
    read_cards: Callable[[], Sequence[Card]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.distances)

    def __iter__(self) -> Iterator[Recalled]:
        measures = zip(self.distances.tolist(), self.likeness.tolist(), self.weights.tolist(), strict=True)
        return (Recalled(card, *each) for card, each in zip(self.cards, measures, strict=True))

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """The cards, best first; what was not known at the time of the question is not on them."""
        return tuple(self.read_cards())

    @property
    def confidence(self) -> float:
        """How much there is to go by: one less the product of what each card is unlike, so 0 without any."""
        return float(1 - np.prod(1 - self.likeness))

    @property
    def expected_gain(self) -> float:
        """Mean gain of the cards that have ended, by weight; NaN if none has."""
        return self._mean(self.gains)

    @property
    def success_rate(self) -> float:
        """Share of the cards that ended with a gain, by weight; NaN if none has ended."""
        return self._mean(np.where(np.isnan(self.gains), np.nan, self.gains > 0))

    @property
    def root(self) -> str:
        """The Merkle root over the question and every card with its weight: whoever has it can check the set."""
        return merkle_root(self._leaves()).hex()

    def proof(self, at: int) -> list[str]:
        """The proof that the ``at``-th card is part of the answer (see :mod:`neural_trader.memory.merkle`)."""
        return [node.hex() for node in merkle_proof(self._leaves(), at + 1)]

    def document(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "query": self.query,
            "searched": self.searched,
            "cards": [{**each._asdict(), "card": each.card.document()} for each in self],
            "confidence": self.confidence,
            "expected_gain": _number(self.expected_gain),
            "success_rate": _number(self.success_rate),
            "root": self.root,
        }

    def _leaves(self) -> list[bytes]:
        return [
            canonical(self.query).encode(),
            *(sha256([each.card.leaf.hex(), each.distance, each.weight]) for each in self),
        ]

    def _mean(self, values: Floats) -> float:
        known = ~np.isnan(values)
        total = self.weights[known].sum()
        return float((self.weights[known] * values[known]).sum() / total) if total > 0 else math.nan


@dataclass(frozen=True)
class Question:
    """What is asked of a memory."""

    features: Mapping[str, float]
    k: int
    wanted: Filter = field(default_factory=Filter)
    weighting: Weighting = field(default_factory=Weighting)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"k must be at least 1, not {self.k}")

    @property
    def pool(self) -> int:
        """How many of the nearest are weighed: more than are asked for where weights may put others before them."""
        return self.k if self.weighting.is_plain else _POOL * self.k

    def document(self) -> dict[str, Any]:
        """The question as plain data."""
        return {"features": dict(self.features), "k": self.k, **self.wanted.document(), **self.weighting.document()}

    def nothing(self) -> Recall:
        """The answer of a memory that has no card to search."""
        none = np.empty(0)
        return Recall(none, none, none, none, self.document(), 0, tuple)

    def answer(
        self,
        near: Near,
        searched: int,
        now_ns: int,
        dimensions: int,
        points: Callable[[], Vectors],
        read_cards: Callable[[Sequence[int], NDArray[np.bool_]], Sequence[Card]],
    ) -> Recall:
        """The ``k`` best of the nearest; ages are counted up to ``now_ns``.

        ``points`` gives the points of the nearest; ``read_cards`` cards by their ids, with outcomes where the second
        argument says that they are known.
        """
        likeness = likeness_of(near.squared, dimensions)
        known = near.close_ns < (OPEN_NS if self.wanted.before_ns is None else self.wanted.before_ns)
        gains = np.where(known, near.gain, np.nan)
        ids, squared, weights = near.id, near.squared, likeness
        if not self.weighting.is_plain:
            weights = self.weighting.weights(likeness, (now_ns - near.time_ns).astype(np.float64), gains)
            if self.weighting.diversity:
                order = np.array(diverse(points(), weights, self.k, self.weighting.diversity), dtype=np.int64)
            else:
                order = np.argsort(-weights, kind="stable")[: self.k]
            ids, squared, likeness, weights = ids[order], squared[order], likeness[order], weights[order]
            gains, known = gains[order], known[order]
        kept = ids.tolist()
        return Recall(
            np.sqrt(squared), likeness, weights, gains, self.document(), searched, lambda: read_cards(kept, known)
        )


def diverse(vectors: Vectors, weights: Floats, k: int, diversity: float) -> list[int]:
    """Positions of ``k`` rows by maximal marginal relevance; of equal ones the earlier."""
    chosen: list[int] = []
    nearest = np.zeros(len(weights))
    left = np.ones(len(weights), dtype=bool)
    wide = vectors.astype(np.float64)
    while len(chosen) < min(k, len(weights)):
        score = np.where(left, (1 - diversity) * weights - diversity * nearest, -np.inf)
        best = int(np.argmax(score))
        chosen.append(best)
        left[best] = False
        squared = np.add.reduce(np.ascontiguousarray(((wide - wide[best]) ** 2).T), axis=0)
        nearest = np.maximum(nearest, likeness_of(squared, vectors.shape[1]))
    return chosen


def likeness_of(squared: Floats, dimensions: int) -> Floats:
    """``1 / (1 + d / n)`` of squared distances: 1 where nothing differs."""
    return 1 / (1 + squared / dimensions)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
