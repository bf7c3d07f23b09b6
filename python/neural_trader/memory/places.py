"""Where a memory is: a file, or a database of a team."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from neural_trader.memory.sqlite_store import SqliteStore
from neural_trader.memory.store import Store


def is_url(place: str | Path) -> bool:
    """Whether a place is a database rather than a file."""
    return isinstance(place, str) and re.match(r"postgres(ql)?://", place) is not None


def public(place: str | Path) -> str:
    """A place as it may be printed and kept: without a password."""
    if not is_url(place):
        return str(place)
    parts = urlsplit(str(place))
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=user.partition(":")[0] + at + host).geturl()


def opened_store(place: str | Path, *, create: bool) -> Store:
    """The cards of a place, begun there if there are none and ``create``."""
    if is_url(place):
        # The package that speaks to servers is an extra.
        from neural_trader.memory.postgres_store import PostgresStore

        return PostgresStore(str(place), create=create)
    return SqliteStore(Path(place), create=create)
