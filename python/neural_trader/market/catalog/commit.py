"""Several files of a dataset change together or not at all, whatever happens in between.

New files are written beside their places and synced; then a journal that names them appears, which is the commit; then
they are moved to their places, the manifest last, and the journal goes. A crash before the journal leaves the old state
and files that nobody looks at. A crash after it leaves work that whoever comes next finishes first. Every single file
is whole at any instant, for readers who know nothing of this.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from neural_trader.errors import DataError

MANIFEST = "manifest.json"
_JOURNAL = "journal.json"
_STAGED = "staged"


def staging(state: Path) -> Path:
    """An empty folder for new files; what an earlier crash left there is removed."""
    folder = state / _STAGED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def synced(path: Path) -> None:
    """Waits until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _synced_folder(path: Path) -> None:
    if os.name == "nt":
        # Windows opens no folders; its file system orders renames by itself.
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(state: Path, root: Path, manifest: str, places: Mapping[str, Path]) -> None:
    """Puts staged files (by name) in their places below the root and replaces the manifest, all or nothing."""
    folder = state / _STAGED
    (folder / MANIFEST).write_text(manifest, encoding="utf-8", newline="\n")
    synced(folder / MANIFEST)
    journal = folder / _JOURNAL
    journal.write_text(json.dumps({name: place.as_posix() for name, place in places.items()}), encoding="utf-8")
    synced(journal)
    _synced_folder(folder)
    os.replace(journal, state / _JOURNAL)
    _synced_folder(state)
    finish(state, root)


def is_unfinished(state: Path) -> bool:
    """Whether a commit was cut short after it was decided."""
    return (state / _JOURNAL).exists()


def finish(state: Path, root: Path) -> None:
    """Carries out the commit that the journal holds, from wherever it was cut short."""
    folder, journal = state / _STAGED, state / _JOURNAL
    try:
        places = json.loads(journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    for name, text in places.items():
        place = root / text
        if (folder / name).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / name, place)
            for above in (place.parent, *place.parent.parents[: len(Path(text).parts) - 1]):
                _synced_folder(above)
        elif not place.exists():
            raise DataError(f"{place}: lost while it was being written; import its data again")
    if (folder / MANIFEST).exists():
        os.replace(folder / MANIFEST, state / MANIFEST)
        _synced_folder(state)
    journal.unlink()
    _synced_folder(state)
