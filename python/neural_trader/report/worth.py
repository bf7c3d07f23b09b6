"""What a result is worth: its figures as the statistics of honesty need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neural_trader.honesty.assessment import Assessment, Evidence
from neural_trader.honesty.sharpe import Moments
from neural_trader.report.curve import NANOSECONDS_PER_YEAR
from neural_trader.report.outcome import initial_cash, start_ns

if TYPE_CHECKING:
    from neural_trader.report.outcome import Floats, Outcome

STEPS = 1024
"""Steps of the curve that is resampled, whatever the number of samples: more would be slower and hardly better."""


def assess(result: Outcome) -> Assessment | None:
    """What a run over bars is worth; None for a replay, whose samples are as many as one likes."""
    if "latency" in result.run or not result.samples:
        return None
    trades = result.trades
    closed = trades.filter(trades["exit_time"].is_not_null()) if trades["exit_time"].null_count() else trades
    return Assessment.of(
        Evidence(
            moments=moments_of(result),
            periods_per_year=periods_per_year(result),
            years=_years(result),
            steps=steps(result),
            gains=closed["pnl"].cast(float).to_numpy(),
            trade_returns=closed["return"].cast(float).to_numpy(),
            counted=result.counted,
            look_ahead=result.look_ahead,
            warm_up=result.warm_up,
        )
    )


def moments_of(result: Outcome) -> Moments | None:
    """The moments of the returns from sample to sample; None where they have none."""
    try:
        return Moments.of_curve(initial_cash(result), (block.equity for block in result.blocks()))
    except ValueError:
        return None


def periods_per_year(result: Outcome) -> float | None:
    """Samples a year, by the real spacing of the data; None where the run spans no time."""
    years = _years(result)
    return result.samples / years if years > 0.0 else None


def steps(result: Outcome) -> Floats:
    """The deposit, then the equity at the ends of at most ``STEPS`` stretches of as many samples."""
    length = -(-result.samples // STEPS)
    kept, begin = [np.array([initial_cash(result)])], 0
    for block in result.blocks():
        # The samples whose number in the whole run is a multiple of the length.
        kept.append(block.equity[length - 1 - begin % length :: length])
        begin += len(block.equity)
    return np.concatenate(kept)


def _years(result: Outcome) -> float:
    end_ns = max((series.end_ns for series in result.series if len(series)), default=0)
    return (end_ns - start_ns(result)) / NANOSECONDS_PER_YEAR
