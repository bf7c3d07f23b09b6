"""Sections 1, 2, 8 and 11 of docs/book-rules.md by hand: clocks, latency, timers, expiry, samples, ruin, digests."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from neural_trader.baseline.records import BUY, SELL
from neural_trader.errors import EngineError
from replay.scenario import (
    MONEY,
    ONE,
    Engines,
    Scripted,
    amend,
    cancel,
    limit,
    market,
    order,
    play,
    records_of,
    samples_of,
    tape,
)

BOOK = "1 bid 100 2, bid 99 4, ask 102 5, ask 103 5\n"
END = "90 status\n"
DAY_NS = 86_400 * 10**9


def told_of_records(run: Any) -> list[str]:
    return [text for text in run.told if "record" in text]


# Section 1: clocks.


def test_a_record_reaches_us_after_it_happened_and_no_clock_goes_back(engines: Engines) -> None:
    text = "10/12 bid 100 1\n8/5 bid 100 2\n20/15 bid 100 3\n0/30 bid 100 4\n"
    run = play(engines, text, {}, wants=["level"])
    assert told_of_records(run) == ["12: record 0 0", "12: record 0 1", "20: record 0 2", "30: record 0 3"]


def test_a_given_feed_latency_replaces_the_time_of_receipt(engines: Engines) -> None:
    run = play(engines, "10/99 bid 100 1\n8/99 bid 100 2\n20/21 bid 100 3\n", {}, wants=["level"], feed_ns=4)
    assert told_of_records(run) == ["14: record 0 0", "14: record 0 1", "24: record 0 2"]


def test_our_view_lags_behind_the_venue(engines: Engines) -> None:
    looks = {12: lambda replay: replay.best(0, BUY), 14: lambda replay: replay.best(0, BUY)}
    assert play(engines, "10/13 bid 100 1\n50/50 status\n", looks).answers == [None, (100, 1)]


def test_where_the_venue_never_says_when_receipt_is_the_time(engines: Engines) -> None:
    text = "0/5 bid 100 2, ask 102 5\n0/9 sold 100 3\n0/20 status\n"
    assert play(engines, text, {7: limit(BUY, 100, 1)}).fills == ["9: 1 buys 1 @ 100 maker"]


def test_records_of_others_move_the_clocks_and_nothing_else(engines: Engines) -> None:
    records = tape("1 bid 100 2, bid@1 150 3\n5 sold@1 1 9, gap@65535\n3 bid 100 7")
    looks = Scripted({"record 0 4": lambda replay: replay.best(0, BUY)})
    replay = engines.replay([("A", ONE, ONE)], [(records, [0, -1])], cash=MONEY)
    replay.run(looks, ["level", "trade", "gap"])
    assert looks.told == ["1: record 0 0", "5: record 0 4"] and looks.answers == [(100, 7)]


def test_ranks_say_which_instrument_a_number_is(engines: Engines) -> None:
    records = tape("1 bid 100 2, bid@1 150 3\n2 status")
    looks = Scripted({"record 0 1": [lambda replay: replay.best(0, BUY), lambda replay: replay.best(1, BUY)]})
    engines.replay([("A", ONE, ONE), ("B", ONE, ONE)], [(records, [1, 0])], cash=MONEY).run(looks, ["level"])
    assert looks.answers == [(150, 3), (100, 2)]


# Section 2: the order of what happens at one time.


def test_at_one_time_the_venue_comes_first_then_answers_then_records_then_timers(engines: Engines) -> None:
    actions = {
        "record 0 0": limit(BUY, 100, 1),
        "accepted 1": limit(BUY, 100, 1),
        5: [lambda replay: replay.position(0), limit(BUY, 98, 1), lambda replay: replay.timer(5)],
    }
    run = play(engines, "5 bid 100 0, sold 99 1\n6 status\n", actions, wants=["level", "trade"])
    # The trade was at the venue before our order; the order that answers is in time for nothing either.
    assert run.told == [
        *("5: record 0 0", "5: accepted 1", "5: accepted 2", "5: record 0 1", "5: accepted 3"),
    ]
    assert run.answers[2] == 0


def test_records_of_the_first_source_come_first(engines: Engines) -> None:
    sources = [tape("5 bid 100 1\n7 bid 100 2"), tape("5 bid 100 3\n6 bid 100 4\n7 bid 100 5")]
    run = play(engines, sources, {}, wants=["level"])
    order_of_play = [text.split("record ")[1] for text in told_of_records(run)]
    assert order_of_play == ["0 0", "1 0", "1 1", "0 1", "1 2"]


def test_timers_ring_in_the_order_in_which_they_were_set_and_not_beyond_the_last_record(engines: Engines) -> None:
    rung: list[tuple[int, int]] = []

    class Timed(Scripted):
        def on_timer(self, replay: Any, time_ns: int) -> None:
            rung.append((replay.now_ns, time_ns))
            if len(rung) == 2:
                replay.timer(1)

    replay = engines.replay([("A", ONE, ONE)], [(tape("1 bid 100 1\n9/12 bid 100 2"), [0])], cash=MONEY)
    for time_ns in (12, 3, 13, 0):
        replay.timer(time_ns)
    replay.run(Timed({}))
    assert rung == [(0, 0), (3, 3), (3, 3), (12, 12)]


# Latency.


def test_commands_and_answers_take_their_time(engines: Engines) -> None:
    looks = {2: market(BUY, 6), 13: lambda replay: replay.position(0), 14: lambda replay: replay.position(0)}
    run = play(engines, BOOK + "5 ask 102 1\n" + END, looks, entry_ns=5, response_ns=7)
    # At 7 one lot is left at 102; the answers are here at 14, before the timer of that time.
    assert run.fills == ["7: 1 buys 1 @ 102 taker", "7: 1 buys 5 @ 103 taker"]
    assert run.told == ["14: accepted 1", "14: fill 0", "14: fill 1"] and run.answers == [1, 0, 6]
    assert (run.order(1).submit_ns, run.order(1).accept_ns) == (2, 7)


def test_cash_is_known_when_the_fill_is(engines: Engines) -> None:
    looks = {2: market(BUY, 1), 6: lambda replay: replay.cash(), 7: lambda replay: replay.cash()}
    run = play(engines, BOOK + END, looks, response_ns=5, cash=1_000 * MONEY)
    assert run.answers == [1, 1_000 * MONEY, 898 * MONEY]


def test_an_order_that_does_not_arrive_before_the_end_stays_sent(engines: Engines) -> None:
    run = play(engines, BOOK + END, {60: limit(BUY, 100, 1)}, entry_ns=50)
    assert run.ends == ["1 sent"] and run.order(1).accept_ns is None


@pytest.mark.parametrize(
    ("rows", "arrives"),
    [
        ([(0, 2, 4), (10, 20, 22)], 2 + 2 + 8 * 2 // 10),
        ([(0, 1, 2), (3, 9, 10)], 2 + 1 + 5 * 2 // 3),
        ([(0, 6, 7), (3, 7, 8)], 2 + 6 - 2 * 2 // 3),
        ([(5, 9, 10), (7, 20, 22)], 2 + 4),
        ([(0, 9, 10), (1, 20, 22)], 2 + 19),
    ],
    ids=["between", "cut when it rises", "cut when it falls", "before the first", "after the last"],
)
def test_recorded_latencies_are_interpolated_and_cut_towards_zero(
    engines: Engines, rows: list[tuple[int, int, int]], arrives: int
) -> None:
    run = play(engines, BOOK + END, {2: limit(BUY, 100, 1)}, latency_rows=rows)
    assert run.order(1).accept_ns == arrives


def test_a_response_is_interpolated_at_the_venue(engines: Engines) -> None:
    # The order is at the venue at 10, a quarter of the way from 4 to 28: 2 + (10 - 2) / 4.
    run = play(engines, BOOK + END, {6: limit(BUY, 100, 1)}, latency_rows=[(0, 4, 6), (24, 28, 38)])
    assert run.order(1).accept_ns == 10 and run.told == ["14: accepted 1"]


def test_nothing_overtakes_on_a_connection(engines: Engines) -> None:
    rows = [(0, 20, 40), (10, 21, 42), (20, 43, 44)]
    run = play(engines, BOOK + END, {0: limit(BUY, 100, 1), 10: cancel(1), 19: limit(BUY, 100, 1)}, latency_rows=rows)
    assert [run.order(number).accept_ns for number in (1, 2)] == [20, 19 + 11 + 12 * 9 // 10]
    falling = [(0, 30, 31), (1, 31, 32), (2, 32, 33), (3, 33, 34), (40, 41, 42)]
    run = play(engines, BOOK + END, {2: limit(BUY, 100, 1), 30: limit(BUY, 100, 1)}, latency_rows=falling)
    # At 30 the way takes 30 - 29 * 27 / 37 = 9; both are there in the order in which they were sent.
    assert [run.order(number).accept_ns for number in (1, 2)] == [32, 39]


def test_no_answer_overtakes_another(engines: Engines) -> None:
    rows = [(0, 1, 101), (10, 11, 12)]
    run = play(engines, "0 bid 100 2\n200 status\n", {0: limit(BUY, 100, 1), 10: limit(BUY, 100, 1)}, latency_rows=rows)
    assert run.told == ["101: accepted 1", "101: accepted 2"]


def test_a_venue_that_refuses_is_never_heard_of(engines: Engines) -> None:
    rows = [(0, 1, 2), (10, 0, 14), (20, 21, 22), (30, 31, 32)]
    actions = {1: [], 5: limit(BUY, 100, 1), 15: [cancel(1), amend(1, 100, 2)], 25: limit(BUY, 100, 1)}
    run = play(engines, BOOK + END, actions, latency_rows=rows)
    # From row to row the way there and back takes 2, 4 and 2: at 5 and at 15 that is 3.
    assert run.told == ["8: ended 1", "18: refused 1", "18: refused 1", "27: accepted 2"]
    assert run.ends == ["1 rejected refused", "2 working"] and run.order(1).accept_ns is None


@pytest.mark.parametrize(
    "rows",
    [[], [(5, 4, 6)], [(5, 6, 5)], [(5, 0, 4)], [(5, 6, 7), (5, 8, 9)], [(5, 9, 9), (6, 8, 9)], [(5, 0, 9)]],
)
def test_recorded_latencies_that_contradict_themselves_are_refused(engines: Engines, rows: Any) -> None:
    with pytest.raises(EngineError):
        play(engines, BOOK, {}, latency_rows=rows)


# Sending.


@pytest.mark.parametrize(
    ("keywords", "end"),
    [
        ({"size": 0}, "1 rejected size"),
        ({"size": -3}, "1 rejected size"),
        ({"size": 1, "display": 0}, "1 rejected size"),
        ({"size": 1, "limit": 0}, "1 rejected price"),
        ({"size": 1, "take_profit": -1}, "1 rejected price"),
        ({"size": 0, "stop_loss_trail_ticks": 0}, "1 rejected price"),
    ],
)
def test_what_makes_no_sense_is_rejected_without_being_sent(
    engines: Engines, keywords: dict[str, int], end: str
) -> None:
    keywords = {"limit": 100} | keywords
    run = play(
        engines, BOOK + END, {2: lambda replay: replay.submit(0, BUY, "limit", **keywords)}, entry_ns=9, response_ns=9
    )
    assert run.ends == [end] and run.told == ["2: ended 1"]


@pytest.mark.parametrize(
    "call",
    [
        order(BUY, "stop", 1, stop=99, time_in_force="ioc"),
        order(BUY, "stop", 1, stop=99, post_only=True),
        limit(BUY, 100, 1, time_in_force="fok", post_only=True),
        limit(BUY, 100, 1, time_in_force="ioc", display=1),
        market(BUY, 1, display=1),
        order(BUY, "market_if_touched", 1),
        market(BUY, 1, size_kind="cash"),
        limit(2, 100, 1),
        market(BUY, 1, at=1),
        cancel(1),
        amend(1, 100, 1),
    ],
)
def test_calls_that_contradict_themselves_are_errors(engines: Engines, call: Any) -> None:
    with pytest.raises(EngineError):
        play(engines, BOOK + END, {2: call})


def test_orders_that_answer_orders_end_the_run(engines: Engines) -> None:
    class Loop(Scripted):
        def on_answer(self, replay: Any, kind: str, number: int) -> None:
            replay.submit(0, BUY, "limit", limit=0, size=1)

    replay = engines.replay([("A", ONE, ONE)], [(tape(BOOK + END), [0])], cash=MONEY)
    replay.submit(0, BUY, "limit", limit=0, size=1)
    with pytest.raises(EngineError, match="orders"):
        replay.run(Loop({}))


# Section 7: expiry.


def test_an_order_ends_at_its_time_before_commands_and_after_records(engines: Engines) -> None:
    actions = {2: [limit(BUY, 100, 3, time_in_force="gtd", expire_ns=5), limit(BUY, 99, 1)], 5: limit(BUY, 100, 1)}
    run = play(engines, BOOK + "5 sold 99 4\n" + END, actions)
    assert run.fills == ["5: 1 buys 3 @ 100 maker"]
    run = play(engines, BOOK + "5/6 status\n7 sold 99 4\n" + END, actions)
    assert run.ends[0] == "1 expired time" and "5: ended 1" in run.told


def test_an_order_that_arrives_after_its_time_is_accepted_and_ends(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: limit(BUY, 102, 1, time_in_force="gtd", expire_ns=7)}, entry_ns=5)
    assert run.told == ["7: accepted 1", "7: ended 1"] and run.ends == ["1 expired time"]


def test_a_day_order_ends_with_the_day_of_its_acceptance(engines: Engines) -> None:
    text = f"{DAY_NS - 10} bid 100 2\n{DAY_NS + 10} bid 100 2\n{2 * DAY_NS} bid 100 2\n"
    actions = {DAY_NS - 5: limit(BUY, 99, 1, time_in_force="day")}
    assert play(engines, text, actions).told == [f"{DAY_NS - 5}: accepted 1", f"{DAY_NS}: ended 1"]
    assert f"{2 * DAY_NS}: ended 1" in play(engines, text, actions, entry_ns=7).told


def test_an_order_that_has_ended_does_not_expire(engines: Engines) -> None:
    text = f"{DAY_NS - 10} ask 100 2\n{DAY_NS + 10} bid 99 2\n"
    actions = {
        DAY_NS - 5: [
            market(BUY, 1, time_in_force="day"),
            market(BUY, 3, time_in_force="gtd", expire_ns=DAY_NS - 2),
            limit(BUY, 90, 1, time_in_force="day"),
            cancel(3),
        ]
    }
    run = play(engines, text, actions)
    assert run.ends == ["1 filled", "2 cancelled (1 of 3) no_liquidity", "3 cancelled user"]
    assert sum("ended" in text for text in run.told) == 2


# Section 8: samples and ruin.


def test_equity_is_sampled_where_something_happened_and_at_the_end(engines: Engines) -> None:
    text = "3 bid 100 2, ask 102 5\n10 bid 90 2, bid 100 0\n11 bid 95 1\n45/48 bid 80 9\n"
    run = play(engines, text, {4: market(BUY, 1)}, cash=1_000 * MONEY, sample_ns=10)
    # Bought at 102 and worth the best bid: 90 at 10, 95 at 20, and at 48 still, since 80 is below.
    assert samples_of(run.engine) == [(10, 988 * MONEY), (20, 993 * MONEY), (48, 993 * MONEY)]
    assert list(run.engine.touches) == [(90, 102), (95, 102), (95, 102)]


def test_a_position_keeps_its_mark_while_the_book_has_no_price_for_it(engines: Engines) -> None:
    text = "3 bid 100 2, ask 102 5\n9 resync\n10 status\n"
    run = play(engines, text, {4: market(SELL, 1)}, cash=1_000 * MONEY, sample_ns=10)
    assert samples_of(run.engine) == [(10, 998 * MONEY)] and list(run.engine.touches) == [(0, 0)]


def test_without_equity_everything_ends_at_the_sample(engines: Engines) -> None:
    text = "3 bid 100 9, ask 102 99\n12 bid 100 0, bid 70 9\n25 bid 81 1\n40 status\n"
    actions = {4: [market(BUY, 40), limit(BUY, 50, 1)], 18: limit(BUY, 50, 1), 30: limit(BUY, 50, 1)}
    run = play(engines, text, actions, cash=1_000 * MONEY, leverage_ppb=5 * 10**9, sample_ns=10, entry_ns=5)
    assert run.fills == ["9: 1 buys 40 @ 102 taker", "20: 0 sells 40 @ 70 taker"]
    # What was on its way is refused when it arrives.
    assert run.ends == ["1 filled", "2 cancelled ruin", "3 rejected halted", "4 rejected halted"] and run.engine.halted
    assert samples_of(run.engine)[-1] == (40, -280 * MONEY)


# Section 11: digests.


def little(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def test_the_inputs_digest_binds_instruments_records_and_ranks(engines: Engines) -> None:
    first, second = tape(BOOK), tape("1 sold 99 1")
    replay = engines.replay([("A", ONE, ONE), ("Bé", ONE, ONE)], [(first, [0, -1]), (second, [1])], cash=MONEY)
    replay.run(Scripted({}))
    step = little(1, 8) + b"\0"
    expected = b"\x01\0\0\0A" + step + step + b"\x03\0\0\0" + "Bé".encode() + step + step
    expected += little(4, 8) + sha256(first.tobytes()).digest() + little(2, 2) + little(0, 2) + b"\xff\xff"
    expected += little(1, 8) + sha256(second.tobytes()).digest() + little(1, 2) + little(1, 2)
    assert replay.digests("1.2.3", "{}")["inputs"] == sha256(expected).hexdigest()


def test_the_orders_digest_binds_what_only_a_replay_knows(engines: Engines) -> None:
    actions = {2: limit(BUY, 100, 5, display=2, post_only=True), 60: market(SELL, 1, reduce_only=True)}
    run = play(engines, BOOK + END, actions, entry_ns=40)
    common = [little(1, 4), little(0, 4), little(0, 4), b"\x01\x01\x00", *(little(n, 8) for n in (0, 5, 100))]
    first = [*common, *[little(0, 8)] * 5, b"\x00\x00", little(2, 8), b"\x01", little(2, 8), little(42, 8)]
    second = [
        little(2, 4),
        little(0, 4),
        little(0, 4),
        b"\xff\x00\x00",
        little(0, 8),
        little(1, 8),
        *[little(0, 8)] * 6,
    ]
    second += [b"\x05\x00", little(60, 8), b"\x02", little(0, 8), little(-(2**63), 8)]
    assert run.engine.digests("1.2.3", "{}")["orders"] == sha256(b"".join(first + second)).hexdigest()


def test_trades_of_a_replay_are_those_of_its_fills(engines: Engines) -> None:
    run = play(engines, BOOK + END, {2: market(BUY, 1), 3: market(SELL, 2)})
    trades = [(trade.direction, trade.quantity, trade.pnl // MONEY) for trade in records_of(run.engine, "trades")]
    # The short lot could be bought back at 102.
    assert trades == [(1, 1, -2), (-1, 1, -2)]
