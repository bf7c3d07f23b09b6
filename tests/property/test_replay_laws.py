"""Laws that every replay obeys, told from outside: conservation (1-4), causality (5-7) and prices (17-20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from neural_trader.baseline.ladder import Ladder
from neural_trader.baseline.records import BUY, SELL, Account, Kind, State
from neural_trader.market.events import KIND
from replay.random_sessions import BILLION, Program, Session, make_session, play_session
from replay.scenario import (
    ENGINES,
    MONEY,
    ONE,
    Engines,
    Scripted,
    engines_named,
    limit,
    market,
    records_of,
    samples_of,
    tape,
)

FAST = 10
"""How many sessions the Rust engine plays where the plain one plays one."""


@pytest.fixture(name="engines", params=ENGINES)
def _engines(request: pytest.FixtureRequest) -> Engines:
    return engines_named(request.param)


def sessions(engines: Engines, count: int = 12, **config: Any) -> Iterator[Session]:
    for seed in range(count if engines.name == "baseline" else count * FAST):
        yield make_session(seed, **config)


def played(engines: Engines, count: int = 12, **config: Any) -> Iterator[tuple[Session, Any, Program]]:
    """Sessions that were played to their end."""
    for session in sessions(engines, count, **config):
        engine, program = play_session(engines, session)
        if program.seen[-1:] != [("error",)]:
            yield session, engine, program


# Conservation.


def test_law_1_all_our_orders_together_fill_no_more_than_what_traded(engines: Engines) -> None:
    """On tapes of trades alone: whatever fills at one time is a part of the trade of that time."""
    shared = 0
    for seed in range(40):
        random = Random(seed)
        trades = {time: random.randint(1, 9) for time in range(10, 200, 10)}
        text = "\n".join(f"{time} sold {random.randint(95, 100)} {size}" for time, size in trades.items())
        actions = {
            time + 1: limit(BUY, random.randint(95, 103), random.randint(1, 5), display=random.choice((None, 2)))
            for time in range(0, 190, 5)
        }
        filled: dict[int, list[int]] = defaultdict(list)
        for fill in records_of(_scripted(engines, text, actions, whole=seed % 4 == 0), "fills"):
            filled[fill.time_ns].append(fill.quantity)
        assert all(sum(quantities) <= trades[time] for time, quantities in filled.items())
        shared += sum(len(quantities) > 1 for quantities in filled.values())
    assert shared > 50


def test_law_1_all_our_takers_together_take_no_more_than_what_was_displayed(engines: Engines) -> None:
    for seed in range(40):
        random = Random(seed)
        levels = {price: random.randint(1, 9) for price in range(100, 110)}
        text = "\n".join(f"{price - 99} ask {price} {size}" for price, size in levels.items()) + "\n500 status"
        actions = {
            time: random.choice((market(BUY, 4), limit(BUY, random.randint(98, 108), 5))) for time in range(1, 60)
        }
        taken: dict[int, int] = defaultdict(int)
        for fill in records_of(_scripted(engines, text, actions), "fills"):
            # A level that comes to one of our bids fills it at the bid, so makers are counted with the level itself.
            assert not fill.maker or fill.price >= 98
            taken[fill.price if not fill.maker else 99 + fill.time_ns] += fill.quantity
        assert taken and all(quantity <= levels[price] for price, quantity in taken.items())


def _scripted(engines: Engines, text: str, actions: dict[int, Any], **config: Any) -> Any:
    replay = engines.replay([("A", ONE, ONE)], [(tape(text), [0])], cash=10**9 * MONEY, **config)
    for time in actions:
        replay.timer(time)
    replay.run(Scripted(actions))
    return replay


def test_law_2_every_transaction_sums_to_zero_and_accounts_to_what_fills_say(engines: Engines) -> None:
    for session, engine, _ in played(engines):
        sums: dict[tuple[int, int], int] = defaultdict(int)
        balances: dict[tuple[int, int, int], int] = defaultdict(int)
        for posting in records_of(engine, "postings"):
            sums[posting.transaction, posting.unit] += posting.amount
            balances[posting.account, posting.instrument, posting.unit] += posting.amount
        assert set(sums.values()) == {0}
        cash = session.config["cash"]
        positions: dict[int, int] = defaultdict(int)
        for fill in records_of(engine, "fills"):
            _, tick, lot = session.instruments[fill.instrument]
            unit = tick.mantissa * lot.mantissa * 10 ** (18 - tick.decimals - lot.decimals)
            cash -= fill.side * fill.quantity * fill.price * unit + fill.fee
            positions[fill.instrument + 1] += fill.side * fill.quantity
        assert balances[Account.CASH, 0, 0] == cash
        assert all(balances[Account.POSITION, index, index] == held for index, held in positions.items())


def test_law_2_profits_of_trades_are_what_equity_gained(engines: Engines) -> None:
    for session, engine, _ in played(engines):
        time_ns, equity = samples_of(engine)[-1]
        if all(fill.time_ns < time_ns for fill in records_of(engine, "fills")):
            assert sum(trade.pnl for trade in records_of(engine, "trades")) == equity - session.config["cash"]


def test_law_2_what_is_known_at_the_end_is_what_the_fills_told_of_made(engines: Engines) -> None:
    for session, engine, program in played(engines):
        fills = records_of(engine, "fills")
        told = [fills[at] for at in engine.known_fills]
        assert len(told) == sum(row[0] == "fill" for row in program.seen)
        for index in range(len(session.instruments)):
            held = sum(fill.side * fill.quantity for fill in told if fill.instrument == index)
            assert engine.position(index) == held


def test_law_3_filled_and_leaves_and_cancelled_make_what_was_ordered(engines: Engines) -> None:
    for _, engine, _ in played(engines):
        filled: dict[int, int] = defaultdict(int)
        for fill in records_of(engine, "fills"):
            filled[fill.order] += fill.quantity
        for order in records_of(engine, "orders"):
            leaves = order.quantity - order.filled - order.cancelled
            assert order.filled == filled[order.id]
            assert leaves > 0 if order.state in (State.WORKING, State.SENT) else leaves == 0


def test_law_4_an_order_is_accepted_once_then_fills_and_ends_once(engines: Engines) -> None:
    for _, engine, program in played(engines):
        orders, fills = records_of(engine, "orders"), records_of(engine, "fills")
        lives: dict[int, list[str]] = defaultdict(list)
        for what, number, *_ in (row for row in program.seen if row[0] in ("accepted", "triggered", "fill", "ended")):
            order_id = fills[engine.known_fills[number]].order if what == "fill" else engine.known_orders[number - 1]
            if order_id:
                lives[order_id].append(what)
        for order_id, life in lives.items():
            state = orders[order_id - 1].state
            assert life.count("accepted") <= 1 and life.count("triggered") <= 1 and life.count("ended") <= 1
            if "fill" in life or "triggered" in life:
                assert life[0] == "accepted"
            if "ended" in life:
                assert life[-1] == "ended" and state in (State.CANCELLED, State.EXPIRED, State.REJECTED)
            if state == State.REJECTED:
                assert life == ["ended"]


# Causality.


def test_law_5_nothing_happens_before_its_command_arrived_or_is_known_before_its_answer(engines: Engines) -> None:
    for session, engine, program in played(engines, latency_rows=None, entry_ns=1234, response_ns=77):
        orders, fills = records_of(engine, "orders"), records_of(engine, "fills")
        for order in orders:
            if order.accept_ns is not None and not order.parent:
                assert order.accept_ns >= order.submit_ns + 1234
        for fill in fills:
            if fill.order:
                accepted_ns = orders[fill.order - 1].accept_ns
                assert accepted_ns is not None and accepted_ns <= fill.time_ns
        for row in program.seen:
            if row[0] == "fill":
                assert row[2] >= fills[engine.known_fills[row[1]]].time_ns + 77
        assert session.config["entry_ns"] == 1234


def test_law_6_records_after_a_time_change_nothing_at_or_before_it(engines: Engines) -> None:
    changed = 0
    for session in sessions(engines):
        times = sorted(int(time) for records, _ in session.sources for time in records["ts_event_ns"] if time)
        if not times:
            continue
        until_ns = times[len(times) // 2]
        other = replace(
            session, sources=[(_poisoned(r, until_ns, session.seed), ranks) for r, ranks in session.sources]
        )
        first, second = _known_at(engines, session, until_ns), _known_at(engines, other, until_ns)
        assert first == second
        changed += len(first["seen"])
    assert changed > 100


def test_law_6_nothing_that_is_still_on_its_way_changes_what_is_known_or_numbered_here(engines: Engines) -> None:
    """What happens at the venue less than the way back before a time is no news then, not even by a gap."""
    changed = exits = 0
    way_ns = 2_000
    for session in sessions(engines, 40, feed_ns=way_ns, entry_ns=0, response_ns=way_ns, latency_rows=None):
        times = sorted(int(time) for records, _ in session.sources for time in records["ts_event_ns"] if time)
        if not times:
            continue
        until_ns = times[len(times) // 2] + way_ns
        other = replace(
            session, sources=[(_poisoned(r, until_ns - way_ns, session.seed), ranks) for r, ranks in session.sources]
        )
        engine, program = play_session(engines, session, is_judge=False)
        _, poisoned = play_session(engines, other, is_judge=False)
        first, second = (_up_to(each.seen, until_ns - 1) for each in (program, poisoned))
        assert first == second, session.seed
        changed += len(first)
        exits += any(order.parent for order in records_of(engine, "orders"))
    assert changed > 300 and exits > 5


def _up_to(seen: list[tuple[Any, ...]], until_ns: int) -> list[tuple[Any, ...]]:
    """All that was told up to a time, and what was done about it."""
    after = (at for at, row in enumerate(seen) if row[0] not in ("submit", "error") and _time_of(row) > until_ns)
    return seen[: next(after, len(seen))]


def _poisoned(records: Any, until_ns: int, seed: int) -> Any:
    """The same records up to a time at their venue; of later ones only the times stay."""
    random, changed, now_ns = Random(seed), records.copy(), 0
    for row in changed:
        now_ns = max(now_ns, int(row["ts_event_ns"]))
        if now_ns > until_ns:
            row["price"] = max(1, int(row["price"]) + random.randint(-3, 3))
            row["quantity"] = random.randint(1, 50)
            row["kind"] = random.choice([row["kind"], KIND["level"], KIND["trade"], KIND["resync"]])
            row["flags"] = random.choice((1, 2))
    return changed


def _known_at(engines: Engines, session: Session, until_ns: int) -> dict[str, Any]:
    engine, program = play_session(engines, session)
    last = max((at for at, row in enumerate(program.seen) if _time_of(row) <= until_ns), default=-1)
    return {
        "seen": program.seen[: last + 1],
        "fills": [fill for fill in records_of(engine, "fills") if fill.time_ns <= until_ns],
        "samples": [sample for sample in samples_of(engine) if sample[0] <= until_ns],
    }


def _time_of(row: tuple[Any, ...]) -> int:
    """When the strategy was told; what it did about it has no time of its own."""
    if row[0] in ("submit", "error"):
        return 2**63
    return int(row[3] if row[0] == "record" else row[2])


def test_law_7_our_view_is_the_book_of_the_records_that_have_arrived(engines: Engines) -> None:
    looked = 0
    for session in sessions(engines, depth="levels"):
        view = View(session)
        engine = engines.replay(session.instruments, session.sources, **session.config)
        engine.run(view, tuple(KIND))
        looked += view.looked
    assert looked > 1_000


class View:
    """Builds every book from what it is told of alone, and compares."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._books = [Ladder() for _ in session.instruments]
        self._known = [True for _ in session.instruments]
        self.looked = 0

    def on_record(self, replay: Any, source: int, index: int) -> None:
        records, ranks = self._session.sources[source]
        record = records[index]
        rank, kind = ranks[record["instrument"]], int(record["kind"])
        if kind in (KIND["resync"], KIND["snapshot_begin"]):
            self._books[rank].clear()
            self._known[rank] = False
        if kind in (KIND["level"], KIND["snapshot_level"]):
            side = BUY if record["flags"] & 1 else SELL
            self._books[rank].set(side, int(record["price"]), int(record["quantity"]))
        if kind == KIND["snapshot_end"]:
            self._known[rank] = True
        for side in (BUY, SELL):
            self.looked += 1
            assert replay.best(rank, side) == (self._books[rank].best(side) if self._known[rank] else None)

    def on_answer(self, replay: Any, kind: str, number: int) -> None: ...

    def on_timer(self, replay: Any, time_ns: int) -> None: ...


# Prices.


def test_law_17_no_limit_order_fills_worse_than_its_limit_and_makers_at_it(engines: Engines) -> None:
    for session, engine, program in played(engines):
        amended = {engine.known_orders[row[1] - 1] for row in program.seen if row[0] == "amended"}
        orders = records_of(engine, "orders")
        for fill in records_of(engine, "fills"):
            assert fill.price == fill.reference and fill.slippage == 0
            order = orders[fill.order - 1] if fill.order else None
            # An amendment that is on its way back has changed the limit, and is not known of.
            if order is None or order.id in amended or session.config.get("response_ns") != 0:
                continue
            if order.kind in (Kind.LIMIT, Kind.STOP_LIMIT):
                assert fill.side * (order.limit - fill.price) >= 0
                assert not fill.maker or fill.price == order.limit


def test_law_18_of_two_bids_at_one_price_the_earlier_one_fills_first(engines: Engines) -> None:
    compared = 0
    for seed in range(60):
        random = Random(seed)
        lines = []
        for time in range(5, 300, 5):
            price, size = random.randint(98, 101), random.randint(0, 9)
            lines.append(f"{time} {random.choice(('bid', 'sold'))} {price} {size}")
        actions = {time: limit(BUY, random.randint(98, 102), random.randint(1, 3)) for time in range(1, 250, 7)}
        queue = random.choice(("risk_averse", "power", "power_3", "log"))
        by_price: dict[int, list[Any]] = defaultdict(list)
        for order in records_of(_scripted(engines, "\n".join(lines), actions, queue=queue), "orders"):
            by_price[order.limit].append(order)
        for orders in by_price.values():
            for earlier, later in pairwise(orders):
                compared += later.filled > 0
                assert later.filled == 0 or earlier.filled == earlier.quantity
    assert compared > 50


def test_law_19_every_fill_pays_one_fee_at_the_rate_of_its_role(engines: Engines) -> None:
    for session, engine, _ in played(engines):
        for fill in records_of(engine, "fills"):
            if fill.order == 0:
                assert fill.fee == 0
                continue
            _, tick, lot = session.instruments[fill.instrument]
            unit = tick.mantissa * lot.mantissa * 10 ** (18 - tick.decimals - lot.decimals)
            exact = fill.price * fill.quantity * unit * session.config["maker_ppb" if fill.maker else "taker_ppb"]
            charged = (fill.fee - session.config["fixed_fee"]) * BILLION
            assert exact <= charged < exact + BILLION


def test_law_20_prices_and_quantities_are_positive_counts_that_were_in_the_data_or_ours(engines: Engines) -> None:
    for session, engine, program in played(engines):
        if any(row[0] == "amended" for row in program.seen):
            continue
        limits = {order.limit for order in records_of(engine, "orders")}
        recorded = {int(price) for records, _ in session.sources for price in np.unique(records["price"])}
        for fill in records_of(engine, "fills"):
            assert type(fill.price) is int and type(fill.quantity) is int and min(fill.price, fill.quantity) >= 1
            assert fill.price in (limits if fill.maker else limits | recorded)
