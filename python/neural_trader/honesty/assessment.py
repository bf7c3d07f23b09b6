"""What a result is worth, in figures, in one word for scripts and in one sentence for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neural_trader.honesty.bootstrap import block_length, interval, resamples
from neural_trader.honesty.checks import Counted, LookAhead, WarmUp
from neural_trader.honesty.gauss import Floats
from neural_trader.honesty.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    probabilistic_sharpe,
)
from neural_trader.honesty.trade_order import shuffled_drawdowns

Verdict = Literal["invalid", "undefined", "no_edge", "luck", "distinct"]
VERDICTS: dict[Verdict, str] = {
    "invalid": "a decision depends on the future, or does not repeat",
    "undefined": "the returns have no Sharpe ratio",
    "no_edge": "the mean return is not above zero",
    "luck": "the best of so many trials without skill could look like this",
    "distinct": "more than luck explains, if every trial was counted",
}
"""All verdicts, the first that holds is given."""

CONFIDENCE = 0.95
RESAMPLES = 1000
SEED = 20140131
"""Of all resampling: the same result has the same intervals on every machine."""
_CELLS = 2_000_000

Interval = tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What an assessment is made from."""

    moments: Moments | None
    """Of the returns from sample to sample; None where they have none."""
    periods_per_year: float | None
    years: float
    steps: Floats
    """The equity curve with the deposit before it, thinned to steps of even length."""
    gains: Floats
    """Profits of closed trades, money."""
    trade_returns: Floats
    """The same as fractions of their entry values."""
    counted: Counted | None
    look_ahead: LookAhead | None
    warm_up: WarmUp | None


@dataclass(frozen=True, eq=False)
class Assessment:
    """What a result is worth. Ratios are per year, probabilities from 0 to 1."""

    evidence: Evidence
    verdict: Verdict
    sentence: str
    probabilistic: float | None
    """The probability that the true Sharpe ratio is above zero."""
    deflated: float | None
    """The probability that it is above what the best of the counted trials shows without any skill."""
    expected_best: float | None
    """That ratio, per year."""
    years_needed: float | None
    """How long a record must be to say so with 95 %; None if no length would do."""
    intervals: Mapping[str, Interval]
    """95 % intervals by the name of the statistic; None where too many resamples have no value."""
    drawdown_orders: tuple[float, float] | None
    """The median and the 95th percentile of the deepest drawdown over orders of the trades, fractions <= 0."""

    @classmethod
    def of(cls, evidence: Evidence) -> Assessment:
        """Assess what is known."""
        moments, per_year = evidence.moments, evidence.periods_per_year
        probability = deflated = best_annual = years_needed = None
        if moments is not None and per_year is not None:
            search = None if evidence.counted is None else evidence.counted.search
            trials = 1 if search is None else search.trials
            # The ledger has ratios per year; those of this run are per sample.
            variance = 0.0 if search is None else search.variance / per_year
            best = expected_best(trials, variance)
            needed = minimum_track_record(moments, best, CONFIDENCE)
            probability, deflated = probabilistic_sharpe(moments), deflated_sharpe(moments, trials, variance)
            best_annual = best * math.sqrt(per_year)
            years_needed = needed / per_year if math.isfinite(needed) else None
        verdict = _verdict(evidence, deflated)
        return cls(
            evidence=evidence,
            verdict=verdict,
            sentence=_sentence(evidence, verdict, deflated),
            probabilistic=probability,
            deflated=deflated,
            expected_best=best_annual,
            years_needed=years_needed,
            intervals={**_curve_intervals(evidence), **_trade_intervals(evidence)},
            drawdown_orders=_drawdown_orders(evidence),
        )

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON; docs/result-schema.md describes them."""
        evidence, moments = self.evidence, self.evidence.moments
        orders = self.drawdown_orders
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "trials": None if evidence.counted is None else evidence.counted.document(),
            "sharpe": {
                "probabilistic": self.probabilistic,
                "deflated": self.deflated,
                "expected_best": self.expected_best,
                "years": evidence.years,
                "years_needed": self.years_needed,
                "returns": None if moments is None else moments.count,
                "skewness": None if moments is None else moments.skewness,
                "kurtosis": None if moments is None else moments.kurtosis,
            },
            "confidence": CONFIDENCE,
            "intervals": {name: None if found is None else list(found) for name, found in self.intervals.items()},
            "drawdown_orders": None if orders is None else {"median": 100.0 * orders[0], "p95": 100.0 * orders[1]},
            "look_ahead": None if evidence.look_ahead is None else evidence.look_ahead.document(),
            "warm_up": None if evidence.warm_up is None else evidence.warm_up.document(),
        }


def _verdict(evidence: Evidence, deflated: float | None) -> Verdict:
    if evidence.look_ahead is not None and not evidence.look_ahead.passed:
        return "invalid"
    if evidence.moments is None or deflated is None:
        return "undefined"
    if evidence.moments.mean <= 0.0:
        return "no_edge"
    return "distinct" if deflated >= CONFIDENCE else "luck"


def _sentence(evidence: Evidence, verdict: Verdict, deflated: float | None) -> str:
    if verdict == "invalid":
        assert evidence.look_ahead is not None
        return f"Not valid: {evidence.look_ahead.changed}."
    if verdict == "undefined" or deflated is None:
        return "No verdict: the returns have no Sharpe ratio."
    count = None if evidence.counted is None else evidence.counted.search.trials
    tried = "Trials not counted" if count is None else f"{count:,} trial{'' if count == 1 else 's'}"
    if verdict == "no_edge":
        return f"{tried}, mean return not above zero: no sign of an edge."
    # What rounds to the threshold without reaching it must not look as if it had.
    shown = min(deflated, 0.94) if verdict == "luck" else deflated
    known = (
        f"{tried}, deflated Sharpe {shown:.2f}" if count is not None else f"{tried}, probabilistic Sharpe {shown:.2f}"
    )
    if verdict == "luck":
        return f"{known}: not distinguishable from luck."
    return f"{known}: more than luck explains, if every trial was counted."


def _curve_intervals(evidence: Evidence) -> dict[str, Interval]:
    """Curves of resampled returns, measured as the one that was: see docs/result-schema.md for the formulas."""
    steps, years = evidence.steps, evidence.years
    if len(steps) < 10 or years <= 0.0 or not (steps > 0.0).all():
        return dict.fromkeys(_OF_CURVE)
    returns = steps[1:] / steps[:-1] - 1.0
    rng = np.random.default_rng(SEED)
    found = [_measured(returns[rows], years) for rows in resamples(len(returns), block_length(returns), RESAMPLES, rng)]
    columns = np.concatenate(found, axis=1)
    return {name: interval(column, CONFIDENCE) for name, column in zip(_OF_CURVE, columns, strict=True)}


_OF_CURVE = (
    "Return [%]",
    "CAGR [%]",
    "Volatility (Ann.) [%]",
    "Sharpe Ratio",
    "Sortino Ratio",
    "Calmar Ratio",
    "Max. Drawdown [%]",
)


def _measured(returns: Floats, years: float) -> Floats:
    """The statistics of curves, one row each, shape ``(statistics, curves)``."""
    root = math.sqrt(returns.shape[1] / years)
    mean, deviation = returns.mean(axis=1), returns.std(axis=1, ddof=1)
    downside = np.sqrt(np.square(np.minimum(returns, 0.0)).mean(axis=1))
    growth = np.cumprod(1.0 + returns, axis=1)
    peaks = np.maximum(np.maximum.accumulate(growth, axis=1), 1.0)
    deepest = (growth / peaks).min(axis=1) - 1.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        annual = growth[:, -1] ** (1.0 / years) - 1.0
        rows = (
            100.0 * (growth[:, -1] - 1.0),
            100.0 * annual,
            100.0 * deviation * root,
            mean / deviation * root,
            mean / downside * root,
            annual / -deepest,
            100.0 * deepest,
        )
    return np.array(rows)


def _trade_intervals(evidence: Evidence) -> dict[str, Interval]:
    """Trades drawn again, each by itself: they are taken as independent."""
    gains, returns = evidence.gains, evidence.trade_returns
    count = len(gains)
    if count < 10:
        return dict.fromkeys(("Win Rate [%]", "Profit Factor", "Expectancy [%]"))
    rows = np.random.default_rng(SEED).integers(0, count, (max(100, min(RESAMPLES, _CELLS // count)), count))
    drawn = gains[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.maximum(drawn, 0.0).sum(axis=1) / -np.minimum(drawn, 0.0).sum(axis=1)
    return {
        "Win Rate [%]": interval(100.0 * (drawn > 0.0).mean(axis=1), CONFIDENCE),
        "Profit Factor": interval(factor, CONFIDENCE),
        "Expectancy [%]": interval(100.0 * returns[rows].mean(axis=1), CONFIDENCE),
    }


def _drawdown_orders(evidence: Evidence) -> tuple[float, float] | None:
    count = len(evidence.gains)
    if count < 10:
        return None
    shuffles = max(100, min(RESAMPLES, _CELLS // count))
    found = shuffled_drawdowns(evidence.gains, float(evidence.steps[0]), shuffles=shuffles, seed=SEED)
    return float(np.median(found)), float(np.quantile(found, 0.05))
