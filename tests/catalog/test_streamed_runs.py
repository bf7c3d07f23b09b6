"""Backtests over bars that stay in the files of a catalog: the same in everything as over bars in memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import neural_trader as nt
from catalog_markets import HOUR_NS, START_NS, some_bars
from neural_trader.errors import DataError, StrategyRunError
from neural_trader.market import Bars
from neural_trader.market.catalog import Catalog, Key
from neural_trader.market.catalog.stored import StoredBars
from neural_trader.market.consistency import refuse_inconsistent
from neural_trader.market.loading import window_of
from neural_trader.report.html import render
from neural_trader.report.terminal import print_result
from neural_trader.strategy.overlays import VolatilityTarget

Keep = Callable[..., list[Bars]]
MEASURE = Path(__file__).with_name("peak.py")
CONTRACTS = {
    "interest": "5%",
    "instruments": {"*": {"kind": "linear", "maintenance": "10%"}},
    "funding": [[START_NS + hours * HOUR_NS, "ONE", "0.0001", None] for hours in range(8, 9_000, 8)],
}
COINS = {
    "instruments": {"*": {"kind": "inverse", "currency": "COIN", "maintenance": "10%"}},
    "currencies": {"COIN": {"deposit": 1, "rate": "ONE"}},
}
BARS = Key("lab", "ONE", "bars", "1h")


@pytest.fixture
def kept(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Bars]]:
    """Keeps bars in a catalog that ``catalog:`` stands for, and gives them back as they are in memory."""
    monkeypatch.setenv("NT_CATALOG", str(catalog.root))

    def keep(*series: Bars) -> list[Bars]:
        for bars in series:
            catalog.append(bars, "lab")
        return [item for dataset in catalog.datasets() if isinstance(item := dataset.item(), Bars)]

    return keep


def portfolio() -> list[Bars]:
    """Three instruments over several files, with different spans, a gap and uneven closes."""
    one, two = some_bars(20_000, 1, "ONE"), some_bars(26_000, 2, "TWO", first=7_000)
    gap = some_bars(18_000, 3, "THREE")
    kept = np.r_[0:6_000, 15_500:18_000]
    columns = {name: column[kept] for name, column in vars(gap).items() if isinstance(column, np.ndarray)}
    columns["close_ns"] = columns["close_ns"] - 60_000_000_000 * (np.arange(len(kept)) % 3)
    return [one, replace(two, volume=None), replace(gap, **columns)]


class Everything(nt.Strategy):
    """Every kind of order, every callback and several indicators."""

    window: int = 20

    def on_start(self) -> None:
        self.top, self.bottom, self.range = self.highest(self.window), self.lowest(self.window), self.atr(self.window)
        self.told: list[Any] = []

    def on_bar(self, bar: nt.Bar) -> None:
        if bar.index % 50 == 40 and self.range.value > 0:
            self.buy(fraction=0.1, stop_loss=bar.close - 3 * self.range.value, take_profit=bar.close * 1.02)
        elif bar.index % 50 == 20:
            self.sell(fraction=0.05, limit=self.top.value, good_till="day")
        elif bar.index % 50 == 30:
            self.buy(fraction=0.05, trail=self.range.value)
        elif bar.index % 333 == 332:
            self.target(0)

    def on_moment(self, time_ns: int) -> None:
        if time_ns % (500 * HOUR_NS) == 0:
            self.told.append((time_ns, self.equity))

    def on_fill(self, fill: nt.Fill) -> None:
        self.told.append(fill)


def told(result: nt.Result) -> dict[str, Any]:
    """All that a run shows, but for where its data came from."""
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_result(result, console)
    document = result.to_dict()
    page = render(result)
    assert isinstance(console.file, io.StringIO)
    return {
        "hash": result.hash,
        "document": {name: value for name, value in document.items() if name != "origin"},
        # The document in the page names its origin; all else of the page is told here.
        "page": page.replace(json.dumps(document["origin"], separators=(",", ":"), ensure_ascii=False), ""),
        "terminal": console.file.getvalue(),
        "curve": result.equity_curve.tobytes() + result.time_ns.tobytes(),
        "frames": [frame.write_json() for frame in (result.equity, result.postings, result.trades)],
    }


def same(whole: nt.Result, streamed: nt.Result) -> None:
    assert all(isinstance(series, StoredBars) for series in streamed.series)
    one, other = told(whole), told(streamed)
    for name in one:
        assert one[name] == other[name], name


@pytest.mark.parametrize(
    "run",
    [
        {"strategy": "sma_cross", "parameters": {"fast": 10, "slow": 200}},
        {"strategy": "sma_cross", "parameters": {"fast": 10, "slow": 200}, "native": False},
        {"strategy": "buy_and_hold", "close_at_end": True},
        {"strategy": "donchian_turtle", "fill": "close", "overlays": [VolatilityTarget(0.3, 50)]},
        {"strategy": Everything, "limit": "through", "leverage": 3, "slippage": "1 tick"},
        {"strategy": Everything, "benchmark": False},
        {"strategy": Everything, "account": CONTRACTS, "leverage": 3},
        {"strategy": Everything, "account": COINS, "leverage": 3},
    ],
    ids=["rust", "python", "buy and hold", "at the close", "every order", "no benchmark", "contracts", "coins"],
)
@pytest.mark.parametrize("symbols", [["ONE"], ["ONE", "TWO", "THREE"]], ids=["one", "three"])
def test_runs_from_files_and_from_memory_are_the_same(run: dict[str, Any], symbols: list[str], kept: Keep) -> None:
    whole = kept(*portfolio())
    streamed = nt.backtest(data="catalog:lab/*", symbols=symbols, **run)
    same(nt.backtest(data=whole, symbols=symbols, **run), streamed)
    assert streamed.trades.height >= (1 if run["strategy"] == "buy_and_hold" else 20)


@pytest.mark.parametrize(("start", "end"), [("2024-05-01", "2026-03-02T07:00:00Z"), ("2024-12-31T23:00:00Z", None)])
def test_a_window_of_the_files_is_played(start: str, end: str | None, catalog: Catalog, kept: Keep) -> None:
    kept(*portfolio())
    datasets = [catalog.dataset(Key("lab", symbol, "bars", "1h")) for symbol in ("ONE", "THREE", "TWO")]
    whole = [dataset.item(*window_of(start, end)) for dataset in datasets]
    streamed = nt.backtest(Everything, "catalog:lab/*", start=start, end=end)
    same(nt.backtest(Everything, whole), streamed)
    assert [len(bars) for bars in streamed.bars] == [len(series) for series in streamed.series]
    assert streamed.bars[0].close.tolist() == whole[0].close.tolist()


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_size_of_pieces_changes_nothing(size: int, kept: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kept(*(bars.rows(0, 1_500) for bars in portfolio()))
    for name in ("pieces", "marks"):
        monkeypatch.setattr(StoredBars, name, smaller(getattr(StoredBars, name), size))
    same(nt.backtest(Everything, whole), nt.backtest(Everything, "catalog:lab/*"))
    same(nt.backtest("sma_cross", whole[0]), nt.backtest("sma_cross", "catalog:lab/ONE"))


def smaller(pieces: Callable[[StoredBars], Iterator[Bars]], size: int) -> Callable[[StoredBars], Iterator[Bars]]:
    def cut(self: StoredBars) -> Iterator[Bars]:
        for piece in pieces(self):
            for at in range(0, len(piece), size):
                yield piece.rows(at, at + size)

    return cut


def test_a_volume_cap_needs_volume_in_files_too(kept: Keep) -> None:
    whole = kept(some_bars(9_000, 1, "ONE"), replace(some_bars(9_000, 2, "TWO"), volume=None))
    run: dict[str, Any] = {"strategy": Everything, "volume_cap": "0.01%", "cash": 10**9}
    same(nt.backtest(data=whole[:1], **run), nt.backtest(data="catalog:lab/ONE", **run))
    with pytest.raises(nt.errors.EngineError, match="a volume cap needs bars with volume"):
        nt.backtest(data="catalog:lab/TWO", **run)


@pytest.mark.parametrize("like", ["backtesting.py", "vectorbt"])
def test_by_the_rules_of_others_bars_are_loaded_whole(like: str, kept: Keep) -> None:
    (whole,) = kept(some_bars(9_000, 1, "ONE"))
    results = [nt.backtest("sma_cross", data, like=like) for data in (whole, "catalog:lab/ONE")]
    assert results[0].hash == results[1].hash
    assert isinstance(results[1].series[0], Bars)


# ---- What is wrong with files ---------------------------------------------------------------------------------------


def spoil(catalog: Catalog, file: int, column: str, row: int, value: Any) -> None:
    """Changes one value of one file."""
    path = catalog.dataset(BARS).paths()[file]
    frame = pl.read_parquet(path)
    changed = pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column))
    frame.with_columns(changed.cast(frame.schema[column]).alias(column)).write_parquet(path)


@pytest.mark.parametrize(
    ("file", "column", "row", "value", "said"),
    [
        (
            1,
            "open_time",
            0,
            START_NS + 8_783 * HOUR_NS,
            "ONE, bar 8784: it must close after it opens, and open no earlier",
        ),
        (1, "open_time", 5, START_NS, "ONE, bar 8789: it must close after it opens, and open no earlier"),
        (
            0,
            "close_time",
            8_783,
            START_NS + 9_000 * HOUR_NS,
            "ONE, bar 8784: it must close after it opens, and open no",
        ),
        (1, "low", 100, 0.0, "ONE, row 8884, column 'low': 0 is not above zero"),
        (1, "high", 0, 1.0, "ONE, row 8784, column 'high': 100 is below the low of its bar"),
        (2, "volume", 3, -1.0, "ONE, row 17547, column 'volume': -100000 is negative"),
        (0, "close", 9, 1.001, "lab/ONE/bars-1h: close 1.001 is no multiple of 0.01"),
        (2, "close", 9, None, "lab/ONE/bars-1h: column 'close' has rows without a value"),
    ],
)
def test_faults_are_found_across_files_and_name_the_row(
    file: int, column: str, row: int, value: Any, said: str, catalog: Catalog, kept: Keep
) -> None:
    kept(some_bars(20_000, 1, "ONE"))
    spoil(catalog, file, column, row, value)
    messages = []
    for data in ("catalog:lab/ONE", None):
        with pytest.raises(DataError) as refused:
            refuse_inconsistent(catalog.dataset(BARS).item()) if data is None else nt.backtest(Everything, data)  # type: ignore[arg-type]
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
    assert said in messages[0]
    assert "\n" not in messages[0]


def test_an_error_of_the_strategy_stays_one(kept: Keep) -> None:
    class Faulty(nt.Strategy):
        def on_bar(self, bar: nt.Bar) -> None:
            if bar.index == 9_000:
                raise DataError("mine")

    kept(some_bars(20_000, 1, "ONE"))
    with pytest.raises(StrategyRunError, match=r"Faulty.on_bar at 2025-01-10 01:00.*: mine"):
        nt.backtest(Faulty, "catalog:lab/ONE")


def test_rows_that_come_later_do_not_change_a_run(catalog: Catalog, kept: Keep) -> None:
    whole = some_bars(20_000, 1, "ONE")
    (before,) = kept(whole.rows(0, 12_000))
    streamed = nt.backtest("sma_cross", "catalog:lab/ONE")
    catalog.append(whole, "lab")
    same(nt.backtest("sma_cross", before), streamed)
    assert len(streamed.bars[0]) == 12_000


def test_rows_that_come_in_between_are_noticed(catalog: Catalog, kept: Keep) -> None:
    whole = some_bars(3_000, 1, "ONE")
    even = {name: column[::2].copy() for name, column in vars(whole).items() if isinstance(column, np.ndarray)}
    kept(replace(whole, **even))
    streamed = nt.backtest("sma_cross", "catalog:lab/ONE")
    catalog.append(whole, "lab")
    with pytest.raises(DataError, match="rows of 2024-01-01 came in between while it was read; start again"):
        _ = streamed.stats


def test_a_window_without_bars_is_refused_before_anything_is_played(kept: Keep) -> None:
    whole = some_bars(3_000, 1, "ONE")
    gap = np.r_[0:100, 2_000:3_000]
    columns = {name: column[gap] for name, column in vars(whole).items() if isinstance(column, np.ndarray)}
    kept(replace(whole, **columns))
    for start, end in (("2030-01-01", None), ("2024-02-01", "2024-02-02")):
        with pytest.raises(DataError, match=f"lab/ONE/bars-1h: no rows from {start}"):
            nt.backtest("sma_cross", "catalog:lab/ONE", start=start, end=end)


# ---- Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak of memory")
def test_memory_does_not_grow_with_the_bars(catalog: Catalog) -> None:
    minutes = {}
    for count, symbol in ((100_000, "SHORT"), (1_100_000, "LONG")):
        bars = some_bars(count, 1, symbol)
        open_ns = START_NS + np.arange(count, dtype=np.int64) * (HOUR_NS // 60)
        columns = {"open_ns": open_ns, "close_ns": open_ns + HOUR_NS // 60}
        prices = {name: getattr(bars, name) + 10**8 for name in ("open", "high", "low", "close")}
        catalog.append(replace(bars, **columns, **prices, interval_ns=HOUR_NS // 60), "lab")
        done = subprocess.run(
            [sys.executable, str(MEASURE), str(catalog.root), f"catalog:lab/{symbol}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        minutes[symbol] = json.loads(done.stdout)
    assert minutes["LONG"]["bars"] == 11 * minutes["SHORT"]["bars"]
    # A million bars are 64 MB of columns.
    assert minutes["LONG"]["peak_kib"] - minutes["SHORT"]["peak_kib"] < 25 * 1024, minutes
