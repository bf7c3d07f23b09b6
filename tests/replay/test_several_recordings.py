"""Recordings of several venues on one time line, as ``neural_trader.replay`` plays them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.errors import DataError
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
    finer = minute.instruments[0]._replace(tick=nt.market.bars.Step(1, 9))
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
