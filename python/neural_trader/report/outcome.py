"""What a report reads: the shape of a finished run, whichever world (backtest, sweep, paper, live) made it.

The reports depend on this shape and not on ``neural_trader.backtesting``, which depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.bars import Bars

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Times = np.ndarray[Any, np.dtype[np.int64]]


class Outcome(Protocol):
    """The fields of a result that reports read; ``neural_trader.backtesting.result.Result`` has them all."""

    @property
    def version(self) -> str: ...
    @property
    def run(self) -> dict[str, Any]: ...
    @property
    def bars(self) -> tuple[Bars, ...]: ...
    @property
    def time_ns(self) -> Times: ...
    @property
    def equity_curve(self) -> Floats: ...
    @property
    def benchmark_curve(self) -> Floats | None: ...
    @property
    def exposed_samples(self) -> int: ...
    @property
    def orders(self) -> pl.DataFrame: ...
    @property
    def fills(self) -> pl.DataFrame: ...
    @property
    def trades(self) -> pl.DataFrame: ...
    @property
    def digests(self) -> dict[str, str]: ...
    @property
    def hash(self) -> str: ...
    @property
    def origin(self) -> dict[str, Any]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


def initial_cash(outcome: Outcome) -> float:
    """The deposit that the account started with, in account currency."""
    return float(outcome.run["cash"])


def start_ns(outcome: Outcome) -> int:
    """When the run began: the first opening of any instrument, which is when the deposit could first have been used."""
    openings = [int(bars.open_ns[0]) for bars in outcome.bars if len(bars.open_ns)]
    if len(outcome.time_ns):
        openings.append(int(outcome.time_ns[0]))
    return min(openings, default=0)
