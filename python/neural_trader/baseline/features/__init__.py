"""Plain Python twins of every feature: the definition that ``nt-features`` must match to the last bit.

A twin takes one row of inputs at a time and returns its outputs, ``None`` while it warms up or where its formula has no
value. It never meets what is no number: :func:`columns` keeps that out, and begins anew after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from neural_trader.baseline.features.average import Dema, Ema, Hull, Kama, Sma, Tema, Vwma, Wma, wilder
from neural_trader.baseline.features.channel import Highest, Lowest
from neural_trader.baseline.features.momentum import Macd, Momentum, Rsi
from neural_trader.baseline.features.volatility import Atr, Deviation, Volatility

LARGEST = 1e60
"""Numbers beyond this in size are taken for none."""

TWINS: dict[str, Callable[..., Any]] = {
    "atr": Atr,
    "dema": Dema,
    "deviation": Deviation,
    "ema": Ema,
    "highest": Highest,
    "hull": Hull,
    "kama": Kama,
    "lowest": Lowest,
    "macd": Macd,
    "momentum": Momentum,
    "rsi": Rsi,
    "sma": Sma,
    "tema": Tema,
    "volatility": Volatility,
    "vwma": Vwma,
    "wilder": wilder,
    "wma": Wma,
}
"""What each feature is; the parameters are those of its row in the table, in order."""


def columns(name: str, parameters: Sequence[float], *inputs: Sequence[float]) -> list[tuple[float, ...] | None]:
    """Outputs of a feature at every row of the inputs; ``None`` where there is no value."""
    given = [int(value) if value == int(value) else value for value in parameters]
    twin = TWINS[name](*given)
    rows: list[tuple[float, ...] | None] = []
    for row in zip(*inputs, strict=True):
        if all(math.isfinite(number) and abs(number) <= LARGEST for number in row):
            values = twin.update(*row)
            rows.append((values,) if isinstance(values, float) else values)
        else:
            twin = TWINS[name](*given)
            rows.append(None)
    return rows
