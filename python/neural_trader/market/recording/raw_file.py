"""Raw messages on disk as they came, in blocks that are each complete: a process that dies leaves a file that reads."""

from __future__ import annotations

import gzip
import os
import time
from datetime import UTC, datetime
from pathlib import Path

BLOCK_BYTES = 1 << 20
BLOCK_S = 1.0
"""A block is written when it has so many bytes, or after so long."""
FILE_BYTES = 256 << 20
_HOUR_NS = 3_600_000_000_000
_LEVEL = 5
"""Of compression: beyond it files hardly shrink."""


class RawFiles:
    """The files of one session, in a folder of their own: a new one every hour, UTC, or when one has become large.

    Each block is a gzip member of its own, so that any tool reads the file up to the last whole one.
    """

    def __init__(self, folder: Path, file_bytes: int = FILE_BYTES) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self._file_bytes = file_bytes
        self._waiting: list[bytes] = []
        self._waiting_bytes = self._written_bytes = 0
        self._hour = -1
        self._flushed_s = time.monotonic()
        self._descriptor: int | None = None
        folder.mkdir(parents=True)

    def write(self, lines: bytes, recv_ns: int) -> None:
        """Takes whole lines in, of which the first was received at a time."""
        hour = recv_ns // _HOUR_NS
        if self._descriptor is None or hour > self._hour or self._written_bytes >= self._file_bytes:
            self._begin(recv_ns)
            self._hour = hour
        self._waiting.append(lines)
        self._waiting_bytes += len(lines)
        if self._waiting_bytes >= BLOCK_BYTES:
            self.flush()

    def flush_if_due(self) -> None:
        """Writes a block if one has waited for long enough."""
        if self._waiting and time.monotonic() - self._flushed_s >= BLOCK_S:
            self.flush()

    def flush(self) -> None:
        """Hands what waits to the operating system, from where a death of this process takes nothing back."""
        self._flushed_s = time.monotonic()
        if not self._waiting or self._descriptor is None:
            return
        member = memoryview(gzip.compress(b"".join(self._waiting), _LEVEL, mtime=0))
        self._waiting, self._waiting_bytes = [], 0
        self._written_bytes += len(member)
        while member:
            member = member[os.write(self._descriptor, member) :]

    def sync(self) -> None:
        """Waits until what was flushed is on the disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        self.flush()
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _begin(self, recv_ns: int) -> None:
        self.close()
        moment = datetime.fromtimestamp(recv_ns // 1_000_000_000, UTC)
        path = self.folder / f"{len(self.paths) + 1:05}-{moment:%Y%m%dT%H%M%SZ}.ws.gz"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
        self.paths.append(path)
        self._written_bytes = 0
