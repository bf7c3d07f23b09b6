"""What a report reads: the shape of a finished run, whichever world (backtest, sweep, paper, live) made it.

The reports depend on this shape and not on ``neural_trader.backtesting``, which depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from neural_trader.honesty.assessment import Assessment
    from neural_trader.honesty.checks import Counted, LookAhead, WarmUp
    from neural_trader.market.bars import Series
    from neural_trader.report.metrics import Stats
    from neural_trader.report.rungs import Rung

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Times = np.ndarray[Any, np.dtype[np.int64]]


Figure = str | bool | int | float | None
"""What a strategy reports of itself under a name; None where there is nothing to say."""

BLOCK = 16_384
"""Samples that are looked at together: four buffers of this length fit into a second-level cache of half a MiB."""


class Block(NamedTuple):
    """Equity samples that follow one another; all blocks of a run but the last are of one length."""

    time_ns: Times
    equity: Floats
    benchmark: Floats | None


def blocks_of(time_ns: Times, equity: Floats, benchmark: Floats | None) -> Iterator[Block]:
    """Curves in memory block by block, without a copy."""
    for begin in range(0, len(equity), BLOCK):
        rows = slice(begin, begin + BLOCK)
        yield Block(time_ns[rows], equity[rows], None if benchmark is None else benchmark[rows])


def drawdowns(deposit: float, blocks: Iterable[Block]) -> Iterator[tuple[Block, Floats]]:
    """Each block with the fraction by which its samples lie below the running peak, deposit included; never above 0."""
    for block in blocks:
        peaks = np.maximum(np.maximum.accumulate(block.equity), deposit)
        deposit = float(peaks[-1])
        yield block, block.equity / peaks - 1.0


class Outcome(Protocol):
    """The fields of a result that reports read; ``neural_trader.backtesting.result.Result`` has them all."""

    @property
    def version(self) -> str: ...
    @property
    def run(self) -> dict[str, Any]: ...
    @property
    def series(self) -> tuple[Series, ...]: ...
    @property
    def samples(self) -> int: ...
    @property
    def has_benchmark(self) -> bool: ...
    def blocks(self) -> Iterator[Block]: ...
    @property
    def stats(self) -> Stats: ...
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
    def account(self) -> dict[str, Any] | None: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def ladder(self) -> tuple[Rung, ...]: ...
    @property
    def figures(self) -> dict[str, Figure]: ...
    @property
    def counted(self) -> Counted | None: ...
    @property
    def look_ahead(self) -> LookAhead | None: ...
    @property
    def warm_up(self) -> WarmUp | None: ...
    @property
    def honesty(self) -> Assessment | None: ...


def initial_cash(outcome: Outcome) -> float:
    """The deposit that the account started with, in account currency.

    Deposits in other currencies are worth what they are at the first sample.
    """
    others = outcome.run.get("account", {}).get("currencies", {}).values()
    if outcome.samples and any(float(each["deposit"]) for each in others):
        return float(next(iter(outcome.blocks())).equity[0])
    return float(outcome.run["cash"])


def start_ns(outcome: Outcome) -> int:
    """When the run began: the first opening of any instrument, which is when the deposit could first have been used.

    A replay in which nothing ever had a bid and an ask has no bars; it begins with its first sample.
    """
    openings = [series.start_ns for series in outcome.series if len(series)]
    if openings or not outcome.samples:
        return min(openings, default=0)
    return int(next(iter(outcome.blocks())).time_ns[0])
