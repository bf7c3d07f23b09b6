"""Tools that know nothing of this package read a catalog as it is, and see the same values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog_markets import some_bars, some_trades
from neural_trader.market.catalog import Catalog


@pytest.fixture
def filled(catalog: Catalog) -> Path:
    for symbol in ("BTC/USD", "ETH/USD"):
        catalog.append(some_bars(9000, seed=len(symbol), symbol=symbol), "kraken")
    catalog.append(some_trades(), "binance")
    return catalog.root / "data"


def test_polars_scans_a_folder_with_the_names_as_columns(filled: Path) -> None:
    bars = some_bars(9000, seed=7)
    found = (
        pl.scan_parquet(filled / "venue=kraken", hive_partitioning=True)
        .filter(pl.col("instrument") == "BTC-USD", pl.col("kind") == "bars-1h")
        .sort("open_time")
        .collect()
    )
    assert found.columns[:7] == ["open_time", "close_time", "open", "high", "low", "close", "volume"]
    assert found["open_time"].dtype == pl.Datetime("ns", "UTC")
    assert found["close"].to_list() == bars.close_price.tolist()
    assert found["date"].unique().len() == 2


def test_duckdb_queries_the_files(filled: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    trades = some_trades()
    pattern = (filled / "**" / "*.parquet").as_posix()
    query = f"""
        SELECT venue, instrument, count(*), sum(quantity * side), min(epoch_ns(ts_event)), max(trade_id)
        FROM read_parquet('{pattern}', hive_partitioning = true, union_by_name = true)
        WHERE kind = 'trades' GROUP BY ALL
    """
    (row,) = duckdb.sql(query).fetchall()
    assert row[:3] == ("binance", "ETHUSDT", 5000)
    signed = trades.lot.value_of(trades.quantity) * trades.side
    assert row[3] == pytest.approx(float(signed.sum()), rel=1e-12)
    assert row[4:] == (int(trades.ts_ns[0]), 5999)


def test_pandas_reads_a_dataset(filled: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    bars = some_bars(9000, seed=7)
    frame = pandas.read_parquet(filled / "venue=kraken" / "instrument=BTC-USD")
    frame = frame.sort_values("open_time")
    assert str(frame["open_time"].dtype) == "datetime64[ns, UTC]"
    assert np.array_equal(frame["open_time"].astype("int64").to_numpy(), bars.open_ns)
    assert np.array_equal(frame["close"].to_numpy(), bars.close_price)
    assert frame["close"].dtype == np.float64


def test_this_package_loads_a_file_of_bars_without_the_catalog(filled: Path) -> None:
    from neural_trader.market import load_bars

    path = filled / "venue=kraken" / "instrument=BTC-USD" / "kind=bars-1h" / "date=2024-01-01" / "part.parquet"
    (bars,) = load_bars(path)
    assert bars.close.tolist() == some_bars(9000, seed=7).close[: len(bars)].tolist()
