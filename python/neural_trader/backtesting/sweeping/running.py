"""How points of a sweep are played here: formulas in Rust, many at a time; classes one by one, in processes."""

from __future__ import annotations

import contextlib
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from neural_trader._native import Engine, Sweep
from neural_trader.backtesting.remembering import remembering, start_of
from neural_trader.backtesting.run import instance_of, name_of, play
from neural_trader.backtesting.sweeping.measures import Span, measured
from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.report.curve import NANOSECONDS_PER_YEAR
from neural_trader.strategy.expressions import FormulaStrategy

if TYPE_CHECKING:
    from neural_trader.backtesting.settings import Settings
    from neural_trader.backtesting.sweeping.measures import Figures, Floats
    from neural_trader.backtesting.sweeping.paths import Paths, Positions
    from neural_trader.backtesting.sweeping.space import Matrix
    from neural_trader.market.bars import Bars
    from neural_trader.strategy.base import Strategy

WORTH_A_PROCESS = 8
"""Points for each process, below which starting them costs more than it saves."""

Values = dict[str, "Floats"]
Played = tuple[Values, dict[int, str]]
"""Statistics by name, and what went wrong by row."""


class Block(NamedTuple):
    """Points that are played together."""

    number: int
    """Its place in the sweep; blocks may be done in another order."""
    points: Matrix
    """Those that are to be played."""
    covers: int
    """How many of the sweep are done with it: points that are there already, or are not wanted, too."""


class Runner(Protocol):
    """Whatever plays points."""

    paths: Paths | None
    """What takes in curves of the points that are played, where anybody wants them."""

    @property
    def in_rust(self) -> bool:
        """Whether many points cost little."""
        ...

    @property
    def rows(self) -> int:
        """Points that are played together."""
        ...

    def play(self, points: Matrix) -> Played:
        """Statistics of points."""
        ...

    def stream(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Played]]:
        """Statistics of blocks, as they are done."""
        ...

    def close(self) -> None:
        """End what still runs."""
        ...


def span_of(bars: Sequence[Bars], settings: Settings) -> Span:
    """The deposit, and the time from the first opening to the last close."""
    begin = min((each.start_ns for each in bars if len(each)), default=0)
    end = max((int(each.close_ns[-1]) for each in bars if len(each)), default=begin)
    return Span(float(settings.cash), (end - begin) / NANOSECONDS_PER_YEAR)


class LocalRunner(ABC):
    """Plays points in this process, or in processes of it."""

    rows: int
    paths: Paths | None = None
    in_rust = False
    span: Span
    _curve: bool

    @abstractmethod
    def figures(
        self, points: Matrix, progress: Callable[[float], None] | None = None
    ) -> tuple[Figures, dict[int, str]]:
        """What the engine counted at each point, and what went wrong; ``progress`` gets the share that is done."""

    def play(self, points: Matrix) -> Played:
        """Statistics of points."""
        figures, failed = self.figures(points)
        return measured(figures, self.span, curve=self._curve), failed

    def stream(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Played]]:
        """Statistics of blocks, one after the other."""
        for block in blocks:
            yield block, self.play(block.points) if len(block.points) else ({}, {})

    def close(self) -> None:  # noqa: B027 (a runner may have nothing to close)
        """Nothing is kept open."""


class FormulaRunner(LocalRunner):
    """Plays points of a formula over bars in memory; the engine's own fills, without its records."""

    rows = 4_096
    """Points that are played together."""
    in_rust = True

    def __init__(
        self,
        strategy: type[FormulaStrategy],
        fixed: Mapping[str, Any],
        names: Sequence[str],
        bars: Sequence[Bars],
        settings: Settings,
        *,
        curve: bool,
        threads: int,
    ) -> None:
        if settings.like is not None:
            raise UsageError("a sweep plays by our own rules; leave out like")
        self._bars, self._settings = bars, settings
        self._curve, self._threads = curve, threads
        self.span = span_of(bars, settings)
        interval_ns = min((each.interval_ns for each in bars if each.interval_ns > 0), default=0)
        constants = {
            "share": 1 / len(bars),
            "bars_per_year": 365.25 * 86_400e9 / interval_ns if interval_ns else float("nan"),
        }
        terms, roles = strategy.formula.lowered(constants)
        self._program = terms, roles
        defaults = strategy(**fixed).parameters
        self._base = np.array([float(defaults[name]) for name in strategy.formula.parameters])
        self._columns = [list(strategy.formula.parameters).index(name) for name in names]

    def figures(
        self, points: Matrix, progress: Callable[[float], None] | None = None
    ) -> tuple[Figures, dict[int, str]]:
        symbols, ticks = [each.symbol for each in self._bars], [each.tick for each in self._bars]
        engine = Engine(list(self._bars), **self._settings.engine_arguments(symbols, ticks))
        sets = np.tile(self._base, (len(points), 1))
        sets[:, self._columns] = points
        ends = None if self.paths is None else self.paths.ends
        sweep = Sweep(engine, *self._program, sets, curve=self._curve, threads=self._threads, ends=ends)
        done = 0.0
        while done < 1.0:
            done = sweep.advance()
            if progress is not None:
                progress(done)
        if self.paths is not None:
            self.paths.take(points, sweep.periods())
        return sweep.figures()


class ClassRunner(LocalRunner):
    """Plays points of a strategy that is a class, each a run of its own, in as many processes as there are threads."""

    rows = 64

    def __init__(
        self,
        strategy: str | type[Strategy],
        fixed: Mapping[str, Any],
        names: Sequence[str],
        bars: Sequence[Bars],
        settings: Settings,
        *,
        curve: bool,
        threads: int,
    ) -> None:
        self._curve, self.span = curve, span_of(bars, settings)
        self._work = (strategy, dict(fixed), tuple(names), list(bars), settings, curve)
        # A class of a notebook cannot be found by another process; a name or a file can.
        self._workers = (threads or os.cpu_count() or 1) if isinstance(strategy, str) else 1
        self._pool: ProcessPoolExecutor | None = None

    def figures(
        self, points: Matrix, progress: Callable[[float], None] | None = None
    ) -> tuple[Figures, dict[int, str]]:
        if self._pool is None and self._workers > 1 and len(points) > self._workers * WORTH_A_PROCESS:
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=self._work)
        if self._pool is None:
            _begin(*self._work)
        ends = None if self.paths is None else self.paths.ends
        with _main_unseen():
            results = (self._pool.map if self._pool else map)(_figures_of, points.tolist(), [ends] * len(points))
        rows: list[dict[str, float]] = []
        failed: dict[int, str] = {}
        for at, (figures, curve, error) in enumerate(results):
            rows.append(figures)
            if self.paths is not None and curve is not None:
                self.paths.take(points[at : at + 1], curve[None])
            if error is not None:
                failed[at] = error
            if progress is not None:
                progress((at + 1) / len(points))
        names = {name for row in rows for name in row}
        columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
        if not columns:
            columns = {name: np.full(len(rows), np.nan) for name in FIGURES}
        return columns, failed

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class Plan(NamedTuple):
    """What is the same at all points of a sweep."""

    strategy: str | type[Strategy]
    """As it was named or given."""
    found: type[Strategy]
    """The class that it is."""
    fixed: Mapping[str, Any]
    names: Sequence[str]
    """The parameters that vary."""
    bars: Sequence[Bars]
    settings: Settings
    curve: bool
    """Whether curves of equity are measured."""

    def runner(self, threads: int) -> LocalRunner:
        """What plays points here, on so many threads."""
        rest = (self.fixed, self.names, self.bars, self.settings)
        if issubclass(self.found, FormulaStrategy):
            return FormulaRunner(self.found, *rest, curve=self.curve, threads=threads)
        return ClassRunner(self.strategy, *rest, curve=self.curve, threads=threads)


FIGURES = (
    "equity", "fees", "slippage", "fills", "trades", "open_trades", "wins", "gained", "lost", "samples", "exposed",
    "ruined", "returns", "return_mean", "return_squares", "downside_squares", "drawdown",
)  # fmt: skip

_WORK: list[Any] = []


@contextlib.contextmanager
def _main_unseen() -> Iterator[None]:
    """Let processes that start meanwhile not import the script that was started.

    They would run it once more, sweep and all, unless it was written with that in mind; and they need nothing of it,
    since a strategy that they play is named by the library or a file.
    """
    main = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main.update(dict.fromkeys(kept))
    try:
        yield
    finally:
        main.update(kept)


def _begin(*work: Any) -> None:
    _WORK[:] = work


def _figures_of(point: list[float], ends: Positions | None) -> tuple[dict[str, float], Floats | None, str | None]:
    """The figures of one run, as the engine's sweep has them, and equity at some samples; or why there are none."""
    strategy, fixed, names, bars, settings, curve = _WORK
    try:
        instance = instance_of(strategy, fixed | dict(zip(names, point, strict=True)))
        # Who remembers does so of this run alone, and nothing of it is kept.
        alone = remembering(instance, name_of(instance), (), None, start_of(bars), run={}, as_of=0)
        with contextlib.redirect_stdout(None), alone as recorder:
            engine = play(instance, bars, settings, recorder=recorder)
    except NeuralTraderError as error:
        return {}, None, str(error)
    trades = engine.trades
    results = [pnl for pnl, leave in zip(trades["pnl"], trades["exit_fill"], strict=True) if leave >= 0]
    # In the account currency, whatever they were paid in.
    fills = engine.fill_arrays()
    figures = {
        "equity": engine.equity_value,
        "fees": float(fills["fee"].sum()),
        "slippage": float(fills["slippage"].sum()),
        "fills": float(len(fills["fee"])),
        "trades": float(len(results)),
        "open_trades": float(len(trades["pnl"]) - len(results)),
        "wins": float(sum(pnl > 0 for pnl in results)),
        "gained": sum(pnl for pnl in results if pnl > 0) / 1e18,
        "lost": -sum(pnl for pnl in results if pnl <= 0) / 1e18,
        "samples": float(engine.sample_count),
        "exposed": float(engine.exposed_samples),
    }
    if not curve and ends is None:
        return figures, None, None
    amounts = engine.equity_curve()[1]
    figures |= figures_of_curve(float(settings.cash), amounts) if curve else {}
    return figures, None if ends is None else amounts[ends], None


def figures_of_curve(cash: float, amounts: Floats) -> dict[str, float]:
    """What the engine's sweep measures of a curve, of one that begins with a deposit."""
    curve = np.concatenate([[cash], amounts])
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = curve[1:] / curve[:-1] - 1.0
        falls = curve / np.maximum.accumulate(curve) - 1.0
    mean = float(returns.mean()) if len(returns) else 0.0
    return {
        "ruined": float(bool((curve <= 0.0).any())),
        "returns": float(len(returns)),
        "return_mean": mean,
        "return_squares": float(np.square(returns - mean).sum()),
        "downside_squares": float(np.square(np.minimum(returns, 0.0)).sum()),
        "drawdown": float(falls.min()),
    }
