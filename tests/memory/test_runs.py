"""Cards of runs: their outcomes add up to what the run made, and nothing of the future is ever recalled."""

from __future__ import annotations

import math
import random

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.errors import StrategyRunError
from neural_trader.memory import Card, Memory, Outcome
from neural_trader.memory.recorder import Recorder, critique
from neural_trader.memory.run_view import RunView


def test_outcomes_add_up_to_the_trades_of_the_run(tmp_path):
    result = nt.backtest("rsi_reversion", memory=tmp_path / "memory.sqlite")
    assert result.hash == nt.backtest("rsi_reversion").hash, "writing cards changes nothing of a run"
    with Memory(tmp_path / "memory.sqlite") as memory:
        cards = list(memory.all_cards())
    ended = [card for card in cards if card.outcome is not None]
    trades = result.trades
    assert len(ended) > 100
    assert sum(card.outcome.profit for card in ended) == pytest.approx(trades["pnl"].sum(), rel=1e-9)
    assert sum(card.outcome.fees for card in ended) == pytest.approx(trades["fees"].sum(), rel=1e-9)
    for card in ended:
        outcome = card.outcome
        assert outcome.worst <= 0 <= outcome.best and outcome.close_ns > card.time_ns
        assert outcome.gain <= outcome.best + 1e-9
        assert all(math.isfinite(value) for value in card.features.values())
        assert outcome.critique and card.regime in ("", "trend", "range", "stress")


def test_a_run_that_is_repeated_writes_no_card_twice(tmp_path):
    path = tmp_path / "memory.sqlite"
    nt.backtest("sma_cross", memory=path)
    with Memory(path) as memory:
        count = len(memory)
        nt.backtest("sma_cross", memory=memory)
        assert len(memory) == count > 0
        nt.backtest("sma_cross", memory=memory, parameters={"fast": 7})
        assert len(memory) > count


class Told:
    """A fill."""

    def __init__(self, order, side, quantity, price, fee=0.0, time_ns=0, symbol="A"):
        self.order, self.side, self.quantity, self.price = order, side, quantity, price
        self.fee, self.time_ns, self.symbol = fee, time_ns, symbol


def test_random_fills_are_counted_first_in_first_out(tmp_path):
    for seed in range(30):
        generator = random.Random(seed)
        with Memory(tmp_path / f"{seed}.sqlite") as memory:
            recorder = Recorder(memory, "random", {}, 0)
            lots, realised = [], 0.0
            position = 0
            for order in range(1, 60):
                side, quantity = generator.choice((1, -1)), generator.randrange(1, 9)
                price = float(generator.randrange(90, 110))
                recorder.decided(order, "A", side, float(quantity), price, {"x": 1.0}, order, "")
                parts = [quantity] if generator.random() < 0.5 else [1] * quantity
                for part in parts:
                    recorder.filled(Told(order, side, float(part), price, 0.5 * part, order))
                    left = part
                    while left and lots and lots[0][0] * side < 0:
                        held, paid = lots[0]
                        closed = min(left, abs(held))
                        realised += -side * closed * (price - paid) - 0.5 * 2 * closed
                        lots[0] = (held + side * closed, paid)
                        left -= closed
                        if lots[0][0] == 0:
                            lots.pop(0)
                    if left:
                        lots.append((side * left, price))
                    position += side * part
            for held, _ in lots:
                side = 1 if held < 0 else -1
                recorder.filled(Told(0, side, float(abs(held)), 100.0, 0.5 * abs(held), 99))
            for held, paid in lots:
                realised += held * (100.0 - paid) - 0.5 * 2 * abs(held)
            recorder.finish()
            cards = list(memory.all_cards())
            assert all(card.outcome is not None for card in cards)
            assert sum(card.outcome.profit for card in cards) == pytest.approx(realised)


class Asking(nt.Strategy):
    """Buys and sells in turn, and notes all that it recalls."""

    remembers = True
    every: int = 5

    def on_start(self):
        self.answers = ANSWERS
        self.counted = 0

    def on_bar(self, bar):
        self.counted += 1
        if bar.index < 120 or bar.index % self.every:
            return
        found = self.recall(8)
        self.answers.append((bar.time_ns, found.distances.tolist(), found.gains.tolist(), found.searched))
        gain = found.expected_gain
        if self.position(bar.symbol):
            self.target(0, symbol=bar.symbol)
        else:
            self.target(0.5 if math.isnan(gain) or gain >= 0 else -0.5, symbol=bar.symbol, reason="turn")


ANSWERS: list = []


def market(count, seed, poisoned_from=None):
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, count)))
    if poisoned_from is not None:
        close[poisoned_from:] = 50 * np.exp(np.cumsum(np.random.default_rng(99).normal(0, 0.05, count - poisoned_from)))
    close = np.round(close, 2)
    open_ = np.concatenate([close[:1], close[:-1]])
    times = pl.datetime_range(
        pl.datetime(2024, 1, 1),
        pl.datetime(2024, 1, 1) + pl.duration(hours=count - 1),
        "1h",
        eager=True,
        time_zone="UTC",
    )
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    return pl.DataFrame({"time": times, "open": open_, "high": high, "low": low, "close": close, "volume": 1000.0})


def played(path, data):
    ANSWERS.clear()
    with Memory(path) as memory:
        result = nt.backtest(Asking, {"A": data}, memory=memory, look_ahead=False)
    return result, list(ANSWERS)


def test_poison_after_a_time_changes_no_answer_before_it(tmp_path):
    count, cut = 3000, 1900
    whole, answers = played(tmp_path / "whole.sqlite", market(count, 1))
    _poisoned, others = played(tmp_path / "poisoned.sqlite", market(count, 1, poisoned_from=cut))
    cut_ns = int(whole.bars[0].close_ns[cut])
    before = [each for each in answers if each[0] < cut_ns]
    assert len(before) > 200 and any(each[3] > 20 for each in before)
    assert before == [each for each in others if each[0] < cut_ns]
    assert answers != others


def test_what_another_run_knew_later_is_not_known_now(tmp_path):
    path = tmp_path / "memory.sqlite"
    data = market(3000, 1)
    _, alone = played(path, data)
    start_ns = alone[0][0]
    generator = random.Random(1)
    with Memory(path) as memory:
        later = [
            Card(
                time_ns=start_ns + 10**15 + at,
                strategy="prophet",
                symbol="A",
                action="buy",
                quantity=1.0,
                price=1.0,
                features={"move_5": generator.gauss(0, 1), "heat": 1.0},
                outcome=Outcome(start_ns + 3 * 10**15 + at, 1.0, 9.0, 9.0, 0.0, 0.0),
            )
            for at in range(100)
        ]
        memory.add(later)
    _, again = played(path, data)
    known_ns = start_ns + 3 * 10**15
    first = [each for each in again if each[0] < known_ns]
    assert first == [each for each in alone if each[0] < known_ns] and len(first) > 20
    assert any(9.0 in each[2] for each in again if each[0] > known_ns)


def test_an_embedding_that_learned_from_later_cards_is_not_used(tmp_path):
    with Memory(tmp_path / "memory.sqlite") as memory:
        card = Card(10**9, "s", "A", "buy", 1.0, 1.0, {"x": 1.0, "y": 1.0})
        past = [
            Card(at, "s", "A", "buy", 1.0, 1.0, {"x": float(at % 7)}, outcome=Outcome(at + 1, 1.0, 0.1, 0.1, 0.0, 0.0))
            for at in range(100)
        ]
        memory.add([*past, card])
        assert memory.learned_until_ns() == 10**9
        view = RunView(memory, 1000)
        assert view._is_learned_here and view._embedding.names == ("x",)
        assert RunView(memory, 10**9 + 1)._embedding == memory.learned_embedding()


def test_a_kept_index_of_the_past_is_used_as_it_is(tmp_path):
    with Memory(tmp_path / "memory.sqlite") as memory:
        memory.add(
            [
                Card(at, "s", "A", "buy", 1.0, 1.0, {"x": float(at % 7)}, outcome=Outcome(at + 1, 1.0, 0.1, 0.1, 0, 0))
                for at in range(100)
            ]
        )
        fresh = RunView(memory, 1000).recall({"x": 3.0}, 5, 1000)
        memory.rebuild()
        view = RunView(memory, 1000)
        assert view._waiting == [] and view._shelf is not None
        assert view.recall({"x": 3.0}, 5, 1000).root == fresh.root
        late = Card(2000, "s", "A", "buy", 1.0, 1.0, {"x": 3.0}, outcome=Outcome(2001, 1.0, 0.7, 0.7, 0.0, 0.0))
        view.ended(late)
        assert 0.7 not in view.recall({"x": 3.0}, 50, 2001).gains
        found = view.recall({"x": 3.0}, 50, 2002)
        assert 0.7 in found.gains and late.digest in [card.digest for card in found.cards]
        memory.cards([1])  # the cards of the file are untouched by what the run added


def test_a_strategy_without_a_memory_is_told_how_to_have_one():
    class Forgetful(Asking):
        remembers = False

    with pytest.raises(StrategyRunError, match="--memory PATH"):
        nt.backtest(Forgetful, {"A": market(200, 1)})


def test_critiques_follow_from_the_numbers():
    def of(profit, gain, best, worst, fees=0.0):
        return critique(Outcome(1, profit, gain, best, worst, fees))

    assert of(1.0, 0.01, 0.05, 0.0).startswith("Won, but kept less than half of a best of 5.0%")
    assert of(1.0, 0.01, 0.01, -0.05).startswith("Won after being 5.0% behind")
    assert of(-0.5, -0.001, 0.01, 0.0, fees=1.0).startswith("The price went the right way")
    assert of(-1.0, -0.01, 0.03, -0.01).startswith("Lost after being 3.0% ahead")


def test_a_run_that_recalled_is_verified_with_the_memory_as_it_was(tmp_path, monkeypatch):
    from neural_trader.cli.verification import check_rerun

    path = tmp_path / "memory.sqlite"
    nt.backtest("rsi_reversion", memory=path)
    result = nt.backtest("memory_momentum", memory=path)
    assert result.run["memory"]["cards"] > 100
    # What is written after a run began is not known to it when it is verified, its own cards included.
    nt.backtest("sma_cross", memory=path)
    with Memory(path) as memory:
        count = len(memory)
        findings = check_rerun(result.to_dict(), data=None, strategy=None, progress=None)
        assert {finding.state for finding in findings} == {"PASS"}, findings
        assert len(memory) == count, "a verification writes nothing"
        memory.forget([1, 2, 3, 4, 5])
    findings = check_rerun(result.to_dict(), data=None, strategy=None, progress=None)
    assert "FAIL" in {finding.state for finding in findings}


def test_a_strategy_that_remembers_has_a_memory_of_its_own_run():
    one, two = (nt.backtest("memory_momentum") for _ in range(2))
    assert one.hash == two.hash and one.run["memory"]["cards"] == 0
    plain = nt.backtest("memory_momentum", parameters={"least": 10**9})
    assert plain.hash != one.hash, "memory must make a difference"


def test_memory_learns_where_there_is_something_to_learn():
    """After a turn up in a calm market the price goes on, after one in a wild market it comes back."""
    generator = np.random.default_rng(5)
    close, level = [], 100.0
    for _ in range(400):
        is_calm = generator.random() < 0.5
        deviation = 0.002 if is_calm else 0.012
        for at in range(48):
            drift = (-0.2 if at < 24 else 0.9) * 0.002 if is_calm else (0.25 if at % 24 < 6 else -0.18) * 0.012
            level *= 1 + drift + generator.normal(0, deviation)
            close.append(level)
    close = np.round(close, 2)
    open_ = np.concatenate([close[:1], close[:-1]])
    begin = pl.datetime(2020, 1, 1, time_zone="UTC")
    times = pl.datetime_range(begin, begin + pl.duration(hours=len(close) - 1), "1h", eager=True)
    bars = {"open": open_, "high": np.maximum(open_, close), "low": np.minimum(open_, close), "close": close}
    data = {"A": pl.DataFrame({"time": times, **bars})}
    given = {"n": 12, "hold": 12}
    alone, with_memory = (
        nt.backtest("memory_momentum", data, fee=0, slippage=0, parameters={**given, "least": least})
        for least in (10**9, 60)
    )
    paid = [
        float(result.trades["pnl"].sum() / (result.trades["quantity"] * result.trades["entry_price"]).sum())
        for result in (alone, with_memory)
    ]
    assert paid[1] > paid[0] + 0.001


def test_the_figures_of_the_page_are_those_of_the_runs(repository):
    from neural_trader.strategy.overlays import RecallSizing

    page = " ".join((repository / "docs" / "memory.md").read_text(encoding="utf-8").split())

    def percent(strategy, overlays=(), **parameters):
        result = nt.backtest(strategy, parameters=parameters, overlays=overlays, look_ahead=False)
        return f"{abs(result.stats['Return [%]']):.0f} %"

    with_memory, without = percent("memory_momentum"), percent("memory_momentum", least=10**9)
    assert f"`memory_momentum` loses {with_memory} there and {without} with" in page
    plain, sized = percent("sma_cross"), percent("sma_cross", (RecallSizing(),))
    assert f"`sma_cross`, which gains {plain}, gains {sized} under" in page


def test_a_walk_forward_remembers_the_training_and_nothing_later():
    count = 2400
    grid = {"every": "5,7"}

    def walked(data):
        ANSWERS.clear()
        found = nt.walkforward(Asking, {"A": data}, grid=grid, folds=3, train=1.0, threads=1, trials="off")
        return found, list(ANSWERS)

    whole, answers = walked(market(count, 1))
    first = whole.tests[0]
    told = [each for each in answers if first.begin_ns < each[0] <= first.end_ns]
    # A training of 600 bars has some fifty decisions that ended, and a test of as many begins with these.
    assert told[0][3] > 20 or any(each[3] >= 64 for each in told)
    cut = 1200
    poisoned, _ = walked(market(count, 1, poisoned_from=cut))
    assert whole.tests[0].hash == poisoned.tests[0].hash and whole.tests[0].tested == poisoned.tests[0].tested
    assert whole.tests[-1].hash != poisoned.tests[-1].hash
    assert whole.run["remembers"]


def test_a_walk_forward_of_a_strategy_that_remembers_differs_from_one_that_never_asks():
    data = {"A": market(3000, 4)}
    given = {"folds": 2, "grid": {"n": "12,24"}, "threads": 1, "trials": "off"}
    asked, never = (
        nt.walkforward("memory_momentum", data, parameters={"hold": 6, "least": least}, **given)
        for least in (30, 10**9)
    )
    assert [test.begin_ns for test in asked.tests] == [test.begin_ns for test in never.tests]
    assert asked.statistics() != never.statistics()
