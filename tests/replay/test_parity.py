"""Both engines play random sessions alike: what is told when, orders, fills, postings, samples, trades, digests."""

from __future__ import annotations

from collections import Counter

import pytest

from neural_trader.baseline.records import Kind, Reason, State, TimeInForce
from replay.outcome import first_difference, outcome_of
from replay.random_orders import make_orders_session
from replay.random_sessions import joined, make_session, spoiled
from replay.scenario import Engines, engines_named

SESSIONS = 40
PER_TEST = 10


@pytest.mark.parametrize("first", range(0, SESSIONS, PER_TEST))
def test_random_sessions_are_played_alike(first: int) -> None:
    rust = engines_named("rust")
    for seed in range(first, first + PER_TEST):
        session = make_session(seed)
        difference = first_difference(session, outcome_of(Engines("baseline"), session), outcome_of(rust, session))
        assert difference is None, difference


@pytest.mark.parametrize("first", range(0, SESSIONS, PER_TEST))
def test_random_sessions_of_single_orders_are_played_alike(first: int) -> None:
    rust = engines_named("rust")
    for seed in range(first, first + PER_TEST):
        session = make_orders_session(seed)
        difference = first_difference(session, outcome_of(Engines("baseline"), session), outcome_of(rust, session))
        assert difference is None, difference


def test_random_sessions_of_several_venues_are_played_alike() -> None:
    rust = engines_named("rust")
    for seed in range(SESSIONS // 2):
        other = make_orders_session(seed + 10**6) if seed % 2 else make_session(seed + 10**6)
        session = joined(make_session(seed), other)
        difference = first_difference(session, outcome_of(Engines("baseline"), session), outcome_of(rust, session))
        assert difference is None, difference


def test_nonsense_in_records_of_orders_is_played_or_refused_alike() -> None:
    rust, refused = engines_named("rust"), 0
    for seed in range(40):
        session = spoiled(make_orders_session(seed, records=40))
        plain = outcome_of(Engines("baseline"), session)
        difference = first_difference(session, plain, outcome_of(rust, session))
        assert difference is None, difference
        refused += plain.seen[-1:] == [("error",)]
    assert 0 < refused < 40


def test_nonsense_in_the_records_is_played_or_refused_alike() -> None:
    rust, refused = engines_named("rust"), 0
    for seed in range(60):
        session = spoiled(make_session(seed, records=60))
        plain = outcome_of(Engines("baseline"), session)
        difference = first_difference(session, plain, outcome_of(rust, session))
        assert difference is None, difference
        refused += plain.seen[-1:] == [("error",)]
    assert 0 < refused < 30


def test_random_sessions_go_everywhere() -> None:
    """A comparison of runs in which nothing happens would prove nothing."""
    seen: Counter[object] = Counter()
    for seed in range(SESSIONS):
        session = make_session(seed)
        outcome = outcome_of(Engines("baseline"), session)
        seen.update(row[0] for row in outcome.seen)
        seen.update(
            ("by", outcome.orders[row[0] - 1][4], "maker" if row[8] else "taker") for row in outcome.fills if row[0]
        )
        for row in outcome.orders:
            seen.update([State(row[14]), ("because", Reason(row[15])), TimeInForce(row[5])])
            seen.update(
                ("has", name) for name, has in zip(("post", "reduce", "display"), row[17:20], strict=True) if has
            )
    expected: set[object] = {
        "record",
        "timer",
        "accepted",
        "ended",
        "fill",
        "refused",
        "amended",
        "triggered",
        "submit",
    }
    expected |= {*State, *TimeInForce, ("has", "post"), ("has", "reduce"), ("has", "display")}
    expected |= {("by", kind, "taker") for kind in Kind}
    expected |= {("by", kind, "maker") for kind in (Kind.LIMIT, Kind.STOP_LIMIT)}
    never = (Reason.REPLACED, Reason.HALTED, Reason.LIQUIDATION)
    expected |= {("because", reason) for reason in Reason if reason not in never}
    assert not expected - set(seen), expected - set(seen)
