"""Running one strategy over bars."""

from __future__ import annotations

import hashlib
import json
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader._native import Engine, __version__, run_position
from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.counting import counted
from neural_trader.backtesting.inputs import gather_bars
from neural_trader.backtesting.look_ahead import Rerun, checked
from neural_trader.backtesting.remembering import place_of_memory, remembering, start_of
from neural_trader.backtesting.result import Result
from neural_trader.backtesting.settings import Fee, Settings, Slippage
from neural_trader.backtesting.snapshots import Course, Saving, is_ours
from neural_trader.errors import EngineError, NeuralTraderError, StrategyRunError, UsageError
from neural_trader.honesty.checks import LookAhead
from neural_trader.market.bars import Bars
from neural_trader.market.catalog.references import is_reference, with_kind
from neural_trader.market.times import time_text
from neural_trader.strategy.base import Strategy
from neural_trader.strategy.library import LIBRARY
from neural_trader.strategy.loading import find_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from neural_trader._native import Replay
    from neural_trader.market.bars import Series
    from neural_trader.memory.memory import Memory
    from neural_trader.memory.recorder import Recorder
    from neural_trader.strategy.overlays import Overlay

DEFAULT_SEED = 7
_HOOKS = ("on_bar", "on_moment", "on_fill", "on_order")
_OF_REPLAYS = ("on_trade", "on_quote", "on_book", "on_batch", "on_timer")


def backtest(
    strategy: str | type[Strategy] | Strategy = "sma_cross",
    data: Any = None,
    *,
    kind: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    overlays: Sequence[Overlay] = (),
    symbols: Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    cash: float | str | Decimal | None = None,
    fee: float | str | Decimal | Fee | None = None,
    slippage: float | str | Decimal | Slippage | None = None,
    fill: str | None = None,
    limit: str = "touch",
    leverage: float | str | Decimal = 1,
    volume_cap: float | str | Decimal | None = None,
    close_at_end: bool = False,
    currency: str = "USD",
    like: str | None = None,
    account: Mapping[str, Any] | str | Path | None = None,
    funding: Any = None,
    seed: int = DEFAULT_SEED,
    snapshot: str | Path | None = None,
    stop_at: Any = None,
    every: str | None = None,
    resume: str | Path | None = None,
    benchmark: bool = True,
    native: bool = True,
    trials: str | Path | None = None,
    look_ahead: bool = True,
    warm_up: int | None = None,
    memory: str | Path | Memory | None = None,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Run a strategy over bars and return what came of it.

    ``strategy`` is a library name, ``"file.py:Class"``, a class (with ``parameters``) or an instance. ``data`` is a
    file or folder, a polars or pandas frame, a mapping of symbol to frame, ``Bars``, ``"catalog:VENUE/INSTRUMENT"``
    (``kind`` says which, where there are bars of several lengths), or nothing for the seeded synthetic markets.
    Several instruments share one account: 10,000 unless ``cash`` says otherwise. Costs are on by default: ``fee``
    ("0.1%") is a rate or ``"MAKER/TAKER/FIXED"``, ``slippage`` ("2bps") also such as ``"1 tick"`` or ``"0.5 spread"``.
    ``fill="close"`` fills at the deciding bar's close instead of the next open.
    ``like="backtesting.py:exclusive_orders"`` or ``like="vectorbt"`` plays by the rules of that package, whose cash,
    costs and fill are then the defaults; docs/peer-parity.md has its rules and its options.
    ``snapshot`` is a file in which the run is saved: ``every`` so long by the clock of the bars ("30d"), and where it
    is to stop, ``stop_at`` a time or after so many turns of the strategy ("500 turns"), which raises
    :class:`~neural_trader.errors.RunStopped`. ``resume`` is the snapshot from which the same run goes on; its hash is
    that of the run that never stopped (docs/snapshots.md).
    ``account`` is what an account is beyond one currency and spot instruments, as a mapping or a TOML file:
    ``{"instruments": {"BTCUSDT": {"kind": "linear", "maintenance": "0.5%"}}}``, currencies with deposits and rates, fee
    tiers, interest (docs/fill-rules.md, section 11). ``funding`` are rates of contracts: a CSV or Parquet file or a
    frame with columns ``time`` and ``rate``, with ``symbol`` if there are several and ``mark`` if it is known.
    ``native=False`` keeps library strategies that have a Rust form in Python; the outcome is the same.
    ``trials`` names the ledger that counts this run (``"off"``: none); docs/honesty.md says where it is otherwise.
    ``look_ahead=False`` does not check whether decisions follow from the past alone, and from how many bars of it,
    which takes as long as the run; ``warm_up`` says how many bars are enough.
    ``memory`` is a file, the URL of a database, or an open :class:`~neural_trader.memory.Memory`, into which the run
    writes a card for each decision, and which the strategy can ask what came of like ones (docs/memory.md).
    ``progress`` is called now and then with the share of bars played.

    Bars of the catalog are played from their files, so that memory does not grow with their number; with ``like`` they
    are loaded whole.

    Raises the errors of :mod:`neural_trader.errors`, each one line that says what to do.

    >>> import neural_trader as nt
    >>> result = nt.backtest("sma_cross", parameters={"fast": 5, "slow": 20})
    >>> result.bars[0].origin
    'synthetic'
    """
    settings = Settings.of(
        cash=cash,
        fee=fee,
        slippage=slippage,
        fill=fill,
        limit=limit,
        leverage=leverage,
        volume_cap=volume_cap,
        close_at_end=close_at_end,
        currency=currency,
        like=like,
        account=AccountSettings.of(account, funding),
    )
    # It names places in strategies as this module does.
    from neural_trader.backtesting.own_figures import own_figures

    saving = Saving.of(snapshot=snapshot, stop_at=stop_at, every=every, resume=resume)
    instance = instance_of(strategy, parameters)
    bars = gather_bars(data, kind=kind, symbols=symbols, start=start, end=end, seed=seed)
    if settings.like is not None:
        bars = settings.like.fitted(bars, settings.cash)
    name, charged = name_of(instance), settings.account
    run = {
        "strategy": name,
        "parameters": instance.parameters,
        "overlays": [overlay.document() for overlay in overlays],
        **settings.document(),
        "seed": seed if data is None else None,
    }
    with remembering(
        instance, name, overlays, memory, start_of(bars), run=run, account=charged, saving=saving
    ) as recorder:
        engine = play(
            instance,
            bars,
            settings,
            overlays=overlays,
            native=native,
            progress=progress,
            recorder=recorder,
            saving=saving,
            run=run,
        )
    result = Result(
        engine=engine,
        version=__version__,
        run=run,
        series=bars,
        origin={
            "strategy": strategy if isinstance(strategy, str) else None,
            "class": type(instance).__qualname__,
            "source_sha256": source_digest(instance),
            "data": _origin(data, kind),
            "symbols": list(symbols) if symbols else None,
            "start": None if start is None else str(start),
            "end": None if end is None else str(end),
            **place_of_memory(memory),
        },
        warnings=_warnings(engine, settings),
        figures=own_figures(instance),
        run_benchmark=lambda: buy_and_hold(bars, settings) if benchmark else None,
    )
    result = counted(result, type(instance), trials)
    if not look_ahead:
        return result
    if saving is not None and saving.resume is not None:
        return replace(result, look_ahead=LookAhead((), skipped="the run goes on from a snapshot"))

    def again(other: Strategy, series: Sequence[Series], worn: Sequence[Overlay]) -> tuple[Engine, Exception | None]:
        # Who asks a memory is to find there what it held before the run; who only writes has written.
        basis = run.get("memory")
        known = None if basis is None or memory is None else int(basis["revision"])
        asked_of = None if known is None else memory
        with remembering(other, name, worn, asked_of, start_of(series), run={}, account=charged, as_of=known) as asked:
            return attempt(other, series, settings, overlays=worn, native=native, recorder=asked)

    # An instance has come from a class that is there already.
    given = type(strategy) if isinstance(strategy, Strategy) else strategy
    rerun = Rerun(
        make=lambda anew: instance_of(given if anew else type(instance), instance.parameters),
        play=again,
        series=bars,
        overlays=overlays,
        strategy=instance,
        engine=engine,
    )
    return checked(result, rerun, warm_up)


def _origin(data: Any, kind: str | None) -> str | None:
    """Where the bars can be had again."""
    if is_reference(data):
        return with_kind(data, kind)
    return str(data) if isinstance(data, str) or hasattr(data, "__fspath__") else None


def play(
    strategy: Strategy,
    bars: Sequence[Series],
    settings: Settings,
    *,
    overlays: Sequence[Overlay] = (),
    native: bool = True,
    progress: Callable[[float], None] | None = None,
    recorder: Recorder | None = None,
    saving: Saving | None = None,
    run: Mapping[str, Any] | None = None,
) -> Engine:
    """Play bars, sorted by symbol, to a strategy; returns the engine as the run left it."""
    engine, error = attempt(
        strategy,
        bars,
        settings,
        overlays=overlays,
        native=native,
        progress=progress,
        recorder=recorder,
        saving=saving,
        run=run,
    )
    if error is not None:
        raise error
    return engine


def attempt(
    strategy: Strategy,
    bars: Sequence[Series],
    settings: Settings,
    *,
    overlays: Sequence[Overlay] = (),
    native: bool = True,
    progress: Callable[[float], None] | None = None,
    recorder: Recorder | None = None,
    saving: Saving | None = None,
    run: Mapping[str, Any] | None = None,
) -> tuple[Engine, Exception | None]:
    """Play bars to a strategy; returns the engine as it was left, and the error that ended the run, if one did.

    ``saving`` says where the run is saved or goes on, and ``run`` then what it is.
    """
    hears = {hook for hook in (*_HOOKS, *_OF_REPLAYS) if getattr(type(strategy), hook) is not getattr(Strategy, hook)}
    if hears & set(_OF_REPLAYS) and not hears & {"on_bar", "on_moment"}:
        raise UsageError(f"{name_of(strategy)} decides on books and trades; a backtest has bars: use replay")
    faults: list[Exception] = []
    engine = _engine(bars, settings, faults)
    interval_ns = min((each.interval_ns for each in bars if each.interval_ns > 0), default=0)
    strategy._bind(engine, bars, tuple(overlays), interval_ns)
    if recorder is not None:
        strategy._remember(recorder)
        native = False
    is_native = native and not overlays and _is_native(strategy)
    course = None if saving is None else _course(saving, engine, strategy, bars, is_native, overlays, run or {})

    def stretch(state: bytes | None) -> tuple[bool, bytes | None]:
        native_run = strategy.native() if is_native else None
        if native_run is None:
            engine.play(**_callbacks(strategy, overlays, recorder), progress=_counted(progress, bars))
            return run_position(engine)[0], None
        name, arguments = native_run
        # A formula keeps no state, and is not saved.
        kept = {} if course is None else {"state": state}
        state = getattr(engine, name)(*arguments, **kept)
        return state is None, state

    try:
        if saving is None or saving.resume is None:
            strategy.on_start()
            for overlay in overlays:
                overlay.on_start(strategy)
        if course is None:
            stretch(None)
        else:
            course.play(stretch)
        strategy.on_stop()
    except Exception as error:  # noqa: BLE001 - whose it is decides who is told
        if isinstance(error, EngineError) or error in faults or is_ours(course, error):
            return engine, error
        told = StrategyRunError(place_of(strategy, error))
        told.__cause__ = error
        return engine, told
    return engine, None


def _course(
    saving: Saving,
    engine: Engine,
    strategy: Strategy,
    bars: Sequence[Series],
    is_native: bool,
    overlays: Sequence[Overlay],
    run: Mapping[str, Any],
) -> Course:
    from neural_trader.strategy.expressions.strategy import FormulaStrategy

    if isinstance(strategy, FormulaStrategy):
        raise UsageError(f"{name_of(strategy)} is a formula, and those run whole: leave out the snapshot")
    if saving.stop_turns is not None and is_native and "native" in vars(type(strategy)):
        raise UsageError(f"{name_of(strategy)} runs in Rust, where turns are not counted: stop_at a time")
    grids = json.dumps([[each.symbol, each.tick, each.lot] for each in bars])
    return Course(saving, engine, strategy, run, grids, source_digest(strategy), is_native, overlays)


def buy_and_hold(bars: Sequence[Series], settings: Settings) -> Engine:
    """Equal shares bought at the first bars and kept, at the same costs: what every report compares with."""
    engine = _engine(bars, settings, [])
    engine.run_buy_and_hold(10**9 // len(bars))
    return engine


def _engine(bars: Sequence[Series], settings: Settings, faults: list[Exception]) -> Engine:
    """An engine over bars in memory, or over pieces that it asks for; ``faults`` gets what is wrong with those."""
    arguments = settings.engine_arguments([each.symbol for each in bars], [each.tick for each in bars])
    if all(isinstance(each, Bars) for each in bars):
        return Engine([each.whole() for each in bars], **arguments)

    def noted(each: Series) -> Iterator[Bars]:
        try:
            yield from each.pieces()
        except Exception as fault:
            faults.append(fault)
            raise

    pieces = [noted(each) for each in bars]
    return Engine([each.empty() for each in bars], pieces=pieces, **arguments)


def instance_of(strategy: str | type[Strategy] | Strategy, parameters: Mapping[str, Any] | None) -> Strategy:
    """The strategy that a user names or gives, with its parameters."""
    if isinstance(strategy, Strategy):
        if parameters:
            raise UsageError("parameters go to a strategy class or name; this is an instance that already has its own")
        # A fresh one, so that the same instance can be run twice without one run seeing the other.
        return type(strategy)(**strategy.parameters)
    if isinstance(strategy, str):
        strategy = find_strategy(strategy)
    # The types rule this out, but a notebook does not check types.
    if not (isinstance(strategy, type) and issubclass(strategy, Strategy)):  # type: ignore[redundant-expr]
        raise UsageError(f"{strategy!r} is no strategy: give a name, a class derived from Strategy, or an instance")
    return strategy(**(parameters or {}))


def name_of(strategy: Strategy) -> str:
    """The library name of a library strategy, else the name of the class."""
    of_class = {entry.class_name: name for name, entry in LIBRARY.items()}
    own = type(strategy)
    if own.__module__.startswith("neural_trader.strategy.library."):
        return of_class.get(own.__name__, own.__name__)
    return own.__name__


def source_digest(strategy: Strategy) -> str | None:
    """SHA-256 of the file of a user's strategy; the version tells a library strategy, and a notebook has no file."""
    own = type(strategy).__module__
    file = getattr(sys.modules.get(own), "__file__", None)
    if own.startswith("neural_trader.strategy.library.") or file is None or not Path(file).is_file():
        return None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _is_native(strategy: Strategy) -> bool:
    """Whether the class that says it has a Rust form is the one whose callbacks would run."""
    own = type(strategy)
    owner = next(base for base in own.__mro__ if "native" in vars(base))
    return all(getattr(own, hook) is getattr(owner, hook) for hook in _HOOKS)


def _callbacks(strategy: Strategy, overlays: Sequence[Overlay], recorder: Recorder | None = None) -> dict[str, Any]:
    """The engine's callbacks; those that a strategy does not define cost nothing."""
    own = type(strategy)

    def defined(hook: str) -> bool:
        return getattr(own, hook) is not getattr(Strategy, hook)

    callbacks: dict[str, Any] = {}
    if overlays or recorder is not None:

        def on_bar(bar: Any) -> None:
            if recorder is not None:
                recorder.bar_closed(bar.symbol, bar.high, bar.low, bar.close)
            for overlay in overlays:
                overlay.on_bar(strategy, bar)
            strategy.on_bar(bar)

        callbacks["on_bar"] = on_bar
    elif defined("on_bar"):
        callbacks["on_bar"] = strategy.on_bar
    if defined("on_moment"):
        callbacks["on_moment"] = strategy.on_moment
    if recorder is not None:

        def on_fill(at: int) -> None:
            fill = strategy._fill(at)
            recorder.filled(fill)
            strategy.on_fill(fill)

        callbacks["on_fill"] = on_fill
    elif defined("on_fill"):
        callbacks["on_fill"] = lambda at: strategy.on_fill(strategy._fill(at))
    if defined("on_order"):
        callbacks["on_order"] = lambda order: strategy.on_order(strategy._order(order))
    return callbacks


def _counted(progress: Callable[[float], None] | None, bars: Sequence[Series]) -> Callable[[int], None] | None:
    if progress is None:
        return None
    total = max(1, sum(len(each) for each in bars))
    return lambda played: progress(played / total)


def place_of(strategy: Strategy, error: Exception) -> str:
    """One line about an error in a strategy: what it was, when, and the last line of the strategy's own code."""
    name = type(strategy).__name__
    if isinstance(error, NeuralTraderError):
        what = str(error)
    else:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    own = own_frames(error)
    if not own:
        return f"{name}: {what}"
    when = f" at {time_text(strategy.now_ns)}" if strategy.now_ns > 0 else ""
    return f"{name}.{own[-1].name}{when}, {own[-1].filename} line {own[-1].lineno}: {what}"


def own_frames(error: Exception) -> list[traceback.FrameSummary]:
    """The frames of an error that are a strategy's, not ours: none where it came up between two of its turns."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) not in _ENGINE_FILES]


_PACKAGE = Path(__file__).parents[1]
_ENGINE_FILES = {
    *Path(__file__).parent.glob("*.py"),
    *(_PACKAGE / "strategy" / f"{name}.py" for name in ("base", "loading", "parameters", "terms")),
}


def _warnings(engine: Engine, settings: Settings) -> tuple[str, ...]:
    warnings = []
    if engine.halted:
        warnings.append("The account was ruined: equity reached zero, every position was closed, and trading stopped.")
    warnings += liquidated(engine)
    if settings.fill == "close":
        warnings.append("Market orders filled at the very close that decided them: a price that could not be had.")
    if not settings.fee.taker and not settings.fee.fixed and not (settings.account and settings.account.fee_tiers):
        warnings.append("No fees were charged.")
    return tuple(warnings)


def liquidated(engine: Engine | Replay) -> list[str]:
    """A word on positions that were taken from the account."""
    count = len(engine.liquidations)
    if not count:
        return []
    what = "A position was" if count == 1 else f"{count} positions were"
    return [f"{what} liquidated: equity had fallen below the maintenance margin."]
