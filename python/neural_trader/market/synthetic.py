"""Synthetic markets: bars that look like markets, the same on every machine, without any download."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.times import instant_ns_of, interval_ns_of, interval_text

SYMBOLS = ("ALPHA", "BRAVO", "CHARLIE")
BARS = 3 * 365 * 24
"""Three years of hourly bars."""
_BARS_MAX = 50_000_000


def synthetic_bars(
    seed: int = 7,
    symbols: Iterable[str] | str = SYMBOLS,
    bars: int = BARS,
    interval: str | int | timedelta = "1h",
    start: Any = "2022-01-01",
) -> tuple[Bars, ...]:
    """Makes the bars of a market of several instruments that share a common factor, sorted by symbol.

    The same arguments give the same bars on every machine. Each instrument has a stream of its own, keyed by seed and
    symbol: adding symbols changes no other instrument, and asking for more bars extends the series.
    """
    import numpy as np

    from neural_trader import _native

    names = [symbols] if isinstance(symbols, str) else list(symbols)
    if not names or len(set(names)) != len(names):
        raise DataError(f"symbols {names}: name each instrument once, and at least one")
    for name in names:
        if not name or any(ord(letter) < 32 for letter in name):
            raise DataError(f"symbol {name!r} cannot be used; name the instrument in letters and digits")
    if not 0 <= seed < 2**64:
        raise DataError(f"seed {seed} is not between 0 and 2**64 - 1; choose another")
    interval_ns, start_ns = interval_ns_of(interval), instant_ns_of(start, "start")
    if not 1 <= bars <= _BARS_MAX:
        raise DataError(f"{bars} bars cannot be made; ask for 1 to {_BARS_MAX}")
    if not -(2**62) < start_ns + bars * interval_ns < 2**62:
        raise DataError(f"{bars} bars of {interval_text(interval_ns)} run beyond the year 2116; ask for fewer")
    names.sort(key=str.encode)
    open_ns = start_ns + np.arange(bars, dtype=np.int64) * interval_ns
    close_ns = open_ns + interval_ns
    made = []
    tick = Step(1, _native.SYNTHETIC_TICK_DECIMALS)
    source = f"synthetic market {_native.SYNTHETIC_VERSION}, seed {seed}"
    for name, columns in zip(names, _native.synthetic_market(seed, names, bars, start_ns, interval_ns), strict=True):
        for column in (open_ns, close_ns, *columns):
            column.flags.writeable = False
        opens, highs, lows, closes, volume = columns
        made.append(Bars(
            name, tick, Step(1, 0), open_ns, close_ns, opens, highs, lows, closes, volume,
            origin="synthetic", source=source, interval_ns=interval_ns,
            notes=("made by a random number generator: no result on it says anything about a real market",),
        ))  # fmt: skip
    return tuple(made)
