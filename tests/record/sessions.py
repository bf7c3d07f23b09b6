"""Sessions to stream, made and recorded, and what their venues say of the instruments."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

from venue_messages import binance_session, kraken_session


def filters(symbol: str, base: str, quote: str, tick: str, lot: str) -> dict[str, Any]:
    """One symbol of Binance's exchangeInfo."""
    return {
        "symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8,
        "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "permissions": ["SPOT"], "orderTypes": ["LIMIT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.0", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.0", "stepSize": lot},
        ],
    }  # fmt: skip


EXCHANGE = {
    "timezone": "UTC", "serverTime": 1_723_161_253_937, "rateLimits": [], "exchangeFilters": [],
    "symbols": [
        filters("BTCUSDT", "BTC", "USDT", "0.01000000", "0.00001000"),
        filters("ETHUSDT", "ETH", "USDT", "0.01000000", "0.00010000"),
        filters("ABUSD", "AB", "USD", "0.01000000", "0.00000001"),
    ],
}  # fmt: skip
PAIRS = {
    "error": [],
    "result": {
        "XXBTZUSD": {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "tick_size": "0.1"},
        "ABUSD": {"wsname": "AB/USD", "pair_decimals": 1, "lot_decimals": 8, "tick_size": "0.1"},
    },
}
PRODUCTS = {
    "products": [
        {"product_id": "AB-USD", "price_increment": "0.01", "base_increment": "0.00000001", "status": "online",
         "base_currency_id": "AB", "quote_currency_id": "USD"},
    ]
}  # fmt: skip


def made_binance(steps: int, *, futures: bool = False) -> list[bytes]:
    """A session of ABUSD; that of futures has aggregated trades, as documented."""
    made = [message for _, message in binance_session(11, steps, futures=futures)]
    return [_aggregated(message) if futures and b"@trade" in message[:40] else message for message in made]


def _aggregated(message: bytes) -> bytes:
    trade = json.loads(message)["data"]
    number = trade.pop("t")
    data = {**trade, "e": "aggTrade", "a": number, "f": number, "l": number}
    return json.dumps({"stream": "abusd@aggTrade", "data": data}, separators=(",", ":")).encode()


def made_kraken(steps: int) -> list[bytes]:
    """A session of AB/USD: its book, and a trade and a best bid and ask now and then."""
    made = []
    for step, (_, message) in enumerate(kraken_session(12, steps)):
        made.append(message)
        time = f"2023-11-14T22:13:20.{step:06}Z"
        if step % 3 == 1:
            made.append(
                b'{"channel":"trade","type":"update","data":[{"symbol":"AB/USD","side":"%b","price":10000.0,'
                b'"qty":0.50000000,"ord_type":"limit","trade_id":%d,"timestamp":"%b"}]}'
                % (b"sell" if step % 2 else b"buy", 700 + step // 3, time.encode())
            )
        if step % 5 == 2:
            made.append(
                b'{"channel":"ticker","type":"update","data":[{"symbol":"AB/USD","bid":10000.0,"bid_qty":1.00000000,'
                b'"ask":10000.1,"ask_qty":2.00000000,"last":10000.0,"timestamp":"%b"}]}' % time.encode()
            )
    return made


def made_coinbase(steps: int) -> list[bytes]:
    """A session of AB-USD: the changes of a book as Binance has them; messages are numbered when they are sent."""
    made = []
    for message in made_binance(steps):
        data = json.loads(message).get("data", {})
        if data.get("e") not in ("depthUpdate", "trade"):
            continue
        time = f"2023-11-14T22:13:20.{len(made):06}Z"
        if data["e"] == "trade":
            trade = {
                "trade_id": str(data["t"]), "product_id": "AB-USD", "price": data["p"], "size": data["q"],
                "side": "BUY" if data["m"] else "SELL", "time": time,
            }  # fmt: skip
            event: dict[str, Any] = {"type": "update", "trades": [trade]}
        else:
            updates = [
                {"side": side, "event_time": time, "price_level": price, "new_quantity": quantity}
                for side, levels in (("bid", data["b"]), ("offer", data["a"]))
                for price, quantity in levels
            ]
            event = {"type": "update", "product_id": "AB-USD", "updates": updates}
        channel = "market_trades" if data["e"] == "trade" else "l2_data"
        made.append(json.dumps({"channel": channel, "timestamp": time, "events": [event]}).encode())
    return made


def recorded(path: Path, count: int | None = None) -> tuple[list[float], list[bytes]]:
    """Receive times and messages of a capture of Binance; snapshots have no time among the first."""
    times, messages = [], []
    with gzip.open(path) as file:
        for line in file:
            time, _, message = line.strip().partition(b" ")
            messages.append(message)
            if not message.startswith(b'{"lastUpdateId"'):
                times.append(int(time) / 1e9)
            if count is not None and len(messages) == count:
                break
    return times, messages


def recorded_kraken(path: Path) -> list[bytes]:
    """The messages of a recorded book, digit for digit, each on one line."""
    text = re.sub(r"\s+", "", gzip.decompress(path.read_bytes()).decode())
    decoder = json.JSONDecoder()
    _, end = decoder.raw_decode(text, text.index(":") + 1)
    found = [text[text.index(":") + 1 : end].encode()]
    at = text.index('"updates":[') + 11
    while text[at] == "{":
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end + 1
    return found
