"""The journal of a replay as a file: kept while a run is played, and read again (docs/journal.md has its bytes)."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import abort_journal, end_journal, inputs_digest, scan_journal, start_journal
from neural_trader.backtesting.result import canonical
from neural_trader.errors import DataError, NeuralTraderError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from io import FileIO

    from numpy.typing import NDArray

    from neural_trader._native import Replay
    from neural_trader.market.recordings import Listed


LINK_ENDS = 36
"""So many bytes from the end of a journal its last link begins: before the checksum of its frame."""


@contextmanager
def journaled(
    path: str | Path,
    engine: Replay,
    *,
    version: str,
    run: Mapping[str, Any],
    listed: Sequence[Listed],
    recipe: Mapping[str, Any],
    wants: Sequence[str],
) -> Iterator[Callable[[str], None]]:
    """Keep a journal of what is played inside; yields what ends it with the run hash.

    A run that breaks off leaves a journal that says where. ``wants`` names the callbacks for records that the strategy
    has. UsageError if there is a file already: what was written down once is not written over.
    """
    place = Path(path)
    header = {
        "version": version,
        "run": run,
        "instruments": [[each.symbol, list(each.tick), list(each.lot)] for each in listed],
        "inputs": inputs_digest(engine),
        "recording": dict(recipe),
        "wants": list(wants),
    }
    check_free(place)
    # Without a buffer: what Python kept back would be lost with the process, and tried again on a full disk.
    with place.open("xb", buffering=0) as file:
        paper = _Paper(place, file)
        start_journal(engine, canonical(header), paper.write)
        try:
            yield lambda run_hash: end_journal(engine, run_hash)
        except BaseException as error:
            if paper.trouble is None:
                abort_journal(engine, _in_one_line(error))
            else:
                # What the strategy is blamed for was the disk.
                raise paper.trouble from None
            raise
        finally:
            if paper.trouble is None:
                os.fsync(file.fileno())


class _Paper:
    """A file that is written in blocks, each of which reaches the operating system at once."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path, self._file = path, file
        self.trouble: OSError | None = None

    def write(self, block: bytes) -> None:
        try:
            left = memoryview(block)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.trouble = OSError(error.errno, f"cannot be written ({error.strerror})", str(self._path))
            raise self.trouble from error


def check_free(path: Path) -> None:
    """Refuse a place where a journal cannot begin."""
    if path.exists():
        raise UsageError(f"{path}: exists, and a journal is never written over; remove it, or choose another name")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {str(path.parent)!r}; create it, or choose another")


def _in_one_line(error: BaseException) -> str:
    known = isinstance(error, NeuralTraderError) and str(error)
    return " ".join((known or f"{type(error).__name__}: {error}".rstrip(": ")).split())


@dataclass(frozen=True, eq=False)
class Journal:
    """A journal that is whole: everything but its frames, which stay in the file."""

    path: Path
    content: NDArray[np.uint8]
    header: dict[str, Any]
    frames: int
    decisions: int
    chain: str
    """The last link: whoever noted it elsewhere knows a journal that was written again as a whole."""
    run_hash: str | None
    """What the run ended with, if it did."""
    aborted: str | None
    """Where it broke off, if it did."""


def open_journal(path: Path) -> Journal:
    """A journal whose every byte has been checked; DataError says at which one it tore."""
    try:
        # An empty file cannot be mapped.
        size = path.stat().st_size
        content = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    content = content.view(np.ndarray)
    header, frames, decisions, last, tear = scan_journal(content)
    if header is None:
        raise DataError(f"{path} is no journal of neural-trader, or torn at its beginning: {tear[1] if tear else ''}")
    if tear is not None or last is None:
        byte, reason = tear or (size, "it has no end")
        raise DataError(f"{path} is torn at byte {byte}: {reason}; the {frames:,} frames before it are good")
    name, _, tail = last
    try:
        document = json.loads(header)
    except ValueError as error:
        raise DataError(f"{path}: its header makes no sense ({error})") from None
    return Journal(
        path=path,
        content=content,
        header=document,
        frames=frames,
        decisions=decisions,
        chain=content[-LINK_ENDS : -LINK_ENDS + 32].tobytes().hex(),
        run_hash=tail.hex() if name == "end" else None,
        aborted=tail.decode() if name == "aborted" else None,
    )
