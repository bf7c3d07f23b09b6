"""Recordings as files that are opened and not read: records in numpy's own format, and behind them what they mean.

The file is that of ``numpy.save`` for an array with the dtype ``EVENT``, so ``numpy.load(path, mmap_mode="r")`` reads
it. Behind the array stands a JSON document (instruments, origin, counts), its length in eight bytes, little-endian, and
eight bytes of magic.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.errors import DataError, UsageError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.references import is_reference
from neural_trader.market.events import EVENT
from neural_trader.market.recordings import Listed, Recording, load_recording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neural_trader.market.recordings import Counts

MAGIC = b"NTREC\x00\x00\x01"
SUFFIX = ".npy"
_TAIL = struct.Struct("<Q8s")


def write_recording(recording: Recording, path: Path) -> Path:
    """Write a recording, wholly or not at all; returns the path."""
    about = {
        "instruments": [[each.symbol, list(each.tick), list(each.lot)] for each in recording.instruments],
        "origin": recording.origin,
        "source": recording.source,
        "notes": list(recording.notes),
        "counts": recording.kinds(),
        "venue": recording.venue,
    }
    document = json.dumps(about, ensure_ascii=False).encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, np.ascontiguousarray(recording.records), allow_pickle=False)
            file.write(document + _TAIL.pack(len(document), MAGIC))
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def open_recording(path: Path) -> Recording:
    """Open a recording that :func:`write_recording` wrote; its records stay in the file until they are played."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL.size))
            tail = file.read()
            length, magic = _TAIL.unpack(tail) if len(tail) == _TAIL.size else (0, b"")
            if magic != MAGIC or length > size - _TAIL.size:
                raise DataError(f"{path} is no recording, or was cut off; `neural-trader data records` writes one")
            file.seek(size - _TAIL.size - length)
            about = json.loads(file.read(length))
        records = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DataError(f"{path} is no recording: {error}") from None
    if records.dtype != EVENT:
        raise DataError(f"{path} holds no records of market data")
    listed = tuple(Listed(symbol, Step(*tick), Step(*lot)) for symbol, tick, lot in about["instruments"])
    counts: Counts = {name: int(count) for name, count in about["counts"].items()}
    source = f"{path} ({about['source']})" if about["source"] else str(path)
    return Recording(
        _mapped(records), listed, about["origin"], source, tuple(about["notes"]), counts, {"files": [str(path)]},
        about.get("venue"),
    )  # fmt: skip


def recordings_of(data: Sequence[str | Path], venue: str | None) -> list[Recording]:
    """The recordings in files: each file of records, each ``catalog:...``, and per venue the session in its files.

    ``FILE@VENUE`` says of one file whose it is, ``venue`` of all others. UsageError where nobody says.
    """
    sessions: dict[str, list[Path]] = {}
    recordings = []
    for text in map(str, data):
        # A reference has been a path on the command line.
        if is_reference(text):
            from neural_trader.market.catalog.replayed import recording_of_catalog

            recordings.append(recording_of_catalog(text))
            continue
        name, _, said = text.rpartition("@")
        path, place = (Path(name), said) if name and not Path(text).exists() else (Path(text), venue)
        if path.suffix == SUFFIX:
            recordings.append(_placed(open_recording(path), place))
        elif place is None:
            raise UsageError(f"{path}: a captured session is of a venue; say which with --venue, such as binance")
        else:
            sessions.setdefault(place, []).append(path)
    return recordings + [load_recording(paths, place) for place, paths in sessions.items()]


def recordings_again(recipe: Mapping[str, Any]) -> list[Recording]:
    """The recordings that a recipe tells of, or a list of recipes in it; none if they came from memory."""
    from neural_trader.market.recordings import synthetic_recording

    if "recordings" in recipe:
        found = [recordings_again(each) for each in recipe["recordings"] if "bars" not in each]
        return [one for each in found for one in each] if all(found) else []
    if recipe.get("files"):
        return recordings_of(recipe["files"], recipe.get("venue"))
    if recipe.get("seed") is not None:
        return [synthetic_recording(recipe["seed"], recipe["duration"])]
    return []


def files_of(recipe: Mapping[str, Any]) -> list[str]:
    """All files that a recipe names."""
    return [name for each in recipe.get("recordings", [recipe]) for name in each.get("files") or ()]


def _placed(recording: Recording, venue: str | None) -> Recording:
    if venue is None:
        return recording
    return replace(recording, venue=venue, recipe={**recording.recipe, "venue": venue})


def _mapped(records: Any) -> Any:
    # The engine borrows plain arrays; one that is mapped is a plain array over the same pages.
    return records.view(np.ndarray)
