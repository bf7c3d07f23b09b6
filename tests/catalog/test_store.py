"""What is put into a catalog comes back exactly, once, and in order, however it was cut into imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_markets import HOUR_NS, START_NS, part_of, some_bars, some_quotes, some_trades
from neural_trader.errors import DataError, UsageError
from neural_trader.market import Bars, Step
from neural_trader.market.catalog import Catalog, Key, Origin, catalog_root
from neural_trader.market.catalog.manifest import common_step
from neural_trader.market.catalog.names import spelled
from neural_trader.market.ticks import Quotes, Trades

Item = Bars | Trades | Quotes
Tree = Callable[[], dict[str, bytes]]
BARS = Key("kraken", "BTC/USD", "bars", "1h")
TRADES = Key("binance", "ETHUSDT", "trades")


def differences(one: Item, other: Item) -> list[str]:
    """The columns and steps that are not equal."""
    names = [name for name, value in vars(one).items() if isinstance(value, np.ndarray | Step)]
    return [name for name in names if not np.array_equal(getattr(one, name), getattr(other, name))]


def differing_values(one: Trades, other: Trades) -> list[str]:
    """The columns that differ in value, whatever the grid."""
    scaled = [item.tick.value_of(item.price) for item in (one, other)]
    lots = [item.lot.value_of(item.quantity) for item in (one, other)]
    same = {"price": np.array_equal(*scaled), "quantity": np.array_equal(*lots)}
    return [name for name, equal in same.items() if not equal]


@pytest.mark.parametrize(
    "item",
    [some_bars(), some_trades(), some_trades(ids=False), some_quotes(), replace(some_bars(), volume=None)],
    ids=["bars", "trades", "trades without ids", "quotes", "bars without volume"],
)
def test_what_is_kept_comes_back_exactly(item: Item, catalog: Catalog) -> None:
    appended = catalog.append(item, "kraken")
    assert (appended.rows, appended.new) == (len(item), len(item))
    (dataset,) = catalog.datasets()
    back = dataset.item()
    assert isinstance(back, type(item))
    assert not differences(item, back)
    assert back.symbol == item.symbol


@pytest.mark.parametrize("item", [some_bars(), some_trades(), some_trades(ids=False), some_quotes()])
def test_the_same_again_changes_not_one_byte(item: Item, catalog: Catalog, tree: Tree) -> None:
    catalog.append(item, "kraken", Origin("first.csv", "0" * 64, 1))
    before = tree()
    appended = catalog.append(item, "kraken", Origin("second.csv", "1" * 64, 1))
    assert (appended.new, appended.files) == (0, 0)
    assert tree() == before


@given(
    ids=st.booleans(),
    pieces=st.lists(st.tuples(st.integers(0, 700), st.integers(1, 400)), min_size=1, max_size=6),
)
@settings(max_examples=30, deadline=None)
def test_any_pieces_in_any_order_come_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, ids: bool, pieces: list[tuple[int, int]]
) -> None:
    whole = some_trades(1000, ids=ids)
    if not ids:
        # Without ids a piece has to begin with the first row of its time; what it leaves off at its end may follow.
        _, first_of_time = np.unique(whole.ts_ns, return_index=True)
        pieces = [(int(first_of_time[first_of_time <= first][-1]), length) for first, length in pieces]
    catalog = Catalog(tmp_path_factory.mktemp("pieces"))
    kept: set[int] = set()
    for first, length in pieces:
        appended = catalog.append(part_of(whole, first, first + length), "binance")
        rows = set(range(first, min(first + length, 1000)))
        assert appended.new == len(rows - kept)
        kept |= rows
    back = catalog.dataset(TRADES).item()
    expected = sorted(kept)
    assert isinstance(back, Trades)
    assert back.ts_ns.tolist() == whole.ts_ns[expected].tolist()
    assert back.price.tolist() == whole.price[expected].tolist()
    assert back.quantity.tolist() == whole.quantity[expected].tolist()


def test_overlapping_bars_become_one_series(catalog: Catalog) -> None:
    whole = some_bars()
    for first, last in ((1000, 2000), (0, 1200), (1900, 3000)):
        catalog.append(whole.rows(first, last), "kraken")
    assert not differences(whole, catalog.dataset(BARS).item())


def test_a_contradiction_is_refused_by_name_and_changes_nothing(catalog: Catalog, tree: Tree) -> None:
    bars = some_bars()
    catalog.append(bars, "kraken")
    before = tree()
    close = bars.close.copy()
    close[1234] = bars.low[1234]
    with pytest.raises(
        DataError, match=r"new\.csv: kraken/BTC/USD/bars-1h: the bar opening 2024-02-21 10:00 has close"
    ):
        catalog.append(replace(bars, close=close), "kraken", Origin("new.csv", "2" * 64, 1))
    assert tree() == before
    trades = some_trades()
    catalog.append(trades, "binance")
    quantity = trades.quantity.copy()
    quantity[77] += 1
    with pytest.raises(DataError, match=r"the trade 1077 of 2024-01-01 .* has quantity"):
        catalog.append(replace(trades, quantity=quantity), "binance")


def test_a_trade_that_is_there_at_another_time_is_refused(catalog: Catalog) -> None:
    trades = some_trades(100)
    catalog.append(trades, "binance")
    late = part_of(trades, 99, 100)
    with pytest.raises(DataError, match=r"the trade 1099 of .* is there twice"):
        catalog.append(replace(late, ts_ns=late.ts_ns + 1), "binance")


def test_an_id_that_is_twice_in_one_import_is_refused(catalog: Catalog) -> None:
    trades = some_trades(100)
    assert trades.trade_id is not None
    ids = trades.trade_id.copy()
    ids[60] = ids[20]
    with pytest.raises(DataError, match=r"the trade 1020 of .* is there twice"):
        catalog.append(replace(trades, trade_id=ids), "binance")


def test_bars_of_another_length_are_refused(catalog: Catalog) -> None:
    bars = some_bars(10)
    catalog.append(bars, "kraken")
    between = replace(bars, open_ns=bars.open_ns + HOUR_NS // 2, close_ns=bars.close_ns + HOUR_NS // 2)
    with pytest.raises(DataError, match="the bar opening 2024-01-01 00:30 opens before the one before it closes"):
        catalog.append(between, "kraken")


def test_rows_with_and_without_volume_do_not_mix(catalog: Catalog) -> None:
    catalog.append(some_bars(10), "kraken")
    with pytest.raises(DataError, match="the stored rows have volume, the new ones none of them"):
        catalog.append(replace(some_bars(20), volume=None), "kraken")


def test_a_finer_grid_refines_that_of_the_dataset_and_no_value_changes(catalog: Catalog) -> None:
    coarse = some_trades(1000)
    ts_ns = coarse.ts_ns + int(coarse.ts_ns[-1] - START_NS) + 60_000_000_000
    ids = None if coarse.trade_id is None else coarse.trade_id + 5000
    fine = replace(coarse, tick=Step(5, 3), price=coarse.price * 2 + 1, ts_ns=ts_ns, trade_id=ids)
    catalog.append(coarse, "binance")
    catalog.append(fine, "binance")
    back = catalog.dataset(TRADES).item()
    assert isinstance(back, Trades)
    assert back.tick == Step(5, 3)
    assert not differing_values(part_of(back, 0, 1000), coarse)
    assert not differing_values(part_of(back, 1000, 2000), fine)


def test_the_common_step_divides_both() -> None:
    assert common_step(Step(1, 2), Step(5, 3)) == Step(5, 3)
    assert common_step(Step(25, 2), Step(1, 1)) == Step(5, 2)
    assert common_step(Step(1, 0), Step(1, 0)) == Step(1, 0)


def test_counts_that_a_float_cannot_keep_are_refused(catalog: Catalog, tree: Tree) -> None:
    trades = some_trades(3)
    quantity = np.array([1, 2**53 + 1, 2])
    with pytest.raises(DataError, match="more digits than a float keeps"):
        catalog.append(replace(trades, quantity=quantity), "binance")
    catalog.append(replace(trades, quantity=np.array([1, 2**53 - 1, 2])), "binance")
    back = catalog.dataset(TRADES).item()
    assert isinstance(back, Trades)
    assert back.quantity.tolist() == [1, 2**53 - 1, 2]


def test_a_window_holds_what_begins_in_it(catalog: Catalog) -> None:
    bars = some_bars()
    catalog.append(bars, "kraken")
    first, last = 700, 2900
    back = catalog.dataset(BARS).item(int(bars.open_ns[first]), int(bars.open_ns[last]))
    assert not differences(bars.rows(first, last), back)
    with pytest.raises(DataError, match="no rows from 2030-01-01"):
        catalog.dataset(BARS).item(1_893_456_000_000_000_000)


def test_every_file_says_what_it_is_and_the_manifest_has_its_digest(catalog: Catalog) -> None:
    import hashlib

    catalog.append(some_bars(), "kraken", Origin("BTCUSD.csv", "ab" * 32, 77))
    dataset = catalog.dataset(BARS)
    manifest = dataset.manifest()
    assert [part.rows for part in manifest.parts.values()] == [3000]
    for path, (date, part) in zip(dataset.paths(), manifest.parts.items(), strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part.sha256
        said = json.loads(pl.read_parquet_metadata(path)["neural_trader"])
        assert (said["symbol"], said["tick"], said["lot"], said["date"]) == ("BTC/USD", "0.01", "0.00001", date)
        assert said["origins"] == [{"name": "BTCUSD.csv", "sha256": "ab" * 32, "bytes": 77}]
        assert "venue=kraken/instrument=BTC-USD/kind=bars-1h/date=2024-01-01" in path.as_posix()


def test_a_file_that_lost_rows_is_found(catalog: Catalog) -> None:
    catalog.append(some_trades(), "binance")
    dataset = catalog.dataset(TRADES)
    path = dataset.paths()[0]
    pl.read_parquet(path).head(3).write_parquet(path)
    with pytest.raises(DataError, match=r"3 rows, but .* were written"):
        dataset.item()


def test_what_a_generator_made_stays_labelled(catalog: Catalog) -> None:
    from neural_trader.market import synthetic_bars

    (made,) = synthetic_bars(bars=50, symbols="ALPHA")
    catalog.append(made, "demo")
    back = catalog.datasets()[0].item()
    assert isinstance(back, Bars)
    assert back.origin == "synthetic"
    assert back.source.endswith("synthetic market 1, seed 7")
    with pytest.raises(DataError, match="stored is synthetic market 1, seed 7, given is what a market traded"):
        catalog.append(replace(made, origin="file", source="x.csv"), "demo")


def test_two_symbols_of_one_spelling_are_refused(catalog: Catalog) -> None:
    catalog.append(some_bars(10, symbol="BTC/USD"), "kraken")
    with pytest.raises(DataError, match="have one name in the catalog"):
        catalog.append(some_bars(10, symbol="BTC-USD"), "kraken")
    with pytest.raises(DataError, match="differs in capitals only"):
        catalog.append(some_bars(10, symbol="btc/usd"), "kraken")
    assert catalog.dataset(BARS).item().symbol == "BTC/USD"


@given(name=st.text(min_size=1, max_size=20))
def test_every_name_is_one_part_of_a_path_on_windows_too(name: str) -> None:
    folder = spelled(name)
    assert not set(folder) & set('<>:"/\\|?*~ ')
    assert not folder.endswith(".")
    assert folder.isascii()


@pytest.mark.parametrize(
    "key",
    [Key("", "A", "trades"), Key("v", " A", "trades"), Key("v", "A", "tape"), Key("v", "A", "bars"),
     Key("v", "A", "trades", "5m"), Key("v", "A\n", "trades")],
)  # fmt: skip
def test_names_that_cannot_be_kept_are_refused(key: Key, catalog: Catalog) -> None:
    with pytest.raises(UsageError):
        catalog.dataset(key)


def test_the_catalog_is_where_it_was_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NT_CATALOG", str(tmp_path / "mine"))
    assert catalog_root() == tmp_path / "mine"
    assert catalog_root(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("NT_CATALOG")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr("sys.platform", "linux")
    assert catalog_root() == tmp_path / "share" / "neural-trader" / "catalog"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert catalog_root() == tmp_path / "local" / "neural-trader" / "catalog"


def test_a_dataset_that_is_not_there_says_so(catalog: Catalog) -> None:
    with pytest.raises(DataError, match="not in the catalog"):
        catalog.dataset(TRADES).item()
    assert catalog.datasets() == []
