"""Recorded sessions of real venues replay without a fault, and agree with what the venues said beside the books."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from neural_trader.market.captures import CaptureReader, feed_for, read_capture
from neural_trader.market.events import EVENT, FAULTS, FLAG, KIND
from neural_trader.market.venue_instruments import VenueInstrument, described_instruments

BTC = VenueInstrument("BTCUSDT", (1, 2), (1, 5), 2, 8)
ETH = VenueInstrument("ETHUSDT", (1, 2), (1, 4), 2, 8)
BTC_PERPETUAL = VenueInstrument("BTCUSDT", (1, 1), (1, 3), 1, 3)
KRAKEN_BTC = VenueInstrument("BTC/USD", (1, 1), (1, 8), 1, 8)
DAYS = {
    "btcusdt": ("binance_spot_btcusdt_20240808.ws.gz", "binance_spot_btcusdt_20240809.ws.gz"),
    "ethusdt": ("binance_spot_ethusdt_20240808.ws.gz",),
}


def _lines(*paths: Path) -> Iterator[tuple[int, bytes]]:
    for path in paths:
        with gzip.open(path) as lines:
            for line in lines:
                time, message = line.split(b" ", 1)
                yield int(time), message


def _without_resync(capture: object) -> list[str]:
    """Kinds of faults, apart from the request for the first snapshot."""
    return [kind for kind in FAULTS if kind != "resync" and capture.count(kind)]


@pytest.mark.parametrize(
    ("symbol", "instrument", "diffs", "agreements"), [("btcusdt", BTC, 6495, 1072), ("ethusdt", ETH, 3434, 577)]
)
def test_every_best_price_equals_the_quote_of_the_same_update(
    shared_data: Path, symbol: str, instrument: VenueInstrument, diffs: int, agreements: int
) -> None:
    paths = [shared_data / "depth" / name for name in DAYS[symbol]]
    feed = feed_for("binance", [instrument])
    books: dict[int, list[tuple[Decimal, Decimal]]] = {}
    quotes: dict[int, list[tuple[Decimal, Decimal]]] = {}
    seen = 0
    for time, message in _lines(*paths):
        feed.message(time, message)
        if b'"depthUpdate"' in message:
            seen += 1
            update = feed.book_id(instrument.symbol)
            if update is not None and update not in books:
                best = [feed.levels(instrument.symbol, bids, 1)[0] for bids in (True, False)]
                books[update] = [(instrument.price(ticks), instrument.quantity(lots)) for ticks, lots in best]
        elif b"@bookTicker" in message:
            quote = json.loads(message)["data"]
            quotes[quote["u"]] = [(Decimal(quote[p]), Decimal(quote[q])) for p, q in ("bB", "aA")]
    assert feed.faults() == []
    records = np.frombuffer(feed.take(), EVENT)
    assert not set(records["kind"]) & {KIND[name] for name in FAULTS if name != "resync"}
    assert np.count_nonzero(records["kind"] == KIND["resync"]) == 1, "one request for the first snapshot"
    both = books.keys() & quotes.keys()
    assert [update for update in both if books[update] != quotes[update]] == []
    assert (seen, len(both)) == (diffs, agreements)


def test_futures_diffs_are_chained_without_a_break(shared_data: Path) -> None:
    path = shared_data / "depth" / "binance_usdm_btcusdt_20240808.ws.gz"
    capture = read_capture(path, "binance_usdm", [BTC_PERPETUAL])
    assert sum(b'"depthUpdate"' in message for _, message in _lines(path)) == 6551
    assert _without_resync(capture) == []
    assert capture.count("level") > 400_000
    spot_rule = read_capture(path, "binance", [BTC_PERPETUAL])
    assert spot_rule.count("gap") == 1, "the spot rule finds a gap where there is none, and waits for a snapshot"


@pytest.mark.parametrize(
    ("trades", "instrument", "venue_rows"),
    [("binance_spot_btcusdt_20240808-09.csv.gz", BTC, 19_904), ("binance_spot_ethusdt_20240808.csv.gz", ETH, 6106)],
)
def test_trades_equal_those_that_were_extracted(
    shared_data: Path, trades: str, instrument: VenueInstrument, venue_rows: int
) -> None:
    symbol = instrument.symbol.lower()
    paths = [shared_data / "depth" / name for name in DAYS[symbol]]
    with gzip.open(shared_data / "trades" / trades, "rt") as lines:
        rows = list(csv.DictReader(lines))
    capture = read_capture(paths, "binance", [instrument])
    found = capture.of_kind("trade")
    assert len(found) == len(rows) == venue_rows
    for trade, row in zip(found, rows, strict=True):
        assert int(trade["id"]) == int(row["trade_id"])
        assert int(trade["ts_event_ns"]) == int(row["trade_time_ms"]) * 1_000_000
        assert int(trade["ts_recv_ns"]) == int(row["recv_time_ns"])
        assert instrument.price(int(trade["price"])) == Decimal(row["price"])
        assert instrument.quantity(int(trade["quantity"])) == Decimal(row["qty"])
        assert bool(trade["flags"] & FLAG["ask"]) == (row["buyer_is_maker"] in {"1", "true", "True"})


def test_all_checksums_of_kraken_agree(shared_data: Path) -> None:
    path = shared_data / "wire" / "kraken_v2_book_btcusd_depth10_2023-07-30.json.gz"
    capture = read_capture(path, "kraken", [KRAKEN_BTC])
    assert capture.tally["checksums"] == capture.tally["messages"] == 510
    assert not [kind for kind in FAULTS if capture.count(kind)]
    deeper = read_capture(path, "kraken", [KRAKEN_BTC], depth=25)
    assert deeper.count("bad_checksum") == 1, "levels beyond the subscribed depth make the checksum wrong"
    coarser = VenueInstrument("BTC/USD", (1, 1), (1, 8), 2, 8)
    assert read_capture(path, "kraken", [coarser]).count("bad_checksum") == 1, "so do other decimals"


def test_books_of_binance_us_are_joined_with_their_snapshots(shared_data: Path) -> None:
    wire = shared_data / "wire"
    known = _described("binance_us", wire / "binanceus_rest_exchangeinfo_2021-10-12.txt.gz")
    capture = read_capture(
        [wire / "binanceus_rest_depth_snapshots_2021-10-12.txt.gz", wire / "binanceus_ws_4symbols_2021-10-12.txt.gz"],
        "binance_us",
        [known[symbol] for symbol in ("COMPUSDT", "OMGBUSD", "CRVUSDT", "ZRXUSDT")],
    )
    assert _without_resync(capture) == []
    assert capture.faults == ()
    assert capture.count("snapshot_end") == 4
    assert capture.count("aggregate_trade") == 11
    assert capture.count("bar_close") == 5


def test_books_of_coinbase_are_never_crossed(shared_data: Path) -> None:
    wire = shared_data / "wire"
    path = wire / "coinbase_exchange_ws_level2_ticker_matches_2021-04-17.txt.gz"
    known = _described("coinbase_exchange", wire / "coinbase_rest_products_2021-04-17.txt.gz")
    capture = read_capture(path, "coinbase_exchange", known.values())
    assert capture.faults == ()
    assert not [kind for kind in FAULTS if capture.count(kind)]
    levels = capture.of_kind("level")
    whole = levels[levels["flags"] & FLAG["last"] != 0]
    assert (capture.count("snapshot_end"), len(whole)) == (10, 9719)
    assert capture.count("trade") == 107


def _described(venue: str, path: Path) -> dict[str, VenueInstrument]:
    with gzip.open(path) as recorded:
        return described_instruments(venue, recorded.read().split(b": ", 1)[1])


def test_descriptions_give_ticks_lots_and_limits(shared_data: Path) -> None:
    wire = shared_data / "wire"
    spot = _described("binance", wire / "binance_rest_exchangeinfo_2021-10-12.txt.gz")
    american = _described("binance_us", wire / "binanceus_rest_exchangeinfo_2021-10-12.txt.gz")
    assert (spot["BTCUSDT"].tick, spot["BTCUSDT"].lot) == ((1, 2), (1, 5))
    assert american["BTCUSDT"].lot == (1, 6), "the same symbol has other rules there"
    pairs = _described("kraken", wire / "kraken_rest_assetpairs_2021-04-17.txt.gz")
    assert (pairs["BTC/USD"].tick, pairs["BTC/USD"].lot, pairs["BTC/USD"].base) == ((1, 1), (1, 8), "BTC")
    with gzip.open(wire / "kraken_v2_instrument_snapshot_2023.json.gz") as recorded:
        channel = described_instruments("kraken", recorded.read())
    assert channel["BTC/USD"].tick == pairs["BTC/USD"].tick
    assert channel["EUR/USD"].lot == (1, 8), "an exponent"
    products = _described("coinbase_exchange", wire / "coinbase_rest_products_2021-04-17.txt.gz")
    assert (products["BTC-GBP"].tick, products["BTC-GBP"].quote) == ((1, 2), "GBP")


def test_grids_are_inferred_from_a_capture_that_nobody_described(shared_data: Path) -> None:
    capture = read_capture(shared_data / "depth" / DAYS["ethusdt"][0], "binance")
    assert capture.inferred
    # Orders from before the lot was made coarser rest between today's lots of 0.0001.
    assert (capture.instruments[0].tick, capture.instruments[0].lot) == ((1, 2), (1, 5))
    assert _without_resync(capture) == []


def test_a_capture_in_pieces_is_the_capture(shared_data: Path) -> None:
    path = shared_data / "depth" / DAYS["ethusdt"][0]
    pieces = list(CaptureReader(path, "binance", [ETH]))
    assert len(pieces) > 1
    assert np.array_equal(np.concatenate(pieces), read_capture(path, "binance", [ETH]).events)


def test_published_checksums_of_books_recompute(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "wire" / "vectors.json").read_text())["kraken_book_crc32"]
    snapshots = [vector for vector in vectors if "asks" in vector]
    changes = {vector["name"].removesuffix("_update"): vector for vector in vectors if "update" in vector}
    assert (len(snapshots), len(changes)) == (2, 1)
    for vector in snapshots:
        decimals = [max(len(text.partition(".")[2]) for text in column) for column in zip(*vector["asks"], strict=True)]
        feed = feed_for("kraken", [VenueInstrument("A/B", (1, decimals[0]), (1, decimals[1]), *decimals)])
        feed.message(0, _kraken_book("snapshot", vector, vector["checksum"]))
        assert feed.tally["checksums"] == 1, vector["name"]
        if change := changes.get(vector["name"].removesuffix("_snapshot")):
            feed.message(0, _kraken_book("update", change["update"], change["checksum"]))
            assert feed.tally["checksums"] == 2, change["name"]


def _kraken_book(kind: str, levels: dict[str, list[list[str]]], checksum: int) -> bytes:
    sides = {side: [{"price": price, "qty": size} for price, size in levels[side]] for side in ("bids", "asks")}
    message = {"channel": "book", "type": kind, "data": [{"symbol": "A/B", **sides, "checksum": checksum}]}
    return json.dumps(message).encode()


def test_documented_messages_of_oanda_are_read_on_the_grids_of_its_instruments(shared_data: Path) -> None:
    with gzip.open(shared_data / "wire" / "oanda_v20_example_responses.json.gz") as recorded:
        examples = json.load(recorded)
    listed = examples["accounts"]["_v3_account_by_accountID_instruments"]["response"]
    known = described_instruments("oanda", json.dumps(listed).encode())
    assert (known["EUR_USD"].tick, known["EUR_USD"].base) == ((1, 5), "EUR")
    unlisted = VenueInstrument("EUR_JPY", (1, 3), (1, 0), 3, 0)
    feed = feed_for("oanda", [*known.values(), unlisted])
    lines = examples["pricing"]["_v3_accounts_accountID_pricing_stream"]["response"]
    for line in lines:
        feed.message(0, json.dumps(line).encode())
    candles = examples["instruments"]["_v3_instruments_instrument_candles"]["response"]
    # The example was edited: its request is for DE30_EUR, which is how the venue spells names.
    assert candles["instrument"] == "DE30/EUR"
    feed.message(0, json.dumps({**candles, "instrument": "DE30_EUR"}).encode())
    assert feed.faults() == []
    kinds = np.frombuffer(feed.take(), EVENT)["kind"].tolist()
    prices = [line for line in lines if line["type"] == "PRICE"]
    assert kinds.count(KIND["snapshot_end"]) == len(prices) > 1
    assert kinds.count(KIND["bar_close"]) == len(candles["candles"])


@pytest.mark.parametrize(("venue", "file"), [("kraken", "kraken"), ("coinbase", "coinbase")])
def test_documented_messages_of_streams_are_understood(shared_data: Path, venue: str, file: str) -> None:
    with gzip.open(shared_data / "wire" / f"message_shapes_{file}.json.gz") as recorded:
        shapes = json.load(recorded)
    seen = 0
    for path, text in shapes.items():
        name = Path(path).name
        if not name.startswith("ws_") or any(word in name for word in ("user", "l3", "order", "batch")):
            continue
        seen += 1
        feed = feed_for(venue, (), fallback=((1, 8), (1, 8), 8, 8), joins=False)
        feed.message(0, text.encode())
        assert feed.faults() == [], name
    assert seen >= 6
