"""Sections 8 and 9 of the fill rules: volume, margin, postings, ruin, the end of data, and trades."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neural_trader.errors import EngineError
from neural_trader.market.bars import Step
from parity.scenario import MONEY, PERCENT, Action, Run, bars_of, buy, sell, target

Play = Callable[..., Run]

FLAT = "open high low close\n" + "100 100 100 100\n" * 4
CASH, CAPITAL, TRADING, SLIPPAGE, FEES, POSITION = range(6)


# Volume.


def test_a_bar_fills_no_more_than_its_share_of_volume_rounded_down(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100    0
        100  100  100 100   19
        100  100  100 100    9
        100  100  100 100   50
    """
    run = play(market, {0: buy(3)}, volume_cap_ppb=10 * PERCENT)
    assert run.fills == ["open 1: buy 1 @ 100 taker", "open 3: buy 2 @ 100 taker"]


def test_orders_share_the_volume_of_a_bar(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100    0
        100  100   90 100   10
        100  100  100 100   10
    """
    run = play(market, {0: [buy(7), sell(2), buy(8, kind="limit", limit=95)]}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == [
        "open 1: buy 7 @ 100 taker",
        "open 1: sell 2 @ 100 taker",
        "close 1: buy 1 @ 95 maker",
    ]


def test_the_volume_cap_comes_before_the_margin(play: Play) -> None:
    """Six of twenty could be afforded, but only four trade now; the rest stays working until margin cuts it."""
    market = """
        open high low close volume
        100  100  100 100    4
        100  100  100 100    4
        100  100  100 100    4
    """
    run = play(market, {0: buy(20)}, volume_cap_ppb=100 * PERCENT, cash=600 * MONEY)
    assert run.fills == ["open 1: buy 4 @ 100 taker", "open 2: buy 2 @ 100 taker"]
    assert run.ends == ["1 cancelled (6 of 20) margin"]


# Margin.


@pytest.mark.parametrize(
    ("actions", "config", "fills", "end"),
    [
        pytest.param({0: buy(10)}, {}, ["buy 10 @ 100"], "1 filled", id="all of the money"),
        pytest.param({0: buy(11)}, {}, ["buy 10 @ 100"], "1 cancelled (10 of 11) margin", id="more than the money"),
        pytest.param({0: sell(11)}, {}, ["sell 10 @ 100"], "1 cancelled (10 of 11) margin", id="short"),
        pytest.param(
            {0: buy(31)},
            {"leverage_ppb": 3 * 10**9},
            ["buy 30 @ 100"],
            "1 cancelled (30 of 31) margin",
            id="leverage 3",
        ),
        pytest.param(
            {0: buy(10)},
            {"leverage_ppb": 5 * 10**8},
            ["buy 5 @ 100"],
            "1 cancelled (5 of 10) margin",
            id="leverage 1/2",
        ),
        pytest.param(
            {0: buy(10)}, {"fixed_fee": 1}, ["buy 9 @ 100"], "1 cancelled (9 of 10) margin", id="the fee counts"
        ),
        pytest.param(
            {0: buy(10)}, {"slippage_ticks": 1}, ["buy 9 @ 101"], "1 cancelled (9 of 10) margin", id="slippage counts"
        ),
        pytest.param({0: buy(10)}, {"fixed_fee": 950 * MONEY}, [], "1 cancelled margin", id="nothing can be carried"),
    ],
)
def test_what_margin_allows_with_a_thousand(
    play: Play, actions: dict[int, Action], config: dict[str, int], fills: list[str], end: str
) -> None:
    run = play(FLAT, actions, cash=1_000 * MONEY, **config)
    assert run.fills == [f"open 1: {fill} taker" for fill in fills]
    assert run.ends == [end]


def test_margin_counts_the_positions_in_other_instruments(play: Play) -> None:
    market = [bars_of("A", FLAT), bars_of("B", FLAT)]
    run = play(market, {0: [sell(7), buy(7, instrument=1)]}, cash=1_000 * MONEY)
    assert run.fills == ["A open 1: sell 7 @ 100 taker", "B open 1: buy 3 @ 100 taker"]


def test_a_fill_may_reduce_a_position_that_could_not_be_opened_any_more(play: Play) -> None:
    """After the fall equity is 100 and exposure 500; selling is allowed, though what stays is still too much."""
    market = """
        open high low close
        100  100  100 100
        100  100   50  50
        50    50   50  50
    """
    run = play(market, {0: buy(10), 1: sell(1)}, cash=600 * MONEY, leverage_ppb=2 * 10**9)
    assert run.fills == ["open 1: buy 10 @ 100 taker", "open 2: sell 1 @ 50 taker"]


def test_a_reversal_beyond_the_margin_is_cut_to_what_can_be_carried(play: Play) -> None:
    run = play(FLAT, {0: buy(5), 1: sell(20)}, cash=1_000 * MONEY)
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 15 @ 100 taker"]
    assert run.ends == ["1 filled", "2 cancelled (15 of 20) margin"]


def test_a_reversal_always_keeps_its_reducing_part(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  100   60  60
        60    60   60  60
    """
    run = play(market, {0: buy(10), 1: sell(20)}, cash=500 * MONEY, leverage_ppb=2 * 10**9, fixed_fee=0)
    assert run.fills == ["open 1: buy 10 @ 100 taker", "open 2: sell 13 @ 60 taker"]


def test_a_reversal_keeps_its_reducing_part_even_if_nothing_could_be_carried(play: Play) -> None:
    """At 70 equity is 50, and selling ten lots costs 150 in slippage: they are sold all the same, and not one more."""
    market = """
        open high low close
        100  100  100 100
        100  100   70  70
        70    70   70  70
    """
    config = {"cash": 500 * MONEY, "leverage_ppb": 4 * 10**9, "slippage_ticks": 15}
    run = play(market, {0: buy(10), 1: sell(20)}, **config)
    assert run.fills == ["open 1: buy 10 @ 115 taker", "open 2: sell 10 @ 55 taker"]
    assert run.ends == ["1 filled", "2 cancelled (10 of 20) margin"]


def test_margin_values_what_is_already_held_at_the_reference(play: Play) -> None:
    """At the reference of 50 the five lots have lost 250: equity of 750 carries 15, ten more than there are."""
    market = """
        open high low close
        100  100  100 100
        100  100  100 100
        100  100   50 100
    """
    actions = {0: buy(5), 1: buy(20, kind="limit", limit=50)}
    run = play(market, actions, cash=1_000 * MONEY)
    assert run.fills == ["open 1: buy 5 @ 100 taker", "close 2: buy 10 @ 50 maker"]


def test_the_mark_of_a_fill_is_its_reference(play: Play) -> None:
    """Bought at 90 inside the bar: with the position valued there, and not at the open, ten lots can be carried."""
    market = """
        open high low close
        100  100  100 100
        100  100   90 100
    """
    run = play(market, {0: buy(12, kind="limit", limit=90)}, cash=900 * MONEY)
    assert run.fills == ["close 1: buy 10 @ 90 maker"]


# Postings.


def test_postings_of_a_purchase_and_a_sale(play: Play) -> None:
    run = play(FLAT, {0: buy(3), 1: sell(3)}, slippage_ticks=1, taker_ppb=PERCENT)
    bought, sold = 3_030_000 * MONEY // 10_000, 2_970_000 * MONEY // 10_000
    fee_in, fee_out = bought // 100, sold // 100
    assert run.postings == [
        (0, CASH, 0, 0, 1_000_000 * MONEY),
        (0, CAPITAL, 0, 0, -1_000_000 * MONEY),
        (1, CASH, 0, 0, -(bought + fee_in)),
        (1, TRADING, 1, 0, 300 * MONEY),
        (1, SLIPPAGE, 0, 0, 3 * MONEY),
        (1, FEES, 0, 0, fee_in),
        (1, POSITION, 1, 1, 3),
        (1, TRADING, 1, 1, -3),
        (2, CASH, 0, 0, sold - fee_out),
        (2, TRADING, 1, 0, -300 * MONEY),
        (2, SLIPPAGE, 0, 0, 3 * MONEY),
        (2, FEES, 0, 0, fee_out),
        (2, POSITION, 1, 1, -3),
        (2, TRADING, 1, 1, 3),
    ]


def test_amounts_of_zero_are_not_posted(play: Play) -> None:
    run = play(FLAT, {0: buy(3)})
    assert [line[1] for line in run.postings if line[0] == 1] == [CASH, TRADING, POSITION, TRADING]


def test_the_money_in_a_tick_times_a_lot_is_exact(play: Play) -> None:
    market = [bars_of("A", FLAT, tick=Step(25, 2), lot=Step(5, 3))]
    run = play(market, {0: buy(3)})
    assert run.postings[2][4] == -3 * 100 * 25 * 5 * 10 ** (18 - 2 - 3)


# Ruin.

GAP_DOWN = """
    open high low close
    100  100  100 100
    100  100  100 100
    49    60   40  55
    70    70   70  70
"""


def test_ruin_at_an_open_cancels_orders_closes_positions_and_halts(play: Play) -> None:
    actions = {0: buy(20), 1: [sell(20), buy(1, kind="limit", limit=10)], 2: [buy(1), target(3), target(0)]}
    run = play(GAP_DOWN, actions, cash=1_000 * MONEY, leverage_ppb=3 * 10**9, slippage_ticks=1, taker_ppb=PERCENT)
    assert run.fills == ["open 1: buy 20 @ 101 taker", "open 2: sell 20 @ 49 taker"]
    assert run.fill_records[1].order == run.fill_records[1].fee == run.fill_records[1].slippage == 0
    assert run.halted
    assert run.ends[1:] == [
        "2 cancelled ruin",
        "3 cancelled ruin",
        "4 rejected halted",
        "5 rejected halted",
        "6 rejected halted",
    ]
    assert run.told[2:8] == [
        "bar 0 1",
        "order 2 cancelled ruin",
        "order 3 cancelled ruin",
        "fill 0",
        "bar 0 2",
        "order 4 rejected halted",
    ]


@pytest.mark.parametrize(
    ("order", "row", "fill"),
    [
        pytest.param(buy(20), "100 100 50 90", "close 2: sell 20 @ 50 taker", id="long at the low"),
        pytest.param(sell(20), "100 150 100 110", "close 2: buy 20 @ 150 taker", id="short at the high"),
    ],
)
def test_ruin_at_the_worst_price_of_a_bar(play: Play, order: Action, row: str, fill: str) -> None:
    market = f"open high low close\n100 100 100 100\n100 100 100 100\n{row}\n100 100 100 100"
    run = play(market, {0: order}, cash=1_000 * MONEY, leverage_ppb=2 * 10**9)
    assert run.fills[1:] == [fill]
    assert run.equity[2:] == [0, 0]


def test_a_stop_that_fills_in_the_bar_saves_from_its_low(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 100 100 100\n100 100 50 90"
    run = play(market, {0: buy(20), 1: sell(20, kind="stop", stop=80)}, cash=1_000 * MONEY, leverage_ppb=2 * 10**9)
    assert run.fills[1:] == ["close 2: sell 20 @ 80 taker"]
    assert not run.halted


def test_ruin_comes_before_a_trailing_stop_moves(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 100 100 100\n100 120 50 90"
    actions = {0: buy(20), 1: buy(1, kind="trailing_stop", trail_ticks=90)}
    run = play(market, actions, cash=1_000 * MONEY, leverage_ppb=2 * 10**9)
    assert run.ends == ["1 filled", "2 cancelled ruin"]
    assert run.orders[1].stop == 190


def test_equity_of_exactly_zero_is_ruin_and_one_more_is_not(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 100 100 100\n50 50 50 50"
    config = {"leverage_ppb": 3 * 10**9}
    assert play(market, {0: buy(20)}, cash=1_000 * MONEY, **config).halted
    assert not play(market, {0: buy(20)}, cash=1_000 * MONEY + 1, **config).halted


def test_ruin_closes_every_position_at_its_mark_in_symbol_order(play: Play) -> None:
    """B falls first; A, whose own bar is not yet over, is closed at its last known price, which is its open."""
    falling = "open high low close\n100 100 100 100\n100 100 100 100\n100 100 10 100"
    rising = "open high low close\n100 100 100 100\n100 100 100 100\n110 300 110 300"
    market = [bars_of("A", falling), bars_of("B", rising)]
    run = play(market, {0: [buy(10), buy(10, instrument=1)]}, cash=700 * MONEY, leverage_ppb=4 * 10**9)
    assert run.fills[2:] == ["A close 2: sell 10 @ 10 taker", "B close 2: sell 10 @ 110 taker"]


def test_after_ruin_equity_may_be_negative_and_stays(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 100 100 100\n40 40 40 40\n90 90 90 90"
    run = play(market, {0: buy(20)}, cash=1_000 * MONEY, leverage_ppb=2 * 10**9)
    assert run.equity == [1_000, 1_000, -200, -200]


# The end of data.


def test_at_the_end_orders_stay_working_and_positions_are_marked(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 130 100 130"
    run = play(market, {0: [buy(2), buy(1, kind="limit", limit=50)]})
    assert (run.ends, run.equity[-1]) == (["1 filled", "2 working"], 1_000_060)


def test_close_at_end_closes_every_position_as_a_taker_without_spread(play: Play) -> None:
    table = "open high low close spread\n100 100 100 100 8\n100 130 100 130 8"
    market = [bars_of("A", table), bars_of("B", table)]
    actions = {0: [buy(2), sell(3, instrument=1)]}
    config = {"slippage_ticks": 1, "slippage_spread_ppb": 10**9, "fixed_fee": MONEY, "close_at_end": True}
    run = play(market, actions, **config)
    assert run.fills == [
        "A open 1: buy 2 @ 109 taker",
        "B open 1: sell 3 @ 91 taker",
        "A close 1: sell 2 @ 129 taker",
        "B close 1: buy 3 @ 131 taker",
    ]
    assert run.ends == ["1 filled", "2 filled"]
    assert run.told[-2:] == ["fill 0", "fill 0"]
    assert run.equity == [1_000_000, 1_000_000 - 218 + 273 + 258 - 393 - 4]


def test_the_sample_replaced_at_the_end_has_no_position(play: Play) -> None:
    assert play(FLAT, {0: buy(2)}).exposed_samples == 3
    assert play(FLAT, {0: buy(2)}, close_at_end=True).exposed_samples == 2


# Ranges.


@pytest.mark.parametrize(
    ("price", "order", "config"),
    [
        pytest.param(100, buy(2**63 - 1), {}, id="a notional beyond 128 bits"),
        pytest.param(100, buy(1), {"slippage_ticks": 2**63 - 1}, id="a fill price beyond 64 bits"),
        pytest.param(2**62, buy(1, kind="trailing_stop", trail_ticks=2**62), {}, id="a trail beyond 64 bits"),
        pytest.param(100, target(-(2**63)), {}, id="a quantity beyond 64 bits"),
    ],
)
def test_what_leaves_its_range_is_an_error(play: Play, price: int, order: Action, config: dict[str, int]) -> None:
    market = "open high low close\n" + f"{price} {price} {price} {price}\n" * 3
    with pytest.raises(EngineError):
        play(market, {0: order}, cash=10**20 * MONEY, **config)


# Trades.


def test_trades_match_fills_first_in_first_out(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  100  100 100
        110  110  110 110
        120  120  120 120
        130  130  130 130
    """
    run = play(market, {0: buy(5), 1: buy(5), 2: sell(7), 3: sell(4)})
    trades = [(t.direction, t.quantity, t.entry_fill, t.exit_fill, t.pnl // MONEY) for t in run.trades]
    assert trades == [
        (1, 5, 0, 2, 5 * 20),
        (1, 2, 1, 2, 2 * 10),
        (1, 3, 1, 3, 3 * 20),
        (-1, 1, 3, -1, 0),
    ]


def test_fee_shares_of_a_fill_add_up_to_its_fee(play: Play) -> None:
    run = play(FLAT, {0: buy(3), 1: sell(1), 2: sell(2)}, fixed_fee=100)
    assert [(trade.quantity, trade.fees, trade.pnl) for trade in run.trades] == [(1, 133, -133), (2, 167, -167)]


def test_a_trade_includes_slippage_by_its_prices(play: Play) -> None:
    run = play(FLAT, {0: buy(3), 1: sell(3)}, slippage_ticks=2)
    assert [trade.pnl for trade in run.trades] == [-12 * MONEY]


def test_trades_of_a_short(play: Play) -> None:
    market = "open high low close\n100 100 100 100\n100 100 100 100\n80 80 80 80\n80 80 80 80"
    run = play(market, {0: sell(3), 1: buy(3)})
    assert [(trade.direction, trade.pnl) for trade in run.trades] == [(-1, 60 * MONEY)]
