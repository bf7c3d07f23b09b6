"""Where words and files go: results to standard output, notes to standard error, files wholly or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.errors import RunStopped

_OWN_MARKS = (b'<meta name="generator" content="neural-trader', b'"schema":"neural-trader.result/')
_HEAD_BYTES = 4096


def print_json(document: Any) -> None:
    """One strict JSON document on standard output, always UTF-8, and nothing else."""
    import json

    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    sys.stdout.flush()
    left = memoryview(text.encode() + b"\n")
    while left:
        # With PYTHONUNBUFFERED a write may take only a part.
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def print_stop(stop: RunStopped, *, json: bool, quiet: bool) -> None:
    """Say that a run stopped where it was to, and where it goes on."""
    if json:
        print_json({"stopped": {"time_ns": stop.time_ns, "turns": stop.turns, "snapshot": str(stop.path)}})
    elif not quiet:
        print(stop)


def note(text: str) -> None:
    """One line for the person at the terminal, beside the result."""
    print(text, file=sys.stderr)


def check_target(path: Path, flag: str) -> None:
    """Refuse a place that cannot be written before any work is done, and a file that this program did not write."""
    if path.is_dir():
        raise UsageError(f"{flag} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{flag} {path}: there is no folder {str(path.parent)!r}; create it, or choose another")
    if path.exists() and not path.is_file():
        return
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError(f"{flag} {path}: may not be written; choose another place")
    if not is_own(path):
        raise UsageError(f"{flag} {path}: exists, and is no report of neural-trader; remove it, or choose another name")


def is_own(path: Path) -> bool:
    """Whether a path is free, empty or holds a report, so that nobody's work is lost by writing there."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not head or any(mark in head.replace(b'": "', b'":"') for mark in _OWN_MARKS)


def write(path: Path, text: str) -> None:
    """Write a file wholly or not at all."""
    from neural_trader.report.atomic import write_text

    try:
        write_text(path, text)
    except OSError as error:
        # The name of the temporary file would tell nobody anything.
        raise OSError(error.errno, f"cannot be written ({error.strerror})", str(path)) from error
