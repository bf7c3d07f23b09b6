"""Messages in the venues' formats, made from seeded markets."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass, field

START_MS = 1_700_000_000_000


@dataclass
class Market:
    """A book that changes by chance, and the messages that a venue would send of it."""

    seed: int
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    update_id: int = 1000
    time_ms: int = START_MS

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.middle = 100_000
        for distance in range(1, 60):
            self.bids[self.middle - distance] = self.random.randrange(1, 10**9)
            self.asks[self.middle + distance] = self.random.randrange(1, 10**9)

    def step(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Changes some levels and returns them; the book is never crossed afterwards."""
        self.time_ms += self.random.randrange(1, 200)
        self.middle += self.random.choice((-2, -1, 0, 0, 0, 1, 2))
        changes: list[dict[int, int]] = []
        for side, sign in ((self.bids, -1), (self.asks, 1)):
            changed = {price: 0 for price in side if (price - self.middle) * sign <= 0}
            for _ in range(self.random.randrange(4)):
                price = self.middle + sign * self.random.randrange(1, 80)
                changed[price] = self.random.choice((0, self.random.randrange(1, 10**9)))
            # The venue always quotes both sides.
            changed[self.middle + sign] = self.random.randrange(1, 10**9)
            for price, quantity in changed.items():
                if quantity:
                    side[price] = quantity
                else:
                    side.pop(price, None)
            changes.append(changed)
        return list(changes[0].items()), list(changes[1].items())


def price(ticks: int) -> str:
    """Two decimals, as Binance pads them."""
    return f"{ticks // 100}.{ticks % 100:02}000000"


def quantity(lots: int) -> str:
    """Eight decimals."""
    return f"{lots // 10**8}.{lots % 10**8:08}"


def _pairs(levels: list[tuple[int, int]]) -> list[list[str]]:
    return [[price(ticks), quantity(lots)] for ticks, lots in levels]


def binance_session(
    seed: int, steps: int, *, futures: bool = False, snapshot_after: int = 3, lost: frozenset[int] = frozenset()
) -> list[tuple[int, bytes]]:
    """Receive times and messages: diffs, a snapshot among them, trades and quotes; some diffs are lost on the way."""
    market = Market(seed)
    messages: list[tuple[int, bytes]] = []
    trade_id = 500

    def send(message: dict[str, object], stream: str | None = "abusd@depth@100ms") -> None:
        body = message if stream is None else {"stream": stream, "data": message}
        messages.append((market.time_ms * 1_000_000, json.dumps(body, separators=(",", ":")).encode()))

    for step in range(steps):
        previous = market.update_id
        bids, asks = market.step()
        # On futures all symbols share one counter, so ids leap.
        first = previous + (market.random.randrange(2, 50) if futures else 1)
        market.update_id = first + market.random.randrange(3)
        diff: dict[str, object] = {
            "e": "depthUpdate", "E": market.time_ms, "s": "ABUSD", "U": first, "u": market.update_id,
            **({"pu": previous} if futures else {}), "b": _pairs(bids), "a": _pairs(asks),
        }  # fmt: skip
        if step not in lost:
            send(diff)
        best_bid, best_ask = max(market.bids), min(market.asks)
        send(
            {"u": market.update_id, "s": "ABUSD", "b": price(best_bid), "B": quantity(market.bids[best_bid]),
             "a": price(best_ask), "A": quantity(market.asks[best_ask])},
            "abusd@bookTicker",
        )  # fmt: skip
        if market.random.random() < 0.5:
            trade_id += 1
            send(
                {"e": "trade", "E": market.time_ms, "s": "ABUSD", "t": trade_id, "p": price(best_bid),
                 "q": quantity(market.random.randrange(1, 10**9)), "T": market.time_ms - 1,
                 "m": market.random.random() < 0.5, "M": True},
                "abusd@trade",
            )  # fmt: skip
        if step == snapshot_after or step - 3 in lost:
            snapshot = {
                "lastUpdateId": market.update_id,
                "bids": _pairs(sorted(market.bids.items(), reverse=True)),
                "asks": _pairs(sorted(market.asks.items())),
            }
            send(snapshot, None)
    return messages


def kraken_session(
    seed: int, steps: int, depth: int = 10, *, lost: frozenset[int] = frozenset()
) -> list[tuple[int, bytes]]:
    """Receive times and messages of the book channel. The venue knows deeper levels than it sends."""
    market = Market(seed)
    sent: dict[bool, dict[int, int]] = {True: {}, False: {}}
    messages: list[tuple[int, bytes]] = []

    def visible(is_bid: bool) -> dict[int, int]:
        side = market.bids if is_bid else market.asks
        return {ticks: side[ticks] for ticks in sorted(side, reverse=is_bid)[:depth]}

    def number(count: int, decimals: int) -> str:
        return f"{count // 10**decimals}.{count % 10**decimals:0{decimals}}"

    for step in range(steps):
        if step:
            market.step()
        now = {is_bid: visible(is_bid) for is_bid in (True, False)}
        sides = {}
        for is_bid in (True, False):
            # A level that fell out of the depth is not mentioned; one that went is deleted.
            book = market.bids if is_bid else market.asks
            gone = [(ticks, 0) for ticks in sent[is_bid] if ticks not in book]
            new = [(ticks, lots) for ticks, lots in now[is_bid].items() if sent[is_bid].get(ticks) != lots]
            levels = ",".join(f'{{"price":{number(ticks, 1)},"qty":{number(lots, 8)}}}' for ticks, lots in gone + new)
            sides["bids" if is_bid else "asks"] = f"[{levels}]"
        sent = now
        best = [
            (ticks, now[is_bid][ticks])
            for is_bid in (False, True)
            for ticks in sorted(now[is_bid], reverse=is_bid)[:10]
        ]
        checksum = zlib.crc32("".join(f"{ticks}{lots}" for ticks, lots in best).encode())
        text = (
            f'{{"channel":"book","type":"{"update" if step else "snapshot"}","data":[{{"symbol":"AB/USD",'
            f'"bids":{sides["bids"]},"asks":{sides["asks"]},"checksum":{checksum},'
            f'"timestamp":"2023-11-14T22:13:20.{step:06}Z"}}]}}'
        )
        if step not in lost:
            messages.append((market.time_ms * 1_000_000, text.encode()))
    return messages
