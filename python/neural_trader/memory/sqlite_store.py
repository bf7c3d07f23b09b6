"""Cards in a SQLite file, which is the truth: whatever else a memory keeps can be made of it again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neural_trader.errors import DataError, UsageError
from neural_trader.memory.cards import Card
from neural_trader.memory.embedding import Vectors
from neural_trader.memory.store import CARD, VERSION, Store, row_of_card

_APPLICATION = 0x4E544D31
_BUSY_S = 60.0

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
_COLUMNS = f"digest, {CARD.removeprefix('id, ')}, vector, revision"
_INSERT = (
    f"INSERT INTO card ({_COLUMNS}) VALUES ({', '.join('?' * (_COLUMNS.count(',') + 1))}) "
    "ON CONFLICT (digest) DO NOTHING"
)
"""What is known already is left as it is."""


class SqliteStore(Store):
    """An open file of cards."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.place = str(path)
        exists = path.exists() and path.stat().st_size > 0
        if not exists and not create:
            raise DataError(f"{path}: there is no memory here; a run with --memory {path} begins one")
        self.read_only = exists and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        mode = "ro" if self.read_only else "rwc"
        if self.read_only and not os.access(path.parent, os.W_OK):
            # Where nothing can be written beside it nobody else writes, either, and SQLite need not look out for them.
            self._refuse_unfinished()
            mode += "&immutable=1"
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

    def size(self) -> int:
        return self.path.stat().st_size

    def add(self, cards: Sequence[Card], vectors: Vectors, embedding: dict[str, Any] | None) -> list[int] | None:
        rows = [(card.digest, *row_of_card(card.checked())) for card in cards]
        with self._writing() as revision:
            if self.embedding() != embedding:
                return None
            ids = []
            for row, card, vector in zip(rows, cards, vectors, strict=True):
                written = self._sql.execute(_INSERT, (*row, vector.tobytes(), revision))
                if written.rowcount:
                    ids.append(int(written.lastrowid or 0))
                    continue
                ((known,),) = self._ask("SELECT id FROM card WHERE digest = ?", row[:1])
                ids.append(known)
                if card.outcome is not None:
                    self._end_again(known, card.outcome, revision)
        return ids

    def faults(self) -> list[str]:
        try:
            found = [row[0] for row in self._sql.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            return found + super().faults()
        except sqlite3.DatabaseError as error:
            return [str(error)]

    def _ask(self, question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._sql.execute(question, values).fetchall()

    def _each(self, question: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        return self._sql.execute(question, values)

    def _tell(self, statement: str, values: Sequence[Any] = ()) -> int:
        return self._sql.execute(statement, values).rowcount

    def _move(self, ids: Sequence[int], vectors: Vectors, revision: int) -> None:
        self._sql.executemany(
            "UPDATE card SET vector = ?, revision = ? WHERE id = ?",
            [(vector.tobytes(), revision, card) for card, vector in zip(ids, vectors, strict=True)],
        )

    def _point(self, read: bytes) -> bytes:
        return read

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

    def _refuse_unfinished(self) -> None:
        log = self.path.with_name(self.path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise DataError(
                f"{self.path}: its last cards are still in {log.name}, and this folder may only be read; copy both "
                "files to one that can be written"
            )

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
