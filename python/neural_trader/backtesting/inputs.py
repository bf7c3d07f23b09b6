"""The bars of a run, from whatever a user hands over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError, UsageError
from neural_trader.market import Bars, bars_of, load_bars, synthetic_bars
from neural_trader.market.catalog.references import bars_of_catalog, is_reference
from neural_trader.market.consistency import refuse_inconsistent
from neural_trader.market.loading import window_of, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader.market.bars import Series


def gather_bars(
    data: Any = None,
    *,
    kind: str | None = None,
    symbols: Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    seed: int,
) -> tuple[Series, ...]:
    """Bars sorted by symbol: from a file, folder or catalog, frames, ``Bars``, or the synthetic market for nothing.

    ``symbols`` selects, ``start`` and ``end`` keep bars that open within them. Those of a catalog stay in their files.
    """
    if is_reference(data):
        return bars_of_catalog(data, kind, symbols, start, end)
    if kind not in (None, "bars"):
        raise UsageError(f"kind {kind!r} says which dataset of a catalog is meant; data is not of a catalog")
    if isinstance(data, str) or hasattr(data, "__fspath__"):
        return load_bars(data, symbols=symbols, start=start, end=end)
    if data is None:
        found: Iterable[Bars] = synthetic_bars(seed, symbols) if symbols else synthetic_bars(seed)
    else:
        found = _in_memory(data)
        if symbols:
            found = _selected({bars.symbol: bars for bars in found}, symbols)
    window = window_of(start, end)
    return tuple(within(bars, *window) for bars in sorted(found, key=lambda bars: bars.symbol.encode()))


def _in_memory(data: Any) -> list[Bars]:
    if isinstance(data, Bars):
        return [_checked(data)]
    if isinstance(data, Mapping) and data and all(_is_table(value) for value in data.values()):
        return [
            _checked(value) if isinstance(value, Bars) else bars_of(value, symbol) for symbol, value in data.items()
        ]
    if isinstance(data, (list, tuple)) and data and all(isinstance(item, Bars) for item in data):
        known: set[str] = set()
        for bars in data:
            if bars.symbol in known:
                raise DataError(f"data: {bars.symbol} is there twice; keep one")
            known.add(bars.symbol)
        return [_checked(bars) for bars in data]
    if isinstance(data, Mapping) or hasattr(data, "columns"):
        # One table without a symbol of its own needs a name to be reported under.
        return [bars_of(data, "" if "symbol" in {str(name).lower() for name in _column_names(data)} else "DATA")]
    raise UsageError(
        f"data is a {type(data).__name__}; give a file or folder, a polars or pandas frame, "
        "a mapping of symbol to frame, Bars or a list of Bars"
    )


def _checked(bars: Bars) -> Bars:
    refuse_inconsistent(bars)
    return bars


def _is_table(value: Any) -> bool:
    return isinstance(value, (Bars, Mapping)) or hasattr(value, "columns")


def _column_names(data: Any) -> Iterable[Any]:
    return data.keys() if isinstance(data, Mapping) else data.columns


def _selected(found: dict[str, Bars], symbols: Sequence[str]) -> list[Bars]:
    for symbol in symbols:
        if symbol not in found:
            raise DataError(f"data: no symbol {symbol!r} here (found: {', '.join(found)})")
    return [found[symbol] for symbol in symbols]
