"""The ladder and its measures agree with their plain Python twins, floats to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._native import Ladder
from neural_trader.baseline import book_measures as plain_measures
from neural_trader.baseline.ladder import ASK, BID
from neural_trader.baseline.ladder import Ladder as PlainLadder
from random_streams import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASKED: list[tuple[str, list[float]]] = [
    ("best_bid", []),
    ("best_ask", []),
    ("bid_quantity", []),
    ("ask_quantity", []),
    ("mid", []),
    ("spread", []),
    ("weighted_mid", []),
    ("size_weighted_touch", []),
    ("imbalance", [1]),
    ("imbalance", [5]),
    ("bid_depth_within", [0.3]),
    ("ask_depth_within", [25.0]),
    ("buy_average", [40]),
    ("sell_average", [160]),
    ("buy_last", [90]),
    ("sell_last", [40]),
    ("bid_slope", [4]),
    ("ask_slope", [1]),
]


def assert_bit_equal(fast: NDArray[np.float64], slow: list[float], label: object) -> None:
    defined = np.array(slow)
    same = (fast.view(np.int64) == defined.view(np.int64)) | (np.isnan(fast) & np.isnan(defined))
    if not same.all():
        at = int(np.argmin(same))
        pytest.fail(f"{label} at event {at}: {fast[at]!r} in Rust, {slow[at]!r} in Python")


def plain_columns(stream: Stream, depth: int | None) -> list[list[float]]:
    book, flow, row = PlainLadder(), plain_measures.OrderFlow(), 0
    rows = stream.rows()
    columns: list[list[float]] = [[] for _ in [*ASKED, "order_flow"]]
    for end in stream.ends.tolist():
        for side, price, quantity in rows[row:end]:
            book.set(side, price, quantity)
        row = end
        if depth is not None:
            book.truncate(depth)
        for (name, parameters), column in zip(ASKED, columns, strict=False):
            column.append(plain_measures.MEASURES[name](book, *[int(p) if p == int(p) else p for p in parameters]))
        columns[-1].append(flow.update(plain_measures.touch(book)))
    return columns


def assert_columns_agree(stream: Stream, depth: int | None = None) -> Ladder:
    ladder = Ladder(4096)
    asked = [*ASKED, ("order_flow", [])]
    played = ladder.play(asked, stream.side, stream.price, stream.quantity, stream.ends, depth)
    for column, defined, label in zip(played, plain_columns(stream, depth), asked, strict=True):
        assert_bit_equal(column, defined, label)
    ladder.check_invariants()
    return ladder


@pytest.mark.parametrize("seed", range(12))
def test_all_columns_are_bit_equal_over_seeded_streams(seed: int) -> None:
    ladder = assert_columns_agree(Stream.seeded(seed, 1200), depth=[None, 10, 3][seed % 3])
    # A test that only ever saw empty sides would prove nothing.
    assert ladder.count(BID) > 2 and ladder.count(ASK) > 2


@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 60),
    quantity_max=st.sampled_from([2, 2**31, 2**62]),
    level=st.sampled_from([0, -1_000_000, 2**52]),
)
@settings(max_examples=80)
def test_all_columns_are_bit_equal_over_any_stream(seed: int, size: int, quantity_max: int, level: int) -> None:
    assert_columns_agree(Stream.seeded(seed, size, quantity_max=quantity_max, level=level))


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_to_single_commands_is_equal(seed: int) -> None:
    fast, plain = Ladder(4096), PlainLadder()
    for row, (side, price, quantity) in enumerate(Stream.seeded(100 + seed, 1500).rows()):
        assert fast.set(side, price, quantity) == plain.set(side, price, quantity)
        if row % 97 == 0:
            assert fast.truncate(40) == plain.truncate(40)
        assert fast.best(side) == plain.best(side)
        assert fast.quantity_at(side, price) == plain.quantity_at(side, price)
        assert fast.is_crossed() == plain.is_crossed()
        if row % 10 == 0:
            for each in (BID, ASK):
                assert fast.levels(each) == plain.levels(each)
                assert fast.count(each) == plain.count(each)
            for name, parameters in ASKED:
                value = plain_measures.MEASURES[name](plain, *[p if p % 1 else int(p) for p in parameters])
                assert_bit_equal(np.array([fast.measure(name, *parameters)]), [value], (name, row))


def test_a_stream_in_two_parts_gives_the_columns_of_the_whole() -> None:
    stream, asked = Stream.seeded(77, 3000), [*ASKED, ("order_flow", [])]

    def played(ladder: Ladder, rows: slice) -> list[NDArray[np.float64]]:
        return ladder.play(asked, stream.side[rows], stream.price[rows], stream.quantity[rows])

    whole, ladder = played(Ladder(), slice(None)), Ladder()
    parts = [played(ladder, rows) for rows in (slice(1700), slice(1700, None))]
    for column, first, second, label in zip(whole, *parts, asked, strict=True):
        assert_bit_equal(column, [*first.tolist(), *second.tolist()], label)


def test_both_know_the_same_measures() -> None:
    assert {name for name, _ in ASKED} == set(plain_measures.MEASURES)
    with pytest.raises(ValueError, match="no measure is written") as refused:
        Ladder().measure("medium")
    for name in plain_measures.MEASURES:
        assert name in str(refused.value)


def test_a_snapshot_that_is_refused_leaves_nothing_in_both() -> None:
    for book in (Ladder(), PlainLadder()):
        book.load([(99, 1)], [(101, 2), (102, 3)])
        assert book.levels(ASK) == [(101, 2), (102, 3)]
        with pytest.raises(ValueError, match="twice"):
            book.load([(99, 1)], [(101, 2), (101, 3)])
        assert book.count(BID) == 0 and book.best(ASK) is None


def test_wrong_columns_are_refused_with_a_reason() -> None:
    side, price = np.array([1, 2], dtype=np.int8), np.array([5, 6])
    with pytest.raises(ValueError, match=r"row 1: a side is 1 \(bid\) or -1 \(ask\), not 2"):
        Ladder().play([], side, price, price)
    with pytest.raises(ValueError, match="column quantity has 1 rows and needs 2"):
        Ladder().play([], side, price, price[:1])
    with pytest.raises(ValueError, match=r"imbalance needs a whole number above zero, not 1\.5"):
        Ladder().measure("imbalance", 1.5)
