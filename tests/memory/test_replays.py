"""Cards of replays: what was seen is what had arrived, an end counts when it is known, and writing changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import neural_trader as nt
from memory.plain_tape import seen
from neural_trader.cli.verification import check_rerun
from neural_trader.errors import UsageError
from neural_trader.market.events import KIND
from neural_trader.market.recordings import synthetic_recording
from neural_trader.memory import Memory
from replay.scripted import BOOK, END, Played, session

MAKERS = ("avellaneda_stoikov", "grid", "imbalance_taker", "twap")


@pytest.fixture(scope="module")
def market():
    """Five minutes of the synthetic market."""
    return synthetic_recording(7, "5m")


def cards_of(path):
    with Memory(path) as memory:
        return list(memory.all_cards())


@pytest.mark.parametrize("name", MAKERS)
def test_writing_cards_changes_nothing_of_a_replay(market, tmp_path, name):
    result = nt.replay(name, market, memory=tmp_path / "memory.sqlite")
    assert result.hash == nt.replay(name, market).hash
    cards = cards_of(tmp_path / "memory.sqlite")
    assert cards and all(card.strategy == name and card.features for card in cards)


def test_outcomes_add_up_to_the_trades_of_the_replay(tmp_path):
    result = nt.replay("imbalance_taker", synthetic_recording(3, "5m"), memory=tmp_path / "memory.sqlite")
    ended = [card for card in cards_of(tmp_path / "memory.sqlite") if card.outcome is not None]
    assert len(ended) > 10
    assert sum(card.outcome.profit for card in ended) == pytest.approx(result.trades["pnl"].sum())
    for card in ended:
        assert card.outcome.worst <= 0 <= card.outcome.best and card.outcome.close_ns > card.time_ns


class Looking(nt.Strategy):
    """Buys and sells in turn at timers that fall between records, and looks at what is seen then."""

    remembers = True

    def on_start(self):
        LOOKS.clear()
        self.set_timer(after_ns=700_000_000)

    def on_timer(self, time_ns):
        self.set_timer(after_ns=700_000_000)
        held, symbol = self.position("ALPHA"), "ALPHA"
        found = self.recall(5, symbol=symbol)
        LOOKS.append((time_ns, self.situation(symbol), found.distances.tolist(), found.gains.tolist(), found.searched))
        if held:
            self.target(quantity=0.0, symbol=symbol)
        else:
            self.buy(1.0, symbol=symbol, reason="turn")


LOOKS: list = []


def test_what_is_seen_is_what_a_plain_tape_makes_of_the_records_that_have_arrived(market):
    nt.replay(Looking, market)
    looks = LOOKS[::23] + LOOKS[-3:]
    assert len(looks) > 15
    arrived = np.maximum.accumulate(market.records["ts_recv_ns"])
    for time_ns, found, *_ in looks:
        wanted = seen(market.records, time_ns, int(np.searchsorted(arrived, time_ns, side="right")))
        known = {name: value for name, value in found.items() if not math.isnan(value)}
        assert known == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert len(known) == 9


def test_poison_after_a_time_changes_no_answer_before_it(market, tmp_path):
    nt.replay(Looking, market, memory=tmp_path / "whole.sqlite", latency="40ms")
    whole, records = list(LOOKS), market.records.copy()
    cut = len(records) * 2 // 3
    cut_ns = int(np.maximum.accumulate(records["ts_recv_ns"])[cut])
    later = np.arange(len(records)) >= cut
    records["price"][later & np.isin(records["kind"], [KIND["level"], KIND["trade"]])] += 300
    nt.replay(Looking, replace(market, records=records), memory=tmp_path / "poisoned.sqlite", latency="40ms")
    before = [each for each in whole if each[0] < cut_ns]
    assert len(before) > 100 and any(each[4] >= 64 for each in before)
    assert repr(before) == repr([each for each in LOOKS if each[0] < cut_ns])
    assert repr(whole) != repr(LOOKS)


def test_an_end_counts_when_it_is_known_here_and_not_when_it_filled(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        Played(
            BOOK + END,
            {10: lambda s: s.buy(1), 40: lambda s: s.sell(1)},
            latency="5ns/7ns",
            memory=memory,
        )
        (card,) = memory.all_cards()
    # It was bought at 15 and sold at 45, of which it was told at 52.
    assert (card.time_ns, card.outcome.close_ns, card.price, card.outcome.profit) == (10, 52, 99.5, pytest.approx(-1.0))

    class Asking(nt.Strategy):
        remembers = True

        def on_start(self):
            for time_ns in (10, 40, 50, 52, 53):
                self.set_timer(at_ns=time_ns)

        def on_timer(self, time_ns):
            if time_ns == 10:
                self.buy(1)
            elif time_ns == 40:
                self.sell(1)
            view = self._memory.view
            self.recall(1)
            told[time_ns] = len(view._unlearned)

    told = {}
    nt.replay(Asking, session(BOOK + END), latency="5ns/7ns", fee=0, cash=1_000_000)
    assert told == {10: 0, 40: 0, 50: 0, 52: 0, 53: 1}


def test_an_amended_order_was_decided_where_it_was_amended_last_before_it_filled(tmp_path):
    text = BOOK + "20 bid 9950 10\n30 bid 9960 10\n60 sold 9850 90\n70 ask 9970 5\n" + END

    def first(s):
        s.order = s.buy(1, limit=98.0, reason="low")

    script = {
        5: first,
        25: lambda s: s.amend(s.order, limit=98.6, quantity=2),
        40: lambda s: s.amend(s.order, limit=98.7, quantity=3),
        65: lambda s: s.amend(s.order, limit=98.8, quantity=9),
        80: lambda s: s.sell(3),
    }
    Played(text, script, memory=tmp_path / "memory.sqlite", latency="1ns/1ns")
    (card,) = cards_of(tmp_path / "memory.sqlite")
    assert (card.time_ns, card.quantity, card.reason) == (40, 3.0, "low")
    assert card.price == (99.6 + 100.0) / 2


class Halves(nt.Strategy):
    """Without a symbol, an order is for the instrument that was told of last."""

    def on_start(self):
        self.set_timer(after_ns=10**8)

    def on_trade(self, trade):
        pass

    def on_timer(self, time_ns):
        self.set_timer(after_ns=10**8)
        self.buy(self.lot()) if self.position() <= 0 else self.sell(self.lot())


def test_nobody_is_told_of_another_instrument_because_of_a_memory(tmp_path):
    (one,) = synthetic_recording(5, "1m").instruments
    recordings = [
        replace(synthetic_recording(seed, "1m"), instruments=(one._replace(symbol=symbol),), venue=symbol)
        for seed, symbol in ((5, "AAA"), (6, "BBB"))
    ]
    result = nt.replay(Halves, recordings, memory=tmp_path / "memory.sqlite")
    assert result.hash == nt.replay(Halves, recordings).hash
    assert {card.symbol for card in cards_of(tmp_path / "memory.sqlite")} == {"AAA", "BBB"}


class InBatches(nt.Strategy):
    batch = "50ms"

    def on_batch(self, events):
        if self.now_ns // 10**9 % 2 and not self.position("ALPHA"):
            self.buy(1.0, symbol="ALPHA")
        elif self.position("ALPHA"):
            self.sell(1.0, symbol="ALPHA")


def test_a_strategy_that_is_told_in_batches_is_remembered(market, tmp_path):
    result = nt.replay(InBatches, market, memory=tmp_path / "memory.sqlite")
    assert result.hash == nt.replay(InBatches, market).hash
    assert len(cards_of(tmp_path / "memory.sqlite")) > 20


def hourly(count=400):
    generator = np.random.default_rng(2)
    close = 100 + np.cumsum(generator.normal(0, 0.4, count)).round(2)
    high, low = close + generator.random(count).round(2), close - generator.random(count).round(2)
    rows = zip(range(count), close, high, low, strict=True)
    return "time,open,high,low,close,volume\n" + "".join(
        f"{1640995200 + 60 * at},{c:.2f},{h:.2f},{low:.2f},{c:.2f},10\n" for at, c, h, low in rows
    )


class OnBars(nt.Strategy):
    def on_bar(self, bar):
        if bar.symbol == "BARS" and bar.index % 3 == 0:
            self.target(quantity=0.0 if self.position() else 1.0)


def test_bars_on_the_time_line_are_seen_as_a_backtest_sees_them(tmp_path):
    (tmp_path / "BARS.csv").write_text(hourly())
    records = synthetic_recording(7, "1m")
    nt.replay(OnBars, [records, tmp_path / "BARS.csv"], memory=tmp_path / "replay.sqlite", latency="0ms")
    nt.backtest(OnBars, tmp_path / "BARS.csv", memory=tmp_path / "backtest.sqlite")
    ours, theirs = ({card.time_ns: card for card in cards_of(tmp_path / f"{kind}.sqlite")} for kind in KINDS)
    assert len(ours) == len(theirs) > 50
    for time_ns, card in ours.items():
        assert card.features == pytest.approx(theirs[time_ns].features, rel=1e-9)
        assert card.regime == theirs[time_ns].regime
        if card.outcome is not None:
            assert (card.outcome.best, card.outcome.worst) == (
                theirs[time_ns].outcome.best,
                theirs[time_ns].outcome.worst,
            )


KINDS = ("replay", "backtest")


def test_a_replay_that_recalled_is_verified_with_the_memory_as_it_was(tmp_path):
    source = tmp_path / "asking.py"
    source.write_text(
        "import neural_trader as nt\n\n\n"
        "class Asking(nt.Strategy):\n"
        "    remembers = True\n\n"
        "    def on_start(self):\n"
        "        self.set_timer(after_ns=10**9)\n\n"
        "    def on_timer(self, time_ns):\n"
        "        self.set_timer(after_ns=10**9)\n"
        '        found = self.recall(5, symbol="ALPHA")\n'
        '        if self.position("ALPHA"):\n'
        '            self.target(quantity=0.0, symbol="ALPHA")\n'
        "        elif not found.expected_gain < 0:\n"
        '            self.buy(1.0, symbol="ALPHA")\n'
    )
    path = tmp_path / "memory.sqlite"
    nt.replay("imbalance_taker", synthetic_recording(3, "10m"), parameters={"threshold": 0.3}, memory=path)
    market = synthetic_recording(7, "2m")
    result = nt.replay(str(source), market, memory=path, journal=tmp_path / "run.journal")
    # The sessions begin at one time, so nothing of the first is known before the second has come as far.
    assert result.run["memory"]["cards"] > 64
    findings = check_rerun(result.to_dict(), data=None, strategy=None, progress=None)
    assert {finding.state for finding in findings} == {"PASS"}, findings
    from neural_trader.backtesting.journal_check import check

    assert check(tmp_path / "run.journal", [], None).difference is None
    with Memory(path) as memory:
        memory.forget([1, 2, 3])
    findings = check_rerun(result.to_dict(), data=None, strategy=None, progress=None)
    assert "FAIL" in {finding.state for finding in findings}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"snapshot": "run.snapshot", "every": "1m"}, "a memory is of whole runs"),
        ({"ladder": True}, "leave one of the two out"),
        ({"account": {"instruments": {"ALPHA": {"kind": "inverse"}}}}, "ALPHA is not; leave out the memory"),
    ],
)
def test_what_cannot_be_had_with_a_memory_is_one_line(market, tmp_path, monkeypatch, settings, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words) as error:
        nt.replay("twap", market, memory="memory.sqlite", **settings)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "memory.sqlite").exists()
