"""What is known to be true of recorded markets: one recording explains another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_trader.market import Bars, load_bars
from neural_trader.market.catalog import Catalog
from neural_trader.market.catalog.capturing import import_capture
from neural_trader.market.loading_ticks import load_quotes, load_trades
from neural_trader.market.resampling import Every, bars_from_quotes, bars_from_trades, resample, sides_of_quotes
from neural_trader.market.ticks import Quotes

FIVE_MINUTES = "bars/binance_spot_5m_2024-01-01_2024-09-06"
HOURS = "bars/binance_spot_1h_2024-01-01_2024-09-06"
PAIRS = ("AVAX", "BTC", "DOGE", "ETH", "LINK", "LTC", "MATIC", "SOL", "TRX", "XRP")
PRICES = ("open", "high", "low", "close")
FIRST_NS = 1_723_161_300_000_000_000
"""2024-08-08 23:55."""


def test_bars_from_trades_equal_the_klines_of_the_exchange(shared_data: Path, tmp_path: Path) -> None:
    (trades,) = load_trades(shared_data / "trades/binance_spot_btcusdt_20240808-09.csv.gz")
    catalog = Catalog(tmp_path)
    catalog.append(replace(trades, symbol="BTCUSDT"), "binance")
    kept = catalog.datasets()[0].item()
    made = bars_from_trades(kept, "5m")  # type: ignore[arg-type]
    (klines,) = load_bars(shared_data / FIVE_MINUTES, symbols="BTCUSDT")
    expected = [
        (61828.0, 61860.8, 61583.22, 61685.99, 199.42863),
        (61686.0, 61744.37, 61556.04, 61607.99, 221.61722),
    ]
    for number, values in enumerate(expected):
        opens_ns = FIRST_NS + number * 300_000_000_000
        at, there = int(made.open_ns.searchsorted(opens_ns)), int(klines.open_ns.searchsorted(opens_ns))
        assert made.open_ns[at] == klines.open_ns[there] == opens_ns
        assert made.close_ns[at] == klines.close_ns[there]
        for bars, row in ((made, at), (klines, there)):
            assert bars.volume_units is not None
            prices = [float(getattr(bars, f"{name}_price")[row]) for name in PRICES]
            assert (*prices, float(bars.volume_units[row])) == values


@pytest.mark.parametrize("pair", PAIRS)
def test_five_minutes_come_to_the_hours_of_the_exchange(pair: str, shared_data: Path) -> None:
    (minutes,) = load_bars(shared_data / FIVE_MINUTES, symbols=f"{pair}USDT")
    (hours,) = load_bars(shared_data / HOURS, symbols=f"{pair}USDT")
    made = resample(minutes, "1h")
    assert (made.tick, made.lot) == (hours.tick, hours.lot)
    assert len(made) == len(hours)
    for name in ("open_ns", "close_ns", *PRICES, "volume"):
        assert np.array_equal(getattr(made, name), getattr(hours, name)), name


def test_ticks_come_to_the_recorded_minutes_of_bid_and_ask(shared_data: Path) -> None:
    (quotes,) = load_quotes(shared_data / "quotes/oanda_eurusd_ticks_2014-05-01_2014-05-15.csv.gz")
    recorded = shared_data / "quotes/oanda_eurusd_1m_bidask_2014-05-01_2014-05-15.csv.gz"
    (minutes,) = load_bars(recorded)
    made = bars_from_quotes(quotes, "1m")
    assert len(made) == len(minutes) == 15_366
    assert made.tick == minutes.tick
    for name in ("open_ns", *PRICES, "spread"):
        assert np.array_equal(getattr(made, name), getattr(minutes, name)), name
    # The two sides by themselves, against the text of the file.
    import gzip

    cells = [line.split(",") for line in gzip.decompress(recorded.read_bytes()).decode().splitlines()[1:]]
    sides = sides_of_quotes(quotes, Every.of("1m"))
    for name, first in (("bid", 1), ("ask", 6)):
        texts = [[int(row[column].replace(".", "")) for row in cells] for column in range(first, first + 4)]
        counts = [np.array(text) for text in texts]
        # Every price of the file is written with five decimals, which are the ticks.
        assert all(len(row[first].partition(".")[2]) == 5 for row in cells)
        for role, text in zip(sides[name][2:6], counts, strict=True):
            assert np.array_equal(role, text)


def test_every_recorded_file_of_bars_survives_the_catalog(shared_data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    for folder in (HOURS, "bars/us_equity_daily", "bars/backtesting_py"):
        for bars in load_bars(shared_data / folder):
            appended = catalog.append(bars, "recorded")
            back = catalog.dataset(appended.key).item()
            assert isinstance(back, Bars)
            for name in ("open_ns", "close_ns", *PRICES, "volume"):
                assert np.array_equal(getattr(bars, name), getattr(back, name)), (bars.symbol, name)
            assert catalog.append(bars, "recorded").new == 0


def test_a_capture_holds_the_trades_that_were_taken_from_it(shared_data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    paths = [shared_data / f"depth/binance_spot_btcusdt_{day}.ws.gz" for day in (20240808, 20240809)]
    appended, _ = import_capture(catalog, paths, "binance")
    assert [each.key.kind for each in appended] == ["trades", "quotes", "depth"]
    assert all(each.new == each.rows for each in appended)
    assert appended[0].rows == 19_904
    (trades,) = load_trades(shared_data / "trades/binance_spot_btcusdt_20240808-09.csv.gz")
    # Every id, time, price, quantity and side is the same, or it would be refused.
    assert catalog.append(replace(trades, symbol="BTCUSDT"), "binance").new == 0
    again, _ = import_capture(catalog, paths, "binance")
    assert [each.new for each in again] == [0, 0, 0]
    quotes = catalog.dataset(appended[1].key).item()
    assert isinstance(quotes, Quotes)
    assert (quotes.bid < quotes.ask).all()


def test_the_book_of_a_capture_can_be_built_from_its_levels(shared_data: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    paths = [shared_data / "depth/binance_spot_ethusdt_20240808.ws.gz"]
    appended, _ = import_capture(catalog, paths, "binance")
    depth = catalog.dataset(appended[-1].key).frame()
    snapshot = depth["is_snapshot"].arg_true()
    assert len(snapshot) > 1000
    # What follows the last snapshot, level by level: the last quantity of each price, but for those that are gone.
    import polars as pl

    book = (
        depth[int(snapshot[0]) :]
        .group_by("side", "price")
        .agg(pl.col("quantity").last())
        .filter(pl.col("quantity") > 0)
    )
    best_bid = book.filter(pl.col("side") == 1)["price"].max()
    best_ask = book.filter(pl.col("side") == -1)["price"].min()
    quotes = catalog.dataset(appended[1].key).frame()
    assert (best_bid, best_ask) == (quotes["bid"][-1], quotes["ask"][-1])
