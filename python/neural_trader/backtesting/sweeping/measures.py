"""What a sweep measures of a run: from the engine's figures to the statistics that reports name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from neural_trader.errors import UsageError

Floats = np.ndarray[Any, np.dtype[np.float64]]
Figures = Mapping[str, Floats]


class Span(NamedTuple):
    """What all runs of a sweep share: the deposit, and the years from the first opening to the last close."""

    cash: float
    years: float


class Measure(NamedTuple):
    """A statistic of a run: how it is called in reports, which way is better, and how it follows from figures."""

    title: str
    higher_is_better: bool
    of_curve: bool
    """Whether the curve of equity has to be gone through, which takes longer."""
    of: Callable[[Figures, Span], Floats]


def _divided(a: Floats | float, b: Floats | float) -> Floats:
    """A quotient, not known where the divisor is not above zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(b) > 0.0, np.asarray(a) / np.asarray(b), np.nan)


def _deviation(figures: Figures) -> Floats:
    """Sample deviation of returns; not known where equity was not positive or returns do not vary."""
    count = figures["returns"]
    squares = np.where((count > 1) & (figures["ruined"] == 0.0), figures["return_squares"], np.nan)
    deviation = np.sqrt(_divided(squares, count - 1.0))
    return np.where(deviation > 4.0 * np.finfo(float).eps, deviation, np.nan)


def _downside(figures: Figures) -> Floats:
    squares = np.where((figures["returns"] > 1) & (figures["ruined"] == 0.0), figures["downside_squares"], np.nan)
    deviation = np.sqrt(_divided(squares, figures["returns"]))
    return np.where(deviation > 4.0 * np.finfo(float).eps, deviation, np.nan)


def _per_year(figures: Figures, span: Span) -> Floats:
    """Root of the samples in a year."""
    return np.sqrt(_divided(figures["samples"], span.years))


def _growth(figures: Figures, span: Span) -> Floats:
    """Compound growth a year as a fraction; not known where nothing is left."""
    growth = np.where(figures["equity"] > 0.0, figures["equity"] / span.cash, np.nan)
    return np.expm1(_divided(np.log(growth), span.years))


MEASURES: dict[str, Measure] = {
    "return": Measure("Return [%]", True, False, lambda f, s: 100.0 * (f["equity"] / s.cash - 1.0)),
    "equity": Measure("Equity Final", True, False, lambda f, _: f["equity"]),
    "cagr": Measure("CAGR [%]", True, False, lambda f, s: 100.0 * _growth(f, s)),
    "sharpe": Measure(
        "Sharpe Ratio", True, True, lambda f, s: _divided(f["return_mean"], _deviation(f)) * _per_year(f, s)
    ),
    "sortino": Measure(
        "Sortino Ratio", True, True, lambda f, s: _divided(f["return_mean"], _downside(f)) * _per_year(f, s)
    ),
    "calmar": Measure("Calmar Ratio", True, True, lambda f, s: _divided(_growth(f, s), -f["drawdown"])),
    "drawdown": Measure("Max. Drawdown [%]", True, True, lambda f, _: 100.0 * f["drawdown"]),
    "volatility": Measure("Volatility (Ann.) [%]", False, True, lambda f, s: 100.0 * _deviation(f) * _per_year(f, s)),
    "trades": Measure("# Trades", True, False, lambda f, _: f["trades"]),
    "win_rate": Measure("Win Rate [%]", True, False, lambda f, _: 100.0 * _divided(f["wins"], f["trades"])),
    "profit_factor": Measure("Profit Factor", True, False, lambda f, _: _divided(f["gained"], f["lost"])),
    "exposure": Measure("Exposure Time [%]", True, False, lambda f, _: 100.0 * _divided(f["exposed"], f["samples"])),
    "fees": Measure("Fees Paid", False, False, lambda f, _: f["fees"]),
    "slippage": Measure("Slippage Paid", False, False, lambda f, _: f["slippage"]),
}
"""Statistics by the names that sweeps know them by; ``report/definitions.py`` has the formula of each title."""


def measure_named(name: str) -> Measure:
    """A measure by its name; UsageError suggests the nearest."""
    if name not in MEASURES:
        near = difflib.get_close_matches(name, MEASURES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ";"
        raise UsageError(f"no metric {name!r}{hint} there are {', '.join(MEASURES)}")
    return MEASURES[name]


def measured(figures: Figures, span: Span, *, curve: bool) -> dict[str, Floats]:
    """Every statistic that the figures give."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return {
            name: np.asarray(measure.of(figures, span), dtype=float)
            for name, measure in MEASURES.items()
            if curve or not measure.of_curve
        }


def order_of(values: Floats, measure: Measure) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Positions from the best to the worst; what is not known comes last, and equals keep their order."""
    key = -values if measure.higher_is_better else values
    return np.argsort(np.where(np.isnan(key), np.inf, key), kind="stable")
