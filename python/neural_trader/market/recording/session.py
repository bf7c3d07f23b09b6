"""A recording from its request to its end: instruments are looked up, files opened, and the recorder is run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from neural_trader.errors import UsageError
from neural_trader.market.captures import feed_for
from neural_trader.market.catalog.store import Catalog
from neural_trader.market.recording.raw_file import RawFiles
from neural_trader.market.recording.recorder import Recorder
from neural_trader.market.recording.requests import Refused, Requests, needs
from neural_trader.market.recording.storing import Storing
from neural_trader.market.recording.streams import CHANNELS, Streams, checked_address
from neural_trader.market.sources import suggestion
from neural_trader.market.venue_history import Patience
from neural_trader.market.venue_instruments import VenueInstrument, described_instruments

INSTRUMENTS = "instruments.json"
"""The venue's own description of its instruments, beside the files of a session, as it was answered."""


@dataclass
class Recording:
    """What is to be recorded, and what came of it."""

    rules: Streams
    symbols: Sequence[str]
    raw: Path
    """The folder in which each session gets a folder of its own."""
    catalog: Catalog | None = None
    """None to keep raw files only."""
    channels: Sequence[str] = CHANNELS
    depth: int | None = None
    url_ws: str | None = None
    url_rest: str | None = None
    patience: Patience = field(default_factory=lambda: Patience(tries=3))
    say: Callable[[str], None] = lambda _line: None
    recorder: Recorder | None = None
    files: RawFiles | None = None
    storing: Storing | None = None

    async def run(self, for_s: float | None = None, progress: Callable[[Recorder], None] | None = None) -> None:
        """Records for so many seconds, or until this is cancelled.

        Raises UsageError for what the venue does not have, and NeuralTraderError where it cannot be reached.
        """
        try:
            import websockets  # noqa: F401 - found missing before anything is asked
        except ModuleNotFoundError as error:
            if error.name != "websockets":
                raise
            raise needs("websockets") from None
        rules = self.rules
        depth = rules.depth(self.depth)
        url_ws = checked_address("--url-ws", self.url_ws or rules.url_ws, ("ws", "wss"))
        url_rest = checked_address("--url-rest", self.url_rest or rules.url_rest, ("http", "https"))
        if (count := len(self.symbols) * len(self.channels)) > rules.streams_max:
            raise UsageError(f"{count} streams: {rules.venue} takes {rules.streams_max} on a connection; name fewer")
        async with Requests(rules.venue, url_rest, self.patience, self.say) as requests:
            instruments, description = await self._described(requests)
            name = f"{datetime.fromtimestamp(time.time(), UTC):%Y%m%dT%H%M%S.%fZ}"
            self.files = RawFiles(self.raw / rules.venue / name)
            (self.files.folder / INSTRUMENTS).write_bytes(description)
            if self.catalog is not None:
                self.storing = Storing(self.catalog, rules.venue, instruments, f"{rules.venue} live, session {name}")
            self.recorder = Recorder(
                rules, [one.symbol for one in instruments], self.channels, feed_for(rules.venue, instruments),
                self.files, self.storing, requests, depth=depth, url_ws=url_ws,
                patience=self.patience, say=self.say,
            )  # fmt: skip
            await self.recorder.run(for_s, progress)

    async def _described(self, requests: Requests) -> tuple[list[VenueInstrument], bytes]:
        """The instruments in the order asked for, and what the venue said about them."""
        venue = self.rules.venue
        asked = dict.fromkeys(self.rules.requested(symbol) for symbol in self.symbols)
        try:
            answer = await requests.get(self.rules.describe_path(list(asked)), "its instruments")
        except Refused as error:
            raise UsageError(f"{venue} has not all of {', '.join(self.symbols)}: {error}") from None
        described = described_instruments(venue, answer)
        by_name = {_folded(symbol): one for symbol, one in described.items()}
        found = {}
        for symbol in asked:
            if (one := by_name.get(_folded(symbol))) is None:
                raise UsageError(f"{venue} has no instrument {symbol!r}{suggestion(symbol, list(described))}")
            if not one.tradable:
                self.say(f"{venue} {one.symbol}: not open for trading now")
            found[one.symbol] = one
        return list(found.values()), answer


def _folded(symbol: str) -> str:
    return re.sub(r"[^a-z0-9_]", "", symbol.lower())
