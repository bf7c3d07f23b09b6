"""Where a PostgreSQL server is, in the words of its own clients, and the way to it."""

from __future__ import annotations

import os
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000.dbapi as postgres

from neural_trader.errors import UsageError
from neural_trader.memory.places import public

_CONNECT_S = 10.0
_PORT = 5432

_TLS: dict[str, Any] = {
    "disable": False,
    "prefer": None,
    "require": True,
    "verify-full": ssl.create_default_context,
}


@dataclass(frozen=True)
class Address:
    """What a URL says, in the words of libpq; what it leaves out comes from the environment, as there."""

    host: str
    """Beginning with a slash, the folder of a socket."""
    port: int
    user: str
    password: str | None
    database: str
    schema: str
    tls: Any

    @classmethod
    def of(cls, url: str) -> Address:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        unknown = asked.keys() - {"host", "schema", "sslmode"}
        if unknown:
            raise UsageError(f"{public(url)}: {min(unknown)} is not known; there are host, schema and sslmode")
        schema = asked.get("schema", "neural_trader")
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
            raise UsageError(f"{public(url)}: a schema is small letters, digits and _, not {schema!r}")
        mode = asked.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
        if mode not in _TLS:
            raise UsageError(f"{public(url)}: sslmode {mode!r}: one of {', '.join(_TLS)}")
        try:
            port = parts.port or int(os.environ.get("PGPORT", _PORT))
        except ValueError:
            raise UsageError(f"{public(url)}: the port is no number up to 65535") from None
        user = unquote(parts.username or os.environ.get("PGUSER", "postgres"))
        return cls(
            host=asked.get("host") or parts.hostname or os.environ.get("PGHOST", "localhost"),
            port=port,
            user=user,
            password=os.environ.get("PGPASSWORD") if parts.password is None else unquote(parts.password),
            database=unquote(parts.path.lstrip("/")) or os.environ.get("PGDATABASE", user),
            schema=schema,
            tls=_TLS[mode],
        )

    def connected(self) -> Any:
        """A connection, each of whose statements is a transaction unless it is within one."""
        is_local = self.host.startswith("/")
        if is_local:
            door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            door = socket.create_connection((self.host, self.port), _CONNECT_S)
        try:
            if is_local:
                door.connect(f"{self.host}/.s.PGSQL.{self.port}")
            else:
                door.settimeout(None)
                door.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection = postgres.connect(
                self.user,
                host=self.host,
                database=self.database,
                password=self.password,
                sock=door,
                ssl_context=False if is_local else self.tls() if callable(self.tls) else self.tls,
                application_name="neural-trader",
            )
        except BaseException:
            door.close()
            raise
        connection.autocommit = True
        return connection
