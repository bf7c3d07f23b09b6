"""What the best point of a sweep is worth: the returns that the tests need, and how much was tried."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.backtesting.run import buy_and_hold, instance_of, play
from neural_trader.backtesting.sweeping.counting import Counter
from neural_trader.backtesting.sweeping.measures import MEASURES, order_of
from neural_trader.backtesting.sweeping.paths import POINTS_MAX, Paths, drawn
from neural_trader.backtesting.sweeping.running import Runner, span_of
from neural_trader.backtesting.sweeping.space import Condition, Space
from neural_trader.honesty.selection import Assessment, Selection, Tried
from neural_trader.honesty.sharpe import Moments
from neural_trader.honesty.stability import Standing, standing

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.backtesting.settings import Settings
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.backtesting.sweeping.points import Points
    from neural_trader.backtesting.sweeping.space import Matrix
    from neural_trader.market.bars import Bars
    from neural_trader.strategy.base import Strategy


def returns_of(cash: float, equity: Floats) -> Floats:
    """Returns of curves (rows) from the deposit on; a ruined one loses everything once, and nothing after that."""
    curves = np.maximum(np.column_stack([np.full(len(equity), cash), equity]), 0.0)
    curves = np.where(np.minimum.accumulate(curves, axis=1) > 0.0, curves, 0.0)
    before = curves[:, :-1]
    found: Floats = np.divide(curves[:, 1:], before, out=np.ones_like(before), where=before > 0.0) - 1.0
    return found


@dataclass(frozen=True)
class Assessor:
    """What is the same for all points of a sweep, and where their curves have been kept."""

    strategy: str | type[Strategy]
    fixed: Mapping[str, Any]
    space: Space
    condition: Condition | None
    is_search: bool
    """Whether points were chosen by what came of others."""
    bars: Sequence[Bars]
    settings: Settings
    runner: Runner
    paths: Paths
    counter: Counter

    def watch(self, points: Points) -> None:
        """Have curves of points kept from now on; of a search, others are needed than those that it comes to."""
        if not self.is_search:
            self.runner.paths = self.paths
            points.keep(self.paths)

    def of(self, frame: pl.DataFrame, metric: str) -> Assessment | None:
        """What the best point by a metric is worth; None where no point has it."""
        values = frame[metric].fill_null(np.nan).to_numpy()
        if not np.isfinite(values).any():
            return None
        span = span_of(self.bars, self.settings)
        points = frame.select(self.space.names).to_numpy().astype(float)
        at = int(order_of(values, MEASURES[metric])[0])
        curve = self._curve(points[at])
        tested, among = self._tested(frame)
        others = returns_of(span.cash, self._curves(tested))
        per_year = len(curve) / span.years if span.years > 0.0 else None
        return Assessment.of(
            Selection(
                moments=_moments(span.cash, curve),
                periods_per_year=per_year,
                years=span.years,
                tried=self._tried(frame, others, among, span.years),
                best=returns_of(span.cash, curve[None, self.paths.ends])[0],
                others=others.T,
                drawn=len(others),
                holding=self._holding(span.cash),
                standing=self._standing(points, values, at, metric),
            )
        )

    def _tested(self, frame: pl.DataFrame) -> tuple[Matrix, int]:
        """The points that are tested, and how many there are of which they are drawn.

        What a grid has is a list that nobody chose by its outcome. A search goes where points are good, so those that
        it came to are more alike than chance would have them; what counts is every point that it could have come to.
        """
        if not self.is_search:
            known = frame.filter(frame["error"].is_null()).select(self.space.names).to_numpy().astype(float)
            return known[drawn(known, POINTS_MAX)], frame.height
        most = POINTS_MAX if self.runner.in_rust else min(POINTS_MAX, frame.height)
        points = np.concatenate(list(self.space.drawn(min(most, self.space.size), 0, POINTS_MAX)))
        # How many points of a large space meet a condition is not known; all of them are an upper bound.
        return points if self.condition is None else points[self.condition(points)], self.space.size

    def _curves(self, points: Matrix) -> Floats:
        missing = self.paths.missing(points)
        if len(missing):
            # Those that were there before, or that a search did not come to, are played for their curves alone.
            self.runner.paths = self.paths
            self.runner.play(missing)
        return self.paths.of(points)[1]

    def _curve(self, point: Floats) -> Floats:
        """Equity of one point at all samples."""
        parameters = dict(self.fixed) | dict(zip(self.space.names, point.tolist(), strict=True))
        with contextlib.redirect_stdout(None):
            return play(instance_of(self.strategy, parameters), self.bars, self.settings).equity_curve()[1]

    def _tried(self, frame: pl.DataFrame, others: Floats, among: int, years: float) -> Tried:
        """All trials that are known. Of two variances the larger one counts, which is the stricter one."""
        if "sharpe" in frame.columns:
            ratios = frame["sharpe"].drop_nulls().to_numpy()
        else:
            deviations = others.std(axis=1, ddof=1) if others.shape[1] > 1 else np.zeros(len(others))
            varies = deviations > 0.0
            ratios = others[varies].mean(axis=1) / deviations[varies] * (others.shape[1] / years) ** 0.5
        variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
        search = self.counter.search()
        if search is None:
            return Tried(among, frame.height, variance, "sweep")
        trials, variance = max(search.trials, frame.height), max(search.variance, variance)
        return Tried(among, trials, variance, "project" if self.counter.is_of_project else "data")

    def _holding(self, cash: float) -> Floats:
        curve = buy_and_hold(self.bars, self.settings).equity_curve()[1]
        found: Floats = returns_of(cash, curve[None, self.paths.ends])[0]
        return found

    def _standing(self, points: Matrix, values: Floats, at: int, metric: str) -> Standing:
        steps = [
            np.searchsorted(np.unique(axis.values), column)
            for axis, column in zip(self.space.axes, points.T, strict=True)
        ]
        return standing(np.column_stack(steps), values, at, higher_is_better=MEASURES[metric].higher_is_better)


def _moments(cash: float, curve: Floats) -> Moments | None:
    try:
        return Moments.of_curve(cash, [curve] if len(curve) else [])
    except ValueError:
        return None
