"""Compressed lines up to where a file was cut off: what a recorder that died has written before is not lost."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_READ_BYTES = 1 << 16
_INFLATED_BYTES = 1 << 20


class TornGzip(io.RawIOBase):
    """The bytes of a gzip file of lines. One that ends within a member ends here with its last whole line.

    ``told`` is called with the count of bytes that were read where that is so. A file of which nothing can be read
    raises EOFError, and one whose bytes are wrong zlib.error.
    """

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__()
        self._source = path.open("rb")
        self._told = told
        self._inflate = _member()
        self._compressed = b""
        self._is_within = False
        """Whether a member has begun and not ended."""
        self._ready = memoryview(b"")
        self._rest = b""
        """What comes after the latest newline: the beginning of a line, of which the end may be missing."""
        self._read = 0
        self._is_over = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

    def readinto(self, target: Any) -> int:
        view = memoryview(target)
        while not self._ready and not self._is_over:
            self._fill()
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _fill(self) -> None:
        self._compressed = self._compressed or self._source.read(_READ_BYTES)
        if not self._compressed:
            self._end()
            return
        if not self._is_within:
            # Zeros may fill up a file behind its last member.
            self._compressed = self._compressed.lstrip(b"\0")
            self._is_within = bool(self._compressed)
        piece = self._inflate.decompress(self._compressed, _INFLATED_BYTES)
        self._compressed = self._inflate.unconsumed_tail
        if self._inflate.eof:
            self._compressed = self._inflate.unused_data
            self._inflate, self._is_within = _member(), False
        self._read += len(piece)
        whole, newline, rest = piece.rpartition(b"\n")
        if newline:
            self._ready, self._rest = memoryview(self._rest + whole + newline), rest
        else:
            self._rest += piece

    def _end(self) -> None:
        self._is_over = True
        if not self._is_within:
            self._ready = memoryview(self._rest)
        elif self._read:
            self._told(self._read - len(self._rest))
        else:
            raise EOFError("it ends before anything can be read")


def _member() -> Any:
    """What inflates one member: its header, its data and its check."""
    return zlib.decompressobj(wbits=31)
