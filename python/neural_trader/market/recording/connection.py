"""One WebSocket connection that is made again whenever it ends. The library answers pings and sends its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from neural_trader.errors import NeuralTraderError
from neural_trader.market.venue_history import Patience

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

MESSAGE_BYTES = 64 << 20
"""The largest message that is taken: whole books of Coinbase have tens of thousands of levels."""
STEADY_S = 30.0
"""A connection that held for so long was a good one; the next wait is a short one again."""
PING_EVERY_S = 20.0


class Owner(Protocol):
    """What a connection tells, and whom."""

    def connected(self, connection: Connection) -> None: ...
    def message(self, message: bytes) -> None: ...
    def sent(self, connection: Connection, text: str) -> None: ...
    def lost(self, connection: Connection, why: str, wait_s: float) -> None: ...


class Connection:
    """Keeps a connection, says what is to be said at its beginning, and hands every message on."""

    def __init__(
        self, url: str, greeting: Sequence[str], owner: Owner, patience: Patience, *,
        silence_s: float | None = None, ping: str | None = None, carries_books: bool = True,
    ) -> None:  # fmt: skip
        self.url, self.carries_books = url, carries_books
        self.made = 0
        """How often it was made."""
        self._greeting, self._owner, self._patience = greeting, owner, patience
        self._silence_s, self._ping = silence_s, ping
        self._socket: ClientConnection | None = None
        self._why = ""
        self._heard_s = self._pinged_s = 0.0
        self._chance = random.Random()

    @property
    def is_up(self) -> bool:
        return self._socket is not None

    async def keep(self) -> None:
        """Runs until it is cancelled, or until the first connection could not be made."""
        attempt = 0
        while True:
            begun_s = time.monotonic()
            why = await self._once()
            if time.monotonic() - begun_s > STEADY_S:
                attempt = 0
            attempt += 1
            if not self.made and attempt >= self._patience.tries:
                raise NeuralTraderError(f"{self.url} cannot be reached: {why}, {attempt} times")
            wait_s = self._patience.wait_s(attempt, None, self._chance)
            self._owner.lost(self, why, wait_s)
            await asyncio.sleep(wait_s)

    async def _once(self) -> str:
        """One connection from its beginning to its end, and why it ended."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, WebSocketException

        try:
            async with connect(self.url, max_size=MESSAGE_BYTES, close_timeout=1.0) as socket:
                self._why = ""
                self._heard_s = self._pinged_s = time.monotonic()
                self.made += 1
                self._socket = socket
                try:
                    self._owner.connected(self)
                    for text in self._greeting:
                        await self.say(text)
                    await self._listen(socket)
                finally:
                    self._socket = None
        except ConnectionClosed as error:
            closed = error.rcvd
            said = f"closed by the venue, {closed.code} {closed.reason}".strip() if closed else "the connection broke"
            return self._why or said
        except (OSError, WebSocketException) as error:
            return self._why or " ".join(str(error).split())[:120] or type(error).__name__
        return self._why

    async def _listen(self, socket: ClientConnection) -> None:
        receive, take = socket.recv, self._owner.message
        while True:
            message = await receive(decode=False)
            self._heard_s = time.monotonic()
            take(message)
            if b"serverShutdown" in message[:128]:
                self.drop("the venue shuts this server down")

    async def say(self, text: str) -> None:
        """Sends a message, if there is a connection; one that broke meanwhile is noticed by who listens."""
        from websockets.exceptions import ConnectionClosed

        if self._socket is not None:
            self._owner.sent(self, text)
            try:
                await self._socket.send(text)
            except ConnectionClosed:
                return

    def drop(self, why: str) -> None:
        """Ends the connection at once, without waiting for a peer that may be gone."""
        if self._socket is not None:
            self._why = why
            self._socket.transport.abort()

    async def tend(self) -> None:
        """To be called often: gives up a connection that has been silent, and sends the venue's own pings."""
        now_s = time.monotonic()
        if self._socket is None:
            return
        if self._silence_s is not None and now_s - self._heard_s > self._silence_s:
            self.drop(f"no message for {self._silence_s:g} s")
        elif self._ping is not None and now_s - self._pinged_s > PING_EVERY_S:
            self._pinged_s = now_s
            await self.say(self._ping)
