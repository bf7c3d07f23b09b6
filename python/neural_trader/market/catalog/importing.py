"""Files and trees of files into a catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.catalog.manifest import Origin
from neural_trader.market.catalog.names import Key
from neural_trader.market.catalog.row_files import kind_in, read_rows
from neural_trader.market.catalog.rows import Rows, rows_of
from neural_trader.market.catalog.store import Appended, Catalog
from neural_trader.market.loading import load
from neural_trader.market.loading_ticks import quotes_in, trades_in
from neural_trader.market.sources import Source, format_of, sources_in, suggestion
from neural_trader.market.ticks import Quotes, Trades

_CAPTURES = (".ws.gz", ".ws", ".txt.gz", ".txt", ".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class Imported:
    """What became of one file."""

    path: Path
    appended: tuple[Appended, ...] = ()
    notes: tuple[str, ...] = ()
    error: DataError | None = None
    """Why nothing of the file was kept."""


def files_below(paths: list[Path], kind: str = "bars") -> list[Path]:
    """The files that are named, and those in the folders that are named, at any depth, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(entry for entry in path.rglob("*") if entry.is_file() and _is_readable(entry, kind))
            inside = [
                entry for entry in below if not any(part.startswith(".") for part in entry.relative_to(path).parts)
            ]
            if not inside:
                raise DataError(f"{path}: no file of market data in this folder or below it")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"{path}: no such file or folder{suggestion(path.name, near)}")
    return found


def _is_readable(path: Path, kind: str) -> bool:
    """Whether the name of a file promises what is asked for."""
    return path.name.endswith(_CAPTURES) if kind == "capture" else format_of(path) is not None


def import_files(
    catalog: Catalog,
    paths: list[Path],
    venue: str,
    kind: str,
    *,
    symbol: str | None = None,
    tick: Any = None,
    lot: Any = None,
    sort: bool = False,
) -> Iterator[Imported]:
    """Imports file after file; what cannot be read, or contradicts, is told and leaves the others alone."""
    for path in paths:
        try:
            yield _imported(catalog, path, venue, _items(path, kind, tick, lot, sort), symbol)
        except DataError as error:
            yield Imported(path, error=error)


def _items(
    path: Path, kind: str, tick: Any, lot: Any, sort: bool
) -> list[Bars] | list[Trades] | list[Quotes] | list[Rows]:
    if kind != "bars" and kind_in(path) == kind:
        if tick is not None or lot is not None:
            raise DataError(f"{path}: names its own tick and lot; leave out the others")
        return [read_rows(path)]
    if kind in ("depth", "orders"):
        raise DataError(f"{path}: no file of {kind} with the columns of the catalog; such are written by `data synth`")
    if kind == "bars":
        steps = (None if value is None else Step.of(value, name) for value, name in ((tick, "tick"), (lot, "lot")))
        return [loaded.bars for loaded in load(path, None, *steps)]
    source: Source = sources_in(path)[0]
    return trades_in(source, tick, lot, sort) if kind == "trades" else quotes_in(source, tick, lot, sort)


def _imported(
    catalog: Catalog,
    path: Path,
    venue: str,
    items: list[Bars] | list[Trades] | list[Quotes] | list[Rows],
    symbol: str | None,
) -> Imported:
    if symbol is not None and len(items) > 1:
        names = ", ".join(item.symbol for item in items[:6])
        raise DataError(f"{path.name}: holds several instruments ({names}); leave out the symbol")
    with path.open("rb") as file:
        origin = Origin(path.name, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    appended, notes = [], []
    for item in items:
        named = item if symbol is None else replace(item, symbol=symbol)
        rows = named if isinstance(named, Rows) else rows_of(named)
        key = Key(venue, rows.symbol, rows.kind, rows.every)
        appended.append(catalog.dataset(key).append(rows, origin))
        notes += [note for note in item.notes if note not in notes]
    return Imported(path, tuple(appended), tuple(notes))
