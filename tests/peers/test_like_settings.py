"""What ``like`` takes for granted, refuses and leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import ConfigError, EngineError, StrategyRunError
from neural_trader.market.bars import Bars, Step
from peers.markets import bars_of, order_job

MARKET = bars_of(order_job(1), Step(1, 2))


class Idle(nt.Strategy):
    """Does nothing."""


class Once(nt.Strategy):
    """Does one thing at the second bar."""

    def on_bar(self, bar: nt.Bar) -> None:
        if bar.index == 1:
            self.act(bar)


def doing(act: Any) -> type[Once]:
    return type("Doing", (Once,), {"act": act})


def run(strategy: Any = Idle, bars: Any = MARKET, **keywords: Any) -> nt.Result:
    return nt.backtest(strategy, bars, benchmark=False, **keywords)


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ("backtesting_py", "did you mean 'backtesting.py'?"),
        ("vectorbot", "did you mean 'vectorbt'?"),
        ("zipline", "known: backtesting.py, vectorbt"),
        ("backtesting.py:exclusive_order", "did you mean 'exclusive_orders'?"),
        ("backtesting.py:", "no option ''"),
        ("vectorbt:exclusive_orders", "it has none"),
    ],
)
def test_unknown_rules_and_options_are_refused_with_the_nearest_name(like: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        run(like=like)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"like": "backtesting.py", "slippage": "1bps"}, "no slippage"),
        ({"like": "backtesting.py", "fee": "1bps/2bps"}, "one commission"),
        ({"like": "backtesting.py", "fee": "10%"}, "below 10 %"),
        ({"like": "backtesting.py", "leverage": 0.5}, "leverage is at least 1"),
        ({"like": "backtesting.py", "limit": "through"}, "touch"),
        ({"like": "backtesting.py", "volume_cap": 0.1}, "no volume cap"),
        ({"like": "vectorbt", "fill": "open"}, 'set fill to "close"'),
        ({"like": "vectorbt", "slippage": "1 tick"}, "rate of the price"),
        ({"like": "vectorbt", "fee": "1bps/2bps"}, "one fee"),
        ({"like": "vectorbt", "leverage": 2}, "no leverage"),
        ({"like": "vectorbt", "limit": "through"}, "touch"),
        ({"like": "vectorbt", "volume_cap": 0.1}, "no volume cap"),
        ({"like": "vectorbt", "close_at_end": True}, "open at the end"),
    ],
)
def test_settings_that_a_package_does_not_know_are_refused(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        run(**keywords)
    assert said in str(raised.value)


@pytest.mark.parametrize("like", ["backtesting.py", "vectorbt"])
def test_one_instrument_per_run(like: str) -> None:
    with pytest.raises(ConfigError, match="one instrument per run, not 3"):
        nt.backtest(Idle, like=like)


def test_lots_have_to_make_up_units() -> None:
    coarse = Bars(**{**vars(MARKET), "lot": Step(3, 1)})
    with pytest.raises(ConfigError, match=r"lots of 0\.3"):
        run(bars=coarse, like="backtesting.py")


def test_what_is_not_given_is_what_the_package_takes_for_granted() -> None:
    names = ("cash", "fill", "slippage", "close_at_end", "like")
    assert [run(like="backtesting.py").run[name] for name in names] == [
        "10000",
        "open",
        "none",
        False,
        "backtesting.py",
    ]
    assert [run(like="vectorbt").run[name] for name in names] == ["100", "close", "none", False, "vectorbt"]
    assert [run().run[name] for name in names] == ["10000", "open", "2 bps", False, None]
    given = run(like="vectorbt", cash=5000, fee="10bps/10bps/1", slippage="3bps")
    assert (given.run["cash"], given.run["fee"]["fixed"], given.run["slippage"]) == ("5000", "1", "3 bps")


def test_options_are_settings_by_the_names_of_the_package() -> None:
    result = run(like="backtesting.py:trade_on_close, finalize_trades")
    assert (result.run["fill"], result.run["close_at_end"]) == ("close", True)
    assert result.run["like"] == "backtesting.py:finalize_trades,trade_on_close"


def test_rules_are_part_of_the_hash_of_the_run() -> None:
    plain = {"cash": 10_000, "fee": 0, "slippage": 0}
    hashes = {run(**plain, like=like).hash for like in (None, "backtesting.py", "backtesting.py:exclusive_orders")}
    assert len(hashes) == 3
    assert run(like="backtesting.py").hash == run(like="backtesting.py").hash


def test_vectorbt_counts_finely_and_says_so() -> None:
    played = run(like="vectorbt").bars[0]
    assert (played.tick, played.lot) == (Step(1, 9), Step(1, 9))
    np.testing.assert_array_equal(played.close_price, MARKET.close_price)
    assert "close to the floats of vectorbt" in played.notes[-1]
    dear = Bars(
        **{**vars(MARKET), **{name: getattr(MARKET, name) * 10**6 for name in ("open", "high", "low", "close")}}
    )
    tick = run(bars=dear, like="vectorbt").bars[0].tick
    assert tick.decimals < 9 and int(dear.high.max()) * 10 ** (tick.decimals - 2) < 2**53


@pytest.mark.parametrize(
    ("like", "act", "said"),
    [
        ("backtesting.py", lambda self, bar: self.buy(cash=100), "no sizes in cash"),
        ("backtesting.py", lambda self, bar: self.buy(1, trail=1.0), "no trailing stops"),
        ("backtesting.py", lambda self, bar: self.buy(1, stop_loss_trail=1.0), "no trailing stops"),
        ("backtesting.py", lambda self, bar: self.buy(1, good_till="day"), "no time in force"),
        ("vectorbt", lambda self, bar: self.buy(1), "target(1) enters"),
        ("vectorbt", lambda self, bar: self.target(-1), "long only"),
        ("vectorbt", lambda self, bar: self.target(1, stop_loss_trail=1.0), "do not trail"),
    ],
)
def test_orders_that_a_package_does_not_know_are_errors(like: str, act: Any, said: str) -> None:
    with pytest.raises((EngineError, StrategyRunError)) as raised:
        run(doing(act), like=like)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "act",
    [
        lambda self, bar: self.buy(1.5),
        lambda self, bar: self.buy(0),
        lambda self, bar: self.buy(fraction=1.5),
        lambda self, bar: self.buy(1, stop_loss=bar.close),
        lambda self, bar: self.sell(1, limit=bar.close, take_profit=bar.close + 1),
    ],
)
def test_orders_that_the_package_would_refuse_are_rejected(act: Any) -> None:
    result = run(doing(act), like="backtesting.py")
    assert result.orders["state"].to_list() == ["rejected"]
    assert result.fills.is_empty()
