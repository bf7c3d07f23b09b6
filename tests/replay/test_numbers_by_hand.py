"""What orders and fills are called here: nothing in their numbers tells of what has not been told (section 2)."""

from __future__ import annotations

from typing import Any

import pytest

import neural_trader as nt
from neural_trader.baseline.records import BUY, SELL, Reason, State
from neural_trader.errors import EngineError
from neural_trader.strategy import Order
from replay.scenario import Action, Engines, limit, market, play
from replay.scripted import BOOK, END, Played

TAPE = "1 bid 99 10, ask 101 4, ask 102 9\n90 status"


def standing(number: int) -> Action:
    return lambda replay: tuple(replay.standing(number))


def probe(number: int) -> Action:
    """Whether there is such an order, as far as a strategy can find out."""

    def act(replay: Any) -> bool:
        try:
            replay.cancel(number)
        except EngineError:
            return False
        return True

    return act


def test_a_gap_in_numbers_does_not_tell_of_a_fill_that_was_not_told(engines: Engines) -> None:
    """The exits of the first order exist at the venue at 2; of its fill we hear at 52."""
    entry = market(BUY, 2, stop_loss=90, take_profit=110)
    run = play(engines, TAPE, {2: entry, 10: [probe(2), limit(BUY, 98, 1)], 60: limit(BUY, 97, 1)}, response_ns=50)
    assert run.answers == [1, False, 2, 5]
    assert run.told[:4] == ["52: accepted 1", "52: fill 0", "52: accepted 3", "52: accepted 4"]
    assert list(run.engine.known_orders) == [1, 4, 2, 3, 5]
    assert [run.order(order_id).parent for order_id in range(1, 6)] == [0, 1, 1, 0, 0]


def test_an_order_stands_for_us_as_the_last_answer_said(engines: Engines) -> None:
    """It rests from 2 on and fills at 5: 3 of 8, of which we hear at 25; the rest at 30, of which nobody hears."""
    tape = "1 bid 98 1, ask 101 4\n5 sold 99 3\n30 sold 99 9\n49 status"
    looks = {time: standing(1) for time in (10, 23, 26, 40)}
    run = play(engines, tape, {2: limit(BUY, 99, 8), **looks}, response_ns=20)
    sent, working = (BUY, 8, 0, 0, State.SENT, 0), (BUY, 8, 0, 0, State.WORKING, 0)
    assert run.answers == [1, sent, working, (BUY, 8, 3, 0, State.WORKING, 0), (BUY, 8, 3, 0, State.WORKING, 0)]
    assert run.order(1).state == State.FILLED


def test_a_refusal_is_known_when_it_is_answered(engines: Engines) -> None:
    rows = [(1, -1, 41), (60, -1, 100)]
    run = play(engines, TAPE, {2: market(BUY, 1), 10: standing(1), 50: standing(1)}, latency_rows=[*rows, (80, 81, 82)])
    assert run.answers == [1, (BUY, 1, 0, 0, State.SENT, 0), (BUY, 1, 0, 1, State.REJECTED, Reason.REFUSED)]


def test_fills_are_numbered_as_they_are_told(engines: Engines) -> None:
    run = play(engines, TAPE, {2: [market(BUY, 6), market(SELL, 1)]}, response_ns=7)
    assert [line for line in run.told if "fill" in line] == ["9: fill 0", "9: fill 1", "9: fill 2"]
    assert list(run.engine.known_fills) == [0, 1, 2]


class GapWatcher(nt.Strategy):
    """Sends an order with exits, and buys ten times as much if the number of the next order jumps."""

    def on_start(self) -> None:
        self.set_timer(at_ns=5)
        self.set_timer(at_ns=20)
        self.told: list[Order] = []

    def on_timer(self, time_ns: int) -> None:
        if time_ns == 5:
            self.first = self.buy(1, limit=100.0, stop_loss=98.5, take_profit=100.5)
            return
        has_jumped = self.buy(0.1, limit=98.0) != self.first + 1
        self.buy(10 if has_jumped else 0.1, limit=98.0)


def test_frames_have_both_numbers() -> None:
    from neural_trader import replay
    from replay.scripted import session

    result = replay(GapWatcher, session(BOOK + "6 status\n" + END), latency="0ms/60ns", fee=0, cash=1_000_000)
    orders = result.orders
    assert orders["id"].to_list() == [1, 2, 3, 4, 5]
    assert orders["parent"].to_list() == [None, 1, 1, None, None]
    assert orders["number"].to_list() == [1, 4, 5, 2, 3]
    assert orders["quantity"].to_list() == [1, 1, 1, 0.1, 0.1], "it could not know"
    assert result.fills["order"].to_list() == [1]
    assert result.fills["order_number"].to_list() == [1]


def test_what_nobody_was_told_of_has_no_number() -> None:
    script = {5: lambda own: own.buy(1, stop_loss=98.5)}
    result = Played(BOOK + END, script, latency="0ms/1s").result
    assert result.orders["number"].to_list() == [1, None]
    assert result.fills["order_number"].to_list() == [1]


def test_an_order_is_told_of_as_it_stood_when_the_answer_was_given() -> None:
    heard: list[Order] = []

    class Listener(nt.Strategy):
        def on_start(self) -> None:
            self.set_timer(at_ns=5)

        def on_timer(self, time_ns: int) -> None:
            self.buy(2, limit=99.0)

        def on_order(self, order: Order) -> None:
            heard.append(order)

    from replay.scripted import session

    text = "1 begin, snapshot_bid 9800 1, snapshot_ask 10000 30, end\n20 sold 9900 20\n" + END
    nt.replay(Listener, session(text), latency="0ms/30ns", fee=0, cash=1_000_000)
    assert [(order.event, order.filled, order.state) for order in heard] == [("accepted", 0, "working")]


@pytest.mark.parametrize("number", [0, 2, 9])
def test_an_order_that_is_not_known_here_does_not_exist(engines: Engines, number: int) -> None:
    run = play(engines, TAPE, {2: market(BUY, 1, stop_loss=50), 3: probe(number)}, response_ns=50)
    assert run.answers == [1, False]
