"""What a memory sees of a book, once more in plain Python and all over again for every question."""

from __future__ import annotations

import math
from typing import Any

from neural_trader.market.events import FLAG, KIND

SECOND_NS = 10**9


def seen(records: Any, now_ns: int, last: int) -> dict[str, float]:
    """The measures of one instrument from its first ``last`` records, at a time."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    middle, second, closes, flows = math.nan, None, [], {5: [0.0, 0.0], 60: [0.0, 0.0]}

    def pass_to(time_ns: int) -> None:
        nonlocal second, middle, closes
        until = time_ns // SECOND_NS
        if second is not None and until - second > 300:
            middle, closes = math.nan, []
            for flow in flows.values():
                flow[:] = [0.0, 0.0]
        elif second is not None:
            for _ in range(second, until):
                for seconds, flow in flows.items():
                    flow[:] = [each * (seconds / (seconds + 1)) for each in flow]
                if not math.isnan(middle):
                    closes.append(middle)
        second = until

    for record in records[:last]:
        kind, flags = int(record["kind"]), int(record["flags"])
        price, quantity, time_ns = int(record["price"]), int(record["quantity"]), int(record["ts_recv_ns"])
        if kind in (KIND["snapshot_begin"], KIND["resync"]):
            bids.clear()
            asks.clear()
        if kind in (KIND["level"], KIND["snapshot_level"]):
            side = bids if flags & FLAG["bid"] else asks
            side.pop(price, None)
            if quantity:
                side[price] = quantity
        if kind == KIND["trade"]:
            pass_to(time_ns)
            for flow in flows.values():
                flow[0] += quantity if flags & FLAG["bid"] else -quantity
                flow[1] += quantity
        if flags & FLAG["last"] or kind == KIND["snapshot_end"]:
            pass_to(time_ns)
            if bids and asks and max(bids) < min(asks):
                middle = (max(bids) + min(asks)) / 2
    pass_to(now_ns)
    return measures(bids, asks, middle, closes, flows)


def measures(
    bids: dict[int, int], asks: dict[int, int], middle: float, closes: list[float], flows: dict[int, list[float]]
) -> dict[str, float]:
    best_bid, best_ask = max(bids), min(asks)
    bid, ask = bids[best_bid], asks[best_ask]
    deep_bids = sum(bids[price] for price in sorted(bids)[-5:])
    deep_asks = sum(asks[price] for price in sorted(asks)[:5])
    squares = {30: 0.0, 300: 0.0}
    for at in range(1, len(closes)):
        change = closes[at] - closes[at - 1]
        squares = {n: each + max(2 / (n + 1), 1 / at) * (change * change - each) for n, each in squares.items()}
    volatility = {seconds: max(math.sqrt(square), 0.125) for seconds, square in squares.items()}
    is_warm = len(closes) > 30
    found = {
        "micro": (best_bid * ask + best_ask * bid) / (bid + ask) - (best_bid + best_ask) / 2,
        "spread": float(best_ask - best_bid),
        "lean": (deep_bids - deep_asks) / (deep_bids + deep_asks),
        "heat": volatility[30] / volatility[300] if is_warm else math.nan,
    }
    for n in (1, 5, 30):
        moved = (middle - closes[-1 - n]) / (volatility[30] * math.sqrt(n)) if is_warm else math.nan
        found[f"move_{n}s"] = moved
    for n, (net, gross) in flows.items():
        found[f"flow_{n}s"] = net / gross if gross else math.nan
    return {name: value for name, value in found.items() if not math.isnan(value)}
