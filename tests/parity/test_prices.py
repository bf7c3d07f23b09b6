"""Sections 4 to 7 of the fill rules: who pays what, at an open, inside a bar, at a close, and on a trail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neural_trader.market.bars import Step
from parity.scenario import MONEY, PERCENT, Action, Run, bars_of, buy, sell

Play = Callable[..., Run]


def bars_after_100(*rows: str, heading: str = "open high low close") -> str:
    """A first bar at 100 at whose close the orders are sent, then these."""
    first = "100 100 100 100" + " 0" * (len(heading.split()) - 4)
    return "\n".join([heading, first, *rows])


# Section 4: slippage and fees.


@pytest.mark.parametrize(
    ("config", "bought", "sold"),
    [
        pytest.param({}, 1000, 1000, id="none"),
        pytest.param({"slippage_ticks": 3}, 1003, 997, id="ticks"),
        pytest.param({"slippage_ppb": 10**6}, 1001, 999, id="a thousandth of the price"),
        pytest.param({"slippage_ppb": 10**6 + 1}, 1002, 998, id="rounded up to whole ticks"),
        pytest.param({"slippage_spread_ppb": 50 * PERCENT}, 1004, 996, id="half of a spread of 7, rounded up"),
        pytest.param(
            {"slippage_ticks": 1, "slippage_ppb": 1, "slippage_spread_ppb": 1}, 1003, 997, id="each rounded by itself"
        ),
    ],
)
def test_a_taker_pays_slippage(play: Play, config: dict[str, int], bought: int, sold: int) -> None:
    market = bars_after_100("1000 1000 1000 1000 7", heading="open high low close spread")
    run = play(market, {0: [buy(1), sell(1)]}, **config)
    assert run.fills == [f"open 1: buy 1 @ {bought} taker", f"open 1: sell 1 @ {sold} taker"]
    assert [fill.reference for fill in run.fill_records] == [1000, 1000]
    assert run.fill_records[0].slippage == (bought - 1000) * MONEY


def test_slippage_never_brings_a_price_below_one_tick(play: Play) -> None:
    run = play(bars_after_100("2 2 2 2"), {0: sell(1)}, slippage_ticks=50)
    assert run.fills == ["open 1: sell 1 @ 1 taker"]


def test_slippage_of_a_limit_order_ends_at_its_limit(play: Play) -> None:
    orders = [buy(1, kind="limit", limit=102), sell(1, kind="limit", limit=99)]
    run = play(bars_after_100("100 100 100 100"), {0: orders}, slippage_ticks=5)
    assert run.fills == ["open 1: buy 1 @ 102 taker", "open 1: sell 1 @ 99 taker"]


def test_a_maker_pays_no_slippage(play: Play) -> None:
    run = play(bars_after_100("100 100 90 100"), {0: buy(1, kind="limit", limit=95)}, slippage_ticks=5)
    assert run.fills == ["close 1: buy 1 @ 95 maker"]


@pytest.mark.parametrize(
    ("order", "fee"),
    [
        pytest.param(buy(3), 300 * MONEY * 2 // 100 + 7, id="taker"),
        pytest.param(buy(3, kind="limit", limit=90), 270 * MONEY // 100 + 7, id="maker"),
    ],
)
def test_a_fill_pays_one_fee_by_whether_it_rested(play: Play, order: Action, fee: int) -> None:
    run = play(bars_after_100("100 100 90 100"), {0: order}, taker_ppb=2 * PERCENT, maker_ppb=PERCENT, fixed_fee=7)
    assert [fill.fee for fill in run.fill_records] == [fee]


def test_a_fee_is_rounded_up(play: Play) -> None:
    """On the finest grid seven ticks are seven units of money, and a billionth of that is charged as one."""
    market = [bars_of("A", bars_after_100("7 7 7 7"), tick=Step(1, 9), lot=Step(1, 9))]
    assert play(market, {0: buy(1)}, taker_ppb=1).fill_records[0].fee == 1


# Section 5: the opening match.


@pytest.mark.parametrize(
    ("order", "fills"),
    [
        pytest.param(buy(1), ["open 1: buy 1 @ 110 taker"], id="market"),
        pytest.param(buy(1, kind="stop", stop=105), ["open 1: buy 1 @ 110 taker"], id="gap through a buy stop"),
        pytest.param(buy(1, kind="stop", stop=110), ["open 1: buy 1 @ 110 taker"], id="open at a buy stop"),
        pytest.param(sell(1, kind="stop", stop=115), ["open 1: sell 1 @ 110 taker"], id="gap through a sell stop"),
        pytest.param(buy(1, kind="limit", limit=112), ["open 1: buy 1 @ 110 taker"], id="buy limit above the open"),
        pytest.param(buy(1, kind="limit", limit=110), ["open 1: buy 1 @ 110 taker"], id="buy limit at the open"),
        pytest.param(sell(1, kind="limit", limit=105), ["open 1: sell 1 @ 110 taker"], id="sell limit below the open"),
        pytest.param(buy(1, kind="stop", stop=111), [], id="stop not reached"),
        pytest.param(buy(1, kind="limit", limit=109), [], id="limit not reached"),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=111), ["open 1: buy 1 @ 110 taker"], id="stop-limit triggered"
        ),
        pytest.param(buy(1, kind="stop_limit", stop=105, limit=109), [], id="stop-limit triggered, price beyond"),
        pytest.param(buy(1, kind="stop_limit", stop=111, limit=120), [], id="stop-limit not triggered"),
    ],
)
def test_what_an_open_of_110_fills(play: Play, order: Action, fills: list[str]) -> None:
    assert play(bars_after_100("110 110 110 110"), {0: order}).fills == fills


def test_a_limit_that_was_live_before_is_a_maker_at_an_open(play: Play) -> None:
    run = play(bars_after_100("100 100 100 100", "90 90 90 90"), {0: buy(1, kind="limit", limit=95)}, slippage_ticks=2)
    assert run.fills == ["open 2: buy 1 @ 90 maker"]


def test_with_through_an_open_at_the_limit_does_not_fill(play: Play) -> None:
    orders = [buy(1, kind="limit", limit=100), sell(1, kind="limit", limit=100), buy(2, kind="limit", limit=101)]
    run = play(bars_after_100("100 100 100 100"), {0: orders}, limit_through=True)
    assert run.fills == ["open 1: buy 2 @ 100 taker"]


def test_a_stop_limit_triggered_at_the_open_is_a_limit_in_the_same_bar(play: Play) -> None:
    run = play(bars_after_100("110 112 100 111"), {0: buy(1, kind="stop_limit", stop=105, limit=107)}, slippage_ticks=2)
    assert run.fills == ["close 1: buy 1 @ 107 maker"]


def test_a_stop_limit_triggered_at_a_later_open_is_a_taker(play: Play) -> None:
    market = bars_after_100("100 101 99 100", "110 110 110 110")
    run = play(market, {0: buy(1, kind="stop_limit", stop=105, limit=111)}, slippage_ticks=5)
    assert run.fills == ["open 2: buy 1 @ 111 taker"]


def test_orders_that_reduce_a_position_go_first(play: Play) -> None:
    """All money is in the position; only because the sale goes first is there some for the purchase sent before it."""
    market = bars_after_100("100 100 100 100", "100 100 100 100")
    run = play(market, {0: buy(10), 1: [buy(5), sell(10)]}, cash=1_000 * MONEY)
    assert run.fills[1:] == ["open 2: sell 10 @ 100 taker", "open 2: buy 5 @ 100 taker"]


def test_whether_an_order_reduces_is_asked_when_it_is_tried(play: Play) -> None:
    """After the first sale there is nothing left to reduce: the second one waits for the second pass."""
    market = bars_after_100("100 100 100 100", "100 100 100 100")
    run = play(market, {0: buy(10), 1: [sell(10), buy(3), sell(4)]})
    assert run.fills[1:] == [
        "open 2: sell 10 @ 100 taker",
        "open 2: buy 3 @ 100 taker",
        "open 2: sell 4 @ 100 taker",
    ]


# Section 5: the closing match.


def test_the_closing_match_uses_the_close_and_pays_slippage(play: Play) -> None:
    run = play("open high low close\n100 120 90 115", {0: [buy(2), sell(1)]}, fill_close=True, slippage_ticks=1)
    assert run.fills == ["close 0: buy 2 @ 116 taker", "close 0: sell 1 @ 114 taker"]


def test_the_closing_match_shares_the_volume_budget_of_the_bar(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   10
        100  100   90 100   10
        100  100  100 100   10
    """
    actions = {0: buy(7, kind="limit", limit=95), 1: buy(5)}
    run = play(market, actions, fill_close=True, volume_cap_ppb=100 * PERCENT)
    assert run.fills == [
        "close 1: buy 7 @ 95 maker",
        "close 1: buy 3 @ 100 taker",
        "close 2: buy 2 @ 100 taker",
    ]


# Section 6: inside a bar.


@pytest.mark.parametrize(
    ("order", "fills"),
    [
        pytest.param(buy(1, kind="stop", stop=110), ["close 1: buy 1 @ 110 taker"], id="high touches a buy stop"),
        pytest.param(buy(1, kind="stop", stop=111), [], id="high below a buy stop"),
        pytest.param(sell(1, kind="stop", stop=90), ["close 1: sell 1 @ 90 taker"], id="low touches a sell stop"),
        pytest.param(sell(1, kind="stop", stop=89), [], id="low above a sell stop"),
        pytest.param(buy(1, kind="limit", limit=90), ["close 1: buy 1 @ 90 maker"], id="low touches a buy limit"),
        pytest.param(sell(1, kind="limit", limit=110), ["close 1: sell 1 @ 110 maker"], id="high touches a sell limit"),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=106), ["close 1: buy 1 @ 105 taker"], id="limit accepts the stop"
        ),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=103), ["close 1: buy 1 @ 103 maker"], id="close proves the limit"
        ),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=101), ["close 1: buy 1 @ 101 maker"], id="close at the limit"
        ),
        pytest.param(buy(1, kind="stop_limit", stop=105, limit=99), [], id="close does not prove the limit"),
        pytest.param(
            sell(1, kind="stop_limit", stop=95, limit=97),
            ["close 1: sell 1 @ 97 maker"],
            id="sell stop-limit came back",
        ),
        pytest.param(sell(1, kind="stop_limit", stop=95, limit=102), [], id="sell stop-limit did not come back"),
    ],
)
def test_what_a_bar_from_90_to_110_fills(play: Play, order: Action, fills: list[str]) -> None:
    assert play(bars_after_100("100 110 90 101"), {0: order}).fills == fills


@pytest.mark.parametrize(
    ("order", "fills"),
    [
        pytest.param(buy(1, kind="limit", limit=90), [], id="low at a buy limit"),
        pytest.param(buy(1, kind="limit", limit=91), ["close 1: buy 1 @ 91 maker"], id="low through a buy limit"),
        pytest.param(sell(1, kind="limit", limit=110), [], id="high at a sell limit"),
        pytest.param(sell(1, kind="limit", limit=109), ["close 1: sell 1 @ 109 maker"], id="high through a sell limit"),
        pytest.param(buy(1, kind="stop_limit", stop=105, limit=101), [], id="close at the limit of a stop-limit"),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=102), ["close 1: buy 1 @ 102 maker"], id="close through it"
        ),
        pytest.param(
            buy(1, kind="stop_limit", stop=105, limit=105), ["close 1: buy 1 @ 105 taker"], id="its limit at its stop"
        ),
        pytest.param(buy(1, kind="stop", stop=110), ["close 1: buy 1 @ 110 taker"], id="stops need no penetration"),
    ],
)
def test_what_a_bar_from_90_to_110_fills_with_through(play: Play, order: Action, fills: list[str]) -> None:
    assert play(bars_after_100("100 110 90 101"), {0: order}, limit_through=True).fills == fills


def test_a_stop_limit_that_did_not_come_back_rests_as_a_limit(play: Play) -> None:
    market = bars_after_100("100 110 95 108", "108 109 100 104")
    run = play(market, {0: buy(1, kind="stop_limit", stop=105, limit=103)}, slippage_ticks=1)
    assert run.fills == ["close 2: buy 1 @ 103 maker"]


def test_a_stop_limit_that_did_not_come_back_is_a_maker_at_the_next_open(play: Play) -> None:
    market = bars_after_100("100 110 95 108", "101 109 100 104")
    run = play(market, {0: buy(1, kind="stop_limit", stop=105, limit=103)}, slippage_ticks=1)
    assert run.fills == ["open 2: buy 1 @ 101 maker"]


def test_stops_go_before_limits_and_each_by_distance_from_the_open(play: Play) -> None:
    orders = [
        buy(1, kind="limit", limit=98),
        buy(2, kind="limit", limit=99),
        buy(3, kind="stop", stop=108),
        sell(4, kind="stop", stop=95),
        buy(5, kind="stop", stop=105),
    ]
    run = play(bars_after_100("100 110 90 100"), {0: orders})
    assert run.fills == [
        "close 1: sell 4 @ 95 taker",
        "close 1: buy 5 @ 105 taker",
        "close 1: buy 3 @ 108 taker",
        "close 1: buy 2 @ 99 maker",
        "close 1: buy 1 @ 98 maker",
    ]


def test_a_stop_inside_a_bar_pays_slippage(play: Play) -> None:
    run = play(bars_after_100("100 110 90 100"), {0: sell(1, kind="stop", stop=95)}, slippage_ticks=3)
    assert run.fills == ["close 1: sell 1 @ 92 taker"]


def test_a_triggered_stop_with_leaves_waits_for_the_next_open(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   10
        100  110  100 100    4
        90    90   90  90   10
    """
    run = play(market, {0: buy(6, kind="stop", stop=105)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == ["close 1: buy 4 @ 105 taker", "open 2: buy 2 @ 90 taker"]


def test_a_stop_reached_in_a_bar_without_volume_is_triggered_all_the_same(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   10
        100  110  100 100    0
        90    90   90  90   10
    """
    run = play(market, {0: buy(6, kind="stop", stop=105)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == ["open 2: buy 6 @ 90 taker"]


# Section 7: trailing stops.


@pytest.mark.parametrize(
    ("trail", "rows", "fills"),
    [
        pytest.param(
            {"trail_ticks": 10},
            ["100 105 91 104", "104 104 95 96"],
            ["close 2: sell 1 @ 95 taker"],
            id="follows the high",
        ),
        pytest.param({"trail_ticks": 10}, ["100 120 91 104"], [], id="the level of a bar is known before it opens"),
        pytest.param(
            {"trail_ticks": 10}, ["100 120 91 104", "108 112 107 111"], ["open 2: sell 1 @ 108 taker"], id="gap"
        ),
        pytest.param(
            {"trail_ticks": 10},
            ["100 105 91 104", "100 101 97 98", "98 98 90 91"],
            ["close 3: sell 1 @ 95 taker"],
            id="never back",
        ),
        pytest.param({"trail_ppb": 10 * PERCENT}, ["100 101 90 95"], ["close 1: sell 1 @ 90 taker"], id="a tenth"),
        pytest.param(
            {"trail_ppb": 10 * PERCENT},
            ["100 101 91 95", "95 100 90 95"],
            ["close 2: sell 1 @ 90 taker"],
            id="offset rounded up",
        ),
        pytest.param({"trail_ticks": 500}, ["100 101 1 1"], ["close 1: sell 1 @ 1 taker"], id="level not below one"),
    ],
)
def test_a_trailing_sell_stop(play: Play, trail: dict[str, int], rows: list[str], fills: list[str]) -> None:
    assert play(bars_after_100(*rows), {0: sell(1, kind="trailing_stop", **trail)}).fills == fills


def test_a_trailing_buy_stop_follows_the_low(play: Play) -> None:
    run = play(bars_after_100("100 105 85 90", "90 96 89 95"), {0: buy(1, kind="trailing_stop", trail_ticks=10)})
    assert run.fills == ["close 2: buy 1 @ 95 taker"]
    assert run.orders[0].stop == 95


def test_a_trailing_stop_starts_at_the_mark_of_its_submission(play: Play) -> None:
    run = play("open high low close\n100 150 80 100", {0: sell(1, kind="trailing_stop", trail_ticks=10)})
    assert run.orders[0].stop == 90


def test_a_trailing_stop_loss_starts_at_the_price_of_the_fill(play: Play) -> None:
    run = play(bars_after_100("100 101 97 100"), {0: buy(1, stop_loss_trail_ticks=10)}, slippage_ticks=2)
    assert run.fills == ["open 1: buy 1 @ 102 taker"]
    assert [(order.kind, order.stop, order.trail_ticks) for order in run.orders[1:]] == [(4, 92, 10)]


def test_a_trailing_stop_loss_follows_from_the_bar_of_its_fill(play: Play) -> None:
    run = play(bars_after_100("100 120 97 100", "115 116 109 110"), {0: buy(1, stop_loss_trail_ticks=10)})
    assert run.fills == ["open 1: buy 1 @ 100 taker", "close 2: sell 1 @ 110 taker"]


def test_a_triggered_trailing_stop_moves_no_more(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   10
        100  150   90 150    0
    """
    run = play(market, {0: sell(6, kind="trailing_stop", trail_ticks=10)}, volume_cap_ppb=100 * PERCENT)
    assert run.orders[0].stop == 90
