"""Counting a finished run as a trial."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from neural_trader.backtesting.result import canonical
from neural_trader.backtesting.trial_key import code_of, key_of
from neural_trader.errors import DataError
from neural_trader.honesty.checks import Counted
from neural_trader.honesty.trials import Trial, ledger_of
from neural_trader.report.worth import moments_of, periods_per_year

if TYPE_CHECKING:
    from pathlib import Path

    from neural_trader.backtesting.result import Result
    from neural_trader.strategy.base import Strategy


def counted(result: Result, strategy: type[Strategy], trials: str | Path | None) -> Result:
    """The result with what its ledger of trials says; a ledger that cannot be used is a warning and no failure."""
    ledger = ledger_of(trials)
    if ledger is None:
        return result
    trial = trial_of(result, strategy)
    try:
        is_new, search = ledger.record(trial, search_over=None if ledger.is_of_project else trial.inputs)
    except DataError as error:
        return dataclasses.replace(result, warnings=(*result.warnings, f"This run was not counted: {error}."))
    found = Counted(str(ledger.path), search, is_new=is_new, of_project=ledger.is_of_project)
    return dataclasses.replace(result, counted=found)


def trial_of(result: Result, strategy: type[Strategy]) -> Trial:
    """What a ledger keeps of a result."""
    inputs = result.digests["inputs"]
    moments, per_year = moments_of(result), periods_per_year(result)
    return Trial(
        hash=result.hash,
        time_ns=time.time_ns(),
        strategy=str(result.run["strategy"]),
        parameters=canonical({"parameters": result.run["parameters"], "overlays": result.run["overlays"]}),
        inputs=inputs,
        returns=result.samples,
        mean=None if moments is None else moments.mean,
        deviation=None if moments is None else moments.deviation,
        skewness=None if moments is None else moments.skewness,
        kurtosis=None if moments is None else moments.kurtosis,
        sharpe=None if moments is None or per_year is None else float(moments.sharpe * per_year**0.5),
        key=key_of(result.run, inputs, code_of(strategy, result.origin["source_sha256"])),
    )
