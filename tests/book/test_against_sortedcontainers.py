"""The ladder against the structure that Python programs usually keep a book in, over one stream."""

from __future__ import annotations

import time

import numpy as np
from sortedcontainers import SortedDict

from neural_trader._native import Ladder
from random_streams import Stream

RATIO_MIN = 10
"""How many times faster a whole stream has to be; far below what it is, so that a busy machine does not fail."""


def best_prices_of_sorted_dicts(rows: list[tuple[int, int, int]]) -> tuple[list[float], list[float]]:
    sides = {1: SortedDict(), -1: SortedDict()}
    bids, asks = [], []
    nan = float("nan")
    for side, price, quantity in rows:
        levels = sides[side]
        if quantity:
            levels[price] = quantity
        else:
            levels.pop(price, None)
        bids.append(sides[1].peekitem(-1)[0] if sides[1] else nan)
        asks.append(sides[-1].peekitem(0)[0] if sides[-1] else nan)
    return bids, asks


def test_a_stream_has_the_same_best_prices_and_takes_a_fraction_of_the_time() -> None:
    stream = Stream.seeded(5, 200_000, leaps=0.0)
    rows = stream.rows()
    start = time.perf_counter()
    expected = best_prices_of_sorted_dicts(rows)
    plain_s = time.perf_counter() - start
    fast_s = float("inf")
    for _ in range(3):
        ladder = Ladder()
        start = time.perf_counter()
        played = ladder.play([("best_bid", []), ("best_ask", [])], stream.side, stream.price, stream.quantity)
        fast_s = min(fast_s, time.perf_counter() - start)
    for column, defined in zip(played, expected, strict=True):
        np.testing.assert_array_equal(column, defined)
    rate = len(rows) / 1e6
    print(f"\nladder {rate / fast_s:.1f} M/s, sortedcontainers {rate / plain_s:.2f} M/s, ratio {plain_s / fast_s:.0f}")
    assert plain_s / fast_s > RATIO_MIN
