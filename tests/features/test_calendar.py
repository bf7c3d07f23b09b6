"""Sessions and seasons: how times are read, and what polars makes of the same bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.errors import UsageError
from neural_trader.features import FeatureSet
from neural_trader.strategy.expressions import Formula
from random_markets import Market

START = datetime(2024, 3, 4, tzinfo=UTC)


def bars(minutes: int = 30, rows: int = 500) -> pl.DataFrame:
    columns = Market.seeded(7, rows).columns
    times = pl.datetime_range(START, START + timedelta(minutes=minutes * (rows - 1)), f"{minutes}m", eager=True)
    return pl.DataFrame(columns).with_columns(time=times)


def test_a_session_is_a_day_unless_said_otherwise() -> None:
    frame = bars()
    made = nt.features.session(frame)
    day = pl.col("time").dt.date()
    wanted = frame.select(
        open=pl.col("open").first().over(day),
        high=pl.col("high").cum_max().over(day),
        low=pl.col("low").cum_min().over(day),
        since=pl.int_range(pl.len()).over(day).cast(float),
    )
    assert made.select("open", "high", "low", "since").equals(wanted)
    assert made["range"].equals(made["high"] - made["low"], check_names=False)


def test_a_session_may_open_before_midnight_and_pause() -> None:
    frame = bars()
    made = nt.features.session(frame, start=22 * 60, minutes=8 * 60)
    hour = frame["time"].dt.hour()
    outside = (hour >= 6) & (hour < 22)
    assert made["open"].is_null().equals(outside, check_names=False)
    # Each night is one session, though it is of two days.
    night = (pl.col("time") + pl.duration(hours=2)).dt.date()
    inside = frame.with_columns(made.select(pl.all().name.prefix("of_"))).filter(~outside)
    assert inside.select((pl.col("of_high") == pl.col("high").cum_max().over(night)).all()).item()
    assert inside.select((pl.col("of_since") == pl.int_range(pl.len()).over(night)).all()).item()


@pytest.mark.parametrize(("minutes", "days"), [(60, 1), (30, 7), (1440, 7), (10080, 7), (45, 1)])
def test_a_season_is_the_mean_of_what_came_before_in_its_slot(minutes: int, days: int) -> None:
    frame = bars(rows=1500)
    mean, count = (nt.features.seasonality(frame, minutes, days)[name] for name in ("mean", "count"))
    slot = (pl.col("time").dt.epoch("s") // 60) % (days * 1440) // minutes
    before = pl.int_range(pl.len()).over(slot)
    wanted = frame.select(mean=(pl.col("close").cum_sum() - pl.col("close")).over(slot) / before, count=before)
    assert count.equals(wanted["count"].cast(float), check_names=False)
    np.testing.assert_allclose(mean.to_numpy(), wanted["mean"].fill_nan(None).to_numpy(), rtol=1e-12)


def test_the_present_value_is_no_part_of_its_season() -> None:
    frame = bars(rows=200)
    other = frame.with_columns(close=pl.when(pl.int_range(pl.len()) == 199).then(1e9).otherwise("close"))
    assert nt.features.seasonality(frame).equals(nt.features.seasonality(other))


def test_times_are_read_in_every_form() -> None:
    frame = bars()
    close, times = frame["close"].to_numpy(), frame["time"]
    nanoseconds = times.dt.timestamp("ns").to_numpy()
    wanted = nt.features.seasonality(close, nanoseconds)
    forms: tuple[Any, ...] = (
        nanoseconds.astype(float), nanoseconds.tolist(), times.to_list(), times.dt.replace_time_zone(None),
        times.dt.cast_time_unit("ms"), times.dt.convert_time_zone("America/New_York"), pd.Series(nanoseconds),
        pd.DatetimeIndex(times.to_list()).tz_convert("Asia/Tokyo"), nanoseconds.astype("datetime64[ns]"),
        nanoseconds.astype("datetime64[ns]").astype("datetime64[s]"), times.dt.replace_time_zone(None).to_numpy(),
    )  # fmt: skip
    for form in forms:
        for ours, theirs in zip(nt.features.seasonality(close, form), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(UsageError, match="times are dates with times of day, or nanoseconds since 1970"):
        nt.features.seasonality(close, ["2024-03-04"] * len(close))


def test_a_nanosecond_before_midnight_is_the_day_before() -> None:
    midnight = 19_786 * 86_400 * 10**9
    since = nt.features.session([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [midnight - 1, midnight]).since
    assert since.tolist() == [0.0, 0.0]


def test_a_hole_begins_session_and_seasons_anew() -> None:
    frame = bars(rows=60).with_columns(high=pl.when(pl.int_range(pl.len()) == 10).then(None).otherwise("high"))
    made = nt.features.session(frame)
    assert made["since"][8:13].to_list() == [8.0, 9.0, None, 0.0, 1.0] and made["open"][11] == frame["open"][11]


def test_a_set_takes_times_row_by_row() -> None:
    frame = bars(rows=100)
    features = FeatureSet({"day": "session", "usual": "seasonality(volume, time, 60)"})
    assert features.inputs == ("open", "high", "low", "time", "volume")
    made = features.columns(frame)
    rows = np.array([features.update(*row).copy() for row in frame.select(features.inputs).iter_rows()])
    np.testing.assert_array_equal(rows, made.to_numpy())
    with pytest.raises(TypeError):
        FeatureSet(["sma(2)"]).update(START)


def test_formulas_know_the_time_of_their_bars() -> None:
    (data,) = nt.synthetic_bars(seed=3, symbols=("ALPHA",), bars=400)
    opening, range_ = nt.bars.session(), nt.bars.session(start=60).range
    formula = Formula.of(entry=nt.close > opening.open + range_ * 0.5, exit=opening.since < 1)
    assert repr(formula.roles["exit"]) == "bars.session(0, 1440).since < 1"
    assert Formula.from_document(formula.document()).hash == formula.hash
    result = nt.backtest(nt.formula(**formula.roles), data=data, look_ahead=False)
    columns = [getattr(data, name).astype(float) for name in ("open", "high", "low")]
    made = nt.features.session(*columns, data.open_ns)
    entry = data.close > made.open + nt.features.session(*columns, data.open_ns, 60).range * 0.5
    held, orders = False, 0
    for enters, leaves in zip(entry, made.since < 1, strict=True):
        if (held and leaves) or (not held and enters and not leaves):
            held, orders = not held, orders + 1
    assert orders > 10 and len(result.orders) == orders
