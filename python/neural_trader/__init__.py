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
    from neural_trader.errors import NeuralTraderError
    from neural_trader.market import Bars, load_bars, synthetic_bars
    from neural_trader.strategy.base import Fill, Order, Strategy

# Where each public name lives. It is imported when it is first used, so that `neural-trader --help` starts fast.
_HOMES = {
    "Bar": "_native",
    "Bars": "market",
    "Fill": "strategy.base",
    "Indicator": "_native",
    "NeuralTraderError": "errors",
    "Order": "strategy.base",
    "Result": "backtesting.result",
    "Strategy": "strategy.base",
    "Tick": "_native",
    "__version__": "_native",
    "backtest": "backtesting.run",
    "features": "",
    "load_bars": "market",
    "replay": "backtesting.replay",
    "synthetic_bars": "market",
}

__all__ = [
    "Bar",
    "Bars",
    "Fill",
    "Indicator",
    "NeuralTraderError",
    "Order",
    "Result",
    "Strategy",
    "Tick",
    "__version__",
    "backtest",
    "features",
    "load_bars",
    "replay",
    "synthetic_bars",
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
