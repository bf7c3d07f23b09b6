"""Coinbase numbers its messages: a number left out is a loss, and no book that it may concern goes on without it."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from neural_trader.market.captures import feed_for
from neural_trader.market.events import EVENT, KIND
from neural_trader.market.venue_instruments import VenueInstrument

PRODUCTS = ("A-B", "C-D")
KNOWN = [VenueInstrument(product, (1, 2), (1, 2), 2, 2) for product in PRODUCTS]
EVERY_INSTRUMENT = 65535


@dataclass
class Session:
    """What a venue sends of two products, on one connection, with heartbeats and an acknowledgement among it."""

    seed: int
    per_connection: bool = True
    numbers: Counter[str] = field(default_factory=Counter)
    books: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.books = {product: {("bid", 99): 5, ("offer", 101): 5} for product in PRODUCTS}

    def _message(self, channel: str, events: list[object], product: str) -> bytes:
        counter = "all" if self.per_connection else product
        number = self.numbers[counter]
        self.numbers[counter] += 1
        envelope = {"channel": channel, "client_id": "", "timestamp": "2026-04-07T14:30:00Z", "sequence_num": number}
        return json.dumps({**envelope, "events": events}).encode()

    def _book(self, kind: str, product: str, levels: dict[tuple[str, int], int]) -> bytes:
        updates = [
            {"side": side, "event_time": "2026-04-07T14:30:00Z", "price_level": f"{price / 100:.2f}",
             "new_quantity": f"{lots / 100:.2f}"}
            for (side, price), lots in levels.items()
        ]  # fmt: skip
        return self._message("l2_data", [{"type": kind, "product_id": product, "updates": updates}], product)

    def snapshot(self, product: str) -> bytes:
        return self._book("snapshot", product, self.books[product])

    def messages(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Products (none where it is about no book) and messages; the book is that behind the message."""
        yield "", self._message("subscriptions", [{"subscriptions": {"level2": list(PRODUCTS)}}], "")
        for product in PRODUCTS:
            yield product, self.snapshot(product)
        for _ in range(count):
            product = self.random.choice((*PRODUCTS, ""))
            if not product:
                yield "", self._message("heartbeats", [{"current_time": "x", "heartbeat_counter": 1}], "")
                continue
            offset = self.random.randrange(5)
            level = self.random.choice((("bid", 99 - offset), ("offer", 101 + offset)))
            self.books[product][level] = lots = self.random.choice((0, self.random.randrange(1, 100)))
            yield product, self._book("update", product, {level: lots})

    def levels(self, product: str, side: str) -> list[tuple[int, int]]:
        found = [(price, lots) for (which, price), lots in self.books[product].items() if which == side and lots]
        return sorted(found, reverse=side == "bid")


def gaps(feed: object) -> list[tuple[int, int, int]]:
    events = np.frombuffer(feed.take(), EVENT)
    found = events[events["kind"] == KIND["gap"]]
    return [(int(gap["instrument"]), int(gap["price"]), int(gap["quantity"])) for gap in found]


def is_as_sent(feed: object, session: Session, product: str) -> bool:
    found = [feed.levels(product, bids, 100) for bids in (True, False)]
    return found == [session.levels(product, side) for side in ("bid", "offer")]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("per_connection", [True, False])
def test_without_a_loss_every_book_is_that_of_the_venue(seed: int, per_connection: bool) -> None:
    feed = feed_for("coinbase", KNOWN, counts_connection=per_connection)
    session = Session(seed, per_connection)
    for product, message in session.messages(200):
        feed.message(1, message)
        assert not product or is_as_sent(feed, session, product)
    assert gaps(feed) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lost_about", [*PRODUCTS, ""])
def test_a_number_left_out_of_a_connection_makes_all_its_books_wait(seed: int, lost_about: str) -> None:
    feed = feed_for("coinbase", KNOWN)
    session = Session(seed)
    lost = None
    for number, (product, message) in enumerate(session.messages(120)):
        if lost is None and number > 20 and product == lost_about:
            lost = number
            assert all(feed.levels(each, True, 1) is not None for each in PRODUCTS)
            continue
        feed.message(1, message)
        if lost is not None:
            assert all(feed.levels(each, True, 1) is None for each in PRODUCTS), "whatever the lost message was about"
    assert lost is not None
    assert gaps(feed) == [(EVERY_INSTRUMENT, lost, lost + 1)], "said once, with the numbers"
    feed.message(1, session.snapshot("C-D"))
    assert is_as_sent(feed, session, "C-D")
    assert feed.levels("A-B", True, 1) is None, "each book waits for its own snapshot"


@pytest.mark.parametrize("seed", range(5))
def test_a_number_left_out_of_a_product_makes_its_book_wait(seed: int) -> None:
    feed = feed_for("coinbase", KNOWN, counts_connection=False)
    session = Session(seed, per_connection=False)
    sent: Counter[str] = Counter()
    lost = None
    for product, message in session.messages(120):
        sent[product] += 1
        if lost is None and product == "A-B" and sent[product] > 10:
            lost = sent[product] - 1
            continue
        feed.message(1, message)
        assert product != "C-D" or is_as_sent(feed, session, "C-D")
    assert lost is not None
    (gap,) = gaps(feed)
    assert gap[1:] == (lost, lost + 1)
    assert feed.instruments[gap[0]][0] == "A-B"
    assert feed.levels("A-B", True, 1) is None
    feed.message(1, session.snapshot("A-B"))
    assert is_as_sent(feed, session, "A-B")


def test_a_message_that_cannot_be_read_is_a_number_left_out() -> None:
    feed, session = feed_for("coinbase", KNOWN), Session(1)
    messages = [message for _, message in session.messages(40)]
    at = next(at for at in range(10, 40) if b'"update"' in messages[at])
    for number, message in enumerate(messages):
        feed.message(1, message[:-20] if number == at else message)
    assert gaps(feed) == [(EVERY_INSTRUMENT, at, at + 1)]
    assert feed.levels("A-B", True, 1) is None


def test_a_connection_begins_again_at_zero() -> None:
    feed, session = feed_for("coinbase", KNOWN), Session(2)
    for _, message in session.messages(30):
        feed.message(1, message)
    session.numbers.clear()
    again = session.messages(0)
    feed.message(2, next(again)[1])
    assert all(feed.levels(product, True, 1) is None for product in PRODUCTS)
    for _, message in again:
        feed.message(2, message)
    assert all(is_as_sent(feed, session, product) for product in PRODUCTS)
    assert gaps(feed) == []
