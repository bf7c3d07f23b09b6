"""What was recorded can be replayed from the catalog as from the session itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture_lines import session
from neural_trader import Strategy, replay
from neural_trader.errors import DataError
from neural_trader.market.catalog import Catalog
from neural_trader.market.catalog.capturing import import_capture
from neural_trader.market.catalog.importing import import_files
from neural_trader.market.events import KIND
from neural_trader.market.record_files import open_recording, recordings_of, write_recording
from neural_trader.market.recordings import Recording
from neural_trader.market.venue_instruments import VenueInstrument

MADE = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


@pytest.fixture
def stored(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session with a lost message, in a file and in the catalog."""
    path = tmp_path / "session.txt"
    path.write_bytes(session(600, lost=frozenset({150, 151})))
    import_capture(catalog, [path], "binance", [MADE])
    monkeypatch.setenv("NT_CATALOG", str(catalog.root))
    return path


class InAndOut(Strategy):
    """Buys and sells by turns, at the market and at the best price of its own side."""

    def on_start(self) -> None:
        self.sent = 0
        self.set_timer(after_ns=0)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=700_000_000)
        symbol, self.sent = self.symbols[0], self.sent + 1
        bid, ask = self.best_bid(symbol), self.best_ask(symbol)
        if not bid < ask:
            return
        send, rests = (self.buy, bid) if self.sent % 2 else (self.sell, ask)
        send(0.5, symbol=symbol, **({"limit": rests} if self.sent % 3 else {}))


def outcome(recording: Recording) -> tuple[object, ...]:
    result = replay(InAndOut, recording, cash=10**9, benchmark=False)
    assert result.fills.height > 5
    return result.fills.rows(), result.equity_curve.tolist()


def test_a_session_in_the_catalog_replays_as_the_session_itself(stored: Path) -> None:
    of_file = recordings_of([stored], "binance")[0]
    of_catalog = recordings_of(["catalog:binance/ABUSD"], None)[0]
    assert of_catalog.kinds() == {kind: of_file.kinds()[kind] for kind in of_catalog.kinds()}
    assert {"level", "trade", "quote", "snapshot_begin", "snapshot_end", "resync"} <= set(of_catalog.kinds())
    assert outcome(of_catalog) == outcome(of_file)


def test_a_file_of_records_is_opened_and_not_read(stored: Path, tmp_path: Path) -> None:
    whole = recordings_of([stored], "binance")[0]
    path = write_recording(whole, tmp_path / "session.npy")
    opened = open_recording(path)
    assert opened.instruments == whole.instruments
    assert opened.kinds() == whole.kinds()
    assert np.array_equal(np.load(path, mmap_mode="r"), whole.records)
    assert isinstance(opened.records.base, np.memmap)
    assert outcome(opened) == outcome(whole)


@pytest.mark.parametrize("kept", [0, 10, 1_000, -1])
def test_a_file_of_records_that_was_cut_off_is_refused(stored: Path, tmp_path: Path, kept: int) -> None:
    path = write_recording(recordings_of([stored], "binance")[0], tmp_path / "session.npy")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="cut off"):
        open_recording(path)


def test_records_without_what_they_mean_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.npy"
    np.save(path, np.zeros(100, np.int64))
    with pytest.raises(DataError, match="no recording"):
        open_recording(path)


def test_bars_alone_are_refused(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = tmp_path / "ALPHA.csv"
    bars.write_text("time,open,high,low,close\n" + "".join(f"2024-01-{day:02},1,2,1,2\n" for day in range(1, 9)))
    assert not [each.error for each in import_files(catalog, [bars], "demo", "bars") if each.error]
    monkeypatch.setenv("NT_CATALOG", str(catalog.root))
    with pytest.raises(DataError, match="only bars"):
        recordings_of(["catalog:demo/ALPHA"], None)[0]


def test_several_instruments_are_refused(stored: Path, catalog: Catalog) -> None:
    import_capture(catalog, [stored], "binance_us", [MADE])
    with pytest.raises(DataError, match="binance/ABUSD, binance_us/ABUSD"):
        recordings_of(["catalog:*/ABUSD"], None)[0]


def test_what_is_stored_with_times_of_receipt_does_not_move_the_clock_of_the_venue(stored: Path) -> None:
    records = recordings_of(["catalog:binance/ABUSD"], None)[0].records
    quotes = records[records["kind"] == KIND["quote"]]
    assert not quotes["ts_event_ns"].any()
