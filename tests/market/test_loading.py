"""Files of every format and layout become the same bars, and say what was recognised."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from neural_trader.errors import DataError
from neural_trader.market import Bars, Step, describe, load_bars

DAY_NS = 86_400 * 10**9
JAN_1 = 1_704_067_200 * 10**9
HEADER = "time,open,high,low,close,volume"
LINES = ["2024-01-01,10.5,12,9.25,11,5", "2024-01-02,11,13,10,12,6", "2024-01-04,12,14,11,13,7.5"]


def only(path: Path, **options: object) -> Bars:
    (bars,) = load_bars(path, **options)  # type: ignore[arg-type]
    return bars


def noted(bars: Bars, *fragments: str) -> bool:
    return all(any(fragment in note for note in bars.notes) for fragment in fragments)


def holds_the_three_bars(bars: Bars) -> bool:
    return (
        bars.open_price.tolist() == [10.5, 11, 12]
        and bars.high_price.tolist() == [12, 13, 14]
        and bars.low_price.tolist() == [9.25, 10, 11]
        and bars.close_price.tolist() == [11, 12, 13]
        and bars.open_ns.tolist() == [JAN_1, JAN_1 + DAY_NS, JAN_1 + 3 * DAY_NS]
        and bars.close_ns.tolist() == [JAN_1 + DAY_NS, JAN_1 + 2 * DAY_NS, JAN_1 + 4 * DAY_NS]
        and bars.tick == Step(1, 2)
    )


def test_a_plain_file_gives_exact_columns_and_says_what_was_inferred(bars_file: Callable[..., Path]) -> None:
    bars = only(bars_file(HEADER, *LINES))
    assert holds_the_three_bars(bars)
    assert bars.open.tolist() == [1050, 1100, 1200]
    assert (bars.symbol, bars.origin, bars.interval_ns) == ("ABC", "file", DAY_NS)
    assert (bars.lot, bars.volume.tolist() if bars.volume is not None else None) == (Step(1, 1), [50, 60, 75])
    assert noted(bars, "'time' has dates", "tick 0.01 inferred", "lot 0.1 inferred")
    assert bars.source.endswith("ABC.csv")
    assert repr(bars) == "Bars(ABC: 3 bars every 1d, 2024-01-01 to 2024-01-05, tick 0.01, lot 0.1, file)"
    for column in (bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close, bars.volume):
        assert column is not None
        assert column.dtype == np.int64
        assert column.flags.c_contiguous
        assert not column.flags.writeable


TIMES = {
    "seconds": ("time", [1704067200, 1704153600, 1704326400], ["seconds since 1970, UTC, by the size"]),
    "milliseconds": ("time", [1704067200000, 1704153600000, 1704326400000], ["milliseconds", "by the size"]),
    "microseconds": ("time", [1704067200000000, 1704153600000000, 1704326400000000], ["microseconds"]),
    "nanoseconds": ("time", [JAN_1, JAN_1 + DAY_NS, JAN_1 + 3 * DAY_NS], ["nanoseconds"]),
    "named unit": ("open_time_ms", [1704067200000, 1704153600000, 1704326400000], ["milliseconds", "by its name"]),
    "float seconds": ("timestamp", ["1704067200.0", "1704153600.0", "1704326400.0"], ["seconds"]),
    "naive": ("date", ["2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-04 00:00:00"], ["no time zone"]),
    "zulu": ("Datetime", ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-04T00:00:00Z"], []),
    "offsets": (
        "Timestamp",
        ["2024-01-01 02:00+02:00", "2024-01-01 19:00-05:00", "2024-01-04 00:00+00:00"],
        ["offsets from UTC: converted"],
    ),
    "compact dates": ("date", [20240101, 20240102, 20240104], ["without separators"]),
    "compact moments": ("t", [20240101000000, 20240102000000, 20240104000000], ["without separators"]),
    "slashes": ("DATE", ["2024/01/01", "2024/01/02", "2024/01/04"], ["has dates"]),
    "no name": ("", ["2024-01-01", "2024-01-02", "2024-01-04"], ["has dates"]),
    "pandas index": ("Unnamed: 0", ["2024-01-01", "2024-01-02", "2024-01-04"], ["has dates"]),
}


@pytest.mark.parametrize(("name", "times", "notes"), TIMES.values(), ids=TIMES)
def test_each_form_of_time_gives_the_same_bars(
    name: str, times: list[object], notes: list[str], bars_file: Callable[..., Path]
) -> None:
    lines = [f"{time},{line.split(',', 1)[1]}" for time, line in zip(times, LINES, strict=True)]
    bars = only(bars_file(HEADER.replace("time", name), *lines))
    assert holds_the_three_bars(bars)
    assert noted(bars, *notes)


HEADERS = {
    "upper case": "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME",
    "letters": "t,o,h,l,c,v",
    "prefixed": "date,BTC_open,BTC_high,BTC_low,BTC_close,BTC_volume",
    "suffixed": "Date,Open_AAPL,High_AAPL,Low_AAPL,Close_AAPL,Volume_AAPL",
    "with price": "time,open_price,high_price,low_price,close_price,vol",
    "numbered": "timestamp,1. open,2. high,3. low,4. close,5. volume",
    "camel case": "openTime,openPrice,highPrice,lowPrice,closePrice,volume",
    "spaces": " time , open , high , low , close , volume ",
    "quoted": '"time","open","high","low","close","volume"',
    "quote currency": "time,open,high,low,close,volume_btc",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_each_spelling_of_the_names_is_recognised(header: str, bars_file: Callable[..., Path]) -> None:
    bars = only(bars_file(header, *LINES))
    assert holds_the_three_bars(bars)
    assert bars.volume is not None


def test_columns_without_a_role_are_ignored_and_named(bars_file: Callable[..., Path]) -> None:
    header = "Date,Open,High,Low,Close,Adj Close,Volume,quote_volume,open_interest,close_change,Dividends"
    bars = only(
        bars_file(header, *(f"{line[: line.rfind(',')]},1,{line[line.rfind(',') + 1 :]},1,1,1,1" for line in LINES))
    )
    assert holds_the_three_bars(bars)
    assert noted(bars, "ignored column(s): 'Adj Close', 'quote_volume', 'open_interest', 'close_change', 'Dividends'")


def test_the_volume_in_the_currency_that_is_bought_is_taken(bars_file: Callable[..., Path]) -> None:
    header = "unix,date,symbol,open,high,low,close,Volume USDT,Volume BTC"
    lines = [
        "1704067200000,2024-01-01,BTC/USDT,10,12,9,11,1000,5",
        "1704153600000,2024-01-02,BTC/USDT,10,12,9,11,2000,6",
    ]
    bars = only(bars_file("https://www.example.com", header, *lines, name="BTCUSDT.csv"))
    assert bars.symbol == "BTC/USDT"
    assert bars.volume is not None
    assert bars.volume.tolist() == [5, 6]
    assert noted(bars, "1 line(s) above the header skipped", "'Volume USDT'")


def test_dates_and_times_in_two_columns_are_joined(bars_file: Callable[..., Path]) -> None:
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    lines = ["2024.01.01\t00:00:00\t10.5\t12\t9.25\t11\t44\t0\t3", "2024.01.01\t01:00:00\t10.5\t12\t9.25\t11\t44\t0\t3"]
    bars = only(bars_file(header, *lines, name="EURUSD.csv"))
    assert bars.open_ns.tolist() == [JAN_1, JAN_1 + 3600 * 10**9]
    assert bars.volume is None
    assert noted(bars, "'<VOL>' is zero in every row", "'<TICKVOL>', '<SPREAD>'", "delimiter '\\t'")


@pytest.mark.parametrize(
    "lines",
    [
        ["1704067200000,10.5,12,9.25,11,5,1704153599999,1,2,3,4", "1704153600000,11,13,10,12,6,1704239999999,1,2,3,4"],
        ["20240101 000000;10.5;12;9.25;11;0", "20240102 000000;11;13;10;12;0"],
        ["2024.01.01,00:00,10.5,12,9.25,11,5", "2024.01.02,00:00,11,13,10,12,6"],
    ],
    ids=["Binance", "HistData", "MetaTrader 4"],
)  # fmt: skip
def test_exports_without_a_header_are_read_in_their_order(lines: list[str], bars_file: Callable[..., Path]) -> None:
    bars = only(bars_file(*lines))
    assert bars.open_price.tolist() == [10.5, 11]
    assert bars.low_price.tolist() == [9.25, 10]
    assert bars.open_ns.tolist() == [JAN_1, JAN_1 + DAY_NS]
    assert noted(bars, "no header")


def test_a_download_with_three_header_lines_is_read(bars_file: Callable[..., Path]) -> None:
    rows = ["2024-01-01,11,12,9.25,10.5,5", "2024-01-02,12,13,10,11,6", "2024-01-04,13,14,11,12,7"]
    bars = only(bars_file("Price,Close,High,Low,Open,Volume", "Ticker,X,X,X,X,X", "Date,,,,,", *rows))
    assert holds_the_three_bars(bars)
    assert noted(bars, "three header lines")


def test_blank_lines_are_skipped_and_line_numbers_stay_right(bars_file: Callable[..., Path]) -> None:
    assert holds_the_three_bars(only(bars_file(HEADER, LINES[0], "", LINES[1], "", "", LINES[2], "")))
    with pytest.raises(DataError, match="line 6"):
        load_bars(bars_file(HEADER, LINES[0], "", "", LINES[1], LINES[0]))


def test_compressed_and_columnar_files_give_the_same_bars(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *LINES]).encode()
    (tmp_path / "A.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "B.csv").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    (tmp_path / "C.csv").write_bytes(text.replace(b",", b";"))
    frame = pl.read_csv(text, try_parse_dates=True)
    frame.write_parquet(tmp_path / "D.parquet")
    frame.write_ipc(tmp_path / "E.feather", compression="zstd")
    frame.with_columns(pl.col("open", "high", "low", "close").cast(pl.Decimal(12, 5))).write_parquet(tmp_path / "F.pq")
    frame.with_columns(pl.col("open", "high", "low", "close").cast(pl.Float32)).write_ipc(tmp_path / "G.arrow")
    frame.with_columns(pl.col("time").cast(pl.Datetime("ms", "Europe/Berlin"))).write_parquet(tmp_path / "H.parquet")
    loaded = load_bars(tmp_path)
    assert [bars.symbol for bars in loaded] == list("ABCDEFGH")
    for bars in loaded:
        assert holds_the_three_bars(bars), bars
    assert noted(loaded[-1], "Europe/Berlin: converted to UTC")


def test_zstd_text_is_read(tmp_path: Path) -> None:
    import pyarrow as pa

    text = "\n".join([HEADER, *LINES]).encode()
    with pa.CompressedOutputStream(str(tmp_path / "A.csv.zst"), "zstd") as stream:
        stream.write(text)
    assert holds_the_three_bars(only(tmp_path / "A.csv.zst"))
    whole = (tmp_path / "A.csv.zst").read_bytes()
    (tmp_path / "A.csv.zst").write_bytes(whole[:-12])
    with pytest.raises(DataError, match=r"A\.csv\.zst: cannot be read as CSV"):
        load_bars(tmp_path / "A.csv.zst")


def test_one_long_file_holds_many_instruments(bars_file: Callable[..., Path]) -> None:
    lines = [f"{symbol},{line}" for line in LINES for symbol in ("B", "A")]
    path = bars_file("ticker," + HEADER, *lines)
    loaded = load_bars(path)
    assert [bars.symbol for bars in loaded] == ["A", "B"]
    assert all(holds_the_three_bars(bars) for bars in loaded)
    assert [bars.symbol for bars in load_bars(path, symbols="B")] == ["B"]
    assert [bars.symbol for bars in load_bars(path, symbols=["B", "A"])] == ["A", "B"]


def test_a_window_keeps_the_bars_that_open_within_it(bars_file: Callable[..., Path]) -> None:
    path = bars_file(HEADER, *LINES)
    for start, end, expected in [
        ("2024-01-02", None, [1, 2]),
        (None, "2024-01-02", [0]),
        (date(2024, 1, 2), datetime(2024, 1, 4, tzinfo=UTC), [1]),
        (np.datetime64("2024-01-01"), JAN_1 + DAY_NS + 1, [0, 1]),
        ("2023-01-01", "2025-01-01", [0, 1, 2]),
    ]:
        bars = only(path, start=start, end=end)
        assert bars.open_price.tolist() == [[10.5, 11, 12][row] for row in expected]
        assert bars.interval_ns == DAY_NS
        assert noted(bars, f"{len(expected)} of 3 bars kept")


def test_bars_labelled_at_their_close_open_an_interval_before(bars_file: Callable[..., Path]) -> None:
    lines = [f"2024-01-01T0{hour}:00Z,10,12,9,11" for hour in (1, 2, 4)]
    bars = only(bars_file("close_time,open,high,low,close", *lines))
    hour_ns = 3600 * 10**9
    assert bars.open_ns.tolist() == [JAN_1, JAN_1 + hour_ns, JAN_1 + 3 * hour_ns]
    assert bars.close_ns.tolist() == [JAN_1 + hour_ns, JAN_1 + 2 * hour_ns, JAN_1 + 4 * hour_ns]
    assert noted(bars, "labelled by their close")
    lines = [f"17040{moment}999,10,12,9,11" for moment in ("70799", "74399", "77999")]
    assert only(bars_file("close_time,open,high,low,close", *lines)).open_ns.tolist()[0] == JAN_1


def test_close_times_are_used_and_the_last_instant_of_a_bar_becomes_its_end(bars_file: Callable[..., Path]) -> None:
    header = "open_time,close_time,open,high,low,close"
    lines = ["1704067200000,1704070799999,10,12,9,11", "1704070800000,1704074399999,10,12,9,11"]
    bars = only(bars_file(header, *lines))
    assert bars.close_ns.tolist() == [1704070800 * 10**9, 1704074400 * 10**9]
    assert noted(bars, "last instant of each bar")
    short = only(bars_file(header, "2024-01-01T09:30Z,2024-01-01T13:00Z,10,12,9,11"))
    assert (short.close_ns - short.open_ns).tolist() == [3.5 * 3600 * 10**9]
    assert short.interval_ns == 3.5 * 3600 * 10**9


def test_one_bar_with_a_date_lasts_a_day(bars_file: Callable[..., Path]) -> None:
    bars = only(bars_file(HEADER, LINES[0]))
    assert bars.close_ns.tolist() == [JAN_1 + DAY_NS]
    assert noted(bars, "one bar with a date")


def test_bid_and_ask_give_mid_prices_on_half_ticks_and_the_spread(bars_file: Callable[..., Path]) -> None:
    header = "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close"
    path = bars_file(header, "2024-01-01,1.1,1.3,1.0,1.2,1.3,1.4,1.1,1.3", "2024-01-02,1.1,1.3,1.0,1.2,1.1,1.4,1.1,1.3")
    bars = only(path)
    assert bars.tick == Step(5, 2)
    assert bars.open_price.tolist() == [1.2, 1.1]
    assert bars.high_price.tolist() == [1.35, 1.35]
    assert bars.spread is not None
    assert bars.tick.value_of(bars.spread).tolist() == [0.2, 0.0]
    assert noted(bars, "middle of bid and ask", "no volume column: lot 1")
    finer = only(path, tick="0.0025")
    assert finer.tick == Step(25, 4)
    assert finer.open_price.tolist() == [1.2, 1.1]
    with pytest.raises(DataError, match="not a multiple of the tick"):
        load_bars(path, tick="0.1")


def test_adjusted_prices_and_noisy_volumes_load_with_a_note(bars_file: Callable[..., Path]) -> None:
    lines = ["2024-01-01,10.512345678901,12.5,9.25,11.1,33.35399601000002", "2024-01-02,11,13,10,12,2.5833652000000003"]
    bars = only(bars_file(HEADER, *lines))
    assert bars.open_price[0] == pytest.approx(10.512345678901, rel=1e-9)
    assert noted(bars, "prices have more decimals than a grid may have: rounded to 0.0", "noise of binary floats")
    assert bars.lot == Step(1, 8)
    assert bars.volume is not None
    assert bars.volume.tolist() == [3335399601, 258336520]


def test_a_given_tick_and_lot_replace_the_inferred_ones(bars_file: Callable[..., Path]) -> None:
    bars = only(bars_file(HEADER, *LINES), tick="0.25", lot=2)
    assert (bars.tick, bars.lot) == (Step(25, 2), Step(2, 0))
    assert bars.open.tolist() == [42, 44, 48]
    assert bars.volume is not None
    assert bars.volume.tolist() == [2, 3, 3]
    assert noted(bars, "2 of 3 volumes of column 'volume' floored to the lot 2")


def test_describe_tells_what_a_file_holds(bars_file: Callable[..., Path]) -> None:
    path = bars_file(HEADER, *LINES)
    told = describe(path)
    assert (told["symbols"], told["bars"]) == (["ABC"], 3)
    (instrument,) = told["instruments"]
    expected = {
        "symbol": "ABC", "file": "ABC.csv", "bars": 3, "start": "2024-01-01", "end": "2024-01-05", "interval": "1d",
        "gaps": 1, "widest_gap": "2d", "tick": "0.01", "lot": "0.1", "low": 9.25, "high": 14.0, "volume": 18.5,
        "spread": False,
    }  # fmt: skip
    assert {key: instrument[key] for key in expected} == expected
    assert instrument["columns"]["close"] == "close"
    assert any("tick 0.01 inferred" in note for note in instrument["notes"])


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        ("0.25", Step(25, 2), "0.25"),
        (0.01, Step(1, 2), "0.01"),
        (5, Step(5, 0), "5"),
        ("1e-8", Step(1, 8), "0.00000001"),
        (100.0, Step(100, 0), "100"),
        ("0.500", Step(5, 1), "0.5"),
        (Step(5, 1), Step(5, 1), "0.5"),
    ],
)
def test_a_step_is_read_from_any_decimal_and_prints_as_one(value: object, step: Step, text: str) -> None:
    assert Step.of(value) == step  # type: ignore[arg-type]
    assert str(step) == text
