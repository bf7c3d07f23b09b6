"""Frames and mappings in memory become the same bars as files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from neural_trader.errors import DataError
from neural_trader.market import Bars, Step, bars_of

DAY_NS = 86_400 * 10**9
JAN_1 = 1_704_067_200 * 10**9
OPENS = [JAN_1, JAN_1 + DAY_NS, JAN_1 + 2 * DAY_NS]
PRICES = {
    "Open": [10.5, 11.0, 12.0],
    "High": [12.0, 13.0, 14.0],
    "Low": [9.25, 10.0, 11.0],
    "Close": [11.0, 12.0, 13.0],
    "Volume": [5, 6, 7],
}


def holds_the_bars(bars: Bars) -> bool:
    return (
        bars.symbol == "ABC"
        and bars.origin == "memory"
        and bars.open.tolist() == [1050, 1100, 1200]
        and bars.tick == Step(1, 2)
        and bars.lot == Step(1, 0)
        and bars.open_ns.tolist() == OPENS
        and bars.volume is not None
        and bars.volume.tolist() == [5, 6, 7]
    )


def pandas_frame(index: pd.Index[Any]) -> pd.DataFrame:
    return pd.DataFrame(PRICES, index=index)


DAYS = pd.date_range("2024-01-01", periods=3)
FRAMES: dict[str, Any] = {
    "pandas index": pandas_frame(DAYS),
    "pandas named index": pandas_frame(DAYS.rename("Date")),
    "pandas seconds index": pandas_frame(DAYS.as_unit("s")),
    "pandas New York index": pandas_frame(DAYS.tz_localize("UTC").tz_convert("America/New_York")),
    "pandas column": pandas_frame(DAYS).reset_index(names="timestamp"),
    "pandas zoned column": pandas_frame(DAYS.tz_localize("UTC")).reset_index(names="time"),
    "pandas text index": pandas_frame(pd.Index(["2024-01-01", "2024-01-02", "2024-01-03"])),
    "pandas object prices": pandas_frame(DAYS).astype({"Open": object}),
    "pandas two levels": pandas_frame(DAYS).set_axis(pd.MultiIndex.from_product([list(PRICES), ["ABC"]]), axis=1),
    "polars": pl.DataFrame({"time": OPENS, **PRICES}),
    "polars lazy": pl.LazyFrame({"time": OPENS, **PRICES}),
    "polars datetime": pl.DataFrame({"time": [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3)], **PRICES}),
    "mapping of lists": {"time": OPENS, **PRICES},
    "mapping of arrays": {"t": np.array(OPENS), **{name: np.array(column) for name, column in PRICES.items()}},
    "mapping of dates": {"date": np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[D]"), **PRICES},
    "Arrow": pl.DataFrame({"time": OPENS, **PRICES}).to_arrow(),
}


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES)
def test_each_kind_of_data_gives_the_same_bars(data: Any) -> None:
    assert holds_the_bars(bars_of(data, "ABC"))


def test_the_symbol_comes_from_the_data_where_it_has_one() -> None:
    frame = pl.DataFrame({"symbol": ["ABC"] * 3, "time": OPENS, **PRICES})
    assert holds_the_bars(bars_of(frame))
    assert holds_the_bars(bars_of(FRAMES["pandas two levels"]))
    many = pl.concat([frame, frame.with_columns(symbol=pl.lit("XYZ"))])
    assert holds_the_bars(bars_of(many, "ABC"))
    with pytest.raises(DataError, match="holds 2 symbols"):
        bars_of(many)


def test_several_tickers_side_by_side_are_refused_with_the_way_to_select_one() -> None:
    frame = pandas_frame(DAYS).set_axis(pd.MultiIndex.from_tuples([(name, name[0]) for name in PRICES]), axis=1)
    with pytest.raises(DataError, match=r"several tickers \(C, H, L, O, V\); select one with frame\.xs"):
        bars_of(frame, "A")


def test_bars_do_not_change_when_the_arrays_that_they_came_from_change() -> None:
    arrays = {"time": np.array(OPENS), **{name: np.array(column) for name, column in PRICES.items()}}
    arrays["Open"] = np.array([10, 11, 12])
    bars = bars_of(arrays, "ABC")
    for array in arrays.values():
        assert array.flags.writeable
        array[:] = 0
    assert bars.open_ns.tolist() == OPENS
    assert bars.open_price.tolist() == [10, 11, 12]
    assert bars.volume is not None
    assert bars.volume.tolist() == [5, 6, 7]


def test_single_precision_prices_are_read_as_the_decimals_they_came_from() -> None:
    singles = {name: np.array(column, np.float32) for name, column in PRICES.items()}
    singles["Close"] = np.array([11.07, 12.01, 13.0], np.float32)
    bars = bars_of({"time": OPENS, **singles}, "ABC")
    assert bars.close.tolist() == [1107, 1201, 1300]
    widened = {name: column.astype(np.float64) for name, column in singles.items()}
    again = bars_of({"time": OPENS, **widened}, "ABC")
    assert (again.close.tolist(), again.tick) == ([1107, 1201, 1300], Step(1, 2))
    assert any("single-precision" in note for note in again.notes)


def test_missing_times_and_prices_in_a_pandas_frame_are_named() -> None:
    frame = pandas_frame(DAYS)
    frame.loc[DAYS[1], "High"] = float("nan")
    with pytest.raises(DataError, match="row 1, column 'High'"):
        bars_of(frame, "ABC")
    with pytest.raises(DataError, match="row 1, column 'index': the value is missing"):
        bars_of(pandas_frame(pd.DatetimeIndex([DAYS[0], pd.NaT, DAYS[2]])), "ABC")
