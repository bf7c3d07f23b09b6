"""What keeps cards: the questions that a database answers, whichever it is.

Every change has the next *revision*, given inside its own transaction, so that whoever has read up to one can ask for
what came after it, whichever process wrote it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from neural_trader.errors import DataError
from neural_trader.memory.cards import OPEN_NS, Card, Outcome, canonical
from neural_trader.memory.embedding import Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_trader.memory.columns import Filter

Found = TypeVar("Found")

VERSION = 1
"""The form of the tables; a newer one is refused."""
MANY = 500
"""Cards that one question asks for."""

CARD = (
    "id, time_ns, strategy, parameters, symbol, action, quantity, price, features, reason, regime, "
    "close_ns, profit, gain, best, worst, fees, critique"
)
"""The columns of a card."""


class Change(NamedTuple):
    """A card as an index wants it."""

    id: int
    time_ns: int
    close_ns: int
    strategy: str
    symbol: str
    regime: str
    gain: float
    vector: bytes


class Near(NamedTuple):
    """The cards nearest to a point, nearest first: columns, card for card."""

    id: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    gain: NDArray[np.float64]
    """NaN where a card has not ended."""
    squared: NDArray[np.float64]
    """Squared distances."""


class Search(NamedTuple):
    """What a store that searches by itself found."""

    near: Near
    points: Vectors
    searched: int
    """How many cards the filter let through."""
    newest_ns: int
    """The time of the newest card of all."""


class Store(ABC):
    """Cards in an open database. It may be open in many processes; one at a time writes, and the others wait for it."""

    place: str
    """Where it is, without any password."""
    read_only: bool
    vector = "vector"
    """What reads the point of a card."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def size(self) -> int:
        """The room that it takes."""

    # Writing.

    @abstractmethod
    def add(self, cards: Sequence[Card], vectors: Vectors, embedding: dict[str, Any] | None) -> list[int] | None:
        """Keep cards with their points; returns their ids. When it returns they are on disk.

        A decision that is known already keeps its id, and its outcome if the new card has none; with the outcome that
        is known it changes nothing. None, and nothing is
        written, if the document of the embedding is no longer that by which the points were made.
        """

    def end(self, outcomes: Iterable[tuple[int, Outcome]]) -> None:
        """Keep how decisions ended, by the ids of their cards."""
        with self._writing() as revision:
            for card, outcome in outcomes:
                self._end(card, outcome.checked(), revision)

    def forget(self, ids: Iterable[int]) -> int:
        """Delete cards; returns how many there were."""
        with self._writing() as revision:
            count = 0
            for card in ids:
                if self._tell("DELETE FROM card WHERE id = ?", (card,)):
                    self._tell("INSERT INTO forgotten VALUES (?, ?)", (card, revision))
                    count += 1
        return count

    def embed_anew(self, document: dict[str, Any], ids: Sequence[int], vectors: Vectors, after: int) -> bool:
        """Replace the embedding and the points of all cards at once; False if anything has changed since a revision."""
        with self._writing() as revision:
            if revision != after + 1:
                return False
            self._move(ids, vectors, revision)
            self._tell("UPDATE fact SET value = ? WHERE name = 'embedding'", (canonical(document),))
        return True

    # Reading.

    def embedding(self) -> dict[str, Any] | None:
        """The document of the embedding by which all points were made; none before the first."""
        document: dict[str, Any] | None = json.loads(self._fact("embedding"))
        return document

    def revision(self) -> int:
        """The number of the last change."""
        return int(self._fact("revision"))

    def count(self) -> int:
        return int(self._one("SELECT count(*) FROM card")[0])

    def names(self, column: str) -> list[str]:
        """What cards have as strategy, symbol or regime, sorted."""
        return sorted(row[0] for row in self._ask(f"SELECT DISTINCT {column} FROM card"))

    def counts(self) -> tuple[int, int, int]:
        """How many cards there are, how many of them have ended, and how many of those with a gain."""
        cards, ended, won = self._one(
            "SELECT count(*), count(CASE WHEN close_ns < ? THEN 1 END), "
            "count(CASE WHEN close_ns < ? AND gain > 0 THEN 1 END) FROM card",
            (OPEN_NS, OPEN_NS),
        )
        return cards, ended, won

    def changes(self, after: int, until: int | None = None) -> Iterator[Change]:
        """The cards that were written or ended after a revision, and not after another, by id."""
        rows = self._each(
            f"SELECT id, time_ns, close_ns, strategy, symbol, regime, gain, {self.vector} FROM card "
            "WHERE revision > ? AND revision <= ? ORDER BY id",
            (after, self.revision() if until is None else until),
        )
        for card, time_ns, close_ns, strategy, symbol, regime, gain, vector in rows:
            known = np.nan if gain is None else gain
            yield Change(card, time_ns, close_ns, strategy, symbol, regime, known, self._point(vector))

    def forgotten(self, after: int) -> list[int]:
        """Ids of the cards that were deleted after a revision."""
        return [row[0] for row in self._ask("SELECT id FROM forgotten WHERE revision > ? ORDER BY id", (after,))]

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """Cards by their ids, in that order; DataError for one that is not here."""
        return self._by_id(ids, CARD, card_of_row)

    def has(self, digest: bytes, until: int) -> bool:
        """Whether a decision was kept, and has not changed since, at a revision."""
        return bool(self._ask("SELECT 1 FROM card WHERE digest = ? AND revision <= ?", (digest, until)))

    def vectors(self, ids: Sequence[int]) -> list[bytes]:
        """The points of cards by their ids, in that order, as they were written."""
        return self._by_id(ids, f"id, {self.vector}", lambda row: self._point(row[1]))

    def all_cards(self) -> Iterator[Card]:
        """Every card, by id."""
        return map(card_of_row, self._each(f"SELECT {CARD} FROM card ORDER BY id"))

    def faults(self) -> list[str]:
        """What is wrong with the cards, one line each; nothing if they say what they said when they were written."""
        found = []
        for digest, *row in self._each(f"SELECT digest, {CARD} FROM card ORDER BY id"):
            try:
                if card_of_row(tuple(row)).checked().digest != digest:
                    found.append(f"card {row[0]} says something else than when it was written")
            except (DataError, ValueError) as error:
                found.append(f"card {row[0]}: {error}")
        return found

    # What a database has its own words for; a ? stands for a value.

    @abstractmethod
    def _ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        """All rows of an answer."""

    @abstractmethod
    def _each(self, question: str, values: Sequence[Any] = ()) -> Iterable[tuple[Any, ...]]:
        """The rows of an answer one after the other, however many they are."""

    @abstractmethod
    def _tell(self, statement: str, values: Sequence[Any] = ()) -> int:
        """The number of rows that a statement changed."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[int]:
        """A transaction with the next revision; on an error nothing of it stays."""

    @abstractmethod
    def _move(self, ids: Sequence[int], vectors: Vectors, revision: int) -> None:
        """Give cards other points."""

    @abstractmethod
    def _point(self, read: Any) -> bytes:
        """A point as it is kept in indexes, float32 after float32, of what :attr:`vector` reads."""

    def _by_id(self, ids: Sequence[int], columns: str, of_row: Callable[[Sequence[Any]], Found]) -> list[Found]:
        found: dict[int, Found] = {}
        for start in range(0, len(ids), MANY):
            part = [int(each) for each in ids[start : start + MANY]]
            places = ",".join("?" * len(part))
            for row in self._ask(f"SELECT {columns} FROM card WHERE id IN ({places})", part):
                found[row[0]] = of_row(row)
        for each in ids:
            if each not in found:
                raise DataError(f"{self.place}: there is no card {each}")
        return [found[each] for each in ids]

    def _one(self, question: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        (row,) = self._ask(question, values)
        return row

    def _fact(self, name: str) -> str:
        return str(self._one("SELECT value FROM fact WHERE name = ?", (name,))[0])

    def _end(self, card: int, outcome: Outcome, revision: int) -> None:
        if not self._tell(f"UPDATE card SET {_ENDS}, revision = ? WHERE id = ?", (*_ending(outcome), revision, card)):
            raise DataError(f"{self.place}: there is no card {card}")

    def _end_again(self, card: int, outcome: Outcome, revision: int) -> None:
        """Keep how a known decision ended, which is no change if that is known, too."""
        self._tell(
            f"UPDATE card SET {_ENDS}, revision = ? WHERE id = ? AND NOT ({_ENDS.replace(',', ' AND')})",
            (*_ending(outcome), revision, card, *_ending(outcome)),
        )


class SearchingStore(Store):
    """A store that finds what is nearest by itself, so that nobody has to load its cards for that."""

    @abstractmethod
    def nearest(self, query: Vectors, k: int, wanted: Filter) -> Search:
        """The ``k`` nearest cards that pass a filter."""

    @abstractmethod
    def rebuild(self) -> None:
        """Make anew what it searches by."""

    @abstractmethod
    def index_bytes(self) -> int:
        """The room of what it searches by."""


_ENDS = "close_ns = ?, profit = ?, gain = ?, best = ?, worst = ?, fees = ?, critique = ?"


def _ending(outcome: Outcome) -> tuple[Any, ...]:
    return tuple(vars(outcome).values())


def row_of_card(card: Card) -> tuple[Any, ...]:
    """The columns of a card, without its id."""
    outcome: tuple[Any, ...] = (OPEN_NS, None, None, None, None, None, "")
    if card.outcome is not None:
        outcome = _ending(card.outcome)
    return (
        card.time_ns,
        card.strategy,
        canonical(dict(card.parameters)),
        card.symbol,
        card.action,
        card.quantity,
        card.price,
        canonical(dict(card.features)),
        card.reason,
        card.regime,
        *outcome,
    )


def card_of_row(row: Sequence[Any]) -> Card:
    """The card of its columns."""
    card, time_ns, strategy, parameters, symbol, action, quantity, price, features, reason, regime, close_ns = row[:12]
    return Card(
        time_ns=time_ns,
        strategy=strategy,
        symbol=symbol,
        action=action,
        quantity=quantity,
        price=price,
        features=json.loads(features),
        reason=reason,
        regime=regime,
        parameters=json.loads(parameters),
        outcome=None if close_ns == OPEN_NS else Outcome(close_ns, *row[12:]),
        id=card,
    )
