"""Cards in PostgreSQL with pgvector, which many machines share; the server itself finds what is nearest.

Tables are those of the file, in a schema of their own. Writers wait for each other at the row of the revision, so that
revisions are committed in their order. Below some ten thousand cards, and under filters, the server measures every card
that is let through; else its graph (HNSW) proposes, and the answer is measured again here, as all answers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import numpy as np
import pg8000.dbapi as postgres

from neural_trader.errors import DataError, UsageError
from neural_trader.memory.cards import OPEN_NS, Card
from neural_trader.memory.columns import Filter
from neural_trader.memory.embedding import Vectors
from neural_trader.memory.index import GRAPH_FROM, SLACK, measured
from neural_trader.memory.places import public
from neural_trader.memory.postgres_address import Address
from neural_trader.memory.store import CARD, VERSION, Near, Search, SearchingStore, row_of_card

_BLOCK = 5000
"""Rows that are fetched at a time."""
_WIDTH = 200
"""Candidates that the graph of the server keeps while it searches; more are not proposed."""
_MOST_DIMENSIONS = 2000
"""What pgvector can index."""
_OPENING = 0x4E544D31
"""The lock under which a schema is begun."""

_TABLES = """
CREATE TABLE card (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    time_ns BIGINT NOT NULL,
    strategy TEXT NOT NULL,
    parameters TEXT NOT NULL,
    symbol TEXT NOT NULL,
    action TEXT NOT NULL,
    quantity FLOAT8 NOT NULL,
    price FLOAT8 NOT NULL,
    features TEXT NOT NULL,
    reason TEXT NOT NULL,
    regime TEXT NOT NULL,
    close_ns BIGINT NOT NULL,
    profit FLOAT8, gain FLOAT8, best FLOAT8, worst FLOAT8, fees FLOAT8,
    critique TEXT NOT NULL,
    vector VECTOR NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX card_revision ON card (revision);
CREATE INDEX card_time ON card (time_ns);
CREATE TABLE forgotten (id BIGINT PRIMARY KEY, revision BIGINT NOT NULL);
CREATE INDEX forgotten_revision ON forgotten (revision);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO fact VALUES ('revision', '0'), ('embedding', 'null');
"""
_NAMES = ("digest", *CARD.split(", ")[1:], "vector")
_KINDS = {
    "digest": "bytea",
    **dict.fromkeys(("time_ns", "close_ns"), "bigint"),
    **dict.fromkeys(("quantity", "price", "profit", "gain", "best", "worst", "fees"), "float8"),
}
_TEXT = "text"
_INSERT = (
    f"INSERT INTO card ({', '.join(_NAMES)}, revision) SELECT {', '.join(_NAMES)}::vector, ? "
    f"FROM unnest({', '.join(f'?::{_KINDS.get(name) or _TEXT}[]' for name in _NAMES)}) WITH ORDINALITY "
    f"AS new ({', '.join(_NAMES)}, place) ORDER BY place RETURNING digest, id"
)
"""Columns of cards, each as one array, so that any number of cards is one statement."""


class PostgresStore(SearchingStore):
    """An open schema of cards."""

    vector = "vector_send(vector)"

    def __init__(self, url: str, *, create: bool = True) -> None:
        self.place = public(url)
        where = Address.of(url)
        self._cursors = count()
        try:
            self._sql = where.connected()
        except (postgres.Error, OSError) as error:
            raise DataError(f"{self.place}: no memory can be opened ({_said(error)})") from None
        try:
            self._open(where.schema, create)
            self._run(f"SET lock_timeout = '60s'; SET hnsw.ef_search = {_WIDTH}")
            self.read_only = not self._one("SELECT has_table_privilege('card', 'INSERT') AND NOT pg_is_in_recovery()")[
                0
            ]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        # A connection that the server has closed cannot be closed again.
        with suppress(postgres.Error):
            self._sql.close()

    def size(self) -> int:
        return int(self._one("SELECT pg_total_relation_size('card')")[0])

    def add(self, cards: Sequence[Card], vectors: Vectors, embedding: dict[str, Any] | None) -> list[int] | None:
        digests = [card.checked().digest for card in cards]
        rows: dict[bytes, tuple[Any, ...]] = {}
        for digest, card, vector in zip(digests, cards, vectors, strict=True):
            rows.setdefault(digest, (digest, *row_of_card(card), _text(vector)))
        with self._writing() as revision:
            if self.embedding() != embedding:
                return None
            ids = dict(self._ask("SELECT digest, id FROM card WHERE digest = ANY(?)", (list(rows),)))
            known = set(ids)
            new = [row for digest, row in rows.items() if digest not in known]
            if new:
                ids.update(self._ask(_INSERT, (revision, *(list(column) for column in zip(*new, strict=True)))))
            for digest, card in zip(digests, cards, strict=True):
                if digest in known and card.outcome is not None:
                    self._end_again(ids[digest], card.outcome, revision)
                # It may be among the cards once more.
                known.add(digest)
        return [ids[digest] for digest in digests]

    def nearest(self, query: Vectors, k: int, wanted: Filter) -> Search:
        where, values = _conditions(wanted)
        searched, newest_ns = self._one(
            f"SELECT count(*), (SELECT coalesce(max(time_ns), 0) FROM card) FROM card{where}", values
        )
        dimensions, pool = len(query), k + SLACK
        order = "vector <-> ?::vector, id"
        if not where and searched >= GRAPH_FROM and pool <= _WIDTH and dimensions <= _MOST_DIMENSIONS:
            # The server takes its graph for this expression and no other.
            order = f"vector::vector({dimensions}) <-> ?::vector({dimensions})"
        rows = self._ask(
            f"SELECT id, time_ns, close_ns, gain, {self.vector} FROM card{where} ORDER BY {order} LIMIT ?",
            (*values, _text(query), pool),
        )
        points = np.frombuffer(b"".join(self._point(row[4]) for row in rows), dtype=np.float32)
        points = points.reshape(len(rows), dimensions)
        ids, times, closes = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
        gains = np.array([np.nan if row[3] is None else row[3] for row in rows])
        squared = measured(points, query) if rows else np.empty(0)
        best = np.lexsort((ids, squared))[:k]
        near = Near(ids[best], times[best], closes[best], gains[best], squared[best])
        return Search(near, points[best], searched, newest_ns)

    def rebuild(self) -> None:
        """Make the graph of the server anew."""
        with self._writing():
            self._index()

    def index_bytes(self) -> int:
        return int(self._one("SELECT coalesce(pg_relation_size(to_regclass('card_likeness')), 0)")[0])

    def _ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        return [tuple(row) for row in self._run(question, values).fetchall()]

    def _each(self, question: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        name = f"each_{next(self._cursors)}"
        self._run(f"DECLARE {name} NO SCROLL CURSOR WITH HOLD FOR {question}", values)
        try:
            while rows := self._ask(f"FETCH {_BLOCK} FROM {name}"):
                yield from rows
        finally:
            self._run(f"CLOSE {name}")

    def _tell(self, statement: str, values: Sequence[Any] = ()) -> int:
        return int(self._run(statement, values).rowcount)

    def _move(self, ids: Sequence[int], vectors: Vectors, revision: int) -> None:
        # The graph would take in each of them; it is made of all of them at once instead.
        self._run("DROP INDEX IF EXISTS card_likeness")
        for start in range(0, len(ids), _BLOCK):
            part = slice(start, start + _BLOCK)
            self._run(
                "UPDATE card SET vector = new.point::vector, revision = ? "
                "FROM unnest(?::bigint[], ?::text[]) AS new (id, point) WHERE card.id = new.id",
                (revision, list(ids[part]), [_text(vector) for vector in vectors[part]]),
            )
        self._index()

    def _index(self) -> None:
        dimensions = self._one("SELECT max(vector_dims(vector)) FROM card")[0]
        self._run("DROP INDEX IF EXISTS card_likeness")
        if dimensions is not None and dimensions <= _MOST_DIMENSIONS:
            self._run(
                f"CREATE INDEX card_likeness ON card USING hnsw ((vector::vector({dimensions})) vector_l2_ops) "
                "WITH (m = 16, ef_construction = 80)"
            )

    def _point(self, read: bytes) -> bytes:
        # Two numbers of 16 bits, then floats, all of them most significant byte first.
        return np.frombuffer(read, dtype=">f4", offset=4).astype(np.float32).tobytes()

    @contextmanager
    def _writing(self) -> Iterator[int]:
        if self.read_only:
            raise UsageError(f"{self.place}: may only be read; ask for a role that may write, or copy it elsewhere")
        self._run("BEGIN")
        try:
            revision = int(self._one("SELECT value FROM fact WHERE name = 'revision' FOR UPDATE")[0]) + 1
            self._tell("UPDATE fact SET value = ? WHERE name = 'revision'", (str(revision),))
            yield revision
            self._run("COMMIT")
        except BaseException:
            # A server that is gone rolls back by itself.
            with suppress(DataError):
                self._run("ROLLBACK")
            raise

    def _run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        cursor = self._sql.cursor()
        try:
            cursor.execute(statement.replace("?", "%s"), values)
        except (postgres.Error, OSError) as error:
            raise DataError(
                f"{self.place}: the server refused or is gone, nothing was written ({_said(error)})"
            ) from None
        return cursor

    def _open(self, schema: str, create: bool) -> None:
        self._run("BEGIN")
        self._run(f"SELECT pg_advisory_xact_lock({_OPENING})")
        extension = self._ask(_EXTENSION)
        exists = self._ask("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", (schema,))
        tables = {row[0] for row in self._ask("SELECT tablename FROM pg_tables WHERE schemaname = ?", (schema,))}
        if not tables and not create:
            raise DataError(f"{self.place}: there is no memory here; a run with --memory {self.place} begins one")
        if tables and not {"card", "fact", "forgotten"} <= tables:
            raise DataError(f"{self.place}: the schema {schema} is no memory; choose another with ?schema=NAME")
        if not extension:
            self._run("CREATE EXTENSION vector")
            extension = self._ask(_EXTENSION)
        if not exists:
            self._run(f"CREATE SCHEMA {schema}")
        self._run(f'SET search_path TO {schema}, "{extension[0][0]}"')
        if not tables:
            self._run(_TABLES + f"INSERT INTO fact VALUES ('version', '{VERSION}')")
        self._run("COMMIT")
        version = int(self._fact("version"))
        if version > VERSION:
            raise DataError(
                f"{self.place}: is of a newer version ({version}; this one reads up to {VERSION}); "
                "upgrade neural-trader"
            )


_EXTENSION = (
    "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'"
)


def _conditions(wanted: Filter) -> tuple[str, list[Any]]:
    """What :meth:`Columns.mask` asks, in SQL."""
    known_ns = OPEN_NS if wanted.before_ns is None else wanted.before_ns
    asked: list[tuple[str, Any]] = [
        (f"{name} = ?", getattr(wanted, name))
        for name in ("symbol", "strategy", "regime")
        if getattr(wanted, name) is not None
    ]
    if wanted.after_ns is not None:
        asked.append(("time_ns >= ?", wanted.after_ns))
    if wanted.before_ns is not None:
        asked.append(("time_ns < ?", wanted.before_ns))
    if wanted.ended or wanted.won is not None or (wanted.ended is None and wanted.before_ns is not None):
        asked.append(("close_ns < ?", known_ns))
    if wanted.ended is False:
        asked.append(("close_ns >= ?", known_ns))
    if wanted.won is not None:
        asked.append(("(gain > 0) = ?", wanted.won))
    return (" WHERE " + " AND ".join(each for each, _ in asked) if asked else ""), [value for _, value in asked]


def _text(vector: Vectors) -> str:
    """A point as pgvector reads it, to the last bit."""
    return f"[{','.join(map(str, vector))}]"


def _said(error: Exception) -> str:
    """What the server, or the way to it, said: one line."""
    told = error.args[0] if error.args else ""
    if isinstance(told, dict):
        told = told.get("M", told)
    elif isinstance(error, OSError):
        told = error.strerror or error
    return str(told or error).splitlines()[0]
