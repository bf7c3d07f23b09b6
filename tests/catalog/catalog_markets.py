"""Markets to be kept in catalogs, made from a seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neural_trader.market import Bars, Step
from neural_trader.market.ticks import Quotes, Trades

HOUR_NS = 3_600_000_000_000
START_NS = 1_704_067_200_000_000_000
"""2024-01-01."""


def some_bars(count: int = 3000, seed: int = 1, symbol: str = "BTC/USD", first: int = 0) -> Bars:
    """Hourly bars from a seed; more of them extend the series."""
    random = np.random.default_rng(seed)
    close = 6_000_000 + np.cumsum(random.integers(-900, 901, count))
    opened = np.concatenate([[6_000_000], close[:-1]])
    high = np.maximum(opened, close) + random.integers(0, 300, count)
    low = np.minimum(opened, close) - random.integers(0, 300, count)
    open_ns = START_NS + np.arange(count, dtype=np.int64) * HOUR_NS
    volume = random.integers(0, 10**9, count)
    whole = Bars(
        symbol, Step(1, 2), Step(1, 5), open_ns, open_ns + HOUR_NS, opened, high, low, close, volume,
        origin="file", interval_ns=HOUR_NS,
    )  # fmt: skip
    return whole.rows(first, count)


def some_trades(count: int = 5000, seed: int = 1, *, ids: bool = True, symbol: str = "ETHUSDT") -> Trades:
    """Trades over several days, many of them at the same time."""
    random = np.random.default_rng(seed)
    ts_ns = START_NS + np.cumsum(random.integers(0, 200, count) // 50) * 60_000_000_000
    price = 250_000 + np.cumsum(random.integers(-5, 6, count))
    quantity = random.integers(1, 10**7, count)
    side = random.choice(np.array([1, -1], np.int8), count)
    return Trades(
        symbol, Step(1, 2), Step(1, 5), ts_ns, price, quantity, side, np.arange(1000, 1000 + count) if ids else None
    )


def some_quotes(count: int = 4000, seed: int = 1) -> Quotes:
    random = np.random.default_rng(seed)
    ts_ns = START_NS + np.cumsum(random.integers(0, 3, count)) * 30_000_000_000
    bid = 110_000 + np.cumsum(random.integers(-2, 3, count))
    return Quotes("EUR_USD", Step(1, 5), Step(1, 0), ts_ns, bid, bid + random.integers(1, 20, count))


def part_of(trades: Trades, first: int, last: int) -> Trades:
    """The trades from one row up to, not including, another."""
    cut = {name: value[first:last] for name, value in vars(trades).items() if isinstance(value, np.ndarray)}
    return replace(trades, **cut)
