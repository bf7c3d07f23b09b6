"""What a choice changes: the effect of doing one thing rather than another, whatever else differed taken into account.

The estimate is doubly robust (Robins, Rotnitzky and Zhao 1994; in the notation of Kennedy, "Semiparametric doubly
robust targeted double machine learning: a review", 2022): it is right if either the model of who was treated (logistic
regression) or that of what came of it (linear regression, one for each choice) is. Both are fitted on other folds of
the cards than those on which they are used, so that they cannot praise themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_trader.errors import DataError
from neural_trader.memory.cards import Card

Floats = NDArray[np.float64]
_FOLDS = 5
_LEAST = 20
"""Cards of each choice without which nothing is said."""
_PROPENSITY_LEAST = 0.02
"""Probabilities nearer to 0 or 1 would let single cards decide; they are held here."""
_RIDGE = 1e-3
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Uplift:
    """An effect on the gain, as a share of what was put in."""

    effect: float
    """Mean gain if all had been treated less that if none had."""
    low: float
    """Lower end of the 95 % confidence interval."""
    high: float
    """Upper end."""
    treated: int
    untreated: int
    naive: float
    """The plain difference of means, which mistakes differences of situations for effects."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def uplift(cards: Sequence[Card], is_treated: Callable[[Card], bool]) -> Uplift:
    """The effect of a choice on the gains of cards that have ended, adjusted for their features.

    DataError if there are too few cards of either choice to say anything.
    """
    ended = [card for card in cards if card.outcome is not None]
    treated = np.array([is_treated(card) for card in ended], dtype=bool)
    names = sorted({name for card in ended for name in card.features})
    rows = np.array([[card.features.get(name, np.nan) for name in names] for card in ended], dtype=np.float64)
    gains = np.array([card.outcome.gain for card in ended if card.outcome is not None], dtype=np.float64)
    return estimated(_standardised(rows.reshape(len(ended), len(names))), treated, gains)


def estimated(features: Floats, treated: NDArray[np.bool_], gains: Floats) -> Uplift:
    """The estimate on plain arrays: a row of features, a choice and a gain for each card."""
    count, ones = len(gains), int(np.count_nonzero(treated))
    if min(ones, count - ones) < _LEAST:
        raise DataError(
            f"{ones} cards of one choice and {count - ones} of the other are too few; each needs {_LEAST} that ended"
        )
    design = np.column_stack([np.ones(count), features])
    scores = np.empty(count)
    for fold in range(_FOLDS):
        # Every fifth card of each choice, so that no fold lacks one.
        held = np.zeros(count, dtype=bool)
        for choice in (treated, ~treated):
            held[np.flatnonzero(choice)[fold::_FOLDS]] = True
        scores[held] = _scores(design, treated, gains, ~held, held)
    effect = float(scores.mean())
    error = float(scores.std(ddof=1) / np.sqrt(count))
    naive = float(gains[treated].mean() - gains[~treated].mean())
    return Uplift(effect, effect - _NORMAL_95 * error, effect + _NORMAL_95 * error, ones, count - ones, naive)


def _scores(
    design: Floats, treated: NDArray[np.bool_], gains: Floats, taught: NDArray[np.bool_], held: NDArray[np.bool_]
) -> Floats:
    """The efficient score of each card that is held out, by models that were taught on the others."""
    chance = _logistic(design[taught], treated[taught], design[held])
    propensity = np.clip(chance, _PROPENSITY_LEAST, 1 - _PROPENSITY_LEAST)
    of_treated = _linear(design[taught & treated], gains[taught & treated], design[held])
    of_others = _linear(design[taught & ~treated], gains[taught & ~treated], design[held])
    chosen, gain = treated[held], gains[held]
    correction = np.where(chosen, (gain - of_treated) / propensity, -(gain - of_others) / (1 - propensity))
    return of_treated - of_others + correction


def _linear(design: Floats, gains: Floats, at: Floats) -> Floats:
    penalty = _RIDGE * len(gains) * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    weights = np.linalg.solve(design.T @ design + penalty, design.T @ gains)
    predicted: Floats = at @ weights
    return predicted


def _logistic(design: Floats, chosen: NDArray[np.bool_], at: Floats) -> Floats:
    """Newton's method on the penalised likelihood; a few steps are enough for standardised features."""
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], _RIDGE * len(chosen))
    penalty[0] = 0.0
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (chosen - chance) - penalty * weights
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(weights)), slope)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    predicted: Floats = 1 / (1 + np.exp(-np.clip(at @ weights, -30, 30)))
    return predicted


def _standardised(rows: Floats) -> Floats:
    """Columns of mean 0 and deviation 1; what is missing stands at the mean, and what never differs is left out."""
    middle = np.nanmean(rows, axis=0) if rows.size else np.zeros(rows.shape[1])
    filled = np.where(np.isnan(rows), middle, rows) - middle
    spread = filled.std(axis=0) if rows.size else np.zeros(rows.shape[1])
    standardised: Floats = filled[:, spread > 0] / spread[spread > 0]
    return standardised
