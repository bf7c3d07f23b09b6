"""Bars on the time line of a replay (book rules, section 12): by hand, by chance, and alone as the bar engine."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from neural_trader.baseline import Engine as PlainEngine
from neural_trader.baseline.records import BUY, SELL, Reason, State
from neural_trader.baseline.replay import Replay as PlainReplay
from neural_trader.baseline.terms import AccountTerms, ContractTerms, Funding
from neural_trader.errors import EngineError
from parity.accounts import make_account_case
from parity.programs import Case, make_case
from parity.scenario import bars_of
from replay import scenario
from replay.bar_runs import by_bars, by_replay, comparable, difference_of, digests
from replay.outcome import first_difference, outcome_of
from replay.random_bars import make_bars_session, play_bars_session
from replay.scenario import MONEY, ONE, Engines, Scripted, engines_named, limit, market, order, samples_of, tape

SEEDS = int(os.environ.get("NT_PARITY_SEEDS", "400"))
"""Of the fast engines; the plain ones play a tenth of them."""

BARS = """
    open high low close
    100  110  90  105
    106  115  95  100
    101  120  80  110
"""
"""They open at 0, 100 and 200 and close 90 later."""


class WithBars(Scripted):
    """Does what is written for a bar, too."""

    def on_bar(self, replay: Any, instrument: int, bar_index: int) -> None:
        self._hear(replay, f"bar {instrument} {bar_index}")

    def on_moment(self, replay: Any, time_ns: int) -> None:
        self._hear(replay, f"moment {time_ns}")


class Run:
    """What came of a script over bars, and over a tape of books beside them."""

    def __init__(
        self, engines: Engines, actions: dict[Any, Any], *, bars: dict[int, str] | None = None,
        book: str = "", symbols: str = "A", **config: Any,
    ) -> None:  # fmt: skip
        columns = [(rank, bars_of(symbols[rank], text)) for rank, text in (bars or {0: BARS}).items()]
        sources = [(tape(book), list(range(len(symbols))))] if book else []
        given = {"cash": 10**9 * MONEY, "sample_ns": None, "bars": columns} | config
        self.engine = engines.replay([(symbol, ONE, ONE) for symbol in symbols], sources, **given)
        self.strategy = WithBars(actions)
        for key in actions:
            if isinstance(key, int):
                self.engine.timer(key)
        self.engine.run(self.strategy, bars=True)
        self.told, self.answers = self.strategy.told, self.strategy.answers

    def ended(self, number: int) -> tuple[State, Reason]:

        found = scenario.records_of(self.engine, "orders")[number - 1]
        return State(found.state), Reason(found.reason)

    @property
    def fills(self) -> list[str]:

        return scenario.Run(self.engine, [], []).fills


def test_closes_are_told_one_by_one_and_then_the_moment(engines: Engines) -> None:
    run = Run(engines, {}, bars={0: BARS, 1: BARS}, symbols="AB")
    assert run.told[:3] == ["90: bar 0 0", "90: bar 1 0", "90: moment 90"]
    assert len(run.told) == 9


def test_an_order_fills_at_the_first_opening_after_its_arrival(engines: Engines) -> None:
    buy = {"bar 0 0": market(BUY, 1)}
    assert Run(engines, buy).fills == ["100: 1 buys 1 @ 106 taker"]
    assert Run(engines, buy, entry_ns=10).fills == ["100: 1 buys 1 @ 106 taker"]
    assert Run(engines, buy, entry_ns=11).fills == ["200: 1 buys 1 @ 101 taker"]
    assert Run(engines, buy, feed_ns=11).fills == ["200: 1 buys 1 @ 101 taker"]


def test_what_opens_cannot_be_seen_by_who_can_still_buy_it(engines: Engines) -> None:
    looks = {100: lambda replay: (replay.mark(0), replay.submit(0, BUY, size=1))}
    for latency in ({}, {"entry_ns": 0, "response_ns": 1}):
        run = Run(engines, looks, **latency)
        assert run.answers == [(105, 1)] and run.fills == ["100: 1 buys 1 @ 106 taker"]


def test_answers_are_known_here_when_they_have_come_back(engines: Engines) -> None:
    looks = {"bar 0 0": market(BUY, 2), 104: lambda replay: replay.position(0), 107: lambda replay: replay.position(0)}
    assert Run(engines, looks, response_ns=5).answers[1:] == [0, 2]
    assert Run(engines, looks).answers[1:] == [2, 2]
    assert "105: fill 0" in Run(engines, looks, response_ns=5).told


def test_what_an_order_comes_to_is_found_where_it_arrives(engines: Engines) -> None:
    half = {"size_kind": "target_fraction", "size": 500_000_000}
    twice = {"bar 0 0": [order(BUY, "market", **half), order(BUY, "market", size_kind="target_quantity", size=0)]}
    late = Run(engines, twice, entry_ns=1)
    assert late.answers == [1, 2]
    assert late.ended(1) == (State.CANCELLED, Reason.REPLACED)
    assert late.ended(2) == (State.CANCELLED, Reason.REACHED)
    at_once = Run(engines, twice)
    assert at_once.answers == [1, 0] and at_once.ended(1) == (State.CANCELLED, Reason.REPLACED)


def test_an_order_that_arrives_before_there_is_a_price_may_be_refused(engines: Engines) -> None:
    early = {0: order(BUY, "trailing_stop", 1, trail_ticks=3)}
    for response_ns in (0, 1):
        assert Run(engines, early, response_ns=response_ns).ended(1) == (State.REJECTED, Reason.NO_PRICE)


def test_a_cancellation_may_come_too_late(engines: Engines) -> None:
    run = Run(engines, {"bar 0 0": market(BUY, 1), 95: lambda replay: replay.cancel(1)}, entry_ns=6)
    assert "101: refused 1" in run.told and run.fills == ["100: 1 buys 1 @ 106 taker"]
    run = Run(engines, {"bar 0 0": market(BUY, 1), 95: lambda replay: replay.cancel(1)}, entry_ns=4)
    assert run.ended(1) == (State.CANCELLED, Reason.USER)


def test_slippage_is_for_bars_and_books_have_none(engines: Engines) -> None:
    book = "1 bid 98 5, ask 100 5\n300 status\n"
    both = {10: [market(BUY, 1, at=0), market(BUY, 1, at=1)]}
    run = Run(engines, both, bars={1: BARS}, symbols="AB", book=book, slippage_ticks=7)
    assert run.fills == ["10: 1 buys 1 @ 100 taker", "100: 2 buys 1 @ 113 taker"]


def test_a_book_is_traded_on_what_bars_say(engines: Engines) -> None:
    book = "1 bid 98 5, ask 100 5\n195 bid 98 6\n300 status\n"
    rising = {"bar 1 0": market(BUY, 2, at=0), "bar 1 1": market(SELL, 2, at=0)}
    run = Run(engines, rising, bars={1: BARS}, symbols="AB", book=book)
    assert run.fills == ["90: 1 buys 2 @ 100 taker", "190: 2 sells 2 @ 98 taker"]
    assert [time_ns for time_ns, _ in samples_of(run.engine)] == [90, 190, 290, 300]


def test_ruin_on_bars_ends_what_rests_in_books(engines: Engines) -> None:
    book = "1 bid 98 5, ask 100 5\n300 status\n"
    crash = {1: "open high low close\n100 100 100 100\n100 100 1 1\n"}
    orders = {5: limit(BUY, 97, 1, at=0), "bar 1 0": order(BUY, "market", 50, at=1)}
    run = Run(engines, orders, bars=crash, symbols="AB", book=book, cash=1_000 * MONEY, leverage_ppb=5 * 10**9)
    assert run.ended(1) == (State.CANCELLED, Reason.RUIN) and run.engine.halted


def test_liquidation_on_bars_ends_what_rests_in_books_and_the_run_goes_on(engines: Engines) -> None:
    book = "1 bid 98 5, ask 100 5\n300 status\n"
    fall = {1: "open high low close\n100 100 100 100\n100 100 88 88\n"}
    contract = ContractTerms("linear", maintenance_ppb=5 * 10**7)
    terms = AccountTerms(contracts=[ContractTerms(), contract])
    orders = {5: limit(BUY, 97, 1, at=0), "bar 1 0": order(BUY, "market", 50, at=1), 195: limit(BUY, 97, 1, at=0)}
    run = Run(
        engines, orders, bars=fall, symbols="AB", book=book, cash=800 * MONEY, leverage_ppb=8 * 10**9, account=terms
    )
    assert run.ended(1) == (State.CANCELLED, Reason.LIQUIDATION) and not run.engine.halted
    assert run.fills == ["100: 2 buys 50 @ 100 taker", "190: 0 sells 50 @ 88 taker"]
    assert run.ended(3) == (State.WORKING, Reason.NONE)


def test_what_is_due_at_a_close_is_due_after_all_that_happens_then(engines: Engines) -> None:
    terms = AccountTerms(contracts=[ContractTerms("linear")], funding=[Funding(190, 0, 10**7), Funding(290, 0, 10**7)])
    run = Run(engines, {"bar 0 0": market(BUY, 1), 195: lambda replay: replay.cash()}, account=terms)
    # One percent of 100, which is known at once; the second is due when all is over.
    assert [equity for _, equity in samples_of(run.engine)] == [10**9 * MONEY + gain * MONEY for gain in (0, -6, 3)]
    assert run.answers == [1, 10**9 * MONEY - MONEY]


def test_what_bars_do_not_know_is_an_error(engines: Engines) -> None:
    for more in ({"post_only": True}, {"reduce_only": True}, {"display": 1}, {"time_in_force": "ioc"}):
        with pytest.raises(EngineError):
            Run(engines, {"bar 0 0": limit(BUY, 100, 1, **more)})
    with pytest.raises(EngineError):
        Run(engines, {"bar 0 0": order(BUY, "market_if_touched", 1, stop=100)})


# The bar engine is one case.


@pytest.mark.parametrize("share", range(8))
def test_bars_alone_without_latency_are_the_run_of_the_bar_engine(share: int) -> None:
    native = pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")
    for seed in range(share, SEEDS, 8):
        case = comparable(make_case(seed))
        expected, found = by_bars(case, native.Engine), by_replay(case, native.Replay)
        difference = difference_of(case, expected, found)
        assert difference is None, difference
        assert digests(expected) == digests(found)


@pytest.mark.parametrize("share", range(4))
def test_the_same_holds_of_every_account(share: int) -> None:
    native = pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")
    for seed in range(share, SEEDS // 2, 4):
        case = comparable(make_account_case(seed))
        expected, found = by_bars(case, native.Engine), by_replay(case, native.Replay)
        difference = difference_of(case, expected, found)
        assert difference is None, difference


@pytest.mark.parametrize("make", [make_case, make_account_case])
@pytest.mark.parametrize("share", range(4))
def test_the_same_holds_of_the_definitions(share: int, make: Callable[[int], Case]) -> None:
    for seed in range(share, SEEDS // 10, 4):
        case = comparable(make(seed))
        difference = difference_of(case, by_bars(case, PlainEngine), by_replay(case, PlainReplay))
        assert difference is None, difference


def test_a_difference_would_be_found() -> None:
    case, richer = comparable(make_case(4)), comparable(make_case(4))
    richer.config["cash"] += 1
    difference = difference_of(case, by_bars(case, PlainEngine), by_replay(richer, PlainReplay))
    assert difference is not None and "seed 4" in difference


# Beside books, with latency.


@pytest.mark.parametrize("share", range(4))
def test_random_sessions_with_bars_are_played_alike(share: int) -> None:
    rust = engines_named("rust")
    for seed in range(share, SEEDS // 8, 4):
        session = make_bars_session(seed)
        plain = outcome_of(Engines("baseline"), session, play_bars_session)
        difference = first_difference(session, plain, outcome_of(rust, session, play_bars_session))
        assert difference is None, difference


def test_sessions_with_bars_go_everywhere() -> None:
    seen: Counter[object] = Counter()
    for seed in range(50):
        session = make_bars_session(seed)
        outcome = outcome_of(engines_named("rust"), session, play_bars_session)
        ranks = {rank for rank, _ in session.config["bars"]}
        seen.update(("fill of bars" if row[1] in ranks else "fill of books") for row in outcome.fills)
        seen.update(Reason(row[15]) for row in outcome.orders if row[2] in ranks)
        seen.update("sent" for row in outcome.orders if row[14] == State.SENT)
    reasons = {Reason.MARGIN, Reason.SIZE, Reason.REACHED, Reason.REPLACED, Reason.TIME, Reason.NO_PRICE}
    assert not (reasons | {"fill of bars", "fill of books", "sent", Reason.REFUSED, Reason.HALTED}) - set(seen)
