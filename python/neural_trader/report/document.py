"""The JSON document of a run, schema ``neural-trader.result/1``: made, written and read back.

``docs/result-schema.md`` describes every field. Within ``/1`` fields are only ever added; a field that changes its
meaning or goes away makes a new schema.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.errors import DataError
from neural_trader.report.atomic import write_text
from neural_trader.report.display import rfc3339
from neural_trader.report.fill_quality import fill_quality
from neural_trader.report.outcome import drawdowns, initial_cash
from neural_trader.report.risk_section import risk_of
from neural_trader.report.thinning import points

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from neural_trader.market.bars import Series
    from neural_trader.report.metrics import Stats
    from neural_trader.report.outcome import Floats, Outcome, Times

SCHEMA = "neural-trader.result/1"

_EMBEDDED = re.compile(r'<script type="application/json" id="result">(.*?)</script>', re.DOTALL)


def to_document(result: Outcome, stats: Stats | None = None, rows: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The document of a result. ``rows`` limits tables to their first rows (as a page does; a JSON file does not)."""
    stats = stats or result.stats
    tables = {"trades": result.trades, "orders": result.orders, "fills": result.fills}
    quality, risk = fill_quality(result), risk_of(result)
    kept = {name: frame if rows is None else frame.head(rows[name]) for name, frame in tables.items()}
    return {
        "schema": SCHEMA,
        "version": result.version,
        "hash": result.hash,
        "digests": dict(result.digests),
        "run": _plain(result.run),
        "origin": _plain(result.origin),
        "data": [_describe(series) for series in result.series],
        "stats": dict(stats),
        "undefined": dict(stats.undefined),
        "benchmark": None
        if not result.has_benchmark
        else {"stats": dict(stats.benchmark), "undefined": dict(stats.benchmark_undefined)},
        "equity": _equity(result),
        "tables": {
            name: {"total": frame.height, "given": kept[name].height, "columns": frame.columns}
            for name, frame in tables.items()
        },
        **({} if quality is None else {"fill_quality": quality.document()}),
        **({} if result.honesty is None else {"honesty": result.honesty.document()}),
        **({} if risk is None else {"risk": risk.document()}),
        **({"ladder": [rung.document() for rung in result.ladder]} if result.ladder else {}),
        **({"figures": dict(result.figures)} if result.figures else {}),
        **{name: _records(frame) for name, frame in kept.items()},
        **({} if result.account is None else {"account": result.account}),
        "warnings": list(result.warnings),
    }


def encode(document: dict[str, Any], indent: int | None = None) -> str:
    """The document as strict JSON: no NaN and no Infinity; the same document always gives the same text."""
    separators = (",", ":") if indent is None else None
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)


def write_document(result: Outcome, path: Path) -> Path:
    """Write the complete document as a JSON file, wholly or not at all; returns its path."""
    return write_text(Path(path), encode(to_document(result)) + "\n")


def read_document(path: Path | str) -> dict[str, Any]:
    """Read the document from a ``.json`` file, or from an HTML report in which it is embedded."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give a report or JSON document that a backtest wrote") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a report ({error})") from error
    if not text.lstrip().startswith("{"):
        embedded = _EMBEDDED.search(text)
        if embedded is None:
            raise DataError(f"{path}: neither a JSON document nor a report with a document in it")
        text = embedded.group(1)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataError(f"{path}: the JSON document is damaged ({error})") from error
    schema = document.get("schema")
    if schema != SCHEMA:
        raise DataError(f"{path}: its schema is {schema!r}; this version reads {SCHEMA!r}")
    return dict(document)


def _describe(series: Series) -> dict[str, Any]:
    rows = len(series)
    return {
        "symbol": series.symbol,
        "origin": series.origin,
        "source": series.source,
        "rows": rows,
        "start": rfc3339(series.start_ns) if rows else None,
        "end": rfc3339(series.end_ns) if rows else None,
        "interval_ns": int(series.interval_ns),
        "tick": str(series.tick),
        "lot": str(series.lot),
        "notes": list(series.notes),
    }


def _equity(result: Outcome) -> dict[str, Any]:
    deposit = initial_cash(result)
    drawn = points(drawdowns(deposit, result.blocks()), result.samples)
    return {
        "total": result.samples,
        "given": len(drawn.time_ns),
        "deposit": deposit,
        "time": _times(drawn.time_ns),
        "equity": _numbers(drawn.equity),
        "drawdown": _numbers(drawn.drawdown),
        "benchmark": None if drawn.benchmark is None else _numbers(drawn.benchmark),
    }


def _times(times: Times) -> list[str]:
    return [rfc3339(int(time)) for time in times]


def _numbers(values: Floats) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as JSON values: times as RFC 3339, decimals as text, what is not finite as null."""
    import polars as pl

    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.Datetime):
            columns.append(column.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        elif isinstance(kind, pl.Decimal):
            columns.append(column.cast(pl.String))
        elif isinstance(kind, pl.Duration):
            columns.append(column.dt.total_nanoseconds() / 1e9)
        elif kind in (pl.Float32, pl.Float64):
            columns.append(pl.when(column.is_finite()).then(column).alias(name))
        elif isinstance(kind, pl.Categorical | pl.Enum):
            columns.append(column.cast(pl.String))
    return frame.with_columns(columns).to_dicts()


def _plain(value: Any) -> Any:
    """A value of ``run`` as JSON: unknown types as text, so that a parameter of any type can be reported."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)
