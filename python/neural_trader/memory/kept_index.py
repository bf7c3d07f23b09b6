"""An index in files beside the cards: taken if it is whole and fits them, and otherwise as if it were not there."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from neural_trader.memory.columns import Columns
from neural_trader.memory.index import Index

_VERSION = 1
_STAMP = "stamp.json"


def save_index(folder: Path, index: Index, columns: Columns, revision: int, embedding: str | None) -> None:
    """Write an index that has taken in the changes up to a revision; the stamp comes last, so a half is none."""
    folder.mkdir(exist_ok=True)
    stamp = folder / _STAMP
    stamp.unlink(missing_ok=True)
    files = index.save(folder)
    np.savez(folder / "columns.npz", allow_pickle=False, **columns.document())
    files.append("columns.npz")
    document = {
        "version": _VERSION,
        "revision": revision,
        "embedding": embedding,
        "quantisation": index.quantisation,
        "dimensions": index.dimensions,
        "graph": index.has_graph,
        "checksums": {name: _checksum(folder / name) for name in files},
    }
    whole = folder / f"{_STAMP}.{os.getpid()}"
    whole.write_text(json.dumps(document))
    whole.replace(stamp)


def load_index(folder: Path, embedding: str, quantisation: str, revision: int) -> tuple[Index, Columns, int] | None:
    """The index of a folder with its columns and its revision; None if it is missing, damaged, or of other cards."""
    try:
        stamp: dict[str, Any] = json.loads((folder / _STAMP).read_text())
        fits = (
            stamp["version"] == _VERSION
            and stamp["embedding"] == embedding
            and stamp["quantisation"] == quantisation
            and stamp["revision"] <= revision
        )
        if not fits or any(_checksum(folder / name) != wanted for name, wanted in stamp["checksums"].items()):
            return None
        index = Index.load(folder, stamp["dimensions"], quantisation, has_graph=stamp["graph"])
        with np.load(folder / "columns.npz", allow_pickle=False) as arrays:
            columns = Columns.of(dict(arrays))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError):
        return None
    return (index, columns, stamp["revision"]) if index.count == columns.count else None


def _checksum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total = zlib.crc32(block, total)
    return total
