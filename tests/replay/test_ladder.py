"""The fidelity ladder: which rungs a recording allows, what their orders meet, and what the strategy is told."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import ConfigError, UsageError
from neural_trader.market.bars import Step
from neural_trader.market.order_flow import LOT, TICK, order_flow
from neural_trader.market.recordings import Listed, Recording, synthetic_recording
from neural_trader.report.rungs import Rung, reading

BARS = ("Fill at the close of {} bars", "Fill at the next open of {} bars", "Path through {} bars")
QUEUES = ("No latency, nobody before us", "Nobody before us", "Cancellations by chance", "Cancellations behind us")
WHOLE = "The same, whole fills only"

told: list[tuple[list[tuple[int, float, float]], list[float]]] = []


class Buyer(nt.Strategy):
    """Buys at each twentieth trade, and remembers what it was told and what it saw of the book."""

    def on_start(self) -> None:
        self.trades: list[tuple[int, float, float]] = []
        self.bids: list[float] = []
        told.append((self.trades, self.bids))

    def on_trade(self, trade: nt.Tick) -> None:
        self.trades.append((trade.time_ns, trade.price, trade.quantity))
        self.bids.append(self.best_bid())
        if len(self.trades) % 20 == 0:
            self.buy(1)


@pytest.fixture(scope="module")
def levels() -> Recording:
    return synthetic_recording(7, "1m")


@pytest.fixture(scope="module")
def orders() -> Recording:
    records = np.concatenate(list(order_flow(seed=7, duration="1m")))
    return Recording(records, (Listed("A", TICK, LOT),))


def names(result: nt.Result) -> list[str]:
    return [rung.assumption for rung in result.ladder]


def in_bars(interval: str) -> list[str]:
    return [each.format(interval) for each in BARS]


def test_a_recording_of_levels_has_bars_queues_and_whole_fills(levels: Recording) -> None:
    result = nt.replay("avellaneda_stoikov", levels, ladder=True)
    assert names(result) == [*in_bars("1s"), *QUEUES, WHOLE]
    (own,) = [rung for rung in result.ladder if rung.is_run]
    assert (own.assumption, own.fills) == ("Cancellations behind us", len(result.fills))


def test_a_recording_of_orders_has_its_levels_and_the_true_place_in_the_queue(orders: Recording) -> None:
    result = nt.replay("avellaneda_stoikov", orders, ladder=True, ladder_bar="5s")
    assert names(result) == [*in_bars("5s"), *QUEUES, "Our true place in the queue", WHOLE]
    by_name = {rung.assumption: rung for rung in result.ladder}
    assert by_name["Our true place in the queue"].is_run
    # The same levels, played as a recording of their own, are met by the same orders.
    from neural_trader.market.order_flow import collapsed

    alone = Recording(np.concatenate(list(collapsed([orders.records]))), orders.instruments)
    queued = nt.replay("avellaneda_stoikov", alone, queue="log")
    assert by_name["Cancellations by chance"].fills == len(queued.fills) > 0


def test_quotes_are_a_rung_where_they_were_recorded() -> None:
    from replay.scenario import tape

    text = "\n".join(f"{at} bid {99} {5 + at % 7}, ask 101 4, best_bid 99 5, best_ask 101 4" for at in range(1, 60))
    both = Recording(tape(text), (Listed("A", Step(1, 2), Step(1, 1)),))
    assert "Best prices only" in names(nt.replay(Buyer, both, ladder=True))
    quotes = Recording(both.records[both.records["kind"] == 7], both.instruments)
    found = names(nt.replay(Buyer, quotes, ladder=True))
    assert found == [*QUEUES, WHOLE], "without trades there are no bars"


class EachBuyer(nt.Strategy):
    """Buys of each instrument at each twentieth of its trades."""

    def on_start(self) -> None:
        self.counts = Counter[str]()

    def on_trade(self, trade: nt.Tick) -> None:
        self.counts[trade.symbol] += 1
        if self.counts[trade.symbol] % 20 == 0:
            self.buy(1)


def test_in_several_recordings_each_instrument_meets_its_own_bars(levels: Recording, orders: Recording) -> None:
    together = nt.replay(EachBuyer, [levels, orders], ladder=True)
    assert names(together) == [*in_bars("1s"), *QUEUES, WHOLE]
    alone = [nt.replay(EachBuyer, each, ladder=True) for each in (levels, orders)]
    for at in range(len(BARS)):
        parts = [result.ladder[at] for result in alone]
        assert together.ladder[at].fills == sum(rung.fills for rung in parts)
        assert together.ladder[at].profit == pytest.approx(sum(rung.profit for rung in parts)) != 0


def test_a_run_by_other_settings_has_a_rung_of_its_own(levels: Recording) -> None:
    result = nt.replay("avellaneda_stoikov", levels, queue="power:4", ladder=True)
    assert names(result)[-1] == "As this run" and result.ladder[-1].is_run
    assert sum(rung.is_run for rung in result.ladder) == 1


def test_the_strategy_is_told_the_same_on_every_rung(orders: Recording) -> None:
    told.clear()
    result = nt.replay(Buyer, orders, ladder=True)
    assert len(told) == len(result.ladder) and len(told[0][0]) > 100
    assert all(each == told[0] for each in told)
    assert len({rung.profit for rung in result.ladder}) > 3, "what its orders meet is not the same"


def test_bars_suit_the_session_unless_they_are_given(levels: Recording) -> None:
    from neural_trader.backtesting.ladder import bar_of_ladder

    assert bar_of_ladder([levels], None) == 10**9
    assert bar_of_ladder([synthetic_recording(7, "9m")], None) == 10**10
    assert bar_of_ladder([levels], "250ms") == 250 * 10**6
    with pytest.raises(ConfigError, match="ladder_bar '0s'"):
        bar_of_ladder([levels], "0s")
    with pytest.raises(UsageError, match="ask for one"):
        nt.replay("avellaneda_stoikov", levels, ladder_bar="1s")


@pytest.mark.parametrize(
    ("kind", "true", "sentence"),
    [
        (10.0, 2.5, "Of 10.00 profit under “Close”, 2.50 is left with the latency and queue of this run."),
        (10.0, -1.0, "Of 10.00 profit under “Close”, nothing is left with the latency and queue of this run: -1.00."),
        (-3.0, -1.0, "“Close” makes -3.00; with the latency and queue of this run it is -1.00."),
    ],
)
def test_the_ladder_is_read_in_one_sentence(kind: float, true: float, sentence: str) -> None:
    rungs = [Rung("Close", kind, 1, None, None), Rung("Ours", true, 1, None, None, True)]
    assert reading(rungs) == sentence
