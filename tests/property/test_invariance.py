"""What must not change the outcome of a run, and what must change it in a known way (laws 8 to 12)."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline import Engine
from neural_trader.baseline.records import FillRecord
from property.plans import DAY_NS, MONEY, Plan, Row, bar_rows, follow, plans

PRICES = ("limit", "stop", "stop_loss", "take_profit")
DISTANCES = ("trail_ticks", "stop_loss_trail_ticks")


def rows_of(records: Any, **changes: Any) -> list[dict[str, Any]]:
    """Records as dictionaries, with columns replaced by what a function makes of the record."""
    return [asdict(record) | {name: change(record) for name, change in changes.items()} for record in records]


@given(plans(instruments=1), st.lists(bar_rows(), min_size=8, max_size=8))
def test_law_8_an_instrument_that_is_not_traded_changes_nothing(plan: Plan, rows: list[Row]) -> None:
    alone = follow(plan)
    accompanied = follow(replace(plan, rows=[plan.rows[0], rows[: len(plan.rows[0])]]))
    assert accompanied.orders == alone.orders
    assert accompanied.fills == alone.fills
    assert accompanied.postings == alone.postings
    assert accompanied.equity_samples == alone.equity_samples


@given(plans())
def test_law_9_which_of_two_symbols_comes_first_changes_no_fill_of_either(plan: Plan) -> None:
    """Where money is ample. The order of submission, and with it the ids, follows the order of the symbols."""
    swapped = replace(
        plan,
        rows=plan.rows[::-1],
        orders=[replace(order, instrument=1 - order.instrument) for order in plan.orders],
    )
    first, second = follow(plan), follow(swapped)
    for instrument in (0, 1):
        assert _without_order(first, instrument) == _without_order(second, 1 - instrument)
    assert first.equity_samples == second.equity_samples


def _without_order(engine: Engine, instrument: int) -> list[FillRecord]:
    return [replace(fill, order=0, instrument=0) for fill in engine.fills if fill.instrument == instrument]


@given(plans(), st.integers(1, 20_000))
def test_law_10_a_shift_of_all_times_by_whole_days_shifts_the_outcome(plan: Plan, days: int) -> None:
    """By whole days, because a day order knows the calendar."""
    shift_ns = days * DAY_NS

    def shift(name: str, value: Any) -> Any:
        return value + shift_ns if name == "expire_ns" else value

    later = replace(plan, start_ns=shift_ns, orders=[order.mapped(shift) for order in plan.orders])
    before, after = follow(plan), follow(later)
    assert rows_of(after.fills) == rows_of(before.fills, time_ns=lambda fill: fill.time_ns + shift_ns)
    assert rows_of(after.orders) == rows_of(
        before.orders,
        submit_ns=lambda order: order.submit_ns + shift_ns,
        expire_ns=lambda order: order.expire_ns + shift_ns * (order.time_in_force == 1),
    )
    assert after.postings == before.postings
    assert after.equity_samples == [(time_ns + shift_ns, amount) for time_ns, amount in before.equity_samples]


@given(
    plans(leverage_ppb=3 * 10**9, taker_ppb=10**6, maker_ppb=10**5, fixed_fee=MONEY),
    st.integers(2, 1000),
    st.integers(500, 20_000),
)
def test_law_11_prices_times_an_integer_multiply_all_money(plan: Plan, factor: int, cash: int) -> None:
    """With little money, so that margin and ruin are scaled too."""

    def scale(name: str, value: Any) -> Any:
        return value * factor if name in PRICES + DISTANCES else value

    plan = replace(plan, config=plan.config | {"cash": cash * MONEY})
    money = {name: plan.config[name] * factor for name in ("cash", "fixed_fee", "slippage_ticks")}
    scaled_rows = [[(*(price * factor for price in row[:4]), row[4], row[5]) for row in rows] for rows in plan.rows]
    scaled = replace(
        plan,
        rows=scaled_rows,  # type: ignore[arg-type]  # a starred tuple has no known length
        orders=[order.mapped(scale) for order in plan.orders],
        config=plan.config | money,
    )
    small, large = follow(plan), follow(scaled)
    multiplied = ("price", "reference", "fee", "slippage")
    assert rows_of(large.fills) == [
        row | {name: row[name] * factor for name in multiplied} for row in rows_of(small.fills)
    ]
    assert [posting.amount for posting in large.postings] == [
        posting.amount * (factor if posting.unit == 0 else 1) for posting in small.postings
    ]
    assert large.equity_samples == [(time_ns, amount * factor) for time_ns, amount in small.equity_samples]
    # Trade by trade the shares of a fee are rounded, in sum they are exact.
    assert sum(trade.pnl for trade in large.trades()) == factor * sum(trade.pnl for trade in small.trades())


@given(plans())
def test_law_12_buy_and_sell_swapped_with_mirrored_prices_mirror_the_outcome(plan: Plan) -> None:
    """Prices p become 200 - p; without fees, which would be charged on different notionals."""
    centre = 200

    def mirror(name: str, value: Any) -> Any:
        if name in PRICES:
            return centre - value
        return value

    def mirrored_row(row: Row) -> Row:
        open_, high, low, close, volume, spread = row
        return centre - open_, centre - low, centre - high, centre - close, volume, spread

    orders = []
    for order in plan.orders:
        mirrored = replace(order.mapped(mirror), side=-order.side)
        if mirrored.keywords.get("size_kind") == "target_quantity":
            mirrored.keywords["size"] *= -1
        orders.append(mirrored)
    there = follow(plan)
    back = follow(replace(plan, rows=[[mirrored_row(row) for row in rows] for rows in plan.rows], orders=orders))
    assert rows_of(back.fills) == rows_of(
        there.fills,
        side=lambda fill: -fill.side,
        price=lambda fill: centre - fill.price,
        reference=lambda fill: centre - fill.reference,
    )
    assert back.equity_samples == there.equity_samples
    assert [trade.pnl for trade in back.trades()] == [trade.pnl for trade in there.trades()]
