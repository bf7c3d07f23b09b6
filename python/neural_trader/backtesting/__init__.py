"""Running strategies over bars, and what comes of it."""

from neural_trader.backtesting.result import Result
from neural_trader.backtesting.run import backtest

__all__ = ["Result", "backtest"]
