"""What a worker of a cluster is told of a sweep, and what it does with a block of points."""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader._native import Engine, __version__
from neural_trader.backtesting.sweeping.paths import Paths
from neural_trader.backtesting.sweeping.running import LocalRunner, Plan
from neural_trader.errors import DataError, NeuralTraderError, StrategyLoadError
from neural_trader.market.catalog.references import bars_of_catalog
from neural_trader.strategy.expressions import FormulaStrategy
from neural_trader.strategy.expressions.roles import Formula
from neural_trader.strategy.expressions.strategy import class_of
from neural_trader.strategy.library import LIBRARY
from neural_trader.strategy.loading import find_strategy, parts_of

if TYPE_CHECKING:
    from neural_trader.backtesting.settings import Settings
    from neural_trader.backtesting.sweeping.measures import Figures, Floats
    from neural_trader.backtesting.sweeping.paths import Positions
    from neural_trader.backtesting.sweeping.space import Matrix
    from neural_trader.market.bars import Bars
    from neural_trader.strategy.base import Strategy


class NotHereError(DataError):
    """This worker's catalog has not the bars that are meant."""


class _UnwantedError(Exception):
    """Nobody waits for this block any more."""


@dataclass(frozen=True)
class Stored:
    """Bars that a worker reads from its own catalog, and the digest that they must have."""

    reference: str
    kind: str | None
    symbols: tuple[str, ...] | None
    start: Any
    end: Any
    settings: Settings
    digest: str

    def bars(self) -> list[Bars]:
        """The bars, read once by each worker; NotHereError where it has none, or others."""
        with _LOCK:
            if self.digest not in _READ:
                _READ.clear()
                try:
                    found = bars_of_catalog(self.reference, self.kind, self.symbols, self.start, self.end)
                except DataError as error:
                    raise NotHereError(str(error)) from error
                bars = [each.whole() for each in found]
                if Engine(bars, **self.settings.engine_arguments()).digests("", "")["inputs"] != self.digest:
                    raise NotHereError(f"{self.reference}: other bars than those of the sweep")
                _READ[self.digest] = bars
            return _READ[self.digest]


def has(stored: Stored) -> bool:
    """Whether this worker has those bars."""
    try:
        stored.bars()
    except NotHereError:
        return False
    return True


@dataclass(frozen=True)
class Script:
    """A strategy's file and the neighbours that it imported, by content: a worker need not share a disk with us."""

    path: str
    """Where it is on the machine that asks for the sweep."""
    class_name: str
    files: tuple[tuple[str, str], ...]
    """Paths below its folder, and what is in them; the first is the strategy's own."""

    @classmethod
    def of(cls, path: str, class_name: str, strategy: type[Strategy]) -> Script:
        """The file as it is now; the class that was found in it knows its place."""
        own = Path(path).resolve()
        files = {own.name: own.read_text(encoding="utf-8")}
        for name, module in sorted(sys.modules.items()):
            file = getattr(module, "__file__", None)
            below = (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py")
            for each in below:
                if file is not None and Path(file) == own.parent / each:
                    files[each] = Path(file).read_text(encoding="utf-8")
        return cls(str(getattr(sys.modules[strategy.__module__], "__file__", path)), class_name, tuple(files.items()))

    def unpacked(self) -> Path:
        """The strategy's file on this worker, beside its neighbours; those of an earlier sweep are forgotten."""
        digest = sha256(repr(self.files).encode()).hexdigest()
        if digest not in _FOLDERS:
            _FOLDERS[digest] = TemporaryDirectory(prefix="neural-trader-")
            for name, text in self.files:
                path = Path(_FOLDERS[digest].name).resolve() / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        folder = Path(_FOLDERS[digest].name).resolve()
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is None or Path(file).is_relative_to(folder):
                continue
            if any(Path(file).is_relative_to(Path(each.name).resolve()) for each in _FOLDERS.values()):
                del sys.modules[name]
        return folder / self.files[0][0]

    def reference(self) -> str:
        """How a strategy is named on this worker."""
        return f"{self.unpacked()}:{self.class_name}" if self.class_name else str(self.unpacked())

    def told(self, error: str) -> str:
        """An error in the words that it would have where the sweep was asked for."""
        file = self.unpacked()
        return error.replace(str(file), self.path).replace(str(file.parent), str(Path(self.path).resolve().parent))


@dataclass(frozen=True)
class Work:
    """Everything that is the same for all blocks of a sweep."""

    version: str
    strategy: dict[str, Any] | Script | str | type[Strategy]
    """The document of a formula, a file, a name that every worker knows, or the class of a notebook."""
    fixed: dict[str, Any]
    names: tuple[str, ...]
    market: tuple[Bars, ...] | Stored
    settings: Settings
    curve: bool

    @classmethod
    def of(cls, plan: Plan, stored: Stored | None) -> Work:
        """The work of a sweep; formulas go as documents, and files by content."""
        told: dict[str, Any] | Script | str | type[Strategy] = plan.strategy
        if issubclass(plan.found, FormulaStrategy):
            told = plan.found.formula.document()
        elif isinstance(plan.strategy, str) and plan.strategy not in LIBRARY:
            path, class_name = parts_of(plan.strategy)
            told = Script.of(path, class_name, plan.found) if path.endswith(".py") else plan.strategy
        market = tuple(plan.bars) if stored is None else stored
        return cls(__version__, told, dict(plan.fixed), tuple(plan.names), market, plan.settings, plan.curve)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Columns arrive wherever they lay in the message; the engine wants them on even addresses."""
        if not isinstance(state["market"], Stored):
            state["market"] = tuple(map(_aligned, state["market"]))
        self.__dict__.update(state)

    @property
    def is_formula(self) -> bool:
        """Whether Rust plays it, without Python's lock."""
        return isinstance(self.strategy, dict)

    def runner(self) -> LocalRunner:
        """What plays its points on this worker, on one thread: a cluster runs as many blocks at once as it has."""
        bars = self.market.bars() if isinstance(self.market, Stored) else list(self.market)
        strategy = self.strategy
        if isinstance(strategy, dict):
            strategy = class_of(Formula.from_document(strategy, "the formula of the sweep"), __name__)
        elif isinstance(strategy, Script):
            strategy = strategy.reference()
        found = find_strategy(strategy) if isinstance(strategy, str) else strategy
        return Plan(strategy, found, self.fixed, self.names, bars, self.settings, self.curve).runner(1)


def _aligned(bars: Bars) -> Bars:
    columns = {name: each for name, each in vars(bars).items() if isinstance(each, np.ndarray)}
    aligned: dict[str, Any] = {name: np.require(each, requirements=["C", "A"]) for name, each in columns.items()}
    return replace(bars, **aligned)


@dataclass(frozen=True)
class Task:
    """What a worker is asked for at once."""

    key: str
    """How the scheduler calls it."""
    points: Matrix
    ends: Positions | None
    """The samples at which equity is wanted, if it is."""
    open: Positions
    """The rows of which it is wanted."""


class Answer(NamedTuple):
    """What the engine counted at each point, what went wrong by row, and points with their curves."""

    figures: Figures
    failed: dict[int, str]
    curves: tuple[Matrix, Floats] | None


def play_block(work: Work, task: Task) -> Answer | None:
    """Play the points of a task; None where nobody waits for it any more."""
    from distributed import get_worker

    worker = get_worker()
    if work.version != __version__:
        raise NeuralTraderError(other_version(worker.address, __version__, work.version))

    told = work.strategy.told if isinstance(work.strategy, Script) else str

    def go_on(_share: float) -> None:
        known = worker.state.tasks.get(task.key)
        if known is None or known.state == "cancelled":
            raise _UnwantedError

    paths = None if task.ends is None else Paths(task.ends)
    try:
        # Strategies in Python take turns anyway, and may share what their modules hold.
        with nullcontext() if work.is_formula else _LOCK:
            go_on(0.0)
            runner = work.runner()
            runner.paths = paths
            figures, failed = runner.figures(task.points, go_on)
    except StrategyLoadError as error:
        raise StrategyLoadError(f"on the worker {worker.address}: {told(str(error))}") from error
    except _UnwantedError:
        return None
    curves = None if paths is None else paths.of(task.points[task.open])
    return Answer(figures, {row: told(error) for row, error in failed.items()}, curves)


def other_version(address: str, theirs: object, ours: str) -> str:
    """What is wrong with a worker that would not give our results."""
    return f"the worker {address} has neural-trader {theirs}, and here it is {ours}: install the same there"


_LOCK = threading.RLock()
_READ: dict[str, list[Bars]] = {}
"""Bars that this worker has read from its catalog, by their digest."""
_FOLDERS: dict[str, TemporaryDirectory[str]] = {}
"""Where files of strategies are, by what is in them, until the worker ends."""
