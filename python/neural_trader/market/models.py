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
    import numpy as np

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


@dataclass(frozen=True)
class RegimeSwitching:
    """Hamilton's model (Econometrica 57, 1989): drift and volatility are those of the state of a Markov chain.

    The chain has the regimes of :data:`REGIMES`, begins in its stationary distribution, and goes from one that ends to
    either of the others with equal probability. Days are the expected length of a regime.
    """

    trend_drift: float = 1.0
    trend_volatility: float = 0.4
    trend_days: float = 20.0
    range_drift: float = 0.0
    range_volatility: float = 0.25
    range_days: float = 15.0
    stress_drift: float = -2.0
    stress_volatility: float = 1.2
    stress_days: float = 4.0


REGIMES = ("trend", "range", "stress")
"""The regimes of :class:`RegimeSwitching`, by their numbers."""

Model = GeometricBrownianMotion | JumpDiffusion | Heston | Pair | RegimeSwitching
_NAMES = {
    GeometricBrownianMotion: "geometric_brownian_motion",
    JumpDiffusion: "jump_diffusion",
    Heston: "heston",
    Pair: "pair",
    RegimeSwitching: "regime_switching",
}


def path_of(
    model: Model, steps: int, step_years: float, *, seed: int = 7, name: str = "ALPHA", start: float = 100.0
) -> tuple[Floats, Floats]:
    """Prices after each step; beside them the variances of Heston's model, the other prices of a pair, or the number
    of the regime in which each step was made."""
    import math

    from neural_trader import _native

    if not 1 <= steps <= _STEPS_MAX or not 0 <= seed < 2**64:
        raise DataError(f"{steps} steps of seed {seed}: ask for 1 to {_STEPS_MAX}, and a seed from 0 to 2**64 - 1")
    values = asdict(model)
    for what, value in (*values.items(), ("step", step_years), ("start", start)):
        below = not what.endswith(("drift", "jump_mean", "correlation")) and value < 0
        if not math.isfinite(value) or below or (what.endswith(("step", "start", "days")) and value == 0):
            raise DataError(f"{what} {value} makes no market; it is a finite number, and only drifts fall below zero")
    if abs(values.get("correlation", 0.0)) > 1:
        raise DataError(f"correlation {values['correlation']} is not between -1 and 1")
    # The core counts years.
    parameters = [value / 365 if what.endswith("days") else value for what, value in values.items()]
    return _native.model_path(_NAMES[type(model)], parameters, seed, name, (start, steps, step_years))


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
    names = symbols or (("ALPHA", "BRAVO") if isinstance(model, Pair) else ("ALPHA",))
    if len(names) != 1 + isinstance(model, Pair):
        raise DataError(f"symbols {', '.join(names)}: a pair has two, other models have one")
    interval_ns, start_ns = interval_ns_of(interval), instant_ns_of(start, "start")
    if bars < 1 or steps < 1 or not -(2**62) < start_ns + bars * interval_ns < 2**62:
        raise DataError(f"{bars} bars of {steps} steps cannot be made; ask for at least one, before the year 2116")
    paths = path_of(model, bars * steps, interval_ns / steps / _YEAR_NS, seed=seed, name=names[0], start=price)
    source = f"synthetic {_NAMES[type(model)].replace('_', ' ')} {VERSION}, seed {seed}"
    return tuple(
        _bars_of(name, path.reshape(bars, steps), start_ns, interval_ns, source)
        for name, path in zip(names, paths, strict=False)
    )


def regime_bars(
    model: RegimeSwitching | None = None, *, seed: int = 7, symbol: str = "ALPHA", steps: int = 12, **shape: Any
) -> tuple[Bars, np.ndarray[Any, np.dtype[np.int8]]]:
    """The bars of :func:`model_bars`, which takes the same arguments, and the regime of the last step of each bar."""
    import numpy as np

    model = model or RegimeSwitching()
    (bars,) = model_bars(model, seed=seed, symbols=(symbol,), steps=steps, **shape)
    step_years = bars.interval_ns / steps / _YEAR_NS
    regimes = path_of(model, len(bars) * steps, step_years, seed=seed, name=symbol)[1]
    return bars, regimes[steps - 1 :: steps].astype(np.int8)


def _bars_of(name: str, path: Floats, start_ns: int, interval_ns: int, source: str) -> Bars:
    """Bars of the prices after each of their steps, a row for each bar."""
    import numpy as np

    if not 0.01 <= path.min() <= path.max() < 1e13:
        raise DataError(f"{name}: the path leaves the range of prices; choose less volatility or a larger price")
    ticks = np.rint(path * 100).astype(np.int64)
    close = np.ascontiguousarray(ticks[:, -1])
    opened = np.concatenate([ticks[:1, 0], close[:-1]])
    high, low = np.maximum(ticks.max(axis=1), opened), np.minimum(ticks.min(axis=1), opened)
    open_ns = start_ns + np.arange(len(path), dtype=np.int64) * interval_ns
    columns = (open_ns, open_ns + interval_ns, opened, high, low, close)
    for column in columns:
        column.flags.writeable = False
    return Bars(
        name, Step(1, 2), Step(1, 0), *columns, None, None, "synthetic", source, interval_ns,
        ("made by a random number generator: no result on it says anything about a real market",),
    )  # fmt: skip
