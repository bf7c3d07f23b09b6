"""Text that is made, between two marks of a page that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put(page: Path, name: str, made: str) -> None:
    """Put it between ``<!-- name -->`` and ``<!-- /name -->``; ValueError where the page has no such marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, opened, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"{page.name} has no place for {name}: no lines {begin.strip()} and {end}")
    page.write_text(f"{before}{begin}{made}{end}{after}", encoding="utf-8")
