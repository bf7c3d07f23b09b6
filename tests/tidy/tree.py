"""The files of the repository as git sees them: what is tracked, and what is new and not ignored."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """All of them, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = sorted({Path(name) for name in listed.split("\0") if name})
    return tuple(path for path in paths if (ROOT / path).is_file())


@cache
def text_of(path: Path) -> str | None:
    """What is in a file of the repository; None if it is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def own_texts() -> list[tuple[Path, str]]:
    """The texts that are written here: no lock files, no libraries of others."""
    others = {"package-lock.json", "Cargo.lock", "lightweight-charts.js", "uPlot.js"}
    return [(path, text) for path in files() if path.name not in others if (text := text_of(path)) is not None]
