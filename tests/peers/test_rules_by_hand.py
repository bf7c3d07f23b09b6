"""The rules of docs/peer-parity.md on bars drawn by hand, so that they hold where no package can be installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.market.bars import Step
from peers.markets import BAR_NS, CLOSE_NS, bars_of

Script = dict[int, Callable[[nt.Strategy], Any]]
FLAT = (100, 101, 99, 100)


def play(rows: list[tuple[int, int, int, int]], script: Script, like: str = "backtesting.py", **keywords: Any) -> Any:
    """Play bars of whole prices; the script says what is done at the close of a bar."""

    class Scripted(nt.Strategy):
        def on_bar(self, bar: nt.Bar) -> None:
            if bar.index in script:
                script[bar.index](self)

    columns = dict(
        zip(
            ("open", "high", "low", "close"),
            ([100 * price for price in c] for c in zip(*rows, strict=True)),
            strict=True,
        )
    )
    keywords = {"cash": 1_000, "fee": 0, "slippage": 0} | keywords
    return nt.backtest(Scripted, bars_of(columns, Step(1, 0)), like=like, benchmark=False, **keywords)


def fills_of(result: nt.Result) -> list[str]:
    """Fills as ``2 open: buy 3 @ 100``."""
    said = []
    fills = result.engine.fills
    for time_ns, side, quantity, price in zip(
        *(fills[n] for n in ("time_ns", "side", "quantity", "price")), strict=True
    ):
        bar, within = divmod(time_ns, BAR_NS)
        when = "close" if within == CLOSE_NS else "open"
        ticks = price // result.bars[0].tick.mantissa / 10 ** result.bars[0].tick.decimals
        units = quantity / 10 ** result.bars[0].lot.decimals
        said.append(f"{bar} {when}: {'buy' if side > 0 else 'sell'} {units:g} @ {ticks:g}")
    return said


def ends_of(result: nt.Result) -> list[str]:
    rows = zip(result.orders["state"], result.orders["reason"], strict=True)
    return [state if reason is None else f"{state} {reason}" for state, reason in rows]


def test_the_whole_buys_less_than_everything() -> None:
    result = play([FLAT, FLAT, FLAT], {1: lambda s: s.buy()})
    assert fills_of(result) == ["2 open: buy 9 @ 100"]


def test_a_fraction_is_sized_at_the_close_of_the_bar_that_fills_it() -> None:
    rise = (100, 200, 100, 200)
    first = {1: lambda s: s.buy(4), 2: lambda s: s.buy(fraction=0.5)}
    # Equity is 1,400 at the close of 200 and 800 are used, so half of 600 buys 3 at the open of 100.
    result = play([FLAT, FLAT, FLAT, rise], first)
    assert fills_of(result) == ["2 open: buy 4 @ 100", "3 open: buy 3 @ 100"]


def test_market_orders_fill_at_the_close_before_with_trade_on_close() -> None:
    gap = (110, 112, 108, 110)
    result = play([FLAT, FLAT, gap], {1: lambda s: s.buy(1)}, like="backtesting.py:trade_on_close")
    assert fills_of(result) == ["1 close: buy 1 @ 100"]


def test_a_stop_loss_may_fire_in_the_bar_of_a_market_entry_and_comes_before_the_target() -> None:
    wild = (100, 120, 80, 100)
    result = play([FLAT, FLAT, wild], {1: lambda s: s.buy(2, stop_loss=90, take_profit=110)})
    assert fills_of(result) == ["2 open: buy 2 @ 100", "2 close: sell 2 @ 90"]
    assert ends_of(result) == ["filled", "filled", "cancelled sibling"]


def test_exits_of_a_limit_entry_wait_for_the_next_bar() -> None:
    wild = (100, 120, 80, 100)
    result = play([FLAT, FLAT, wild, wild], {1: lambda s: s.buy(2, limit=95, stop_loss=90)})
    assert fills_of(result) == ["2 close: buy 2 @ 95", "3 close: sell 2 @ 90"]


@pytest.mark.parametrize(
    ("bar", "price"),
    [((100, 110, 100, 110), 105), ((107, 110, 107, 110), 107), ((100, 104, 100, 104), None)],
    ids=["inside", "gap", "missed"],
)
def test_a_stop_fills_at_the_worse_of_stop_and_open(bar: Any, price: int | None) -> None:
    result = play([FLAT, FLAT, bar], {1: lambda s: s.buy(1, stop=105)})
    assert fills_of(result) == ([] if price is None else [f"2 close: buy 1 @ {price}"])


def test_a_stop_limit_whose_limit_may_have_come_first_waits_as_a_limit() -> None:
    through = (100, 110, 100, 110)
    back = (110, 111, 102, 104)
    result = play([FLAT, FLAT, through, back], {1: lambda s: s.buy(1, stop=105, limit=103)})
    assert fills_of(result) == ["3 close: buy 1 @ 103"]


def test_a_stop_loss_closes_its_own_trade_and_other_orders_close_the_oldest_first() -> None:
    dip = (100, 100, 94, 100)
    script: Script = {
        1: lambda s: s.buy(1),
        2: lambda s: s.buy(2, stop_loss=95),
        3: lambda s: None,
        4: lambda s: s.sell(3),
    }
    result = play([FLAT, FLAT, FLAT, FLAT, dip, FLAT], script)
    assert fills_of(result) == [
        "2 open: buy 1 @ 100",
        "3 open: buy 2 @ 100",
        "4 close: sell 2 @ 95",
        "5 open: sell 1 @ 100",
        "5 open: sell 2 @ 100",
    ]
    entries = [result.engine.trades[name][:2] for name in ("entry_fill", "exit_fill")]
    assert entries == [[1, 0], [2, 3]]


def test_what_margin_does_not_carry_is_cancelled_whole_after_closing() -> None:
    result = play([FLAT, FLAT, FLAT, FLAT], {1: lambda s: s.buy(5), 2: lambda s: s.sell(25)})
    assert fills_of(result) == ["2 open: buy 5 @ 100", "3 open: sell 5 @ 100"]
    assert ends_of(result) == ["filled", "cancelled margin"]
    assert play([FLAT, FLAT, FLAT], {1: lambda s: s.buy(100)}, leverage=10).fills["quantity"].to_list() == [100]


def test_exclusive_orders_leave_what_was_there_first() -> None:
    script: Script = {1: lambda s: s.buy(5), 2: lambda s: s.sell(3)}
    result = play([FLAT, FLAT, FLAT, FLAT], script, like="backtesting.py:exclusive_orders")
    assert fills_of(result) == ["2 open: buy 5 @ 100", "3 open: sell 5 @ 100", "3 open: sell 3 @ 100"]


def test_of_waiting_exclusive_orders_every_second_one_survives_the_next() -> None:
    def three(strategy: nt.Strategy) -> None:
        for limit in (50, 51, 52):
            strategy.buy(1, limit=limit)

    result = play([FLAT, FLAT, FLAT], {1: three}, like="backtesting.py:exclusive_orders")
    # The second cancels the first; the third finds the second alone in the queue and cancels it.
    assert ends_of(result) == ["cancelled replaced", "cancelled replaced", "working"]
    closed: Script = {1: lambda s: s.buy(2), 2: lambda s: (s.buy(1), s.buy(1))}
    result = play([FLAT, FLAT, FLAT, FLAT], closed, like="backtesting.py:exclusive_orders")
    # Exit and entry wait when the next comes: the exit is cancelled, the entry behind it is passed over.
    assert ends_of(result) == ["filled", "cancelled replaced", "filled", "filled", "filled"]


def test_the_last_bar_is_worked_off_again_with_finalize_trades() -> None:
    rise = (100, 121, 99, 120)
    script: Script = {1: lambda s: s.buy(2), 2: lambda s: s.buy(1)}
    result = play([FLAT, FLAT, rise], script, like="backtesting.py:finalize_trades")
    assert fills_of(result) == ["2 open: buy 2 @ 100", "2 open: sell 2 @ 100", "2 open: buy 1 @ 100"]
    assert result.equity_curve[-1] == 1_020


def test_equity_used_up_ends_the_run() -> None:
    crash = (100, 100, 5, 5)
    script: Script = {1: lambda s: s.buy(50), 3: lambda s: s.buy(1)}
    result = play([FLAT, FLAT, crash, FLAT], script, leverage=10, fee="1%")
    assert fills_of(result) == ["2 open: buy 50 @ 100", "2 close: sell 50 @ 5"]
    assert ends_of(result) == ["filled", "rejected halted"]
    assert result.engine.halted


def test_a_target_of_a_fraction_leaves_the_other_side_and_passes_over_its_own() -> None:
    script: Script = {
        1: lambda s: s.target(0.5),
        2: lambda s: s.target(0.9),
        3: lambda s: s.target(-0.5),
        4: lambda s: s.target(0),
        5: lambda s: s.target(quantity=2),
    }
    result = play([FLAT] * 7, script)
    assert fills_of(result) == [
        "2 open: buy 5 @ 100",
        "4 open: sell 5 @ 100",
        "4 open: sell 5 @ 100",
        "5 open: buy 5 @ 100",
        "6 open: buy 2 @ 100",
    ]


def test_entry_signals_take_all_cash_and_pass_over_a_position() -> None:
    script: Script = {0: lambda s: s.target(0.1), 1: lambda s: s.target(1), 2: lambda s: s.target(0)}
    result = play([FLAT] * 4, script, like="vectorbt", fee="0/0/4")
    assert fills_of(result) == ["0 close: buy 9.96 @ 100", "2 close: sell 9.96 @ 100"]
    assert result.equity_curve[-1] == 992
    assert ends_of(result) == ["filled", "filled"]


def test_the_stop_loss_comes_before_a_target_that_the_bar_opened_beyond_and_mutes_the_bar() -> None:
    script: Script = {0: lambda s: s.target(1, stop_loss=90, take_profit=110), 2: lambda s: s.target(1)}
    result = play([FLAT, FLAT, (112, 113, 85, 100), FLAT], script, like="vectorbt", slippage="1%")
    assert fills_of(result) == ["0 close: buy 9.90099 @ 101", "2 close: sell 9.90099 @ 90"]


def test_stops_are_tried_from_the_bar_after_the_entry_and_end_with_the_position() -> None:
    deep = (100, 101, 80, 100)
    script: Script = {0: lambda s: s.target(1, stop_loss=90), 1: lambda s: s.target(0), 2: lambda s: s.target(1)}
    result = play([deep, FLAT, FLAT, deep], script, like="vectorbt")
    assert [fill.split(":")[0] for fill in fills_of(result)] == ["0 close", "1 close", "2 close"]


def test_a_bar_with_both_signals_follows_neither() -> None:
    both: Script = {
        1: lambda s: (s.target(1), s.target(0)),
        2: lambda s: s.target(1),
        3: lambda s: (s.target(0), s.target(1)),
    }
    result = play([FLAT] * 5, both, like="vectorbt")
    assert [fill.split(" 1")[0].split(":")[0] for fill in fills_of(result)] == ["2 close"]
