"""What a backtest returns: frames, statistics, the run hash, and the pages made from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting import frames

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import polars as pl

    from neural_trader._native import Engine, Replay
    from neural_trader.market.bars import Bars
    from neural_trader.report.metrics import Stats

    Times = np.ndarray[Any, np.dtype[np.int64]]
    Amounts = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one run. Frames, statistics and digests are made when they are first asked for."""

    engine: Engine | Replay = field(repr=False)
    """The engine as the run left it: every record as exact integers."""
    version: str
    run: dict[str, Any]
    """Everything beside the data that decides the outcome: what the parameter digest covers."""
    bars: tuple[Bars, ...] = field(repr=False)
    """The bars that were played, by symbol."""
    origin: dict[str, Any] = field(default_factory=dict)
    """Where strategy and data came from, so that the run can be repeated; not part of the hash."""
    warnings: tuple[str, ...] = ()
    run_benchmark: Callable[[], Engine | None] = field(repr=False, default=lambda: None)

    @cached_property
    def _curve(self) -> tuple[Times, Amounts]:
        return self.engine.equity_curve()

    @property
    def time_ns(self) -> Times:
        """Times of the equity samples, UTC nanoseconds, ascending."""
        return self._curve[0]

    @property
    def equity_curve(self) -> Amounts:
        """Equity at each sample, in the account currency."""
        return self._curve[1]

    @property
    def exposed_samples(self) -> int:
        """Samples at which any position was open."""
        return self.engine.exposed_samples

    @cached_property
    def benchmark_curve(self) -> Amounts | None:
        """Equity of buy and hold over the same bars at the same costs, sample by sample; None where not asked for."""
        engine = self.run_benchmark()
        return None if engine is None else engine.equity_curve()[1]

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Columns ``time`` (UTC, ns), ``equity``, ``drawdown`` (fraction below the running peak, deposit included)."""
        from neural_trader.report.document import drawdown

        return frames.equity(self.time_ns, self.equity_curve, drawdown(self.equity_curve, float(self.run["cash"])))

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Every order with its end: ``state`` and ``reason``."""
        return frames.orders(self.engine, self._symbols)

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every fill with its reference price, fee and slippage."""
        return frames.fills(self.engine, self._symbols)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Round trips, first in first out, those still open last."""
        return frames.trades(self.engine, self.bars)

    @cached_property
    def postings(self) -> pl.DataFrame:
        """The double-entry ledger: each transaction sums to zero per unit."""
        return frames.postings(self.engine, self._symbols)

    @property
    def _symbols(self) -> list[str]:
        return [bars.symbol for bars in self.bars]

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of inputs, parameters, orders, fills and postings, in hex."""
        return {name: digest for name, digest in self._digests.items() if name != "run"}

    @property
    def hash(self) -> str:
        """The run hash: SHA-256 that binds the version and the digests together, the same on every machine."""
        return self._digests["run"]

    @cached_property
    def _digests(self) -> dict[str, str]:
        return self.engine.digests(self.version, canonical(self.run))

    @cached_property
    def stats(self) -> Stats:
        """The statistics of the run with buy and hold beside them; prints as a table."""
        from neural_trader.report.metrics import Stats

        return Stats.of(self)

    def to_dict(self) -> dict[str, Any]:
        """The result as the JSON document that docs/result-schema.md describes."""
        from neural_trader.report.document import to_document

        return to_document(self)

    def to_json(self, path: str | Path) -> Path:
        """Write that document to a file; returns its path."""
        from neural_trader.report.document import write_document

        return write_document(self, Path(path))

    def to_html(self, path: str | Path) -> Path:
        """Write the report as one self-contained HTML file; returns its path."""
        from neural_trader.report.html import write_html

        return write_html(self, Path(path))

    def plot(self) -> Any:
        """Show the report: inline in a notebook, else in the browser."""
        from neural_trader.report.notebook import show

        return show(self)

    def _repr_html_(self) -> str:
        return self.stats._repr_html_()

    def __str__(self) -> str:
        return str(self.stats)


def canonical(document: dict[str, Any]) -> str:
    """JSON with sorted keys, no spaces and ASCII only: the text that digests are taken of."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
