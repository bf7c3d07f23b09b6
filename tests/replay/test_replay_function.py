"""``neural_trader.replay`` as it is called: what strategies are told, what their orders do, what settings change."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import ConfigError, DataError, EngineError, StrategyRunError, UsageError
from neural_trader.market.recordings import Recording, synthetic_recording
from neural_trader.market.times import time_text
from neural_trader.strategy import Order, Strategy
from replay.scripted import BOOK, END, Action, Played, nanoseconds, session

DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def random_market() -> Recording:
    """A minute of the synthetic market."""
    return synthetic_recording(7, "1m")


# What a strategy is told.

HEARD: list[Any] = []


class Witness(Strategy):
    """Writes down each call, and buys once."""

    def say(self, *what: Any) -> None:
        HEARD.append((self.now_ns, *what))

    def on_start(self) -> None:
        self.say("start", self.symbols)
        self.set_timer(at_ns=30)

    def on_trade(self, trade: nt.Tick) -> None:
        times = trade.time_ns, trade.venue_ns
        self.say("trade", trade.symbol, *times, trade.price, trade.quantity, trade.side, trade.id)

    def on_quote(self, quote: nt.Tick) -> None:
        self.say("quote", quote.symbol, quote.price, quote.quantity, quote.side)

    def on_book(self, symbol: str) -> None:
        self.say("book", symbol, self.best_bid(), self.best_ask())

    def on_timer(self, time_ns: int) -> None:
        self.say("timer", time_ns)
        self.buy(1, symbol="A", limit=100)

    def on_fill(self, fill: nt.Fill) -> None:
        self.say("fill", fill)

    def on_order(self, order: Order) -> None:
        self.say("order", order)

    def on_stop(self) -> None:
        self.say("stop")


def test_every_hook_is_called_in_its_time_with_what_it_is_about() -> None:
    text = BOOK + "5/7 sold 9900 3\n10/12 best_bid@1 9950 4\n20/22 bid 9900 0, bought@1 10000 1\n90/95 status\n"
    HEARD.clear()
    nt.replay(Witness, session(text, "AB"), fee="1%/2%", latency="5ns/3ns", sample="10ns")
    assert [
        (1, "start", ("A", "B")),
        (1, "book", "A", 99.0, 100.0),
        (7, "trade", "A", 7, 5, 99.0, 0.3, -1, 6),
        (12, "quote", "B", 99.5, 0.4, 1),
        # The message of a book ends with the record that has the flag, and here that is the trade of the other one.
        (22, "trade", "B", 22, 20, 100.0, 0.1, 1, 9),
        (30, "timer", 30),
        (38, "order", Order(1, "A", 1, "limit", 1.0, 1.0, "filled", "", "accepted")),
        (38, "fill", nt.Fill(1, "A", 1, 1.0, 100.0, 2.0, False, 35)),
        (38, "stop"),
    ] == HEARD


def test_a_book_is_told_of_once_a_whole_message_has_changed_it() -> None:
    seen: list[Any] = []

    class Booked(Strategy):
        def on_book(self, symbol: str) -> None:
            seen.append((self.now_ns, symbol, self.levels(1), self.levels(-1, 1)))

    nt.replay(Booked, session(BOOK + "5 bid 9950 10, bid 9900 0\n7 ask 10000 0\n" + END), sample="10ns")
    bids = [(99.5, 1.0), (98.0, 4.0)]
    assert seen == [
        (1, "A", [(99.0, 2.0), (98.0, 4.0)], [(100.0, 3.0)]),
        (5, "A", bids, [(100.0, 3.0)]),
        (7, "A", bids, [(101.0, 5.0)]),
    ]


def test_a_tick_prints_what_it_is() -> None:
    said: list[str] = []

    class Printing(Strategy):
        def on_trade(self, trade: nt.Tick) -> None:
            said.append(repr(trade))

    nt.replay(Printing, session(BOOK + "5 printed 9950 12\n" + END), sample="10ns")
    assert said == ["Tick(A 1.2 @ 99.5, side 0)"]


def test_what_a_strategy_may_look_at_is_in_decimal_units() -> None:
    def look(own: Any) -> Any:
        market = own.best_bid(), own.best_ask(), own.price("A"), own.tick(), own.lot()
        return *market, own.position(), own.cash, own.equity

    played = Played(BOOK + END, {5: lambda own: own.buy(2), 6: look, 7: lambda own: own.best_bid("B")}, "AB")
    cash = 1_000_000 - 200
    assert played.seen[1] == (99.0, 100.0, 99.5, 0.01, 0.1, 2.0, cash, cash + 2 * 99)
    assert math.isnan(played.seen[2])


def test_bars_and_indicators_are_not_of_replays_and_books_not_of_bars() -> None:
    class OfBars(Strategy):
        def on_bar(self, bar: nt.Bar) -> None: ...

    class Averaging(Strategy):
        def on_start(self) -> None:
            self.sma(3)

    class OfBooks(Strategy):
        def on_bar(self, bar: nt.Bar) -> None:
            self.best_bid()

    with pytest.raises(UsageError, match=r"^OfBars decides on bars; a replay has books and trades"):
        nt.replay(OfBars, session(BOOK))
    with pytest.raises(StrategyRunError, match="features are of bars"):
        nt.replay(Averaging, session(BOOK))
    with pytest.raises(StrategyRunError, match="books, timers and amendments are of replays"):
        nt.backtest(OfBooks)


def test_a_hook_that_the_data_cannot_call_is_warned_of() -> None:
    class Quoted(Strategy):
        def on_quote(self, quote: nt.Tick) -> None: ...

        def on_trade(self, trade: nt.Tick) -> None: ...

    warnings = nt.replay(Quoted, session(BOOK + "5 sold 9900 1\n" + END), sample="10ns").warnings
    assert warnings == ("on_quote was never called: the data has no such records.",)


# Orders.


def test_latency_lies_before_and_behind_the_venue() -> None:
    played = Played(BOOK + END, {5: lambda own: own.buy(1, limit=99)}, latency="4ns/7ns")
    assert played.told == ["16: 1 accepted"]
    assert nanoseconds(played.result, "time") == [5] and nanoseconds(played.result, "accepted") == [9]
    assert played.order()["queue_ahead"] == 2.0 and played.order()["ended"] is None


def test_the_feed_can_be_given_a_latency_of_its_own() -> None:
    text = BOOK + "10/50 bid 9950 3\n" + END
    looks = {time_ns: (lambda own: own.best_bid()) for time_ns in (12, 13, 49, 50)}
    assert Played(text, looks).seen == [99.0, 99.0, 99.0, 99.5]
    assert Played(text, looks, feed="3ns").seen == [99.0, 99.5, 99.5, 99.5]


def test_a_cancellation_asks_the_venue_which_may_refuse() -> None:
    script = {
        5: lambda own: own.buy(1, limit=99),
        8: lambda own: own.cancel(1),
        20: lambda own: own.cancel(1),
    }
    played = Played(BOOK + END, script, latency="2ns")
    assert played.told == ["9: 1 accepted", "12: 1 ended cancelled user", "24: 1 refused"]
    assert played.seen == [1, True, True] and nanoseconds(played.result, "ended") == [10]


def test_an_amendment_keeps_the_place_only_where_it_asks_for_less() -> None:
    def quote(own: Any) -> int:
        return int(own.buy(2, limit=99))

    text = BOOK + "10 bid 9900 50\n40 sold 9900 25\n" + END
    smaller = Played(text, {5: quote, 20: lambda own: own.amend(1, limit=99, quantity=1)})
    assert smaller.told == ["5: 1 accepted", "20: 1 amended", "40: 1 buys 0.5 @ 99 maker"]
    larger = Played(text, {5: quote, 20: lambda own: own.amend(1, limit=99, quantity=3)})
    assert larger.told == ["5: 1 accepted", "20: 1 amended"] and larger.order()["quantity"] == 3.0
    dearer = Played(text, {5: quote, 20: lambda own: own.amend(1, limit=99.5, quantity=2)})
    assert dearer.told[2:] == ["40: 1 buys 2 @ 99.5 maker"] and dearer.order()["limit"] == 99.5


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"limit": 100}, ["5: 1 buys 3 @ 100 taker"]),
        ({"limit": 100, "good_till": "ioc"}, ["5: 1 buys 3 @ 100 taker", "5: 1 ended expired time"]),
        ({"limit": 100, "good_till": "fok"}, ["5: 1 ended expired time"]),
        ({"limit": 101, "good_till": "fok"}, ["5: 1 buys 3 @ 100 taker", "5: 1 buys 1 @ 101 taker"]),
        ({"limit": 99, "good_till": 60}, ["60: 1 ended expired time"]),
        ({"limit": 99, "good_till": datetime(1970, 1, 1, tzinfo=UTC)}, ["5: 1 ended expired time"]),
        ({"limit": 100, "post_only": True}, ["5: 1 ended cancelled would take"]),
        ({"limit": 99, "post_only": True}, []),
        ({"reduce_only": True}, ["5: 1 ended cancelled nothing to reduce"]),
        ({}, ["5: 1 buys 3 @ 100 taker", "5: 1 buys 1 @ 101 taker"]),
        ({"touch": 100}, ["5: 1 triggered", "5: 1 buys 3 @ 100 taker", "5: 1 buys 1 @ 101 taker"]),
        ({"touch": 98}, []),
        ({"stop": 99, "limit": 100}, ["5: 1 triggered", "5: 1 buys 3 @ 100 taker"]),
        ({"stop": 101}, []),
        ({"trail": 1}, []),
    ],
    ids=str,
)
def test_terms_of_an_order_are_what_the_venue_goes_by(terms: dict[str, Any], told: list[str]) -> None:
    played = Played(BOOK + END, {5: lambda own: own.buy(4, **terms)})
    assert played.told == ["5: 1 accepted", *told]


def test_a_day_order_ends_with_the_day_and_one_till_a_moment_with_the_moment() -> None:
    text = BOOK + f"{DAY_NS + 10} status\n"
    moment = datetime(1970, 1, 1, 12, tzinfo=UTC)
    script = {5: lambda own: (own.buy(1, limit=99, good_till="day"), own.buy(1, limit=98, good_till=moment))}
    played = Played(text, script, sample="1h")
    assert played.told[2:] == [f"{DAY_NS // 2}: 2 ended expired time", f"{DAY_NS}: 1 ended expired time"]


def test_a_stop_and_a_touched_order_trigger_on_their_side_of_the_market() -> None:
    script: dict[int, Action] = {
        5: lambda own: (own.buy(1, stop=100.5), own.sell(1, touch=100.5), own.sell(1, stop=98.5)),
    }
    played = Played(BOOK + "20 bought 10050 1\n30 sold 9850 1\n" + END, script)
    fills = [told for told in played.told if "buys" in told or "sells" in told]
    assert fills == ["20: 1 buys 1 @ 100 taker", "20: 2 sells 1 @ 99 taker", "30: 3 sells 1 @ 99 taker"]


def test_an_iceberg_shows_a_part_and_goes_to_the_end_with_the_next() -> None:
    text = BOOK + "10 sold 9900 30\n20 sold 9900 40\n" + END
    iceberg = Played(text, {5: lambda own: own.buy(4, limit=99, display=1)})
    # Two stand before it; the first trade fills what is shown, the second has to pass two again.
    assert iceberg.told == ["5: 1 accepted", "10: 1 buys 1 @ 99 maker", "20: 1 buys 1 @ 99 maker"]
    assert iceberg.order()["display"] == 1.0
    whole = Played(text, {5: lambda own: own.buy(4, limit=99)})
    assert whole.told == ["5: 1 accepted", "10: 1 buys 1 @ 99 maker", "20: 1 buys 3 @ 99 maker"]


def test_reduce_only_stops_at_flat() -> None:
    script = {5: lambda own: own.buy(1), 10: lambda own: own.sell(3, reduce_only=True), 15: lambda own: own.position()}
    played = Played(BOOK + END, script)
    assert played.seen[2] == 0.0 and played.ends()[1] == "2 cancelled nothing to reduce"
    assert played.order(2)["reduce_only"] and not played.order(1)["reduce_only"]


def test_brackets_are_at_the_venue_from_the_fill_on() -> None:
    script = {5: lambda own: own.buy(1, stop_loss=98.5, take_profit=100.5)}
    text = BOOK + "40 ask 10000 0\n50 bid 10060 10\n" + END
    played = Played(text, script, latency="10ns")
    assert [row["parent"] for row in played.result.orders.to_dicts()] == [None, 1, 1]
    assert nanoseconds(played.result, "accepted") == [15, 15, 15]
    assert played.ends() == ["1 filled", "2 cancelled sibling", "3 filled"]
    assert played.result.fills["price"].to_list() == [100.0, 100.5]
    assert played.result.fills["liquidity"].to_list() == ["taker", "maker"]


def test_a_target_is_what_is_missing_as_far_as_is_known_here() -> None:
    script: dict[int, Action] = {
        5: lambda own: own.target(quantity=2),
        30: lambda own: own.target(quantity=-1),
        60: lambda own: own.target(quantity=-1),
    }
    played = Played(BOOK + END, script, latency="5ns")
    assert played.seen == [1, 2, 0]
    assert played.result.fills["quantity"].to_list() == [2.0, 2.0, 1.0]
    assert played.result.fills["price"].to_list() == [100.0, 99.0, 98.0]


def test_a_fill_knows_the_best_prices_at_the_venue_then() -> None:
    fills = Played(BOOK + END, {5: lambda own: own.buy(4)}).result.fills
    assert fills["bid"].to_list() == [99.0, 99.0] and fills["ask"].to_list() == [100.0, 100.0]
    assert fills["reference"].to_list() == [100.0, 101.0]


# Which data, and which settings.


def test_symbols_choose_who_plays_and_the_others_move_only_the_clock() -> None:
    text = BOOK + "1 begin@1, snapshot_bid@1 5000 10, snapshot_ask@1 5100 10, end@1\n5 sold@1 5000 1\n" + END
    recording = session(text, "BA")
    both = nt.replay(Witness, recording, sample="10ns")
    assert [bars.symbol for bars in both.bars] == ["A", "B"]
    HEARD.clear()
    lone = nt.replay(Witness, recording, symbols=["A"], sample="10ns")
    assert HEARD[0][2] == ("A",) and lone.origin["symbols"] == ["A"]
    assert {each[2] for each in HEARD if each[1] in ("book", "trade")} == {"A"}
    with pytest.raises(DataError, match=r"no symbol 'C' here \(found: B, A\)"):
        nt.replay(Witness, recording, symbols=["C"])


def test_two_instruments_share_one_account() -> None:
    text = BOOK + "2 begin@1, snapshot_bid@1 5000 10, snapshot_ask@1 5100 10, end@1\n" + END
    script: dict[int, Action] = {
        5: lambda own: (own.buy(1, symbol="A"), own.sell(1, symbol="B")),
        6: lambda own: (own.position("A"), own.position("B"), own.cash, own.share),
    }
    assert Played(text, script, "AB").seen[1] == (1.0, -1.0, 1_000_000 - 100 + 50, 0.5)


def test_equity_is_sampled_at_the_interval_and_at_the_end() -> None:
    played = Played(BOOK + "25 bid 9950 5\n47/52 status\n", {5: lambda own: own.buy(1)}, sample="10ns")
    assert played.result.time_ns.tolist() == [10, 30, 50, 52]
    assert played.result.equity_curve.tolist() == [999_999.0, 999_999.5, 999_999.5, 999_999.5]
    assert np.array_equal(played.result.bars[0].close, [9950, 9975, 9975, 9975])


def test_whole_orders_wait_for_all_that_they_need() -> None:
    text = BOOK + "10 sold 9900 25\n20 sold 9900 30\n" + END
    script = {5: lambda own: own.buy(1, limit=99)}
    assert Played(text, script).told[1:] == ["10: 1 buys 0.5 @ 99 maker", "20: 1 buys 0.5 @ 99 maker"]
    assert Played(text, script, whole=True).told[1:] == ["20: 1 buys 1 @ 99 maker"]


@pytest.mark.parametrize(
    ("queue", "filled"),
    # Of 40 lots that trade, those that then stand before it: none, 20, 20 * 0.6, and 20 less 20 times what 1 - P is.
    [("front", 4.0), ("risk_averse", 2.0), ("power:1", 2.8), ("power_2:1", 2.8), ("log", 2.9), ("log_2", 2.2)],
)
def test_the_model_of_the_queue_decides_what_stands_before_an_order(queue: str, filled: float) -> None:
    # Two are before it and three come behind it; then two of the five leave, nobody knows from where.
    text = BOOK + "10 bid 9900 50\n20 bid 9900 30\n30 sold 9900 40\n" + END
    played = Played(text, {5: lambda own: own.buy(9, limit=99)}, queue=queue)
    assert played.result.fills["quantity"].to_list() == [filled]
    assert played.result.run["queue"] == queue


def test_own_orders_that_meet_are_dealt_with_as_asked() -> None:
    script = {5: lambda own: own.buy(1, limit=99.5), 10: lambda own: own.sell(1, limit=99.5)}
    ends = {rule: Played(BOOK + END, script, self_trade=rule).ends() for rule in ("cancel_newest", "cancel_oldest")}
    assert ends["cancel_newest"] == ["1 working", "2 cancelled self trade"]
    assert ends["cancel_oldest"] == ["1 cancelled self trade", "2 working"]


def test_a_run_says_all_that_decides_it(random_market: Recording) -> None:
    settings = {"latency": "2500us/1ms", "feed": "3ms", "queue": "power:3", "whole": True, "leverage": 2}
    result = nt.replay("avellaneda_stoikov", random_market, **settings, self_trade="off", sample="500ms", cash="5e3")
    shown = {name: value for name, value in result.run.items() if name != "parameters"}
    assert shown == {
        "strategy": "avellaneda_stoikov",
        "cash": "5000",
        "fee": {"maker": "0.0002", "taker": "0.0005", "fixed": "0"},
        "leverage": "2",
        "currency": "USD",
        "latency": "2500us/1ms",
        "feed": "3ms",
        "queue": "power:3",
        "whole": True,
        "self_trade": "off",
        "sample": "500ms",
        "depth": "levels",
        "trades": "trade",
    }
    assert (result.origin["seed"], result.origin["duration"], result.origin["data"]) == (7, "1m", None)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"latency": "5"}, "write a duration with its unit"),
        ({"latency": 5}, "latency '5': write a duration with its unit"),
        ({"queue": None}, "queue None: one of front, risk_averse"),
        ({"whole": "yes"}, "whole 'yes': True or False"),
        ({"latency": "1ms/2ms/3ms"}, "give one, such as 10ms, or two"),
        ({"latency": "2h"}, "at most an hour"),
        ({"latency": "-5ms"}, "write a duration with its unit"),
        ({"latency": "0.5ns"}, "whole nanoseconds"),
        ({"feed": "soon"}, "feed 'soon'"),
        ({"queue": "fifo"}, "queue 'fifo': one of front, risk_averse"),
        ({"queue": "log:2"}, "those of power take one"),
        ({"queue": "power:0"}, "the power is from 1 to 16"),
        ({"queue": "power:17"}, "the power is from 1 to 16"),
        ({"self_trade": "never"}, "self_trade 'never': one of cancel_newest"),
        ({"sample": "0ms"}, "the time between samples of equity is not zero"),
        ({"cash": 0}, "cash 0: a run needs a positive amount"),
        ({"leverage": 0}, "leverage 0: between 0.001 and 1000"),
        ({"fee": "2"}, "a rate is below 1"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_one_line(setting: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        nt.replay("avellaneda_stoikov", session(BOOK + END), **setting)
    assert "\n" not in str(caught.value)


def test_captured_sessions_need_their_venue() -> None:
    with pytest.raises(UsageError, match="a captured session is of a venue"):
        nt.replay("avellaneda_stoikov", "session.ws.gz")


@pytest.mark.parametrize("data", [None, 3, [], [1.5], np.zeros(3), session(BOOK).records], ids=type)
def test_what_is_no_recording_and_no_file_is_one_line(data: Any) -> None:
    with pytest.raises(UsageError, match=r"^a replay plays a Recording, or the files of a session, not "):
        nt.replay("avellaneda_stoikov", data, venue="binance")


def test_a_symbol_that_two_instruments_have_is_refused() -> None:
    with pytest.raises(DataError, match=r"recording: 'A' is two of its instruments"):
        session(BOOK, "AA")


# The same again, and something else.


def test_the_same_run_has_the_same_hash_here_and_in_another_process(random_market: Recording) -> None:
    first = nt.replay("avellaneda_stoikov", random_market)
    assert len(first.fills) > 3
    assert nt.replay("avellaneda_stoikov", random_market).hash == first.hash
    program = (
        "import neural_trader as nt; from neural_trader.market.recordings import synthetic_recording as made; "
        "print(nt.replay('avellaneda_stoikov', made(7, '1m')).hash)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == first.hash


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"gamma": 0.03}},
        {"queue": "log"},
        {"latency": "11ms"},
        {"feed": "1ms"},
        {"sample": "2s"},
        {"cash": 99_999},
        {"whole": True},
        {"currency": "EUR"},
    ],
    ids=str,
)
def test_whatever_decides_a_run_changes_its_hash(random_market: Recording, change: dict[str, Any]) -> None:
    first, second = (nt.replay("avellaneda_stoikov", random_market, **more) for more in ({}, change))
    assert first.hash != second.hash and first.digests["parameters"] != second.digests["parameters"]
    assert first.digests["inputs"] == second.digests["inputs"]


def test_another_market_is_another_input(random_market: Recording) -> None:
    digests = [nt.replay("avellaneda_stoikov", each).digests for each in (random_market, synthetic_recording(8, "1m"))]
    assert digests[0]["inputs"] != digests[1]["inputs"] and digests[0]["parameters"] == digests[1]["parameters"]


def test_progress_ends_within_the_whole(random_market: Recording) -> None:
    shares: list[float] = []

    class Busy(Strategy):
        def on_start(self) -> None:
            self.set_timer(after_ns=10**6)

        def on_timer(self, time_ns: int) -> None:
            self.set_timer(after_ns=10**6)

    nt.replay(Busy, random_market, progress=shares.append)
    assert shares == sorted(shares) and len(shares) > 0 and 0 < shares[0] <= shares[-1] <= 1


# What goes wrong in a strategy.

TEXT = BOOK + "5 sold 9900 1, best_bid 9900 4\n" + END


class Buying(Strategy):
    """Buys in time for all that follows."""

    def on_timer(self, time_ns: int) -> None:
        self.buy(1)


@pytest.mark.parametrize(
    ("hook", "time_ns"),
    [
        ("on_start", 1),
        ("on_book", 1),
        ("on_trade", 5),
        ("on_quote", 5),
        ("on_timer", 20),
        ("on_order", 20),
        ("on_fill", 20),
        ("on_stop", 20),
    ],
)
def test_an_error_in_a_hook_is_one_line_with_place_and_time(hook: str, time_ns: int) -> None:
    def fail(self: Any, *told: Any) -> None:
        raise ValueError(f"in {hook}")

    def start(self: Any) -> None:
        self.set_timer(at_ns=20)

    failing = type("Failing", (Buying,), {"on_start": start, hook: fail})
    with pytest.raises(StrategyRunError) as caught:
        nt.replay(failing, session(TEXT), latency="0ms", sample="10ns")
    line = fail.__code__.co_firstlineno + 1
    assert str(caught.value) == f"Failing.fail at {time_text(time_ns)}, {__file__} line {line}: ValueError: in {hook}"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda own: own.buy(), "a replay takes sizes as quantities, such as buy(2) or target(quantity=2)"),
        (lambda own: own.buy(fraction=0.5), "a replay takes sizes as quantities"),
        (lambda own: own.buy(cash=100), "a replay takes sizes as quantities"),
        (lambda own: own.target(0.5), "a replay takes sizes as quantities"),
        (lambda own: own.buy(1, limit=math.nan), "the price of an order is nan"),
        (lambda own: own.buy(1, stop=math.inf), "the price of an order is inf"),
        (lambda own: own.buy(math.nan), "the quantity of an order is nan"),
        (lambda own: own.buy(1, take_profit=math.nan), "the price of an order is nan"),
        (lambda own: own.buy(1, display=1), "only limit orders can be post-only or display a part"),
        (lambda own: own.buy(1, limit=99, touch=98), "an order that waits to be touched takes no limit"),
        (lambda own: own.buy(1, limit=99, good_till="soon"), "good_till is"),
        (lambda own: own.buy(1, limit=99, good_till=datetime(2024, 1, 1)), "a datetime with a time zone"),  # noqa: DTZ001
        (lambda own: own.buy(1, symbol="X"), "no instrument 'X' in this run; it has A"),
        (lambda own: own.best_bid("X"), "no instrument 'X' in this run; it has A"),
        (lambda own: own.levels(2), "side is 1 to buy or -1 to sell"),
        (lambda own: own.cancel(7), "there is no order 7"),
        (lambda own: own.amend(7, limit=1, quantity=1), "there is no order 7"),
        (lambda own: own.amend(0, limit=1, quantity=1), "there is no order 0"),
        (lambda own: own.set_timer(), "a timer rings at a time or after a time"),
        (lambda own: own.set_timer(at_ns=1, after_ns=1), "a timer rings at a time or after a time"),
        (lambda own: own.buy(1e18), "left the range of exact integers"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_line_with_place_and_time(act: Action, says: str) -> None:
    class Wrong(Strategy):
        def on_trade(self, trade: nt.Tick) -> None:
            act(self)

    with pytest.raises((StrategyRunError, EngineError)) as caught:
        nt.replay(Wrong, session(TEXT), sample="10ns")
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert "at 1970-01-01 00:00:00.000000005, " in str(caught.value)
    assert caught.value.exit_code == 1


def test_what_makes_no_sense_in_the_market_is_rejected_and_told() -> None:
    script: dict[int, Action] = {
        5: lambda own: (own.buy(0), own.buy(0.05), own.buy(1, limit=-1), own.buy(1, limit=99, display=0)),
    }
    played = Played(BOOK + END, script)
    reasons = ["size", "size", "price", "size"]
    assert played.told == [f"5: {at} ended rejected {reason}" for at, reason in enumerate(reasons, 1)]


def test_timers_without_end_are_cut_and_named() -> None:
    class Restless(Strategy):
        def on_start(self) -> None:
            self.set_timer(after_ns=0)

        def on_timer(self, time_ns: int) -> None:
            self.set_timer(after_ns=0)

    with pytest.raises(EngineError, match=r"orders and timers never came to an end at time_ns 1; let time pass"):
        nt.replay(Restless, session(TEXT), sample="10ns")


def test_orders_without_end_are_cut_and_named() -> None:
    class Stubborn(Strategy):
        def on_trade(self, trade: nt.Tick) -> None:
            self.buy(0)

        def on_order(self, order: Order) -> None:
            self.buy(0)

    with pytest.raises(EngineError, match=r"orders and timers never came to an end at time_ns 5; let time pass"):
        nt.replay(Stubborn, session(TEXT), sample="10ns")


def test_a_record_that_cannot_be_is_named_and_not_put_down_to_the_strategy() -> None:
    with pytest.raises(EngineError, match=r"^record 6 of source 0: "):
        Played(BOOK + "5 bid 9900 -3\n" + END, {})


def test_an_empty_recording_makes_an_empty_result() -> None:
    empty = session(BOOK)
    result = nt.replay(Buying, Recording(empty.records[:0], empty.instruments), sample="10ns")
    assert (result.samples, len(result.orders), result.stats["Sharpe Ratio"]) == (0, 0, None)
    assert result.to_dict()["equity"]["total"] == 0


def test_ruin_ends_trading_and_is_warned_of() -> None:
    text = BOOK + "30 bid 9900 0, bid 9800 0, bid 100 50\n" + END
    played = Played(text, {5: lambda own: own.buy(8), 60: lambda own: own.buy(1)}, cash=500, leverage=10)
    assert played.result.warnings[0].startswith("The account was ruined")
    assert played.ends()[-1] == "2 rejected halted"
