"""What a portfolio is exposed to, what scenarios would do to it, and which instrument earned what."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neural_trader.errors import UsageError
from neural_trader.risk.arrays import Floats, covariance_of, returns_of, weights_of


class Exposure(NamedTuple):
    """A portfolio in five numbers, as fractions of equity but for the last."""

    gross: float
    net: float
    long: float
    short: float
    """Not negative."""
    effective: float
    """How many equal positions would be as concentrated (inverse of Herfindahl's index); 0 without a position."""


def exposure(weights: Any) -> Exposure:
    """The exposure of weights."""
    held = np.asarray(weights, np.float64).ravel()
    held = weights_of(held, len(held))
    gross = float(np.abs(held).sum())
    long = float(held[held > 0.0].sum())
    effective = gross * gross / float(held @ held) if gross > 0.0 else 0.0
    return Exposure(gross, float(held.sum()), long, gross - long, effective)


def stressed(weights: Any, shocks: Any) -> Floats:
    """What each scenario does to equity: ``shocks`` are scenarios by instruments, as returns."""
    scenarios = returns_of(shocks if np.ndim(shocks) == 2 else [shocks], periods=1)
    found: Floats = scenarios @ weights_of(weights, scenarios.shape[1])
    return found


def completed_scenario(covariance: Any, shocks: dict[int, float]) -> Floats:
    """A shock of some instruments, by number, with what is to be expected of all others when it comes.

    Kupiec (1998), "Stress testing in a value at risk framework": the mean of the others given the shock, by their past
    covariance.
    """
    matrix = covariance_of(covariance)
    hit = sorted(shocks)
    if not hit or not all(0 <= at < len(matrix) for at in hit):
        raise UsageError(f"a scenario shocks one or more of {len(matrix)} instruments, by number from 0")
    size = np.array([shocks[at] for at in hit])
    found: Floats = matrix[:, hit] @ np.linalg.solve(matrix[np.ix_(hit, hit)], size)
    found[hit] = size
    return found


def worst_stretch(returns: Any, weights: Any, length: int) -> tuple[int, float]:
    """First row and compounded return of the worst ``length`` periods that the portfolio would have lived through."""
    columns = returns_of(returns, periods=max(1, length))
    if length < 1:
        raise UsageError("a stretch is one period or longer")
    grown = np.append(1.0, np.cumprod(1.0 + columns @ weights_of(weights, columns.shape[1])))
    if not (grown > 0.0).all():
        raise UsageError("the portfolio would have been ruined; its stretches have no returns")
    over = grown[length:] / grown[:-length] - 1.0
    return int(over.argmin()), float(over.min())


def attribution(weights: Any, returns: Any) -> Floats:
    """What each instrument added to the compounded return, periods by instruments in; they sum to it exactly.

    ``weights`` are those held into each period. Returns of periods are linked by the logarithms of Carino (1999),
    "Combining attribution effects over time".
    """
    columns = returns_of(returns, periods=1)
    held = np.asarray(weights, np.float64)
    if held.shape != columns.shape:
        raise UsageError("weights are periods by instruments, as returns are")
    parts = held * columns
    totals = parts.sum(axis=1)
    if not (totals > -1.0).all():
        raise UsageError("the portfolio was ruined; what came of it has no logarithm")
    whole = float(np.prod(1.0 + totals)) - 1.0
    factor = _log_per_return(totals) / _log_per_return(np.array([whole]))
    found: Floats = (parts * factor[:, None]).sum(axis=0)
    return found


def _log_per_return(returns: Floats) -> Floats:
    """``log(1 + r) / r``, which is 1 where nothing changed."""
    safe = np.where(np.abs(returns) < 1e-12, 1.0, returns)
    return np.where(np.abs(returns) < 1e-12, 1.0, np.log1p(safe) / safe)
