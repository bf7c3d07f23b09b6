"""nt-features against libraries that others wrote: TA-Lib and polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import neural_trader as nt
from random_markets import Market

SEEDS = range(20)
FLOORS = {"cci": 1e-7, "roc": 1e-13, "simple_return": 1e-15, "mfi": 1e-9, "williams_r": 1e-12}
"""What rounding leaves of a value near 0; TA-Lib's sums drift."""


def assert_close(ours: Any, theirs: Any, name: str, tolerance: float = 1e-9, floor: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg=name)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=floor, err_msg=name)


@pytest.fixture(scope="module")
def talib() -> Any:
    return pytest.importorskip("talib", reason="TA-Lib is the optional oracle of this test: pip install ta-lib")


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    high, low, close, volume = (market.columns[name] for name in ("high", "low", "close", "volume"))
    n = 3 + seed
    theirs = {
        "sma": talib.SMA(close, n),
        "ema": talib.EMA(close, n),
        "wma": talib.WMA(close, n),
        "dema": talib.DEMA(close, n),
        "tema": talib.TEMA(close, n),
        "kama": talib.KAMA(close, n),
        "rsi": talib.RSI(close, n),
        "roc": talib.ROC(close, n),
        "simple_return": talib.ROCP(close, n),
        "cci": talib.CCI(high, low, close, n),
        "mfi": talib.MFI(high, low, close, volume, n),
        "williams_r": talib.WILLR(high, low, close, n),
        "atr": talib.ATR(high, low, close, n),
        "highest": talib.MAX(high, n),
        "lowest": talib.MIN(low, n),
    }
    for name, column in theirs.items():
        assert_close(market.feature(name, n), column, name, floor=FLOORS.get(name, 0.0))
    assert_close(market.feature("momentum", n, 0), talib.ROCP(close, n), "momentum", floor=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
def test_macd_equals_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    fast, slow, signal = 3 + seed, 9 + 2 * seed, 2 + seed
    close = market.columns["close"]
    for ours, theirs in zip(
        market.outputs("macd", fast, slow, signal), talib.MACD(close, fast, slow, signal), strict=True
    ):
        assert_close(ours, theirs, "macd", floor=1e-12 * float(close.max()))


@pytest.mark.parametrize("seed", SEEDS)
def test_oscillators_of_several_outputs_equal_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed, 600)
    high, low, close = (market.columns[name] for name in ("high", "low", "close"))
    n = 3 + seed
    for ours, theirs in zip(
        market.outputs("stochastic", n, 3, 4), talib.STOCH(high, low, close, n, 3, 0, 4, 0), strict=True
    ):
        assert_close(ours, theirs, "stochastic", floor=1e-9)
    down, up = talib.AROON(high, low, n)
    for ours, theirs in zip(market.outputs("aroon", n), (up, down, talib.AROONOSC(high, low, n)), strict=True):
        assert_close(ours, theirs, "aroon", floor=1e-12)
    # Seeds differ, and are forgotten at the pace of the smoothing.
    adx, plus, minus = (each[20 * n :] for each in market.outputs("adx", n))
    assert_close(plus, talib.PLUS_DI(high, low, close, n)[20 * n :], "plus", 1e-6, 1e-6)
    assert_close(minus, talib.MINUS_DI(high, low, close, n)[20 * n :], "minus", 1e-6, 1e-6)
    assert_close(adx, talib.ADX(high, low, close, n)[20 * n :], "adx", 1e-6, 1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_channels_volume_and_lines_equal_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    high, low, close, volume = (market.columns[name] for name in ("high", "low", "close", "volume"))
    n, level = 3 + seed, float(close.max())
    upper, middle, lower = talib.BBANDS(close, n, 1.5, 1.5, 0)
    for ours, theirs in zip(market.outputs("bollinger", n, 1.5), (lower, middle, upper), strict=True):
        # TA-Lib's deviation cancels where prices are large.
        assert_close(ours, theirs, "bollinger", floor=1e-6 * level)
    assert_close(market.feature("true_range"), talib.TRANGE(high, low, close), "true_range")
    assert_close(market.feature("obv"), talib.OBV(close, volume), "obv")
    assert_close(market.feature("accumulation"), talib.AD(high, low, close, volume), "accumulation", floor=1e-6)
    slope, value, _ = market.outputs("regression", n)
    assert_close(slope, talib.LINEARREG_SLOPE(close, n), "regression", floor=1e-9 * level)
    assert_close(value, talib.LINEARREG(close, n), "regression", floor=1e-9 * level)


@pytest.mark.parametrize("seed", SEEDS)
def test_statistics_equal_pandas(seed: int) -> None:
    market = Market.seeded(seed, whole=seed % 2 == 0).with_quotes(np.random.default_rng(seed))
    n = 5 + seed
    close, x, y = (pd.Series(market.columns[name]) for name in ("close", "x", "y"))
    window = close.rolling(n)
    theirs = {
        "variance": window.var(),
        "zscore": (close - window.mean()) / window.std(ddof=0),
        "rank": window.rank(pct=True),
        "quantile": window.quantile(0.3),
        "skew": window.skew(),
        "kurtosis": window.kurt(),
        "correlation": x.rolling(n).corr(y),
        "covariance": x.rolling(n).cov(y),
        "beta": x.rolling(n).cov(y) / y.rolling(n).var(),
        "autocorrelation": close.rolling(n).corr(close.shift(2)),
        "realised": np.sqrt((np.log(close).diff() ** 2).rolling(n).mean()),
        "ewma_volatility": np.sqrt((np.log(close).diff() ** 2).ewm(alpha=0.06, adjust=False).mean()),
    }
    parameters = {"quantile": (n, 0.3), "autocorrelation": (n, 2), "ewma_volatility": ()}
    for name, column in theirs.items():
        # Pandas takes values off its sums, and loses as many digits as the series is far from 0.
        ours, values = market.feature(name, *parameters.get(name, (n,))), column.to_numpy()
        known = ~np.isnan(ours) & ~np.isnan(values)
        assert known.sum() >= (~np.isnan(ours)).sum() * 0.9, name
        assert_close(ours[known], values[known], name, 1e-5, 1e-6 if name != "variance" else 1e-12 * close.max() ** 2)


def test_volatilities_of_ranges_follow_their_formulas() -> None:
    market = Market.seeded(8)
    opened, high, low, close = (np.log(market.columns[name]) for name in ("open", "high", "low", "close"))
    n = 7

    def mean(values: Any) -> Any:
        return np.concatenate(
            [np.full(n - 1, np.nan), np.lib.stride_tricks.sliding_window_view(values, n).mean(axis=1)]
        )

    def variance(values: Any) -> Any:
        views = np.lib.stride_tricks.sliding_window_view(values, n)
        return np.concatenate([np.full(n - 1, np.nan), views.var(axis=1, ddof=1)])

    inside = (high - close) * (high - opened) + (low - close) * (low - opened)
    gap = np.concatenate([[np.nan], opened[1:] - close[:-1]])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    wanted = {
        "parkinson": mean((high - low) ** 2) / (4 * np.log(2)),
        "garman_klass": mean((high - low) ** 2 / 2 - (2 * np.log(2) - 1) * (close - opened) ** 2),
        "rogers_satchell": mean(inside),
        "yang_zhang": variance(gap) + k * variance(close - opened) + (1 - k) * mean(inside),
    }
    for name, column in wanted.items():
        assert_close(market.feature(name, n), np.sqrt(column), name, floor=1e-12)


def test_known_values_of_hurst_and_entropy() -> None:
    draw = np.random.default_rng(11)
    noise = draw.normal(size=20_000)
    still = np.zeros((2, 20_000))

    def hurst(series: Any) -> float:
        return float(nt.features.hurst(series, 19_000)[-1])

    assert hurst(np.cumsum(noise)) == pytest.approx(0.5, abs=0.02)
    assert hurst(noise) == pytest.approx(0.0, abs=0.02)
    assert hurst(np.arange(20_000.0)) == pytest.approx(1.0, abs=1e-12)
    assert nt.features.entropy(noise, 19_000, 3)[-1] == pytest.approx(1.0, abs=1e-3)
    assert nt.features.entropy(np.arange(100.0), 50, 4)[-1] == 0
    # Up and down by turns are two patterns of three values, equally frequent: ln 2 / ln 6.
    turns = Market.of(np.tile([1.0, -1.0], 50), still[:, :100], still[0, :100], 100.0).feature("entropy", 50, 3)
    assert turns[-1] == pytest.approx(np.log(2) / np.log(6), rel=1e-14)


def test_garch_follows_its_recursion() -> None:
    market = Market.seeded(4)
    returns = np.diff(np.log(market.columns["close"]))
    variance, wanted = returns[0] ** 2, [np.nan]
    for each in returns:
        variance = 1e-5 + 0.08 * each**2 + 0.9 * variance
        wanted.append(np.sqrt(variance))
    assert_close(market.feature("garch", 1e-5, 0.08, 0.9), np.array(wanted), "garch")


def test_deviation_equals_talib_where_talib_does_not_cancel(talib: Any) -> None:
    # TA-Lib subtracts two rolling float sums; at small prices they are exact, and there the two must agree.
    changes = np.random.default_rng(3).integers(-9, 10, 300).astype(float)
    market = Market.of(changes, np.zeros((2, 300)), np.zeros(300), 5_000.0)
    assert_close(market.feature("deviation", 20), talib.STDDEV(market.columns["close"], 20), "deviation")


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_polars(seed: int) -> None:
    market = Market.seeded(seed, whole=seed % 2 == 0)
    n = 3 + seed
    frame = pl.DataFrame(market.columns)
    close = pl.col("close")
    theirs = frame.select(
        sma=close.rolling_mean(n),
        deviation=close.rolling_map(lambda window: window.std(ddof=0), n),
        highest=pl.col("high").rolling_max(n),
        lowest=pl.col("low").rolling_min(n),
        volatility=close.pct_change().rolling_map(lambda window: window.std(), n),
        momentum=close.shift(2) / close.shift(n) - 1,
        vwma=(close * pl.col("volume")).rolling_sum(n) / pl.col("volume").rolling_sum(n),
    ).fill_null(float("nan"))
    for name in theirs.columns:
        parameters = (n, 2) if name == "momentum" else (n,)
        floor = 1e-13 * float(frame["close"].max()) if name == "deviation" else 1e-14
        assert_close(market.feature(name, *parameters), theirs[name].to_numpy(), name, floor=floor)
