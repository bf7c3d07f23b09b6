"""Recording from a venue on this machine, and holding what came of it against what was streamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from neural_trader.market.captures import feed_for, read_capture
from neural_trader.market.catalog import Catalog, Key
from neural_trader.market.catalog.capturing import import_capture
from neural_trader.market.recording.session import Recording
from neural_trader.market.recording.streams import streams_of
from neural_trader.market.venue_history import Patience
from neural_trader.market.venue_instruments import VenueInstrument, described_instruments
from stream_server import Server, serving

QUICK = Patience(tries=3, first_s=0.01)
GRACE_S = 0.3
"""What was sent is on this machine; so long it may take to be read."""
COMPARED = ["ts_event_ns", "price", "quantity", "id", "instrument", "kind", "flags"]
"""All of a record but when it was received and its number."""


def record(server: Server, venue: str, symbol: str, folder: Path, **settings: Any) -> tuple[Recording, list[str]]:
    """Records all that a venue streams; the recording, and the lines that it told."""
    said: list[str] = []
    recording = Recording(
        streams_of(venue), [symbol], folder / "raw", Catalog(folder / "catalog"), patience=QUICK, say=said.append,
        **settings,
    )  # fmt: skip

    async def until_done() -> None:
        recording.url_ws, recording.url_rest = server.url_ws, server.url_rest
        task = asyncio.create_task(recording.run())
        await asyncio.wait(
            [task, asyncio.create_task(asyncio.to_thread(server.done.wait))], return_when=asyncio.FIRST_COMPLETED
        )
        server.done.set()
        await asyncio.sleep(GRACE_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with serving(server):
        asyncio.run(until_done())
    return recording, said


def instruments_of(recording: Recording) -> list[VenueInstrument]:
    """As the session's own description of them says."""
    assert recording.files is not None and recording.recorder is not None
    described = described_instruments(recording.rules.venue, (recording.files.folder / "instruments.json").read_bytes())
    return [one for one in described.values() if any(one.symbol == symbol for symbol in _symbols(recording))]


def _symbols(recording: Recording) -> Iterable[str]:
    assert recording.recorder is not None
    return recording.recorder.symbols


def events_of(recording: Recording) -> np.ndarray[Any, Any]:
    """The records of the raw files."""
    assert recording.files is not None
    return read_capture(recording.files.paths, recording.rules.venue, instruments_of(recording)).events


def of_kind(events: np.ndarray[Any, Any], *names: str) -> np.ndarray[Any, Any]:
    from neural_trader.market.events import KIND

    return events[np.isin(events["kind"], [KIND[name] for name in names])][COMPARED]


def assert_catalog_is_an_import(recording: Recording, folder: Path) -> list[Key]:
    """What was stored on the way is what an import of the raw files makes, row by row and column by column."""
    assert recording.files is not None and recording.catalog is not None and recording.storing is not None
    assert recording.storing.failed == {}
    again = Catalog(folder / "imported")
    done, _ = import_capture(again, recording.files.paths, recording.rules.venue, instruments_of(recording))
    keys = [each.key for each in done]
    assert [dataset.key for dataset in recording.catalog.datasets()] == sorted(keys)
    for key in keys:
        stored, imported = recording.catalog.dataset(key), again.dataset(key)
        assert stored.frame().equals(imported.frame()), key
        assert stored.manifest().tick == imported.manifest().tick
        assert stored.manifest().rows == recording.storing.rows[str(key)]
    # Importing the files into the catalog that was recorded to changes nothing.
    repeated, _ = import_capture(
        recording.catalog, recording.files.paths, recording.rules.venue, instruments_of(recording)
    )
    assert [each.new for each in repeated] == [0] * len(keys)
    return keys


def assert_books_are_quoted(recording: Recording, symbol: str) -> int:
    """At every change of the book whose id a best bid and ask has, both agree; how often that was."""
    import gzip

    assert recording.files is not None
    lines = [line for path in recording.files.paths for line in gzip.decompress(path.read_bytes()).splitlines()]
    quotes = {}
    for line in lines:
        if b"@bookTicker" in line[:80]:
            data = json.loads(line.partition(b" ")[2])["data"]
            quotes[data["u"]] = [(data["b"], data["B"]), (data["a"], data["A"])]
    (instrument,) = instruments_of(recording)
    feed = feed_for(recording.rules.venue, [instrument])
    agreed = 0
    for line in lines:
        feed.lines(line)
        if b"depthUpdate" in line[:120] and (quoted := quotes.get(feed.book_id(symbol) or -1)):
            sides = [feed.levels(symbol, is_bid, 1) for is_bid in (True, False)]
            assert all(sides)
            best = [side[0] for side in sides if side]
            assert [(instrument.price(price), instrument.quantity(quantity)) for price, quantity in best] == [
                (type(instrument.price(0))(price), type(instrument.price(0))(quantity)) for price, quantity in quoted
            ]
            agreed += 1
    return agreed
