"""Trades and quotes from files: recognised like bars, exact, and never repaired."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from neural_trader.errors import DataError, UsageError
from neural_trader.market import Step
from neural_trader.market.loading_ticks import load_quotes, load_trades
from neural_trader.market.resampling import Every, bars_from_quotes, bars_from_trades, resample

Write = Callable[..., Path]
HEADER = "time,price,qty,side,trade_id"
FIRST = "2024-03-01T10:00:00Z,100.25,0.5,buy,7"
SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("lines", "side", "ids"),
    [
        ((HEADER, FIRST, "2024-03-01T10:00:01Z,100.5,2,SELL,8"), [1, -1], [7, 8]),
        (("trade_id,trade_time_ms,price,qty,buyer_is_maker", "7,1709287200000,100.25,0.5,0",
          "8,1709287201000,100.5,2,1"),
         [1, -1], [7, 8]),
        # Binance's daily files have no header; nor have those of Kraken, which name no side.
        (("7,100.25,0.5,50.1,1709287200000,False,True", "8,100.5,2,201,1709287201000,True,True"), [1, -1], [7, 8]),
        (("1709287200,100.25,0.5", "1709287201,100.5,2"), [0, 0], None),
        (("timestamp,id,side,price,amount", "1709287200000000,a-1,,100.25,0.5", "1709287201000000,b-2,ask,100.5,2"),
         [0, -1], None),
    ],
    ids=["own", "capture", "binance", "kraken", "texts as ids"],
)  # fmt: skip
def test_trades_are_recognised(
    lines: tuple[str, ...], side: list[int], ids: list[int] | None, bars_file: Write
) -> None:
    (trades,) = load_trades(bars_file(*lines))
    assert (trades.symbol, trades.tick, trades.lot) == ("ABC", Step(1, 2), Step(1, 1))
    assert trades.price.tolist() == [10025, 10050]
    assert trades.quantity.tolist() == [5, 20]
    assert (trades.ts_ns - 1_709_287_200 * SECOND_NS).tolist() == [0, SECOND_NS]
    assert trades.side.tolist() == side
    assert (None if trades.trade_id is None else trades.trade_id.tolist()) == ids


def test_instruments_of_one_file_are_told_apart(bars_file: Write) -> None:
    rows = ("time,symbol,price,qty", "2024-03-01T10:00:00Z,B,1,1", "2024-03-01T09:00:00Z,A,2,1")
    first, second = load_trades(bars_file(*rows))
    assert (first.symbol, second.symbol) == ("A", "B")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2024-03-01T09:59:59Z,1,1,buy,8", "line 3, column 'time': '2024-03-01T09:59:59Z' is earlier than the row"),
        ("2024-03-01T10:00:01Z,1,1,buy,7", "line 3: trade 7 of 2024-03-01 10:00:01 is there twice"),
        ("2024-03-01T10:00:00Z,1,1,buy,6", "line 3: trade 6 follows one of the same time with a larger id"),
        ("2024-03-01T10:00:01Z,1,1,long,8", "line 3, column 'side': 'long' is not buy or sell"),
        ("2024-03-01T10:00:01Z,0,1,buy,8", "line 3, column 'price': '0' is not above zero"),
        ("2024-03-01T10:00:01Z,1,-1,buy,8", "line 3, column 'qty': '-1' is negative"),
        ("2024-03-01T10:00:01Z,1,,buy,8", "line 3, column 'qty': the value is missing"),
    ],
)  # fmt: skip
def test_a_fault_in_trades_is_refused_with_its_line(line: str, words: str, bars_file: Write) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        load_trades(bars_file(HEADER, FIRST, line))


def test_sorting_is_done_only_if_asked_for_and_noted(bars_file: Write) -> None:
    path = bars_file(HEADER, FIRST, "2024-03-01T09:00:00Z,99,1,sell,5")
    with pytest.raises(DataError):
        load_trades(path)
    (trades,) = load_trades(path, sort=True)
    assert trades.trade_id is not None
    assert trades.trade_id.tolist() == [5, 7]
    assert trades.price.tolist() == [9900, 10025]
    assert "2 of 2 rows moved" in trades.notes[-1]


def test_quotes_are_recognised_and_become_bars_of_their_middle(bars_file: Write) -> None:
    rows = ("time,best_bid_price,best_ask_price", "2024-03-01T10:00:00Z,1.10,1.14", "2024-03-01T10:00:30Z,1.16,1.18")
    (quotes,) = load_quotes(bars_file(*rows))
    assert quotes.bid_size is None
    bars = bars_from_quotes(quotes, "1m")
    assert bars.tick == Step(5, 3)
    assert (bars.open_price[0], bars.high_price[0], bars.close_price[0]) == (1.12, 1.17, 1.17)
    assert bars.spread is not None
    assert bars.tick.value_of(bars.spread[0]) == 0.04
    with pytest.raises(UsageError, match="quotes are not traded"):
        bars_from_quotes(quotes, "10-trades")


def test_sizes_of_bars_are_in_units_of_the_instrument(bars_file: Write) -> None:
    rows = [f"2024-03-01T10:00:{second:02}Z,10.5,0.5,buy,{second + 1}" for second in range(8)]
    (trades,) = load_trades(bars_file(HEADER, *rows))
    assert len(bars_from_trades(trades, "2-trades")) == 4
    assert len(bars_from_trades(trades, "1 volume")) == 4
    assert len(bars_from_trades(trades, "10.5 notional")) == 4
    assert len(bars_from_trades(trades, "10.6 notional")) == 2
    assert len(bars_from_trades(trades, "10.6 notional", partial=True)) == 3
    minute = bars_from_trades(trades, "4s")
    assert resample(minute, "8s").volume_units is not None
    with pytest.raises(DataError, match="lies in two of the longer intervals"):
        resample(minute, "6s")


@pytest.mark.parametrize("text", ["0-trades", "1.5-trades", "5 apples", "", "m", "-3-volume"])
def test_what_is_no_size_of_a_bar_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Every.of(text)


@pytest.mark.parametrize("text", ["5m", "1h", "1000-trades", "0.5-volume", "500-volume-imbalance"])
def test_a_size_is_written_as_it_is_read(text: str) -> None:
    assert str(Every.of(text)) == text
