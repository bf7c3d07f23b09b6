"""Columns of features: Rust, the plain Python twin, and where they have the same one, TA-Lib and polars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from worker import Job, serve

import neural_trader as nt
from neural_trader.baseline import features as baseline
from neural_trader.features.calls import evaluated
from neural_trader.features.table import table

FEATURES: dict[str, tuple[int, ...]] = {
    "sma": (20,),
    "ema": (20,),
    "rsi": (14,),
    "atr": (14,),
    "highest": (20,),
    "lowest": (20,),
    "deviation": (20,),
    "macd": (12, 26, 9),
    "momentum": (20, 0),
    "volatility": (20,),
}
FIELDS = ("open", "high", "low", "close")
PLAIN_BARS = 20_000
WARM = 500
"""Averages that begin in different ways have come together by then."""


def talib_columns(high: Any, low: Any, close: Any) -> dict[str, Callable[[], Any]]:
    """The same features of TA-Lib, where it is installed."""
    try:
        import talib
    except ImportError:
        return {}
    return {
        "sma": lambda: talib.SMA(close, 20),
        "ema": lambda: talib.EMA(close, 20),
        "rsi": lambda: talib.RSI(close, 14),
        "atr": lambda: talib.ATR(high, low, close, 14),
        "highest": lambda: talib.MAX(high, 20),
        "lowest": lambda: talib.MIN(low, 20),
        "macd": lambda: talib.EMA(close, 12) - talib.EMA(close, 26),
    }


def polars_columns(high: pl.Series, low: pl.Series, close: pl.Series) -> dict[str, Callable[[], Any]]:
    """The same features of polars."""
    return {
        "sma": lambda: close.rolling_mean(20),
        "ema": lambda: close.ewm_mean(span=20, adjust=False, min_samples=20),
        "highest": lambda: high.rolling_max(20),
        "lowest": lambda: low.rolling_min(20),
    }


class Features:
    """One work for each feature and side, on columns of floats; of several outputs the first is compared."""

    def __init__(self, job: Job) -> None:
        self.version = nt.__version__
        (self.bars,) = nt.load_bars(job["parquet"])
        self.columns = {name: np.ascontiguousarray(getattr(self.bars, name), dtype=float) for name in FIELDS}
        floats = [self.columns[name] for name in ("high", "low", "close")]
        self.others = {"TA-Lib": talib_columns(*floats), "polars": polars_columns(*map(pl.Series, floats))}
        self.works: dict[str, Callable[[], Any]] = {}
        for name, given in FEATURES.items():
            inputs = [self.columns[str(field)] for _, field in table()[name].inputs]
            short = [column[:PLAIN_BARS].tolist() for column in inputs]
            self.works[f"{name}: Rust"] = lambda name=name, given=given, inputs=inputs: evaluated(
                table()[name], inputs, given
            )[0]
            self.works[f"{name}: plain Python"] = lambda name=name, given=given, short=short: baseline.columns(
                name, given, *short
            )
            for side, columns in self.others.items():
                if name in columns:
                    self.works[f"{name}: {side}"] = columns[name]

    def result(self) -> dict[str, Any]:
        wrong = []
        for name in FEATURES:
            ours = self.works[f"{name}: Rust"]()
            plain = np.array([np.nan if row is None else row[0] for row in self.works[f"{name}: plain Python"]()])
            if not np.array_equal(plain, ours[: len(plain)], equal_nan=True):
                wrong.append(f"{name} and its twin")
            for side, columns in self.others.items():
                if name in columns:
                    theirs = np.asarray(columns[name]())
                    if not np.allclose(theirs[WARM:], ours[WARM:], rtol=1e-6, atol=1e-6):
                        wrong.append(f"{name} and {side}")
        return {"wrong": wrong, "plain_bars": min(PLAIN_BARS, len(self.bars)), "parameters": FEATURES}


serve(Features)
