"""What a walk forward is worth: its tests, and how much was tried to choose what they test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neural_trader.errors import DataError
from neural_trader.honesty.assessment import Assessment, Evidence
from neural_trader.honesty.checks import Counted
from neural_trader.honesty.sharpe import Moments
from neural_trader.honesty.trials import Search, ledger_of
from neural_trader.report.worth import STEPS

if TYPE_CHECKING:
    from pathlib import Path

    from neural_trader.backtesting.sweeping.measures import Floats


def tried(points: int, trials: str | Path | None) -> Counted:
    """The points of all trainings, and in a project what its ledger has beside; its trials have been counted by now."""
    ledger = ledger_of(trials)
    found = Search(points, 0.0)
    if ledger is not None and ledger.is_of_project:
        try:
            search = ledger.search()
            found = Search(max(points, search.trials), search.variance)
        except DataError:
            ledger = None
    of_project = ledger is not None and ledger.is_of_project
    return Counted("" if ledger is None else str(ledger.path), found, is_new=True, of_project=of_project)


def assess(cash: float, equity: Floats, years: float, counted: Counted) -> Assessment:
    """What a curve of tests that follow one another is worth.

    Nothing was chosen by it, so its probabilistic ratio is fair for whoever walks once. The deflated one answers for
    all that was tried on the way: it takes as many trials, each as uncertain as a record of this length (Lo 2002, "The
    statistics of Sharpe ratios": the variance of a ratio a year is one over the years), or as the ledger has them where
    that is more.
    """
    trials, variance = counted.search
    if years > 0.0:
        variance = max(variance, 1.0 / years)
    length = max(1, -(-len(equity) // STEPS))
    return Assessment.of(
        Evidence(
            moments=_moments(cash, equity),
            periods_per_year=len(equity) / years if years > 0.0 and len(equity) else None,
            years=years,
            steps=np.append(cash, equity[length - 1 :: length]),
            gains=np.empty(0),
            trade_returns=np.empty(0),
            counted=Counted(counted.ledger, Search(trials, variance), counted.is_new, counted.of_project),
            look_ahead=None,
            warm_up=None,
        )
    )


def _moments(cash: float, equity: Floats) -> Moments | None:
    try:
        return Moments.of_curve(cash, [equity] if len(equity) else [])
    except ValueError:
        return None
