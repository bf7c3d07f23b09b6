"""How deep the same trades could have fallen in another order."""

from __future__ import annotations

import numpy as np

from neural_trader.honesty.gauss import Floats

_CELLS = 1 << 20


def shuffled_drawdowns(gains: Floats, deposit: float, *, shuffles: int = 1000, seed: int = 0) -> Floats:
    """The deepest drawdown, as a fraction <= 0, of each of many random orders of the trades.

    ``gains`` are the profits of closed trades in money, ``deposit`` what the account began with. Every order ends at
    the same equity; how it gets there is chance. Drawdowns are between trades: what happened inside them is not seen.
    An account that falls to zero or below stays ruined: its drawdown is -1.
    """
    if not len(gains):
        return np.zeros(shuffles)
    rng = np.random.default_rng(seed)
    found = np.empty(shuffles)
    step = max(1, _CELLS // len(gains))
    for begin in range(0, shuffles, step):
        count = min(step, shuffles - begin)
        orders = rng.permuted(np.broadcast_to(gains, (count, len(gains))), axis=1)
        found[begin : begin + count] = _deepest(deposit + np.cumsum(orders, axis=1), deposit)
    return found


def _deepest(curves: Floats, deposit: float) -> Floats:
    peaks = np.maximum(np.maximum.accumulate(curves, axis=1), deposit)
    found: Floats = np.clip((curves / peaks - 1.0).min(axis=1), -1.0, 0.0)
    return found
