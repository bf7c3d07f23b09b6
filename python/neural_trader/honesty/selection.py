"""What the best of a search is worth: in figures, in one word for scripts and in one sentence for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neural_trader.honesty.assessment import CONFIDENCE, SEED, Verdict
from neural_trader.honesty.gauss import Floats
from neural_trader.honesty.overfitting import Overfitting, overfitting
from neural_trader.honesty.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    probabilistic_sharpe,
)
from neural_trader.honesty.stability import Standing
from neural_trader.honesty.superiority import Selected, selected

PERIODS_MIN = 20
"""Periods of returns below which nothing is tested."""
BLOCKS = 12
"""Of cross-validation: 924 ways to choose half of them."""
_RESAMPLES = (1_000, 4_000)

Over = Literal["project", "data", "sweep"]


@dataclass(frozen=True)
class Tried:
    """How much was tried until this was the best."""

    points: int
    """Those of which it is the best: all that a grid has, or all that a search could have come to."""
    trials: int
    """The same and what the ledger has beside."""
    variance: float
    """Of the trials' Sharpe ratios a year."""
    over: Over
    """Whose trials are counted: of the project, on the same data, or of this sweep alone."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What an assessment of the best of a search is made from."""

    moments: Moments | None
    """Of the returns of the best from sample to sample; None where they have none."""
    periods_per_year: float | None
    """Samples a year."""
    years: float
    tried: Tried
    best: Floats
    """Returns of the best, period by period: some hundred at most."""
    others: Floats
    """Returns of points that were drawn from all, the best perhaps among them: periods by points."""
    drawn: int
    """How many points that are."""
    holding: Floats | None
    """Returns of buying and holding the instruments in equal shares."""
    standing: Standing | None


@dataclass(frozen=True, eq=False)
class Assessment:
    """What the best of a search is worth. Ratios are per year, probabilities from 0 to 1."""

    selection: Selection
    verdict: Verdict
    sentence: str
    sharpe: float | None
    probabilistic: float | None
    """The probability that the true Sharpe ratio is above zero, of one that had not been selected."""
    deflated: float | None
    """The probability that it is above what the best of the counted trials shows without any skill."""
    expected_best: float | None
    years_needed: float | None
    """How long a record must be to say with 95 % that it is above that; None if no length would do."""
    luck: float | None
    """How likely the best of so many is to look as good as this one without any skill."""
    tests: Selected | None
    over_holding: float | None
    """The same as ``luck`` for what is earned beyond holding the instruments."""
    overfitting: Overfitting | None

    @classmethod
    def of(cls, selection: Selection) -> Assessment:
        """Assess what is known."""
        ratios = _Ratios.of(selection)
        tests = _tested(selection, selection.best, selection.others)
        luck = None if tests is None else _of_all(selection, tests.value)
        beyond = None
        if selection.holding is not None:
            held = selection.holding
            beyond = _tested(selection, selection.best - held, selection.others - held[:, None])
        verdict = _verdict(selection, ratios.deflated, luck)
        return cls(
            selection=selection,
            verdict=verdict,
            sentence=_sentence(selection, verdict, ratios.deflated, luck),
            sharpe=ratios.sharpe,
            probabilistic=ratios.probabilistic,
            deflated=ratios.deflated,
            expected_best=ratios.expected_best,
            years_needed=ratios.years_needed,
            luck=luck,
            tests=tests,
            over_holding=None if beyond is None else _of_all(selection, beyond.value),
            overfitting=_overfitted(selection.others),
        )

    @property
    def is_whole(self) -> bool:
        """Whether all points were tested, and not only those that were drawn."""
        return self.selection.drawn >= self.selection.tried.points

    @property
    def of_luck(self) -> tuple[float, float] | None:
        """Between which Sharpe ratios a year the best of what was tested lies without any skill, nine times of ten."""
        if self.tests is None or self.selection.years <= 0.0:
            return None
        low, high = np.quantile(self.tests.by_luck, [0.05, 0.95]) / math.sqrt(self.selection.years)
        return float(low), float(high)

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON; docs/result-schema.md describes them."""
        selection, moments, tests = self.selection, self.selection.moments, self.tests
        tried, standing, found = selection.tried, selection.standing, self.overfitting
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "trials": {
                "count": tried.trials,
                "points": tried.points,
                "sharpe_variance": tried.variance,
                "over": tried.over,
            },
            "sharpe": {
                "value": self.sharpe,
                "probabilistic": self.probabilistic,
                "deflated": self.deflated,
                "expected_best": self.expected_best,
                "years": selection.years,
                "years_needed": self.years_needed,
                "returns": None if moments is None else moments.count,
                "skewness": None if moments is None else moments.skewness,
                "kurtosis": None if moments is None else moments.kurtosis,
            },
            "luck": {
                "probability": self.luck,
                "over_holding": self.over_holding,
                "periods": len(selection.best),
                "tested": selection.drawn,
                # Of points that were drawn, tests of the whole table say nothing about those that were not.
                "reality_check": None if tests is None or not self.is_whole else tests.reality_check,
                "superior_ability": None
                if tests is None or not self.is_whole
                else {"lower": tests.lower, "consistent": tests.consistent, "upper": tests.upper},
                "sharpe_by_luck": None if (range_ := self.of_luck) is None else list(range_),
            },
            "overfitting": None
            if found is None
            else {
                "probability": found.probability,
                "loss_probability": found.loss_probability,
                "degradation": found.degradation,
                "tested": selection.drawn,
            },
            "neighbours": None
            if standing is None
            else {
                "count": standing.neighbours,
                "median": standing.median,
                "worst": standing.worst,
                "kept": standing.kept,
                "shape": standing.shape,
            },
        }


@dataclass(frozen=True)
class _Ratios:
    """Sharpe ratios of the best, per year, and what they are worth."""

    sharpe: float | None = None
    probabilistic: float | None = None
    deflated: float | None = None
    expected_best: float | None = None
    years_needed: float | None = None

    @classmethod
    def of(cls, selection: Selection) -> _Ratios:
        moments, per_year, tried = selection.moments, selection.periods_per_year, selection.tried
        if moments is None or not per_year:
            return cls()
        variance = tried.variance / per_year
        best = expected_best(tried.trials, variance)
        needed = minimum_track_record(moments, best, CONFIDENCE)
        return cls(
            sharpe=moments.sharpe * math.sqrt(per_year),
            probabilistic=probabilistic_sharpe(moments),
            deflated=deflated_sharpe(moments, tried.trials, variance),
            expected_best=best * math.sqrt(per_year),
            years_needed=needed / per_year if math.isfinite(needed) else None,
        )


def _tested(selection: Selection, best: Floats, others: Floats) -> Selected | None:
    """Tests of the best among the points that were drawn, which it joins as the last column."""
    if len(best) < PERIODS_MIN:
        return None
    # The bound for all points multiplies the p-value of those that were drawn, which must be known finely enough.
    least, most = _RESAMPLES
    count = int(min(most, max(least, 40 * _groups(selection))))
    columns = np.column_stack([others, best])
    return selected(columns, columns.shape[1] - 1, resamples_count=count, seed=SEED)


def _groups(selection: Selection) -> float:
    return selection.tried.points / max(1, min(selection.drawn, selection.tried.points))


def _of_all(selection: Selection, value: float) -> float:
    """The p-value for all points from that of those that were drawn.

    All points are so many groups of as many, drawn alike. That any of the groups shows as much by chance is no more
    likely than the sum over them; so a part of the points makes the answer stricter, never milder.
    """
    return min(1.0, value * _groups(selection))


def _overfitted(returns: Floats) -> Overfitting | None:
    if returns.ndim != 2 or returns.shape[1] < 2 or len(returns) < 2 * BLOCKS:
        return None
    return overfitting(returns, BLOCKS)


def _verdict(selection: Selection, deflated: float | None, luck: float | None) -> Verdict:
    if selection.moments is None or deflated is None:
        return "undefined"
    if selection.moments.mean <= 0.0:
        return "no_edge"
    if luck is None:
        return "undefined"
    return "distinct" if deflated >= CONFIDENCE and luck <= 1.0 - CONFIDENCE else "luck"


def _sentence(selection: Selection, verdict: Verdict, deflated: float | None, luck: float | None) -> str:
    trials = selection.tried.trials
    tried = f"{trials:,} trial{'' if trials == 1 else 's'}"
    if verdict == "no_edge":
        return f"{tried}, mean return of the best not above zero: no sign of an edge."
    if deflated is None:
        return f"{tried}, no verdict: the returns of the best have no Sharpe ratio."
    if luck is None:
        return f"{tried}, no verdict: {len(selection.best)} periods are too few to tell an edge from luck."
    # What rounds to a threshold without reaching it must not look as if it had.
    shown = min(deflated, 0.94) if deflated < CONFIDENCE else deflated
    chance = max(luck, 0.06) if luck > 1.0 - CONFIDENCE else luck
    words = f"{tried}, deflated Sharpe {shown:.2f}, chance of such a best by luck {_percent(chance)}"
    if verdict == "luck":
        return f"{words}: not distinguishable from luck."
    return f"{words}: more than luck explains, if every trial was counted."


def _percent(probability: float) -> str:
    percent = 100.0 * probability
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %"
