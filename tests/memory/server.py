"""PostgreSQL with pgvector on a socket of this machine, in a folder that goes when it stops."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The package that brings the server stops it when its process ends; that process waits for its standard input to close.
_KEEPER = """
import sys, warnings
warnings.simplefilter("ignore")
import pgserver
print(pgserver.get_server(sys.argv[1], cleanup_mode=None).get_pid(), flush=True)
"""


class Server:
    """A server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = 0
        self.start()

    def url(self, schema: str = "neural_trader", **options: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql://postgres@/postgres?host={self.folder}&schema={schema}{more}"

    def start(self) -> None:
        # A server that was killed leaves these behind, and its number may live on until somebody asks how it ended.
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.folder / name).unlink(missing_ok=True)
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder.parent)}
        told = subprocess.run(
            [sys.executable, "-c", _KEEPER, str(self.folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode:
            raise RuntimeError(f"PostgreSQL did not start: {told.stderr}")
        self.pid = int(told.stdout)


@contextmanager
def postgres() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="nt-pg-", ignore_cleanup_errors=True) as folder:
        # The server runs as another user where root started it.
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "data")
        try:
            yield server
        finally:
            subprocess.run(["kill", "-INT", str(server.pid)], check=False)
