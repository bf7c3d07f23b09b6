"""Books of single orders (docs/book-rules.md, sections 3 and 5.4), each rule on a tape written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from neural_trader.baseline.records import BUY, SELL
from neural_trader.errors import EngineError
from replay.scenario import Engines, Run, amend, limit, market, order, play

BOOK = "1 add_bid 100 5 1, add_bid 99 4 2, add_ask 102 5 3\n"
END = "90 status\n"


def run(engines: Engines, tape: str, actions: dict[Any, Any], **more: Any) -> Run:
    return play(engines, BOOK + tape + END, actions, depth="orders", **more)


def fills(engines: Engines, tape: str, actions: dict[Any, Any], **more: Any) -> list[str]:
    return run(engines, tape, actions, **more).fills


def ahead(number: int) -> Any:
    return lambda replay: replay.queue_ahead(number)


# The queue.


def test_only_a_fill_of_somebody_behind_us_is_ours_first(engines: Engines) -> None:
    tape = "3 add_bid 100 7 4\n4 fill 100 5 1\n5 fill 100 2 4\n6 fill 100 5 4\n"
    assert fills(engines, tape, {2: limit(BUY, 100, 3)}) == ["5: 1 buys 2 @ 100 maker", "6: 1 buys 1 @ 100 maker"]


def test_what_stands_before_us_is_counted_order_by_order(engines: Engines) -> None:
    tape = (
        "3 add_bid 100 7 4, add_bid 100 2 5\n6 change 100 2 1\n8 delete 100 7 4\n10 fill 100 1 1\n12 delete 100 1 1\n"
    )
    actions = {2: limit(BUY, 100, 3), 4: limit(BUY, 100, 1)} | {at: [ahead(1), ahead(2)] for at in (5, 7, 9, 11, 13)}
    expected = [(5.0, 14.0), (2.0, 11.0), (2.0, 4.0), (1.0, 3.0), (0.0, 2.0)]
    answers = run(engines, tape, actions).answers
    assert [answer for answer in answers if not isinstance(answer, int)] == [each for pair in expected for each in pair]


def test_whoever_grows_or_moves_goes_behind_us(engines: Engines) -> None:
    tape = "3 change 100 6 1\n4 change 100 4 2\n5 fill 100 1 2\n6 fill 100 9 1\n"
    with pytest.raises(EngineError, match=r"record 6 of source 0: order 1 has 6 left"):
        run(engines, tape, {2: limit(BUY, 100, 9)})
    tape = tape.replace("9 1", "2 1")
    assert fills(engines, tape, {2: limit(BUY, 100, 9)}) == ["5: 1 buys 1 @ 100 maker", "6: 1 buys 2 @ 100 maker"]


def test_we_keep_our_place_when_we_get_smaller_and_lose_it_when_we_grow(engines: Engines) -> None:
    tape = "3 add_bid 100 7 4\n6 fill 100 7 4\n"
    assert fills(engines, tape, {2: limit(BUY, 100, 3), 5: amend(1, 100, 2)}) == ["6: 1 buys 2 @ 100 maker"]
    assert fills(engines, tape, {2: limit(BUY, 100, 3), 5: amend(1, 100, 4)}) == []


def test_law_1_ours_share_the_fill_of_another(engines: Engines) -> None:
    tape = "3 add_bid 100 9 4\n4 sold 100 3, fill 100 3 4\n"
    assert fills(engines, tape, {2: [limit(BUY, 100, 2)] * 5}) == ["4: 1 buys 2 @ 100 maker", "4: 2 buys 1 @ 100 maker"]


def test_law_1_what_ours_took_does_not_reach_those_behind(engines: Engines) -> None:
    # The queue of 100: 5 of another, ours, 5 of another, ours, 5 of another. A sale of 11 comes to 5, 5 and 1.
    actions = {2: limit(BUY, 100, 5), 4: limit(BUY, 100, 5)}
    tape = "3 add_bid 100 5 4\n5 add_bid 100 5 5\n8 sold 100 11, fill 100 5 1, fill 100 5 4, fill 100 1 5\n"
    assert fills(engines, tape, actions) == ["8: 1 buys 5 @ 100 maker"]
    tape = tape.replace("sold 100 11", "sold 100 15").replace("100 1 5", "100 5 5")
    assert fills(engines, tape, actions) == ["8: 1 buys 5 @ 100 maker"]
    # The next aggressor is another one: all that it fills behind us would have been ours.
    later = tape + "9 add_bid 100 9 6\n10 sold 100 3, fill 100 3 6\n"
    assert fills(engines, later, actions) == ["8: 1 buys 5 @ 100 maker", "10: 2 buys 3 @ 100 maker"]


def test_what_filled_at_a_better_price_does_not_reach_the_next(engines: Engines) -> None:
    actions = {2: [limit(BUY, 101, 2), limit(BUY, 100, 9)]}
    tape = "3 add_bid 100 9 4\n8 sold 100 9, fill 100 5 1, fill 100 4 4\n"
    assert fills(engines, tape, actions) == ["8: 1 buys 2 @ 101 maker", "8: 2 buys 2 @ 100 maker"]


def test_better_prices_come_first_wherever_the_other_stands(engines: Engines) -> None:
    tape = "3 fill 99 4 2\n"
    expected = ["3: 2 buys 3 @ 101 maker", "3: 1 buys 1 @ 100 maker"]
    assert fills(engines, tape, {2: [limit(BUY, 100, 3), limit(BUY, 101, 3), limit(BUY, 99, 3)]}) == expected


def test_trades_fill_nobody_and_trigger_stops(engines: Engines) -> None:
    actions = {2: [limit(BUY, 100, 3), order(SELL, "stop", 1, stop=100)]}
    assert fills(engines, "3 sold 100 50\n", actions, self_trade="off") == ["3: 2 sells 1 @ 100 taker"]


def test_whole_orders_need_all_of_it_from_one_fill(engines: Engines) -> None:
    tape = "3 add_bid 100 9 4\n4 fill 100 2 4\n5 fill 100 3 4\n"
    assert fills(engines, tape, {2: limit(BUY, 100, 3)}, whole=True) == ["5: 1 buys 3 @ 100 maker"]


def test_the_next_part_of_an_iceberg_stands_at_the_end(engines: Engines) -> None:
    tape = "3 add_bid 100 9 4\n4 fill 100 3 4\n5 fill 100 3 4\n6 add_bid 100 9 5\n7 fill 100 1 5\n"
    expected = ["4: 1 buys 2 @ 100 maker", "7: 1 buys 1 @ 100 maker"]
    assert fills(engines, tape, {2: limit(BUY, 100, 5, display=2)}) == expected


# What is displayed, and what we take.


def test_the_best_prices_are_those_of_others(engines: Engines) -> None:
    seen: list[Any] = []
    actions = {2: limit(BUY, 101, 3), 4: lambda replay: seen.extend((replay.best(0, BUY), replay.best(0, SELL)))}
    assert fills(engines, "5 status\n", actions) == []
    assert seen == [(100, 5), (102, 5)]


def test_what_we_took_is_not_there_for_us_again(engines: Engines) -> None:
    tape = "4 add_ask 102 1 4\n6 fill 102 4 3\n8 add_ask 102 2 5\n"
    actions = {time: limit(BUY, 102, 9, time_in_force="ioc") for time in (2, 3, 5, 7, 9)}
    expected = ["2: 1 buys 5 @ 102 taker", "5: 3 buys 1 @ 102 taker", "9: 5 buys 2 @ 102 taker"]
    assert fills(engines, tape, actions) == expected


@pytest.mark.parametrize("tape", ["3 add_ask 100 2 4\n", "3 change 100 2 3\n"])
def test_an_order_that_crosses_ours_is_filled_by_it(engines: Engines, tape: str) -> None:
    run_of_it = run(engines, tape, {2: limit(BUY, 101, 3), 4: market(BUY, 1)})
    assert run_of_it.fills[0] == "3: 1 buys 2 @ 101 maker"
    assert not any("@ 100" in fill for fill in run_of_it.fills)


# When the book is not known.


def test_after_a_gap_we_stand_behind_whoever_stood_before_us(engines: Engines) -> None:
    again = "4 resync\n5 begin, add_bid 100 5 1, add_bid 100 6 4, add_bid 100 7 5, end\n"
    tape = "3 add_bid 100 6 4\n" + again + "7 fill 100 2 5\n8 fill 100 1 4\n9 fill 100 5 1\n"
    expected = ["7: 1 buys 2 @ 100 maker", "8: 1 buys 1 @ 100 maker"]
    assert fills(engines, tape, {2: limit(BUY, 100, 9), 6: ahead(1)}) == expected
    assert run(engines, tape, {2: limit(BUY, 100, 9), 6: ahead(1)}).answers[1] == 5.0


def test_whoever_comes_while_the_book_is_unknown_stands_behind_all(engines: Engines) -> None:
    tape = "3 resync\n5 begin, add_bid 100 6 4, end\n7 fill 100 2 4\n8 add_bid 100 1 9\n9 fill 100 1 9\n"
    actions = {4: [limit(BUY, 100, 9), ahead(1)], 6: ahead(1)}
    found = run(engines, tape, actions)
    assert found.fills == ["9: 1 buys 1 @ 100 maker"]
    assert found.answers == [1, None, 6.0]


def test_an_unknown_book_says_nothing_of_orders_it_does_not_know(engines: Engines) -> None:
    of_strangers = "4 fill 99 4 2, delete 100 5 1, change 100 1 1, change 0 0 1, fill 0 0 1\n"
    tape = "3 resync\n" + of_strangers + "5 begin, add_bid 99 1 7, end\n6 fill 99 1 7\n"
    assert fills(engines, tape, {2: limit(BUY, 100, 9)}) == ["6: 1 buys 1 @ 100 maker"]


@pytest.mark.parametrize(
    "record",
    [
        "add_bid 100 5 1",
        "add_both 100 5 9",
        "add_bid 100 0 9",
        "add_bid 0 5 9",
        f"add_bid {2**53 + 1} 5 9",
        f"add_bid 100 5 {2**64 - 2**32}",
        "delete 100 5 9",
        "fill 100 1 9",
        "fill 100 0 1",
        "fill 100 6 1",
        "change 100 0 1",
        "change 100 1 9",
        f"delete 100 5 {2**64 - 2}",
    ],
)
def test_what_no_book_can_obey_is_an_error_that_says_where(engines: Engines, record: str) -> None:
    with pytest.raises(EngineError, match="record 3 of source 0: "):
        run(engines, f"3 {record}\n", {2: limit(BUY, 100, 1)})
    with pytest.raises(EngineError, match="record 3 of source 0: "):
        run(engines, f"3 {record}\n", {})
