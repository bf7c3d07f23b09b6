"""Kraken's checksum on a recorded session and on the examples of its documents."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from neural_trader._native import Ladder
from neural_trader.baseline.ladder import ASK, BID, kraken_checksum
from neural_trader.baseline.ladder import Ladder as PlainLadder


def counts(level: dict[str, Decimal]) -> tuple[int, int]:
    """Tenths of a dollar and satoshis: the precision of BTC/USD at the venue."""
    price, quantity = level["price"] * 10, level["qty"] * 10**8
    assert price == int(price) and quantity == int(quantity)
    return int(price), int(quantity)


@pytest.fixture(scope="session")
def session(shared_data: Path) -> list[dict[str, list[dict[str, Decimal]]]]:
    with gzip.open(shared_data / "wire" / "kraken_v2_book_btcusd_depth10_2023-07-30.json.gz", "rt") as text:
        recorded = json.load(text, parse_float=Decimal, parse_int=Decimal)
    return [recorded["init"]["data"][0], *(update["data"][0] for update in recorded["updates"])]


def matches(session: list[dict[str, list[dict[str, Decimal]]]], depth: int) -> int:
    book, found = Ladder(), 0
    for message in session:
        for side, name in ((BID, "bids"), (ASK, "asks")):
            for level in message[name]:
                book.set(side, *counts(level))
        book.truncate(depth)
        book.check_invariants()
        assert not book.is_crossed()
        found += book.kraken_checksum() == message["checksum"]
    return found


def test_every_checksum_of_the_recorded_session_matches(session: list[dict[str, list[dict[str, Decimal]]]]) -> None:
    assert (matches(session, depth=10), len(session)) == (510, 510)


def test_without_truncation_most_checksums_do_not_match(session: list[dict[str, list[dict[str, Decimal]]]]) -> None:
    assert matches(session, depth=1000) == 60


def test_the_plain_text_rule_gives_the_same(session: list[dict[str, list[dict[str, Decimal]]]]) -> None:
    book = PlainLadder()
    for message in session:
        for side, name in ((BID, "bids"), (ASK, "asks")):
            for level in message[name]:
                book.set(side, *counts(level))
        book.truncate(10)
        assert kraken_checksum(book, 1, 8) == message["checksum"]


def test_the_published_examples_have_their_checksums(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "wire" / "vectors.json").read_text())["kraken_book_crc32"]
    book = Ladder()
    for vector in vectors:
        # Dollars of BTC/USD have one decimal, those of MATIC/USD four; quantities have eight in both.
        decimals = 1 if "BTC" in vector["name"] else 4
        if "update" not in vector:
            book.clear()
        for side, name in ((BID, "bids"), (ASK, "asks")):
            for price, quantity in vector.get("update", vector)[name]:
                book.set(side, int(Decimal(price) * 10**decimals), int(Decimal(quantity) * 10**8))
        assert book.kraken_checksum() == vector["checksum"], vector["name"]
    assert len(vectors) == 3
