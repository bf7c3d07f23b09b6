"""One writer at a time: a lock file that the operating system frees when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neural_trader.errors import DataError

PATIENCE_S = 60.0
"""How long a writer waits for another one."""


@contextmanager
def held(path: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Holds the lock file, which names the process that holds it.

    The lock is that of the operating system and not the file's existence: it ends with its holder, however that ends,
    so that no lock is ever left behind and none is taken away from a process that still writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        patient_until_s = time.monotonic() + patience_s
        while not _taken(handle):
            if time.monotonic() >= patient_until_s:
                raise DataError(
                    f"{path.parent}: process {_holder(path)} has been writing here for {patience_s:.0f} s;"
                    " wait for it or end it"
                )
            time.sleep(0.02)
        try:
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"{os.getpid()}\n".encode())
            yield
        finally:
            _freed(handle)
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown"
    except OSError:
        return "unknown"


if sys.platform == "win32":
    import msvcrt

    # Far beyond the number that the file holds: Windows lets nobody read bytes that are locked.
    _BYTE = 1 << 30

    def _taken(handle: int) -> bool:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _freed(handle: int) -> None:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _taken(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _freed(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
