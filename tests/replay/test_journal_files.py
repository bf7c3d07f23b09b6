"""Journals as files: kept by runs, played again without the strategy, and readable whatever became of the run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.baseline.journal import Frame, decode, encode
from neural_trader.errors import DataError, StrategyRunError, UsageError
from neural_trader.market.recordings import Recording, synthetic_recording
from neural_trader.strategy import Fill, Strategy, Tick

pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")

from neural_trader.backtesting.journal import open_journal
from neural_trader.backtesting.journal_check import check
from neural_trader.backtesting.replay import replay

SECOND = 10**9


class Taker(Strategy):
    """Takes and quotes in turn, on records, fills and timers."""

    fails_at: int = 0

    def on_start(self) -> None:
        self.seen = 0
        self.set_timer(after_ns=SECOND)

    def on_trade(self, trade: Tick) -> None:
        self.seen += 1
        if self.seen == self.fails_at:
            raise ZeroDivisionError("nothing to divide by")
        if self.seen % 50 == 0:
            self.buy(3, stop_loss=trade.price - 0.05, take_profit=trade.price + 0.05)

    def on_book(self, symbol: str) -> None:
        if self.seen % 50 == 25 and not self.position(symbol):
            self.seen += 1
            self.sell(2, symbol=symbol, limit=self.best_ask(symbol), post_only=True, good_till=self.now_ns + SECOND)

    def on_fill(self, fill: Fill) -> None:
        if fill.maker:
            self.target(quantity=0, symbol=fill.symbol)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=SECOND)


@pytest.fixture(scope="module")
def market() -> Recording:
    return synthetic_recording(3, "2m")


def test_a_generated_session_is_kept_and_played_again(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    result = replay(Taker, market, journal=path)
    assert len(result.fills) > 20 and result.hash == replay(Taker, market).hash
    checked = check(path)
    assert checked.difference is None
    assert checked.journal.run_hash == result.hash and checked.journal.aborted is None
    frames = decode(path.read_bytes()).frames
    assert len(frames) == checked.journal.frames
    names = [frame.name for frame in frames]
    assert names.count("sample") == result.samples
    assert names.count("fill") == len(result.fills)
    assert {"record", "submit", "ended", "accepted", "timer"} < set(names)


@pytest.mark.parametrize("strategy", ["avellaneda_stoikov", "grid"])
def test_a_strategy_leaves_the_same_journal_in_both_its_forms(strategy: str, tmp_path: Path, market: Recording) -> None:
    kept = []
    for native in (False, True):
        replay(strategy, market, native=native, journal=tmp_path / f"{native}.journal")
        assert check(tmp_path / f"{native}.journal").difference is None
        kept.append((tmp_path / f"{native}.journal").read_bytes())
    assert kept[0] == kept[1]
    assert sum(frame.name == "submit" for frame in decode(kept[0]).frames) > 5


@pytest.mark.parametrize("strategy", ["avellaneda_stoikov", Taker])
def test_a_recorded_session_is_kept_and_played_again(strategy: Any, shared_data: Path, tmp_path: Path) -> None:
    session = shared_data / "depth" / "binance_spot_ethusdt_20240808.ws.gz"
    path = tmp_path / "run.journal"
    result = replay(strategy, session, venue="binance", cash=10**6, journal=path)
    assert len(result.orders) >= 10
    assert check(path).difference is None
    other = shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz"
    with pytest.raises(DataError, match=r"no symbol 'ETHUSDT' here .*run.journal is of another recording"):
        check(path, [other])


def test_records_in_a_file_of_their_own_are_found_again(tmp_path: Path, market: Recording) -> None:
    from neural_trader.market.record_files import open_recording, write_recording

    path, place = tmp_path / "run.journal", write_recording(market, tmp_path / "session.npy")
    replay(Taker, open_recording(place), journal=path)
    assert check(path).difference is None
    moved = place.rename(tmp_path / "moved.npy")
    with pytest.raises(DataError, match=r"session\.npy is not there; say where it is now"):
        check(path)
    assert check(path, [moved]).difference is None
    other = market.records.copy()
    other["quantity"][-1] += 1
    write_recording(Recording(other, market.instruments), moved)
    with pytest.raises(DataError, match=r"is not the recording of .*: its digest is"):
        check(path, [moved])


def test_records_from_memory_have_to_be_named(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    replay(Taker, Recording(market.records, market.instruments), journal=path)
    with pytest.raises(DataError, match="came from memory"):
        check(path)


def test_a_strategy_that_raises_leaves_a_journal_up_to_there(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    with pytest.raises(StrategyRunError) as raised:
        replay(Taker, market, parameters={"fails_at": 120}, journal=path)
    checked = check(path)
    assert checked.difference is None
    assert checked.journal.run_hash is None
    assert checked.journal.aborted == str(raised.value)
    assert "Taker.on_trade at" in str(raised.value)
    # It broke off at a record, which is the last thing that is told.
    assert [frame.name for frame in decode(path.read_bytes()).frames[-2:]] == ["record", "aborted"]


def test_what_is_wrong_before_the_run_leaves_no_journal(tmp_path: Path, market: Recording) -> None:
    class OfBars(Strategy):
        def on_bar(self, bar: Any) -> None:
            self.buy(1)

    path = tmp_path / "run.journal"
    with pytest.raises(UsageError, match="decides on bars"):
        replay(OfBars, market, journal=path)
    assert not path.exists()
    with pytest.raises(UsageError, match="there is no folder"):
        replay(Taker, market, journal=tmp_path / "nowhere" / "run.journal")


def test_a_journal_is_never_written_over(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="a journal is never written over"):
        replay(Taker, market, journal=path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda content: b"", "is no journal of neural-trader"),
        (lambda content: b"<!doctype html>", "is no journal of neural-trader"),
        (lambda content: content[:-10], "is torn at byte .* frames before it are good"),
        (lambda content: content[:-50] + b"?" + content[-49:], "is torn at byte"),
        (lambda content: content + b" ", "is torn at byte .*: something follows the end"),
        (lambda content: encode("{}", decode(content).frames), "its header makes no sense"),
        (lambda content: encode("?", decode(content).frames), "its header makes no sense"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    spoil: Callable[[bytes], bytes], match: str, tmp_path: Path, market: Recording
) -> None:
    path = tmp_path / "run.journal"
    replay(Taker, market, journal=path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=match) as raised:
        check(path)
    assert "\n" not in str(raised.value)


def test_a_changed_run_hash_is_found(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    replay(Taker, market, journal=path)
    journal = decode(path.read_bytes())
    assert journal.header is not None
    last = journal.frames[-1]
    path.write_bytes(encode(journal.header, [*journal.frames[:-1], last._replace(tail=bytes(32))]))
    difference = check(path).difference
    assert difference is not None
    assert (difference.frame, difference.came) == (len(journal.frames), f"end {last.tail.hex()}")


def test_a_setting_that_was_changed_is_found(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    replay(Taker, market, journal=path)
    journal = decode(path.read_bytes())
    assert journal.header is not None
    path.write_bytes(encode(journal.header.replace('"latency":"10ms/10ms"', '"latency":"9ms/10ms"'), journal.frames))
    assert check(path).difference is not None


ENDLESS = """
import sys
from pathlib import Path
from neural_trader.backtesting.replay import replay
from neural_trader.market.recordings import synthetic_recording
from neural_trader.strategy import Strategy

class Ticking(Strategy):
    def on_start(self):
        self.set_timer(after_ns=1000)

    def on_timer(self, time_ns):
        self.set_timer(after_ns=1000)

replay(Ticking, synthetic_recording(3, "1h"), journal=Path(sys.argv[1]))
"""


def test_a_process_that_is_killed_leaves_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and (not path.exists() or path.stat().st_size < 500_000):
            time.sleep(0.01)
        process.kill()
    assert process.returncode and path.stat().st_size >= 500_000
    journal = decode(path.read_bytes())
    assert journal.header is not None and journal.tear is not None
    assert {frame.name for frame in journal.frames} >= {"timer", "set_timer"}
    assert journal.tear.byte > path.stat().st_size - 200
    with pytest.raises(DataError, match=f"is torn at byte {journal.tear.byte}: .* the {len(journal.frames):,} frames"):
        open_journal(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="sets a limit of this system")
def test_a_full_disk_is_not_blamed_on_the_strategy(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    limited = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    command = [sys.executable, "-c", limited + ENDLESS, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode and "OSError: [Errno 27] cannot be written" in ended.stderr.splitlines()[-1]
    assert path.stat().st_size == 200_000
    journal = decode(path.read_bytes())
    assert journal.tear is not None and isinstance(journal.frames[-1], Frame)


def test_many_frames_are_read_where_they_lie(tmp_path: Path, market: Recording) -> None:
    path = tmp_path / "run.journal"
    replay(Taker, market, journal=path)
    content = open_journal(path).content
    assert isinstance(content, np.ndarray) and not content.flags.owndata and not content.flags.writeable
