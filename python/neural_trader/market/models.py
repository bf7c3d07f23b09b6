"""Synthetic markets that follow the models of textbooks, so that what a strategy finds in them is known beforehand.

Rates and volatilities are per year of 365 days. The same seed gives the same path on one platform; unlike those of
``synthetic_bars``, the last bits may differ on another, because logarithms take part.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.times import DAY_NS, instant_ns_of, interval_ns_of

if TYPE_CHECKING:
    from neural_trader.market.bars import Floats

_YEAR_NS = 365 * DAY_NS
_STEPS_MAX = 500_000_000
VERSION = 1
"""Changes with every change of what a seed gives."""


@dataclass(frozen=True)
class GeometricBrownianMotion:
    """The model of Black and Scholes: log returns are normal and independent."""

    drift: float = 0.05
    volatility: float = 0.6


@dataclass(frozen=True)
class JumpDiffusion:
    """Merton's model (1976): Brownian motion, with jumps whose logarithms are normal."""

    drift: float = 0.05
    volatility: float = 0.4
    jumps: float = 24.0
    """Expected number in a year."""
    jump_mean: float = -0.01
    jump_deviation: float = 0.05


@dataclass(frozen=True)
class Heston:
    """Heston's model (1993): the variance returns to its mean, and moves with the price."""

    drift: float = 0.05
    variance: float = 0.36
    reversion: float = 8.0
    long_variance: float = 0.36
    volatility: float = 1.2
    """Of the variance."""
    correlation: float = -0.5


@dataclass(frozen=True)
class Pair:
    """Two prices whose log ratio is an Ornstein-Uhlenbeck process around zero."""

    drift: float = 0.05
    volatility: float = 0.6
    reversion: float = 60.0
    deviation: float = 0.03
    """Stationary standard deviation of the log ratio."""


Model = GeometricBrownianMotion | JumpDiffusion | Heston | Pair
_NAMES = {
    GeometricBrownianMotion: "geometric_brownian_motion",
    JumpDiffusion: "jump_diffusion",
    Heston: "heston",
    Pair: "pair",
}


def path_of(
    model: Model, steps: int, step_years: float, *, seed: int = 7, name: str = "ALPHA", start: float = 100.0
) -> tuple[Floats, Floats]:
    """Prices after each step; beside them the variances of Heston's model, or the other prices of a pair."""
    import math

    from neural_trader import _native

    if not 1 <= steps <= _STEPS_MAX or not 0 <= seed < 2**64:
        raise DataError(f"{steps} steps of seed {seed}: ask for 1 to {_STEPS_MAX}, and a seed from 0 to 2**64 - 1")
    values = asdict(model)
    for what, value in (*values.items(), ("step", step_years), ("start", start)):
        below = what not in ("drift", "jump_mean", "correlation") and value < 0
        if not math.isfinite(value) or below or (what in ("step", "start") and value == 0):
            raise DataError(f"{what} {value} makes no market; it is a finite number, and only drifts fall below zero")
    if abs(values.get("correlation", 0.0)) > 1:
        raise DataError(f"correlation {values['correlation']} is not between -1 and 1")
    return _native.model_path(_NAMES[type(model)], list(values.values()), seed, name, (start, steps, step_years))


def model_bars(
    model: Model,
    *,
    seed: int = 7,
    symbols: tuple[str, ...] | None = None,
    bars: int = 3 * 365 * 24,
    interval: str | int | timedelta = "1h",
    start: Any = "2022-01-01",
    price: float = 100.0,
    steps: int = 12,
) -> tuple[Bars, ...]:
    """Bars of a model, each of so many steps, with a tick of a hundredth and no volume; a pair has two instruments."""
    import numpy as np

    names = symbols or (("ALPHA", "BRAVO") if isinstance(model, Pair) else ("ALPHA",))
    if len(names) != 1 + isinstance(model, Pair):
        raise DataError(f"symbols {names}: a pair has two, other models have one")
    interval_ns, start_ns = interval_ns_of(interval), instant_ns_of(start, "start")
    if bars < 1 or steps < 1 or not -(2**62) < start_ns + bars * interval_ns < 2**62:
        raise DataError(f"{bars} bars of {steps} steps cannot be made; ask for at least one, before the year 2116")
    step_years = interval_ns / steps / _YEAR_NS
    paths = path_of(model, bars * steps, step_years, seed=seed, name=names[0], start=price)
    open_ns = start_ns + np.arange(bars, dtype=np.int64) * interval_ns
    made = []
    for name, path in zip(names, paths, strict=False):
        if not 0.01 <= path.min() <= path.max() < 1e13:
            raise DataError(f"{name}: the path leaves the range of prices; choose less volatility or a larger price")
        ticks = np.rint(path * 100).astype(np.int64).reshape(bars, steps)
        close = np.ascontiguousarray(ticks[:, -1])
        opened = np.concatenate([ticks[:1, 0], close[:-1]])
        high, low = np.maximum(ticks.max(axis=1), opened), np.minimum(ticks.min(axis=1), opened)
        columns = (open_ns, open_ns + interval_ns, opened, high, low, close)
        for column in columns:
            column.flags.writeable = False
        made.append(Bars(
            name, Step(1, 2), Step(1, 0), *columns, None, None, "synthetic",
            f"synthetic {_NAMES[type(model)].replace('_', ' ')} {VERSION}, seed {seed}", interval_ns,
            ("made by a random number generator: no result on it says anything about a real market",),
        ))  # fmt: skip
    return tuple(made)
