"""What takes leave on the price: the rule by hand, and both engines alike on random sessions."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.baseline.records import BUY, SELL, Account
from neural_trader.errors import ConfigError, EngineError
from neural_trader.market.recordings import synthetic_recording
from replay.outcome import first_difference, outcome_of
from replay.random_orders import make_orders_session
from replay.random_sessions import Session, make_session, play_session
from replay.scenario import ENGINES, Engines, engines_named, limit, market, order, play, records_of
from replay.scripted import BOOK as SCRIPT_BOOK
from replay.scripted import END, Played

BOOK = "1 bid 9990 10, ask 10000 10, ask 10010 30"
FLAT = "1 bid 10000 1000000, ask 10000 1000000"
PERCENT = 10_000_000
HALF_LIFE = 100


@pytest.fixture(name="engines", params=ENGINES)
def _engines(request: pytest.FixtureRequest) -> Engines:
    return engines_named(request.param)


def prices(run: Any) -> list[tuple[int, int]]:
    return [(fill.price, fill.reference) for fill in records_of(run.engine, "fills")]


# By hand: 1 % of 10000 ticks for all of the depth of 40 lots is 100 ticks.


def test_a_take_makes_the_next_one_of_its_side_worse_and_half_of_that_is_gone_after_each_half_life(
    engines: Engines,
) -> None:
    at = (100, 101, 200, 150)
    found = {}
    for later in at:
        actions = {100: market(BUY, 4), later: [market(BUY, 4), market(BUY, 1)] if later == 100 else market(BUY, 4)}
        if later == 100:
            actions = {100: [market(BUY, 4), market(BUY, 4)]}
        run = play(engines, f"{BOOK}\n900 status", actions, impact=(PERCENT, HALF_LIFE))
        found[later] = prices(run)
    # 4 of 40 lots leave 10 ticks; of what is left in parts the next whole tick is paid.
    assert found[100] == [(10_000, 10_000), (10_010, 10_000)]
    assert found[101] == [(10_000, 10_000), (10_010, 10_000)]
    assert found[150] == [(10_000, 10_000), (10_008, 10_000)]
    assert found[200] == [(10_000, 10_000), (10_005, 10_000)]


def test_within_a_half_life_what_was_added_decays_as_if_it_had_begun_with_it(engines: Engines) -> None:
    run = play(engines, f"{BOOK}\n900 status", {150: market(BUY, 4), 200: market(BUY, 1)}, impact=(PERCENT, HALF_LIFE))
    # 10 ticks at half of the half-life are 13.334 at its beginning and 6.667 at its end.
    assert prices(run) == [(10_000, 10_000), (10_007, 10_000)]


def test_one_order_pays_for_its_own_depth_by_walking_down_the_book_only(engines: Engines) -> None:
    run = play(engines, f"{BOOK}\n900 status", {100: market(BUY, 20)}, impact=(PERCENT, HALF_LIFE))
    assert prices(run) == [(10_000, 10_000), (10_010, 10_010)]


def test_the_other_side_and_orders_at_rest_are_as_without(engines: Engines) -> None:
    actions = {100: [market(BUY, 4), market(SELL, 4), limit(SELL, 10_020, 5)]}
    run = play(engines, f"{BOOK}\n200 bought 10020 99\n900 status", actions, impact=(PERCENT, HALF_LIFE))
    assert prices(run) == [(10_000, 10_000), (9_990, 9_990), (10_020, 10_020)]


def test_a_limit_is_never_overstepped_and_no_price_is_below_one_tick(engines: Engines) -> None:
    actions = {
        100: [market(BUY, 5), limit(BUY, 10_004, 2), order(BUY, "stop_limit", 1, stop=9_000, limit=10_003)],
        101: [market(SELL, 10)],
    }
    run = play(engines, f"{BOOK}\n900 status", actions, impact=(PERCENT, HALF_LIFE))
    assert prices(run) == [(10_000, 10_000), (10_004, 10_000), (10_003, 10_000), (9_990, 9_990)]
    low = play(engines, "1 bid 2 10\n900 status", {100: [market(SELL, 5), market(SELL, 5)]}, impact=(10**9, HALF_LIFE))
    assert prices(low) == [(2, 2), (1, 2)]


def test_what_is_paid_beyond_the_book_is_slippage_and_postings_balance(engines: Engines) -> None:
    run = play(engines, f"{BOOK}\n900 status", {100: [market(BUY, 4), market(BUY, 2)]}, impact=(PERCENT, HALF_LIFE))
    unit = 10**18
    assert [fill.slippage for fill in records_of(run.engine, "fills")] == [0, 10 * 2 * unit]
    postings = [p for p in records_of(run.engine, "postings") if p.transaction == 2]
    assert sum(p.amount for p in postings if p.unit == 0) == 0
    assert [p.amount for p in postings if p.account == Account.SLIPPAGE] == [20 * unit]
    assert [p.amount for p in postings if p.account == Account.CASH] == [-2 * 10_010 * unit]


def test_what_cannot_be_counted_is_an_error(engines: Engines) -> None:
    most = 2**53 - 1
    text = f"1 ask {most} 10\n150 ask {most} 20\n900 status"
    settings: dict[str, Any] = {"cash": 10**37, "leverage_ppb": 10**18, "impact": (10**9, 10**6)}
    play(engines, text, {100: market(BUY, 10)}, **settings)
    with pytest.raises(EngineError, match="impact"):
        play(engines, text, {100: market(BUY, 10), 200: market(BUY, 10)}, **settings)


@pytest.mark.parametrize("impact", [(-1, 1), (10**9 + 1, 1), (1, 0)])
def test_nonsense_is_refused(engines: Engines, impact: tuple[int, int]) -> None:
    with pytest.raises(EngineError, match="impact"):
        play(engines, BOOK, {}, impact=impact)


# Laws.


def with_impact(session: Session) -> Session:
    random = Random(session.seed)
    span = max(1, session.end_ns - session.start_ns)
    impact = (random.choice((1, 1_000_000, 100_000_000, 10**9)), random.choice((1, 7, span // 20 + 1, span)))
    return replace(session, config=session.config | {"impact": impact})


@pytest.mark.parametrize("make", [make_session, make_orders_session])
def test_both_engines_play_random_sessions_with_impact_alike(make: Any) -> None:
    rust, slipped = engines_named("rust"), 0
    for seed in range(40):
        session = with_impact(make(seed))
        plain = outcome_of(Engines("baseline"), session)
        difference = first_difference(session, plain, outcome_of(rust, session))
        assert difference is None, difference
        slipped += sum(row[7] > 0 for row in plain.fills)
    assert slipped > 40


def test_a_rate_of_nothing_is_the_run_without(engines: Engines) -> None:
    for seed in range(20):
        session = make_session(seed)
        none = replace(session, config=session.config | {"impact": (0, 1)})
        assert first_difference(session, outcome_of(engines, session), outcome_of(engines, none)) is None


def test_a_take_is_never_better_than_the_book_nor_a_maker_other_than_at_its_price(engines: Engines) -> None:
    takes = 0
    for seed in range(40):
        engine, program = play_session(engines, with_impact(make_session(seed)))
        if program.seen[-1:] == [("error",)]:
            continue
        for fill in records_of(engine, "fills"):
            assert fill.side * (fill.price - fill.reference) >= 0
            assert not fill.maker or fill.price == fill.reference
            takes += fill.price != fill.reference
    assert takes > 50


def test_the_same_takes_cost_at_least_what_they_cost_without_and_the_book_is_the_same(engines: Engines) -> None:
    """Orders that react to nothing, on ample money: only what is paid differs."""
    for seed in range(20):
        random = Random(seed)
        actions = {time: market(random.choice((BUY, SELL)), random.randint(1, 9)) for time in range(10, 800, 40)}
        runs = [
            play(engines, f"{BOOK}, bid 9980 500, ask 10020 500\n900 status", actions, leverage_ppb=10**12, **more)
            for more in ({}, {"impact": (PERCENT, 130)})
        ]
        without, with_ = (records_of(run.engine, "fills") for run in runs)
        assert [(f.order, f.quantity, f.reference) for f in with_] == [(f.order, f.quantity, f.price) for f in without]
        assert all(f.side * (f.price - g.price) >= 0 for f, g in zip(with_, without, strict=True))


def test_a_round_trip_by_takes_alone_never_earns_from_its_own_impact(engines: Engines) -> None:
    """On a flat book, bid and ask at one price: whatever is bought and sold again, and whenever, nothing is won."""
    lost = 0
    for seed in range(60):
        random = Random(seed)
        sides = [random.choice((BUY, SELL)) for _ in range(random.randint(1, 8))]
        sizes = [random.randint(1, 20_000) for _ in sides]
        rest = sum(side * size for side, size in zip(sides, sizes, strict=True))
        plan = [(side, size) for side, size in zip(sides, sizes, strict=True)]
        plan += [(SELL if rest > 0 else BUY, abs(rest))] * (rest != 0)
        times = sorted(random.sample(range(2, 800), len(plan)))
        actions = {time: market(side, size) for time, (side, size) in zip(times, plan, strict=True)}
        run = play(
            engines,
            f"{FLAT}\n900 status",
            actions,
            leverage_ppb=10**12,
            impact=(random.choice((PERCENT, 50 * PERCENT)), random.choice((1, 50, 5_000))),
        )
        gained = -sum(fill.side * fill.quantity * fill.price for fill in records_of(run.engine, "fills"))
        assert sum(fill.side * fill.quantity for fill in records_of(run.engine, "fills")) == 0 and gained <= 0
        lost += gained < 0
    assert lost > 30


def test_resilience_is_the_sooner_the_cheaper(engines: Engines) -> None:
    """What the second take pays falls with the time since the first, and grows with the half-life."""
    paid = {}
    for later, half_life in product(range(110, 800, 30), (50, 100, 400)):
        actions = {100: market(BUY, 8), later: market(BUY, 1)}
        run = play(engines, f"{BOOK}\n900 status", actions, impact=(PERCENT, half_life))
        paid[half_life, later] = prices(run)[-1][0]
    for half_life in (50, 100, 400):
        series = [paid[half_life, later] for later in range(110, 800, 30)]
        assert series == sorted(series, reverse=True) and series[0] > series[-1] >= 10_000
    assert all(paid[50, later] <= paid[400, later] for later in range(110, 800, 30))


# As users ask for it.


def test_a_replay_names_its_impact_only_where_it_has_one() -> None:
    script = {20: lambda strategy: [strategy.buy(0.5), strategy.buy(0.5)]}
    plain, moved = (Played(SCRIPT_BOOK + END, script, **more).result for more in ({}, {"impact": "100bps/1s"}))
    assert "impact" not in plain.run and moved.run["impact"] == "100bps/1s"
    assert plain.hash != moved.hash
    # 0.5 of 8 displayed: a sixteenth of 1 % of 100.00, in ticks of 0.01.
    assert plain.fills["price"].to_list() == [100.0, 100.0] and moved.fills["price"].to_list() == [100.0, 100.07]
    assert moved.fills["reference"].to_list() == [100.0, 100.0]
    assert moved.fills["slippage"].to_list() == pytest.approx([0, 0.035])


@pytest.mark.parametrize("impact", ["2bps", "2bps/0s", "0/1s", "-1bps/1s", "200%/1s", "fast"])
def test_an_impact_that_makes_no_sense_is_told_in_one_line(impact: str) -> None:
    with pytest.raises(ConfigError, match="impact") as told:
        nt.replay("imbalance_taker", synthetic_recording(7, duration="1m"), impact=impact)
    assert "\n" not in str(told.value)
