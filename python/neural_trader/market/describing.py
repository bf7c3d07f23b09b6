"""What a file or folder of bars holds, as plain data for a reader or a program."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neural_trader.market.loading import Loaded, load
from neural_trader.market.times import interval_text, time_text


def describe(path: str | Path, symbols: Iterable[str] | str | None = None) -> dict[str, Any]:
    """Describes the bars of a file or folder: per instrument its span, interval, gaps, steps, columns and notes."""
    wanted = None if symbols is None else [symbols] if isinstance(symbols, str) else list(symbols)
    loaded = load(path, wanted, None, None)
    return {
        "path": str(path),
        "symbols": [item.bars.symbol for item in loaded],
        "bars": sum(len(item.bars) for item in loaded),
        "instruments": [_instrument(item) for item in loaded],
    }


def _instrument(item: Loaded) -> dict[str, Any]:
    from neural_trader import _native

    bars = item.bars
    _, gaps, widest_ns = _native.spacing(bars.open_ns)
    volume = bars.volume_units
    return {
        "symbol": bars.symbol,
        "file": item.file,
        "bars": len(bars),
        "start": time_text(bars.open_ns[0]),
        "end": time_text(bars.close_ns[-1]),
        "interval": interval_text(bars.interval_ns),
        "gaps": gaps,
        "widest_gap": interval_text(widest_ns) if gaps else None,
        "tick": str(bars.tick),
        "lot": str(bars.lot),
        "low": float(bars.low_price.min()),
        "high": float(bars.high_price.max()),
        "volume": None if volume is None else float(volume.sum()),
        "spread": bars.spread is not None,
        "columns": item.columns.roles(),
        "notes": list(bars.notes),
    }
