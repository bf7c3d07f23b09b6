"""A feed reports what it cannot read and goes on; it never holds a wrong book for a right one."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._native import VENUES
from neural_trader.errors import DataError
from neural_trader.market.captures import feed_for, read_capture
from neural_trader.market.events import EVENT, FAULTS, KIND
from neural_trader.market.venue_instruments import VenueInstrument, described_instruments
from venue_messages import binance_session, kraken_session

SPOT = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)
KRAKEN = VenueInstrument("AB/USD", (1, 1), (1, 8), 1, 8)
NAMES = {number: name for name, number in KIND.items()}


def _kinds(feed: object) -> list[str]:
    return [NAMES[kind] for kind in np.frombuffer(feed.take(), EVENT)["kind"].tolist()]


def test_a_malformed_message_is_reported_with_its_place_and_the_stream_goes_on() -> None:
    messages = binance_session(1, 40)
    feed = feed_for("binance", [SPOT])
    at = next(number for number, (_, message) in enumerate(messages) if number > 30 and b'"trade"' in message)
    for number, (time, message) in enumerate(messages):
        feed.message(time, message[:60] if number == at else message)
    ((code, offset, number, time, first_bytes),) = feed.faults()
    assert (code, offset, number, time) == ("unexpected_end", 60, at, messages[at][0])
    assert first_bytes == messages[at][1][:48]
    kinds = _kinds(feed)
    assert kinds.count("malformed") == 1
    assert kinds.count("trade_gap") == 1, "the trade that was lost is missed"
    assert "gap" not in kinds


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b'"p":"', b'"p":"x'), "not_a_decimal"),
        ((b'"p":"', b'"p":"-'), "not_positive"),
        ((b'"q":"', b'"q":"1e-12'), "not_a_decimal"),
        ((b'"T":', b'"T":9999999999'), "out_of_range"),
        ((b'"s":"ABUSD"', b'"s":"XYUSD"'), "unknown_instrument"),
        ((b'"m":', b'"w":'), "missing_field"),
        ((b'"m":', b'"m":"maybe","w":'), "unknown_word"),
        ((b'{"e"', b'{e'), "unexpected_byte"),
        ((b'000000","q"', b'123456","q"'), "off_grid"),
    ],
)  # fmt: skip
def test_each_fault_has_its_code(change: tuple[bytes, bytes], code: str) -> None:
    message = next(message for _, message in binance_session(1, 40) if b'"trade"' in message)
    feed = feed_for("binance", [SPOT])
    feed.message(1, message.replace(*change))
    assert [fault[0] for fault in feed.faults()] == [code]


def test_a_book_that_crosses_is_thrown_away() -> None:
    feed = feed_for("binance", [SPOT])
    feed.message(1, b'{"lastUpdateId":5,"bids":[["1.00","2"]],"asks":[["1.02","2"]]}')
    assert feed.levels("ABUSD", True, 1) == [(100, 200_000_000)]
    feed.message(2, b'{"e":"depthUpdate","E":1,"s":"ABUSD","U":6,"u":6,"b":[["1.02","1"]],"a":[]}')
    assert feed.levels("ABUSD", True, 1) is None
    assert _kinds(feed)[-3:] == ["level", "crossed", "resync"]
    feed.message(3, b'{"e":"depthUpdate","E":1,"s":"ABUSD","U":7,"u":7,"b":[["1.02","0"]],"a":[]}')
    feed.message(4, b'{"lastUpdateId":6,"bids":[["1.00","2"]],"asks":[["1.02","2"]]}')
    assert _kinds(feed) == ["snapshot_begin", "snapshot_level", "snapshot_level", "snapshot_end", "level"]


def test_a_snapshot_older_than_the_stream_is_asked_for_again() -> None:
    feed = feed_for("binance", [SPOT])
    feed.message(1, b'{"e":"depthUpdate","E":1,"s":"ABUSD","U":10,"u":12,"b":[["0.99","1"]],"a":[]}')
    feed.message(2, b'{"lastUpdateId":8,"bids":[["1.00","2"]],"asks":[["1.02","2"]]}')
    assert _kinds(feed) == ["resync", "resync"]
    feed.message(3, b'{"lastUpdateId":9,"bids":[["1.00","2"]],"asks":[["1.02","2"]]}')
    assert _kinds(feed)[-2:] == ["snapshot_end", "level"], "its first diff starts exactly one above"
    assert feed.book_id("ABUSD") == 12


def _coinbase(number: int, channel: str, events: list[object]) -> bytes:
    envelope = {"channel": channel, "client_id": "", "timestamp": "2026-04-07T14:30:00.1Z", "sequence_num": number}
    return json.dumps({**envelope, "events": events}).encode()


def _level2(kind: str, *levels: tuple[str, str, str]) -> list[object]:
    updates = [
        {"side": side, "event_time": "2026-04-07T14:30:00.123456Z", "price_level": price, "new_quantity": size}
        for side, price, size in levels
    ]
    return [{"type": kind, "product_id": "A-B", "updates": updates}]


def test_coinbase_counts_messages_across_channels() -> None:
    feed = feed_for("coinbase", [VenueInstrument("A-B", (1, 2), (1, 8), 2, 8)])
    feed.message(1, _coinbase(0, "l2_data", _level2("snapshot", ("bid", "1.00", "2"), ("offer", "1.02", "3"))))
    feed.message(2, _coinbase(1, "heartbeats", [{"current_time": "x", "heartbeat_counter": 3}]))
    feed.message(3, _coinbase(2, "l2_data", _level2("update", ("offer", "1.02", "0.00000000"), ("offer", "1.03", "1"))))
    assert feed.levels("A-B", False, 5) == [(103, 100_000_000)]
    feed.message(4, _coinbase(2, "l2_data", _level2("update", ("bid", "1.01", "1"))))
    assert feed.levels("A-B", True, 5) == [(100, 200_000_000)], "a lower or equal number came too late"
    feed.message(5, _coinbase(4, "heartbeats", []))
    assert feed.levels("A-B", True, 5) is None
    assert _kinds(feed)[-2:] == ["gap", "resync"]
    feed.message(6, _coinbase(5, "l2_data", _level2("snapshot", ("bid", "1.00", "2"))))
    assert feed.levels("A-B", True, 5) == [(100, 200_000_000)]


def test_the_aggressor_of_coinbase_is_the_opposite_of_the_maker_and_trades_are_not_repeated() -> None:
    feed = feed_for("coinbase", [VenueInstrument("A-B", (1, 2), (1, 8), 2, 8)])

    def trades(*ids: int) -> list[object]:
        common = {"product_id": "A-B", "price": "1.00", "size": "2", "side": "SELL", "time": "2026-04-07T14:30:02Z"}
        return [{"type": "update", "trades": [{**common, "trade_id": str(number)} for number in ids]}]

    feed.message(1, _coinbase(0, "market_trades", trades(12, 11, 10)))
    feed.message(2, _coinbase(1, "market_trades", trades(13, 12, 11)))
    found = np.frombuffer(feed.take(), EVENT)
    assert found["id"].tolist() == [10, 11, 12, 13]
    assert set((found["flags"] & 3).tolist()) == {1}, "the maker sold, so the aggressor bought"
    assert feed.tally["trades_repeated"] == 2


def test_a_silent_connection_is_stale_and_its_books_wait() -> None:
    feed = feed_for("kraken", [KRAKEN])
    (_, snapshot), (_, update) = kraken_session(3, 2)
    second = 1_000_000_000
    feed.message(second, snapshot)
    feed.message(5 * second, b'{"channel":"heartbeat"}')
    feed.message(9 * second, b'{"channel":"heartbeat"}')
    assert feed.levels("AB/USD", True, 1)
    feed.at_time(15 * second)
    assert _kinds(feed)[-2:] == ["stale", "resync"]
    feed.message(16 * second, update)
    assert feed.levels("AB/USD", True, 1) is None
    feed.message(17 * second, snapshot)
    assert feed.levels("AB/USD", True, 1)


def test_a_silent_book_under_heartbeats_is_stale_where_that_was_asked_for() -> None:
    feed = feed_for("kraken", [KRAKEN], book_silence_ns=3_000_000_000)
    feed.message(1_000_000_000, kraken_session(3, 1)[0][1])
    for moment in range(2, 7):
        feed.message(moment * 1_000_000_000, b'{"channel":"heartbeat"}')
    assert _kinds(feed)[-2:] == ["stale", "resync"]


def test_a_refused_subscription_is_said_and_an_acknowledged_depth_is_used() -> None:
    feed = feed_for("kraken", [KRAKEN])
    feed.message(1, b'{"method":"subscribe","success":false,"error":"Currency pair not supported"}')
    assert _kinds(feed) == ["refused"]
    feed.message(2, b'{"method":"subscribe","success":true,"result":{"channel":"book","depth":25,"symbol":"AB/USD"}}')
    for time, message in kraken_session(4, 60, 25):
        feed.message(time, message)
    assert (feed.tally["checksums"], feed.tally["malformed"]) == (60, 0)


def test_bars_of_kraken_are_final_when_the_next_one_begins() -> None:
    feed = feed_for("kraken", [KRAKEN])
    for minute, close in ((25, 3.0), (25, 2.5), (26, 2.0)):
        bar = {"symbol": "AB/USD", "interval": 1, "interval_begin": f"2023-10-04T16:{minute}:00.000000000Z",
               "open": 2.0, "high": 4.0, "low": 1.0, "close": close, "volume": 1.5, "vwap": 2.0}  # fmt: skip
        feed.message(1, json.dumps({"channel": "ohlc", "type": "update", "data": [bar]}).encode())
    closes = [event for event in np.frombuffer(feed.take(), EVENT) if event["kind"] == KIND["bar_close"]]
    assert [(int(event["price"]), bool(event["flags"] & 8)) for event in closes] == [
        (30, False),
        (25, False),
        (25, True),
        (20, False),
    ]


def test_prices_of_oanda_are_whole_books_and_its_candles_have_sides() -> None:
    feed = feed_for("oanda", [VenueInstrument("EUR_USD", (1, 5), (1, 0), 5, 0)])
    price = {"type": "PRICE", "instrument": "EUR_USD", "time": "2016-10-05T05:28:16.729643492Z", "status": "tradeable",
             "bids": [{"price": "1.12157", "liquidity": 10}, {"price": "1.12155", "liquidity": 20}],
             "asks": [{"price": "1.12170", "liquidity": 10}]}  # fmt: skip
    feed.message(1, json.dumps(price).encode())
    feed.message(2, b'{"type":"HEARTBEAT","time":"2016-10-27T08:38:44.327443673Z"}')
    feed.message(3, json.dumps({**price, "status": "non-tradeable", "bids": [], "asks": []}).encode())
    events = np.frombuffer(feed.take(), EVENT)
    assert [NAMES[kind] for kind in events["kind"].tolist()] == [
        "status", "quote", "quote", "snapshot_begin", *["snapshot_level"] * 3, "snapshot_end",
        "status", "quote", "quote", "snapshot_begin", "snapshot_end",
    ]  # fmt: skip
    assert events["price"][1:3].tolist() == [112_157, 112_170]
    assert events["quantity"][[0, 8]].tolist() == [1, 0]
    assert events["ts_event_ns"][0] % 1_000_000_000 == 729_643_492
    sides = {side: {"o": "1.1", "h": "1.3", "l": "1.0", "c": "1.2"} for side in ("bid", "ask")}
    candle = {"time": "1476732900.000000000", "complete": True, "volume": 132, **sides}
    feed.message(4, json.dumps({"instrument": "EUR_USD", "granularity": "M5", "candles": [candle]}).encode())
    events = np.frombuffer(feed.take(), EVENT)
    assert (len(events), events["quantity"][0], events["quantity"][3]) == (8, 300_000_000_000, 132)
    assert events["id"][0] == 1_476_732_900_000_000_000


def _mutated(message: bytes, random_source: random.Random) -> bytes:
    changed = bytearray(message)
    for _ in range(random_source.randrange(1, 4)):
        place = random_source.randrange(len(changed) + 1)
        match random_source.randrange(5):
            case 0:
                changed[place : place + 1] = bytes([random_source.randrange(256)])
            case 1:
                del changed[place : place + random_source.randrange(1, 20)]
            case 2:
                changed[place:place] = random_source.choice(
                    [b'"', b"{", b"[", b"}", b"]", b"\\", b",", b"9" * 30, b"-", b"e9"]
                )
            case 3:
                changed[place:place] = changed[place : place + random_source.randrange(1, 60)]
            case _:
                del changed[place:]
        if not changed:
            break
    return bytes(changed)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), venue=st.sampled_from(VENUES))
def test_no_mutation_of_messages_ends_a_feed_or_leaves_a_crossed_book(seed: int, venue: str) -> None:
    source = random.Random(seed)
    session = (
        kraken_session(seed, 20) if venue == "kraken" else binance_session(seed, 20, futures=venue == "binance_usdm")
    )
    feed = feed_for(venue, [SPOT, KRAKEN], silence_ns=0)
    for time, message in session:
        feed.message(time, _mutated(message, source) if source.random() < 0.4 else message)
        for symbol in ("ABUSD", "AB/USD"):
            bids, asks = feed.levels(symbol, True, 1), feed.levels(symbol, False, 1)
            assert not (bids and asks and bids[0][0] >= asks[0][0])
    tally = feed.tally
    assert tally["messages"] == len(session)
    assert len(feed.faults()) == tally["malformed"] == _kinds(feed).count("malformed")


@settings(max_examples=200)
@given(venue=st.sampled_from(VENUES), message=st.binary(max_size=300))
def test_no_bytes_end_a_feed(venue: str, message: bytes) -> None:
    feed = feed_for(venue, [SPOT])
    feed.message(1, message)
    feed.lines(message)
    assert feed.tally["messages"] >= 1
    with suppress(DataError):
        described_instruments(venue, message)


def test_a_damaged_or_missing_file_is_a_data_error(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.ws.gz"
    damaged.write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(DataError, match="damaged"):
        read_capture(damaged, "binance", [SPOT])
    with pytest.raises(DataError, match="cannot be read"):
        read_capture(tmp_path / "none", "binance", [SPOT])
    with pytest.raises(DataError, match="no venue is called"):
        read_capture(damaged, "nowhere", [SPOT])


def test_files_that_belong_together_are_merged_by_time(tmp_path: Path) -> None:
    messages = binance_session(5, 50)
    (tmp_path / "all").write_bytes(b"".join(b"%d %s\n" % pair for pair in messages))
    snapshot = [pair for pair in messages if b"lastUpdateId" in pair[1]]
    stream = [pair for pair in messages if b"lastUpdateId" not in pair[1]]
    (tmp_path / "stream").write_bytes(b"".join(b"%d %s\n" % pair for pair in stream))
    # The other form of line, with its time in seconds and the address of the request.
    (tmp_path / "answers").write_bytes(
        b"".join(
            b"https://x/depth?symbol=ABUSD -> %d.%09d: %s\n" % (*divmod(time, 10**9), text) for time, text in snapshot
        )
    )
    together = read_capture([tmp_path / "answers", tmp_path / "stream"], "binance", [SPOT])
    assert together.count("snapshot_end") == 1
    assert not [kind for kind in FAULTS if kind != "resync" and together.count(kind)]
    alone = read_capture(tmp_path / "all", "binance", [SPOT])
    assert len(together.of_kind("level")) == len(alone.of_kind("level"))
