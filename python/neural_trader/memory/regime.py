"""Trend, range or stress: which of three regimes a market is probably in, by what has been seen so far.

A hidden Markov model with three states (Hamilton, "A New Approach to the Economic Analysis of Nonstationary Time Series
and the Business Cycle", Econometrica 57, 1989), *filtered*: each probability uses the bars up to its own, never later
ones. Two things are observed at each close, from exponential averages of simple returns:

* strength = ``|mean| / (deviation * sqrt(w / (2 - w)))``, ``w = 2 / (FAST + 1)``: how far the mean of the last returns
  is from 0, in units of what chance alone would give (then it is about 0.8);
* heat = deviation of the last FAST returns by that of the last SLOW ones.

Each state expects a place and a width of both; densities are those of Student's t with three degrees of freedom, which
need nothing but + - * / and do not break at one wild bar. The parameters are fixed: nothing is fitted, so nothing of
the future can be in them, and the same bars give the same bits on every machine.
"""

from __future__ import annotations

import math

TREND, RANGE, STRESS = "trend", "range", "stress"
STATES = (TREND, RANGE, STRESS)
FAST, SLOW = 20, 200
STAY = 0.97
"""Probability that a regime lasts until the next bar."""
EXPECTED: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    TREND: ((2.4, 0.7), (1.0, 0.25)),
    RANGE: ((0.7, 0.5), (0.95, 0.2)),
    STRESS: ((1.0, 0.8), (1.8, 0.45)),
}
"""Place and width of strength and of heat in each state."""

_CHANGE_MAX = 10.0


class Regime:
    """The filter of one instrument; give it each close in turn."""

    def __init__(self) -> None:
        self.probabilities = (1 / 3, 1 / 3, 1 / 3)
        """Of trend, range and stress."""
        self._close = math.nan
        self._count = 0
        self._mean = 0.0
        self._fast = 0.0
        self._slow = 0.0

    @property
    def name(self) -> str:
        """The most probable regime; empty until there are bars enough to tell."""
        if self._count < SLOW:
            return ""
        return STATES[self.probabilities.index(max(self.probabilities))]

    def update(self, close: float) -> str:
        """Take the next close, a positive price, and say the regime."""
        before, self._close = self._close, close
        if not (before > 0 and close > 0):
            return self.name
        # One wild bar may be wild, but must not make every later one look calm for ever.
        change = min(close / before - 1, _CHANGE_MAX)
        self._count += 1
        # The averages begin as plain ones, so that the first bars do not weigh more than others.
        fast = max(2 / (FAST + 1), 1 / self._count)
        slow = max(2 / (SLOW + 1), 1 / self._count)
        self._mean += fast * (change - self._mean)
        self._fast += fast * (change * change - self._fast)
        self._slow += slow * (change * change - self._slow)
        if self._count >= FAST and self._fast > 0 and self._slow > 0:
            weight = 2 / (FAST + 1)
            strength = abs(self._mean) / math.sqrt(self._fast * weight / (2 - weight))
            self._observe(strength, math.sqrt(self._fast / self._slow))
        return self.name

    def _observe(self, strength: float, heat: float) -> None:
        self.probabilities = filtered(self.probabilities, strength, heat)


def filtered(before: tuple[float, float, float], strength: float, heat: float) -> tuple[float, float, float]:
    """One step of the filter: probabilities after an observation, from those before it."""
    leave = (1 - STAY) / (len(STATES) - 1)
    total = sum(before)
    joint = [
        (STAY * own + leave * (total - own))
        * density(strength, *EXPECTED[state][0])
        * density(heat, *EXPECTED[state][1])
        for state, own in zip(STATES, before, strict=True)
    ]
    trend, range_, stress = (each / sum(joint) for each in joint)
    return trend, range_, stress


def density(value: float, place: float, width: float) -> float:
    """Density of Student's t with three degrees of freedom, up to the factor that all widths share."""
    z = (value - place) / width
    tail = 1 + z * z / 3
    return 1 / (width * tail * tail)
