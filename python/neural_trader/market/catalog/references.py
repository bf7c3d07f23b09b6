"""``catalog:VENUE/INSTRUMENT[/KIND]``: how datasets are named where files can be named too."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from neural_trader.errors import DataError
from neural_trader.market.catalog.names import spelled, split_kind
from neural_trader.market.catalog.store import Catalog, Dataset
from neural_trader.market.catalog.stored import StoredBars
from neural_trader.market.loading import window_of
from neural_trader.market.sources import suggestion

PREFIX = "catalog:"


def is_reference(text: object) -> bool:
    """Whether this names datasets of the catalog rather than a file."""
    return isinstance(text, str) and text.startswith(PREFIX)


def with_kind(reference: str, kind: str | None) -> str:
    """The reference with the kind in it, so that it alone says what is meant."""
    try:
        split_kind(reference.rpartition("/")[2])
    except DataError:
        return reference if kind is None else f"{reference}/{kind}"
    return reference


def datasets_of(reference: str, kind: str | None = None, catalog: Catalog | None = None) -> list[Dataset]:
    """The datasets that a reference names; ``*`` stands for any venue, or any part of a symbol.

    The symbol is written as it is or as its folder is spelled. The kind is the last part, such as ``trades`` or
    ``bars-5m``, or that of the argument, or any.
    """
    catalog = catalog or Catalog()
    venue, _, rest = reference.removeprefix(PREFIX).strip("/").partition("/")
    symbol, _, last = rest.rpartition("/")
    try:
        named = split_kind(last)
    except DataError:
        symbol, named = rest, None
    wanted = named or (None if kind is None else split_kind(kind))
    symbol = symbol or "*"
    known = catalog.datasets()
    found = [
        dataset
        for dataset in known
        if fnmatchcase(dataset.key.venue, venue or "*")
        and (fnmatchcase(dataset.key.symbol, symbol) or fnmatchcase(spelled(dataset.key.symbol), symbol))
        and (wanted is None or (dataset.key.kind == wanted[0] and wanted[1] in ("", dataset.key.every)))
    ]
    if not found:
        near = suggestion(reference.removeprefix(PREFIX), [str(dataset.key) for dataset in known])
        what = "nothing" if not known else f"no {kind or 'data'} of that name"
        raise DataError(
            f"{reference}: {what} in the catalog {catalog.root}{near}; `neural-trader data list` shows what is there"
        )
    return found


def bars_of_catalog(
    reference: str, kind: str | None = None, symbols: Sequence[str] | None = None, start: Any = None, end: Any = None
) -> tuple[StoredBars, ...]:
    """The bars that a reference names, sorted by symbol; they are read file by file when they are played."""
    start_ns, end_ns = window_of(start, end)
    found = datasets_of(reference, kind or "bars")
    by_symbol: dict[str, Dataset] = {}
    for dataset in found:
        if dataset.key.kind != "bars":
            raise DataError(
                f"{dataset.key}: a backtest plays bars; `neural-trader data bars` makes them of {dataset.key.kind}"
            )
        if (other := by_symbol.setdefault(dataset.key.symbol, dataset)) is not dataset:
            raise DataError(
                f"{reference}: names {other.key} and {dataset.key}; say which, such as {PREFIX}{dataset.key}"
            )
    for symbol in symbols or ():
        if symbol not in by_symbol:
            raise DataError(f"{reference}: no symbol {symbol!r}{suggestion(symbol, list(by_symbol))}")
    chosen = sorted(symbols or by_symbol, key=str.encode)
    return tuple(by_symbol[symbol].bars(start_ns, end_ns) for symbol in chosen)
