"""Recordings hold what was streamed, and say so wherever they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.market.captures import read_capture
from neural_trader.market.recording import recorder as recorder_module
from recordings import (
    assert_books_are_quoted,
    assert_catalog_is_an_import,
    events_of,
    instruments_of,
    of_kind,
    record,
)
from sessions import (
    EXCHANGE,
    PAIRS,
    PRODUCTS,
    made_binance,
    made_coinbase,
    made_kraken,
    recorded,
    recorded_kraken,
)
from stream_server import Binance, Coinbase, Fault, Kraken, Server

STEPS = 1500


@pytest.fixture(autouse=True)
def _stored_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small parts, so that their seams are tested."""
    monkeypatch.setattr(recorder_module, "STORE_S", 0.02)
    monkeypatch.setattr(recorder_module, "STORE_SHARE", 1.0)


def lines_of(folder: Path, session: list[bytes]) -> Path:
    """A session as a capture, for comparison."""
    path = folder / "original.ws"
    path.write_bytes(b"".join(b"%d %b\n" % (1_700_000_000_000_000_000 + at, text) for at, text in enumerate(session)))
    return path


def assert_same_records(recording: Any, original: np.ndarray[Any, Any], *, from_id: int = 0) -> None:
    """Trades, quotes and levels are those of the original; levels from an id on, behind the snapshot."""
    events = events_of(recording)
    for names in (("trade",), ("aggregate_trade",), ("quote",)):
        assert np.array_equal(of_kind(events, *names), of_kind(original, *names)), names
    levels, wanted = of_kind(events, "level"), of_kind(original, "level")
    assert np.array_equal(levels[levels["id"] > from_id], wanted[wanted["id"] > from_id])
    assert len(wanted) > 1000


@pytest.mark.parametrize("venue", ["binance", "binance_us", "binance_usdm"])
def test_what_binance_streams_is_recorded(tmp_path: Path, venue: str) -> None:
    session = made_binance(STEPS, futures=venue == "binance_usdm")
    server = Server(Binance(session, EXCHANGE), pings=True, expects=3)
    recording, said = record(server, venue, "AB/USD", tmp_path)
    assert recording.recorder is not None
    counts, connections = recording.recorder.counts, 2 if venue == "binance_usdm" else 1
    assert counts.messages == len(session) - 1 + connections, "the snapshot is none, the acknowledgements are"
    assert (server.connections, counts.reconnects, counts.malformed, counts.trades_missed) == (connections, 0, 0, 0)
    assert server.latency_s > 0, "pings were answered"
    original = read_capture(lines_of(tmp_path, session), venue, instruments_of(recording))
    assert_same_records(recording, original.events, from_id=server.venue.snapshot["lastUpdateId"])
    assert assert_books_are_quoted(recording, "ABUSD") > STEPS / 2
    keys = assert_catalog_is_an_import(recording, tmp_path)
    assert [key.kind for key in keys] == ["trades", "quotes", "depth"]
    assert said == []


def test_books_are_joined_anew_after_gaps_disconnections_and_shutdowns(tmp_path: Path) -> None:
    session = made_binance(STEPS)
    faults = {
        400: Fault(lose=40),
        1000: Fault(cut=True, lose=60),
        1600: Fault(cut=True, lose=30, refuse=2),
        2200: Fault(shutdown=True),
    }
    server = Server(Binance(session, EXCHANGE), faults)
    recording, said = record(server, "binance", "ABUSD", tmp_path)
    assert recording.recorder is not None
    counts = recording.recorder.counts
    assert (server.connections, counts.reconnects, recording.recorder.books.joined) == (4, 3, 1)
    assert recording.recorder.books.repairs == {"gap": 1, "disconnected": 3}
    lost = {message for message in server.lost if b"@trade" in message[:40]}
    assert counts.trades_missed == len(lost) > 10
    assert sum("nothing fills them" in line for line in said) >= 3
    assert any("the venue shuts this server down" in line for line in said)
    assert any("too many requests (429)" in line for line in said)
    assert sum("the book is whole again" in line for line in said) == sum(recording.recorder.books.repairs.values())
    # All that was sent while a connection was up is there, and books agree with the quotes again.
    sent = [message for message in session if message not in set(server.lost)]
    original = read_capture(lines_of(tmp_path, sent), "binance", instruments_of(recording))
    events = events_of(recording)
    for name in ("trade", "quote"):
        assert np.array_equal(of_kind(events, name), of_kind(original.events, name))
    assert assert_books_are_quoted(recording, "ABUSD") > STEPS / 2
    assert_catalog_is_an_import(recording, tmp_path)


def test_krakens_checksums_are_checked_and_repaired(tmp_path: Path) -> None:
    session = made_kraken(STEPS)
    wrong = next(at for at in range(900, 1000) if session[at].startswith(b'{"channel":"book"'))
    digits = session[wrong].partition(b'"checksum":')[2].partition(b",")[0]
    venue = Kraken(session, PAIRS)
    # The server's own book takes the right message; what is sent has another checksum.
    venue.messages[wrong - 1] = session[wrong].replace(b'"checksum":' + digits, b'"checksum":%d' % (int(digits) ^ 1))
    faults = {wrong - 1: Fault(), 1500: Fault(cut=True, lose=50), 1900: Fault(lose=7)}
    server = Server(venue, faults, pings=True, expects=3)
    recording, said = record(server, "kraken", "AB/USD", tmp_path, depth=10)
    assert recording.recorder is not None
    recorder = recording.recorder
    assert recorder.counts.faults["bad_checksum"] == 2
    assert recorder.books.repairs == {"bad checksum": 2, "disconnected": 1}
    assert (recorder.books.joined, recorder.counts.reconnects) == (1, 1)
    assert venue.resubscribed == 2
    assert any("bad checksum" in line for line in said)
    events = events_of(recording)
    # What a new connection missed comes with it; what is lost within one is lost.
    lost, filled = (
        sum(m.startswith(b'{"channel":"trade"') for m in part) for part in (server.lost[-7:], server.lost[:-7])
    )
    assert lost > 0 and filled > 10 and recorder.counts.trades_missed == lost
    assert len(of_kind(events, "trade")) == sum(m.startswith(b'{"channel":"trade"') for m in session) - lost
    keys = assert_catalog_is_an_import(recording, tmp_path)
    assert [key.kind for key in keys] == ["trades", "quotes", "depth"]


def test_coinbases_numbers_show_what_was_lost(tmp_path: Path) -> None:
    session = made_coinbase(STEPS)
    server = Server(Coinbase(session, PRODUCTS), {500: Fault(lose=3), 1000: Fault(cut=True, lose=40)}, expects=4)
    recording, _ = record(server, "coinbase", "AB/USD", tmp_path)
    assert recording.recorder is not None
    recorder = recording.recorder
    assert recorder.books.repairs == {"gap": 1, "disconnected": 1}
    assert (recorder.books.joined, recorder.counts.reconnects, recorder.counts.malformed) == (1, 1, 0)
    trades = [m for m in session if b"market_trades" in m[:40] and m not in set(server.lost)]
    assert len(of_kind(events_of(recording), "trade")) == len(trades)
    assert_catalog_is_an_import(recording, tmp_path)


def test_channels_that_nobody_asked_for_are_not_recorded(tmp_path: Path) -> None:
    server = Server(Binance(made_binance(300), EXCHANGE), waits=False)
    recording, _ = record(server, "binance", "ABUSD", tmp_path, channels=("trades",))
    assert set(np.unique(events_of(recording)["kind"])) == {1}
    assert recording.recorder is not None and recording.recorder.counts.snapshots == 0


def test_a_silent_connection_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_server.Kraken.heartbeat", lambda *_: None)
    session = made_kraken(200)
    times_s = [0.0 if at < 150 else 7.0 for at in range(len(session))]
    server = Server(Kraken(session, PAIRS), times_s=times_s, expects=3)
    recording, said = record(server, "kraken", "AB/USD", tmp_path, depth=10)
    assert recording.recorder is not None
    assert recording.recorder.counts.reconnects == 1
    assert any("no message for 5 s" in line for line in said)
    assert recording.recorder.books.repairs == {"disconnected": 1}
    assert_catalog_is_an_import(recording, tmp_path)


def test_what_the_venue_does_not_have_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"binance has not all of NONE.*-1121"):
        record(Server(Binance(made_binance(20), EXCHANGE)), "binance", "NONE", tmp_path)
    with pytest.raises(UsageError, match=r"kraken has no instrument 'AB/USX'; did you mean AB/USD"):
        record(Server(Kraken(made_kraken(20), PAIRS)), "kraken", "AB/USX", tmp_path, depth=10)
    assert not (tmp_path / "raw").exists()


def test_a_refused_subscription_ends_it(tmp_path: Path) -> None:
    with pytest.raises(NeuralTraderError, match=r"kraken refuses: .*Book depth not supported"):
        record(Server(Kraken(made_kraken(50), PAIRS)), "kraken", "AB/USD", tmp_path, depth=25)


def test_a_session_after_another_goes_on_in_the_catalog(tmp_path: Path) -> None:
    session = made_binance(STEPS)
    half = len(session) // 2
    first, _ = record(Server(Binance(session[:half], EXCHANGE)), "binance", "ABUSD", tmp_path)
    venue = Binance(session, EXCHANGE)
    for message in venue.messages[: half - 1]:
        venue.see(message)
    venue.messages = venue.messages[half - 1 :]
    second, _ = record(Server(venue), "binance", "ABUSD", tmp_path)
    assert first.storing is not None and second.storing is not None
    assert second.storing.failed == {}
    assert first.files is not None and second.files is not None and first.files.folder != second.files.folder
    catalog = first.catalog
    assert catalog is not None
    trades = catalog.dataset(next(d.key for d in catalog.datasets() if d.key.kind == "trades")).frame()
    assert trades["trade_id"].to_list() == [501 + at for at in range(len(trades))]
    assert len(trades) == sum(b"@trade" in message[:40] for message in session)


# ---- Recorded markets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("venue", "name"), [("binance", "spot"), ("binance_usdm", "usdm")])
def test_a_recorded_market_is_recorded_again(tmp_path: Path, shared_data: Path, venue: str, name: str) -> None:
    _, session = recorded(shared_data / "depth" / f"binance_{name}_btcusdt_20240808.ws.gz")
    # Futures are recorded with their aggregated trades, as documented; the capture has others.
    session = [message for message in session if venue == "binance" or b"@trade" not in message[:40]]
    server = Server(Binance(session, EXCHANGE))
    recording, said = record(server, venue, "BTCUSDT", tmp_path)
    assert said == []
    original = read_capture(lines_of(tmp_path, session), venue, instruments_of(recording))
    assert_same_records(recording, original.events, from_id=server.venue.snapshot["lastUpdateId"])
    assert assert_books_are_quoted(recording, "BTCUSDT") > 500
    assert_catalog_is_an_import(recording, tmp_path)


def test_a_recorded_market_with_faults_is_joined_again(tmp_path: Path, shared_data: Path) -> None:
    _, session = recorded(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz", 20_000)
    faults = {5000: Fault(cut=True, lose=300), 9000: Fault(lose=200), 14_000: Fault(cut=True)}
    server = Server(Binance(session, EXCHANGE), faults)
    recording, _ = record(server, "binance", "BTCUSDT", tmp_path)
    assert recording.recorder is not None and recording.recorder.books.joined == 1
    assert sum(recording.recorder.books.repairs.values()) == 3
    assert recording.recorder.counts.trades_missed == sum(b"@trade" in message[:40] for message in server.lost)
    assert assert_books_are_quoted(recording, "BTCUSDT") > 200
    assert_catalog_is_an_import(recording, tmp_path)


def test_a_recorded_market_at_its_own_pace(tmp_path: Path, shared_data: Path) -> None:
    times_s, session = recorded(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz", 900)
    recording, _ = record(Server(Binance(session, EXCHANGE), times_s=times_s), "binance", "BTCUSDT", tmp_path)
    events = events_of(recording)
    stamps = events["ts_recv_ns"][events["kind"] == 7]
    assert times_s[-1] - times_s[0] > 1.0
    assert stamps[-1] - stamps[0] > 0.8e9 * (times_s[-1] - times_s[0]), "received as it was sent, not in a heap"
    assert_catalog_is_an_import(recording, tmp_path)


def test_krakens_recorded_book_is_recorded_again(tmp_path: Path, shared_data: Path) -> None:
    path = shared_data / "wire" / "kraken_v2_book_btcusd_depth10_2023-07-30.json.gz"
    session = recorded_kraken(path)
    recording, said = record(Server(Kraken(session, PAIRS, 10)), "kraken", "XBT/USD", tmp_path, depth=10)
    assert said == [] and len(session) == 510
    original = read_capture(path, "kraken", instruments_of(recording))
    levels = of_kind(events_of(recording), "level")
    assert np.array_equal(levels, of_kind(original.events, "level"))
    assert original.tally["checksums"] == 510
    assert_catalog_is_an_import(recording, tmp_path)
