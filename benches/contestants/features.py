"""Columns of features: Rust, the plain Python twin, and where they have the same one, TA-Lib and polars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from worker import Job, serve

import neural_trader as nt
from neural_trader.baseline import features as baseline
from neural_trader.features import FeatureSet
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
TWENTY = (
    *("sma(10)", "sma(50)", "sma(200)", "ema(12)", "ema(26)", "rsi(14)", "rsi(2)", "deviation(20)", "deviation(100)"),
    *("highest(20)", "highest(55)", "lowest(10)", "lowest(20)", "atr(14)", "atr(20)", "macd(12, 26, 9)", "wma(20)"),
    *("momentum(252, 0)", "stochastic(14, 3, 3)", "bollinger(20, 2)"),
)
"""Twenty features as a strategy would use them, of which TA-Lib has each."""
TOGETHER = "twenty at once"
EVENTS = "twenty, event by event"
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


def talib_twenty(high: Any, low: Any, close: Any) -> dict[str, Callable[[], Any]]:
    """The first output of each of the twenty, made with all others, where TA-Lib is installed."""
    try:
        import talib
    except ImportError:
        return {}
    made: dict[str, Callable[[int], Any]] = {
        "sma": lambda n: talib.SMA(close, n),
        "ema": lambda n: talib.EMA(close, n),
        "rsi": lambda n: talib.RSI(close, n),
        "deviation": lambda n: talib.STDDEV(close, n),
        "highest": lambda n: talib.MAX(high, n),
        "lowest": lambda n: talib.MIN(low, n),
        "atr": lambda n: talib.ATR(high, low, close, n),
        "macd": lambda _: talib.MACD(close, 12, 26, 9)[0],
        "wma": lambda n: talib.WMA(close, n),
        "momentum": lambda n: talib.ROCP(close, n),
        "stochastic": lambda n: talib.STOCH(high, low, close, n, 3, 0, 3, 0)[0],
        "bollinger": lambda n: talib.BBANDS(close, n, 2, 2, 0)[2],
    }
    calls = {each: (each.split("(")[0], int(each.split("(")[1].split(",")[0].rstrip(")"))) for each in TWENTY}
    return {each: lambda name=name, n=n: made[name](n) for each, (name, n) in calls.items()}  # type: ignore[misc]


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
        self.twenty = talib_twenty(*floats)
        self._together()

    def _together(self) -> None:
        """Twenty features of one market: over its columns, and event by event."""
        features = FeatureSet(TWENTY)
        rows = list(zip(*(self.columns[name][:PLAIN_BARS].tolist() for name in features.inputs), strict=True))
        self.works[f"{TOGETHER}: Rust"] = lambda: features.columns(self.columns)
        self.works[f"{TOGETHER}: plain Python"] = lambda: [twins(each, self.columns) for each in TWENTY]
        if self.twenty:
            self.works[f"{TOGETHER}: TA-Lib"] = lambda: [work() for work in self.twenty.values()]

        def one_by_one() -> None:
            features.restart()
            for row in rows:
                features.update(*row)

        self.works[f"{EVENTS}: Rust"] = one_by_one
        self.works[f"{EVENTS}: plain Python"] = self.works[f"{TOGETHER}: plain Python"]

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
        wrong += self._wrong_together()
        parameters = FEATURES | {TOGETHER: (), EVENTS: ()}
        return {"wrong": wrong, "plain_bars": min(PLAIN_BARS, len(self.bars)), "parameters": parameters}

    def _wrong_together(self) -> list[str]:
        """Those of the twenty that differ from the twin, from TA-Lib, or between columns and events."""
        features, wrong = FeatureSet(TWENTY), []
        made = features.columns(self.columns)
        rows = zip(*(self.columns[name][:PLAIN_BARS].tolist() for name in features.inputs), strict=True)
        events = np.array([features.update(*row).copy() for row in rows])
        columns = np.array([column[: len(events)] for column in made.values()]).T
        if not np.array_equal(columns, events, equal_nan=True):
            wrong.append("columns and events")
        for each in TWENTY:
            first = next(name for name in features.outputs if name.split(".")[0] == each)
            ours = made[first]
            plain = np.array([np.nan if row is None else row[0] for row in twins(each, self.columns)])
            if not np.array_equal(plain, ours[: len(plain)], equal_nan=True):
                wrong.append(f"{each} and its twin")
            if each in self.twenty and not np.allclose(self.twenty[each]()[WARM:], ours[WARM:], rtol=1e-6, atol=1e-3):
                wrong.append(f"{each} and TA-Lib")
        return wrong


def twins(feature: str, columns: dict[str, Any]) -> Any:
    """A feature as it is written, in plain Python, over the first bars."""
    name, _, given = feature.rstrip(")").partition("(")
    inputs = [columns[str(field)][:PLAIN_BARS].tolist() for _, field in table()[name].inputs]
    return baseline.columns(name, [float(each) for each in given.split(",")], *inputs)


serve(Features)
