"""How good the models of queues are, in markets in which every order is known: python -m benches.queue_truth [--write].

Unlike the other benches it measures no time, so its tables are the same on every machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.pages import put
from neural_trader.backtesting.queue_truth import (
    MODELS,
    NEVER,
    Fates,
    Judged,
    Probes,
    fates_of,
    fitted,
    judged,
    probes_in,
)
from neural_trader.market.order_flow import OrderFlow, collapsed, order_flow

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parent.parent / "docs" / "queue-truth.md"
MARKETS = {
    "short queues": (OrderFlow(), "10s"),
    "long queues": (OrderFlow(limit_rate=3, market_rate=3, cancel_rate=0.05, limit_size=8, market_size=15), "10s"),
    "few cancellations": (
        OrderFlow(limit_rate=1, market_rate=2, cancel_rate=0.02, limit_size=8, market_size=15),
        "30s",
    ),
}
"""What makes each market, and the horizon of its probes."""
TRAINING, HELD_OUT = (1, 2, 3, 4, 5), (6, 7, 8, 9, 10)
DURATION = "6h"
AHEAD = (0, 1, 10, 30, 100)
"""Lots before a probe from which a row of the calibration begins."""


class Study:
    """Probes of some seeds of a market, what became of them, and what each model makes of them."""

    def __init__(self, market: str, seeds: Sequence[int], duration: str) -> None:
        flow, horizon = MARKETS[market]
        probes: list[Probes] = []
        fates: dict[str, list[Fates]] = {name: [] for name in ("truth", *MODELS)}
        for seed in seeds:
            records = np.concatenate(list(order_flow(flow, seed=seed, duration=duration)))
            levels = np.concatenate(list(collapsed([records])))
            probes.append(probes_in(records, horizon=horizon, seed=seed))
            fates["truth"].append(fates_of(probes[-1], records, depth="orders", horizon=horizon))
            for model in MODELS:
                fates[model].append(fates_of(probes[-1], levels, depth="levels", queue=model, horizon=horizon))
        self.probes = Probes(*_joined(probes, ("times_ns", "prices")))
        self.fates = {name: Fates(*_joined(each, ("filled_ns", "ahead"))) for name, each in fates.items()}

    def judgements(self) -> list[Judged]:
        return [judged(model, self.probes, self.fates["truth"], self.fates[model]) for model in MODELS]

    def calibration(self) -> list[tuple[str, int, list[float]]]:
        """Rows by what others had before a probe: how many probes, and the shares that fill, the true one first."""
        first = self.fates["truth"].ahead[:, :, 0]
        rows = []
        for least, beyond in zip(AHEAD, (*AHEAD[1:], np.inf), strict=True):
            here = (first >= least) & (first < beyond)
            if here.any():
                name = (
                    f"{least} and more"
                    if beyond == np.inf
                    else f"{least} to {beyond - 1}"
                    if beyond - least > 1
                    else "0"
                )
                shares = [float((fates.filled_ns[here] != NEVER).mean()) for fates in self.fates.values()]
                rows.append((name, int(here.sum()), shares))
        return rows


def _joined(parts: Sequence[Any], names: Sequence[str]) -> list[Any]:
    return [np.concatenate([getattr(part, name) for part in parts]) for name in names]


def tables(
    duration: str = DURATION, training_seeds: Sequence[int] = TRAINING, held_out: Sequence[int] = HELD_OUT
) -> str:
    """All tables, as Markdown."""
    parts = []
    for market, (_, horizon) in MARKETS.items():
        training, study = Study(market, training_seeds, duration).judgements(), Study(market, held_out, duration)
        judgements = study.judgements()
        first, by_place, by_brier = judgements[0], fitted(training), fitted(training, "brier")
        parts.append(
            f"### {market.capitalize()}\n\n{first.probes:,} probes of seeds {_range(held_out)},"
            f" {first.truly_filled:.1%} of which truly fill within {horizon}. On seeds {_range(training_seeds)} the"
            f" least error of places is that of `{by_place}`, the least Brier score that of `{by_brier}`.\n\n"
            + _judgement_table(judgements)
            + "\n\n"
            + _calibration_table(study)
        )
    return "\n\n".join(parts) + "\n"


def _range(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}"


def _judgement_table(judgements: Sequence[Judged]) -> str:
    lines = [
        "| model | fill | Brier | ± | imagined | missed | time, median | time, mean | places | bias |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in judgements:
        # The deviation of a mean of zeros and ones.
        deviation = (each.brier * (1 - each.brier) / each.probes) ** 0.5
        cells = (
            f"`{each.queue}`",
            f"{each.filled:.2%}",
            f"{each.brier:.4f}",
            f"{deviation:.4f}",
            f"{each.imagined:.2%}",
            f"{each.missed:.2%}",
            f"{each.time_error_s:.3f} s",
            f"{each.mean_time_error_s:.3f} s",
            f"{each.ahead_error:.2f}",
            f"{each.ahead_bias:+.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _calibration_table(study: Study) -> str:
    names = ["truth", *(f"`{model}`" for model in MODELS)]
    lines = [f"| lots before | probes | {' | '.join(names)} |", f"|---|---:|{'---:|' * len(names)}"]
    for name, count, shares in study.calibration():
        lines.append(f"| {name} | {count:,} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables, or write them into their page."""
    parser = argparse.ArgumentParser(prog="python -m benches.queue_truth", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    made = tables()
    if not parser.parse_args().write:
        print(made)
        return
    put(PAGE, "tables", f"\n{made}\n")


if __name__ == "__main__":
    main()
