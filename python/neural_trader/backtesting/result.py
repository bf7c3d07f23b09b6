"""What a backtest returns: frames, statistics, the run hash, and the pages made from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import Engine, Valuation
from neural_trader.backtesting import frames
from neural_trader.baseline.ledger import CURRENCIES
from neural_trader.codes import ACCOUNTS
from neural_trader.market.bars import Bars
from neural_trader.report.outcome import BLOCK, Block, Figure, blocks_of, drawdowns, initial_cash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    from neural_trader._native import Replay
    from neural_trader.honesty.assessment import Assessment
    from neural_trader.honesty.checks import Counted, LookAhead, WarmUp
    from neural_trader.market.bars import Series
    from neural_trader.report.metrics import Stats
    from neural_trader.report.rungs import Rung

    Times = np.ndarray[Any, np.dtype[np.int64]]
    Amounts = np.ndarray[Any, np.dtype[np.float64]]


_MONEY = 10**18


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one run. Frames, statistics and digests are made when they are first asked for."""

    engine: Engine | Replay = field(repr=False)
    """The engine as the run left it: every record as exact integers."""
    version: str
    run: dict[str, Any]
    """Everything beside the data that decides the outcome: what the parameter digest covers."""
    series: tuple[Series, ...] = field(repr=False)
    """What was played, by symbol: in memory, or in the files of a catalog."""
    origin: dict[str, Any] = field(default_factory=dict)
    """Where strategy and data came from, so that the run can be repeated; not part of the hash."""
    warnings: tuple[str, ...] = ()
    run_benchmark: Callable[[], Engine | None] = field(repr=False, default=lambda: None)
    ladder: tuple[Rung, ...] = ()
    """What came of a replay under kinder and stricter assumptions, where that was asked for."""
    counted: Counted | None = None
    """What the ledger of trials says of it; None where none was kept."""
    look_ahead: LookAhead | None = None
    """Whether decisions changed with the bars after them; None where that was not asked."""
    warm_up: WarmUp | None = None
    """How many bars decisions follow from; None where that was not asked."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """What the strategy reported of itself (:meth:`Strategy.report`)."""

    @cached_property
    def bars(self) -> tuple[Bars, ...]:
        """The bars that were played, by symbol, in memory."""
        return tuple(series.whole() for series in self.series)

    @property
    def samples(self) -> int:
        """How many equity samples there are: one for each time at which bars closed."""
        return self.engine.sample_count

    @property
    def has_benchmark(self) -> bool:
        """Whether buy and hold was run beside it."""
        return self._benchmark is not None

    def blocks(self) -> Iterator[Block]:
        """Time, equity and buy and hold at all samples, block by block, without anything of the length of the run."""
        if self._is_in_memory:
            return blocks_of(self.time_ns, self.equity_curve, self.benchmark_curve)
        runs = [run for run in (self.engine, self._benchmark) if isinstance(run, Engine)]
        return _valued(Valuation([each.empty() for each in self.series], [each.marks() for each in self.series], runs))

    @property
    def _is_in_memory(self) -> bool:
        return all(isinstance(series, Bars) for series in self.series)

    @cached_property
    def _benchmark(self) -> Engine | None:
        return self.run_benchmark()

    @cached_property
    def _curve(self) -> tuple[Times, Amounts]:
        if self._is_in_memory:
            return self.engine.equity_curve()
        blocks = list(self.blocks())
        return np.concatenate([block.time_ns for block in blocks]), np.concatenate([block.equity for block in blocks])

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
        if self._benchmark is None:
            return None
        if self._is_in_memory:
            return self._benchmark.equity_curve()[1]
        return np.concatenate([block.benchmark for block in self.blocks() if block.benchmark is not None])

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Columns ``time`` (UTC, ns), ``equity``, ``drawdown`` (fraction below the running peak, deposit included)."""
        falls = [below for _, below in drawdowns(initial_cash(self), self.blocks())]
        return frames.equity(self.time_ns, self.equity_curve, np.concatenate(falls) if falls else np.empty(0))

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
        return frames.trades(self.engine, self.series)

    @cached_property
    def postings(self) -> pl.DataFrame:
        """The double-entry ledger: each transaction sums to zero per unit."""
        return frames.postings(self.engine, self._symbols, list(self.run.get("account", {}).get("currencies", {})))

    @cached_property
    def account(self) -> dict[str, Any] | None:
        """What became of an account that is not the usual one: cash, and what was paid beside fills, per currency.

        None where it is the usual one, whose cash ``postings`` has.
        """
        if "account" not in self.run:
            return None
        codes = [str(self.run["currency"]), *self.run["account"]["currencies"]]
        sums: dict[str, dict[str, int]] = {name: {} for name in ("cash", "funding", "interest")}
        columns = self.engine.postings
        for account, unit, amount in zip(columns["account"], columns["unit"], columns["amount"], strict=True):
            name, code = ACCOUNTS[account], codes[max(0, unit - CURRENCIES)]
            if name in sums:
                sums[name][code] = sums[name].get(code, 0) + amount
        amounts = {name: {code: amount / _MONEY for code, amount in of.items()} for name, of in sums.items()}
        return {**amounts, "liquidations": len(self.engine.liquidations)}

    @property
    def _symbols(self) -> list[str]:
        return [series.symbol for series in self.series]

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

    @cached_property
    def honesty(self) -> Assessment | None:
        """What the result is worth: verdict, deflated Sharpe ratio, intervals, checks; None for a replay."""
        from neural_trader.report.worth import assess

        return assess(self)

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


def _valued(valuation: Valuation) -> Iterator[Block]:
    while True:
        times, curves = valuation.read(BLOCK)
        if not len(times):
            return
        yield Block(times, curves[0], curves[1] if len(curves) > 1 else None)


def canonical(document: dict[str, Any]) -> str:
    """JSON with sorted keys, no spaces and ASCII only: the text that digests are taken of."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
