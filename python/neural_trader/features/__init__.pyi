"""Features: what can be measured on series of prices, volumes, quotes and trades."""

from typing import Any

from neural_trader.features.across import bottom_across as bottom_across
from neural_trader.features.across import count_across as count_across
from neural_trader.features.across import demean_across as demean_across
from neural_trader.features.across import mean_across as mean_across
from neural_trader.features.across import neutralise_across as neutralise_across
from neural_trader.features.across import rank_across as rank_across
from neural_trader.features.across import scale_across as scale_across
from neural_trader.features.across import top_across as top_across
from neural_trader.features.across import winsorise_across as winsorise_across
from neural_trader.features.across import zscore_across as zscore_across
from neural_trader.features.chaos import LyapunovTest as LyapunovTest
from neural_trader.features.chaos import lyapunov as lyapunov
from neural_trader.features.chaos import lyapunov_test as lyapunov_test
from neural_trader.features.profile import MatrixProfile as MatrixProfile
from neural_trader.features.profile import matrix_profile as matrix_profile
from neural_trader.features.sets import FeatureSet as FeatureSet
from neural_trader.features.table import Kind as Kind
from neural_trader.features.table import Parameter as Parameter
from neural_trader.features.table import table as table

__all__ = [
    "FeatureSet",
    "Kind",
    "LyapunovTest",
    "MatrixProfile",
    "Parameter",
    "bottom_across",
    "count_across",
    "demean_across",
    "lyapunov",
    "lyapunov_test",
    "matrix_profile",
    "mean_across",
    "neutralise_across",
    "rank_across",
    "scale_across",
    "table",
    "top_across",
    "winsorise_across",
    "zscore_across",
]

def log_return(series: Any, n: int = 1) -> Any:
    """Logarithm of the ratio to the value n rows ago."""

def simple_return(series: Any, n: int = 1) -> Any:
    """Ratio to the value n rows ago, less 1."""

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

def roc(series: Any, n: int = 10) -> Any:
    """Rate of change: return of the last n steps in percent."""

def rsi(series: Any, n: int = 14) -> Any:
    """Relative strength index, 0 to 100, Wilder's smoothing."""

def adx(high: Any, low: Any = ..., close: Any = ..., n: int = 14) -> Any:
    """Directional movement: its index, and both directions."""

def aroon(high: Any, low: Any = ..., n: int = 14) -> Any:
    """How lately the extremes of n + 1 bars were, 100 for now."""

def cci(high: Any, low: Any = ..., close: Any = ..., n: int = 20) -> Any:
    """Commodity channel index of the typical price."""

def mfi(high: Any, low: Any = ..., close: Any = ..., volume: Any = ..., n: int = 14) -> Any:
    """Money flow index, 0 to 100: an RSI of volume at typical prices."""

def stochastic(high: Any, low: Any = ..., close: Any = ..., n: int = 14, smooth: int = 3, signal: int = 3) -> Any:
    """Place of the close in the range of n bars, 0 to 100."""

def williams_r(high: Any, low: Any = ..., close: Any = ..., n: int = 14) -> Any:
    """Williams's %R: distance from the high of n bars, 0 to -100."""

def atr(high: Any, low: Any = ..., close: Any = ..., n: int = 14) -> Any:
    """Average true range, Wilder's smoothing over n bars."""

def deviation(series: Any, n: int = 20) -> Any:
    """Population standard deviation of the last n values."""

def ewma_volatility(series: Any, decay: float = 0.94) -> Any:
    """Root of the exponentially weighted mean of squared log returns."""

def garch(series: Any, omega: float = 1e-06, alpha: float = 0.1, beta: float = 0.85) -> Any:
    """Volatility of the next step by a GARCH(1, 1) filter of log returns."""

def garman_klass(open: Any, high: Any = ..., low: Any = ..., close: Any = ..., n: int = 20) -> Any:
    """Volatility of n bars from open, high, low and close."""

def parkinson(high: Any, low: Any = ..., n: int = 20) -> Any:
    """Volatility of n bars from high and low."""

def realised(series: Any, n: int = 20) -> Any:
    """Root mean square of the last n log returns."""

def rogers_satchell(open: Any, high: Any = ..., low: Any = ..., close: Any = ..., n: int = 20) -> Any:
    """Volatility of n bars from open, high, low and close, any drift."""

def true_range(high: Any, low: Any = ..., close: Any = ...) -> Any:
    """Reach of a bar, the close before it included."""

def volatility(series: Any, n: int = 20) -> Any:
    """Sample standard deviation of the last n simple returns."""

def yang_zhang(open: Any, high: Any = ..., low: Any = ..., close: Any = ..., n: int = 20) -> Any:
    """Volatility of n bars, any drift and jumps at the opening."""

def bollinger(series: Any, n: int = 20, width: float = 2.0) -> Any:
    """Mean of n values, and width deviations to both sides."""

def donchian(high: Any, low: Any = ..., n: int = 20) -> Any:
    """Lowest low and highest high of n bars, and their middle."""

def highest(series: Any, n: int = 20) -> Any:
    """Largest of the last n values, this one included."""

def keltner(high: Any, low: Any = ..., close: Any = ..., n: int = 20, range: int = 10, width: float = 2.0) -> Any:
    """ema(n) of the close, and width atr(range) to both sides."""

def lowest(series: Any, n: int = 20) -> Any:
    """Smallest of the last n values, this one included."""

def accumulation(high: Any, low: Any = ..., close: Any = ..., volume: Any = ...) -> Any:
    """Volume accumulated by where closes stand in their bars."""

def anchored_vwap(series: Any, volume: Any = ..., anchor: Any = ...) -> Any:
    """Mean price by volume since the anchor was last other than 0."""

def obv(close: Any, volume: Any = ...) -> Any:
    """On-balance volume: that of rises less that of falls."""

def vwap(high: Any, low: Any = ..., close: Any = ..., volume: Any = ..., n: int = 20) -> Any:
    """Mean typical price of n bars by volume."""

def autocorrelation(series: Any, n: int = 50, lag: int = 1) -> Any:
    """Correlation of n values with those lag rows before them."""

def entropy(series: Any, n: int = 100, order: int = 3) -> Any:
    """Permutation entropy of n patterns of order values, 0 to 1."""

def hurst(series: Any, n: int = 100) -> Any:
    """Hurst exponent: 0 for noise, 1/2 for a random walk, 1 for a trend."""

def kurtosis(series: Any, n: int = 20) -> Any:
    """Excess kurtosis of the last n values, of a sample."""

def quantile(series: Any, n: int = 20, q: float = 0.5) -> Any:
    """Value below which a share q of the last n values lies."""

def rank(series: Any, n: int = 20) -> Any:
    """Rank of the value among the last n, as a share of n."""

def regression(series: Any, n: int = 20) -> Any:
    """Straight line through n values: slope per row, value now, R^2."""

def skew(series: Any, n: int = 20) -> Any:
    """Skewness of the last n values, of a sample."""

def variance(series: Any, n: int = 20) -> Any:
    """Sample variance of the last n values, divisor n - 1."""

def zscore(series: Any, n: int = 20) -> Any:
    """Deviations by which the value is above the mean of the last n."""

def beta(x: Any, y: Any = ..., n: int = 20) -> Any:
    """Slope of x on y: covariance over the variance of y."""

def correlation(x: Any, y: Any = ..., n: int = 20) -> Any:
    """Pearson's correlation of the last n pairs."""

def covariance(x: Any, y: Any = ..., n: int = 20) -> Any:
    """Sample covariance of the last n pairs, divisor n - 1."""

def amihud(close: Any, volume: Any = ..., n: int = 20) -> Any:
    """Illiquidity: mean of |return| over turnover, n bars."""

def corwin_schultz(high: Any, low: Any = ..., n: int = 20) -> Any:
    """Spread as a share of the price, from highs and lows."""

def imbalance(bid_size: Any, ask_size: Any = ...) -> Any:
    """Bid size less ask size over their sum, -1 to 1."""

def kyle_lambda(price: Any, quantity: Any = ..., side: Any = ..., n: int = 100) -> Any:
    """Price change per unit of signed volume: slope of n trades."""

def microprice(bid: Any, ask: Any = ..., bid_size: Any = ..., ask_size: Any = ...) -> Any:
    """Mid price weighted by the sizes of the other side."""

def order_flow_imbalance(bid: Any, ask: Any = ..., bid_size: Any = ..., ask_size: Any = ..., n: int = 20) -> Any:
    """What was added to bids less what was added to asks, n quotes."""

def roll_spread(series: Any, n: int = 50) -> Any:
    """Spread from the bounce of prices: 2 sqrt(-cov) of n changes."""

def trade_imbalance(quantity: Any, side: Any = ..., n: int = 20) -> Any:
    """Bought less sold over all traded, n trades, -1 to 1."""

def vpin(quantity: Any, side: Any = ..., bucket: float = 1000.0, n: int = 50) -> Any:
    """Mean |bought - sold| of the last n buckets of volume, 0 to 1."""

def left_profile(series: Any, n: int = 20, lookback: int = 250) -> Any:
    """Distance of the last n values to the past ones most like them."""

def seasonality(series: Any, time: Any = ..., minutes: int = 60, days: int = 1) -> Any:
    """Mean of earlier values in the same minutes of the day or week."""

def session(open: Any, high: Any = ..., low: Any = ..., time: Any = ..., start: int = 0, minutes: int = 1440) -> Any:
    """The session so far: open, high, low, range, bars since it opened."""
