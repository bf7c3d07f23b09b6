"""What must not change the outcome of a replay, and what must change it in a known way (laws 8 to 14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from neural_trader.market.events import KIND
from property.replay_plans import DISTANCES, PRICES, QUANTITIES, TIMES, Plan, follow, make_plan
from replay.scenario import ENGINES, Engines, engines_named, records_of, samples_of

DAY_NS = 86_400 * 10**9
AMPLE = {"cash": 10**30, "leverage_ppb": 10**12}
FREE = {"maker_ppb": 0, "taker_ppb": 0}
OF_PRICES = [KIND[name] for name in ("trade", "aggregate_trade", "level", "snapshot_level", "quote")]


@pytest.fixture(name="engines", params=ENGINES)
def _engines(request: pytest.FixtureRequest) -> Engines:
    return engines_named(request.param)


def plans(engines: Engines, **config: Any) -> list[Plan]:
    return [make_plan(seed, **config) for seed in range(15 if engines.name == "baseline" else 150)]


def rows(engine: Any, stream: str, **changes: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Records as dictionaries, with columns replaced by what a function makes of the record."""
    return [
        asdict(record) | {name: change(record) for name, change in changes.items()}
        for record in records_of(engine, stream)
    ]


def assert_enough(fills: int) -> None:
    """A law about runs in which nothing fills would say nothing."""
    assert fills > 30


def test_law_8_an_instrument_that_is_not_traded_changes_nothing(engines: Engines) -> None:
    fills = 0
    for plan in plans(engines):
        session = plan.session
        records, ranks = session.sources[0]
        more = [len(session.instruments) if rank >= 0 else -1 for rank in ranks]
        crowd = replace(
            session,
            instruments=[*session.instruments, ("z", *session.instruments[0][1:])],
            sources=[*session.sources, (records, more)],
        )
        (alone, told), (accompanied, told_too) = follow(engines, plan), follow(engines, replace(plan, session=crowd))
        assert told.told == told_too.told
        for stream in ("orders", "fills", "postings", "trades"):
            assert rows(accompanied, stream) == rows(alone, stream)
        assert samples_of(accompanied) == samples_of(alone)
        fills += len(rows(alone, "fills"))
    assert_enough(fills)


def test_law_9_which_of_two_symbols_comes_first_changes_no_fill_of_either(engines: Engines) -> None:
    """Where money is ample. Ids follow the order in which exits come to exist, so none are named."""
    fills = 0
    for plan in plans(engines, may_cancel=False, **AMPLE):
        count = len(plan.session.instruments)
        turned = replace(
            plan.with_calls(lambda name, value, last=count - 1: last - value if name == "instrument" else value),
            session=replace(
                plan.session,
                instruments=[
                    (symbol, *steps)
                    for (symbol, *_), (_, *steps) in zip(
                        plan.session.instruments, reversed(plan.session.instruments), strict=True
                    )
                ],
                sources=[
                    (records, [count - 1 - rank if rank >= 0 else -1 for rank in ranks])
                    for records, ranks in plan.session.sources
                ],
            ),
        )
        (first, _), (second, _) = follow(engines, plan), follow(engines, turned)
        for instrument in range(count):
            assert _fills_of(first, instrument) == _fills_of(second, count - 1 - instrument)
        assert samples_of(first) == samples_of(second)
        fills += len(rows(first, "fills"))
    assert_enough(fills)


def _fills_of(engine: Any, instrument: int) -> list[dict[str, Any]]:
    return [row | {"order": 0, "instrument": 0} for row in rows(engine, "fills") if row["instrument"] == instrument]


def test_law_10_a_shift_of_all_times_by_whole_days_shifts_the_outcome(engines: Engines) -> None:
    """By whole days, because a day order knows the calendar; a thousand of them are whole sampling steps too."""
    shift_ns, fills = 1_000 * DAY_NS, 0

    def shift_records(records: Any) -> None:
        for column in ("ts_event_ns", "ts_recv_ns"):
            records[column][records[column] != 0] += shift_ns

    for plan in plans(engines):
        config = plan.session.config
        later = plan.with_records(shift_records)
        if "latency_rows" in config:
            shifted = [
                (sent + shift_ns, venue + shift_ns if venue > 0 else venue, back + shift_ns)
                for sent, venue, back in config["latency_rows"]
            ]
            later = plan.with_records(shift_records, latency_rows=shifted)
        later = later.with_calls(lambda name, value: value + shift_ns if name in TIMES else value)
        (before, told), (after, told_later) = follow(engines, plan), follow(engines, later)
        assert [(*what, time_ns + shift_ns) for *what, time_ns in told.told] == told_later.told
        assert rows(after, "fills") == rows(before, "fills", time_ns=lambda fill: fill.time_ns + shift_ns)
        assert rows(after, "orders") == rows(
            before,
            "orders",
            submit_ns=lambda order: order.submit_ns + shift_ns,
            accept_ns=lambda order: None if order.accept_ns is None else order.accept_ns + shift_ns,
            expire_ns=lambda order: order.expire_ns + shift_ns * (order.time_in_force == 1),
        )
        assert rows(after, "postings") == rows(before, "postings")
        assert samples_of(after) == [(time_ns + shift_ns, equity) for time_ns, equity in samples_of(before)]
        fills += len(rows(before, "fills"))
    assert_enough(fills)


def test_law_11_prices_times_an_integer_multiply_all_money(engines: Engines) -> None:
    """With little money too, so that margin and ruin are scaled."""
    factor, fills = 7, 0

    def scale_records(records: Any) -> None:
        records["price"] *= factor

    def scale(name: str, value: Any) -> Any:
        return value * factor if name in PRICES + DISTANCES else value

    for plan in plans(engines, **FREE):
        money = {name: plan.session.config[name] * factor for name in ("cash", "fixed_fee")}
        (small, _), (large, _) = (
            follow(engines, plan),
            follow(engines, plan.with_calls(scale).with_records(scale_records, **money)),
        )
        assert rows(large, "fills") == rows(
            small,
            "fills",
            **{name: (lambda fill, name=name: getattr(fill, name) * factor) for name in ("price", "reference", "fee")},
        )
        assert [posting.amount for posting in records_of(large, "postings")] == [
            posting.amount * (factor if posting.unit == 0 else 1) for posting in records_of(small, "postings")
        ]
        assert samples_of(large) == [(time_ns, equity * factor) for time_ns, equity in samples_of(small)]
        fills += len(rows(small, "fills"))
    assert_enough(fills)


def test_law_12_buy_and_sell_swapped_with_mirrored_prices_mirror_the_outcome(engines: Engines) -> None:
    """Without fees, which would be charged on different notionals, and without snapshots, whose bids cross first."""
    centre, fills = 4_000, 0

    def mirror_records(records: Any) -> None:
        priced = [kind in OF_PRICES for kind in records["kind"]]
        records["price"][priced] = centre - records["price"][priced]
        flags = records["flags"][priced]
        records["flags"][priced] = (flags & 0xFC) | (flags & 1) << 1 | (flags & 2) >> 1

    def mirrored(plan: Plan) -> Plan:
        turned = plan.with_records(mirror_records).with_calls(
            lambda name, value: centre - value if name in PRICES else -value if name == "side" else value
        )
        targets = [
            replace(call, arguments=call.arguments | {"size": -call.arguments["size"]})
            if call.arguments.get("size_kind") == "target_quantity"
            else call
            for call in turned.calls
        ]
        return replace(turned, calls=targets)

    def over(name: str) -> Callable[[Any], int]:
        return lambda record: centre - getattr(record, name) if getattr(record, name) else 0

    for plan in plans(engines, is_plain=True, **FREE, **AMPLE):
        (there, told), (back, told_back) = follow(engines, plan), follow(engines, mirrored(plan))
        assert told.told == told_back.told
        turned = {"side": lambda record: -record.side}
        assert rows(back, "fills") == rows(there, "fills", **turned, price=over("price"), reference=over("reference"))
        assert rows(back, "orders") == rows(there, "orders", **turned, limit=over("limit"), stop=over("stop"))
        assert samples_of(back) == samples_of(there)
        fills += len(rows(there, "fills"))
    assert_enough(fills)


def test_law_13_quantities_times_an_integer_multiply_all_quantities(engines: Engines) -> None:
    """Where only counts are ahead of us: shares of a queue are cut to whole lots."""
    factor, fills = 3, 0

    def scale_records(records: Any) -> None:
        records["quantity"] *= factor

    def scale(name: str, value: Any) -> Any:
        return value * factor if name in QUANTITIES else value

    def times(name: str) -> Callable[[Any], int]:
        return lambda record: getattr(record, name) * factor

    for plan in plans(engines, queue="risk_averse", depth="levels", fixed_fee=0, **FREE, **AMPLE):
        (small, told), (large, told_large) = (
            follow(engines, plan),
            follow(engines, plan.with_calls(scale).with_records(scale_records)),
        )
        assert told.told == told_large.told
        assert rows(large, "fills") == rows(small, "fills", quantity=times("quantity"))
        scaled = {name: times(name) for name in ("quantity", "filled", "cancelled", "display")}
        assert rows(large, "orders") == rows(small, "orders", **scaled)
        fills += len(rows(small, "fills"))
    assert_enough(fills)


def test_law_14_what_one_wants_to_be_told_changes_nothing_else(engines: Engines) -> None:
    fills = 0
    for plan in plans(engines):
        (deaf, told), (curious, told_too) = follow(engines, plan), follow(engines, plan, tuple(KIND))
        assert told.told == told_too.told
        for stream in ("orders", "fills", "postings"):
            assert rows(curious, stream) == rows(deaf, stream)
        fills += len(rows(deaf, "fills"))
    assert_enough(fills)
