"""How each venue is listened to: addresses, subscriptions, what keeps a connection alive, where snapshots come from.

The rules are those of the venues' documentation: Binance "WebSocket Streams" and "Websocket Market Streams", Kraken
"Spot WebSocket v2", Coinbase "Advanced Trade WebSocket".
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from neural_trader.errors import UsageError
from neural_trader.market.sources import suggestion

CHANNELS = ("depth", "trades", "quotes")
"""Changes of the book; trades; the best bid and ask."""


@dataclass(frozen=True)
class Route:
    """One connection of a venue: where it is, below the venue's address, and the channels that it carries."""

    path: str
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Streams(ABC):
    """What is common to the venues; a class for each has what it says and what it is told."""

    venue: str
    url_ws: str
    url_rest: str
    routes: tuple[Route, ...]
    depths: tuple[int, ...]
    """How many levels of each side a book may be asked for, the usual number first; empty where all of them come."""
    silence_s: float | None = None
    """Without a message for so long a connection is given up; None where a quiet market is no fault."""
    ping: str | None = None
    """What the venue wants to be told now and then, beside the frames that the protocol has for it."""
    streams_max: int = 1_000_000

    def depth(self, asked: int | None) -> int:
        """The levels to ask for."""
        if asked is None:
            return self.depths[0] if self.depths else 0
        if asked not in self.depths:
            known = ", ".join(map(str, sorted(self.depths))) or "the whole book only"
            raise UsageError(f"--depth {asked}: {self.venue} has {known}")
        return asked

    def requested(self, symbol: str) -> str:
        """The symbol as the venue's interface wants it, from however a person writes it."""
        return symbol.upper()

    @abstractmethod
    def describe_path(self, symbols: Sequence[str]) -> str:
        """The request for the steps of instruments."""

    @abstractmethod
    def subscriptions(self, symbols: Sequence[str], channels: Sequence[str], depth: int) -> list[str]:
        """What to say on a connection that carries these channels."""

    @abstractmethod
    def snapshot_path(self, symbol: str, depth: int) -> str | None:
        """The request for a whole book; None where it comes in the stream."""

    @abstractmethod
    def again(self, symbol: str, depth: int) -> list[str]:
        """What to say for the whole book of a symbol to come in the stream again."""


@dataclass(frozen=True)
class Binance(Streams):
    """Binance spot, Binance.US and USD-M futures. The server pings, and ends each connection after a day."""

    api: str = "/api/v3"
    trade: str = "trade"

    def requested(self, symbol: str) -> str:
        return re.sub(r"[^A-Z0-9_]", "", symbol.partition(":")[0].upper())

    def describe_path(self, symbols: Sequence[str]) -> str:
        if self.api.startswith("/fapi"):
            return f"{self.api}/exchangeInfo"
        return f"{self.api}/exchangeInfo?symbols={quote(json.dumps(list(symbols), separators=(',', ':')))}"

    def subscriptions(self, symbols: Sequence[str], channels: Sequence[str], depth: int) -> list[str]:
        names = {"depth": "depth@100ms", "trades": self.trade, "quotes": "bookTicker"}
        streams = [f"{symbol.lower()}@{names[channel]}" for symbol in symbols for channel in channels]
        return [json.dumps({"method": "SUBSCRIBE", "params": streams, "id": 1})]

    def snapshot_path(self, symbol: str, depth: int) -> str | None:
        return f"{self.api}/depth?symbol={symbol}&limit={depth}"

    def again(self, symbol: str, depth: int) -> list[str]:
        # A whole book is requested, and never comes in the stream.
        return []


@dataclass(frozen=True)
class Kraken(Streams):
    """Kraken spot, WebSocket v2: a book begins with its snapshot, and every message carries a checksum."""

    def requested(self, symbol: str) -> str:
        modern = {"XBT": "BTC", "XDG": "DOGE"}
        return "/".join(modern.get(part, part) for part in symbol.upper().replace("-", "/").split("/"))

    def describe_path(self, symbols: Sequence[str]) -> str:
        return "/0/public/AssetPairs"

    def subscriptions(self, symbols: Sequence[str], channels: Sequence[str], depth: int) -> list[str]:
        # Trades begin with the last fifty, which closes the gap of a short disconnection.
        settings: dict[str, dict[str, object]] = {
            "depth": {"channel": "book", "depth": depth},
            "trades": {"channel": "trade"},
            "quotes": {"channel": "ticker", "event_trigger": "bbo"},
        }
        return [self._said("subscribe", {**settings[channel], "symbol": list(symbols)}) for channel in channels]

    def _said(self, method: str, params: dict[str, object]) -> str:
        extra = {"snapshot": True} if method == "subscribe" else {}
        return json.dumps({"method": method, "params": {**params, **extra}})

    def snapshot_path(self, symbol: str, depth: int) -> str | None:
        return None

    def again(self, symbol: str, depth: int) -> list[str]:
        book: dict[str, object] = {"channel": "book", "depth": depth, "symbol": [symbol]}
        return [self._said("unsubscribe", book), self._said("subscribe", book)]


@dataclass(frozen=True)
class Coinbase(Streams):
    """Coinbase Advanced Trade: one channel in each message, and heartbeats, without which quiet channels are closed."""

    def requested(self, symbol: str) -> str:
        return symbol.upper().replace("/", "-")

    def describe_path(self, symbols: Sequence[str]) -> str:
        asked = "&".join(f"product_ids={quote(symbol)}" for symbol in symbols)
        return f"/api/v3/brokerage/market/products?{asked}"

    def subscriptions(self, symbols: Sequence[str], channels: Sequence[str], depth: int) -> list[str]:
        names = {"depth": "level2", "trades": "market_trades", "quotes": "ticker"}
        said = [self._said("subscribe", symbols, names[channel]) for channel in channels]
        return [json.dumps({"type": "subscribe", "channel": "heartbeats"}), *said]

    def _said(self, what: str, symbols: Sequence[str], channel: str) -> str:
        return json.dumps({"type": what, "product_ids": list(symbols), "channel": channel})

    def snapshot_path(self, symbol: str, depth: int) -> str | None:
        return None

    def again(self, symbol: str, depth: int) -> list[str]:
        return [self._said(what, [symbol], "level2") for what in ("unsubscribe", "subscribe")]


_ALL = Route("/stream", CHANNELS)
_SNAPSHOTS = (1000, 100, 500)
VENUES: dict[str, Streams] = {
    "binance": Binance(
        "binance", "wss://stream.binance.com:9443", "https://api.binance.com", (_ALL,), (*_SNAPSHOTS, 5000),
        streams_max=1024,
    ),
    "binance_us": Binance(
        "binance_us", "wss://stream.binance.us:9443", "https://api.binance.us", (_ALL,), _SNAPSHOTS, streams_max=1024
    ),
    "binance_usdm": Binance(
        "binance_usdm", "wss://fstream.binance.com", "https://fapi.binance.com",
        (Route("/public/stream", ("depth", "quotes")), Route("/market/stream", ("trades",))), _SNAPSHOTS,
        streams_max=200, api="/fapi/v1", trade="aggTrade",
    ),
    "kraken": Kraken(
        "kraken", "wss://ws.kraken.com", "https://api.kraken.com", (Route("/v2", CHANNELS),), (100, 10, 25, 500, 1000),
        silence_s=5.0, ping='{"method": "ping"}',
    ),
    "coinbase": Coinbase(
        "coinbase", "wss://advanced-trade-ws.coinbase.com", "https://api.coinbase.com", (Route("", CHANNELS),), (),
        silence_s=5.0,
    ),
}  # fmt: skip


def streams_of(venue: str) -> Streams:
    """The rules of a venue, by the name that the catalog or ccxt has for it."""
    plain = {name.replace("_", ""): rules for name, rules in VENUES.items()}
    found = plain.get(venue.replace("_", ""))
    if found is None:
        near = suggestion(venue, list(VENUES))
        raise UsageError(f"no streams of {venue!r} are known{near or '; there are ' + ', '.join(VENUES)}")
    return found


def checked_address(flag: str, url: str, schemes: tuple[str, ...]) -> str:
    """An address that stands for one of the venue's."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in schemes and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise UsageError(f"{flag} {url}: is no address; write it like {schemes[-1]}://example.com")
    return url


def checked_channels(text: str) -> tuple[str, ...]:
    """The channels of a list such as ``depth,trades``."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = [name for name in names if name not in CHANNELS]
    if wrong or not names:
        raise UsageError(f"--channels {text}: choose from {', '.join(CHANNELS)}")
    return tuple(name for name in CHANNELS if name in names)
