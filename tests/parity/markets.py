"""Random markets that visit the corners of the fill rules: gaps, flat bars, tiny prices, ruinous jumps, odd clocks."""

from __future__ import annotations

from random import Random

import numpy as np

from neural_trader.market.bars import Bars, Step

HOUR_NS = 3600 * 10**9
START_NS = 1_704_067_200 * 10**9
"""2024-01-01 00:00 UTC: a round day, so that day orders end where one expects."""

WHOLE = Step(1, 0)
INTERVALS_NS = (HOUR_NS, HOUR_NS, 3 * HOUR_NS, 6 * HOUR_NS, 7 * HOUR_NS, 24 * HOUR_NS)
GRIDS = (
    ((Step(1, 2), Step(25, 2), Step(1, 0)), (Step(1, 0), Step(5, 1), Step(1, 3))),
    ((Step(5, 3), Step(1, 9)), (Step(1, 9), Step(3, 8))),
)
"""Ticks and lots that go together: for a coarse lot one could buy more of the finest ones than 64 bits count."""
LEVELS = (1, 3, 20, 500, 10_000, 1_000_000)
"""Opening prices in ticks; the first ones are where a price cannot fall any more."""


def make_bars(
    symbol: str,
    rows: list[tuple[int, ...]],
    *,
    open_ns: list[int],
    close_ns: list[int],
    tick: Step = WHOLE,
    lot: Step = WHOLE,
    with_volume: bool = True,
    with_spread: bool = True,
) -> Bars:
    """Bars from rows of open, high, low, close, volume, spread."""
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 6).T
    return Bars(
        symbol,
        tick,
        lot,
        np.array(open_ns, dtype=np.int64),
        np.array(close_ns, dtype=np.int64),
        open=np.ascontiguousarray(columns[0]),
        high=np.ascontiguousarray(columns[1]),
        low=np.ascontiguousarray(columns[2]),
        close=np.ascontiguousarray(columns[3]),
        volume=np.ascontiguousarray(columns[4]) if with_volume else None,
        spread=np.ascontiguousarray(columns[5]) if with_spread else None,
    )


def random_market(random: Random, *, needs_volume: bool) -> list[Bars]:
    """One to four instruments in order of their symbols."""
    count = random.choice((1, 1, 2, 2, 3, 4))
    symbols = sorted(random.sample(("A", "AB", "B", "Z", "a", "Ä", "é", "日本"), count), key=str.encode)
    shared_ns = random.choice(INTERVALS_NS)
    shares_clock = random.random() < 0.6
    ticks, lots = random.choice(GRIDS)
    market = []
    for symbol in symbols:
        interval_ns = shared_ns if shares_clock else random.choice(INTERVALS_NS)
        length = random.randint(20, 60) if count == 1 else random.randint(8, 30)
        open_ns, close_ns = _clock(random, interval_ns, length)
        market.append(
            make_bars(
                symbol,
                _walk(random, length),
                open_ns=open_ns,
                close_ns=close_ns,
                tick=random.choice(ticks),
                lot=random.choice(lots),
                with_volume=needs_volume or random.random() < 0.5,
                with_spread=random.random() < 0.5,
            )
        )
    return market


def _clock(random: Random, interval_ns: int, length: int) -> tuple[list[int], list[int]]:
    """Bars that touch, that leave a gap, or that skip intervals; some begin later than others."""
    begin_ns = START_NS + random.choice((0, 0, 0, 1, 5)) * interval_ns
    pause_ns = random.choice((0, 0, 1, interval_ns // 3))
    skips = random.random() < 0.3
    open_ns, close_ns, now_ns = [], [], begin_ns
    for _ in range(length):
        open_ns.append(now_ns)
        close_ns.append(now_ns + interval_ns - pause_ns)
        now_ns += interval_ns * (random.choice((1, 1, 1, 2, 5)) if skips else 1)
    return open_ns, close_ns


def _walk(random: Random, length: int) -> list[tuple[int, ...]]:
    """Open, high, low, close, volume, spread of each bar, in one of several tempers."""
    price = random.choice(LEVELS)
    scale = max(1, price // random.choice((10, 50, 200)))
    gap_share = random.choice((0.0, 0.2, 0.7))
    jump_share = random.choice((0.0, 0.0, 0.05))
    flat_share = random.choice((0.0, 0.1, 0.8))
    volume_scale = random.choice((5, 50, 5_000))
    spread_scale = random.choice((0, 2, 30))
    rows: list[tuple[int, ...]] = []
    for _ in range(length):
        open_ = price
        if random.random() < gap_share:
            open_ = max(1, price + random.randint(-scale, scale))
        if random.random() < jump_share:
            open_ = max(1, open_ * random.choice((1, 1, 2, 5)) // random.choice((1, 1, 2, 5)))
        close = open_
        high = low = open_
        if random.random() >= flat_share:
            close = max(1, open_ + random.randint(-scale, scale))
            if random.random() < jump_share:
                close = max(1, close * random.choice((1, 3)) // random.choice((1, 3)))
            high = max(open_, close) + random.choice((0, 0, random.randint(0, scale)))
            low = max(1, min(open_, close) - random.choice((0, 0, random.randint(0, scale))))
        volume = 0 if random.random() < 0.1 else random.randint(0, volume_scale)
        rows.append((open_, high, low, close, volume, random.randint(0, spread_scale)))
        price = close
    return rows
