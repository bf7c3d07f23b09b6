"""neural-trader: a trading engine whose backtests can be checked.

>>> import neural_trader as nt
>>> result = nt.backtest("sma_cross")
>>> len(result.hash)
64
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neural_trader import features
    from neural_trader._native import Bar, Indicator, Tick, __version__
    from neural_trader.backtesting.replay import replay
    from neural_trader.backtesting.result import Result
    from neural_trader.backtesting.run import backtest
    from neural_trader.backtesting.sweeping.sweep import sweep
    from neural_trader.backtesting.sweeping.walkforward import walkforward
    from neural_trader.errors import NeuralTraderError, RunStopped
    from neural_trader.market import Bars, load_bars, synthetic_bars
    from neural_trader.strategy.base import Fill, Order, Strategy
    from neural_trader.strategy.expressions import (
        P,
        atr,
        bars,
        bars_per_year,
        close,
        formula,
        high,
        low,
        open,  # noqa: A004
        share,
        volatility_target,
        volume,
    )

# Where each public name lives. It is imported when it is first used, so that `neural-trader --help` starts fast.
_HOMES = {
    "Bar": "_native",
    "Bars": "market",
    "Fill": "strategy.base",
    "Indicator": "_native",
    "NeuralTraderError": "errors",
    "Order": "strategy.base",
    "P": "strategy.expressions",
    "Result": "backtesting.result",
    "RunStopped": "errors",
    "Strategy": "strategy.base",
    "Tick": "_native",
    "__version__": "_native",
    "atr": "strategy.expressions",
    "backtest": "backtesting.run",
    "bars": "strategy.expressions",
    "bars_per_year": "strategy.expressions",
    "close": "strategy.expressions",
    "features": "",
    "formula": "strategy.expressions",
    "high": "strategy.expressions",
    "load_bars": "market",
    "low": "strategy.expressions",
    "open": "strategy.expressions",
    "parse_formula": "strategy.expressions",
    "replay": "backtesting.replay",
    "share": "strategy.expressions",
    "sweep": "backtesting.sweeping.sweep",
    "synthetic_bars": "market",
    "volatility_target": "strategy.expressions",
    "volume": "strategy.expressions",
    "walkforward": "backtesting.sweeping.walkforward",
}

__all__ = [
    "Bar",
    "Bars",
    "Fill",
    "Indicator",
    "NeuralTraderError",
    "Order",
    "P",
    "Result",
    "RunStopped",
    "Strategy",
    "Tick",
    "__version__",
    "atr",
    "backtest",
    "bars",
    "bars_per_year",
    "close",
    "features",
    "formula",
    "high",
    "load_bars",
    "low",
    "open",
    "parse_formula",
    "replay",
    "share",
    "sweep",
    "synthetic_bars",
    "volatility_target",
    "volume",
    "walkforward",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    # A room of its own is the module of its name.
    module = importlib.import_module(f"{__name__}.{home or name}")
    value = getattr(module, name) if home else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
