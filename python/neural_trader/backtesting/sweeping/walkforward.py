"""Parameters chosen on the past and tested on what came after: only the tests are reported."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.backtesting.inputs import gather_bars
from neural_trader.backtesting.run import DEFAULT_SEED, backtest, name_of
from neural_trader.backtesting.sweeping import splits
from neural_trader.backtesting.sweeping.cluster import Cluster, connected
from neural_trader.backtesting.sweeping.measures import MEASURES, Span, measure_named
from neural_trader.backtesting.sweeping.out_of_sample import assess, tried
from neural_trader.backtesting.sweeping.outcome import whole
from neural_trader.backtesting.sweeping.running import figures_of_curve
from neural_trader.backtesting.sweeping.sweep import sweep
from neural_trader.errors import DataError, UsageError
from neural_trader.honesty.checks import Counted
from neural_trader.report.curve import NANOSECONDS_PER_YEAR, Measure
from neural_trader.report.outcome import BLOCK
from neural_trader.strategy.base import Strategy
from neural_trader.strategy.expressions import Formula, FormulaStrategy, P, close
from neural_trader.strategy.expressions.strategy import class_of
from neural_trader.strategy.loading import find_strategy

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.backtesting.result import Result
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.honesty.assessment import Assessment
    from neural_trader.market.bars import Bars
    from neural_trader.report.curve import CurveFacts

SCHEMA = "neural-trader.walkforward/1"

OF_CURVES = {"return", "equity", "cagr"} | {name for name, each in MEASURES.items() if each.of_curve}
"""Statistics that follow from the curve of equity alone."""


@dataclass(frozen=True)
class Test:
    """One test: when, with which parameters, what they promised, and what came of it."""

    begin_ns: int
    end_ns: int
    parameters: dict[str, int | float]
    trained: float | None
    """The metric where the parameters were chosen."""
    tested: float | None
    """The same metric where they were not."""
    time_ns: np.ndarray[Any, np.dtype[np.int64]] = field(repr=False)
    growth: Floats = field(repr=False)
    """Equity over the deposit of the test, at each sample."""
    hash: str = ""
    """The run hash of the test."""


@dataclass(frozen=True, eq=False)
class WalkForward:
    """The tests of a walk forward, stitched into one curve; or of each path of a cross-validation."""

    tests: tuple[Test, ...]
    paths: tuple[tuple[int, ...], ...]
    """Tests by their positions, in the order of time; one path where tests follow one another."""
    metric: str
    run: dict[str, Any]
    begin_ns: int
    counted: Counted
    """How many points were tried in all trainings, and what the ledger of a project has beside."""

    def curve(self, path: int = 0) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Floats]:
        """Times and equity of the tests of a path, one after the other; each goes on with what the last one left."""
        equity = float(self.run["cash"])
        times, parts = [], []
        for at in self.paths[path]:
            test = self.tests[at]
            times.append(test.time_ns)
            parts.append(equity * test.growth)
            if len(test.growth):
                equity *= float(test.growth[-1])
        return np.concatenate(times), np.concatenate(parts)

    def statistics(self, path: int = 0) -> dict[str, float | None]:
        """Return, Sharpe ratio and deepest fall of a stitched curve."""
        facts = self._facts(path)
        varies = facts.ruin_ns is None and facts.samples > 1 and facts.return_deviation > 0.0 and facts.years > 0.0
        sharpe = facts.return_mean / facts.return_deviation * (facts.samples / facts.years) ** 0.5 if varies else None
        return {
            "return": 100.0 * (facts.final / facts.initial - 1.0),
            "sharpe": sharpe,
            "drawdown": 100.0 * facts.drawdown,
        }

    def _facts(self, path: int) -> CurveFacts:
        times, equity = self.curve(path)
        measure = Measure(float(self.run["cash"]), self.tests[self.paths[path][0]].begin_ns)
        for begin in range(0, len(equity), BLOCK):
            measure.add(times[begin : begin + BLOCK], equity[begin : begin + BLOCK])
        return measure.facts()

    @property
    def middle(self) -> int:
        """The path in the middle of all, by its Sharpe ratio; the only one where tests follow one another."""
        ratios = [self.statistics(path)["sharpe"] for path in range(len(self.paths))]
        order = sorted(range(len(ratios)), key=lambda path: -math.inf if (ratio := ratios[path]) is None else ratio)
        return order[(len(order) - 1) // 2]

    @cached_property
    def worth(self) -> Assessment:
        """What the tests are worth, those of the path in the middle where there are several."""
        path = self.middle
        return assess(float(self.run["cash"]), self.curve(path)[1], self._facts(path).years, self.counted)

    @property
    def frame(self) -> pl.DataFrame:
        """A row for each test: its times, parameters, and the metric where they were chosen and where they were not."""
        import polars as pl

        rows: list[dict[str, Any]] = [
            {"begin": _time(test.begin_ns), "end": _time(test.end_ns)}
            | test.parameters
            | {"in_sample": test.trained, "out_of_sample": test.tested}
            for test in self.tests
        ]
        return pl.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The walk forward as plain values."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "metric": {"name": self.metric, "title": MEASURES[self.metric].title},
            "tests": [
                {
                    "begin": _time(test.begin_ns).isoformat(),
                    "end": _time(test.end_ns).isoformat(),
                    "parameters": test.parameters,
                    "in_sample": test.trained,
                    "out_of_sample": test.tested,
                    "hash": test.hash,
                }
                for test in self.tests
            ],
            "paths": [{"tests": list(path), **self.statistics(at)} for at, path in enumerate(self.paths)],
            "honesty": {"path": self.middle, **self.worth.document()},
        }


def walkforward(
    strategy: str | type[Strategy],
    data: Any = None,
    *,
    grid: Mapping[str, Any],
    folds: int = 5,
    train: float = 3.0,
    anchored: bool = False,
    purge: int = 0,
    embargo: int = 0,
    cpcv: tuple[int, int] | None = None,
    warmup: int | None = None,
    metric: str = "return",
    where: str | None = None,
    random: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    threads: int = 0,
    executor: str | Cluster | None = None,
    yes: bool = False,
    progress: Callable[[float], None] | None = None,
    kind: str | None = None,
    symbols: Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    seed: int = DEFAULT_SEED,
    trials: str | Path | None = None,
    **settings: Any,
) -> WalkForward:
    """Choose parameters by a sweep on one stretch of bars, test them on another, and report the tests alone.

    The data are cut into ``folds`` tests that follow one another, each after a training ``train`` times as long, or, if
    ``anchored``, all that came before it. ``purge`` bars before a test are not trained on. With
    ``cpcv=(groups, tested)`` every choice of so many groups is tested once with what is best on all others
    (combinatorial purged cross-validation); of the others ``purge`` bars are left out before the next group and
    ``embargo`` bars after the last one, and the tests make several paths through all groups.

    A test begins flat, and closes its positions at its end. A formula sees ``warmup`` bars before its test, in which it
    does not trade, so that its features are warm: as many as its largest number of bars unless it is given. A class
    begins cold. Whoever remembers begins a test with the cards that its parameters wrote in the training before it, and
    with nothing that ended later.

    The other arguments are those of :func:`neural_trader.sweep`; an ``executor`` plays the trainings.

    >>> import neural_trader as nt
    >>> cross = nt.formula(entry=nt.close > nt.close.sma(nt.P("n", 20)), exit=nt.close < nt.close.sma(nt.P("n", 20)))
    >>> found = nt.walkforward(cross, grid={"n": "10,40"}, folds=3, symbols=["BTC"])
    >>> len(found.tests)
    3
    """
    measure_named(metric)
    if purge < 0 or embargo < 0:
        raise UsageError("purge and embargo are numbers of bars, from 0 on")
    found = find_strategy(strategy) if isinstance(strategy, str) else strategy
    bars = [each.whole() for each in gather_bars(data, kind=kind, symbols=symbols, start=start, end=end, seed=seed)]
    line = np.unique(np.concatenate([each.open_ns for each in bars]))
    room = _Room(found, strategy, bars, line, dict(parameters or {}), metric, settings, warmup)
    with nullcontext() if executor is None else connected(executor, threads) as cluster:
        options = {
            "grid": grid,
            "where": where,
            "random": random,
            "threads": threads,
            "executor": cluster,
            "yes": yes,
            "seed": seed,
            "trials": trials,
        }
        if cpcv is None:
            ranges = splits.walks(len(line), folds, train, anchored=anchored, purge=purge)
            tests = []
            for at, fold in enumerate(ranges):
                frame = room.swept(fold.train, options)
                tests.append(room.test(fold.test, *room.chosen(frame, frame[metric].to_numpy()), [fold.train]))
                if progress is not None:
                    progress((at + 1) / len(ranges))
            lanes: list[list[int]] = [list(range(len(tests)))]
        else:
            tests, lanes = _combined(room, cpcv, purge, embargo, options, progress)
    run = {
        "strategy": name_of(found(**room.fixed)),
        "parameters": room.fixed,
        "cash": settings.get("cash") or 10_000,
        "folds": None if cpcv else folds,
        "train": None if cpcv else train,
        "anchored": None if cpcv else anchored,
        "cpcv": cpcv,
        "purge": purge,
        "embargo": embargo,
        "symbols": [each.symbol for each in bars],
        **({"remembers": True} if found.remembers else {}),
    }
    counted = tried(room.points, trials)
    return WalkForward(tuple(tests), tuple(map(tuple, lanes)), metric, run, int(line[0]), counted)


def _combined(
    room: _Room,
    cpcv: tuple[int, int],
    purge: int,
    embargo: int,
    options: dict[str, Any],
    progress: Callable[[float], None] | None,
) -> tuple[list[Test], list[list[int]]]:
    count, tested = cpcv
    chosen = splits.combined(count, tested)
    ranges = splits.groups(len(room.line), count)
    # Each group is swept once; what is best on several of them follows from those sweeps.
    frames = [room.swept(each, options) for each in splits.purged(ranges, purge, embargo)]
    tests: list[Test] = []
    places: dict[tuple[int, int], int] = {}
    for at, each in enumerate(chosen):
        weights = np.array([ranges[group][1] - ranges[group][0] for group in each.trained], dtype=float)
        values = np.array([frames[group][room.metric].to_numpy() for group in each.trained])
        best = room.chosen(frames[0], (values * weights[:, None]).sum(axis=0) / weights.sum())
        for group in each.tested:
            places[at, group] = len(tests)
            past = [ranges[one] for one in each.trained if ranges[one][1] <= ranges[group][0]]
            tests.append(room.test(ranges[group], *best, past))
        if progress is not None:
            progress((at + 1) / len(chosen))
    lanes = [[places[at, group] for group, at in enumerate(path)] for path in splits.paths(count, chosen)]
    return tests, lanes


@dataclass
class _Room:
    """Everything that is the same in all folds."""

    found: type[Strategy]
    reference: str | type[Strategy]
    bars: list[Bars]
    line: np.ndarray[Any, np.dtype[np.int64]]
    fixed: dict[str, Any]
    metric: str
    settings: dict[str, Any]
    warmup: int | None
    points: int = 0
    """Points of all trainings so far."""

    def swept(self, where: splits.Range, options: dict[str, Any]) -> pl.DataFrame:
        """Every point on a stretch, in one order."""
        # What is chosen here is judged by its test, not by what it was chosen from.
        given = options | self.settings | {"worth": False}
        found = sweep(self.reference, self._cut(where), metric=self.metric, parameters=self.fixed, **given)
        self.points += found.frame.height
        return found.frame

    def chosen(self, frame: pl.DataFrame, values: Floats) -> tuple[dict[str, int | float], float | None]:
        """The best point, and its metric; of equals the first."""
        key = values if MEASURES[self.metric].higher_is_better else -values
        if not np.isfinite(key).any():
            raise DataError(
                f"{self.metric} is not known of any point of a training; use longer ones, or another metric"
            )
        at = int(np.nanargmax(np.where(np.isfinite(key), key, np.nan)))
        names = frame.columns[: frame.columns.index(next(iter(MEASURES)))]
        return {name: whole(frame[name][at]) for name in names}, float(values[at])

    def test(
        self,
        where: splits.Range,
        parameters: dict[str, int | float],
        trained: float | None,
        past: Sequence[splits.Range],
    ) -> Test:
        """What the parameters make of a stretch, from its beginning on, with what they remember of the past."""
        begin, end = where
        begin_ns = int(self.line[begin])
        strategy: type[Strategy] = self.found
        ahead = 0
        if issubclass(self.found, FormulaStrategy):
            ahead = min(begin, self._warmup(parameters))
            strategy = class_of(delayed(self.found.formula, ahead), self.found.__module__)
        bars = self._cut((begin - ahead, end))
        # The points of the trainings are the trials; a test is not chosen from.
        given = self.settings | {"close_at_end": True, "trials": "off", "look_ahead": False}
        given |= {"parameters": self.fixed | parameters, "benchmark": False}
        with ExitStack() as stack:
            if self.found.remembers:
                folder = stack.enter_context(TemporaryDirectory(prefix="neural-trader-"))
                given["memory"] = Path(folder) / "memory.sqlite"
                for stretch in past:
                    backtest(strategy, self._cut(stretch), **given)
            result = backtest(strategy, bars, **given)
        counted = result.time_ns > begin_ns
        growth = result.equity_curve[counted] / float(result.run["cash"])
        value = self._value(result, begin_ns, growth)
        return Test(
            begin_ns=begin_ns,
            end_ns=int(result.time_ns[-1]) if len(result.time_ns) else begin_ns,
            parameters=parameters,
            trained=trained,
            tested=value,
            time_ns=result.time_ns[counted],
            growth=growth,
            hash=result.hash,
        )

    def _value(self, result: Result, begin_ns: int, growth: Floats) -> float | None:
        """The metric of a test; what follows from the curve is of the test alone, without the bars before it."""
        if self.metric not in OF_CURVES:
            value = result.stats[MEASURES[self.metric].title]
            return float(value) if isinstance(value, int | float) else None
        cash = float(result.run["cash"])
        figures = {"equity": cash * float(growth[-1]), "samples": float(len(growth))} if len(growth) else {}
        if not figures:
            return None
        figures |= figures_of_curve(cash, cash * growth)
        span = Span(cash, (int(result.time_ns[-1]) - begin_ns) / NANOSECONDS_PER_YEAR)
        value = float(MEASURES[self.metric].of({name: np.array([each]) for name, each in figures.items()}, span)[0])
        return value if np.isfinite(value) else None

    def _warmup(self, parameters: Mapping[str, int | float]) -> int:
        if self.warmup is not None:
            return self.warmup
        assert issubclass(self.found, FormulaStrategy)
        known = {**self.found.formula.parameters, **self.fixed, **parameters}
        numbers = [
            known[given.name] if isinstance(given, P) else given
            for node in self.found.formula.nodes()
            if node.inputs
            for given in node.given
        ]
        return int(max(numbers, default=0))

    def _cut(self, where: splits.Range) -> list[Bars]:
        first_ns = self.line[where[0]]
        last_ns = self.line[where[1]] if where[1] < len(self.line) else np.iinfo(np.int64).max
        found = []
        for each in self.bars:
            first, last = np.searchsorted(each.open_ns, [first_ns, last_ns])
            # A bar that closes beyond the end knows what the stretch must not.
            while last > first and each.close_ns[last - 1] > last_ns:
                last -= 1
            if last > first:
                found.append(each.rows(int(first), int(last)))
        return found


def delayed(formula: Formula, bars: int) -> Formula:
    """The formula that does not act in the first bars of an instrument; its features see them."""
    if bars == 0:
        return formula
    acts = (close > 0).first().since() >= bars
    roles: dict[str, Any] = dict(formula.roles)
    for role in ("entry", "short_entry"):
        if role in roles:
            roles[role] = roles[role] & acts
    if "target" in roles:
        roles["target"] = acts.choose(roles["target"], 0)
    return Formula.of(formula.name, **roles)


def _time(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns / 1e9, UTC)
