"""A venue on this machine: it answers as Binance or Kraken do, with faults at the requests that a test names."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
START_MS = 1_704_067_200_000
"""2024-01-01."""
Question = dict[str, str]


@dataclass
class Venue:
    """What a venue answers by path, and what goes wrong with the n-th question for data."""

    answers: dict[str, Callable[[Question], Any]]
    faults: dict[int, str] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    """Questions for data, those that failed among them."""
    delay_s: float = 0.0
    url: str = ""


DATA = ("/klines", "/aggTrades", "/OHLC", "/Trades")


@contextmanager
def serving(venue: Venue) -> Iterator[Venue]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            question = dict(parse_qsl(parts.query))
            fault = None
            if parts.path.endswith(DATA):
                venue.asked.append(question)
                fault = venue.faults.get(len(venue.asked))
                time.sleep(venue.delay_s)
            if fault in ("429", "503"):
                self._send(
                    int(fault), b'{"code": -1003, "msg": "wait"}' if fault == "429" else b"no upstream", "text/plain"
                )
                return
            if fault == "429 for an hour":
                self._send(429, b"{}", wait_s=3600)
                return
            if fault == "html":
                self._send(200, b"<html>be back soon</html>", "text/html")
                return
            answer = next((call for path, call in venue.answers.items() if parts.path.endswith(path)), None)
            if answer is None:
                self._send(404, b"{}")
                return
            body = json.dumps(answer(question)).encode()
            if fault == "cut":
                self._head(200, len(body), "application/json")
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self._send(200, body)

        def _head(self, status: int, length: int, kind: str, wait_s: int = 0) -> None:
            self.send_response(status)
            if wait_s:
                self.send_header("Retry-After", str(wait_s))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def _send(self, status: int, body: bytes, kind: str = "application/json", wait_s: int = 0) -> None:
            self._head(status, len(body), kind, wait_s)
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # A client that was interrupted leaves in the middle of an answer.

    server = Server(("127.0.0.1", 0), Handler)
    venue.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield venue
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pointed_at(exchange: Any, url: str) -> Any:
    """The exchange with every address of its interface on this machine, paths kept; nothing else of it is changed."""
    exchange.urls["api"] = {
        name: url + urlsplit(address).path if isinstance(address, str) else address
        for name, address in exchange.urls["api"].items()
    }
    exchange.rateLimit = 1
    return exchange


# ---- Binance --------------------------------------------------------------------------------------------------------

Bars = list[list[Any]]
Prints = list[dict[str, Any]]


def minute_bars(seed: int, count: int, holes: set[int]) -> Bars:
    """Bars on a tick of 0.01 and a lot of 0.00001, written as Binance does; minutes in the holes have none."""
    random_ = random.Random(seed)
    rows, close = [], 4_200_000
    for minute in range(count):
        opened = close
        close += random_.randint(-700, 700)
        high, low = max(opened, close) + random_.randint(0, 99), min(opened, close) - random_.randint(0, 99)
        volume = random_.randint(0, 5_000_000)
        if minute not in holes:
            at = START_MS + minute * MINUTE_MS
            texts = [f"{price // 100}.{price % 100:02}000000" for price in (opened, high, low, close)]
            rows.append([at, *texts, f"{volume // 100_000}.{volume % 100_000:05}000", at + MINUTE_MS - 1, "0", 1, "0"])
    return rows


def bursts(seed: int, count: int, quiet_after: int) -> Prints:
    """Trades of which many fall into one millisecond, with four quiet hours somewhere."""
    random_ = random.Random(seed)
    rows: Prints = []
    at = START_MS
    for number in range(count):
        at += 5 * HOUR_MS if number == quiet_after else random_.choice((0, 0, 0, 1, 40, 900))
        price, lots = 4_200_000 + random_.randint(-999, 999), random_.randint(1, 10**7)
        rows.append(
            {
                "a": 900_000 + number, "p": f"{price // 100}.{price % 100:02}000000",
                "q": f"{lots // 10**5}.{lots % 10**5:05}000", "f": number, "l": number, "T": at,
                "m": random_.random() < 0.5, "M": True,
            }
        )  # fmt: skip
    return rows


def binance(bars: Bars, trades: Prints, *, now_ms: int, windowed: bool = False, early: int = 0) -> Venue:
    """Binance; ``windowed`` answers only for as long as a page is, and ``early`` rows come a second time."""

    def klines(question: Question) -> Bars:
        since, limit = int(question["startTime"]), int(question["limit"])
        page = [row for row in bars if row[0] >= since - early * MINUTE_MS and row[0] <= now_ms]
        if windowed:
            page = [row for row in page if row[0] < since + limit * MINUTE_MS]
        return [*page[:1], *page[:limit]] if early else page[:limit]

    def aggregated(question: Question) -> Prints:
        since, end, limit = int(question["startTime"]), int(question["endTime"]), int(question["limit"])
        return [row for row in trades if since <= row["T"] <= end][:limit]

    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.0", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001000"},
    ]
    symbol = {
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters,
        "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False, "permissions": ["SPOT"], "orderTypes": ["LIMIT"],
    }  # fmt: skip
    return Venue(
        {
            "/api/v3/exchangeInfo": lambda _: {"timezone": "UTC", "serverTime": now_ms, "symbols": [symbol]},
            "/exchangeInfo": lambda _: {"timezone": "UTC", "serverTime": now_ms, "symbols": []},
            "/time": lambda _: {"serverTime": now_ms},
            "/klines": klines,
            "/aggTrades": aggregated,
        }
    )


# ---- Kraken ---------------------------------------------------------------------------------------------------------


def kraken(pairs: Any, ohlc: Any, trades: Any, *, now_s: int, page: int) -> Venue:
    """Kraken with recorded answers; trades come in pages, bars all at once, as they do there."""

    def listed(question: Question) -> Any:
        rows = trades["result"][question["pair"]]
        found = [row for row in rows if round(row[2] * 10**9) >= int(question["since"])][:page]
        last = found[-1][2] if found else now_s
        return {"error": [], "result": {question["pair"]: found, "last": str(round(last * 10**9))}}

    return Venue(
        {
            "/AssetPairs": lambda _: pairs,
            "/Assets": lambda _: {"error": [], "result": {}},
            "/Time": lambda _: {"error": [], "result": {"unixtime": now_s, "rfc1123": ""}},
            "/OHLC": lambda _: ohlc,
            "/Trades": listed,
        }
    )
