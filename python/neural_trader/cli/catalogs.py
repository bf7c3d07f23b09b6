"""What the verbs of ``data`` share: where the catalog is, and what they show of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.market.catalog import Dataset

Place = Annotated[
    Path | None, typer.Option("--catalog", metavar="DIR", help="Catalog. [$NT_CATALOG, or in your data folder]")
]
Start = Annotated[str | None, typer.Option("--start", metavar="TIME", help="At or after this, UTC.")]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="Before this, UTC.")]


def referenced(text: str) -> str:
    """A reference as the catalog understands it; the prefix may be left out where only a reference makes sense."""
    from neural_trader.market.catalog.references import PREFIX

    return text if text.startswith(PREFIX) else PREFIX + text


def checked_kind(kind: str) -> str:
    if kind not in ("bars", "trades", "quotes"):
        raise UsageError(f"--kind {kind}: bars, trades or quotes")
    return kind


def free_target(path: Path, force: bool) -> Path:
    """A place for a file, unless something is there that nobody said may go."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it")
    if path.exists() and not force:
        raise UsageError(f"{path}: exists; choose another name, or write over it with --force")
    return path


def described(dataset: Dataset) -> dict[str, Any]:
    """A dataset as plain data."""
    from neural_trader.market.times import time_text

    manifest = dataset.manifest()
    return {
        "venue": manifest.key.venue,
        "symbol": manifest.key.symbol,
        "kind": manifest.key.kind_name,
        "rows": manifest.rows,
        "first": time_text(manifest.first_ns),
        "last": time_text(manifest.last_ns),
        "files": len(manifest.parts),
        "bytes": sum(part.bytes for part in manifest.parts.values()),
        "tick": str(manifest.tick),
        "lot": str(manifest.lot),
        "made": manifest.made or None,
    }


def size_text(size: int) -> str:
    """A number of bytes for a reader."""
    scaled, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if scaled >= 1024:
            scaled, unit = scaled / 1024, larger
    return f"{scaled:.0f} {unit}" if unit == "B" or scaled >= 100 else f"{scaled:.1f} {unit}"
