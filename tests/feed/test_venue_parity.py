"""The decoder in Rust and the plain one give the same records, for recorded sessions and for made ones with losses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from neural_trader.baseline.venues import PlainBinance, PlainKraken, Record
from neural_trader.market.captures import feed_for
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.venue_instruments import VenueInstrument
from venue_messages import binance_session, kraken_session

NAMES = {number: name for name, number in KIND.items()}
SPOT = VenueInstrument("BTCUSDT", (1, 2), (1, 5), 2, 8)
PERPETUAL = VenueInstrument("BTCUSDT", (1, 1), (1, 3), 1, 3)
MADE = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


def records_of(events: np.ndarray[Any, Any]) -> list[Record]:
    """Records as the plain decoder writes them."""
    sides = {FLAG["bid"]: True, FLAG["ask"]: False, 0: None}
    both = FLAG["bid"] | FLAG["ask"]
    columns = (
        events[name].tolist() for name in ("kind", "flags", "price", "quantity", "id", "ts_event_ns", "ts_recv_ns")
    )
    return [(NAMES[kind], sides[flags & both], *rest) for kind, flags, *rest in zip(*columns, strict=True)]


def difference(fast: list[Record], plain: list[Record]) -> str:
    """The first record in which both differ."""
    for number, (ours, theirs) in enumerate(zip(fast, plain, strict=False)):
        if ours != theirs:
            return f"record {number}: {ours} is not {theirs}"
    return "" if len(fast) == len(plain) else f"{len(fast)} records are not {len(plain)}"


def compare(
    venue: str, instrument: VenueInstrument, plain: PlainBinance | PlainKraken, messages: Iterable[tuple[int, bytes]]
) -> list[Record]:
    feed = feed_for(venue, [instrument], silence_ns=0)
    for time, message in messages:
        feed.message(time, message)
        plain.message(time, message)
    assert feed.faults() == []
    events = np.frombuffer(feed.take(), EVENT)
    assert events["sequence"].tolist() == list(range(len(events)))
    fast = records_of(events)
    assert difference(fast, plain.records) == ""
    for bids in (True, False):
        levels = feed.levels(instrument.symbol, bids, 10_000)
        assert levels == (plain.book.best_first(bids) if plain.book.live else None)
    return fast


def _recorded(path: Path) -> list[tuple[int, bytes]]:
    with gzip.open(path) as lines:
        return [(int(line.split(b" ", 1)[0]), line.split(b" ", 1)[1]) for line in lines]


def test_binance_spot_as_recorded(shared_data: Path) -> None:
    messages = _recorded(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz")
    assert len(compare("binance", SPOT, PlainBinance("spot", 2, 8), messages)) > 150_000


def test_binance_futures_as_recorded(shared_data: Path) -> None:
    messages = _recorded(shared_data / "depth" / "binance_usdm_btcusdt_20240808.ws.gz")[:30_000]
    assert len(compare("binance_usdm", PERPETUAL, PlainBinance("futures", 1, 3), messages)) > 100_000


def test_kraken_as_recorded(shared_data: Path) -> None:
    with gzip.open(shared_data / "wire" / "kraken_v2_book_btcusd_depth10_2023-07-30.json.gz") as recorded:
        session = json.load(recorded, parse_float=_Digits)
    messages = [(0, json.dumps(message).encode()) for message in (session["init"], *session["updates"])]
    plain = PlainKraken(1, 8)
    compare("kraken", VenueInstrument("BTC/USD", (1, 1), (1, 8), 1, 8), plain, messages)
    assert plain.book.checksums == 510


class _Digits(float):
    """A number that is written as it was read."""

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("futures", [False, True])
def test_made_sessions_of_binance_with_losses(seed: int, futures: bool) -> None:
    lost = frozenset({20 + 3 * seed, 90, 91, 140 - seed})
    messages = binance_session(seed, 200, futures=futures, lost=lost)
    venue, rule = ("binance_usdm", "futures") if futures else ("binance", "spot")
    found = [record[0] for record in compare(venue, MADE, PlainBinance(rule, 2, 8), messages)]
    assert found.count("gap") == 3, "two neighbours are one gap"
    assert found.count("snapshot_end") == 4, "after each gap the book is joined anew"


@pytest.mark.parametrize("late", [0, 1, 5, 30])
def test_a_snapshot_may_come_at_any_time(late: int) -> None:
    for seed in range(10):
        found = compare("binance", MADE, PlainBinance("spot", 2, 8), binance_session(seed, 60, snapshot_after=late))
        assert [record[0] for record in found].count("snapshot_end") == 1


@pytest.mark.parametrize("depth", [10, 25])
def test_made_sessions_of_kraken_with_losses(depth: int) -> None:
    found = 0
    for seed in range(12):
        messages = kraken_session(seed, 150, depth, lost=frozenset({70}))
        feed = feed_for("kraken", [VenueInstrument("AB/USD", (1, 1), (1, 8), 1, 8)], depth=depth)
        plain, whole = PlainKraken(1, 8, depth), PlainKraken(1, 8, depth)
        for time, message in messages:
            feed.message(time, message)
            plain.message(time, message)
        for time, message in kraken_session(seed, 150, depth):
            whole.message(time, message)
        assert whole.book.checksums == 150
        fast = records_of(np.frombuffer(feed.take(), EVENT))
        assert difference(fast, plain.records) == ""
        kinds = [record[0] for record in fast]
        found += "bad_checksum" in kinds
        top = [whole.book.best_first(bids)[:10] for bids in (True, False)]
        healed = [feed.levels("AB/USD", bids, 10) for bids in (True, False)]
        assert "bad_checksum" in kinds or healed == top, "a loss is found unless later messages make up for it"
    assert found > 6
