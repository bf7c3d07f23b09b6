"""Orders, levels and trades in single Parquet files: the columns of the catalog, and in the metadata what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neural_trader.errors import DataError
from neural_trader.market.catalog.manifest import METADATA, SCHEMA, step_of
from neural_trader.market.catalog.rows import KINDS, Rows, counts_of, dtype_of
from neural_trader.market.faults import Fault
from neural_trader.market.times import time_text
from neural_trader.market.writing import replace_whole

PARQUET = (".parquet", ".pq")


def write_rows(rows: Rows, path: Path) -> Path:
    """Writes rows to a Parquet file, whole or not at all."""
    if path.suffix.lower() not in PARQUET:
        raise DataError(f"{path.name}: {rows.kind} are written as Parquet; name the file with .parquet")
    document = {
        "schema": SCHEMA, "symbol": rows.symbol, "kind": rows.kind, "tick": str(rows.tick), "lot": str(rows.lot),
        "columns": list(rows.columns), "made": rows.made,
    }  # fmt: skip
    metadata = {METADATA: json.dumps(document, ensure_ascii=False)}
    replace_whole(path, lambda target: rows.frame.write_parquet(target, compression="zstd", metadata=metadata))
    return path


def kind_in(path: Path) -> str | None:
    """The kind of rows that a file says it holds; None if it is no such file."""
    return None if (document := _said(path)) is None else str(document["kind"])


def read_rows(path: Path) -> Rows:
    """The rows of a file of :func:`write_rows`, or of a catalog's, each proved to lie on the grid that it names."""
    import polars as pl

    document = _said(path)
    if document is None:
        raise DataError(f"{path}: says nothing of its rows; write it with `neural-trader data synth`, or export it")
    try:
        kind = KINDS[document["kind"]]
        rows = Rows(
            document["symbol"], document["kind"], document.get("every", ""), step_of(document["tick"]),
            step_of(document["lot"]), tuple(document["columns"]), pl.read_parquet(path, glob=False), document["made"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read as rows of a catalog ({error}); write it again") from None
    wanted = {name: dtype_of(what) for name, what in kind.columns.items()}
    if dict(rows.frame.schema) != wanted:
        raise DataError(f"{path}: {rows.kind} have the columns {', '.join(wanted)}; write it again")
    for name, what in kind.columns.items():
        if what in ("price", "quantity"):
            _refuse_off_grid(path, rows, name, what)
    return rows


def _refuse_off_grid(path: Path, rows: Rows, name: str, what: str) -> None:
    step = rows.tick if what == "price" else rows.lot
    column = rows.frame[name].drop_nulls()
    try:
        counts_of(column.to_numpy(), step)
    except Fault as fault:
        raise DataError(f"{path}, row {fault.row}: {name} {column[fault.row]} is no multiple of {step}") from None


def describe_rows(path: Path) -> dict[str, Any]:
    """What such a file holds, as plain data."""
    rows = read_rows(path)
    times = rows.frame[KINDS[rows.kind].time].to_physical()
    described: dict[str, Any] = {
        "path": str(path),
        "symbol": rows.symbol,
        "kind": rows.kind,
        "rows": len(rows.frame),
        "start": time_text(times[0]) if len(times) else None,
        "end": time_text(times[-1]) if len(times) else None,
        "tick": str(rows.tick),
        "lot": str(rows.lot),
        "made": rows.made or None,
    }
    if "action" in rows.frame.columns:
        counts = rows.frame["action"].value_counts(sort=True).sort("count", "action", descending=[True, False])
        described["actions"] = dict(counts.iter_rows())
    return described


def _said(path: Path) -> dict[str, Any] | None:
    """What the metadata of a Parquet file say of its rows."""
    import polars as pl

    if path.suffix.lower() not in PARQUET or not path.is_file():
        return None
    try:
        document = json.loads(pl.read_parquet_metadata(path).get(METADATA, "null"))
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    return document if isinstance(document, dict) and document.get("kind") in KINDS else None
