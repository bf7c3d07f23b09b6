"""Which books of a session can be trusted, why those were lost that cannot, and which are to be asked for now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

AGAIN_S = 10.0
"""A book that was asked for and has not come after so long is asked for again."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 30.0


@dataclass
class Book:
    """The state of one book."""

    is_joined: bool = False
    is_wanted: bool = False
    """Whether the feed has said that it needs a whole book."""
    was_joined: bool = False
    cause: str = ""
    """What the feed said last about what is wrong with it."""
    lost_s: float = 0.0
    asked_s: float = 0.0
    tries: int = 0


class Books:
    """The books of a session by symbol."""

    def __init__(self, venue: str, symbols: Sequence[str], say: Callable[[str], None]) -> None:
        self._venue, self._say = venue, say
        self._books = {symbol: Book(asked_s=time.monotonic()) for symbol in symbols}
        self.repairs: Counter[str] = Counter()
        """How often a book was lost and joined again, by what was wrong."""

    @property
    def joined(self) -> int:
        return sum(book.is_joined for book in self._books.values())

    @property
    def count(self) -> int:
        return len(self._books)

    def see(self, kind: str, symbol: str | None, record: Any) -> None:
        """Takes note of what the feed says; without a symbol it is about all books."""
        about = [symbol] if symbol is not None else list(self._books)
        for name in about:
            if (book := self._books.get(name)) is None:
                continue
            if kind == "snapshot_end":
                self._joined(name, book)
            elif kind == "resync":
                self._lost(name, book)
            else:
                book.cause = _words(kind, record)

    def _joined(self, symbol: str, book: Book) -> None:
        if book.was_joined and book.lost_s:
            took_s = time.monotonic() - book.lost_s
            self.repairs[book.cause.partition(":")[0]] += 1
            self._say(f"{self._venue} {symbol}: the book is whole again after {took_s:.1f} s")
        book.is_joined = book.was_joined = True
        book.is_wanted, book.tries, book.cause, book.lost_s = False, 0, "", 0.0

    def _lost(self, symbol: str, book: Book) -> None:
        if book.is_joined:
            book.lost_s = time.monotonic()
            book.cause = book.cause or "disconnected"
            self._say(f"{self._venue} {symbol}: the book is lost ({book.cause}); a whole one is asked for")
        book.is_joined, book.is_wanted = False, True

    def connected(self) -> None:
        """A new connection: where books come in the stream, they come by themselves."""
        for book in self._books.values():
            book.asked_s, book.tries = time.monotonic(), 0
            if not book.is_joined and book.was_joined:
                book.cause = "disconnected"

    def to_ask_for(self, *, in_stream: bool, under_way: Container[str]) -> list[str]:
        """The books to ask for now, unless an answer is under way; each counts as asked for."""
        now_s = time.monotonic()
        found = []
        for symbol, book in self._books.items():
            by_itself = in_stream and book.tries == 0 and book.cause in ("", "disconnected")
            patience_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(book.tries, 10)) if book.tries else 0.0
            wait_s = AGAIN_S if by_itself or not book.is_wanted else patience_s
            if not book.is_joined and symbol not in under_way and now_s - book.asked_s >= wait_s:
                book.asked_s, book.is_wanted = now_s, False
                book.tries += 1
                found.append(symbol)
        return found


def _words(kind: str, record: Any) -> str:
    """A fault of a book for a reader."""
    if kind == "gap":
        return f"gap: {record['price']} expected, {record['quantity']} came"
    if kind == "stale":
        return f"stale: nothing for {int(record['quantity']) / 1e9:.0f} s"
    return kind.replace("_", " ")
