"""Venues by bars: their points by hand, orders that meet them, and both engines and derivations alike (section 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from neural_trader.baseline.records import BUY, SELL
from neural_trader.baseline.replay.bar_points import BAR_RULES, joined_events
from neural_trader.baseline.replay.bar_points import bar_records as plain_bar_records
from neural_trader.baseline.replay.events import EventKind, events_of
from neural_trader.baseline.replay.sources import ROLES, Source
from neural_trader.market.bar_points import BarRule, bar_records, joined_records
from neural_trader.market.events import EVENT
from replay.outcome import first_difference, outcome_of
from replay.random_bars import make_bars_session, play_bars_session
from replay.random_sessions import Session, joined, make_session
from replay.scenario import ONE, Engines, Scripted, engines_named, limit, market, order, records_of, tape

TAPE = """
12 bought 100 1, sold 99 2
15 bought 104 1
19 sold 101 3
31 sold 97 1
33 bought 98 1
45 bid 90 5
"""
"""Bars of 10: 10 to 20 is 100, 104, 99, 101; 30 to 40 is 97, 98, 97, 98; the recording ends at 45."""


def points(text: str, rule: Any, interval_ns: int = 10) -> list[str]:
    """Time and price of each point, with a star where the venue listens."""
    shown = bar_records(tape(text), interval_ns, rule).reshape(-1, 3)
    return [f"{row['ts_event_ns']} {row['price']}{'*' if row['flags'] & 4 else ''}" for row in shown[:, 2]]


def test_points_of_bars_by_hand() -> None:
    assert points(TAPE, "close") == ["20 101*", "40 98*"]
    assert points(TAPE, "open") == ["12 100*", "31 97*"]
    assert points(TAPE, "path") == ["12 100*", "20 99", "20 104", "20 101", "31 97*", "40 98"]


def test_the_last_bar_ends_with_the_recording() -> None:
    assert points("12 bought 100 1\n14 bought 101 1\n17 bid 90 1", "close") == ["17 101*"]


def test_of_two_extremes_equally_near_the_lowest_comes_first() -> None:
    assert points("10 sold 10 1\n11 sold 12 1\n12 sold 8 1\n13 sold 11 1\n29 status", "path")[1:] == [
        "20 8",
        "20 12",
        "20 11",
    ]


def test_quotes_come_so_that_the_market_is_never_crossed_but_in_between() -> None:
    shown = bar_records(tape(TAPE), 10, "close")
    assert [int(flags) & 3 for flags in shown["flags"]] == [2, 1, 0, 1, 2, 0], "a rise begins with the ask"


def by_bars(engines: Engines, text: str, rule: BarRule, actions: dict[int, Any], **config: Any) -> Any:
    records = tape(text)
    replay = engines.replay(
        [("A", ONE, ONE)],
        [(records, [0]), (bar_records(records, 10, rule), [0])],
        cash=10**27,
        depth="quotes",
        view="levels",
        roles=("here", "venue"),
        by_bars=True,
        **config,
    )
    for time in actions:
        replay.timer(time)
    replay.run(Scripted(actions))
    return replay


def fills(replay: Any) -> list[tuple[int, int, int, int]]:
    return [(fill.time_ns, fill.order, fill.side * fill.quantity, fill.price) for fill in records_of(replay, "fills")]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("close", [(20, 1, 5, 101), (40, 2, -2, 98)]),
        ("open", [(31, 1, 5, 97)]),
        ("path", [(31, 1, 5, 97)]),
    ],
)
def test_market_orders_meet_the_next_point_at_which_the_venue_listens(
    engines: Engines, rule: BarRule, expected: list[Any]
) -> None:
    replay = by_bars(engines, TAPE, rule, {14: market(BUY, 5), 35: market(SELL, 2)})
    assert fills(replay) == expected


def test_an_order_at_the_time_of_a_point_waits_for_the_next_one(engines: Engines) -> None:
    assert fills(by_bars(engines, TAPE, "close", {20: market(BUY, 1)})) == [(40, 1, 1, 98)]
    assert fills(by_bars(engines, TAPE, "open", {12: market(BUY, 1)})) == [(31, 1, 1, 97)]


def test_limits_fill_where_the_path_touches_them_and_at_the_price_where_it_is_better(engines: Engines) -> None:
    text = "1 bought 100 1\n" + TAPE
    actions = {2: [limit(BUY, 99, 4), limit(SELL, 104, 3), limit(BUY, 103, 1, post_only=True), limit(BUY, 90, 1)]}
    assert fills(by_bars(engines, text, "path", actions)) == [(12, 3, 1, 100), (20, 1, 4, 99), (20, 2, -3, 104)]
    # At closes alone nobody knows of 99 or 104.
    assert fills(by_bars(engines, text, "close", {2: [limit(BUY, 99, 4), limit(SELL, 104, 3)]})) == [(40, 1, 4, 99)]


def test_stops_fill_at_the_point_that_reaches_them(engines: Engines) -> None:
    text = "1 bought 100 1\n" + TAPE
    actions = {2: [order(BUY, "stop", 1, stop=103), order(SELL, "trailing_stop", 2, trail_ticks=5)]}
    # The water of the trailing stop rises to 104, so 97 is reached by it: at the opening of the next bar.
    assert fills(by_bars(engines, text, "path", actions)) == [(20, 1, 1, 104), (31, 2, -2, 97)]


def test_cancellations_wait_as_orders_do(engines: Engines) -> None:
    text = "1 bought 100 1\n" + TAPE
    actions = {2: limit(BUY, 99, 4), 14: lambda replay: replay.cancel(1)}
    assert fills(by_bars(engines, text, "path", actions)) == [(20, 1, 4, 99)], "it came too late for this bar"


def test_what_is_for_venues_alone_is_not_known_here(engines: Engines) -> None:
    looks: list[Any] = []

    def look(replay: Any) -> None:
        looks.append((replay.best(0, BUY), replay.best(0, SELL)))

    by_bars(engines, TAPE, "close", {21: look, 45: look})
    assert looks == [(None, None), ((90, 5), None)]


def test_records_for_here_alone_meet_no_order(engines: Engines) -> None:
    records = tape("1 bid 99 5, ask 101 5\n9 sold 98 50\n20 status")
    replay = engines.replay([("A", ONE, ONE)], [(records, [0])], cash=10**27, roles=["here"])
    replay.timer(2)
    replay.run(Scripted({2: [limit(BUY, 100, 3), market(BUY, 1)]}))
    assert fills(replay) == [] and replay.best(0, SELL) == (101, 5)


def with_bars(session: Session, derive: Any) -> Session:
    """A session played by bars of its own trades, every source here alone and its bars at the venue alone."""
    rule = BAR_RULES[session.seed % 3]
    interval_ns = session.config["sample_ns"] * (1 + session.seed % 5)
    bars = [(derive(r, interval_ns, rule, session.config["trades"]), ranks) for r, ranks in session.sources]
    config = session.config | {
        "depth": "quotes",
        "view": session.config["depth"],
        "by_bars": True,
        "roles": ["here"] * len(bars) + ["venue"] * len(bars),
    }
    return replace(session, sources=session.sources + bars, config=config)


def plainly(records: Any, interval_ns: int, rule: Any, trades: str) -> Any:
    source = Source(0, records, [0], 1, None)
    found = plain_bar_records(source.events, source.venue_ns, interval_ns, rule, EventKind[trades.upper()])
    return np.array([tuple(event) for event in found], dtype=EVENT)


def test_bars_are_derived_alike() -> None:
    assert get_args(BarRule) == BAR_RULES
    shown = 0
    for seed in range(60):
        session = make_session(seed)
        for records, _ in session.sources:
            for rule in get_args(BarRule):
                interval_ns = session.config["sample_ns"]
                found = bar_records(records, interval_ns, rule, session.config["trades"])
                plain = plainly(records, interval_ns, rule, session.config["trades"])
                assert events_of(found) == events_of(plain), f"seed {seed}, {rule}"
                shown += len(found)
    assert shown > 1_000


def test_bars_of_several_sources_are_derived_alike() -> None:
    shown = 0
    for seed in range(40):
        one, other = make_session(seed), make_session(seed + 500)
        session = joined(one, other)
        words, count = session.config["trades"], len(session.instruments)
        interval_ns, rule = one.config["sample_ns"], BAR_RULES[seed % 3]
        found = bar_records(joined_records(session.sources), interval_ns, rule, words)
        sources = [Source(n, *source, count, None) for n, source in enumerate(session.sources)]
        kinds = [EventKind[word.upper()] for word in words]
        plain = plain_bar_records(*joined_events(sources), interval_ns, rule, kinds)
        assert [tuple(event) for event in events_of(found)] == [tuple(event) for event in plain], f"seed {seed}"
        shown += len(found)
    assert shown > 1_000


def test_sessions_by_bars_are_played_alike() -> None:
    rust, fills_seen = engines_named("rust"), 0
    for seed in range(40):
        session = with_bars(make_session(seed), bar_records)
        plain = outcome_of(Engines("baseline"), session)
        difference = first_difference(session, plain, outcome_of(rust, session))
        assert difference is None, difference
        fills_seen += len(plain.fills)
    assert fills_seen > 40


def test_instruments_of_bars_stand_beside_venues_by_bars() -> None:
    rust, fills_seen = engines_named("rust"), 0
    for seed in range(20):
        step_ns = make_session(seed).config["sample_ns"]
        session = with_bars(make_bars_session(seed, sample_ns=step_ns), bar_records)
        plain = outcome_of(Engines("baseline"), session, play_bars_session)
        difference = first_difference(session, plain, outcome_of(rust, session, play_bars_session))
        assert difference is None, difference
        fills_seen += len(plain.fills)
    assert fills_seen > 40


def test_sessions_with_roles_are_played_alike() -> None:
    rust = engines_named("rust")
    for seed in range(40):
        session = make_session(seed)
        roles = [ROLES[(seed + 2 * at) % 3] for at in range(len(session.sources))]
        views = (None, "levels", "quotes", "orders") if session.config["depth"] == "orders" else (None, "quotes")
        session = replace(session, config=session.config | {"roles": roles, "view": views[seed % len(views)]})
        difference = first_difference(session, outcome_of(Engines("baseline"), session), outcome_of(rust, session))
        assert difference is None, difference
