"""Nothing is made or lost: volume, money, quantities and fees add up, prices keep their limits (laws 1-3, 17-20)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neural_trader.baseline import Engine
from neural_trader.baseline.records import BUY, SELL, Account, Kind, State
from neural_trader.errors import EngineError
from parity.outcome import play_baseline
from parity.programs import make_case
from property.plans import AMPLE_CASH, BILLION, Plan, Planned, Row, bar_rows, follow, plans

seeds = st.integers(0, 10**9)


@given(seeds)
def test_laws_1_2_3_17_19_20_hold_after_every_moment_of_a_random_run(seed: int) -> None:
    """The engine checks itself against its records; the tests below look from outside, and check the checker."""
    play_baseline(make_case(seed), checked=True)


@given(seeds)
def test_law_2_every_transaction_sums_to_zero_in_every_unit(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for posting in engine.postings:
        sums[posting.transaction, posting.unit] += posting.amount
    assert set(sums.values()) == {0}


@given(seeds)
def test_law_2_profits_of_trades_are_what_equity_gained(seed: int) -> None:
    """Two ways to the same number: trades match fills, equity follows postings."""
    case = make_case(seed)
    _, engine = play_baseline(case)
    assert sum(trade.pnl for trade in engine.trades()) == engine.equity() - case.config["cash"]


@given(seeds)
def test_law_2_slippage_and_fees_of_fills_are_the_balances_of_their_accounts(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    for account, column in ((Account.SLIPPAGE, "slippage"), (Account.FEES, "fee")):
        balance = sum(posting.amount for posting in engine.postings if posting.account == account)
        assert balance == sum(getattr(fill, column) for fill in engine.fills)


@given(seeds)
def test_law_3_filled_and_leaves_and_cancelled_make_what_was_ordered(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    filled: dict[int, int] = defaultdict(int)
    for fill in engine.fills:
        filled[fill.order] += fill.quantity
    for order in engine.orders:
        leaves = order.quantity - order.filled - order.cancelled
        assert order.filled == filled[order.id]
        assert leaves > 0 if order.state == State.WORKING else leaves == 0


@given(seeds)
def test_law_17_no_limit_order_fills_worse_than_its_limit(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    for fill in engine.fills:
        order = engine.orders[fill.order - 1] if fill.order else None
        if order is not None and order.kind in (Kind.LIMIT, Kind.STOP_LIMIT):
            assert fill.side * (order.limit - fill.price) >= 0


@given(seeds)
def test_law_17_a_taker_never_pays_less_than_the_reference_and_a_maker_pays_exactly_it(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    for fill in engine.fills:
        assert fill.side * (fill.price - fill.reference) >= 0
        assert not fill.maker or fill.price == fill.reference


@given(seeds)
def test_every_reference_is_a_price_that_its_bar_had(seed: int) -> None:
    """At the time of a fill some bar of the instrument was open or closing, and the reference lies in its range."""
    case = make_case(seed)
    _, engine = play_baseline(case)
    for fill in engine.fills:
        bars = engine.instruments[fill.instrument].bars
        begun = [bar for bar in bars if bar.open_ns <= fill.time_ns][-2:]
        assert any(bar.low <= fill.reference <= bar.high for bar in begun)


@given(
    st.lists(bar_rows(), min_size=3, max_size=6),
    st.sampled_from((BUY, SELL)),
    st.integers(60, 140),
    st.lists(st.integers(1, 20), min_size=2, max_size=5),
    st.sampled_from(("limit", "stop")),
)
def test_law_18_of_two_equal_orders_the_earlier_one_fills_first(
    rows: list[Row], side: int, price: int, sizes: list[int], kind: str
) -> None:
    orders = [Planned(0, 0, side, {"kind": kind, kind: price, "size": size}) for size in sizes]
    engine = follow(Plan([rows], orders, {"cash": AMPLE_CASH, "volume_cap_ppb": BILLION // 2}))
    for earlier, later in zip(engine.orders, engine.orders[1:], strict=False):
        assert later.filled == 0 or earlier.filled == earlier.quantity


@given(
    st.lists(bar_rows(), min_size=3, max_size=6),
    st.sampled_from((BUY, SELL)),
    st.lists(st.integers(40, 160), min_size=2, max_size=5, unique=True),
)
def test_law_18_inside_a_bar_the_better_limit_fills_first(rows: list[Row], side: int, limits: list[int]) -> None:
    orders = [Planned(0, 0, side, {"kind": "limit", "limit": limit, "size": 7}) for limit in limits]
    engine = follow(Plan([rows], orders, {"cash": AMPLE_CASH, "volume_cap_ppb": BILLION // 2}))
    inside: dict[int, list[int]] = defaultdict(list)
    for fill in engine.fills:
        order = engine.orders[fill.order - 1]
        if (
            fill.maker
            and fill.price == order.limit
            and fill.time_ns in {bar.close_ns for bar in engine.instruments[0].bars}
        ):
            inside[fill.time_ns].append(-side * order.limit)
    for prices in inside.values():
        assert prices == sorted(prices)


@given(seeds)
def test_law_19_every_fill_pays_one_fee_at_the_rate_of_its_role(seed: int) -> None:
    case = make_case(seed)
    _, engine = play_baseline(case)
    for fill in engine.fills:
        if fill.order == 0:
            continue
        rate = case.config["maker_ppb" if fill.maker else "taker_ppb"]
        notional = fill.price * fill.quantity * engine.instruments[fill.instrument].contract.unit
        exact = notional * rate
        charged = (fill.fee - case.config["fixed_fee"]) * BILLION
        assert exact <= charged < exact + BILLION


@given(seeds)
def test_law_20_prices_and_quantities_are_positive_counts(seed: int) -> None:
    _, engine = play_baseline(make_case(seed))
    for fill in engine.fills:
        assert {type(fill.price), type(fill.quantity), type(fill.reference)} == {int}
        assert min(fill.price, fill.quantity, fill.reference) >= 1


@given(plans(volume_cap_ppb=BILLION // 2))
def test_law_1_all_fills_of_a_bar_together_stay_within_its_share_of_volume(plan: Plan) -> None:
    engine = follow(plan)
    for instrument, rows in enumerate(plan.rows):
        for index, row in enumerate(rows):
            bar = engine.instruments[instrument].bars[index]
            filled = sum(
                fill.quantity
                for fill in engine.fills
                if fill.instrument == instrument and fill.order and fill.time_ns in (bar.open_ns, bar.close_ns)
            )
            assert filled <= row[4] // 2


@given(seeds)
def test_exposure_never_exceeds_what_leverage_allows_right_after_a_fill_that_adds(seed: int) -> None:
    """With one instrument, whose reference is then its mark, this can be told from the records alone."""
    case = make_case(seed)
    assume(len(case.market) == 1)
    _, engine = play_baseline(case)
    unit = engine.instruments[0].contract.unit
    cash, position = case.config["cash"], 0
    for fill in engine.fills:
        cash -= fill.side * fill.price * fill.quantity * unit + fill.fee
        position += fill.side * fill.quantity
        if fill.side * position > 0:
            exposure = abs(position) * fill.reference * unit * BILLION
            assert exposure <= (cash + position * fill.reference * unit) * case.config["leverage_ppb"]


# The checker itself: each law is broken on purpose, and the break is named.


def tampered(change: dict[str, Any], stream: str) -> Engine:
    """A finished run of which one record was changed."""
    _, engine = play_baseline(make_case(3))
    records: list[Any] = getattr(engine, stream)
    index = next(index for index, record in enumerate(records) if index and getattr(record, "order", 1))
    records[index] = replace(records[index], **change)
    return engine


@pytest.mark.parametrize(
    ("stream", "change", "law"),
    [
        ("postings", {"amount": 1}, 2),
        ("fills", {"slippage": -1}, 2),
        ("fills", {"quantity": 0}, 20),
        ("fills", {"price": 0}, 20),
        ("fills", {"fee": -1}, 19),
    ],
)
def test_a_tampered_record_breaks_its_law(stream: str, change: dict[str, Any], law: int) -> None:
    with pytest.raises(EngineError, match=f"law {law} is broken"):
        tampered(change, stream).check_invariants()


def test_a_fill_that_no_order_knows_breaks_law_3() -> None:
    _, engine = play_baseline(make_case(3))
    engine.fills.append(engine.fills[1])
    with pytest.raises(EngineError, match="law 3 is broken"):
        engine.check_invariants()


def test_an_untouched_run_keeps_every_law() -> None:
    _, engine = play_baseline(make_case(3))
    engine.check_invariants()
    assert len(engine.fills) > 1
