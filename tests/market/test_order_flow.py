"""Random order flow: its blocks, its two feeds, and its way through files and the catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader._native import Ladder, OrderBook
from neural_trader.errors import DataError
from neural_trader.market.catalog import Catalog
from neural_trader.market.catalog.importing import import_files
from neural_trader.market.catalog.record_rows import flow_rows, order_records, order_rows
from neural_trader.market.catalog.row_files import describe_rows, read_rows, write_rows
from neural_trader.market.catalog.rows import Rows
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.order_flow import LOT, TICK, OrderFlow, collapsed, made_by, order_flow

CALM = OrderFlow(limit_rate=1.0, reach=20, market_rate=0.5, cancel_rate=0.25)


def whole(blocks: Any) -> np.ndarray[Any, np.dtype[Any]]:
    joined: np.ndarray[Any, np.dtype[Any]] = np.concatenate(list(blocks))
    return joined


def flow(**arguments: Any) -> np.ndarray[Any, np.dtype[Any]]:
    return whole(order_flow(CALM, **{"duration": "5m", **arguments}))


def of_kind(records: np.ndarray[Any, np.dtype[Any]], name: str) -> np.ndarray[Any, np.dtype[Any]]:
    return records[records["kind"] == KIND[name]]


def test_a_seed_gives_the_same_bytes_in_blocks_of_any_size() -> None:
    records = flow()
    assert records.dtype == EVENT
    for block in (1, 48, 1000, len(records), len(records) + 1):
        blocks = list(order_flow(CALM, duration="5m", block=block))
        assert {len(each) for each in blocks[:-1]} <= {block}
        assert whole(blocks).tobytes() == records.tobytes()
    assert flow(duration="6m")[: len(records)].tobytes() == records.tobytes()
    assert flow(seed=8).tobytes() != records.tobytes()
    assert flow(symbol="BRAVO").tobytes() != records.tobytes()


def test_records_are_numbered_timed_and_begin_with_a_snapshot() -> None:
    records = flow(start="2024-05-01", price=5000)
    kinds = records["kind"].tolist()
    end = kinds.index(KIND["snapshot_end"])
    assert kinds[0] == KIND["snapshot_begin"]
    assert set(kinds[1:end]) == {KIND["order_add"]}
    assert records["sequence"].tolist() == list(range(len(records)))
    assert records["ts_event_ns"][0] == np.datetime64("2024-05-01", "ns").astype(int)
    assert (np.diff(records["ts_event_ns"]) >= 0).all()
    assert np.ptp(records["ts_event_ns"]) < 300 * 10**9
    last = (records["flags"] & FLAG["last"]) != 0
    assert last[end]
    assert not last[:end].any()
    # An action is one instant: where the time changes, the record before was the last.
    assert last[:-1][np.diff(records["ts_event_ns"]) > 0].all()
    bids = records[1:end][(records[1:end]["flags"] & FLAG["bid"]) != 0]
    assert bids["price"].max() == 5000


def test_a_trade_is_the_sum_of_its_fills() -> None:
    records = flow(duration="1h")
    trades, fills = of_kind(records, "trade"), of_kind(records, "order_fill")
    assert trades["id"].tolist() == list(range(1, len(trades) + 1))
    belongs = np.searchsorted(trades["sequence"], fills["sequence"]) - 1
    assert np.bincount(belongs, fills["quantity"]).tolist() == trades["quantity"].tolist()
    assert (fills["price"] == trades["price"][belongs]).all()
    assert ((fills["flags"] ^ trades["flags"][belongs]) & 3 == 3).all(), "the makers are of the other side"


def test_the_collapsed_feed_has_the_book_of_the_orders_whatever_the_blocks() -> None:
    records = flow()
    levels = whole(collapsed(order_flow(CALM, duration="5m", block=777)))
    assert levels.tobytes() == whole(collapsed([records])).tobytes()
    book, ladder = OrderBook(), Ladder()
    ends = iter(np.flatnonzero(levels["flags"] & FLAG["last"]).tolist())
    at = 0
    for record in records:
        _tell(book, record)
        if not record["flags"] & FLAG["last"]:
            continue
        end = next(ends)
        for level in levels[at : end + 1]:
            assert level["ts_event_ns"] == record["ts_event_ns"]
            if level["kind"] in (KIND["level"], KIND["snapshot_level"]):
                ladder.set(_side(level), int(level["price"]), int(level["quantity"]))
        at = end + 1
        for side in (1, -1):
            assert ladder.levels(side) == book.levels(side)
    assert at == len(levels)
    fields = ["ts_event_ns", "price", "quantity", "id"]
    assert of_kind(levels, "trade")[fields].tolist() == of_kind(records, "trade")[fields].tolist()


def _side(record: Any) -> int:
    return 1 if record["flags"] & FLAG["bid"] else -1


def _tell(book: OrderBook, record: Any) -> None:
    number, price, quantity = int(record["id"]), int(record["price"]), int(record["quantity"])
    if record["kind"] == KIND["order_add"]:
        book.add(number, _side(record), price, quantity)
    elif record["kind"] == KIND["order_delete"]:
        assert book.cancel(number) == quantity
    elif record["kind"] == KIND["order_fill"]:
        assert book.orders_at(_side(record), price)[0][0] == number
        book.fill(number, quantity)


def test_a_feed_that_contradicts_itself_is_refused_by_block_and_row() -> None:
    records = flow(duration="1m")
    fill = of_kind(records, "order_fill")[:1]
    with pytest.raises(DataError, match=r"block 1, row 0: no order \d+ rests in the book"):
        list(collapsed([records[:1], fill]))
    fill["kind"] = 31
    with pytest.raises(DataError, match="row 0: no record has kind 31"):
        list(collapsed([fill]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": OrderFlow(limit_rate=-1)}, "limit_rate -1 makes no market"),
        ({"model": OrderFlow(reach=-1)}, "order flow: "),
        ({"model": OrderFlow(cancel_rate=1e-6)}, "orders would rest at once"),
        ({"price": 0}, "a price of 0 ticks"),
        ({"seed": -1}, "seed -1"),
        ({"block": 0}, "block 0"),
        ({"duration": "5000w", "start": "2100-01-01"}, "beyond the year 2116"),
    ],
)
def test_what_makes_no_market_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        list(order_flow(**arguments))


def rows_of_flow() -> dict[str, Rows]:
    blocks = order_flow(CALM, duration="5m", block=999)
    return flow_rows(blocks, "ALPHA", (TICK, LOT), made_by(7), collapse=True)


def test_rows_of_orders_lead_back_to_the_records() -> None:
    rows = rows_of_flow()["orders"]
    assert order_records(rows.frame, TICK, LOT).tobytes() == flow().tobytes()
    with pytest.raises(DataError, match=r"row 0: price .* is no multiple of 0\.02"):
        order_records(rows.frame.with_columns(pl.col("price") + 0.01), type(TICK)(2, 2), LOT)
    with pytest.raises(DataError, match="no action dance"):
        order_records(rows.frame.with_columns(action=pl.lit("dance")), TICK, LOT)
    levels = whole(collapsed([flow()]))
    with pytest.raises(DataError, match="has no record of kind"):
        order_rows(levels, "ALPHA", (TICK, LOT))


def test_files_say_what_they_hold_and_go_into_the_catalog_once(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    for kind, rows in rows_of_flow().items():
        path = write_rows(rows, tmp_path / f"{kind}.parquet")
        told = describe_rows(path)
        assert (told["kind"], told["symbol"], told["rows"]) == (kind, "ALPHA", len(rows.frame))
        assert told["made"] == "synthetic order flow 1, seed 7"
        for new in (len(rows.frame), 0):
            (imported,) = import_files(catalog, [path], "demo", kind)
            assert imported.error is None
            assert [each.new for each in imported.appended] == [new]
    found = {dataset.key.kind: dataset for dataset in catalog.datasets()}
    assert order_records(found["orders"].frame(), TICK, LOT).tobytes() == flow().tobytes()
    assert found["orders"].manifest().made == "synthetic order flow 1, seed 7"
    with pytest.raises(DataError, match="levels and orders of a book are read with"):
        found["orders"].item()
    assert len(found["trades"].item()) == len(of_kind(flow(), "trade"))


def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    rows = rows_of_flow()["orders"]
    path = write_rows(rows, tmp_path / "orders.parquet")
    metadata = pl.read_parquet_metadata(path)
    frame = rows.frame
    for changed, words in (
        (frame.with_columns(pl.col("price") + 0.001), r"price .* is no multiple of 0\.01"),
        (frame.drop("action"), "orders have the columns"),
        (frame.with_columns(pl.col("side").cast(pl.Int64)), "orders have the columns"),
    ):
        changed.write_parquet(path, metadata={"neural_trader": metadata["neural_trader"]})
        with pytest.raises(DataError, match=words):
            read_rows(path)
    said = json.loads(metadata["neural_trader"]) | {"tick": "a penny"}
    frame.write_parquet(path, metadata={"neural_trader": json.dumps(said)})
    with pytest.raises(DataError, match="cannot be read as rows of a catalog"):
        read_rows(path)
    frame.write_parquet(path)
    (imported,) = import_files(Catalog(tmp_path / "catalog"), [path], "demo", "orders")
    assert "no file of orders" in str(imported.error)
    with pytest.raises(DataError, match="are written as Parquet"):
        write_rows(rows, tmp_path / "orders.csv")
