"""Captures of Binance: a market with losses and a long one that is cheap to make, as lines of a file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

START_MS = 1_700_000_000_000


def _diff(time_ms: int, first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, object]:
    return {"e": "depthUpdate", "E": time_ms, "s": "ABUSD", "U": first, "u": last, "b": bids, "a": asks}


def session(steps: int, *, lost: frozenset[int] = frozenset(), slowness: int = 1) -> bytes:
    """Diffs, quotes and trades; a snapshot after the third step, and some steps after each diff that is lost."""
    chance = random.Random(steps)
    book = {side: {50_000 + sign * at: chance.randrange(1, 10**9) for at in range(1, 40)} for side, sign in SIDES}
    time_ms, update, lines = START_MS, 1000, []
    wanted = {3} | {step + 4 for step in lost}

    def send(body: dict[str, object], stream: str = "abusd@depth") -> None:
        text = json.dumps({"stream": stream, "data": body} if stream else body, separators=(",", ":"))
        lines.append(f"{time_ms * 1_000_000 + 300} {text}\n")

    for step in range(steps):
        time_ms += slowness * chance.randrange(1, 200)
        changes = {side: {} for side, _ in SIDES}  # type: dict[str, dict[int, int]]
        for side, sign in SIDES:
            for _ in range(chance.randrange(1, 5)):
                changes[side][50_000 + sign * chance.randrange(1, 60)] = chance.choice((0, chance.randrange(1, 10**9)))
            changes[side][50_000 + sign] = chance.randrange(1, 10**9)
            book[side] = {price: lots for price, lots in {**book[side], **changes[side]}.items() if lots}
        first, update = update + 1, update + chance.randrange(1, 4)
        if step not in lost:
            send(_diff(time_ms, first, update, _texts(changes["b"]), _texts(changes["a"])))
        best = {side: max(book[side], key=lambda price, sign=sign: -sign * price) for side, sign in SIDES}
        (bid,), (ask,) = (_texts({best[side]: book[side][best[side]]}) for side, _ in SIDES)
        send({"u": update, "s": "ABUSD", "b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}, "abusd@bookTicker")
        if step % 3 == 0:
            send(
                {"e": "trade", "E": time_ms, "s": "ABUSD", "t": step, "p": bid[0], "q": "1.5", "T": time_ms, "m": True},
                "abusd@trade",
            )
        if step in wanted:
            send({"lastUpdateId": update, "bids": _texts(book["b"]), "asks": _texts(book["a"])}, "")
    return "".join(lines).encode()


SIDES = (("b", -1), ("a", 1))


def _texts(levels: dict[int, int]) -> list[list[str]]:
    return [[f"{price / 100:.2f}", f"{lots / 10**8:.8f}"] for price, lots in levels.items()]


def long_session(diffs: int, levels: int = 50) -> Iterator[bytes]:
    """A snapshot and so many diffs of so many levels a side, with quotes and trades between them."""
    chance = random.Random(3)
    bids, asks = ([f'["{at / 100:.2f}","{chance.randrange(1, 10**6) / 1000:.3f}"]' for at in side] for side in PRICES)
    time_ms, update = START_MS, 1000

    def line(body: str) -> bytes:
        return f"{time_ms}000000 {{{body}}}\n".encode()

    yield line(f'"lastUpdateId":{update},"bids":[{",".join(bids)}],"asks":[{",".join(asks)}]')
    for step in range(diffs):
        time_ms += 100
        update += 3
        at = chance.randrange(len(bids) - levels)
        changed = f'"b":[{",".join(bids[at : at + levels])}],"a":[{",".join(asks[at : at + levels])}]'
        yield line(f'"e":"depthUpdate","E":{time_ms},"s":"ABUSD","U":{update - 2},"u":{update},{changed}')
        if step % 4 == 0:
            yield line(f'"u":{update},"s":"ABUSD","b":"99.99","B":"1.{step % 1000:03}","a":"100.01","A":"2.5"')
            trade = f'"t":{step + 1},"p":"100.00","q":"0.5","T":{time_ms},"m":true'
            yield line(f'"e":"trade","E":{time_ms},"s":"ABUSD",{trade}')


PRICES = (range(9_000, 10_000), range(10_001, 11_001))
