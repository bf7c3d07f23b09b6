"""What a backtest returns: frames, statistics, the run hash, and the pages made from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.bars import Bars
    from neural_trader.report.metrics import Stats


@dataclass(frozen=True)
class Result:
    """The outcome of one run; frames are built from the engine's columns when first asked for.

    ``run`` holds everything that the parameter digest covers (strategy, parameters, cash, fees, fill rule, seed, ...);
    ``digests`` the SHA-256 of inputs, parameters, orders, fills and postings; ``hash`` binds them together with the version.
    """

    version: str
    run: dict[str, Any]
    bars: tuple[Bars, ...]
    time_ns: np.ndarray[Any, np.dtype[np.int64]]
    """Close times of the equity samples, UTC nanoseconds, ascending."""
    equity_curve: np.ndarray[Any, np.dtype[np.float64]]
    """Equity at each sample, in account currency."""
    exposed_samples: int
    """Samples at which any position was open."""
    orders: pl.DataFrame
    fills: pl.DataFrame
    trades: pl.DataFrame
    postings: pl.DataFrame
    digests: dict[str, str]
    hash: str
    benchmark_curve: np.ndarray[Any, np.dtype[np.float64]] | None = None
    """Equity of buy and hold over the same instruments, fees and samples."""
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Columns ``time`` (UTC, ns), ``equity``, ``drawdown`` (fraction below the running peak, <= 0)."""
        raise AssertionError  # replaced below while the engine is built

    @cached_property
    def stats(self) -> Stats:
        """The statistics of the run with buy and hold beside them; prints as a table."""
        from neural_trader.report.metrics import Stats

        return Stats.of(self)

    def to_html(self, path: str | Path) -> Path:
        """Write the report as one self-contained HTML file; returns its path."""
        from neural_trader.report.html import write_html

        return write_html(self, Path(path))
