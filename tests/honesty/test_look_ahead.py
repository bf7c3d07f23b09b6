"""Cheats are caught by name of the first decision that changed, honest strategies are not, and costs are bounded."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from honesty import cheats
from neural_trader.backtesting.excerpt import TAIL
from neural_trader.backtesting.look_ahead import LATER, SHARES
from neural_trader.market import write_bars
from neural_trader.memory import Memory
from neural_trader.strategy.library import LIBRARY

OF_BARS = [name for name in LIBRARY if name not in {"avellaneda_stoikov", "grid", "imbalance_taker", "twap", "vwap"}]


@pytest.fixture(scope="module")
def bars() -> nt.Bars:
    return nt.synthetic_bars(bars=1500, symbols=("ALPHA",))[0]


@pytest.fixture(scope="module")
def frame(bars: nt.Bars) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": pl.Series(bars.open_ns).cast(pl.Datetime("ns", "UTC")),
            "open": bars.open_price,
            "high": bars.high_price,
            "low": bars.low_price,
            "close": bars.close_price,
        }
    )


CHEATS: dict[str, Any] = {
    "frame_and_next_row": lambda frame, bars: cheats.peeks_at_the_next_row(frame),
    "pandas_and_next_row": lambda frame, bars: cheats.peeks_at_the_next_row(frame.to_pandas()),
    "pandas_by_time": lambda frame, bars: cheats.peeks_at_the_next_row(frame.to_pandas().set_index("time")),
    "attribute_by_time": lambda frame, bars: cheats.holds_the_frame_as_an_attribute(frame),
    "centred_mean": lambda frame, bars: cheats.centres_a_mean(frame),
    "shift": lambda frame, bars: cheats.shifts_back(frame),
    "shift_without_times": lambda frame, bars: cheats.shifts_back(frame.select("close")),
    "array": lambda frame, bars: cheats.keeps_an_array(frame["close"].to_numpy()),
    "rows_as_tuples": lambda frame, bars: cheats.peeks_into_rows(frame.select("open", "close").rows()),
    "rows_as_dicts": lambda frame, bars: cheats.peeks_into_rows(frame.select("open", "close").to_dicts()),
    "closes_by_time": lambda frame, bars: cheats.peeks_by_time(
        dict(zip(bars.close_ns.tolist(), bars.close_price.tolist(), strict=True))
    ),
    "object": lambda frame, bars: cheats.asks_an_object(SimpleNamespace(closes=bars.close_price)),
    "whole_mean": lambda frame, bars: cheats.normalises_by_the_whole(bars),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_caught(cheat: str, frame: pl.DataFrame, bars: nt.Bars) -> None:
    found = nt.backtest(CHEATS[cheat](frame, bars), bars).look_ahead
    assert found is not None and not found.passed
    assert found.changed is not None and "once the bars after it are others" in found.changed
    assert found.changed.startswith("at 20") and "ALPHA" in found.changed


@pytest.mark.parametrize("source", [cheats.READS_A_FILE, cheats.COMPUTES_WHEN_LOADED], ids=["starting", "loading"])
def test_a_strategy_that_reads_the_file_of_its_bars_is_caught(tmp_path: Path, bars: nt.Bars, source: str) -> None:
    data = tmp_path / "bars.csv"
    write_bars([bars], data)
    strategy = cheats.written(tmp_path, source, data)
    found = nt.backtest(strategy, str(data)).look_ahead
    assert found is not None and not found.passed
    # The poisoned module is gone.
    again = nt.backtest(strategy, str(data))
    assert again.look_ahead is not None and again.look_ahead.changed == found.changed


def test_what_was_poisoned_is_as_it_was(frame: pl.DataFrame, bars: nt.Bars) -> None:
    before = frame.clone()
    strategy = cheats.holds_the_frame_as_an_attribute(frame)
    nt.backtest(strategy, bars)
    assert strategy.table is frame and frame.equals(before)  # type: ignore[attr-defined]
    assert pl.read_csv.__module__.startswith("polars")


@pytest.mark.parametrize("name", OF_BARS)
@pytest.mark.parametrize("terms", [{}, {"fill": "close"}, {"native": False, "leverage": 3}], ids=str)
def test_strategies_of_the_library_are_honest(name: str, terms: dict[str, Any]) -> None:
    data = nt.synthetic_bars(bars=800, symbols=("ALPHA", "BRAVO", "CHARLIE"))
    found = nt.backtest(name, data, **terms).look_ahead
    assert found is not None and found.passed and len(found.times_ns) == len(SHARES)
    assert found.sentence == f"look-ahead: checked at {len(SHARES)} times, none"


def test_honest_strategies_with_tables_are_not_suspected(frame: pl.DataFrame, bars: nt.Bars) -> None:
    for table in (
        frame,
        frame.select("close"),
        frame.with_columns(time=pl.col("time").shift(-1).fill_null(strategy="forward")),
    ):
        found = nt.backtest(cheats.holds_a_table_of_the_past(table), bars).look_ahead
        assert found is not None and found.passed, found
    found = nt.backtest(cheats.Momentum, bars).look_ahead
    assert found is not None and found.passed


def test_dice_do_not_repeat(bars: nt.Bars) -> None:
    found = nt.backtest(cheats.Dice, bars).look_ahead
    assert found is not None and found.changed is not None and "do not repeat" in found.changed


def test_other_bars_of_other_lengths_are_no_matter() -> None:
    long, short = nt.synthetic_bars(bars=900, symbols=("ALPHA", "BRAVO"))
    found = nt.backtest("cross_sectional_momentum", [long, short.rows(300, 700)], parameters={"hold": 1}).look_ahead
    assert found is not None and found.passed


def test_checking_plays_no_more_bars_than_the_run(bars: nt.Bars) -> None:
    played = itertools.count()

    class Counting(nt.Strategy):
        """Counts over all runs."""

        def on_bar(self, bar: nt.Bar) -> None:
            next(played)

    result = nt.backtest(Counting, bars)
    assert result.look_ahead is not None and len(result.look_ahead.times_ns) == len(SHARES)
    assert sum(SHARES) + LATER[1] - LATER[0] <= 1.0
    assert next(played) <= 2 * len(bars) + (len(SHARES) + 1) * TAIL


def test_what_a_strategy_collects_is_that_of_one_run(bars: nt.Bars) -> None:
    closes, facts, count = [], {}, 0

    class Collecting(nt.Strategy):
        """Notes what it sees outside of itself."""

        def on_bar(self, bar: nt.Bar) -> None:
            nonlocal count
            count += 1
            closes.append(bar.close)
            facts[self.now_ns] = count

    result = nt.backtest(Collecting, bars)
    assert result.look_ahead is not None and result.look_ahead.passed
    assert closes == bars.close_price.tolist() and count == len(bars) == len(facts)


def test_what_a_strategy_prints_is_printed_once(bars: nt.Bars, capsys: pytest.CaptureFixture[str]) -> None:
    class Talking(nt.Strategy):
        """Says hello."""

        def on_start(self) -> None:
            print("hello")

    nt.backtest(Talking, bars)
    assert capsys.readouterr().out == "hello\n"


def test_rules_of_other_packages_are_said_not_to_be_checked(bars: nt.Bars) -> None:
    found = nt.backtest(data=bars, like="vectorbt").look_ahead
    assert found is not None and found.passed and "not checked" in found.sentence
    assert nt.backtest(data=bars, look_ahead=False).look_ahead is None


def test_warm_up_is_measured_and_held_to_what_was_stated(bars: nt.Bars) -> None:
    long = nt.synthetic_bars(bars=5000, symbols=("ALPHA",))
    measured = nt.backtest("sma_cross", long, parameters={"fast": 5, "slow": 40}).warm_up
    assert measured is not None and measured.bars is not None and 39 <= measured.bars <= 300 and measured.passed
    enough = nt.backtest("sma_cross", long, parameters={"fast": 5, "slow": 40}, warm_up=400).warm_up
    assert enough is not None and enough.passed and enough.stated == 400
    short = nt.backtest("sma_cross", long, parameters={"fast": 5, "slow": 40}, warm_up=10).warm_up
    assert short is not None and not short.passed and "10 were said to be enough" in short.sentence


def test_a_strategy_that_never_forgets_needs_more_bars_than_there_are(bars: nt.Bars) -> None:
    class Elephant(nt.Strategy):
        """Trades by turns since the first bar."""

        def on_start(self) -> None:
            self.total = 0.0

        def on_bar(self, bar: nt.Bar) -> None:
            self.total += bar.close
            if int(self.total) % 7 < 3:
                self.target(self.share if int(self.total) % 2 else -self.share)

    found = nt.backtest(Elephant, bars).warm_up
    assert found is not None and found.bars is None and "differ for more than" in found.sentence


def test_futures_are_other_bars_and_still_bars(bars: nt.Bars) -> None:
    from neural_trader.backtesting.excerpt import Excerpt
    from neural_trader.market.consistency import refuse_inconsistent

    until = int(bars.close_ns[700]) + 1
    for factor in (0.5, 2.0):
        found = list(Excerpt(bars, until, factor=factor).pieces())
        assert [len(piece) for piece in found] == [701, TAIL]
        tail = found[1]
        refuse_inconsistent(tail)
        # The first of them is open by then, and its opening is known.
        assert tail.open[0] == bars.open[701] and not (tail.close == bars.close[701 : 701 + TAIL]).any()
        assert np.array_equal(found[0].close, bars.close[:701])


@pytest.mark.parametrize("is_open", [False, True], ids=["path", "open"])
def test_a_memory_is_asked_as_it_was_before_the_run_and_written_once(tmp_path: Path, is_open: bool) -> None:
    data = nt.synthetic_bars(bars=2500, symbols=("ALPHA", "BRAVO"))
    path = tmp_path / "memory.sqlite"
    for _ in range(2):
        memory = Memory(path) if is_open else None
        result = nt.backtest("memory_momentum", data, memory=memory or path)
        if memory is not None:
            assert memory.as_of is None
            memory.close()
        assert result.look_ahead is not None and result.look_ahead.passed, result.look_ahead
        with Memory(path) as kept:
            count = len(kept)
        alone = nt.backtest("memory_momentum", data, memory=tmp_path / "alone.sqlite", look_ahead=False)
        with Memory(tmp_path / "alone.sqlite") as kept:
            assert len(kept) == count
        assert alone.hash == result.hash
    assert nt.backtest("memory_momentum", data).look_ahead == result.look_ahead


def test_reruns_have_the_account_of_the_run(bars: nt.Bars) -> None:
    account = {"instruments": {"ALPHA": {"kind": "linear", "maintenance": "1%"}}}
    step = bars.close_ns[1] - bars.close_ns[0]
    funding = pl.DataFrame({"time": bars.close_ns[::8] + step // 2, "rate": [0.001] * len(bars.close_ns[::8])})
    result = nt.backtest(
        "sma_cross", bars, parameters={"fast": 5, "slow": 20}, leverage=3, account=account, funding=funding
    )
    assert result.look_ahead is not None and result.look_ahead.passed
    assert result.fills.height > 10
