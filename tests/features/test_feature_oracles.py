"""nt-features against libraries that others wrote: TA-Lib and polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from random_markets import Market

SEEDS = range(20)


def assert_close(ours: Any, theirs: Any, name: str, tolerance: float = 1e-9, floor: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg=name)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=floor, err_msg=name)


@pytest.fixture(scope="module")
def talib() -> Any:
    return pytest.importorskip("talib", reason="TA-Lib is the optional oracle of this test: pip install ta-lib")


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_talib(talib: Any, seed: int) -> None:
    market = Market.seeded(seed)
    high, low, close = (market.columns[name] for name in ("high", "low", "close"))
    n = 3 + seed
    theirs = {
        "sma": talib.SMA(close, n),
        "ema": talib.EMA(close, n),
        "wma": talib.WMA(close, n),
        "dema": talib.DEMA(close, n),
        "tema": talib.TEMA(close, n),
        "kama": talib.KAMA(close, n),
        "rsi": talib.RSI(close, n),
        "atr": talib.ATR(high, low, close, n),
        "highest": talib.MAX(high, n),
        "lowest": talib.MIN(low, n),
    }
    for name, column in theirs.items():
        assert_close(market.feature(name, n), column, name)
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
