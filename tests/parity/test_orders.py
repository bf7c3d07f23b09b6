"""Section 3 of the fill rules: acceptance, time in force, sizes, brackets and cancellation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from parity.scenario import (
    MONEY,
    PERCENT,
    Action,
    Run,
    bars_of,
    buy,
    cancel,
    sell,
    target,
)

Play = Callable[..., Run]

FLAT = """
    open high low close
    100  100  100 100
    100  100  100 100
    100  100  100 100
    100  100  100 100
"""
DAY_NS = 86_400 * 10**9


# Refusals.


@pytest.mark.parametrize(
    ("order", "end"),
    [
        pytest.param(buy(0), "1 rejected size", id="no quantity"),
        pytest.param(buy(-5), "1 rejected size", id="negative quantity"),
        pytest.param(buy(99 * MONEY, size_kind="cash"), "1 rejected size", id="cash for less than one lot"),
        pytest.param(buy(-1, size_kind="cash"), "1 rejected size", id="negative cash"),
        pytest.param(buy(1, size_kind="fraction"), "1 rejected size", id="a fraction for less than one lot"),
        pytest.param(buy(1, kind="limit", limit=0), "1 rejected price", id="limit of zero"),
        pytest.param(buy(1, kind="stop", stop=-1), "1 rejected price", id="negative stop"),
        pytest.param(buy(1, kind="stop_limit", stop=100, limit=0), "1 rejected price", id="stop-limit without price"),
        pytest.param(buy(1, kind="trailing_stop", trail_ticks=0), "1 rejected price", id="trail of zero"),
        pytest.param(buy(1, kind="trailing_stop", trail_ppb=-1), "1 rejected price", id="negative trail"),
        pytest.param(buy(1, stop_loss=0), "1 rejected price", id="stop loss of zero"),
        pytest.param(buy(1, take_profit=-3), "1 rejected price", id="negative take profit"),
        pytest.param(buy(1, stop_loss_trail_ticks=0), "1 rejected price", id="trailing stop loss of zero"),
        pytest.param(buy(0, kind="limit", limit=0), "1 rejected price", id="price is judged before size"),
    ],
)
def test_a_wrong_order_is_rejected_and_recorded(play: Play, order: Action, end: str) -> None:
    run = play(FLAT, {0: order})
    assert run.ends == [end]
    assert run.answers == [1]
    assert run.told.count("order " + end) == 1
    assert (run.orders[0].filled, run.orders[0].cancelled) == (0, run.orders[0].quantity)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(buy(1_000 * MONEY, size_kind="cash", instrument=1), id="cash"),
        pytest.param(buy(50 * PERCENT, size_kind="fraction", instrument=1), id="fraction"),
        pytest.param(
            buy(1_000 * MONEY, size_kind="cash", kind="limit", limit=90, instrument=1),
            id="cash, though a limit is given",
        ),
        pytest.param(buy(50 * PERCENT, size_kind="target_fraction", instrument=1), id="target fraction"),
        pytest.param(buy(1, kind="trailing_stop", trail_ticks=5, instrument=1), id="trailing stop"),
    ],
)
def test_an_instrument_without_a_price_cannot_size_or_trail(play: Play, order: Action) -> None:
    run = play([bars_of("A", FLAT), bars_of("B", FLAT, first_ns=250)], {0: order})
    assert run.ends == ["1 rejected no_price"]


def test_an_instrument_without_a_price_takes_an_order_for_a_quantity(play: Play) -> None:
    run = play(
        [bars_of("A", FLAT), bars_of("B", FLAT, first_ns=250)], {0: [buy(3, instrument=1), target(5, instrument=1)]}
    )
    assert run.fills == ["B open 0: buy 3 @ 100 taker", "B open 0: buy 2 @ 100 taker"]


# Time in force.


def test_a_gtd_order_expires_at_the_first_open_at_or_after_its_time(play: Play) -> None:
    dip = """
        open high low close
        100  100  100 100
        100  100  100 100
        90   90   90  90
    """
    orders = [
        buy(1, kind="limit", limit=95, time_in_force="gtd", expire_ns=200),
        buy(2, kind="limit", limit=95, time_in_force="gtd", expire_ns=201),
    ]
    run = play(dip, {0: orders})
    assert run.ends == ["1 expired time", "2 filled"]
    assert run.fills == ["open 2: buy 2 @ 90 maker"]


def test_a_day_order_has_the_day_of_the_first_open_at_which_it_is_live(play: Play) -> None:
    """Sent at the last close of one day, it lives through the bars of the next, and ends when the day after begins."""
    market = [bars_of("A", "open high low close\n" + "100 100 100 100\n" * 6, bar_ns=DAY_NS // 2)]
    run = play(market, {1: buy(1, kind="limit", limit=50, time_in_force="day")})
    assert run.ends == ["1 expired time"]
    assert run.told == ["bar 0 0", "bar 0 1", "bar 0 2", "bar 0 3", "order 1 expired time", "bar 0 4", "bar 0 5"]


def test_expiry_comes_before_the_opening_match(play: Play) -> None:
    run = play(FLAT, {0: buy(1, time_in_force="gtd", expire_ns=100)})
    assert (run.ends, run.fills) == (["1 expired time"], [])


# Sizes.


@pytest.mark.parametrize(
    ("order", "lots"),
    [
        pytest.param(buy(1_050 * MONEY, size_kind="cash"), 10, id="cash at the mark, rounded down"),
        pytest.param(buy(1_050 * MONEY, size_kind="cash", kind="limit", limit=50), 21, id="cash at the limit"),
        pytest.param(buy(1_050 * MONEY, size_kind="cash", kind="stop", stop=150), 7, id="cash at the stop"),
        pytest.param(
            buy(1_050 * MONEY, size_kind="cash", kind="stop_limit", stop=150, limit=200), 5, id="limit before stop"
        ),
        pytest.param(buy(10 * PERCENT, size_kind="fraction"), 1_000, id="a tenth of equity"),
        pytest.param(sell(150 * PERCENT, size_kind="fraction"), 15_000, id="more than equity"),
        pytest.param(buy(10 * PERCENT, size_kind="target_fraction"), 1_000, id="target of a tenth"),
        pytest.param(
            buy(1_000 * MONEY, size_kind="cash", kind="trailing_stop", trail_ticks=60),
            10,
            id="trailing stop at the mark",
        ),
    ],
)
def test_a_size_is_resolved_when_the_order_is_sent(play: Play, order: Action, lots: int) -> None:
    assert play(FLAT, {0: order}).orders[0].quantity == lots


def test_a_target_trades_the_difference_whatever_side_it_was_sent_with(play: Play) -> None:
    run = play(FLAT, {0: target(5), 1: target(-3), 2: target(0)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 8 @ 100 taker", "open 3: buy 3 @ 100 taker"]


def test_a_negative_target_fraction_is_short(play: Play) -> None:
    run = play(FLAT, {0: buy(-20 * PERCENT, size_kind="target_fraction")})
    assert run.fills == ["open 1: sell 2000 @ 100 taker"]


def test_a_target_that_is_reached_makes_no_order(play: Play) -> None:
    run = play(FLAT, {0: target(5), 1: target(5), 2: target(5)})
    assert run.answers == [1, 0, 0]


def test_a_target_replaces_every_working_target_of_its_instrument(play: Play) -> None:
    run = play(FLAT, {0: [target(5), buy(1), target(7)]})
    assert run.ends == ["1 cancelled replaced", "2 filled", "3 filled (6 of 7) reached"]
    assert run.fills == ["open 1: buy 1 @ 100 taker", "open 1: buy 6 @ 100 taker"]


def test_a_target_and_a_stop_due_at_one_open_never_turn_the_position_around(play: Play) -> None:
    gap = """
        open high low close
        100  100  100 100
        100  100  100 100
         90   90   90  90
    """
    run = play(gap, {0: buy(5, stop_loss=95), 1: target(0)})
    assert run.ends == ["1 filled", "2 filled", "3 cancelled reached"]
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 5 @ 90 taker"]


def test_a_target_that_the_position_has_passed_does_not_turn_back(play: Play) -> None:
    run = play(FLAT, {0: [buy(9), target(5)]})
    assert run.ends == ["1 filled", "2 cancelled reached"]
    assert run.fills == ["open 1: buy 9 @ 100 taker"]


def test_exits_end_with_the_position_that_they_protect(play: Play) -> None:
    run = play(FLAT, {0: buy(5, stop_loss=90, take_profit=110), 1: target(0), 2: buy(3)})
    assert run.ends == [
        "1 filled",
        "2 cancelled nothing_to_reduce",
        "3 cancelled nothing_to_reduce",
        "4 filled",
        "5 filled",
    ]


def test_a_fill_through_zero_ends_the_old_exits_and_makes_its_own(play: Play) -> None:
    run = play(FLAT, {0: buy(5, stop_loss=90), 1: target(-4, stop_loss=110)})
    assert run.ends == ["1 filled", "2 cancelled nothing_to_reduce", "3 filled", "4 working"]
    assert (run.orders[3].parent, run.orders[3].side, run.orders[3].stop) == (3, 1, 110)


def test_a_target_already_reached_still_replaces(play: Play) -> None:
    run = play(FLAT, {0: [target(5), target(0)]})
    assert (run.answers, run.ends, run.fills) == ([1, 0], ["1 cancelled replaced"], [])


def test_a_refused_target_still_replaces(play: Play) -> None:
    run = play(FLAT, {0: [target(5), target(7, stop_loss=-1)]})
    assert run.ends == ["1 cancelled replaced", "2 rejected price"]


def test_a_stop_and_a_target_never_add_up_to_more_than_the_target(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  100  100 100
        85    85   85  85
    """
    run = play(market, {0: buy(5, stop_loss=90), 1: target(0)})
    assert run.fills[1:] == ["open 2: sell 5 @ 85 taker"]
    assert run.ends == ["1 filled", "2 filled", "3 cancelled reached"]


@pytest.mark.parametrize(
    ("size", "fills", "end"),
    [
        pytest.param(4, ["sell 4", "sell 6"], "3 filled (6 of 10) reached", id="part of the way is done"),
        pytest.param(10, ["sell 10"], "3 cancelled reached", id="all of it"),
        pytest.param(13, ["sell 13"], "3 cancelled reached", id="more than that"),
    ],
)
def test_a_target_is_cut_to_what_is_missing_when_it_fills(play: Play, size: int, fills: list[str], end: str) -> None:
    run = play(FLAT, {0: buy(10), 1: [sell(size), target(0)]})
    assert run.fills[1:] == [f"open 2: {fill} @ 100 taker" for fill in fills]
    assert run.ends[2] == end


def test_a_target_is_not_enlarged_when_the_position_moved_away(play: Play) -> None:
    run = play(FLAT, {0: buy(10), 1: [sell(2), target(15)]})
    assert run.fills[1:] == ["open 2: sell 2 @ 100 taker", "open 2: buy 5 @ 100 taker"]


def test_targets_of_other_instruments_stay(play: Play) -> None:
    run = play([bars_of("A", FLAT), bars_of("B", FLAT)], {0: [target(5), target(7, instrument=1)]})
    assert run.ends == ["1 filled", "2 filled"]


# Brackets.


def test_children_are_made_by_the_fill_the_stop_first(play: Play) -> None:
    run = play(FLAT, {0: buy(5, stop_loss=90, take_profit=110)})
    assert run.ends == ["1 filled", "2 working", "3 working"]
    stop, limit = run.orders[1:]
    assert (stop.parent, stop.side, stop.quantity, stop.stop, stop.limit) == (1, -1, 5, 90, 0)
    assert (limit.parent, limit.side, limit.quantity, limit.stop, limit.limit) == (1, -1, 5, 0, 110)
    assert stop.submit_ns == limit.submit_ns == 100


def test_a_child_fills_in_the_bar_of_a_parent_filled_at_its_open(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  105   85  95
    """
    run = play(market, {0: buy(5, stop_loss=90)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "close 1: sell 5 @ 90 taker"]


def test_a_child_waits_for_the_next_bar_when_its_parent_filled_inside_a_bar(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  105   85  95
         97  100   80  95
    """
    run = play(market, {0: buy(5, kind="limit", limit=98, stop_loss=90)})
    assert run.fills == ["close 1: buy 5 @ 98 maker", "close 2: sell 5 @ 90 taker"]


def test_a_child_waits_for_the_next_bar_when_its_parent_filled_at_a_close(play: Play) -> None:
    market = """
        open high low close
        100  105   85 100
         88  100   80  95
    """
    run = play(market, {0: buy(5, stop_loss=90)}, fill_close=True)
    assert run.fills == ["close 0: buy 5 @ 100 taker", "open 1: sell 5 @ 88 taker"]


def test_a_child_made_at_an_open_is_no_candidate_at_that_open(play: Play) -> None:
    """The target is below the open from the start, but it waits for the intrabar match, where it gets the open."""
    market = """
        open high low close
        100  100  100 100
        120  125  118 119
    """
    run = play(market, {0: buy(5, take_profit=110)})
    assert run.fills == ["open 1: buy 5 @ 120 taker", "close 1: sell 5 @ 120 maker"]


def test_children_already_passed_by_the_market_get_the_open_and_no_better(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        120  125  118 119
    """
    assert play(market, {0: buy(5, stop_loss=123)}).fills[1:] == ["close 1: sell 5 @ 120 taker"]
    assert play(market, {0: sell(5, stop_loss=119)}).fills[1:] == ["close 1: buy 5 @ 120 taker"]
    assert play(market, {0: sell(5, take_profit=122)}).fills[1:] == ["close 1: buy 5 @ 120 maker"]


def test_a_target_made_inside_a_bar_arrives_with_the_next_open_and_takes(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  101   95 100
        112  112  112 112
    """
    run = play(market, {0: buy(5, kind="limit", limit=98, take_profit=110)}, slippage_ticks=1)
    assert run.fills == ["close 1: buy 5 @ 98 maker", "open 2: sell 5 @ 111 taker"]


def test_a_target_made_at_an_open_has_waited_when_the_next_open_comes(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  101   95 100
        112  112  112 112
    """
    run = play(market, {0: buy(5, take_profit=110)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 5 @ 112 maker"]


def test_the_stop_beats_the_target_in_the_same_bar(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  120   80 110
    """
    run = play(market, {0: buy(5, stop_loss=90, take_profit=101)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "close 1: sell 5 @ 90 taker"]
    assert run.ends == ["1 filled", "2 filled", "3 cancelled sibling"]


def test_what_fills_of_one_sibling_is_cut_from_the_other(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   10
        100  105   95 100   10
        112  115  110 112    4
        85    90   80  85   10
    """
    run = play(market, {0: buy(10, stop_loss=90, take_profit=110)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == ["open 1: buy 10 @ 100 taker", "open 2: sell 4 @ 112 maker", "open 3: sell 6 @ 85 taker"]
    assert run.ends == ["1 filled", "2 filled (6 of 10) sibling", "3 cancelled (4 of 10) sibling"]


def test_children_grow_with_later_fills_of_their_parent(play: Play) -> None:
    market = """
        open high low close volume
        100  100  100 100   6
        100  105   95 100   6
        101  105   95 100   6
         85   90   80  85   20
    """
    run = play(market, {0: buy(10, stop_loss=90, take_profit=150)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == ["open 1: buy 6 @ 100 taker", "open 2: buy 4 @ 101 taker", "open 3: sell 10 @ 85 taker"]
    assert [order.quantity for order in run.orders] == [10, 10, 10]


def test_if_one_child_is_cancelled_the_other_stays(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  105   95 100
        120  120  120 120
    """
    run = play(market, {0: buy(5, stop_loss=90, take_profit=110), 1: cancel(2)})
    assert run.ends == ["1 filled", "2 cancelled user", "3 filled"]


def test_a_child_fills_no_more_than_the_position(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  105   95 100
        100  105   95 100
        85    90   80  85
        85    90   80  85
    """
    run = play(market, {0: buy(5, stop_loss=90), 1: sell(3)})
    assert run.fills[2:] == ["open 3: sell 2 @ 85 taker"]
    assert run.ends[1] == "2 cancelled (2 of 5) nothing_to_reduce"


def test_a_child_without_a_position_is_cancelled_when_it_would_fill(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  105   95 100
        100  105   95 100
        85    90   80  85
    """
    run = play(market, {0: buy(5, stop_loss=90), 1: sell(5)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 5 @ 100 taker"]
    assert run.ends[1] == "2 cancelled nothing_to_reduce"


def test_a_bracket_on_a_short_mirrors_it(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  115   85  90
    """
    run = play(market, {0: sell(5, stop_loss=110, take_profit=90)})
    assert run.fills == ["open 1: sell 5 @ 100 taker", "close 1: buy 5 @ 110 taker"]


def test_a_child_is_cancelled_by_the_fill_that_closes_its_position(play: Play) -> None:
    """Long before it would fill, so that it cannot cut the next position."""
    market = """
        open high low close
        100  100  100 100
        100  100  100 100
        100  100  100 100
        100  100  100 100
        85    85   85  85
    """
    run = play(market, {0: buy(5, stop_loss=90, take_profit=110), 1: sell(5), 2: buy(4)})
    assert run.fills == ["open 1: buy 5 @ 100 taker", "open 2: sell 5 @ 100 taker", "open 3: buy 4 @ 100 taker"]
    assert run.told[3:7] == [
        "fill 4",
        "order 2 cancelled nothing_to_reduce",
        "order 3 cancelled nothing_to_reduce",
        "bar 0 2",
    ]


def test_children_of_every_parent_go_with_the_position(play: Play) -> None:
    run = play(FLAT, {0: [buy(5, stop_loss=90), buy(2, take_profit=120)], 1: sell(7)})
    assert run.ends[2:4] == ["3 cancelled nothing_to_reduce", "4 cancelled nothing_to_reduce"]


def test_children_stay_while_a_part_of_the_position_does(play: Play) -> None:
    run = play(FLAT, {0: buy(5, stop_loss=90), 1: sell(4)})
    assert run.ends[1] == "2 working"


def test_a_reversal_releases_the_old_children_and_makes_its_own(play: Play) -> None:
    run = play(FLAT, {0: buy(5, stop_loss=90), 1: sell(8, stop_loss=110)})
    assert run.ends == ["1 filled", "2 cancelled nothing_to_reduce", "3 filled", "4 working"]
    assert (run.orders[3].side, run.orders[3].quantity) == (1, 8)


def test_a_reversal_in_parts_keeps_the_children_it_made_on_the_way(play: Play) -> None:
    """The order sells through zero with its second fill; the exit it got with the first one protects what comes."""
    market = "open high low close volume\n" + "100 100 100 100 4\n" * 5
    run = play(market, {0: buy(6, stop_loss=90), 2: sell(9, stop_loss=150)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills[2:] == ["open 3: sell 4 @ 100 taker", "open 4: sell 4 @ 100 taker"]
    assert run.ends[1:] == ["2 cancelled nothing_to_reduce", "3 working (8 of 9)", "4 working"]
    assert run.orders[3].quantity == 8


def test_a_child_that_has_ended_is_not_made_again(play: Play) -> None:
    market = FLAT.replace("open high low close", "open high low close volume").replace("100\n", "100 6\n")
    run = play(market, {0: buy(20, stop_loss=50), 1: cancel(2)}, volume_cap_ppb=100 * PERCENT)
    assert run.fills == [f"open {bar}: buy 6 @ 100 taker" for bar in (1, 2, 3)]
    assert run.ends == ["1 working (18 of 20)", "2 cancelled user"]


# Cancellation.


def test_cancel_says_whether_there_was_a_working_order(play: Play) -> None:
    run = play(FLAT, {0: [buy(1, kind="limit", limit=50), cancel(1), cancel(1), cancel(7), cancel(0)]})
    assert run.answers == [1, True, False, False, False]
    assert run.ends == ["1 cancelled user"]


def test_a_filled_order_cannot_be_cancelled(play: Play) -> None:
    run = play(FLAT, {0: buy(1), 1: cancel(1)})
    assert (run.answers, run.ends) == ([1, False], ["1 filled"])


def test_the_children_of_a_cancelled_entry_never_exist(play: Play) -> None:
    run = play(FLAT, {0: [buy(1, kind="limit", limit=50, stop_loss=40), cancel(1)]})
    assert run.ends == ["1 cancelled user"]


def test_the_children_of_a_partly_filled_entry_outlive_its_cancellation(play: Play) -> None:
    market = FLAT.replace("open high low close", "open high low close volume").replace("100\n", "100 4\n")
    run = play(market, {0: buy(10, stop_loss=90), 1: cancel(1)}, volume_cap_ppb=100 * PERCENT)
    assert run.ends == ["1 cancelled (4 of 10) user", "2 working"]
    assert run.orders[1].quantity == 4
