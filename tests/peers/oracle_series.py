"""Runs in an environment of its own: what stumpy, nolds and statsmodels make of the same series."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

# Compiling takes a minute, and what it compiles less than a second.
os.environ["NUMBA_DISABLE_JIT"] = "1"

import numpy as np


def main() -> None:
    given, answer = map(Path, sys.argv[1:3])
    jobs = json.loads(given.read_text(encoding="utf-8"))
    answer.write_text(json.dumps([globals()[job.pop("kind")](**job) for job in jobs]), encoding="utf-8")


def profile(series: list, n: int) -> list:
    """Distances, neighbours, neighbours before, by the rows at which windows begin."""
    import stumpy

    found = stumpy.stump(np.array(series), n)
    return [np.array(found[:, 0], float).tolist(), np.array(found[:, 1:3], int).T.tolist()]


def distances(series: list, window: list) -> list:
    """Distances of a window to every window of a series, by Mueen's algorithm."""
    import stumpy

    return stumpy.mass(np.array(window), np.array(series)).tolist()


def lyapunov(series: list, dimension: int, lag: int, exclusion: int, steps: int) -> float:
    # It asks for its own place in a way that is on its way out.
    warnings.simplefilter("ignore")
    import nolds

    return float(
        nolds.lyap_r(
            np.array(series), emb_dim=dimension, lag=lag, min_tsep=exclusion, trajectory_len=steps + 1, fit="poly"
        )
    )


def line(x: list, y: list) -> list:
    """Intercept, slope and R^2 of a line through points."""
    from statsmodels.api import OLS, add_constant

    fitted = OLS(np.array(y), add_constant(np.array(x))).fit()
    return [*fitted.params.tolist(), float(fitted.rsquared)]


if __name__ == "__main__":
    main()
