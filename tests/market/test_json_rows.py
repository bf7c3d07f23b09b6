"""Rows of JSON documents: exact numbers, and fields that are known by their names or their order."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from neural_trader.errors import DataError
from neural_trader.market import load_bars
from neural_trader.market.loading_ticks import load_trades

ROW = '[1570752011620,"13519807",null,"sell",0.00141342,23.0,0.03250866]'
OBJECTS = [
    {"id": "7", "timestamp": 1570752011620, "side": "sell", "price": 1.5, "amount": 2, "info": {"raw": [1]}},
    {"id": "8", "timestamp": 1570752011621, "side": "buy", "price": 1.25, "amount": 0.5, "fee": None},
]


def written(tmp_path: Path, text: str, name: str = "trades.json") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_recorded_trades_have_the_digits_of_their_file(shared_data: Path) -> None:
    path = shared_data / "trades/binance_xrpeth_trades_2019-10.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)
    (trades,) = load_trades(path)
    assert len(trades) == len(rows) == 12_477
    assert trades.trade_id is not None
    for at, (time_ms, trade_id, _, side, price, amount, _) in enumerate(rows):
        assert trades.ts_ns[at] == time_ms * 1_000_000
        assert trades.trade_id[at] == int(trade_id)
        assert trades.side[at] == {"buy": 1, "sell": -1}[side]
        assert Decimal(int(trades.price[at])) * Decimal(str(trades.tick)) == price
        assert Decimal(int(trades.quantity[at])) * Decimal(str(trades.lot)) == amount


def test_trades_that_kraken_answered(shared_data: Path) -> None:
    path = shared_data / "wire/kraken_rest_trades_response.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)["result"]["XBTUSDT"]
    (trades,) = load_trades(path)
    assert trades.symbol == "XBTUSDT"
    assert trades.trade_id is not None
    for at, (price, quantity, time_s, side, _, _, trade_id) in enumerate(rows):
        assert trades.ts_ns[at] == time_s * 10**9
        assert trades.trade_id[at] == trade_id
        assert trades.side[at] == {"b": 1, "s": -1}[side]
        assert Decimal(int(trades.price[at])) * Decimal(str(trades.tick)) == Decimal(price)
        assert Decimal(int(trades.quantity[at])) * Decimal(str(trades.lot)) == Decimal(quantity)


def test_bars_that_kraken_answered_end_before_the_one_that_was_not_finished(shared_data: Path) -> None:
    path = shared_data / "wire/kraken_rest_ohlc_response.json.gz"
    result = json.loads(gzip.decompress(path.read_bytes()))["result"]
    (bars,) = load_bars(path)
    assert bars.symbol == "XBTUSDT"
    assert bars.open_ns.tolist() == [row[0] * 10**9 for row in result["XBTUSDT"][:-1]]
    assert bars.open_ns[-1] == result["last"] * 10**9
    assert [str(Decimal(int(close)) * Decimal(str(bars.tick))) for close in bars.close] == [
        row[4] for row in result["XBTUSDT"][:-1]
    ]
    assert any("1 bar left out: it was not finished" in note for note in bars.notes)


@pytest.mark.parametrize("price", ["12345678.12345678", "0.10000001", "9007199254.740993", "1e-8", "3"])
def test_numbers_never_pass_through_floats(tmp_path: Path, price: str) -> None:
    (trades,) = load_trades(written(tmp_path, f"[{ROW.replace('0.00141342', price)}]"))
    assert Decimal(int(trades.price[0])) * Decimal(str(trades.tick)) == Decimal(price)


def test_objects_name_their_fields(tmp_path: Path) -> None:
    (trades,) = load_trades(written(tmp_path, json.dumps(OBJECTS)))
    assert trades.symbol == "trades"
    assert trades.side.tolist() == [-1, 1]
    assert trades.trade_id is not None and trades.trade_id.tolist() == [7, 8]
    assert (trades.price.tolist(), trades.quantity.tolist()) == ([150, 125], [20, 5])


def test_bars_are_lists_too(tmp_path: Path) -> None:
    rows = [[1_700_000_000_000 + at * 60_000, 1.5, 2.5, 1.25, 2, 10] for at in range(3)]
    (bars,) = load_bars(written(tmp_path, json.dumps(rows), "AB.json"))
    assert (bars.symbol, bars.close.tolist(), bars.interval_ns) == ("AB", [200, 200, 200], 60_000_000_000)


def test_documents_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, "{}", "settings.json")
    (tmp_path / "AB.csv").write_text("time,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-02,1,1,1,1\n")
    assert [bars.symbol for bars in load_bars(tmp_path)] == ["AB"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as JSON"),
        ("[", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[[1,NaN]]", "NaN is no number"),
        ("[]", "no trades in the document"),
        ("{}", "holds no list of trades"),
        ("[1]", "not all objects, or lists of one length"),
        (f"[{ROW},[1]]", "not all objects, or lists of one length"),
        ("[[1,2,3,4]]", "rows without names"),
        ('[{"a":1}]', "no column for price or quantity"),
        (f"[{ROW.replace('0.00141342', '{}')}]", "rows without names"),
        (f"[{ROW},{ROW.replace('0.00141342', '{}')}]", "row 1, column 'price'"),
        ('{"error":["EQuery:Unknown asset pair"]}', "holds no list"),
        ('{"error":["EQuery:Unknown asset pair"],"result":{}}', "the venue answered .*Unknown asset pair"),
        ('{"error":[],"result":{"last":"1"}}', "holds 0 pairs"),
        ('{"error":[],"result":{"AB":[],"last":"1"}}', "no trades in the document"),
        ('{"error":[],"result":{"AB":[[1,2]],"last":"1"}}', "no trades as Kraken lists them"),
        ('{"error":[],"result":{"AB":7,"last":"1"}}', "an answer about trades"),
    ],
)
def test_what_is_no_list_of_trades_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as refused:
        load_trades(written(tmp_path, text))
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("trades.json")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trades.json.gz").write_bytes(gzip.compress(b"[]")[:-9])
    with pytest.raises(DataError, match="damaged or incomplete"):
        load_trades(tmp_path / "trades.json.gz")
