"""What is written is read back as the same bars, and a crash leaves what was there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader import _core
from neural_trader.errors import DataError
from neural_trader.market import Bars, Step, load_bars, synthetic_bars, write_bars
from neural_trader.market.writing import replace_whole

SYMBOLS = st.text(st.sampled_from("ABCdef012-_=./ "), min_size=1, max_size=8).filter(lambda s: s == s.strip())
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume", "spread")


def assert_same(left: Bars, right: Bars) -> None:
    assert (left.symbol, left.tick, left.lot, left.interval_ns) == (
        right.symbol,
        right.tick,
        right.lot,
        right.interval_ns,
    )
    for name in COLUMNS:
        one, other = getattr(left, name), getattr(right, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert np.array_equal(one, other), name


@st.composite
def series(draw: st.DrawFn, symbol: str | None = None, with_volume: bool | None = None) -> Bars:
    """Bars with any steps, gaps and magnitudes that fit 64 bits."""
    count = draw(st.integers(1, 30))
    tick = Step.of(Step(draw(st.sampled_from([1, 1, 5, 25, 125])), draw(st.integers(0, 9))))
    lot = Step(draw(st.sampled_from([1, 1, 100])), draw(st.integers(0, 9)))
    largest = draw(st.sampled_from([10**4, 10**8, 10**15]))
    prices = np.sort(
        np.array(draw(st.lists(st.integers(1, largest), min_size=4 * count, max_size=4 * count))).reshape(-1, 4)
    )
    low, open_, close, high = (np.ascontiguousarray(prices[:, column]) for column in range(4))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 7]), min_size=count - 1, max_size=count - 1))
    unit = draw(st.sampled_from([1, 10**9, 3600 * 10**9]))
    first = draw(st.sampled_from([0, 1_704_067_200 * 10**9 + 123_456_789]))
    open_ns = first + unit * np.cumsum([0, *steps])
    interval_ns = _core.spacing(open_ns)[0] or draw(st.integers(1, 10**15))
    close_ns = _core.closes(open_ns, interval_ns)
    if draw(st.booleans()):
        close_ns = open_ns + np.maximum(1, (close_ns - open_ns) // 2)
        interval_ns = interval_ns if count > 1 else int(close_ns[0] - open_ns[0])
    volume = np.array(draw(st.lists(st.integers(0, largest), min_size=count, max_size=count)))
    volume[0] += 1
    spread = np.array(draw(st.lists(st.integers(0, 1000), min_size=count, max_size=count)))
    has_volume = draw(st.booleans()) if with_volume is None else with_volume
    has_spread = draw(st.booleans()) if with_volume is None else False
    return Bars(
        symbol or draw(SYMBOLS), tick, lot, open_ns, close_ns, open_, high, low, close,
        volume if has_volume else None, spread if has_spread else None, interval_ns=interval_ns,
    )  # fmt: skip


@given(bars=series(), name=st.sampled_from(["a.csv", "a.tsv", "a.csv.gz", "a.parquet", "a.feather"]))
@settings(max_examples=150, deadline=None)
def test_a_file_is_read_back_as_the_same_bars(bars: Bars, name: str) -> None:
    with TemporaryDirectory() as folder:
        (path,) = write_bars(bars, Path(folder) / name)
        (again,) = load_bars(path)
        assert_same(again, bars)


@given(
    bars=st.tuples(series("A", True), series("B", True), series("C/D", True)),
    name=st.sampled_from(["x.csv", "x.pq", "x"]),
)
@settings(max_examples=30, deadline=None)
def test_several_instruments_are_read_back_from_a_file_or_a_folder(bars: tuple[Bars, ...], name: str) -> None:
    with TemporaryDirectory() as folder:
        paths = write_bars(reversed(bars), Path(folder) / name)
        assert len(paths) == (3 if name == "x" else 1)
        for one, other in zip(load_bars(Path(folder) / name), bars, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet", "x.feather", "folder"])
def test_a_synthetic_market_is_read_back_the_same_and_still_says_so(name: str, tmp_path: Path) -> None:
    market = synthetic_bars(bars=2000)
    write_bars(market, tmp_path / name)
    for again, made in zip(load_bars(tmp_path / name), market, strict=True):
        assert_same(again, made)
        assert again.origin == "synthetic"
        assert again.source.endswith(f": {made.source}")


def test_columns_are_plain_where_they_tell_everything(tmp_path: Path) -> None:
    (path,) = write_bars(replace(synthetic_bars(symbols="A", bars=10)[0], origin="memory"), tmp_path / "A.csv")
    lines = path.read_text().splitlines()
    assert lines[0] == "open_time,open,high,low,close,volume"
    assert lines[1].startswith("2022-01-01T00:00:00Z,")
    assert len(lines) == 11


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")

    def torn(target: Path) -> None:
        target.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match=r"a\.csv: cannot be written \(No space left on device\)"):
        replace_whole(path, torn)
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_instruments_with_different_columns_do_not_share_a_file(tmp_path: Path) -> None:
    (bars,) = synthetic_bars(symbols="A", bars=5)
    bare = Bars("B", bars.tick, bars.lot, bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close)
    with pytest.raises(DataError, match="only some instruments have volume"):
        write_bars([bars, bare], tmp_path / "x.csv")
    assert len(write_bars([bars, bare], tmp_path / "folder")) == 2
