"""Relative strength over universes, from the sweep to the verdict: recorded pairs, and noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt

HOURS = "bars/binance_spot_1h_2024-01-01_2024-09-06"
GRID = {"n": "24:336:48", "hold": "1:5:2", "every": "24,168"}
SEARCH: dict[str, Any] = {"grid": GRID, "metric": "sharpe", "parameters": {"skip": 0}}


def noise(seed: int, rows: int, instruments: int) -> dict[str, pl.DataFrame]:
    """Random walks that know nothing of each other; their expected return is zero."""
    random = np.random.default_rng(seed)
    steps = 0.01 * random.standard_normal((instruments, rows))
    closes = np.round(1e4 * np.exp(np.cumsum(steps - 0.5 * 0.01**2, axis=1)), 2)
    times = pl.datetime_range(
        pl.datetime(2022, 1, 1, time_zone="UTC"), pl.datetime(2030, 1, 1, time_zone="UTC"), "1h", eager=True
    )[:rows]
    frames = {}
    for at, close in enumerate(closes):
        opens = np.concatenate([[1e4], close[:-1]])
        columns = {"open": opens, "high": np.maximum(opens, close), "low": np.minimum(opens, close), "close": close}
        frames[f"N{at}"] = pl.DataFrame({"time": times, **columns})
    return frames


def test_recorded_pairs_are_swept_and_walked_to_an_honest_end(shared_data: Path) -> None:
    found = nt.sweep("relative_strength", shared_data / HOURS, **SEARCH)
    assert found.frame.height == 42 and found.failed == 0 and len(found.run["symbols"]) == 10
    best = found.best(1).row(0, named=True)
    alone = nt.backtest(
        "relative_strength", shared_data / HOURS, parameters={"skip": 0, **found.best_parameters}, benchmark=False
    ).stats
    assert best["trades"] == alone["# Trades"] > 20
    assert best["return"] == pytest.approx(alone["Return [%]"], rel=1e-9)
    assert best["sharpe"] == pytest.approx(alone["Sharpe Ratio"], rel=1e-9)
    # The best of 42 looks like something, and is not.
    assert best["sharpe"] > 0.5 and found.worth is not None and found.worth.verdict == "luck"
    walked = nt.walkforward("relative_strength", shared_data / HOURS, **SEARCH, folds=4)
    assert len(walked.tests) == 4 and walked.worth.verdict == "no_edge"
    trained, tested = walked.frame["in_sample"].mean(), walked.frame["out_of_sample"].mean()
    assert isinstance(trained, float) and isinstance(tested, float) and trained > 1.0 > tested


def test_noise_is_called_noise() -> None:
    impressive = 0
    for seed in range(4):
        found = nt.sweep("relative_strength", noise(seed, 4_000, 8), **SEARCH, fee=0, slippage=0)
        assert found.worth is not None and found.worth.verdict == "luck", (seed, found.worth)
        impressive += found.best(1)["sharpe"][0] > 1.0
    assert impressive >= 2, "what is refused has to look like something"
