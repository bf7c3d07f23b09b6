"""Counting the points of a sweep as trials: the best of many proves little, however they were tried."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting.result import canonical
from neural_trader.backtesting.trial_key import key_of
from neural_trader.errors import DataError
from neural_trader.honesty.trials import Search, Trial, ledger_of

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.backtesting.sweeping.space import Matrix


class Counter:
    """Puts points into the ledger of trials; one that cannot be used is a warning, and ends the counting.

    A point has no run hash, which would cost as much as the run; its key is that of the run by itself. Where its Sharpe
    ratio was not measured, it counts without one.
    """

    def __init__(
        self,
        run: Mapping[str, Any],
        inputs: str,
        code: str | None,
        kinds: Mapping[str, type],
        samples: int,
        trials: str | Path | None,
    ) -> None:
        """``run`` is that of a backtest, with all parameters; ``kinds`` are the types of those that vary."""
        self._run, self._inputs, self._code, self._kinds, self._samples = dict(run), inputs, code, kinds, samples
        self._ledger = ledger_of(trials)
        self.warning: str | None = None

    def count(self, points: Matrix, values: Mapping[str, Floats]) -> None:
        """Count points with their statistics."""
        if self._ledger is None:
            return
        sharpe = values["sharpe"].tolist() if "sharpe" in values else [math.nan] * len(points)
        now_ns = time.time_ns()
        try:
            self._ledger.record_all(
                self._trial(point, ratio, now_ns) for point, ratio in zip(points.tolist(), sharpe, strict=True)
            )
        except DataError as error:
            self._give_up(error)

    def search(self) -> Search | None:
        """How much has been tried by now; None where nothing is counted."""
        if self._ledger is None:
            return None
        try:
            return self._ledger.search(None if self._ledger.is_of_project else self._inputs)
        except DataError as error:
            self._give_up(error)
            return None

    @property
    def is_of_project(self) -> bool:
        """Whether all trials of the ledger count; else those on the same data."""
        return self._ledger is not None and self._ledger.is_of_project

    def _give_up(self, error: DataError) -> None:
        self.warning = f"These points were not counted: {error}."
        self._ledger = None

    def _trial(self, point: list[float], sharpe: float, now_ns: int) -> Trial:
        varied = {name: kind(value) for (name, kind), value in zip(self._kinds.items(), point, strict=True)}
        run = self._run | {"parameters": self._run["parameters"] | varied}
        key = key_of(run, self._inputs, self._code)
        return Trial(
            hash=key,
            time_ns=now_ns,
            strategy=str(run["strategy"]),
            parameters=canonical({"parameters": run["parameters"], "overlays": []}),
            inputs=self._inputs,
            returns=self._samples,
            mean=None,
            deviation=None,
            skewness=None,
            kurtosis=None,
            sharpe=sharpe if math.isfinite(sharpe) else None,
            key=key,
        )
