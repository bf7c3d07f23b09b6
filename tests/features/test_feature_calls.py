"""Features as functions of columns, sets of them, and the namespace of polars."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.errors import UsageError
from neural_trader.features import FeatureSet, table
from random_markets import Market

MARKET = Market.seeded(5, 200, whole=False)
FRAME = pl.DataFrame(MARKET.columns)
CLOSE = MARKET.columns["close"]


def test_a_feature_takes_every_sort_of_column() -> None:
    wanted = MARKET.feature("ema", 7)
    for column in (CLOSE, CLOSE.tolist(), pd.Series(CLOSE), np.repeat(CLOSE, 2)[::2]):
        np.testing.assert_array_equal(nt.features.ema(column, 7), wanted)
    counts = np.arange(10)
    assert nt.features.sma(counts, 4)[-1] == 7.5
    as_series = nt.features.ema(FRAME["close"], 7)
    assert as_series.name == "close" and as_series.null_count() == 6
    np.testing.assert_array_equal(as_series.to_numpy(), wanted)


def test_inputs_of_a_frame_are_found_by_name() -> None:
    wanted = pl.Series("atr", MARKET.feature("atr", 5)).fill_nan(None)
    assert nt.features.atr(FRAME, 5).equals(wanted)
    assert nt.features.atr(FRAME["high"], FRAME["low"], FRAME["close"], 5).equals(wanted)
    assert nt.features.sma(FRAME, 5).equals(nt.features.sma(FRAME["close"], n=5))
    # A column that is called as the input is meant before the field of bars.
    own = FRAME.with_columns(series=pl.col("volume"))
    np.testing.assert_array_equal(nt.features.sma(own, 5).to_numpy(), nt.features.sma(MARKET.columns["volume"], 5))


def test_several_outputs_have_names() -> None:
    line, signal, histogram = MARKET.outputs("macd", 3, 8, 4)
    arrays = nt.features.macd(CLOSE, 3, 8, 4)
    np.testing.assert_array_equal(arrays.line, line)
    np.testing.assert_array_equal(arrays.histogram, histogram)
    frame = nt.features.macd(FRAME, 3, slow=8, signal=4)
    assert frame.columns == ["line", "signal", "histogram"]
    np.testing.assert_array_equal(frame["signal"].to_numpy(), signal)


def test_expressions_give_what_arrays_give() -> None:
    made = FRAME.lazy().select(
        rsi=pl.col("close").nt.rsi(5),
        range=pl.struct("high", "low", "close").nt.atr(5),
        weighted=nt.features.vwma(pl.col("close"), pl.col("volume"), 5),
        signal=pl.col("close").nt.macd(3, 8, 4).struct.field("signal"),
    )
    assert made.collect_schema().dtypes() == [pl.Float64] * 4
    made = made.collect()
    np.testing.assert_array_equal(made["rsi"].to_numpy(), MARKET.feature("rsi", 5))
    np.testing.assert_array_equal(made["range"].to_numpy(), MARKET.feature("atr", 5))
    np.testing.assert_array_equal(made["weighted"].to_numpy(), MARKET.feature("vwma", 5))
    np.testing.assert_array_equal(made["signal"].to_numpy(), MARKET.outputs("macd", 3, 8, 4)[1])
    np.testing.assert_array_equal(FRAME["close"].nt.sma(4).to_numpy(), MARKET.feature("sma", 4))


def test_groups_are_computed_alone() -> None:
    frame = pl.DataFrame({"symbol": ["a", "b"] * 100, "close": CLOSE})
    made = frame.select(pl.col("close").nt.ema(9).over("symbol"))["close"].to_numpy()
    np.testing.assert_array_equal(made[::2], nt.features.ema(CLOSE[::2], 9))
    np.testing.assert_array_equal(made[1::2], nt.features.ema(CLOSE[1::2], 9))


def test_null_is_a_hole() -> None:
    column = FRAME["close"].set(pl.Series([at == 50 for at in range(200)]), None)
    made = nt.features.sma(column, 5)
    assert made[:4].null_count() == 4 and made[50:55].null_count() == 5 and made.null_count() == 9


def test_signatures_and_documents_are_those_of_the_table() -> None:
    assert str(inspect.signature(nt.features.macd)) == "(series, fast=12, slow=26, signal=9)"
    assert nt.features.kama.__doc__.startswith("Kaufman's adaptive average")
    assert set(table()) <= set(dir(nt.features))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: nt.features.sma(CLOSE, 2.5), "sma: n must be a whole number from 1 to 1000000, not 2.5"),
        (lambda: nt.features.sma(CLOSE, 2, 3), "takes at most 1 parameters, not 2"),
        (lambda: nt.features.sma(CLOSE, window=3), "cannot take window here"),
        (lambda: nt.features.sma(CLOSE, "x"), "parameters are numbers"),
        (lambda: nt.features.sma(14), "reads the columns series, or a frame that has them"),
        (lambda: nt.features.atr(CLOSE, CLOSE), "reads the columns high, low, close"),
        (lambda: nt.features.atr(CLOSE, CLOSE[1:], CLOSE), "low has 199 values and high has 200"),
        (lambda: nt.features.atr(FRAME.drop("low")), "atr reads low; the frame has open, high, close, volume"),
        (lambda: nt.features.sma(np.ones((2, 2))), "a column has one dimension, not 2"),
        (lambda: FeatureSet(["smaa(3)"]), "no feature is called 'smaa'"),
        (lambda: FeatureSet(["sma(3"]), "write it as"),
        (lambda: FeatureSet(["sma(close, volume, 3)"]), "reads 1 columns, not 2"),
        (lambda: FeatureSet(["sma(3)", "sma(3)"]), "two features of a set have one name"),
        (lambda: FeatureSet([]), "at least one feature"),
        (lambda: FeatureSet(["sma(0)"]), "sma: n must be a whole number from 1"),
        (lambda: FeatureSet(["atr"]).columns(FRAME.drop("low")), "the features read low; there are open"),
        (lambda: FeatureSet(["atr"]).columns({"high": [1], "low": [1, 2], "close": [1]}), "a column has 2 rows"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(wrong: object, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        wrong()  # type: ignore[operator]


def test_an_unknown_feature_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no feature is called 'smaa'"):
        nt.features.smaa(CLOSE)
    with pytest.raises(AttributeError, match="no feature is called 'smaa'"):
        pl.col("close").nt.smaa(3)


def test_a_set_computes_the_same_over_columns_and_event_by_event() -> None:
    features = FeatureSet({"fast": "sma(3)", "lots": "sma(volume, 4)", "macd": "macd(3, 8, 4)", "range": "atr(6)"})
    assert features.inputs == ("close", "volume", "high", "low")
    assert features.outputs == ("fast", "lots", "macd.line", "macd.signal", "macd.histogram", "range")
    assert features.warmup == 10
    made = features.columns(FRAME)
    np.testing.assert_array_equal(made["lots"].to_numpy(), nt.features.sma(MARKET.columns["volume"], 4))
    np.testing.assert_array_equal(made["range"].to_numpy(), MARKET.feature("atr", 6))
    assert features.columns(MARKET.columns).equals(made)
    for _ in range(2):
        rows = [features.update(*row).copy() for row in FRAME.select(features.inputs).iter_rows()]
        np.testing.assert_array_equal(np.array(rows), made.to_numpy())
        features.restart()
    with pytest.raises(ValueError, match="a row has 1 numbers where 4 are expected"):
        features.update(1.0)


def test_strategies_reach_every_feature_of_bars() -> None:
    (bars,) = nt.synthetic_bars(seed=3, symbols=("ALPHA",), bars=300)
    tick, lot = (step.mantissa / 10**step.decimals for step in (bars.tick, bars.lot))
    names = [kind.name for kind in table().values() if kind.of_bars]
    seen: dict[str, list[tuple[float, ...]]] = {name: [] for name in [*names, "lots"]}

    class Measuring(nt.Strategy):
        def on_start(self) -> None:
            self.handles = {name: self.feature(name) for name in names}
            self.handles["lots"] = self.feature("sma", series="volume")

        def on_bar(self, bar: nt.Bar) -> None:
            for name, handle in self.handles.items():
                several = handle if isinstance(handle, tuple) else (handle,)
                seen[name].append(tuple(each.value for each in several))

    nt.backtest(Measuring, data=bars, look_ahead=False)
    columns = {name: getattr(bars, name).astype(float) for name in ("open", "high", "low", "close", "volume")}
    columns["time"] = bars.open_ns
    for name in [*names, "lots"]:
        kind = table().get(name, table()["sma"])
        inputs = [columns["volume" if name == "lots" else str(field)] for _, field in kind.inputs]
        made = getattr(nt.features, kind.name)(*inputs)
        made = made if isinstance(made, tuple) else (made,)
        for at, ((_, unit), values) in enumerate(zip(kind.outputs, made, strict=True)):
            scale = {"price": tick, "volume": lot, "ratio": 1.0}
            worth = 1.0
            for each in ("volume" if name == "lots" else str(unit)).split():
                base, _, power = each.partition("^")
                worth *= scale[base] ** int(power or 1)
            handle = [row[at] for row in seen[name]]
            np.testing.assert_allclose(handle, values * worth, rtol=1e-13, err_msg=name)
