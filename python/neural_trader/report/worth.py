"""What a result is worth: its returns as the statistics of honesty need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neural_trader.honesty.sharpe import Moments
from neural_trader.report.curve import NANOSECONDS_PER_YEAR
from neural_trader.report.outcome import initial_cash, start_ns

if TYPE_CHECKING:
    from neural_trader.report.outcome import Outcome


def moments_of(result: Outcome) -> Moments | None:
    """The moments of the returns from sample to sample; None where they have none."""
    try:
        return Moments.of_curve(initial_cash(result), (block.equity for block in result.blocks()))
    except ValueError:
        return None


def periods_per_year(result: Outcome) -> float | None:
    """Samples a year, by the real spacing of the data; None where the run spans no time."""
    end_ns = max((series.end_ns for series in result.series if len(series)), default=0)
    years = (end_ns - start_ns(result)) / NANOSECONDS_PER_YEAR
    return result.samples / years if years > 0.0 else None
