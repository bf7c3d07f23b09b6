"""Sections 3 to 7 of docs/book-rules.md, each rule on a tape written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from neural_trader.baseline.records import BUY, SELL
from replay.scenario import Engines, Run, amend, cancel, limit, market, order, play, records_of

BOOK = "1 bid 100 2, bid 99 4, ask 102 5, ask 103 5\n"
END = "90 status\n"


def fills(run: Run) -> list[str]:
    return run.fills


# Section 5.1: trades.


def test_law_1_five_orders_share_one_queue_and_one_trade(engines: Engines) -> None:
    tape = BOOK + "3 sold 100 3\n" + END
    assert fills(play(engines, tape, {2: [limit(BUY, 100, 1)] * 5})) == ["3: 1 buys 1 @ 100 maker"]


def test_what_traded_before_is_no_longer_ahead(engines: Engines) -> None:
    tape = BOOK + "3 sold 100 3\n4 sold 100 2\n" + END
    run = play(engines, tape, {2: [limit(BUY, 100, 1)] * 5})
    assert fills(run) == [f"{time}: {order_id} buys 1 @ 100 maker" for time, order_id in ((3, 1), (4, 2), (4, 3))]


def test_a_trade_of_exactly_the_queue_fills_nobody(engines: Engines) -> None:
    assert fills(play(engines, BOOK + "3 sold 100 2\n" + END, {2: limit(BUY, 100, 1)})) == []


def test_better_prices_come_first_and_leave_the_rest_to_the_queue(engines: Engines) -> None:
    tape = BOOK + "3 sold 99 9\n" + END
    run = play(engines, tape, {2: [limit(BUY, 99, 5), limit(BUY, 101, 2)]})
    # Seven are left at 99, four others were there before us.
    assert fills(run) == ["3: 2 buys 2 @ 101 maker", "3: 1 buys 3 @ 99 maker"]


def test_a_trade_fills_neither_its_own_side_nor_prices_that_it_did_not_reach(engines: Engines) -> None:
    tape = BOOK + "3 sold 101 9, bought 101 9\n" + END
    assert fills(play(engines, tape, {2: [limit(BUY, 100, 1), limit(SELL, 104, 1)]})) == []


def test_offers_fill_as_bids_do(engines: Engines) -> None:
    tape = BOOK + "3 bought 103 9\n" + END
    run = play(engines, tape, {2: [limit(SELL, 103, 5), limit(SELL, 102, 2)]})
    assert fills(run) == ["3: 2 sells 2 @ 102 maker", "3: 1 sells 2 @ 103 maker"]


def test_orders_that_fill_whole_wait_for_enough_and_take_nothing_from_others(engines: Engines) -> None:
    tape = BOOK + "3 sold 100 5\n4 sold 100 7\n" + END
    run = play(engines, tape, {2: [limit(BUY, 100, 7), limit(BUY, 100, 1)]}, whole=True)
    # Both find three of the first trade, which is enough for the second.
    assert fills(run) == ["3: 2 buys 1 @ 100 maker", "4: 1 buys 7 @ 100 maker"]


@pytest.mark.parametrize(("price", "filled"), [(100, [1]), (101, []), (102, [2])])
def test_an_aggressor_is_told_by_the_best_prices_where_the_record_does_not_say(
    engines: Engines, price: int, filled: list[int]
) -> None:
    tape = BOOK + f"3 printed {price} 9\n" + END
    run = play(engines, tape, {2: [limit(BUY, 101, 1), limit(SELL, 102, 1)]})
    assert [record.order for record in records_of(run.engine, "fills")] == filled


def test_nobody_knows_the_aggressor_without_a_book(engines: Engines) -> None:
    assert fills(play(engines, "1 status\n3 printed 90 9\n" + END, {2: limit(BUY, 100, 1)})) == []


def test_trades_without_quantity_or_from_before_the_recording_are_none(engines: Engines) -> None:
    tape = BOOK + "3 sold 90 0, earlier_sold 90 9\n" + END
    run = play(engines, tape, {2: [limit(BUY, 101, 1), order(SELL, "stop", 1, stop=95)]})
    assert fills(run) == []


def test_the_kind_of_record_that_is_a_trade_is_chosen(engines: Engines) -> None:
    tape = BOOK + "3 sold 90 9\n4 aggregate_sold 90 9\n" + END
    assert fills(play(engines, tape, {2: limit(BUY, 101, 1)}, trades="aggregate_trade")) == ["4: 1 buys 1 @ 101 maker"]


# Section 5.2: queue models. The level grows from 10 to 20 behind us and shrinks to 12 without a trade.


@pytest.mark.parametrize(
    ("queue", "ahead"),
    [("risk_averse", 10), ("power", 6), ("power_2", 4), ("power_3", 8), ("log", 6), ("log_2", 9)],
)
def test_a_shrinking_level_moves_us_up_as_the_model_says(engines: Engines, queue: str, ahead: int) -> None:
    """With half of the level behind us and n = 2 the shares are 1/2, 1/4, 3/4, 1/2 and ln 11 / ln 21 = 0.79."""
    for traded, filled in ((ahead, []), (ahead + 1, ["5: 1 buys 1 @ 100 maker"])):
        tape = f"1 bid 100 10\n3 bid 100 20\n4 bid 100 12\n5 sold 100 {traded}\n" + END
        assert fills(play(engines, tape, {2: limit(BUY, 100, 3)}, queue=queue, power=2)) == filled


def test_nobody_is_before_our_order_that_came_earlier(engines: Engines) -> None:
    """The model alone would say that about two are ahead of the first order and none ahead of the second."""
    tape = "1 bid 100 10\n3 bid 100 16\n5 bid 100 30, bid 100 2\n6 sold 100 3\n" + END
    run = play(engines, tape, {2: limit(BUY, 100, 1), 4: limit(BUY, 100, 5)}, queue="power", power=2)
    assert fills(run) == ["6: 1 buys 1 @ 100 maker"]


def test_what_traded_is_not_taken_off_again_when_the_level_follows(engines: Engines) -> None:
    tape = "1 bid 100 10\n3 bid 100 20\n4 sold 100 4, bid 100 16\n5 sold 100 7\n" + END
    assert fills(play(engines, tape, {2: limit(BUY, 100, 3)}, queue="power", power=1)) == ["5: 1 buys 1 @ 100 maker"]


def test_a_level_that_goes_leaves_nobody_ahead(engines: Engines) -> None:
    tape = "1 bid 100 10\n3 bid 100 0, bid 100 50\n5 sold 100 1\n" + END
    assert fills(play(engines, tape, {2: limit(BUY, 100, 3)})) == ["5: 1 buys 1 @ 100 maker"]


# Section 5.3: crossing.


def test_a_level_that_crosses_fills_us_at_our_price_up_to_its_quantity(engines: Engines) -> None:
    tape = BOOK + "3 ask 99 2\n4 ask 99 5\n" + END
    run = play(engines, tape, {2: [limit(BUY, 101, 1), limit(BUY, 100, 3)]})
    # Two were taken at first, so three of the five are new.
    assert fills(run) == ["3: 1 buys 1 @ 101 maker", "3: 2 buys 1 @ 100 maker", "4: 2 buys 2 @ 100 maker"]


# Section 4: taking.


def test_a_market_order_walks_the_levels_and_what_it_took_does_not_come_back(engines: Engines) -> None:
    run = play(engines, BOOK + "4 ask 102 5\n" + END, {2: market(BUY, 7), 5: market(BUY, 5)})
    assert fills(run) == ["2: 1 buys 5 @ 102 taker", "2: 1 buys 2 @ 103 taker", "5: 2 buys 3 @ 103 taker"]
    assert run.ends == ["1 filled", "2 cancelled (3 of 5) no_liquidity"]


def test_a_level_that_shrank_below_what_we_took_is_new_above_that(engines: Engines) -> None:
    run = play(engines, BOOK + "4 ask 102 2, ask 102 6\n" + END, {2: market(BUY, 5), 5: limit(BUY, 102, 9)})
    assert fills(run) == ["2: 1 buys 5 @ 102 taker", "5: 2 buys 4 @ 102 taker"]


def test_a_marketable_limit_order_takes_and_rests(engines: Engines) -> None:
    run = play(engines, BOOK + "3 sold 102 1\n" + END, {2: limit(BUY, 102, 7)})
    assert fills(run) == ["2: 1 buys 5 @ 102 taker", "3: 1 buys 1 @ 102 maker"]
    assert run.ends == ["1 working (6 of 7)"]


def test_immediate_or_cancel_expires_with_what_it_did_not_find(engines: Engines) -> None:
    run = play(
        engines, BOOK + END, {2: [limit(BUY, 102, 7, time_in_force="ioc"), limit(BUY, 101, 1, time_in_force="ioc")]}
    )
    assert run.ends == ["1 expired (5 of 7) time", "2 expired time"]


def test_fill_or_kill_is_all_or_nothing(engines: Engines) -> None:
    actions = {2: [limit(BUY, 103, 11, time_in_force="fok"), limit(BUY, 103, 10, time_in_force="fok")]}
    run = play(engines, BOOK + END, actions | {3: market(SELL, 7, time_in_force="fok")})
    assert run.ends == ["1 expired time", "2 filled", "3 expired time"]


def test_a_post_only_order_that_would_take_is_cancelled(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: [limit(BUY, 102, 1, post_only=True), limit(BUY, 101, 1, post_only=True)]})
    assert run.ends == ["1 cancelled would_take", "2 working"]
    assert run.told == ["2: accepted 1", "2: ended 1", "2: accepted 2"]


def test_a_level_that_we_have_taken_up_is_not_marketable(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: [market(BUY, 5), limit(BUY, 102, 1, post_only=True)]})
    assert run.ends == ["1 filled", "2 working"]


# Section 3: unknown books, snapshots.


def test_an_unknown_book_has_no_level(engines: Engines) -> None:
    looks = {3: [market(BUY, 1), limit(BUY, 102, 1, time_in_force="ioc"), lambda replay: replay.best(0, SELL)]}
    run = play(engines, BOOK + "2 resync, ask 101 3\n" + END, looks)
    assert run.ends == ["1 cancelled no_liquidity", "2 expired time"]
    assert run.answers[-1] is None


def test_an_order_that_rests_in_an_unknown_book_waits_for_the_snapshot_to_say_who_is_ahead(engines: Engines) -> None:
    tape = BOOK + "2 resync\n4 sold 100 9\n5 begin, snapshot_bid 100 3, end\n6 sold 100 4\n" + END
    assert fills(play(engines, tape, {3: limit(BUY, 100, 2)})) == ["6: 1 buys 1 @ 100 maker"]


def test_better_prices_fill_though_the_book_is_unknown(engines: Engines) -> None:
    tape = BOOK + "2 resync\n4 sold 99 9\n" + END
    assert fills(play(engines, tape, {3: limit(BUY, 100, 2)})) == ["4: 1 buys 2 @ 100 maker"]


def test_a_snapshot_keeps_no_more_ahead_than_it_shows_and_crosses_at_its_end(engines: Engines) -> None:
    tape = BOOK + "3 begin, snapshot_bid 99 4, snapshot_bid 98 1, snapshot_ask 101 2, end\n5 sold 99 4\n" + END
    run = play(engines, tape, {2: [limit(BUY, 101, 3), limit(BUY, 99, 1)], 4: limit(BUY, 98, 9)})
    assert fills(run) == ["3: 1 buys 2 @ 101 maker", "5: 1 buys 1 @ 101 maker"]


def test_levels_between_begin_and_end_only_set_levels(engines: Engines) -> None:
    tape = BOOK + "3 begin, ask 100 3\n4 end\n" + END
    assert fills(play(engines, tape, {2: limit(BUY, 100, 1)})) == ["4: 1 buys 1 @ 100 maker"]


def test_a_snapshot_does_not_bring_back_what_we_took(engines: Engines) -> None:
    tape = BOOK + "3 begin, snapshot_ask 102 5, snapshot_ask 103 5, end\n" + END
    run = play(engines, tape, {2: market(BUY, 5), 4: market(BUY, 1)})
    assert fills(run) == ["2: 1 buys 5 @ 102 taker", "4: 2 buys 1 @ 103 taker"]


# Section 3 and 5.2: quotes.

QUOTES = "1 best_bid 100 5, best_ask 102 5\n"


def test_with_quotes_nothing_is_known_behind_the_best_price(engines: Engines) -> None:
    tape = QUOTES + "3 sold 99 10\n4 best_bid 99 3\n5 sold 99 4\n" + END
    run = play(engines, tape, {2: [limit(BUY, 100, 1), limit(BUY, 99, 2)]}, depth="quotes")
    assert fills(run) == ["3: 1 buys 1 @ 100 maker", "5: 2 buys 1 @ 99 maker"]


def test_with_quotes_nobody_is_ahead_at_better_prices(engines: Engines) -> None:
    tape = QUOTES + "3 best_bid 99 7\n4 sold 100 1\n" + END
    assert fills(play(engines, tape, {2: limit(BUY, 100, 1)}, depth="quotes")) == ["4: 1 buys 1 @ 100 maker"]


def test_with_quotes_the_other_side_has_one_level_and_crosses(engines: Engines) -> None:
    tape = QUOTES + "3 best_ask 101 2\n" + END
    run = play(engines, tape, {2: [limit(BUY, 101, 3), market(BUY, 9)]}, depth="quotes")
    assert fills(run) == ["2: 2 buys 5 @ 102 taker", "3: 1 buys 2 @ 101 maker"]
    assert run.ends[1] == "2 cancelled (5 of 9) no_liquidity"


def test_with_quotes_what_was_taken_is_forgotten_when_the_price_goes(engines: Engines) -> None:
    tape = QUOTES + "3 best_ask 102 5\n5 best_ask 103 5, best_ask 102 5\n" + END
    run = play(engines, tape, {2: market(BUY, 5), 4: market(BUY, 1), 6: market(BUY, 1)}, depth="quotes")
    assert run.ends == ["1 filled", "2 cancelled no_liquidity", "3 filled"]


def test_a_quote_without_a_size_has_enough_for_anybody(engines: Engines) -> None:
    run = play(engines, "1 unsized_ask 102\n" + END, {2: market(BUY, 10**6)}, depth="quotes")
    assert fills(run) == ["2: 1 buys 1000000 @ 102 taker"]


def test_levels_and_quotes_do_not_mix(engines: Engines) -> None:
    assert play(engines, BOOK + END, {2: market(BUY, 1)}, depth="quotes").ends == ["1 cancelled no_liquidity"]
    assert play(engines, QUOTES + END, {2: market(BUY, 1)}).ends == ["1 cancelled no_liquidity"]


# Icebergs.


def test_an_iceberg_shows_its_next_part_at_the_end_of_the_queue(engines: Engines) -> None:
    tape = BOOK + "3 sold 100 10\n4 sold 100 10\n5 sold 100 10\n" + END
    run = play(engines, tape, {2: [limit(BUY, 100, 5, display=2), limit(BUY, 100, 1)]})
    assert fills(run) == [
        "3: 1 buys 2 @ 100 maker",
        "3: 2 buys 1 @ 100 maker",
        "4: 1 buys 2 @ 100 maker",
        "5: 1 buys 1 @ 100 maker",
    ]


def test_the_next_part_stands_behind_our_own_orders(engines: Engines) -> None:
    tape = "1 ask 102 5\n3 sold 100 2\n4 sold 100 1\n" + END
    run = play(engines, tape, {2: [limit(BUY, 100, 5, display=2), limit(BUY, 100, 1)]})
    assert fills(run) == ["3: 1 buys 2 @ 100 maker", "4: 2 buys 1 @ 100 maker"]


def test_an_iceberg_that_is_traded_through_fills_wholly(engines: Engines) -> None:
    run = play(engines, BOOK + "3 sold 99 10\n" + END, {2: limit(BUY, 100, 5, display=2)})
    assert fills(run) == ["3: 1 buys 5 @ 100 maker"]


# Section 4: cancel and amend.


def test_cancel_ends_what_works_and_is_refused_otherwise(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: limit(BUY, 100, 1), 3: [cancel(1), cancel(1)]})
    assert run.told == ["2: accepted 1", "3: ended 1", "3: refused 1"]
    assert run.ends == ["1 cancelled user"]


@pytest.mark.parametrize(
    ("quantity", "traded", "filled"),
    [
        (2, 5, ["4: 1 buys 2 @ 100 maker", "4: 2 buys 1 @ 100 maker"]),
        (4, 4, ["4: 2 buys 1 @ 100 maker", "4: 1 buys 1 @ 100 maker"]),
    ],
    ids=["less keeps the place", "more goes to the end"],
)
def test_amend_keeps_or_loses_the_place(engines: Engines, quantity: int, traded: int, filled: list[str]) -> None:
    tape = BOOK + f"4 sold 100 {traded}\n" + END
    actions = {2: [limit(BUY, 100, 3), limit(BUY, 100, 1)], 3: amend(1, 100, quantity)}
    run = play(engines, tape, actions)
    assert fills(run) == filled
    assert "3: amended 1" in run.told and run.order(1).quantity == quantity


def test_an_amended_price_that_is_marketable_takes(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: limit(BUY, 100, 3), 3: amend(1, 102, 6)})
    assert fills(run) == ["3: 1 buys 5 @ 102 taker"]
    assert run.order(1).limit == 102


def test_amending_to_what_has_filled_cancels_and_a_stop_cannot_be_amended(engines: Engines) -> None:
    tape = BOOK + "3 sold 99 2\n" + END
    actions = {2: [limit(BUY, 101, 3), order(BUY, "stop", 1, stop=110)], 4: [amend(1, 101, 2), amend(2, 101, 2)]}
    run = play(engines, tape, actions)
    assert run.ends == ["1 cancelled (2 of 3) user", "2 working"]
    assert run.told[-2:] == ["4: ended 1", "4: refused 2"]


# Section 6: stops.


@pytest.mark.parametrize(
    ("side", "kind", "price", "record", "filled"),
    [
        (BUY, "stop", 105, "bought 105 1", "buys 2 @ 102"),
        (BUY, "stop", 101, "bid 101 1", "buys 2 @ 102"),
        (SELL, "stop", 99, "sold 99 1", "sells 2 @ 100"),
        (SELL, "stop", 101, "ask 101 1", "sells 2 @ 100"),
        (BUY, "market_if_touched", 99, "sold 99 1", "buys 2 @ 102"),
        (BUY, "market_if_touched", 101, "ask 101 9", "buys 2 @ 101"),
        (SELL, "market_if_touched", 103, "bought 103 1", "sells 2 @ 100"),
        (SELL, "market_if_touched", 101, "bid 101 9", "sells 2 @ 101"),
    ],
)
def test_a_price_that_is_reached_makes_a_market_order(
    engines: Engines, side: int, kind: str, price: int, record: str, filled: str
) -> None:
    run = play(engines, BOOK + f"3 {record}\n" + END, {2: order(side, kind, 2, stop=price)})
    assert run.told == ["2: accepted 1", "3: triggered 1", "3: fill 0"]
    assert fills(run) == [f"3: 1 {filled} taker"]


@pytest.mark.parametrize(
    ("side", "kind", "price", "record"),
    [
        (BUY, "stop", 105, "bought 104 1, ask 105 1"),
        (SELL, "stop", 98, "sold 99 1, bid 97 1"),
        (BUY, "market_if_touched", 98, "sold 99 1, bid 98 1"),
        (SELL, "market_if_touched", 104, "bought 103 1, ask 104 1"),
    ],
)
def test_a_price_that_is_not_reached_waits(engines: Engines, side: int, kind: str, price: int, record: str) -> None:
    run = play(engines, BOOK + f"3 {record}\n" + END, {2: order(side, kind, 2, stop=price)})
    assert run.ends == ["1 working"]


def test_a_stop_that_is_reached_when_it_arrives_triggers_at_once(engines: Engines) -> None:
    run = play(
        engines, BOOK + END, {2: [order(BUY, "stop", 1, stop=100), order(SELL, "market_if_touched", 1, stop=100)]}
    )
    assert run.told == ["2: accepted 1", "2: triggered 1", "2: fill 0", "2: accepted 2", "2: triggered 2", "2: fill 1"]


def test_a_stop_limit_becomes_a_limit_order(engines: Engines) -> None:
    tape = BOOK + "3 bought 104 1\n4 sold 102 1\n" + END
    run = play(engines, tape, {2: order(BUY, "stop_limit", 6, stop=104, limit=102)})
    assert fills(run) == ["3: 1 buys 5 @ 102 taker", "4: 1 buys 1 @ 102 maker"]


def test_what_a_stop_does_not_find_is_cancelled(engines: Engines) -> None:
    run = play(engines, BOOK + "3 sold 95 1\n" + END, {2: order(SELL, "stop", 9, stop=95)})
    assert run.ends == ["1 cancelled (6 of 9) no_liquidity"]


def test_a_trailing_stop_follows_trades(engines: Engines) -> None:
    tape = "1 bid 95 9, ask 110 9, bought 100 1\n3 bought 105 1\n4 sold 103 1\n5 sold 102 1\n" + END
    run = play(engines, tape, {2: order(SELL, "trailing_stop", 1, trail_ticks=3)})
    assert fills(run) == ["5: 1 sells 1 @ 95 taker"]
    assert run.order(1).stop == 102


def test_a_trailing_stop_begins_at_the_best_price_or_is_rejected(engines: Engines) -> None:
    trail: dict[Any, Any] = {2: order(SELL, "trailing_stop", 1, trail_ticks=3)}
    assert play(engines, BOOK + END, trail).order(1).stop == 97
    assert play(engines, "1 ask 102 5\n" + END, trail).ends == ["1 rejected no_price"]


# Section 7: own orders among themselves.


@pytest.mark.parametrize(
    ("rule", "filled", "ends"),
    [
        ("cancel_newest", [], ["1 working", "2 cancelled self_trade"]),
        ("cancel_oldest", ["3: 2 buys 4 @ 103 taker"], ["1 cancelled self_trade", "2 filled"]),
        ("cancel_both", [], ["1 cancelled self_trade", "2 cancelled self_trade"]),
        (
            "off",
            ["3: 1 sells 2 @ 102 maker", "3: 2 buys 2 @ 102 taker", "3: 2 buys 2 @ 103 taker"],
            ["1 filled", "2 filled"],
        ),
    ],
)
def test_a_taker_that_meets_own_orders(engines: Engines, rule: str, filled: list[str], ends: list[str]) -> None:
    tape = "1 bid 100 2, ask 103 5\n" + END
    run = play(engines, tape, {2: limit(SELL, 102, 2), 3: market(BUY, 4)}, self_trade=rule)
    assert (fills(run), run.ends) == (filled, ends)


@pytest.mark.parametrize(
    ("rule", "filled"),
    [
        ("cancel_newest", []),
        ("off", ["3: 2 buys 5 @ 103 taker", "3: 1 sells 2 @ 103 maker", "3: 2 buys 2 @ 103 taker"]),
    ],
)
def test_at_one_price_others_come_first_where_own_orders_may_meet(
    engines: Engines, rule: str, filled: list[str]
) -> None:
    tape = "1 bid 100 2, ask 103 5\n" + END
    run = play(engines, tape, {2: limit(SELL, 103, 2), 3: market(BUY, 7)}, self_trade=rule)
    assert fills(run) == filled


def test_reduce_only_holds_among_own_orders_too(engines: Engines) -> None:
    actions = {2: limit(SELL, 102, 2, reduce_only=True), 3: market(BUY, 4), 4: limit(BUY, 99, 1)}
    run = play(engines, "1 bid 90 2, ask 103 5\n" + END, actions, self_trade="off")
    assert run.ends == ["1 cancelled nothing_to_reduce", "2 filled", "3 working"]
    taker = {2: limit(SELL, 102, 2), 3: market(BUY, 4, reduce_only=True)}
    run = play(engines, "1 bid 90 2, ask 103 5\n" + END, taker, self_trade="off")
    assert run.ends == ["1 working", "2 cancelled nothing_to_reduce"]


def test_margin_does_not_limit_what_leaves_the_position_as_it_was(engines: Engines) -> None:
    actions = {2: limit(SELL, 102, 7), 3: limit(BUY, 102, 7)}
    run = play(engines, "1 bid 90 2\n" + END, actions, self_trade="off", cash=10**18)
    assert run.ends == ["1 filled", "2 filled"]


def test_own_orders_make_an_order_marketable(engines: Engines) -> None:
    orders = {2: limit(SELL, 102, 2), 3: [limit(BUY, 102, 1, post_only=True), limit(BUY, 102, 1)]}
    run = play(engines, "1 bid 100 2\n" + END, orders)
    assert run.ends == ["1 working", "2 cancelled would_take", "3 cancelled self_trade"]


def test_a_bracket_ends_with_the_exit_that_fills_first(engines: Engines) -> None:
    tape = BOOK + "3 bought 106 5\n" + END
    run = play(engines, tape, {2: market(BUY, 2, stop_loss=98, take_profit=106)})
    assert run.told == [
        *("2: accepted 1", "2: fill 0", "2: accepted 2", "2: accepted 3"),
        *("3: fill 1", "3: ended 2"),
    ]
    assert fills(run) == ["2: 1 buys 2 @ 102 taker", "3: 3 sells 2 @ 106 maker"]
    assert run.ends == ["1 filled", "2 cancelled sibling", "3 filled"]


def test_exits_end_with_the_position_that_they_protect(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: [market(BUY, 2, stop_loss=90, take_profit=110), market(SELL, 2)]})
    assert run.ends[1:] == ["2 filled", "3 cancelled nothing_to_reduce", "4 cancelled nothing_to_reduce"]


def test_a_take_profit_that_is_marketable_takes_after_the_entry_is_done(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: market(BUY, 6, take_profit=99)})
    assert fills(run)[:2] == ["2: 1 buys 5 @ 102 taker", "2: 1 buys 1 @ 103 taker"]
    assert fills(run)[2:] == ["2: 2 sells 2 @ 100 taker", "2: 2 sells 4 @ 99 taker"]


def test_exits_grow_with_their_entry_and_keep_their_place(engines: Engines) -> None:
    tape = BOOK + "3 sold 99 1\n4 sold 99 2\n5 bought 106 9\n" + END
    run = play(engines, tape, {2: limit(BUY, 101, 3, take_profit=106)})
    assert fills(run)[2:] == ["5: 2 sells 3 @ 106 maker"]


def test_a_trailing_stop_loss_begins_at_the_fill(engines: Engines) -> None:
    run = play(engines, BOOK + "3 sold 99 1\n" + END, {2: market(BUY, 1, stop_loss_trail_ticks=3)})
    assert run.order(2).stop == 99 and fills(run)[1] == "3: 2 sells 1 @ 100 taker"


def test_reduce_only_never_opens_a_position(engines: Engines) -> None:
    actions = {2: [market(BUY, 1), market(SELL, 2, reduce_only=True), market(SELL, 1, reduce_only=True)]}
    run = play(engines, BOOK + END, actions)
    assert fills(run)[1:] == ["2: 2 sells 1 @ 100 taker"]
    assert run.ends[1:] == ["2 cancelled (1 of 2) nothing_to_reduce", "3 cancelled nothing_to_reduce"]


def test_a_reduce_only_order_at_rest_fills_what_there_is_to_reduce(engines: Engines) -> None:
    tape = BOOK + "3 bought 106 1\n4 bought 106 5\n5 bought 106 5\n" + END
    run = play(engines, tape, {2: [market(BUY, 2), limit(SELL, 106, 5, reduce_only=True)]})
    assert fills(run)[1:] == ["3: 2 sells 1 @ 106 maker", "4: 2 sells 1 @ 106 maker"]
    assert run.ends[1] == "2 cancelled (2 of 5) nothing_to_reduce"


def test_targets_on_their_way_at_once_do_not_add_up(engines: Engines) -> None:
    target = market(BUY, 3, size_kind="target_quantity")
    run = play(engines, BOOK + END, {2: [target, target], 20: target}, entry_ns=5, response_ns=5)
    assert run.ends == ["1 filled", "2 cancelled reached"]
    assert run.answers == [1, 2, 0]


def test_margin_cuts_a_fill_and_cancels_the_rest(engines: Engines) -> None:
    run = play(engines, "1 ask 100 50\n" + END, {2: market(BUY, 20)}, cash=1_000 * 10**18)
    assert fills(run) == ["2: 1 buys 10 @ 100 taker"]
    assert run.ends == ["1 cancelled (10 of 20) margin"]
