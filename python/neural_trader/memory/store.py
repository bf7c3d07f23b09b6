"""Cards in a SQLite file, which is the truth: whatever else a memory keeps can be made of it again.

Every change has the next *revision*, given inside its own transaction, so that whoever has read up to one can ask for
what came after it, whichever process wrote it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neural_trader.errors import DataError, UsageError
from neural_trader.memory.cards import OPEN_NS, Card, Outcome, canonical
from neural_trader.memory.embedding import Vectors

VERSION = 1
"""The form of the file; a newer one is refused."""
_APPLICATION = 0x4E544D31
_BUSY_S = 60.0
_MANY = 500
"""Cards that one question of SQLite asks for."""

_TABLES = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE card (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    time_ns INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    parameters TEXT NOT NULL,
    symbol TEXT NOT NULL,
    action TEXT NOT NULL,
    quantity REAL NOT NULL,
    price REAL NOT NULL,
    features TEXT NOT NULL,
    reason TEXT NOT NULL,
    regime TEXT NOT NULL,
    close_ns INTEGER NOT NULL,
    profit REAL, gain REAL, best REAL, worst REAL, fees REAL,
    critique TEXT NOT NULL,
    vector BLOB NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX card_revision ON card (revision);
CREATE TABLE forgotten (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
CREATE INDEX forgotten_revision ON forgotten (revision);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO fact VALUES ('revision', '0'), ('embedding', 'null');
"""
_CARD = (
    "id, time_ns, strategy, parameters, symbol, action, quantity, price, features, reason, regime, "
    "close_ns, profit, gain, best, worst, fees, critique"
)


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


class Store:
    """An open file of cards. It may be open in many processes; one at a time writes, and the others wait for it."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        exists = path.exists() and path.stat().st_size > 0
        if not exists and not create:
            raise DataError(f"{path}: there is no memory here; a run with --memory {path} begins one")
        self.read_only = exists and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        mode = "ro" if self.read_only else "rwc"
        try:
            self._sql = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_S, isolation_level=None
            )
            self._check_kind()
        except sqlite3.OperationalError as error:
            raise DataError(f"{path}: cannot be opened ({error})") from None
        except sqlite3.DatabaseError:
            raise DataError(f"{path}: is no memory, or damaged; restore a copy, or choose another file") from None

    def close(self) -> None:
        self._sql.close()

    # Writing.

    def add(self, cards: Sequence[Card], vectors: Vectors, embedding: dict[str, Any] | None) -> list[int] | None:
        """Keep cards with their points; returns their ids. When it returns they are on disk.

        A decision that is known already keeps its id, and its outcome if the new card has none. None, and nothing is
        written, if the document of the embedding is no longer that by which the points were made.
        """
        rows = [_row(card.checked()) for card in cards]
        with self._writing() as revision:
            if self.embedding() != embedding:
                return None
            ids = []
            for row, card, vector in zip(rows, cards, vectors, strict=True):
                found = self._sql.execute("SELECT id FROM card WHERE digest = ?", (card.digest,)).fetchone()
                if found is None:
                    places = ", ".join("?" * (len(row) + 3))
                    written = self._sql.execute(
                        f"INSERT INTO card (digest, {_CARD.removeprefix('id, ')}, vector, revision) VALUES ({places})",
                        (card.digest, *row, vector.tobytes(), revision),
                    )
                    ids.append(int(written.lastrowid or 0))
                    continue
                ids.append(found[0])
                if card.outcome is not None:
                    self._end(found[0], card.outcome, revision)
        return ids

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
                if self._sql.execute("DELETE FROM card WHERE id = ?", (card,)).rowcount:
                    self._sql.execute("INSERT INTO forgotten VALUES (?, ?)", (card, revision))
                    count += 1
        return count

    def embed_anew(self, document: dict[str, Any], ids: Sequence[int], vectors: Vectors, after: int) -> bool:
        """Replace the embedding and the points of all cards at once; False if anything has changed since a revision."""
        with self._writing() as revision:
            if revision != after + 1:
                return False
            self._sql.executemany(
                "UPDATE card SET vector = ?, revision = ? WHERE id = ?",
                [(vector.tobytes(), revision, card) for card, vector in zip(ids, vectors, strict=True)],
            )
            self._sql.execute("UPDATE fact SET value = ? WHERE name = 'embedding'", (canonical(document),))
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
        (count,) = self._sql.execute("SELECT count(*) FROM card").fetchone()
        return int(count)

    def changes(self, after: int, until: int | None = None) -> Iterator[Change]:
        """The cards that were written or ended after a revision, and not after another, by id."""
        rows = self._sql.execute(
            "SELECT id, time_ns, close_ns, strategy, symbol, regime, gain, vector FROM card "
            "WHERE revision > ? AND revision <= ? ORDER BY id",
            (after, self.revision() if until is None else until),
        )
        for row in rows:
            yield Change._make((*row[:6], np.nan if row[6] is None else row[6], row[7]))

    def forgotten(self, after: int) -> list[int]:
        """Ids of the cards that were deleted after a revision."""
        rows = self._sql.execute("SELECT id FROM forgotten WHERE revision > ? ORDER BY id", (after,))
        return [row[0] for row in rows]

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """Cards by their ids, in that order; DataError for one that is not here."""
        found: dict[int, Card] = {}
        for start in range(0, len(ids), _MANY):
            part = ids[start : start + _MANY]
            places = ",".join("?" * len(part))
            rows = self._sql.execute(f"SELECT {_CARD} FROM card WHERE id IN ({places})", [int(each) for each in part])
            found.update((row[0], _card(row)) for row in rows)
        for each in ids:
            if each not in found:
                raise DataError(f"{self.path}: there is no card {each}")
        return [found[each] for each in ids]

    def has(self, digest: bytes, until: int) -> bool:
        """Whether a decision was kept, and has not changed since, at a revision."""
        asked = "SELECT 1 FROM card WHERE digest = ? AND revision <= ?"
        return self._sql.execute(asked, (digest, until)).fetchone() is not None

    def vectors(self, ids: Sequence[int]) -> list[bytes]:
        """The points of cards by their ids, in that order, as they were written."""
        return [self._only("SELECT vector FROM card WHERE id = ?", card)[0] for card in ids]

    def all_cards(self) -> Iterator[Card]:
        """Every card, by id."""
        for row in self._sql.execute(f"SELECT {_CARD} FROM card ORDER BY id"):
            yield _card(row)

    def faults(self) -> list[str]:
        """What is wrong with the file, one line each; nothing if it is whole."""
        try:
            found = [row[0] for row in self._sql.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        except sqlite3.DatabaseError as error:
            return [str(error)]
        for digest, *row in self._sql.execute(f"SELECT digest, {_CARD} FROM card ORDER BY id"):
            try:
                if _card(tuple(row)).checked().digest != digest:
                    found.append(f"card {row[0]} says something else than when it was written")
            except (DataError, ValueError) as error:
                found.append(f"card {row[0]}: {error}")
        return found

    def _only(self, question: str, card: int) -> Any:
        row = self._sql.execute(question, (card,)).fetchone()
        if row is None:
            raise DataError(f"{self.path}: there is no card {card}")
        return row

    def _fact(self, name: str) -> str:
        (value,) = self._sql.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(value)

    def _end(self, card: int, outcome: Outcome, revision: int) -> None:
        changed = self._sql.execute(
            "UPDATE card SET close_ns = ?, profit = ?, gain = ?, best = ?, worst = ?, fees = ?, critique = ?, "
            "revision = ? WHERE id = ?",
            (*vars(outcome).values(), revision, card),
        )
        if not changed.rowcount:
            raise DataError(f"{self.path}: there is no card {card}")

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """A transaction with the next revision; on an error nothing of it stays."""
        if self.read_only:
            raise UsageError(f"{self.path}: may only be read; make file and folder writable, or copy it elsewhere")
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                revision = self.revision() + 1
                self._sql.execute("UPDATE fact SET value = ? WHERE name = 'revision'", (str(revision),))
                yield revision
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise DataError(f"{self.path}: nothing was written ({error})") from None

    def _check_kind(self) -> None:
        (application,) = self._sql.execute("PRAGMA application_id").fetchone()
        (version,) = self._sql.execute("PRAGMA user_version").fetchone()
        (tables,) = self._sql.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            self._begin()
        elif application != _APPLICATION:
            raise DataError(f"{self.path}: is a database, but no memory; choose another file")
        elif version > VERSION:
            raise DataError(
                f"{self.path}: is of a newer version ({version}; this one reads up to {VERSION}); upgrade neural-trader"
            )
        if not self.read_only:
            # What has been acknowledged is to survive the loss of power, not only that of the process.
            self._sql.execute("PRAGMA synchronous = FULL")

    def _begin(self) -> None:
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("BEGIN IMMEDIATE")
        (tables,) = self._sql.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # Another process may have been first.
        for statement in _TABLES.strip().split(";\n") if tables == 0 else ():
            self._sql.execute(statement)
        self._sql.execute("COMMIT")


def _row(card: Card) -> tuple[Any, ...]:
    outcome: tuple[Any, ...] = (OPEN_NS, None, None, None, None, None, "")
    if card.outcome is not None:
        outcome = tuple(vars(card.outcome).values())
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


def _card(row: tuple[Any, ...]) -> Card:
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
