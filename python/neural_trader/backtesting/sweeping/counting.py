"""Counting the points of a sweep as trials: the best of many proves little, however they were tried."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting.result import canonical
from neural_trader.errors import DataError
from neural_trader.honesty.trials import Trial, ledger_of

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.backtesting.sweeping.space import Matrix


class Counter:
    """Puts points into the ledger of trials; one that cannot be used is a warning, and ends the counting.

    A point has no run hash, which would cost as much as the run; it is told by the digest of all that decides it.
    Where its Sharpe ratio was not measured, it counts without one.
    """

    def __init__(self, run: Mapping[str, Any], names: tuple[str, ...], samples: int, trials: str | Path | None) -> None:
        self._run, self._names, self._samples = dict(run), names, samples
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
                self._trial(dict(zip(self._names, point, strict=True)), ratio, now_ns)
                for point, ratio in zip(points.tolist(), sharpe, strict=True)
            )
        except DataError as error:
            self.warning = f"These points were not counted: {error}."
            self._ledger = None

    def _trial(self, point: dict[str, float], sharpe: float, now_ns: int) -> Trial:
        parameters = {**self._run["parameters"], **point}
        digest = hashlib.sha256(canonical({**self._run, "parameters": parameters}).encode()).hexdigest()
        return Trial(
            hash=digest,
            time_ns=now_ns,
            strategy=str(self._run["strategy"]),
            parameters=canonical({"parameters": parameters, "overlays": []}),
            inputs=str(self._run["data"]),
            returns=self._samples,
            mean=None,
            deviation=None,
            skewness=None,
            kurtosis=None,
            sharpe=sharpe if math.isfinite(sharpe) else None,
        )
