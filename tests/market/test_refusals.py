"""Everything that data can have wrong is refused with what, where and what to do."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.errors import DataError
from neural_trader.market import Bars, bars_of, load_bars, synthetic_bars, write_bars
from neural_trader.market.bars import Step

HEADER = "time,open,high,low,close,volume"
GOOD = ["2024-01-01,10,12,9,11,5", "2024-01-02,11,13,10,12,6", "2024-01-03,12,14,11,13,7"]

BAD_LINES = {
    "unsorted": (
        [HEADER, GOOD[1], GOOD[0], GOOD[2]],
        ["ABC.csv, line 3", "'time'", "2024-01-01", "earlier than the row before", "sort"],
    ),
    "duplicate time": ([HEADER, GOOD[0], GOOD[0]], ["line 3", "repeats the time", "keep one"]),
    "missing price": ([HEADER, GOOD[0], "2024-01-02,11,,10,12,6"], ["line 3", "'high'", "missing"]),
    "missing time": ([HEADER, ",10,12,9,11,5"], ["line 2", "'time'", "missing"]),
    "short line": ([HEADER, GOOD[0], "2024-01-02,11,13"], ["line 3", "'low'", "missing"]),
    "long line": ([HEADER, GOOD[0], "2024-01-02,11,13,10,12,6,7,8"], ["ABC.csv", "more fields", "correct it"]),
    "nan": ([HEADER, "2024-01-01,nan,12,9,11,5"], ["line 2", "'open'", "'nan'", "not a finite number"]),
    "inf": ([HEADER, "2024-01-01,10,inf,9,11,5"], ["line 2", "'high'", "'inf'", "not a finite number"]),
    "words": ([HEADER, "2024-01-01,10,12,9,n/a,5"], ["line 2", "'close'", "'n/a'", "not a finite number"]),
    "broken cell": ([HEADER, GOOD[0], '2024-01-02,11,"13', '14",10,12,6'], ["line 3", "'high'", "over several lines"]),
    "thousands": ([HEADER, '2024-01-01,10,"1,200.5",9,11,5'], ["line 2", "'1,200.5'", "not a finite number"]),
    "zero price": ([HEADER, GOOD[0], "2024-01-02,11,13,0,12,6"], ["line 3", "'low'", "not above zero"]),
    "negative price": ([HEADER, "2024-01-01,-10,12,9,11,5"], ["line 2", "'open'", "'-10'", "not above zero"]),
    "high below low": ([HEADER, "2024-01-01,10,8,9,9,5"], ["line 2", "'high'", "below the low"]),
    "open outside": ([HEADER, "2024-01-01,13,12,9,11,5"], ["line 2", "'open'", "outside the low and high"]),
    "close outside": ([HEADER, "2024-01-01,10,12,9,8,5"], ["line 2", "'close'", "outside the low and high"]),
    "negative volume": ([HEADER, GOOD[0], "2024-01-02,11,13,10,12,-1"], ["line 3", "'volume'", "negative"]),
    "huge price": ([HEADER, "2024-01-01,1e19,1e19,1e19,1e19,5"], ["line 2", "'open'", "does not fit"]),
    "mixed units": (
        [HEADER, "1704067200,10,12,9,11,5", "1704067260000,11,13,10,12,6"],
        ["line 3", "'time'", "1704067260000", "milliseconds", "seconds", "one unit"],
    ),
    "unit against name": (
        [HEADER.replace("time", "time_ms"), "1704067200,10,12,9,11,5"],
        ["line 2", "the name says milliseconds", "as large as seconds", "rename"],
    ),
    "index as time": ([HEADER, "0,10,12,9,11,5", "1,11,13,10,12,6"], ["'time'", "too small for times"]),
    "day first": ([HEADER, "31/01/2024,10,12,9,11,5"], ["line 2", "'31/01/2024'", "one reading", "2024-01-31"]),
    "impossible date": ([HEADER, GOOD[0], "2024-02-30,10,12,9,11,5"], ["line 3", "'2024-02-30'", "one reading"]),
    "mixed zones": (
        [HEADER, "2024-01-01T00:00Z,10,12,9,11,5", "2024-01-02T00:00,10,12,9,11,5"],
        ["line 3", "time zone", "all times with a zone or none"],
    ),
    "too far away": ([HEADER, "2300-01-01,10,12,9,11,5"], ["line 2", "'2300-01-01'"]),
    "one bar": ([HEADER, "2024-01-01T10:00Z,10,12,9,11,5"], ["one bar alone", "close_time"]),
    "header only": ([HEADER], ["no bars", "no lines below"]),
    "no header": (["abc", "def"], ["no header", "'abc'", "time,open,high,low,close,volume"]),
    "no price column": (
        ["time,open,high,low,volume", "2024-01-01,10,12,9,5"],
        ["no column for close", "'time', 'open', 'high', 'low', 'volume'", "rename"],
    ),
    "no time column": (["x,open,high,low,close", "2024-01-01,10,12,9,11"], ["no column of times", "'x'", "rename"]),
    "two volumes": (
        ["time,open,high,low,close,volume a,volume b", "2024-01-01,10,12,9,11,5,6"],
        ["'volume a' and 'volume b'", "could each be the volume", "rename"],
    ),
    "column twice": (["time,open,open,high,low,close", "2024-01-01,10,10,12,9,11"], ["'open' occurs twice"]),
    "close before open": (
        ["open_time,close_time,open,high,low,close", "2024-01-02,2024-01-01,10,12,9,11"],
        ["line 2", "'close_time'", "not after the open"],
    ),
    "close after next open": (
        [
            "open_time,close_time,open,high,low,close",
            "2024-01-01,2024-01-05,10,12,9,11",
            "2024-01-02,2024-01-06,10,12,9,11",
        ],
        ["line 2", "'close_time'", "after the open of the next bar"],
    ),
    "crossed quotes": (
        [
            "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close",
            "2024-01-01,10,12,9,11,9,13,10,12",
        ],
        ["line 2", "'bid_open'", "bid 10 is above the ask 9"],
    ),
    "missing symbol": (["symbol," + HEADER, "," + GOOD[0]], ["line 2", "'symbol'", "missing"]),
    "duplicate in long file": (
        ["symbol," + HEADER, "A," + GOOD[0], "B," + GOOD[0], "A," + GOOD[0]],
        ["line 4", "repeats the time"],
    ),
}


@pytest.mark.parametrize(("lines", "fragments"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_lines_are_refused_with_what_where_and_what_to_do(
    lines: list[str], fragments: list[str], bars_file: Callable[..., Path]
) -> None:
    with pytest.raises(DataError) as refusal:
        load_bars(bars_file(*lines))
    message = str(refusal.value)
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message


def bad_file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


CSV = "\n".join([HEADER, *GOOD]).encode()
BAD_FILES = {
    "empty": ("a.csv", b"", ["a.csv", "empty"]),
    "blank": ("a.csv", b"\n\n", ["a.csv", "empty"]),
    "truncated gzip": ("a.csv.gz", gzip.compress(CSV * 50)[:-20], ["a.csv.gz", "damaged or incomplete"]),
    "not gzip": ("a.csv.gz", b"\x1f\x8b" + CSV, ["a.csv.gz", "damaged or incomplete"]),
    "not Parquet": ("a.parquet", CSV, ["a.parquet", "not a Parquet file"]),
    "Parquet as CSV": ("a.csv", b"PAR1" + CSV, ["a.csv", "contains Parquet", ".parquet"]),
    "truncated Parquet": ("a.parquet", b"PAR1" + CSV, ["a.parquet", "cannot be read as Parquet"]),
    "truncated Feather": ("a.feather", b"ARROW1\0\0" + CSV, ["a.feather", "cannot be read as Feather"]),
    "Feather 1": ("a.feather", b"FEA1" + CSV, ["a.feather", "version 1", "version 2"]),
    "UTF-16": ("a.csv", CSV.decode().encode("utf-16"), ["a.csv", "UTF-16", "UTF-8"]),
    "Latin-1": ("a.csv", b"symbol," + CSV.replace(b"\n2", b"\n\xe9,2"), ["a.csv", "UTF-8"]),
    "binary": ("a.csv", b"a\0b" + CSV, ["a.csv", "binary"]),
    "unknown suffix": ("a.xlsx", CSV, ["a.xlsx", "not a file of bars", "Parquet"]),
}


@pytest.mark.parametrize(("name", "content", "fragments"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_that_are_not_what_they_should_be_are_refused(
    name: str, content: bytes, fragments: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError) as refusal:
        load_bars(bad_file(tmp_path, name, content))
    for fragment in fragments:
        assert fragment in str(refusal.value)


@pytest.mark.parametrize("cut", [20, 200, 2000])
def test_a_parquet_file_cut_short_is_refused(cut: int, tmp_path: Path) -> None:
    whole = write_bars(synthetic_bars(symbols="A", bars=500)[0], tmp_path / "A.parquet")[0].read_bytes()
    with pytest.raises(DataError, match=r"A\.parquet: cannot be read as Parquet"):
        load_bars(bad_file(tmp_path, "A.parquet", whole[:-cut]))


def test_parquet_rows_are_counted_from_zero_and_values_shown(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "time": [1704067200, 1704067260],
            "open": [10.0, float("nan")],
            "high": [12.0, 12.0],
            "low": [9.0, 9.0],
            "close": [11.0, 11.0],
        }
    )
    frame.write_parquet(tmp_path / "A.parquet")
    with pytest.raises(DataError, match=r"A\.parquet, row 1, column 'open': nan is not a finite number"):
        load_bars(tmp_path / "A.parquet")
    frame.clear().write_parquet(tmp_path / "A.parquet")
    with pytest.raises(DataError, match="no bars in the file"):
        load_bars(tmp_path / "A.parquet")
    frame.with_columns(open=pl.lit("x").cast(pl.Categorical)).write_parquet(tmp_path / "A.parquet")
    with pytest.raises(DataError, match=r"column 'open' of type .* has no numbers"):
        load_bars(tmp_path / "A.parquet")


@pytest.mark.parametrize(
    ("tick", "fragments"),
    [
        ("0.25", ["line 2", "'high'", "'12.3'", "not a multiple of the tick 0.25"]),
        (5, ["line 2", "'open'", "'10.5'", "not a multiple of the tick 5"]),
        (0, ["tick 0 must be above zero"]),
        ("x", ["tick 'x' is not a decimal number"]),
        ("0.00000000001", ["more than 9 decimals"]),
        (float("nan"), ["tick nan must be above zero"]),
    ],
)
def test_values_off_the_given_tick_are_named(
    tick: object, fragments: list[str], bars_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = bars_file(HEADER, "2024-01-01,10.5,12.3,9,11,5")
    with pytest.raises(DataError) as refusal:
        load_bars(path, tick=tick)
    for fragment in fragments:
        assert fragment in str(refusal.value)


def test_floats_off_the_given_tick_are_named() -> None:
    columns = {"time": ["2024-01-01"], "open": [10.5], "high": [12.3], "low": [9.0], "close": [11.0]}
    with pytest.raises(DataError, match=r"row 0, column 'high': 12.3 is not a multiple of the tick 0.25"):
        bars_of(columns, "A", tick=0.25)
    assert bars_of(columns, "A", tick="0.1").tick == Step(1, 1)


@pytest.mark.parametrize(
    ("window", "fragments"),
    [
        ({"start": "2024-02-01"}, ["ABC: no bars from 2024-02-01", "2024-01-01 to 2024-01-04"]),
        ({"end": "2024-01-01"}, ["ABC: no bars", "to 2024-01-01"]),
        ({"start": "2023-01-01", "end": "2023-06-01"}, ["ABC: no bars from 2023-01-01 to 2023-06-01"]),
        ({"start": "2024-01-03", "end": "2024-01-02"}, ["2024-01-03 is not before end 2024-01-02"]),
        ({"start": "2024-01-03", "end": "2024-01-03"}, ["is not before end"]),
        ({"start": "yesterday"}, ["start 'yesterday' is not a time"]),
        ({"end": [1]}, ["end [1] is not a time"]),
    ],
)
def test_windows_without_bars_are_refused(
    window: dict[str, object], fragments: list[str], bars_file: Callable[..., Path]
) -> None:
    path = bars_file(HEADER, *GOOD)
    with pytest.raises(DataError) as refusal:
        load_bars(path, **window)  # type: ignore[arg-type]
    for fragment in fragments:
        assert fragment in str(refusal.value)


def test_unknown_symbols_and_paths_are_answered_with_near_ones(bars_file: Callable[..., Path], tmp_path: Path) -> None:
    path = bars_file(HEADER, *GOOD, name="BTCUSDT.csv")
    with pytest.raises(DataError, match=r"no symbol 'BTCUSD' here; did you mean BTCUSDT\?"):
        load_bars(path, symbols="BTCUSD")
    bars_file(HEADER, *GOOD, name="ETHUSDT.csv")
    with pytest.raises(DataError, match="symbols is empty"):
        load_bars(tmp_path, symbols=[])
    with pytest.raises(DataError, match=r"no symbol 'ethusd' here; did you mean ETHUSDT.*found: BTCUSDT, ETHUSDT"):
        load_bars(tmp_path, symbols=["BTCUSDT", "ethusd"])
    with pytest.raises(DataError, match=r"BTCUSD\.csv: no such file or folder; did you mean BTCUSDT\.csv or"):
        load_bars(tmp_path / "BTCUSD.csv")
    with pytest.raises(DataError, match="no such file or folder"):
        load_bars(tmp_path / "nowhere" / "a.csv")


def test_folders_without_bars_or_with_one_symbol_twice_are_refused(
    bars_file: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no file of bars in this folder; readable are CSV"):
        load_bars(tmp_path / "empty")
    bars_file(HEADER, *GOOD, name="A.csv")
    bars_file(HEADER.replace(",", "\t"), *(line.replace(",", "\t") for line in GOOD), name="A.tsv")
    with pytest.raises(DataError, match=r"A\.csv and A\.tsv are both A; remove one"):
        load_bars(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ({"symbols": []}, "at least one"),
        ({"symbols": ["A", "A"]}, "once"),
        ({"symbols": ["a\n"]}, "cannot be used"),
        ({"bars": 0}, "0 bars cannot be made"),
        ({"interval": "1 fortnight"}, "is not a length of time"),
        ({"interval": 0}, "is not a length of time"),
        ({"seed": -1}, "seed -1"),
        ({"start": "soon"}, "start 'soon' is not a time"),
        ({"bars": 40_000_000, "interval": "1w"}, "ask for fewer"),
    ],
)
def test_markets_that_cannot_be_made_are_refused(arguments: dict[str, object], fragment: str) -> None:
    with pytest.raises(DataError, match=fragment):
        synthetic_bars(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "symbol", "fragment"),
    [
        ([1, 2], "A", "type list has no columns"),
        ({"time": [1], "open": [1.0, 2.0]}, "A", r"differ in length \('time' 1, 'open' 2\)"),
        ({"time": [[1, 2]], "open": [1.0]}, "A", "'time' has 2 dimensions"),
        ({"time": ["2024-01-01"], "open": [1], "high": [1], "low": [1], "close": [1]}, "", "no symbol"),
        ({"time": [], "open": [], "high": [], "low": [], "close": []}, "A", "no bars"),
    ],
)
def test_data_in_memory_that_cannot_be_bars_is_refused(data: object, symbol: str, fragment: str) -> None:
    with pytest.raises(DataError, match=fragment):
        bars_of(data, symbol)


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (bars,) = synthetic_bars(symbols="A", bars=10)
    with pytest.raises(DataError, match=r"a\.xlsx: bars are written as"):
        write_bars(bars, tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="no bars to write"):
        write_bars([], tmp_path / "a.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_bars(bars, tmp_path / "file" / "a.csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@given(cuts=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9), st.binary(max_size=6)), max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_a_file_holds_it_loads_or_is_refused_in_one_line(cuts: list[tuple[int, int, bytes]]) -> None:
    content = CSV
    for start, length, replacement in cuts:
        content = content[:start] + replacement + content[start + length :]
    with TemporaryDirectory() as folder:
        path = bad_file(Path(folder), "A.csv", content)
        loaded: tuple[Bars, ...] = ()
        message = ""
        try:
            loaded = load_bars(path)
        except DataError as refusal:
            message = str(refusal)
        assert bool(message) != bool(loaded)
        assert "\n" not in message
        for bars in loaded:
            assert (bars.low > 0).all()
            assert (bars.close_ns > bars.open_ns).all()
            assert (bars.close_ns[:-1] <= bars.open_ns[1:]).all()
