"""A live session: what venues send goes to raw files and, through the same feed that reads those, into the catalog.

The feed is given the very lines that are written, so a file that is imported later gives the records of the session.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neural_trader._native import VenueFeed
from neural_trader.errors import NeuralTraderError
from neural_trader.market.recording.books import Books
from neural_trader.market.recording.connection import Connection
from neural_trader.market.recording.raw_file import RawFiles
from neural_trader.market.recording.requests import Requests
from neural_trader.market.recording.storing import Storing
from neural_trader.market.recording.streams import Streams
from neural_trader.market.venue_history import Patience

if TYPE_CHECKING:
    import numpy as np

    Records = np.ndarray[Any, np.dtype[Any]]

TEND_S = 0.05
LINES_MAX = 512
"""Lines that wait for the feed, at most; otherwise it is given what there is every time the session is tended."""
STORE_S = 5.0
STORE_SHARE = 0.1
"""Storing may take this share of the time; where a day's files have become large it happens less often."""
TOLD_MAX = 20
"""Messages that cannot be read are told so often; all are counted."""
REFUSED_S = 10.0
"""A refusal in the first seconds is one of what was asked for; later ones end only their connection."""


@dataclass
class Counts:
    """What a session has come to so far."""

    messages: int = 0
    bytes: int = 0
    records: int = 0
    reconnects: int = 0
    snapshots: int = 0
    """Whole books that were asked for."""
    trades_missed: int = 0
    """Trades between two of which the numbers are not consecutive."""
    malformed: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Recorder:
    """One session at one venue."""

    def __init__(
        self, rules: Streams, symbols: Sequence[str], channels: Sequence[str], feed: VenueFeed, raw: RawFiles,
        storing: Storing | None, requests: Requests, *, depth: int, url_ws: str, patience: Patience,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.counts = Counts()
        self.symbols = list(symbols)
        self.books = Books(rules.venue, symbols if "depth" in channels else (), say)
        self._rules, self._depth = rules, depth
        self._feed, self._raw, self._storing, self._requests, self._say = feed, raw, storing, requests, say
        self._failure: NeuralTraderError | None = None
        self._lines: list[bytes] = []
        self._recv_ns = self._first_recv_ns = 0
        self._begun_s = time.monotonic()
        self._snapshots: dict[str, asyncio.Task[None]] = {}
        self._storing_task: asyncio.Task[None] | None = None
        self._stored_s = self._begun_s
        self._store_took_s = 0.0
        self._connections = self._connected_to(url_ws, channels, patience)

    def _connected_to(self, url_ws: str, channels: Sequence[str], patience: Patience) -> list[Connection]:
        made = []
        for route in self._rules.routes:
            if carried := [channel for channel in route.channels if channel in channels]:
                greeting = self._rules.subscriptions(self.symbols, carried, self._depth)
                made.append(Connection(
                    url_ws.rstrip("/") + route.path, greeting, self, patience, silence_s=self._rules.silence_s,
                    ping=self._rules.ping, carries_books="depth" in carried,
                ))  # fmt: skip
        return made

    # ---- The session -------------------------------------------------------------------------------------------------

    async def run(self, for_s: float | None = None, progress: Callable[[Recorder], None] | None = None) -> None:
        """Records until the time is over or this is cancelled; whatever ends it, what has arrived is stored."""
        working = [asyncio.create_task(connection.keep()) for connection in self._connections]
        working.append(asyncio.create_task(self._tend(progress)))
        try:
            done, _ = await asyncio.wait(working, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._finish([*working, *self._snapshots.values()])

    async def _finish(self, working: list[asyncio.Task[None]]) -> None:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        self._process()
        self._raw.close()
        if self._storing_task is not None:
            await self._storing_task
        if self._storing is not None:
            self._storing.store(self._storing.take(is_last=True))

    async def _tend(self, progress: Callable[[Recorder], None] | None) -> None:
        while True:
            await asyncio.sleep(TEND_S)
            self._process()
            if self._failure is not None:
                raise self._failure
            self._raw.flush_if_due()
            for connection in self._connections:
                await connection.tend()
            await self._ask_for_books()
            self._store_if_due()
            if progress is not None:
                progress(self)

    # ---- What connections tell ---------------------------------------------------------------------------------------

    def message(self, message: bytes) -> None:
        """A message of a stream."""
        if b"\n" in message:
            # Only between the tokens of a message may there be one, where a space says the same.
            message = message.replace(b"\n", b" ")
        self._line(b"%d %b\n" % (self._now_ns(), message))
        self.counts.messages += 1
        self.counts.bytes += len(message)

    def connected(self, connection: Connection) -> None:
        """A connection was made: books of this venue begin anew."""
        if connection.made > 1:
            self.counts.reconnects += 1
            self._say(f"{self._rules.venue}: connected again")
        if connection.carries_books:
            self._line(b"%b <-> %b\n" % (connection.url.encode(), self._now_text()))
            self._process()
            self.books.connected()

    def sent(self, connection: Connection, text: str) -> None:
        self._line(b"%b <- %b: %b\n" % (connection.url.encode(), self._now_text(), text.encode()))

    def lost(self, connection: Connection, why: str, wait_s: float) -> None:
        self._say(f"{self._rules.venue}: {connection.url}: {why}; again in {wait_s:.1f} s")

    def _now_ns(self) -> int:
        """The time of receipt, which never falls, whatever is done to the clock."""
        self._recv_ns = max(self._recv_ns + 1, time.time_ns())
        return self._recv_ns

    def _now_text(self) -> bytes:
        seconds, ns = divmod(self._now_ns(), 1_000_000_000)
        return b"%d.%09d" % (seconds, ns)

    # ---- Lines, records, rows ----------------------------------------------------------------------------------------

    def _line(self, line: bytes) -> None:
        if not self._lines:
            self._first_recv_ns = self._recv_ns
        self._lines.append(line)
        if len(self._lines) >= LINES_MAX:
            self._process()

    def _process(self) -> None:
        """Writes the lines that wait, and feeds them."""
        if not self._lines:
            return
        import numpy as np

        from neural_trader.market.events import EVENT, FAULTS, KIND

        block = b"".join(self._lines)
        self._lines.clear()
        self._raw.write(block, self._first_recv_ns)
        self._feed.lines(block)
        records = np.frombuffer(self._feed.take(), EVENT)
        self.counts.records += len(records)
        if self._storing is not None and len(records):
            self._storing.add(records)
        told = np.isin(records["kind"], [KIND[name] for name in (*FAULTS, "snapshot_end")])
        for record in records[told]:
            self._see(record, block)

    def _see(self, record: Any, block: bytes) -> None:
        """Takes note of a record that says that something is wrong, or right again."""
        from neural_trader.market.events import KIND

        kind = next(name for name, number in KIND.items() if number == record["kind"])
        number = int(record["instrument"])
        # What is about all instruments has a number of its own.
        symbol = self.symbols[number] if number < len(self.symbols) else None
        if kind != "snapshot_end":
            self.counts.faults[kind] += 1
        if kind == "trade_gap":
            missed = int(record["quantity"]) - int(record["price"])
            self.counts.trades_missed += missed
            first, last = int(record["price"]), int(record["quantity"]) - 1
            self._say(f"{self._rules.venue} {symbol}: {missed:,} trades missed, {first} to {last}; nothing fills them")
        elif kind == "malformed":
            self._tell_malformed()
        elif kind == "refused":
            self._refused(block)
        else:
            self.books.see(kind, symbol, record)

    def _tell_malformed(self) -> None:
        for code, offset, _, _, first_bytes in self._feed.faults():
            self.counts.malformed += 1
            if self.counts.malformed > TOLD_MAX:
                continue
            begins = first_bytes.decode(errors="replace")[:60]
            self._say(f"{self._rules.venue}: a message cannot be read, {code} at byte {offset}: {begins!r}")

    def _refused(self, block: bytes) -> None:
        words = (b'"success":false', b'"success": false', b'"error"', b'"code"')
        lines = (line.split(b" ", 1)[-1] for line in block.splitlines())
        said = next((line for line in lines if any(word in line[:4096] for word in words)), b"")
        text = said.decode(errors="replace")[:160]
        if time.monotonic() - self._begun_s < REFUSED_S:
            self._failure = NeuralTraderError(f"{self._rules.venue} refuses: {text}")
            return
        self._say(f"{self._rules.venue} refuses: {text}")
        for connection in self._connections:
            connection.drop("refused")

    # ---- Books -------------------------------------------------------------------------------------------------------

    async def _ask_for_books(self) -> None:
        """Asks for the books that are waited for, in the way of the venue."""
        carrier = next((one for one in self._connections if one.carries_books), None)
        if carrier is None or not carrier.is_up:
            return
        in_stream = self._rules.snapshot_path("", 1) is None
        for symbol in self.books.to_ask_for(in_stream=in_stream, under_way=self._snapshots):
            self.counts.snapshots += 1
            if (path := self._rules.snapshot_path(symbol, self._depth)) is None:
                for text in self._rules.again(symbol, self._depth):
                    await carrier.say(text)
            else:
                self._snapshots[symbol] = asyncio.create_task(self._snapshot(symbol, path))

    async def _snapshot(self, symbol: str, path: str) -> None:
        try:
            answer = await self._requests.get(path, f"the book of {symbol}")
        except NeuralTraderError as error:
            # Asked for again when the next wait is over.
            self._say(str(error))
            return
        finally:
            del self._snapshots[symbol]
        address = self._requests.address(path).encode()
        self._line(b"%b -> %b: %b\n" % (address, self._now_text(), answer.replace(b"\n", b" ")))

    # ---- The catalog -------------------------------------------------------------------------------------------------

    def _store_if_due(self) -> None:
        if self._storing is None:
            return
        if self._storing_task is not None:
            if self._storing_task.done():
                # Raises what went wrong.
                self._storing_task.result()
                self._storing_task = None
        elif time.monotonic() - self._stored_s >= max(STORE_S, self._store_took_s / STORE_SHARE):
            # What the catalog holds is on the disk as it came, whatever happens.
            self._raw.flush()
            self._raw.sync()
            self._storing_task = asyncio.create_task(self._store(self._storing))

    async def _store(self, storing: Storing) -> None:
        begun_s = time.monotonic()
        try:
            await asyncio.to_thread(storing.store, storing.take())
        finally:
            self._stored_s = time.monotonic()
            self._store_took_s = self._stored_s - begun_s
