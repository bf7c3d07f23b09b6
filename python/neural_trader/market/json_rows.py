"""Rows of a JSON document as columns of text: what a venue answered, or what another tool has kept of it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from neural_trader.errors import DataError
from neural_trader.market.faults import Table

if TYPE_CHECKING:
    import polars as pl

_OF_KRAKEN = {
    "bar": (("time", "open", "high", "low", "close", "vwap", "volume", "count"), (8,)),
    "trade": (("price", "quantity", "time", "side", "order_type", "misc", "trade_id"), (6, 7)),
}
"""Fields of a row of Kraken's answers, which name none, and how many of them there are."""
Names = Callable[[list[str]], list[str] | None]


@dataclass(frozen=True)
class _Rows:
    names: list[str]
    rows: list[list[Any]]
    symbol: str = ""


def read_json(path: Path, row: str, names: Names, notes: list[str]) -> Table:
    """The rows of a document: a list of objects, a list of lists, or Kraken's answer to a request of trades or bars.

    Numbers are kept as the text that they are, and never become floats. ``row`` is what a row is, in a word; ``names``
    tells the fields of a list from those of the first one.
    """
    found = _rows_in(_document(path), path.name, row, names, notes)
    frame = _frame(found)
    if frame.is_empty():
        raise DataError(f"{path.name}: no {row}s in the document")
    return Table(frame, path.name)


def _document(path: Path) -> Any:
    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number")

    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode("utf-8-sig")
        # Decimals stay the digits that were written.
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=refuse)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(f"{path.name}: the compressed file is damaged or incomplete; download it again") from None
    except OSError as error:
        raise DataError(f"{path.name}: cannot be opened ({error.strerror}); check its permissions") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: cannot be read as JSON ({error}); check that it is complete") from None


def _rows_in(document: Any, source: str, row: str, names: Names, notes: list[str]) -> _Rows:
    if isinstance(document, dict) and "result" in document:
        return _of_kraken(document, source, row, notes)
    if not isinstance(document, list):
        raise DataError(f"{source}: holds no list of {row}s; readable are lists of objects or of lists")
    if not document:
        raise DataError(f"{source}: no {row}s in the document")
    first = document[0]
    if all(isinstance(each, dict) for each in document):
        keys = list(dict.fromkeys(key for each in document for key in each))
        return _Rows(keys, [[each.get(key) for key in keys] for each in document])
    if not all(isinstance(each, list) and len(each) == len(first) for each in document):
        raise DataError(f"{source}: its rows are not all objects, or lists of one length; write them alike")
    known = names(["" if cell is None else str(cell) for cell in first])
    if known is None:
        raise DataError(f"{source}: rows without names, such as {json.dumps(first)[:80]}; write them as objects")
    notes.append(f"rows without names: fields taken in the order {', '.join(known)}")
    known += [f"field {number}" for number in range(len(known) + 1, len(first) + 1)]
    return _Rows(known, document)


def _of_kraken(document: dict[str, Any], source: str, row: str, notes: list[str]) -> _Rows:
    """``{"error": [], "result": {PAIR: [[...], ...], "last": ...}}``, whose last bar is not finished yet."""
    result = document["result"]
    if document.get("error") or not isinstance(result, dict):
        raise DataError(f"{source}: the venue answered {json.dumps(document.get('error'))}; ask it again")
    pairs = {name: rows for name, rows in result.items() if name != "last"}
    fields, lengths = _OF_KRAKEN.get(row, ((), ()))
    if len(pairs) != 1 or not isinstance(rows := next(iter(pairs.values())), list):
        raise DataError(f"{source}: holds {len(pairs)} pairs; an answer about {row}s has one")
    if not all(isinstance(each, list) and len(each) in lengths and len(each) == len(rows[0]) for each in rows):
        raise DataError(f"{source}: its rows are no {row}s as Kraken lists them; say with --kind what they are")
    if row == "bar":
        last = int(result.get("last", 0))
        finished = [each for each in rows if int(each[0]) <= last]
        if len(finished) < len(rows):
            notes.append(f"{len(rows) - len(finished)} bar left out: it was not finished when the venue answered")
        rows = finished
    symbol = next(iter(pairs))
    notes.append(f"an answer of Kraken about {symbol}")
    return _Rows(list(fields[: len(rows[0])] if rows else fields), rows, symbol)


def _frame(found: _Rows) -> pl.DataFrame:
    import polars as pl

    def cell(value: Any) -> str | None:
        # What is no text by now is true, false, or an object that nobody will take for a price.
        return value if value is None or isinstance(value, str) else json.dumps(value)

    columns = {
        name: pl.Series(name, [cell(row[place]) for row in found.rows], dtype=pl.String)
        for place, name in enumerate(found.names)
    }
    if found.symbol:
        columns["symbol"] = pl.Series("symbol", [found.symbol], dtype=pl.String).new_from_index(0, len(found.rows))
    return pl.DataFrame(list(columns.values()))
