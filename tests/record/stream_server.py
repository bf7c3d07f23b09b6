"""A venue on this machine: it streams a session as Binance, Kraken or Coinbase do, with faults where a test wants them.

The market stands still while nobody listens. It keeps the book of its own messages in plain Python, from which
snapshots are made, so that it shares nothing with what is tested.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Levels = dict[str, str]
SHOWS_AFTER = 25
"""Messages after which the next change of the book has shown what was lost."""


SETTLES_S = 0.3
"""So long the market waits for a book that was given to arrive."""


@dataclass
class Fault:
    """What goes wrong before a message is sent."""

    cut: bool = False
    """The connection breaks."""
    lose: int = 0
    """So many messages are never sent."""
    refuse: int = 0
    """So many requests for a snapshot are answered with 429 from now on."""
    shutdown: bool = False
    """The venue announces that it shuts the server down."""


class Venue:
    """What the venues have in common: a book, and a way to speak."""

    def __init__(self, messages: Sequence[bytes], description: Any) -> None:
        self.messages, self.description = list(messages), description
        self.bids: Levels = {}
        self.offers: Levels = {}
        self.asks = 0
        """How often a whole book was asked for, and given."""

    def set(self, bids: Any, asks: Any) -> None:
        for side, changes in ((self.bids, bids), (self.offers, asks)):
            for price, quantity in changes:
                if float(quantity):
                    side[price] = quantity
                else:
                    side.pop(price, None)

    def best(self, depth: int) -> tuple[list[list[str]], list[list[str]]]:
        bids = sorted(self.bids.items(), key=lambda level: -float(level[0]))[:depth]
        asks = sorted(self.offers.items(), key=lambda level: float(level[0]))[:depth]
        return [list(level) for level in bids], [list(level) for level in asks]

    def see(self, message: bytes) -> None:
        """Keeps the book of what is sent."""
        raise NotImplementedError

    def greet(self) -> list[str]:
        return []

    def told(self, text: str, state: dict[str, Any]) -> list[str]:
        """Answers what a client says; ``state`` is that of its connection."""
        raise NotImplementedError

    def spoken(self, message: bytes, state: dict[str, Any]) -> bytes | None:
        """The message as this connection gets it, if it gets it."""
        raise NotImplementedError

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        raise NotImplementedError

    def heartbeat(self, state: dict[str, Any]) -> str | None:
        return None


class Binance(Venue):
    """Binance: snapshots by request; raw streams below /ws and combined ones below /stream."""

    def __init__(self, session: Sequence[bytes], description: Any) -> None:
        snapshots = [message for message in session if message.startswith(b'{"lastUpdateId"')]
        super().__init__([message for message in session if message not in snapshots], description)
        self.snapshot = json.loads(snapshots[0])
        self.id = self.snapshot["lastUpdateId"]
        self.set(self.snapshot["bids"], self.snapshot["asks"])

    def see(self, message: bytes) -> None:
        data = json.loads(message).get("data", {})
        if data.get("e") == "depthUpdate" and data["u"] > self.id:
            self.set(data["b"], data["a"])
            self.id = data["u"]

    def told(self, text: str, state: dict[str, Any]) -> list[str]:
        said = json.loads(text)
        streams = state.setdefault("streams", set())
        if said["method"] == "SUBSCRIBE":
            if any("nothing" in name for name in said["params"]):
                return [json.dumps({"error": {"code": 2, "msg": "Invalid request: unknown stream"}, "id": said["id"]})]
            streams.update(said["params"])
            state["channels"] = {name.split("@")[1] for name in streams}
        return [json.dumps({"result": None, "id": said["id"]})]

    def spoken(self, message: bytes, state: dict[str, Any]) -> bytes | None:
        channel = message[:60].split(b"@")[1].split(b'"')[0].decode()
        if channel not in state.get("channels", ()):
            return None
        if "/stream" in state["path"]:
            return message
        return message[message.index(b'"data":') + 7 : -1]

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        if path.endswith("/exchangeInfo"):
            wanted = json.loads(question.get("symbols", ["null"])[0])
            known = {one["symbol"] for one in self.description["symbols"]}
            if wanted is not None and not set(wanted) <= known:
                return HTTPStatus.BAD_REQUEST, {"code": -1121, "msg": "Invalid symbol."}
            return self.description
        if path.endswith("/depth"):
            if not self.asks:
                # That of the session, however late: the changes since then have been sent.
                return self.snapshot
            bids, asks = self.best(int(question["limit"][0]))
            return {"lastUpdateId": self.id, "bids": bids, "asks": asks}
        return {}


class Kraken(Venue):
    """Kraken: the first message of a session is the snapshot of its book; later ones are made from what was sent."""

    def __init__(self, session: Sequence[bytes], description: Any, depth: int = 10) -> None:
        super().__init__(session[1:], description)
        self.depth, self.checksum = depth, 0
        self.resubscribed = 0
        self.trades: list[str] = []
        """The latest fifty."""
        self.see(session[0])

    def see(self, message: bytes) -> None:
        said = json.loads(message, parse_float=str, parse_int=str)
        if said.get("channel") == "trade":
            self.trades = [*self.trades, message.decode().partition('"data":[')[2].removesuffix("]}")][-50:]
        if said.get("channel") != "book":
            return
        book = said["data"][0]
        sides = ([(level["price"], level["qty"]) for level in book[side]] for side in ("bids", "asks"))
        self.set(*sides)
        bids, asks = self.best(self.depth)
        self.bids, self.offers = dict(bids), dict(asks)
        self.checksum = int(book["checksum"])

    def greet(self) -> list[str]:
        status = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 13834774380200032777}
        return [json.dumps({"channel": "status", "type": "update", "data": [status]})]

    def told(self, text: str, state: dict[str, Any]) -> list[str]:
        said = json.loads(text)
        if said["method"] == "ping":
            return ['{"method":"pong","time_in":"2024-01-01T00:00:00Z","time_out":"2024-01-01T00:00:00Z"}']
        wanted = said["params"]
        channels = state.setdefault("channels", set())
        if said["method"] == "unsubscribe":
            channels.discard(wanted["channel"])
            self.resubscribed += 1
            return [json.dumps({"method": "unsubscribe", "result": wanted, "success": True})]
        if wanted["channel"] == "book" and wanted["depth"] != self.depth:
            return [json.dumps({"method": "subscribe", "error": "Book depth not supported", "success": False})]
        channels.add(wanted["channel"])
        answers = [
            json.dumps({"method": "subscribe", "result": {**wanted, "symbol": symbol}, "success": True})
            for symbol in wanted["symbol"]
        ]
        if wanted["channel"] == "book":
            self.asks += 1
            answers.append(self._snapshot(wanted["symbol"][0]))
        if wanted["channel"] == "trade" and wanted["snapshot"] and self.trades:
            answers.append(f'{{"channel":"trade","type":"snapshot","data":[{",".join(self.trades)}]}}')
        return answers

    def _snapshot(self, symbol: str) -> str:
        sides = (
            ",".join(f'{{"price":{price},"qty":{quantity}}}' for price, quantity in side)
            for side in self.best(self.depth)
        )
        bids, asks = sides
        return (
            f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"{symbol}","bids":[{bids}],"asks":[{asks}],'
            f'"checksum":{self.checksum}}}]}}'
        )

    def spoken(self, message: bytes, state: dict[str, Any]) -> bytes | None:
        channel = message[:40].split(b'"')[3].decode()
        return message if channel in state.get("channels", ()) else None

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        return self.description

    def heartbeat(self, state: dict[str, Any]) -> str | None:
        return '{"channel":"heartbeat"}'


class Coinbase(Venue):
    """Coinbase: numbers count the messages of a connection; books begin with their snapshot."""

    def see(self, message: bytes) -> None:
        said = json.loads(message)
        for event in said["events"] if said["channel"] == "l2_data" else []:
            sides: dict[str, list[tuple[str, str]]] = {"bid": [], "offer": []}
            for level in event["updates"]:
                sides[level["side"]].append((level["price_level"], level["new_quantity"]))
            self.set(sides["bid"], sides["offer"])

    def _numbered(self, message: dict[str, Any], state: dict[str, Any]) -> str:
        number = state["number"] = state.get("number", -1) + 1
        return json.dumps({**message, "client_id": "", "sequence_num": number})

    def told(self, text: str, state: dict[str, Any]) -> list[str]:
        said = json.loads(text)
        channels = state.setdefault("channels", set())
        name = {"level2": "l2_data"}.get(said["channel"], said["channel"])
        time = "2024-01-01T00:00:00Z"
        answer = {"channel": "subscriptions", "timestamp": time, "events": [{"subscriptions": {}}]}
        if said["type"] == "unsubscribe":
            channels.discard(name)
            return [self._numbered(answer, state)]
        channels.add(name)
        answers = [self._numbered(answer, state)]
        if name == "l2_data":
            self.asks += 1
            bids, asks = self.best(10_000)
            updates = [
                {"side": side, "event_time": time, "price_level": price, "new_quantity": quantity}
                for side, levels in (("bid", bids), ("offer", asks))
                for price, quantity in levels
            ]
            event = {"type": "snapshot", "product_id": said["product_ids"][0], "updates": updates}
            answers.append(self._numbered({"channel": name, "timestamp": time, "events": [event]}, state))
        return answers

    def spoken(self, message: bytes, state: dict[str, Any]) -> bytes | None:
        said = json.loads(message)
        return self._numbered(said, state).encode() if said["channel"] in state.get("channels", ()) else None

    def answer(self, path: str, question: dict[str, list[str]]) -> Any:
        return self.description

    def heartbeat(self, state: dict[str, Any]) -> str | None:
        event = {"current_time": "x", "heartbeat_counter": 1}
        return self._numbered({"channel": "heartbeats", "timestamp": "2024-01-01T00:00:00Z", "events": [event]}, state)


@dataclass
class Server:
    """The running venue."""

    venue: Venue
    faults: dict[int, Fault] = field(default_factory=dict)
    """By the number of the message before which they happen."""
    times_s: Sequence[float] | None = None
    """When each message is due; without them all are sent as fast as they go."""
    pings: bool = False
    expects: int = 1
    """How many channels are asked for before the market begins."""
    waits: bool = True
    """Whether the market waits at its beginning until a book was asked for."""
    port: int = 0
    lost: list[bytes] = field(default_factory=list)
    connections: int = 0
    refused: int = 0
    latency_s: float = 0.0
    """Of the pings; above zero if one was answered."""
    said: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    """All was sent, and who listens has taken it."""

    def __post_init__(self) -> None:
        self._cursor, self._barrier = 0, SHOWS_AFTER if self.waits else -1
        self._asks_before = 0
        self._arrived: dict[ServerConnection, dict[str, Any]] = {}
        self._listening: dict[ServerConnection, dict[str, Any]] = {}

    @property
    def url_ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def url_rest(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        parts = urlsplit(request.path)
        if parts.path.endswith("/depth") and self.refused:
            self.refused -= 1
            response = connection.respond(HTTPStatus.TOO_MANY_REQUESTS, "{}")
            response.headers["Retry-After"] = "0"
            return response
        answer = self.venue.answer(parts.path, parse_qs(parts.query))
        if parts.path.endswith("/depth"):
            self.venue.asks += 1
        status, document = answer if isinstance(answer, tuple) else (HTTPStatus.OK, answer)
        response = connection.respond(status, json.dumps(document))
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        state: dict[str, Any] = {"path": connection.request.path if connection.request else ""}
        try:
            for text in self.venue.greet():
                await connection.send(text)
            async for text in connection:
                self.said.append(str(text))
                # Nothing of the market may come between a snapshot and the subscription to what follows.
                for answer in self.venue.told(str(text), state):
                    await connection.send(answer)
                self._arrived[connection] = state
                if sum(len(one.get("channels", ())) for one in self._arrived.values()) >= self.expects:
                    self._listening.update(self._arrived)
        except ConnectionClosed:
            pass
        finally:
            self.latency_s = max(self.latency_s, connection.latency)
            self._forget(connection)

    def _forget(self, connection: ServerConnection) -> None:
        self._arrived.pop(connection, None)
        self._listening.pop(connection, None)

    async def _pump(self) -> None:
        """Sends the session; the market stands still while nobody listens."""
        loop = asyncio.get_running_loop()
        begun_s: float | None = None
        messages, settled = self.venue.messages, True
        while self._cursor < len(messages):
            if not self._listening:
                await asyncio.sleep(0.005)
                continue
            if self._cursor == self._barrier and self.venue.asks == self._asks_before:
                # What went wrong has shown by now; the market waits for whoever wants to join the book again.
                await asyncio.sleep(0.005)
                settled = False
                continue
            if not settled:
                settled = await asyncio.sleep(SETTLES_S, result=True)
            if (fault := self.faults.pop(self._cursor, None)) is not None:
                await self._go_wrong(fault)
                continue
            if self.times_s is not None:
                due_s = self.times_s[self._cursor] - self.times_s[0]
                begun_s = loop.time() - due_s if begun_s is None else begun_s
                await asyncio.sleep(max(0.0, begun_s + due_s - loop.time()))
            message = messages[self._cursor]
            self._cursor += 1
            self.venue.see(message)
            for connection, state in list(self._listening.items()):
                await self._send(connection, self.venue.spoken(message, state))
        for connection in list(self._listening):
            await (await connection.ping())
            self.latency_s = max(self.latency_s, connection.latency)
        self.done.set()

    async def _go_wrong(self, fault: Fault) -> None:
        for message in self.venue.messages[self._cursor : self._cursor + fault.lose]:
            self.venue.see(message)
            self.lost.append(message)
            for state in self._listening.values():
                # What is lost on the way has been counted.
                if not fault.cut:
                    self.venue.spoken(message, state)
        self._cursor += fault.lose
        self._barrier, self._asks_before = self._cursor + SHOWS_AFTER, self.venue.asks
        self.refused = fault.refuse
        for connection in list(self._listening):
            if fault.shutdown:
                await connection.send('{"e":"serverShutdown","E":1770123456789}')
                self._forget(connection)
            if fault.cut:
                self._forget(connection)
                connection.transport.abort()

    async def _send(self, connection: ServerConnection, message: bytes | str | None) -> None:
        if message is None:
            return
        try:
            await connection.send(message, text=True)
        except ConnectionClosed:
            self._forget(connection)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for connection, state in list(self._listening.items()):
                await self._send(connection, self.venue.heartbeat(state))

    async def run(self, started: threading.Event, stop: asyncio.Event) -> None:
        keepalive = {"ping_interval": 0.2, "ping_timeout": 5.0} if self.pings else {"ping_interval": None}
        async with serve(
            self._serve, "127.0.0.1", 0, process_request=self._request, compression=None, max_size=None, **keepalive
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            working = [asyncio.create_task(self._pump()), asyncio.create_task(self._beat())]
            started.set()
            await stop.wait()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Runs the venue in a thread of its own."""
    started, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    def work() -> None:
        loop.run_until_complete(server.run(started, stop))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
