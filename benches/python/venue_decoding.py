"""From wire bytes to the book: this package against plain Python, in one run, the books compared before any is timed.

    python benches/python/venue_decoding.py [CAPTURE] [--venue binance] [--repeat 5]

Regime: depth messages and their snapshot, one core. The feed takes blocks of lines and hands out records besides
keeping the book. Without a capture, a seeded session is made. Rows: the feed of this package; orjson with
sortedcontainers, as a quick Python script would do it, in floats and unchecked, with the best prices read after every
message; and the plain twin that defines the feed.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from sortedcontainers import SortedDict

from neural_trader.baseline.venues import PlainBinance
from neural_trader.market.captures import feed_for
from neural_trader.market.events import EVENT, KIND
from neural_trader.market.venue_instruments import VenueInstrument

Messages = list[tuple[int, bytes]]
BLOCK_LINES = 700
MADE = Path(__file__).parents[2] / "tests" / "feed" / "venue_messages.py"


class SortedBook:
    """What many write: floats in a sorted dictionary, the spot or futures rule reduced to the ids."""

    def __init__(self) -> None:
        self.bids: Any = SortedDict()
        self.asks: Any = SortedDict()
        self.waiting: list[Any] = []
        self.id = 0

    def message(self, text: bytes) -> None:
        message = orjson.loads(text)
        message = message.get("data", message)
        if "lastUpdateId" in message:
            self.id = message["lastUpdateId"]
            self._set(self.bids, message["bids"])
            self._set(self.asks, message["asks"])
            for diff in self.waiting:
                self._apply(diff)
        elif self.id:
            self._apply(message)
        else:
            self.waiting.append(message)

    def _apply(self, diff: Any) -> None:
        if diff["u"] > self.id:
            self.id = diff["u"]
            self._set(self.bids, diff["b"])
            self._set(self.asks, diff["a"])

    @staticmethod
    def _set(side: Any, levels: list[list[str]]) -> None:
        for price, quantity in levels:
            resting = float(quantity)
            if resting:
                side[float(price)] = resting
            else:
                side.pop(float(price), None)

    def best(self) -> tuple[Any, Any]:
        return (self.bids.peekitem(-1), self.asks.peekitem(0)) if self.bids and self.asks else (None, None)


def _made(steps: int) -> tuple[Messages, VenueInstrument]:
    spec = importlib.util.spec_from_file_location("venue_messages", MADE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["venue_messages"] = module
    spec.loader.exec_module(module)
    return module.binance_session(7, steps), VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


def _recorded(path: Path, venue: str) -> tuple[Messages, VenueInstrument]:
    with gzip.open(path) as lines:
        pairs = [line.rstrip().split(b" ", 1) for line in lines]
    decimals = (1, 3) if venue == "binance_usdm" else (2, 8)
    symbol = next(orjson.loads(text)["data"]["s"] for _, text in pairs if b"depthUpdate" in text)
    instrument = VenueInstrument(symbol, (1, decimals[0]), (1, decimals[1]), *decimals)
    return [(int(time_ns), text) for time_ns, text in pairs], instrument


def _best_of(repeat: int, run: Callable[[], Any]) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(repeat):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    return best, result


def compare(messages: Messages, venue: str, instrument: VenueInstrument, repeat: int) -> list[tuple[str, float, float]]:
    """Rows of name, nanoseconds per level and ratio to the feed; a difference between books is an error."""
    rule = "futures" if venue == "binance_usdm" else "spot"
    messages = [(when, text) for when, text in messages if b"depthUpdate" in text or b"lastUpdateId" in text]
    lines = [b"%d %s\n" % pair for pair in messages]
    blocks = [b"".join(lines[start : start + BLOCK_LINES]) for start in range(0, len(lines), BLOCK_LINES)]

    def fed() -> Any:
        feed = feed_for(venue, [instrument], silence_ns=0)
        records = []
        for block in blocks:
            feed.lines(block)
            records.append(feed.take())
        return feed, records

    def sorted_book() -> SortedBook:
        book = SortedBook()
        for _, text in messages:
            book.message(text)
            book.best()
        return book

    def plain() -> PlainBinance:
        decoder = PlainBinance(rule, instrument.price_decimals, instrument.quantity_decimals, orjson.loads)
        for when, text in messages:
            decoder.message(when, text)
        return decoder

    fast_s, (feed, records) = _best_of(repeat, fed)
    sorted_s, book = _best_of(1 if len(messages) > 5000 else repeat, sorted_book)
    plain_s, twin = _best_of(1, plain)
    for bids, side in ((True, book.bids), (False, book.asks)):
        levels = feed.levels(instrument.symbol, bids, 100_000)
        exact = [(float(instrument.price(ticks)), float(instrument.quantity(lots))) for ticks, lots in levels]
        if exact != (list(reversed(side.items())) if bids else list(side.items())):
            raise SystemExit("the books differ from those of sortedcontainers")
        if levels != twin.book.best_first(bids):
            raise SystemExit("the books differ from those of the plain twin")
    kinds = np.frombuffer(b"".join(records), EVENT)["kind"]
    count = int(np.isin(kinds, [KIND["level"], KIND["snapshot_level"]]).sum())
    rows = (("neural-trader feed", fast_s), ("orjson + sortedcontainers", sorted_s), ("plain twin", plain_s))
    return [(name, seconds * 1e9 / count, seconds / fast_s) for name, seconds in rows]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", nargs="?", type=Path)
    parser.add_argument("--venue", default="binance", choices=["binance", "binance_us", "binance_usdm"])
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    messages, instrument = _recorded(given.capture, given.venue) if given.capture else _made(20_000)
    for name, per_level_ns, ratio in compare(messages, given.venue, instrument, given.repeat):
        print(f"{name:28} {per_level_ns:10.1f} ns per level {ratio:8.1f} x")


if __name__ == "__main__":
    main()
