"""One strategy with many sets of parameters over the same bars."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import Engine, __version__
from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.inputs import gather_bars
from neural_trader.backtesting.run import DEFAULT_SEED, name_of, source_digest
from neural_trader.backtesting.settings import Settings
from neural_trader.backtesting.sweeping.counting import Counter
from neural_trader.backtesting.sweeping.measures import MEASURES, measure_named
from neural_trader.backtesting.sweeping.outcome import SweepResult
from neural_trader.backtesting.sweeping.paths import Paths, period_ends
from neural_trader.backtesting.sweeping.points import IN_MEMORY_MAX, FilePoints, Points
from neural_trader.backtesting.sweeping.running import Block, Plan, Runner
from neural_trader.backtesting.sweeping.search import searched
from neural_trader.backtesting.sweeping.space import Condition, Space, space_of
from neural_trader.backtesting.sweeping.worth import Assessor
from neural_trader.backtesting.trial_key import code_of
from neural_trader.errors import UsageError
from neural_trader.market.writing import replace_whole
from neural_trader.strategy.base import Strategy
from neural_trader.strategy.expressions import FormulaStrategy
from neural_trader.strategy.loading import find_strategy
from neural_trader.strategy.parameters import parameters_of

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.cluster import Cluster

PROBE = 64
"""Points that are played to say how long all of them will take."""

ASKS_ABOVE_S = 3_600
"""A sweep that will take longer wants to be confirmed."""

Progress = Callable[[int, int], None]
"""Gets how many points were done since the last time, and how many there are."""


def sweep(
    strategy: str | type[Strategy] = "sma_cross",
    data: Any = None,
    *,
    grid: Mapping[str, Any] | None = None,
    random: int | None = None,
    optuna: int | None = None,
    sampler: str = "tpe",
    where: str | None = None,
    metric: str = "return",
    parameters: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    threads: int = 0,
    executor: str | Cluster | None = None,
    yes: bool = False,
    worth: bool = True,
    progress: Progress | None = None,
    kind: str | None = None,
    symbols: Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    seed: int = DEFAULT_SEED,
    trials: str | Path | None = None,
    **settings: Any,
) -> SweepResult:
    """Play a strategy with many sets of parameters, and say which are best.

    ``grid`` says what each parameter goes through: ``"5:50:5"`` (both ends included), ``"5,10,20"`` or a sequence. All
    points of the grid are played, or ``random`` of them, or ``optuna`` of them, chosen by a ``sampler`` (tpe, cmaes,
    nsga2; the extra ``neural-trader[sweep]``). ``where`` is a condition on parameters, such as ``"fast < slow"``.
    ``metric`` is what best means; those of the curve of equity (sharpe, sortino, calmar, drawdown, volatility) take
    longer. ``parameters`` are those that do not vary. Data and the settings of a run are those of
    :func:`neural_trader.backtest`.

    A formula is played in Rust, many sets at once, in memory that does not grow with the bars, and with the engine's
    own fills: every point has the outcome of a run by itself. A class is played point by point, in processes.

    ``executor="dask://HOST:PORT"`` plays the points on the workers of that Dask scheduler (the extra
    ``neural-trader[cluster]``), with the same results in the same order.

    ``out`` names a file (.sqlite or .parquet) that keeps the points as they are done; the same sweep with the same file
    goes on where it was interrupted.

    ``worth=False`` does not test how likely the best point is luck (docs/honesty.md), which takes curves of up to 2,048
    points and a fraction of a second.

    Every point is a trial of the ledger that ``trials`` names (``"off"``: none); docs/honesty.md says where it is
    otherwise.

    Raises UsageError for a sweep of more than ten million points or an hour without ``yes``, and the errors of
    :mod:`neural_trader.errors`.

    >>> import neural_trader as nt
    >>> cross = nt.formula(entry=nt.close > nt.close.sma(nt.P("n", 20)), exit=nt.close < nt.close.sma(nt.P("n", 20)))
    >>> found = nt.sweep(cross, grid={"n": "10:40:10"})
    >>> found.frame.height
    4
    """
    measure = measure_named(metric)
    chosen = _settings(settings)
    found = find_strategy(strategy) if isinstance(strategy, str) else strategy
    known = {name: each.type for name, each in parameters_of(found).items() if each.type in (int, float)}
    space = space_of(grid or {}, known, found.__name__)
    if not space.axes:
        raise UsageError("a sweep needs a grid, such as fast=5:50:5")
    fixed = dict(parameters or {})
    if twice := [name for name in fixed if name in space.names]:
        raise UsageError(f"{twice[0]} varies in the grid and is set; leave one of them out")
    condition = Condition(where, space.names) if where else None
    series = gather_bars(data, kind=kind, symbols=symbols, start=start, end=end, seed=seed)
    bars = [each.whole() for each in series]
    instance = found(**fixed)
    source = source_digest(instance)
    inputs = Engine(bars, **chosen.engine_arguments()).digests("", "")["inputs"]
    run = {
        "strategy": name_of(instance),
        "parameters": fixed,
        "formula": found.formula.hash if issubclass(found, FormulaStrategy) else None,
        "source_sha256": source,
        "data": inputs,
        "symbols": [each.symbol for each in bars],
        "version": __version__,
        **chosen.document(),
    }
    names = tuple(name for name, each in MEASURES.items() if measure.of_curve or not each.of_curve)
    total = _total(space, random, optuna)
    with ExitStack() as stack:
        plan = Plan(strategy, found, fixed, space.names, bars, chosen, measure.of_curve)
        runner: Runner = plan.runner(threads)
        if executor is not None:
            from neural_trader.backtesting.sweeping.cluster import ClusterRunner, connected

            cluster = stack.enter_context(connected(executor, threads))
            runner = ClusterRunner(
                cluster, plan, cluster.stored(data, kind, symbols, start, end, inputs, chosen), total
            )
        stack.enter_context(closing(runner))
        if not yes:
            _ask(total, space, condition, runner)
        samples = len(np.unique(np.concatenate([each.close_ns for each in bars])))
        alone = {"strategy": run["strategy"], "parameters": instance.parameters, "overlays": [], **chosen.document()}
        kinds = {name: known[name] for name in space.names}
        counter = Counter(alone, inputs, code_of(found, source), kinds, samples, trials)
        assessor = Assessor(
            strategy,
            fixed,
            space,
            condition,
            optuna is not None,
            bars,
            chosen,
            runner,
            Paths(period_ends(samples)),
            counter,
        )
        points = _points(out, total, run, space.names, names, counter)
        stack.enter_context(closing(points))
        if worth:
            assessor.watch(points)
        begun = time.monotonic()
        if optuna is None:
            blocks = _blocks(space, random, seed, condition, runner.rows, points)
            played = _play(runner, points, blocks, progress, total)
        else:
            played = searched(space, optuna, sampler, seed, condition, metric, runner, points, progress)
        frame = points.frame()
        if out is not None and Path(out).suffix == ".parquet":
            replace_whole(Path(out), frame.write_parquet)
        seconds = time.monotonic() - begun
        assessment = assessor.of(frame, metric) if worth else None
        return SweepResult(frame, space.names, metric, run, seconds, played, counter.warning, assessment)


_RUN_SETTINGS = tuple(
    name
    for name, each in inspect.signature(Settings.of).parameters.items()
    if each.kind is each.KEYWORD_ONLY and name != "account"
)
_OF_ACCOUNTS = ("account", "funding")
"""Settings that come to one."""


def _settings(given: Mapping[str, Any]) -> Settings:
    """The settings of a run, those that were not given as ``backtest`` has them."""
    account = AccountSettings.of(*(given.get(name) for name in _OF_ACCOUNTS))
    if account is not None and any(currency.deposit for _, currency in account.currencies):
        # What those are worth at the beginning differs from stretch to stretch, and points would not compare.
        raise UsageError("a sweep begins with cash in the account currency; leave out deposits of other currencies")
    given = {name: value for name, value in given.items() if name not in _OF_ACCOUNTS}
    if unknown := [name for name in given if name not in _RUN_SETTINGS]:
        raise UsageError(f"sweep has no setting {unknown[0]!r}; it has {', '.join(_RUN_SETTINGS + _OF_ACCOUNTS)}")
    usual: dict[str, Any] = dict.fromkeys(_RUN_SETTINGS) | {
        "limit": "touch",
        "leverage": 1,
        "close_at_end": False,
        "currency": "USD",
    }
    return Settings.of(**usual | given, account=account)


def _total(space: Space, random: int | None, optuna: int | None) -> int:
    if random is not None and optuna is not None:
        raise UsageError("points are drawn by chance or searched for by optuna, one of the two")
    for name, count in (("random", random), ("optuna", optuna)):
        if count is not None and count < 1:
            raise UsageError(f"{name} is the number of points, from 1 on, not {count}")
    return min(space.size, random or optuna or space.size)


def _ask(total: int, space: Space, condition: Condition | None, runner: Runner) -> None:
    """Refuse what will take long, with how long, unless it was confirmed."""
    if total <= 100 * PROBE:
        return
    looked_at = space.points([int(number) for number in np.linspace(0, space.size - 1, PROBE * PROBE)])
    wanted = looked_at if condition is None else looked_at[condition(looked_at)]
    share = len(wanted) / len(looked_at)
    which = "" if condition is None else f", about {100.0 * share:.2g} % of which meet the condition,"
    probe = wanted[:: max(1, len(wanted) // PROBE)]
    begun = time.monotonic()
    if len(probe):
        runner.play(probe)
    seconds = (time.monotonic() - begun) / max(1, len(probe)) * share * total
    if total > IN_MEMORY_MAX or seconds > ASKS_ABOVE_S:
        raise UsageError(
            f"{total:,} sets of parameters{which} would take about {_duration(seconds)} here; add --yes (yes=True) to "
            "play them all, make the grid coarser, or draw some of them with --random N"
        )


def _duration(seconds: float) -> str:
    for unit, length in (("years", 365.25 * 86_400), ("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def _points(
    out: str | Path | None,
    total: int,
    run: dict[str, Any],
    names: tuple[str, ...],
    measures: tuple[str, ...],
    counter: Counter,
) -> Points:
    if out is None:
        if total > IN_MEMORY_MAX:
            raise UsageError(f"{total:,} points do not fit into memory; name a file for them with out")
        return Points(names, measures, counter)
    path = Path(out)
    if path.suffix not in (".sqlite", ".parquet"):
        raise UsageError(f"out {str(path)!r}: its name ends with .sqlite or .parquet")
    if not path.parent.is_dir():
        raise UsageError(f"out {str(path)!r}: there is no folder {str(path.parent)!r}")
    identity = run | {"names": list(names), "measures": list(measures)}
    # A table in Parquet is written at the end; until then, and to go on, its points are beside it.
    file = path if path.suffix == ".sqlite" else path.with_suffix(".sqlite")
    return FilePoints(file, identity, names, measures, counter)


def _blocks(
    space: Space, random: int | None, seed: int, condition: Condition | None, rows: int, points: Points
) -> Iterator[Block]:
    """Blocks of points that are wanted and missing, in their order."""
    blocks = space.blocks(rows) if random is None else space.drawn(random, seed, rows)
    for number, block in enumerate(blocks):
        wanted = block if condition is None else block[condition(block)]
        yield Block(number, points.missing(wanted), len(block))


def _play(runner: Runner, points: Points, blocks: Iterator[Block], progress: Progress | None, total: int) -> int:
    """Play blocks, and report them as they are done; returns how many points that were."""
    played = 0
    for block, (values, failed) in runner.stream(blocks):
        if len(block.points):
            points.report(block.points, values, failed, block.number)
            played += len(block.points)
        if progress is not None:
            progress(block.covers, total)
    return played
