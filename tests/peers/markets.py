"""Random markets and programs as plain numbers: prices in ticks of 0.01, so that both sides read the same decimals."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from neural_trader.market.bars import Bars, Step

Job = dict[str, Any]
BAR_NS = 1_000
CLOSE_NS = 500
"""A bar closes long before the next one opens, so that a time says which bar it belongs to."""


def walk(random: Random, bars: int) -> dict[str, list[int]]:
    """Opening, highest, lowest and closing prices of a random market, with gaps and flat bars."""
    price = random.choice((150, 2_000, 5_000, 10_000, 40_000))
    scale = max(2, price // random.choice((20, 40, 100)))
    gaps = random.choice((0.1, 0.5, 1.0))
    columns: dict[str, list[int]] = {"open": [], "high": [], "low": [], "close": []}
    for _ in range(bars):
        open_ = max(5, price + random.randint(-scale, scale)) if random.random() < gaps else price
        close = open_ if random.random() < 0.05 else max(5, open_ + random.randint(-scale, scale))
        high = max(open_, close) + random.choice((0, random.randint(0, scale)))
        low = max(1, min(open_, close) - random.choice((0, random.randint(0, scale))))
        for name, ticks in (("open", open_), ("high", high), ("low", low), ("close", close)):
            columns[name].append(ticks)
        price = close
    return columns


def bars_of(job: Job, lot: Step) -> Bars:
    """The bars of a job as our engine reads them."""
    count = len(job["open"])
    open_ns = np.arange(count, dtype=np.int64) * BAR_NS
    columns = {name: np.array(job[name], dtype=np.int64) for name in ("open", "high", "low", "close")}
    return Bars("X", Step(1, 2), lot, open_ns, open_ns + CLOSE_NS, **columns, interval_ns=BAR_NS)


def order_job(seed: int) -> Job:
    """A market, the settings of backtesting.py and an order program."""
    random = Random(seed)
    count = random.randint(30, 110)
    job: Job = {
        "seed": seed,
        **walk(random, count),
        "cash": random.choice((1_000_000, 1_000_000 + random.randint(1, 99_999), 200_000 + random.randint(1, 9_999))),
        "rate": random.choice((0, 0, 5, 20, 73)),
        "fixed": random.choice((0, 0, 0, 150)),
        "margin": random.choice((1, 1, 0.5, 0.1)),
        "trade_on_close": random.random() < 0.3,
        "exclusive_orders": random.random() < 0.35,
        "finalize_trades": random.random() < 0.4,
        "lot": random.choice((0, 0, 2)),
    }
    appetite = random.choice((0.08, 0.25, 0.6))
    sent = 0
    program: dict[str, list[dict[str, Any]]] = {}
    # The package asks its strategies from the second bar on.
    for index in range(1, count):
        actions = []
        while random.random() < appetite:
            draw = random.random()
            if draw < 0.08 and sent:
                actions.append({"cancel": random.randrange(sent)})
            elif draw < 0.2:
                if not any("close" in action for action in actions):
                    actions.append({"close": True})
            else:
                actions.append(_order(random, job, index))
                sent += 1
        if actions:
            program[str(index)] = actions
    return job | {"program": program}


def _order(random: Random, job: Job, index: int) -> dict[str, Any]:
    close = job["close"][index]
    reach = max(2, close // random.choice((12, 25, 60)))
    side = random.choice((1, -1))
    order: dict[str, Any] = {"side": side}
    sizes = random.random()
    if sizes < 0.45:
        affordable = max(1, int(job["cash"] / close / job["margin"]))
        order["units"] = random.choice((1, random.randint(1, affordable), random.randint(1, 1 + affordable // 4)))
    elif sizes < 0.8:
        order["fraction"] = random.choice((1, 100, 250, 333, 500, 900, 999))
    kind = random.choice(("market", "market", "limit", "stop", "stop_limit"))
    if kind in ("limit", "stop_limit"):
        order["limit"] = max(1, close + random.randint(-reach, reach))
    if kind in ("stop", "stop_limit"):
        order["stop"] = max(1, close + random.randint(-reach, reach))
    entry = order.get("limit", order.get("stop", close))
    # Now and then an exit lies on the wrong side, and the order is refused.
    direction = side if random.random() < 0.95 else -side
    if random.random() < 0.35:
        order["sl"] = max(1, entry - direction * random.randint(1, reach))
    if random.random() < 0.35:
        order["tp"] = max(1, entry + direction * random.randint(1, reach))
    return order


SIGNAL_BARS = 80
"""All markets of signals are of one length, because vectorbt plays them as columns of one table."""


def signal_job(seed: int) -> Job:
    """A market, the settings of vectorbt, and entries and exits; stops are in millionths of the price."""
    random = Random(seed)
    has_stops = random.random() < 0.6
    # Round shares of round prices lie on the grid of prices, where a stop is hit or missed by the last bit.
    stop = random.choice((50_000, 20_000)) if random.random() < 0.1 else random.randint(3_000, 90_000)
    often = random.choice((0.05, 0.15, 0.5))
    return {
        "seed": seed,
        **walk(random, SIGNAL_BARS),
        "cash": random.choice((1_000_000, random.randint(1_000_000, 50_000_000))),
        "rate": random.choice((0, 10, 25)),
        "fixed": random.choice((0, 0, 0, 35)),
        "slippage": random.choice((0, 2, 13)),
        "sl": stop if has_stops and random.random() < 0.8 else None,
        "tp": random.randint(3_000, 150_000) if has_stops and random.random() < 0.8 else None,
        "entries": [random.random() < often for _ in range(SIGNAL_BARS)],
        "exits": [random.random() < often / 2 for _ in range(SIGNAL_BARS)],
        "lot": random.choice((0, 3)),
    }
