"""Recordings of several venues on one time line, as ``neural_trader.replay`` plays them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import DataError, UsageError
from neural_trader.market.bars import Step
from neural_trader.market.events import FLAG
from neural_trader.market.record_files import write_recording
from neural_trader.market.recordings import Recording, load_recording, synthetic_recording
from neural_trader.strategy import Strategy
from replay.scripted import BOOK, END, Played, session

ORDERS = "2 add_bid@0 9910 7 1, add_ask@0 10010 4 2\n6 fill@0 9910 3 1\n"
QUOTES = "2 best_bid 9920 5\n3 best_ask 10020 6\n"


def at(venue: str, recording: Recording) -> Recording:
    return replace(recording, venue=venue, source=f"{venue}'s")


def levels(symbols: str = "A") -> Recording:
    return session(BOOK + END, symbols)


@pytest.fixture(scope="module")
def minute() -> Recording:
    return synthetic_recording(7, "1m")


class Maker(Strategy):
    """Quotes and takes at one symbol, and never looks at another."""

    symbol: str = "ALPHA"

    def on_start(self) -> None:
        self.turn = 0
        self.set_timer(after_ns=10**8)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=10**8)
        self.turn += 1
        bid, ask, lot = self.best_bid(self.symbol), self.best_ask(self.symbol), self.lot(self.symbol)
        if bid < ask:
            sent = [self.buy(lot, limit=bid, symbol=self.symbol), self.sell(lot, limit=ask, symbol=self.symbol)]
            self.cancel(sent[self.turn % 2])
            if self.turn % 20 == 0:
                self.buy(lot, symbol=self.symbol, stop_loss=bid * 0.99)


def told(result: nt.Result) -> list[Any]:
    return [result.orders.rows(), result.fills.rows(), result.engine.postings["amount"], result.trades.rows()]


def test_symbols_that_two_venues_have_are_told_apart_by_the_venue() -> None:
    seen: list[Any] = []

    class Looking(Strategy):
        def on_book(self, symbol: str) -> None:
            seen.append((symbol, self.best_bid(symbol)))

        def on_quote(self, quote: nt.Tick) -> None:
            seen.append((quote.symbol, self.best_bid(quote.symbol)))

    result = nt.replay(Looking, [at("x", session(QUOTES + END)), at("w", levels()), at("x", levels("B"))])
    assert [each.symbol for each in result.series] == ["A@w", "A@x", "B"]
    assert result.run["depth"] == {"A@w": "levels", "A@x": "quotes", "B": "levels"}
    assert seen == [("A@w", 99.0), ("B", 99.0), ("A@x", 99.2), ("A@x", 99.2)]


def test_levels_quotes_and_single_orders_are_traded_in_one_run() -> None:
    recordings = [at("l", levels()), at("q", session(QUOTES + END)), at("o", session(ORDERS + END))]
    script = {5: lambda own: [own.buy(0.5, symbol=f"A@{venue}") for venue in "loq"]}
    played = Played(recordings, script)
    assert played.told == [
        *(f"5: {order} accepted" for order in (1,)), "5: 1 buys 0.5 @ 100 taker",
        "5: 2 accepted", "5: 2 buys 0.4 @ 100.1 taker", "5: 2 ended cancelled no liquidity",
        "5: 3 accepted", "5: 3 buys 0.5 @ 100.2 taker",
    ]  # fmt: skip


def test_another_recording_changes_no_order_fill_or_posting(minute: Recording) -> None:
    alone = nt.replay(Maker, minute)
    crowd = replace(synthetic_recording(8, "1m"), instruments=(minute.instruments[0]._replace(symbol="ZETA"),))
    both = nt.replay(Maker, [minute, crowd])
    assert told(both) == told(alone) and len(alone.fills) > 20
    assert both.digests["inputs"] != alone.digests["inputs"]


def test_the_order_of_recordings_changes_nothing(minute: Recording) -> None:
    other = at("b", synthetic_recording(8, "1m"))
    runs = [nt.replay(Maker(symbol="ALPHA@b"), data) for data in ([at("a", minute), other], [other, at("a", minute)])]
    assert runs[0].hash == runs[1].hash and runs[0].to_dict() == runs[1].to_dict()
    assert len(runs[0].fills) > 20


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.999])
def test_cutting_a_recording_in_two_changes_nothing_but_the_inputs(minute: Recording, share: float) -> None:
    cut = int(len(minute) * share)
    pieces = [replace(minute, records=minute.records[cut:]), replace(minute, records=minute.records[:cut])]
    whole, cut_run = nt.replay(Maker, minute), nt.replay(Maker, pieces)
    assert told(cut_run) == told(whole)
    assert cut_run.equity_curve.tolist() == whole.equity_curve.tolist()


def test_files_of_several_venues_are_verified_and_played_again(minute: Recording, tmp_path: Path) -> None:
    from neural_trader.backtesting.journal_check import check
    from neural_trader.cli.verification import check_alone, check_rerun

    files = [write_recording(minute, tmp_path / f"{name}.npy") for name in "ab"]
    named = [f"{path}@{path.stem}" for path in files]
    result = nt.replay("avellaneda_stoikov", named, journal=tmp_path / "run.journal")
    document = result.to_dict()
    assert [each["symbol"] for each in document["data"]] == ["ALPHA@a", "ALPHA@b"]
    assert [each["venue"] for each in document["origin"]["recordings"]] == ["a", "b"]
    findings = check_alone(document) + check_rerun(document, data=None, strategy=None, progress=None)
    assert {finding.state for finding in findings} == {"PASS"}
    checked = check(tmp_path / "run.journal")
    assert checked.difference is None and checked.journal.run_hash == result.hash


def test_recordings_that_do_not_fit_together_are_one_line(minute: Recording) -> None:
    def refused(*recordings: Recording) -> str:
        with pytest.raises(DataError) as raised:
            nt.replay(Maker, list(recordings))
        return str(raised.value)

    later = replace(minute, records=minute.records[len(minute) // 2 :], source="later")
    assert refused(replace(minute, source="first"), later) == (
        "ALPHA is in first and in later, which overlap in time; play one of them, or say whose each is: FILE@VENUE"
    )
    assert "not each names its venue" in refused(minute, at("a", minute))
    finer = minute.instruments[0]._replace(tick=Step(1, 9))
    assert "on different grids" in refused(minute, replace(minute, instruments=(finer,)))


def test_recordings_of_different_times_are_warned_of(minute: Recording) -> None:
    records = minute.records.copy()
    for name in ("ts_event_ns", "ts_recv_ns"):
        records[name] += 3600 * 10**9
    later = replace(minute, records=records, instruments=(minute.instruments[0]._replace(symbol="LATER"),))
    warning = "LATER was recorded only after ALPHA had ended: there is no time at which both can be seen."
    assert warning in nt.replay(Maker, [minute, later]).warnings
    assert not any("only after" in each for each in nt.replay(Maker, minute).warnings)


def test_two_sessions_of_one_day_at_two_venues(shared_data: Path) -> None:
    spot = load_recording(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz", "binance")
    futures = load_recording(shared_data / "depth" / "binance_usdm_btcusdt_20240808.ws.gz", "binance_usdm")
    result = nt.replay("avellaneda_stoikov", [futures, spot])
    assert [each.symbol for each in result.series] == ["BTCUSDT@binance", "BTCUSDT@binance_usdm"]
    result.engine.check_invariants()


def test_the_last_record_of_a_message_is_told_by_its_venue() -> None:
    """The records that make a turn are those of each instrument's own book."""
    orders = session(ORDERS + END)
    assert (orders.records["flags"] & FLAG["last"]).any()
    heard: list[str] = []

    class Hearing(Strategy):
        def on_book(self, symbol: str) -> None:
            heard.append(symbol)

    nt.replay(Hearing, [at("o", orders), at("l", levels())])
    assert heard == ["A@l", "A@o", "A@o"]


# Bars beside recordings.


def minutes(recording: Recording) -> nt.Bars:
    """Bars of ten seconds of the middle of a synthetic recording, under another symbol."""
    begin = int(recording.records["ts_event_ns"][0])
    close = np.array([10_000, 10_020, 9_990, 10_030, 10_010, 10_040])
    open_ns = begin - begin % 10**9 + np.arange(6) * 10**10
    open_ = np.concatenate([close[:1], close[:-1]])
    return nt.Bars(
        "GUIDE", Step(1, 2), Step(1, 0), open_ns, open_ns + 10**10, open=open_,
        high=np.maximum(open_, close) + 5, low=np.minimum(open_, close) - 5, close=close,
    )  # fmt: skip


class Guided(Strategy):
    """Trades the recorded book when the bars of another instrument say so, and those bars, too."""

    def on_start(self) -> None:
        self.heard: list[Any] = []
        WATCHED.append(self)

    def on_bar(self, bar: nt.Bar) -> None:
        self.heard.append((bar.symbol, bar.close, self.price("GUIDE")))
        lot = self.lot("ALPHA")
        (self.buy if bar.close > bar.open else self.sell)(lot, symbol="ALPHA")
        self.target(0.1 if bar.close > bar.open else 0.0)

    def on_moment(self, time_ns: int) -> None:
        self.heard.append(time_ns)


WATCHED: list[Guided] = []


def test_a_book_is_traded_on_bars_of_another_instrument_and_so_are_those(minute: Recording) -> None:
    result = nt.replay(Guided, [minute, minutes(minute)], slippage="1 tick")
    heard = WATCHED[-1].heard
    assert len(heard) == 12 and heard[0][:2] == ("GUIDE", 100.0) and heard[0][2] == 100.0
    assert set(result.fills["symbol"]) == {"ALPHA", "GUIDE"}
    assert result.run["depth"] == {"ALPHA": "levels", "GUIDE": "bars"}
    assert result.run["slippage"] == nt.backtest(slippage="1 tick").run["slippage"]
    guide = result.fills.filter(result.fills["symbol"] == "GUIDE")
    assert (guide["slippage"] > 0).all()
    result.engine.check_invariants()
    assert result.to_dict()["digests"] == nt.replay(Guided, [minutes(minute), minute], slippage="1 tick").digests


def test_bars_in_a_file_are_played_beside_records_and_verified(minute: Recording, tmp_path: Path) -> None:
    from neural_trader.cli.verification import check_alone, check_rerun
    from neural_trader.market.writing import write_bars

    strategy = tmp_path / "watch.py"
    strategy.write_text(
        "import neural_trader as nt\nclass Watch(nt.Strategy):\n    def on_bar(self, bar):\n        self.target(0.1)\n"
    )
    places = [write_recording(minute, tmp_path / "book.npy"), tmp_path / "GUIDE.csv"]
    write_bars(minutes(minute), places[1])
    document = nt.replay(str(strategy), places).to_dict()
    assert len(document["fills"]) > 0
    findings = check_alone(document) + check_rerun(document, data=None, strategy=None, progress=None)
    assert {finding.state for finding in findings} == {"PASS"}, findings


def test_bars_that_do_not_fit_are_one_line(minute: Recording, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("open,high,low,close\n1,2,1,2\n")
    with pytest.raises(DataError, match=r"bad\.csv"):
        nt.replay(Guided, [minute, tmp_path / "bad.csv"])
    with pytest.raises(UsageError, match="bars alone are what `backtest` plays"):
        nt.replay(Guided, minutes(minute))
    with pytest.raises(DataError, match="GUIDE is there twice as bars"):
        nt.replay(Guided, [minute, minutes(minute), minutes(minute)])
    with pytest.raises(UsageError, match="a journal and a ladder are of books"):
        nt.replay(Guided, [minute, minutes(minute)], ladder=True)
    with pytest.raises(UsageError, match="slippage is for bars"):
        nt.replay(Maker, minute, slippage="1 tick")


def test_bars_of_a_recorded_symbol_have_a_name_of_their_own(minute: Recording) -> None:
    bars = replace(minutes(minute), symbol="ALPHA")
    result = nt.replay(Maker, [minute, bars])
    assert [each.symbol for each in result.series] == ["ALPHA", "ALPHA@bars"]
    assert told(result)[1] == told(nt.replay(Maker, minute))[1]
