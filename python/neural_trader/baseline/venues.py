"""Messages of Binance and Kraken decoded and joined in plain Python: the definition that ``nt-feed`` must match.

Records are tuples ``(kind, is_bid, price, quantity, id, ts_event_ns, ts_recv_ns)``; ``is_bid`` is None without a side.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Record = tuple[str, bool | None, int, int, int, int, int]
Levels = list[tuple[bool, int, int]]

CHECKED_LEVELS = 10


def count_of(text: str, decimals: int) -> int:
    """A decimal as a whole count of its last decimal; what lies between two counts is an error."""
    scaled = Decimal(text).scaleb(decimals)
    count = int(scaled)
    if count != scaled:
        raise ValueError(f"{text} has more than {decimals} decimals")
    return count


def instant_ns(text: str) -> int:
    """Nanoseconds of a time such as ``2023-07-30T15:29:58.343415Z``, which has microseconds at most."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


class PlainVenueBook:
    """The book of one instrument, and the records that let others build the same."""

    def __init__(self, rule: str, price_decimals: int, quantity_decimals: int, depth: int = 10) -> None:
        self.rule, self.depth = rule, depth
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.sides: dict[bool, dict[int, int]] = {True: {}, False: {}}
        self.live = self.joined = self.asked = False
        self.id = 0
        self.latest_ns = 0
        self.checksums = 0
        self.waiting: list[tuple[dict[str, Any], int]] = []
        self.records: list[Record] = []

    def best_first(self, is_bid: bool) -> list[tuple[int, int]]:
        """Levels of a side from the best to the worst."""
        return sorted(self.sides[is_bid].items(), reverse=is_bid)

    def best(self, is_bid: bool) -> tuple[int, int] | None:
        """The best level of a side."""
        side = self.sides[is_bid]
        if not side:
            return None
        price = max(side) if is_bid else min(side)
        return price, side[price]

    def checksum(self) -> int:
        """CRC-32 of the digits of the ten best asks and bids, prices and quantities at full precision."""
        levels = [level for is_bid in (False, True) for level in self.best_first(is_bid)[:CHECKED_LEVELS]]
        return zlib.crc32("".join(f"{price}{quantity}" for price, quantity in levels).encode())

    def follows(self, diff: dict[str, Any], book_id: int, joined: bool) -> str:
        """Whether a diff is ``next``, ``old`` or leaves a ``gap`` behind a book with this id."""
        first, last = diff["U"], diff["u"]
        if self.rule == "futures":
            if diff["pu"] == book_id:
                return "next"
            if last < book_id or (joined and last == book_id):
                return "old"
            return "next" if not joined and first <= book_id else "gap"
        if last <= book_id:
            return "old"
        return "gap" if first > book_id + 1 else "next"

    def take_diff(self, diff: dict[str, Any], ts_recv_ns: int) -> None:
        """Applies a diff, keeps it until a snapshot comes, or finds that something is missing."""
        ts_event_ns = self._seen(diff["E"] * 1_000_000)
        if not self.live:
            self.waiting.append((diff, ts_recv_ns))
            if not self.asked:
                self._ask(ts_recv_ns)
            return
        follows = self.follows(diff, self.id, self.joined)
        if follows == "gap":
            futures = self.rule == "futures"
            expected, found = (self.id, diff["pu"]) if futures else (self.id + 1, diff["U"])
            self.records.append(("gap", None, expected, found, 0, ts_event_ns, ts_recv_ns))
            self._distrust(ts_recv_ns)
            self.waiting.append((diff, ts_recv_ns))
        elif follows == "next":
            self.joined, self.id = True, diff["u"]
            self._set("level", self._levels(diff["b"], diff["a"]), ts_event_ns, ts_recv_ns)
            self._check_crossed(ts_event_ns, ts_recv_ns)

    def take_snapshot(self, snapshot: dict[str, Any], ts_recv_ns: int) -> None:
        """Starts from a requested snapshot, unless it is older than what was kept or known."""
        book_id, ts_event_ns = snapshot["lastUpdateId"], self._seen(snapshot.get("E", 0) * 1_000_000)
        if self.live and book_id <= self.id:
            return
        kept = next((step for diff, _ in self.waiting if (step := self.follows(diff, book_id, False)) != "old"), None)
        if kept == "gap":
            self._ask(ts_recv_ns)
            return
        self._load(self._levels(snapshot["bids"], snapshot["asks"]), book_id, ts_event_ns, ts_recv_ns)
        self._check_crossed(ts_event_ns, ts_recv_ns)
        waiting, self.waiting = self.waiting, []
        for diff, received in waiting:
            self.take_diff(diff, received)

    def take_checked(self, message: dict[str, Any], is_snapshot: bool, ts_recv_ns: int) -> None:
        """Kraken: applies every level, cuts to the subscribed depth and compares checksums."""
        levels = self._levels(
            *([(level["price"], level["qty"]) for level in message[side]] for side in ("bids", "asks"))
        )
        ts_event_ns = self._seen(instant_ns(message["timestamp"]) if "timestamp" in message else 0)
        if is_snapshot:
            self._load(levels, 0, ts_event_ns, ts_recv_ns)
        elif not self.live:
            if not self.asked:
                self._ask(ts_recv_ns)
            return
        else:
            self._set("level", levels, ts_event_ns, ts_recv_ns)
            self._cut("level", ts_event_ns, ts_recv_ns)
        ours, theirs = self.checksum(), message["checksum"]
        if ours != theirs:
            self.records.append(("bad_checksum", None, ours, theirs, 0, ts_event_ns, ts_recv_ns))
            self._distrust(ts_recv_ns)
            return
        self.checksums += 1
        self._check_crossed(ts_event_ns, ts_recv_ns)

    def _levels(self, bids: Iterable[Any], asks: Iterable[Any]) -> Levels:
        return [
            (is_bid, count_of(level[0], self.price_decimals), count_of(level[1], self.quantity_decimals))
            for is_bid, levels in ((True, bids), (False, asks))
            for level in levels
        ]

    def _load(self, levels: Levels, book_id: int, ts_event_ns: int, ts_recv_ns: int) -> None:
        self.sides = {True: {}, False: {}}
        self.live, self.joined, self.asked, self.id = True, False, False, book_id
        # A snapshot without a time was not known before the messages that came ahead of it.
        ts_event_ns = ts_event_ns or self.latest_ns
        self.records.append(("snapshot_begin", None, 0, 0, book_id, ts_event_ns, ts_recv_ns))
        self._set("snapshot_level", levels, ts_event_ns, ts_recv_ns)
        if self.rule == "checked":
            self._cut("snapshot_level", ts_event_ns, ts_recv_ns)
        self.records.append(("snapshot_end", None, 0, 0, book_id, ts_event_ns, ts_recv_ns))

    def _set(self, kind: str, levels: Levels, ts_event_ns: int, ts_recv_ns: int) -> None:
        for is_bid, price, quantity in levels:
            self.records.append((kind, is_bid, price, quantity, self.id, ts_event_ns, ts_recv_ns))
            if quantity:
                self.sides[is_bid][price] = quantity
            else:
                self.sides[is_bid].pop(price, None)

    def _cut(self, kind: str, ts_event_ns: int, ts_recv_ns: int) -> None:
        beyond = [(is_bid, price, 0) for is_bid in (True, False) for price, _ in self.best_first(is_bid)[self.depth :]]
        self._set(kind, beyond, ts_event_ns, ts_recv_ns)

    def _check_crossed(self, ts_event_ns: int, ts_recv_ns: int) -> None:
        bid, ask = self.best(True), self.best(False)
        if bid and ask and bid[0] >= ask[0]:
            self.records.append(("crossed", None, bid[0], ask[0], self.id, ts_event_ns, ts_recv_ns))
            self._distrust(ts_recv_ns)

    def _seen(self, ts_event_ns: int) -> int:
        self.latest_ns = max(self.latest_ns, ts_event_ns)
        return ts_event_ns

    def _ask(self, ts_recv_ns: int) -> None:
        self.asked = True
        self.records.append(("resync", None, 0, 0, 0, self.latest_ns, ts_recv_ns))

    def _distrust(self, ts_recv_ns: int) -> None:
        self.sides = {True: {}, False: {}}
        self.live = False
        self._ask(ts_recv_ns)


class PlainBinance:
    """Depth, trades and quotes of one Binance instrument; ``loads`` may be any reader of JSON."""

    def __init__(
        self, rule: str, price_decimals: int, quantity_decimals: int, loads: Callable[[str | bytes], Any] = json.loads
    ) -> None:
        self.book = PlainVenueBook(rule, price_decimals, quantity_decimals)
        self.loads = loads
        self.records = self.book.records
        self.latest_trade = 0

    def message(self, ts_recv_ns: int, text: str | bytes) -> None:
        """Takes in a message of a stream or a requested snapshot."""
        message = self.loads(text)
        message = message.get("data", message)
        kind = message.get("e", "bookTicker")
        if "lastUpdateId" in message:
            self.book.take_snapshot(message, ts_recv_ns)
        elif kind == "depthUpdate":
            self.book.take_diff(message, ts_recv_ns)
        elif kind == "trade":
            self._trade(message, ts_recv_ns)
        elif kind == "bookTicker":
            self._quote(message, ts_recv_ns)

    def _trade(self, message: dict[str, Any], ts_recv_ns: int) -> None:
        number, ts_event_ns = message["t"], message["T"] * 1_000_000
        quantity = count_of(message["q"], self.book.quantity_decimals)
        if quantity == 0 or number <= self.latest_trade:
            return
        if self.latest_trade and number > self.latest_trade + 1:
            self.records.append(("trade_gap", None, self.latest_trade + 1, number, number, ts_event_ns, ts_recv_ns))
        self.latest_trade = number
        price = count_of(message["p"], self.book.price_decimals)
        # The buyer was the maker: the aggressor sold.
        self.records.append(("trade", not message["m"], price, quantity, number, ts_event_ns, ts_recv_ns))

    def _quote(self, message: dict[str, Any], ts_recv_ns: int) -> None:
        ts_event_ns = message.get("E", 0) * 1_000_000
        for is_bid, price, quantity in ((True, "b", "B"), (False, "a", "A")):
            lots = count_of(message[quantity], self.book.quantity_decimals)
            ticks = count_of(message[price], self.book.price_decimals) if lots else 0
            self.records.append(("quote", is_bid, ticks, lots, message["u"], ts_event_ns, ts_recv_ns))


class PlainKraken:
    """The book channel of one Kraken instrument."""

    def __init__(self, price_decimals: int, quantity_decimals: int, depth: int = 10) -> None:
        self.book = PlainVenueBook("checked", price_decimals, quantity_decimals, depth)
        self.records = self.book.records

    def message(self, ts_recv_ns: int, text: str | bytes) -> None:
        """Takes in a message; numbers keep their digits."""
        message = json.loads(text, parse_float=str)
        if message.get("channel") == "book":
            for one in message["data"]:
                self.book.take_checked(one, message["type"] == "snapshot", ts_recv_ns)
