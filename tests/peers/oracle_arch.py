"""Runs in an environment of its own: what the package arch makes of the same series."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from arch.bootstrap import SPA, StationaryBootstrap, optimal_block_length


def main() -> None:
    given, answer = map(Path, sys.argv[1:3])
    jobs = json.loads(given.read_text(encoding="utf-8"))
    answer.write_text(json.dumps([of_job(**job) for job in jobs]), encoding="utf-8")


def of_job(kind: str, values: list, block: float = 1.0, resamples: int = 0, seed: int = 0) -> object:
    series = np.array(values)
    if kind == "block":
        return float(optimal_block_length(series)["stationary"].iloc[0])
    if kind == "mean":
        found = StationaryBootstrap(block, series, seed=seed).apply(np.mean, resamples)
        return [float(found.std()), *np.quantile(found, [0.025, 0.975]).tolist()]
    # It compares losses: less is better, and the benchmark loses nothing.
    spa = SPA(
        np.zeros(len(series)),
        -series,
        block_size=int(block),
        reps=resamples,
        bootstrap="stationary",
        seed=seed,
    )
    spa.compute()
    return spa._loss_diff_var.tolist() if kind == "variance" else spa.pvalues.tolist()


if __name__ == "__main__":
    main()
