"""Features: what can be measured on series of prices, volumes, quotes and trades."""

from typing import Any

from neural_trader.features.sets import FeatureSet as FeatureSet
from neural_trader.features.table import Kind as Kind
from neural_trader.features.table import Parameter as Parameter
from neural_trader.features.table import table as table

__all__ = ["FeatureSet", "Kind", "Parameter", "table"]

def dema(series: Any, n: int = 20) -> Any:
    """Double exponential moving average."""

def ema(series: Any, n: int = 20) -> Any:
    """Exponential moving average, weight 2 / (n + 1)."""

def hull(series: Any, n: int = 20) -> Any:
    """Hull's moving average: wma(2 wma(n/2) - wma(n), sqrt(n))."""

def kama(series: Any, n: int = 10, fast: int = 2, slow: int = 30) -> Any:
    """Kaufman's adaptive average: fast in trends, slow in noise."""

def sma(series: Any, n: int = 20) -> Any:
    """Mean of the last n values."""

def tema(series: Any, n: int = 20) -> Any:
    """Triple exponential moving average."""

def vwma(series: Any, volume: Any = ..., n: int = 20) -> Any:
    """Mean of the last n values, weighted by volume."""

def wilder(series: Any, n: int = 20) -> Any:
    """Wilder's smoothing: exponential, weight 1 / n."""

def wma(series: Any, n: int = 20) -> Any:
    """Weighted moving average, weights 1 to n."""

def macd(series: Any, fast: int = 12, slow: int = 26, signal: int = 9) -> Any:
    """Fast minus slow exponential average, and its average."""

def momentum(series: Any, n: int = 10, skip: int = 0) -> Any:
    """Return from n values ago to skip values ago."""

def rsi(series: Any, n: int = 14) -> Any:
    """Relative strength index, 0 to 100, Wilder's smoothing."""

def atr(high: Any, low: Any = ..., close: Any = ..., n: int = 14) -> Any:
    """Average true range, Wilder's smoothing over n bars."""

def deviation(series: Any, n: int = 20) -> Any:
    """Population standard deviation of the last n values."""

def volatility(series: Any, n: int = 20) -> Any:
    """Sample standard deviation of the last n simple returns."""

def highest(series: Any, n: int = 20) -> Any:
    """Largest of the last n values, this one included."""

def lowest(series: Any, n: int = 20) -> Any:
    """Smallest of the last n values, this one included."""
