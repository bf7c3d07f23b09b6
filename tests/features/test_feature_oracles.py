"""nt-features against libraries that others wrote: TA-Lib and polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader import _core
from random_markets import Market

SEEDS = range(20)


def feature(market: Market, name: str, *parameters: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(_core.feature_column(name, parameters, *market.columns, market.volume))


def assert_close(ours: Any, theirs: Any, tolerance: float = 1e-9, floor: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=floor)


@pytest.fixture(scope="module")
def talib() -> Any:
    return pytest.importorskip("talib", reason="TA-Lib is the optional oracle of this test: pip install ta-lib")


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    high, low, close, volume = (
        column.astype(float) for column in (market.high, market.low, market.close, market.volume)
    )
    n = 3 + seed
    assert_close(feature(market, "sma", n), talib.SMA(close, n))
    assert_close(feature(market, "volume_mean", n), talib.SMA(volume, n))
    assert_close(feature(market, "ema", n), talib.EMA(close, n))
    assert_close(feature(market, "rsi", n), talib.RSI(close, n))
    assert_close(feature(market, "atr", n), talib.ATR(high, low, close, n))
    assert_close(feature(market, "highest", n), talib.MAX(high, n))
    assert_close(feature(market, "lowest", n), talib.MIN(low, n))
    assert_close(feature(market, "momentum", n, 0), talib.ROCP(close, n), floor=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
def test_macd_equals_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    fast, slow, signal = 3 + seed, 9 + 2 * seed, 2 + seed
    line, smoothed, _ = talib.MACD(market.close.astype(float), fast, slow, signal)
    level = float(market.close.max())
    ours = feature(market, "macd", fast, slow)
    # TA-Lib holds the line back until the signal is there too.
    assert_close(np.where(np.isnan(line), np.nan, ours), line, floor=1e-12 * level)
    assert_close(feature(market, "macd_signal", fast, slow, signal), smoothed, floor=1e-12 * level)


def test_deviation_equals_talib_where_talib_does_not_cancel(talib: Any) -> None:
    # TA-Lib subtracts two rolling float sums; at small prices they are exact, and there the two must agree.
    market = Market.of(5_000, *np.random.default_rng(3).integers(-9, 10, (1, 300)), *np.zeros((3, 300), dtype=np.int64))
    assert_close(feature(market, "deviation", 20), talib.STDDEV(market.close.astype(float), 20))


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_polars(seed: int) -> None:
    market = Market.seeded(seed)
    n = 3 + seed
    frame = pl.DataFrame({"high": market.high, "low": market.low, "close": market.close, "volume": market.volume})
    close = pl.col("close").cast(pl.Float64)
    theirs = frame.select(
        sma=close.rolling_mean(n),
        deviation=close.rolling_map(lambda window: window.std(ddof=0), n),
        highest=pl.col("high").cast(pl.Float64).rolling_max(n),
        lowest=pl.col("low").cast(pl.Float64).rolling_min(n),
        volatility=close.pct_change().rolling_map(lambda window: window.std(), n),
        volume_mean=pl.col("volume").cast(pl.Float64).rolling_mean(n),
        momentum=close.shift(2) / close.shift(n) - 1,
    ).fill_null(float("nan"))
    for name in theirs.columns:
        parameters = (n, 2) if name == "momentum" else (n,)
        assert_close(feature(market, name, *parameters), theirs[name].to_numpy(), floor=1e-15)
