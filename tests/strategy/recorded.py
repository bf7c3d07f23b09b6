"""Runs that write down what a strategy decided, and seeded bars to run them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neural_trader.backtesting import backtest
from neural_trader.market.bars import Bars, Step
from neural_trader.strategy import Bar, Strategy

DAY_NS = 86_400_000_000_000
START_NS = 1_577_836_800_000_000_000


@dataclass(frozen=True)
class Decision:
    """One target that the strategy set, at the close of the bar with this index."""

    index: int
    symbol: str
    fraction: float
    stop_loss: float | None = None


@dataclass
class Recorded:
    """What happened in a run, bar by bar for each symbol."""

    decisions: list[Decision] = field(default_factory=list)
    """Targets that the strategy set, those of overlays left out."""
    positions: dict[str, list[float]] = field(default_factory=dict)
    """Position that the strategy saw at each close."""
    result: Any = None

    @property
    def equity(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.asarray(self.result.equity_curve)


def bars_of(symbol: str, ohlc: np.ndarray[Any, Any], interval_ns: int = DAY_NS) -> Bars:
    """Bars from rows of open, high, low and close in ticks of 0.01, with lots of 0.0001 and volume to spare."""
    open_ns = START_NS + interval_ns * np.arange(len(ohlc), dtype=np.int64)
    opened, high, low, close = (np.ascontiguousarray(column, dtype=np.int64) for column in ohlc.T)
    return Bars(
        symbol=symbol,
        tick=Step(1, 2),
        lot=Step(1, 4),
        open_ns=open_ns,
        close_ns=open_ns + interval_ns,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=np.full(len(ohlc), 10**12, dtype=np.int64),
        interval_ns=interval_ns,
    )


def random_bars(seed: int, size: int = 1500, symbol: str = "AAA", volatility: float = 0.006) -> Bars:
    """A random walk with slow trends, gaps at the open, and a restlessness that changes by a factor of four."""
    draw = np.random.default_rng(seed)
    pace = volatility * np.repeat(draw.choice([0.5, 1.0, 2.0], size // 100 + 1), 100)[:size]
    trend = np.repeat(draw.normal(0.0, 0.15, size // 60 + 1), 60)[:size]
    ohlc = np.empty((size, 4))
    price = 100_00.0
    for t in range(size):
        opened = price * (1.0 + 0.2 * pace[t] * draw.standard_normal())
        path = opened * np.cumprod(1.0 + pace[t] * (trend[t] / 6 + draw.standard_normal(6) / np.sqrt(6)))
        ohlc[t] = opened, max(opened, path.max()), min(opened, path.min()), path[-1]
        price = max(path[-1], 10_00.0)
    return bars_of(symbol, np.maximum(np.round(ohlc), 1.0))


def record(
    strategy: type[Strategy], bars: Bars | Sequence[Bars], *, overlays: Sequence[Any] = (), **parameters: Any
) -> Recorded:
    """Run a strategy without costs and write down its decisions."""
    recorded = Recorded()

    class Recording(strategy):  # type: ignore[misc, valid-type]
        def on_start(self) -> None:
            super().on_start()
            recorded.positions.update({symbol: [] for symbol in self.symbols})
            self.deciding = False

        def on_bar(self, bar: Bar) -> None:
            recorded.positions[bar.symbol].append(self.position())
            self.symbol_of_bar = bar.symbol
            self.deciding = True
            super().on_bar(bar)
            self.deciding = False

        def on_moment(self, time_ns: int) -> None:
            self.deciding = True
            super().on_moment(time_ns)
            self.deciding = False

        def target(self, fraction: float | None = None, **rest: Any) -> Any:
            if self.deciding:
                assert fraction is not None
                symbol = rest.get("symbol") or self.symbol_of_bar
                index = len(recorded.positions[symbol]) - 1
                recorded.decisions.append(Decision(index, symbol, fraction, rest.get("stop_loss")))
            return super().target(fraction, **rest)

    several = [bars] if isinstance(bars, Bars) else list(bars)
    recorded.result = backtest(
        Recording, several, parameters=parameters, overlays=list(overlays), cash=1_000_000, fee=0, slippage=0
    )
    return recorded
