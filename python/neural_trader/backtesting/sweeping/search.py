"""Points that Optuna chooses: Tree-structured Parzen estimators, CMA-ES or NSGA-II, many points at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.backtesting.sweeping.measures import MEASURES
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from neural_trader.backtesting.sweeping.points import Points
    from neural_trader.backtesting.sweeping.running import Runner
    from neural_trader.backtesting.sweeping.space import Condition, Space

TOGETHER = 32
"""Points that are asked for before the first of them is answered."""


def searched(
    space: Space,
    count: int,
    sampler: str,
    seed: int,
    condition: Condition | None,
    metric: str,
    runner: Runner,
    points: Points,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Ask for points, play those that are new, and tell what came of them; returns how many were played."""
    study = _study(sampler, seed, higher_is_better=MEASURES[metric].higher_is_better)
    known: dict[tuple[float, ...], float] = {}
    asked = 0
    while asked < count:
        trials = [study.ask() for _ in range(min(TOGETHER, count - asked))]
        asked += len(trials)
        rows = [tuple(_suggested(trial, axis.name, axis.values) for axis in space.axes) for trial in trials]
        block = np.array(sorted(set(rows) - set(known))).reshape(-1, len(space.axes))
        if condition is not None and len(block):
            block = block[condition(block)]
        if len(block):
            # A point of an earlier sweep in the same file is played again here: the search has to hear of it.
            values, failed = runner.play(block)
            fresh = points.missing(block)
            keep = [row in set(map(tuple, fresh.tolist())) for row in map(tuple, block.tolist())]
            places = [at for at, is_fresh in enumerate(keep) if is_fresh]
            if places:
                errors = {to: failed[at] for to, at in enumerate(places) if at in failed}
                points.report(block[places], {name: column[places] for name, column in values.items()}, errors)
            known |= dict(zip(map(tuple, block.tolist()), values[metric].tolist(), strict=True))
        for trial, row in zip(trials, rows, strict=True):
            value = known.get(row, math.nan)
            if math.isfinite(value):
                study.tell(trial, value)
            else:
                study.tell(trial, state=_failed())
        if progress is not None:
            progress(len(trials), count)
    return len(known)


def _study(sampler: str, seed: int, *, higher_is_better: bool) -> Any:
    try:
        import optuna
    except ImportError:
        raise UsageError(
            'a search needs optuna: pip install "neural-trader[sweep]", or use a grid or --random'
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers: dict[str, Callable[[], Any]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        "cmaes": lambda: optuna.samplers.CmaEsSampler(seed=seed),
        "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
    }
    if sampler not in samplers:
        raise UsageError(f"sampler {sampler!r}: one of {', '.join(samplers)}")
    try:
        made = samplers[sampler]()
    except ImportError as error:
        raise UsageError(f'sampler {sampler!r} needs more: pip install "neural-trader[sweep]" ({error})') from None
    return optuna.create_study(direction="maximize" if higher_is_better else "minimize", sampler=made)


def _failed() -> Any:
    import optuna

    return optuna.trial.TrialState.FAIL


def _suggested(trial: Any, name: str, values: tuple[float, ...]) -> float:
    """A value of an axis; its place is what is searched, so that any list of values has an order."""
    place: int = trial.suggest_int(name, 0, len(values) - 1)
    return values[place]
