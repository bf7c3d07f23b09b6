"""Section 2 of the fill rules: when things become known, and in which order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neural_trader.errors import EngineError
from parity.scenario import Run, bars_of, buy, cancel, sell, target

Play = Callable[..., Run]

RISING = """
    open high low close
    100  100  100 100
    110  110  110 110
    120  120  120 120
    130  130  130 130
"""


def test_an_order_decided_at_a_close_fills_at_the_next_open(play: Play) -> None:
    run = play(RISING, {0: buy(5)})
    assert run.fills == ["open 1: buy 5 @ 110 taker"]


def test_an_order_sent_on_a_fill_at_an_open_waits_for_the_open_after(play: Play) -> None:
    run = play(RISING, {0: buy(5), "fill 1": sell(5)})
    assert run.fills == ["open 1: buy 5 @ 110 taker", "open 2: sell 5 @ 120 taker"]


def test_an_order_sent_on_a_fill_inside_a_bar_fills_at_the_next_open(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  110   90 100
        107  107  107 107
    """
    run = play(market, {0: buy(5, kind="limit", limit=95), "fill 1": sell(5)})
    assert run.fills == ["close 1: buy 5 @ 95 maker", "open 2: sell 5 @ 107 taker"]


def test_with_fill_close_an_order_fills_at_the_close_that_decided_it(play: Play) -> None:
    run = play(RISING, {1: buy(5)}, fill_close=True)
    assert run.fills == ["close 1: buy 5 @ 110 taker"]


def test_with_fill_close_an_order_sent_on_a_fill_at_the_close_waits_for_the_next_close(play: Play) -> None:
    run = play(RISING, {0: buy(5), "fill 1": sell(5)}, fill_close=True)
    assert run.fills == ["close 0: buy 5 @ 100 taker", "close 1: sell 5 @ 110 taker"]


def test_with_fill_close_an_order_sent_before_the_bars_are_told_fills_at_that_close(play: Play) -> None:
    market = """
        open high low close
        100  100  100 100
        100  110   90 104
    """
    run = play(market, {0: buy(5, kind="limit", limit=95), "fill 1": sell(5)}, fill_close=True)
    assert run.fills == ["close 1: buy 5 @ 95 maker", "close 1: sell 5 @ 104 taker"]


def test_with_fill_close_limits_and_stops_still_wait_for_the_next_bar(play: Play) -> None:
    run = play(RISING, {0: [buy(1, kind="limit", limit=100), buy(1, kind="stop", stop=100)]}, fill_close=True)
    assert run.fills == ["open 1: buy 1 @ 110 taker"]


def test_fills_are_told_before_the_bar_and_the_bar_in_symbol_order(play: Play) -> None:
    market = [bars_of("A", RISING), bars_of("B", RISING)]
    run = play(market, {0: [buy(1, kind="limit", limit=115), buy(1, instrument=1)]})
    assert run.told[:6] == ["bar 0 0", "bar 1 0", "fill 1", "fill 2", "bar 0 1", "bar 1 1"]


def test_a_refusal_is_told_before_the_next_bar_of_the_moment(play: Play) -> None:
    market = [bars_of("A", RISING), bars_of("B", RISING)]
    run = play(market, {0: [buy(0), buy(1), cancel(2)]})
    assert run.told[:4] == ["bar 0 0", "order 1 rejected size", "order 2 cancelled user", "bar 1 0"]


def test_what_a_notification_causes_is_told_after_what_was_already_pending(play: Play) -> None:
    run = play(RISING, {0: [buy(1), buy(1)], "fill 1": buy(0)})
    assert run.told[1:4] == ["fill 1", "fill 2", "order 3 rejected size"]


def test_at_one_time_a_close_comes_before_an_open(play: Play) -> None:
    """B opens exactly when A closes: what A's close decides on B is live at that opening."""
    market = [bars_of("A", RISING), bars_of("B", RISING, first_ns=90)]
    run = play(market, {0: buy(3, instrument=1)})
    assert run.fills == ["B open 0: buy 3 @ 100 taker"]


def test_the_opening_match_goes_by_order_id_over_all_instruments_of_the_moment(play: Play) -> None:
    market = [bars_of("A", RISING), bars_of("B", RISING)]
    run = play(market, {0: [buy(1, instrument=1), buy(2), buy(3, instrument=1)]})
    assert run.fills == ["B open 1: buy 1 @ 110 taker", "A open 1: buy 2 @ 110 taker", "B open 1: buy 3 @ 110 taker"]


def test_equity_is_sampled_once_per_close_moment_at_the_marks(play: Play) -> None:
    market = [bars_of("A", RISING), bars_of("B", RISING)]
    run = play(market, {0: buy(10)})
    assert run.equity == [1_000_000, 1_000_000, 1_000_100, 1_000_200]
    assert [time_ns for time_ns, _ in run.samples] == [90, 190, 290, 390]
    assert run.exposed_samples == 3


def test_the_equity_sample_at_a_close_includes_the_closing_match(play: Play) -> None:
    run = play(RISING, {0: buy(10)}, fill_close=True, fixed_fee=10**18)
    assert run.equity[0] == 999_999


def test_an_order_loop_is_an_error(play: Play) -> None:
    refusals = {f"order {number}": buy(0) for number in range(1, 10_100)}
    with pytest.raises(EngineError):
        play(RISING, {0: buy(0), **refusals})


def test_a_target_from_a_fill_reaches_its_position(play: Play) -> None:
    run = play(RISING, {0: buy(5), "fill 1": target(-2)})
    assert run.fills == ["open 1: buy 5 @ 110 taker", "open 2: sell 7 @ 120 taker"]
