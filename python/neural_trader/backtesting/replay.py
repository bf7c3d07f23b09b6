"""Running one strategy over recorded books and trades."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader import _native
from neural_trader._native import Replay, __version__, inputs_digest, run_position
from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.batches import has_batches, tell_in_batches
from neural_trader.backtesting.journal import check_free, journaled
from neural_trader.backtesting.ladder import Shown, bar_of_ladder, fidelity_ladder
from neural_trader.backtesting.own_figures import own_figures
from neural_trader.backtesting.remembering import place_of_memory, remembering
from neural_trader.backtesting.replay_inputs import ReplayInputs, inputs_of, words_of
from neural_trader.backtesting.replay_settings import ReplaySettings, duration_text
from neural_trader.backtesting.result import Result
from neural_trader.backtesting.run import (
    buy_and_hold,
    instance_of,
    liquidated,
    name_of,
    own_frames,
    place_of,
    source_digest,
)
from neural_trader.backtesting.settings import Settings
from neural_trader.backtesting.snapshots import Course, Saving, is_ours
from neural_trader.errors import EngineError, StrategyRunError, UsageError
from neural_trader.market.bars import Bars
from neural_trader.strategy.base import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from neural_trader._native import Engine
    from neural_trader.backtesting.settings import Fee, Slippage
    from neural_trader.market.recordings import Listed, Recording
    from neural_trader.memory.memory import Memory
    from neural_trader.memory.recorder import Recorder


def replay(
    strategy: str | type[Strategy] | Strategy,
    data: Any,
    *,
    venue: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    symbols: Sequence[str] | None = None,
    cash: float | str | Decimal = 100_000,
    fee: float | str | Decimal | Fee = "0.02%/0.05%",
    leverage: float | str | Decimal = 1,
    currency: str = "USD",
    latency: str = "10ms",
    feed: str | None = None,
    queue: str = "risk_averse",
    whole: bool = False,
    self_trade: str = "cancel_newest",
    sample: str = "1s",
    impact: str | None = None,
    slippage: float | str | Decimal | Slippage | None = None,
    account: Mapping[str, Any] | str | Path | None = None,
    funding: Any = None,
    ladder: bool = False,
    ladder_bar: str | None = None,
    journal: str | Path | None = None,
    snapshot: str | Path | None = None,
    stop_at: Any = None,
    every: str | None = None,
    resume: str | Path | None = None,
    benchmark: bool = True,
    native: bool = True,
    memory: str | Path | Memory | None = None,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Play recorded books and trades to a strategy, tick by tick, and return what came of it.

    ``strategy`` is as for :func:`neural_trader.backtest`; it is told of trades, quotes, books, timers and of what
    venues answer. ``data`` is a captured session (one file or several, with ``venue``), a file of records (``.npy``),
    what a catalog holds (``catalog:VENUE/INSTRUMENT``), a :class:`~neural_trader.market.recordings.Recording`, or a
    list of these, which are played on one time line; "FILE@VENUE" says of a file whose it is. A symbol that several
    venues have is called ``SYMBOL@VENUE``. Bars (:class:`~neural_trader.Bars`, files of them, or
    ``catalog:VENUE/INSTRUMENT/bars-1d``) may be among them: their orders meet them as in a backtest, with ``slippage``.
    Orders take ``latency`` to the venue and back ("10ms", or "10ms/5ms"); records arrive when they were received,
    unless ``feed`` says after how long. ``queue`` is the model of the place in a queue of which only the sum is known:
    "risk_averse", or such as "power:3" (docs/book-rules.md has them all). ``whole``: orders at rest fill wholly or not
    at all. ``sample`` is the time between samples of equity. ``impact`` makes prices worse after takes: "2bps/500ms"
    for taking all the depth, and the time in which half of that is gone.
    ``account`` and ``funding`` are as for :func:`neural_trader.backtest`.
    ``ladder`` runs the strategy again under kinder and stricter assumptions, for ``Result.ladder``; those of backtests
    on bars take bars of ``ladder_bar``, by default "1m", "10s" or "1s" so that the session has at least fifty.
    ``journal`` is a new file for what is decided and answered, which ``neural-trader replay FILE --verify`` plays
    again (docs/journal.md).
    ``snapshot`` is a file in which the run is saved: ``every`` so long by the clock of the records ("10m"), and where
    it is to stop, ``stop_at`` a time or after so many turns of the strategy ("500 turns"), which raises
    :class:`~neural_trader.errors.RunStopped`. ``resume`` is the snapshot from which the same run goes on; its hash is
    that of the run that never stopped (docs/snapshots.md).
    ``native=False`` keeps library strategies that have a Rust form in Python; the outcome is the same.
    ``memory`` is as for :func:`neural_trader.backtest`; a card has ended when its end was told here.

    Raises the errors of :mod:`neural_trader.errors`, each one line that says what to do.
    """
    settings = ReplaySettings.of(
        cash=cash,
        fee=fee,
        leverage=leverage,
        currency=currency,
        latency=latency,
        feed=feed,
        queue=queue,
        whole=whole,
        self_trade=self_trade,
        sample=sample,
        impact=impact,
        account=AccountSettings.of(account, funding),
    )
    saving = Saving.of(snapshot=snapshot, stop_at=stop_at, every=every, resume=resume)
    _check_outputs(saving, ladder, ladder_bar, journal, memory)
    inputs = inputs_of(data, venue, symbols)
    of_bars = _settings_of_bars(slippage, settings) if inputs.bars else None
    if of_bars is not None and (journal is not None or ladder):
        raise UsageError("a journal and a ladder are of books and trades; leave out the bars")
    if of_bars is None and slippage is not None:
        raise UsageError("slippage is for bars; what an order pays in a book is what it takes of it")
    listed, recipe, kinds = inputs.listed, inputs.recipe, inputs.kinds()
    recorded = {"depth": inputs.depth(), "trades": inputs.trades()}
    bar_ns = bar_of_ladder(inputs.recordings, ladder_bar) if ladder else None

    def run(
        settings: ReplaySettings,
        market: Mapping[str, Any],
        shown: Shown | None = None,
        told: Callable[[float], None] | None = None,
        journal: str | Path | None = None,
    ) -> Result:
        instance = instance_of(strategy, parameters)
        if not inputs.bars:
            _refuse_bars(instance)
        engine = engine_of(inputs, settings, market, of_bars, shown)
        document = {"strategy": name_of(instance), "parameters": instance.parameters, **settings.document(), **market}
        if of_bars is not None:
            document["slippage"] = of_bars.document()["slippage"]
        if journal is not None and has_batches(instance):
            raise UsageError("a journal is of records that come one by one; leave it out where there is an on_batch")
        wants = [hook for hook in _TOLD if hook in _callbacks(instance)]
        name, charged = name_of(instance), settings.account
        with (
            remembering(
                instance, name, (), memory, _start_ns(engine), run=document, account=charged, saving=saving
            ) as recorder,
            nullcontext()
            if journal is None
            else journaled(
                journal, engine, version=__version__, run=document, listed=listed, recipe=recipe, wants=wants
            ) as end,
        ):
            course = None
            if saving is not None:
                source = source_digest(instance)
                course = Course(
                    saving, engine, instance, document, inputs_digest(engine), source, _is_native(instance, native)
                )
            play(
                instance,
                engine,
                listed,
                native=native,
                progress=_share(told, len(inputs)),
                course=course,
                recorder=recorder,
                bars={each.symbol: each for each in inputs.bars},
            )
            bars = tuple(
                inputs.series(k) or _sampled(engine, k, each, inputs.recordings_of(k)[0], settings.sample_ns)
                for k, each in enumerate(listed)
            )
            result = Result(
                engine=engine,
                version=__version__,
                run=document,
                series=bars,
                origin={
                    "strategy": strategy if isinstance(strategy, str) else None,
                    "class": type(instance).__qualname__,
                    "source_sha256": source_digest(instance),
                    "data": " + ".join(each.source for each in inputs.recordings if each.origin == "file") or None,
                    "symbols": list(symbols) if symbols else None,
                    "ladder_bar": None if bar_ns is None else duration_text(bar_ns),
                    **{name: recipe.get(name) for name in ("files", "venue", "seed", "duration")},
                    **({"recordings": recipe["recordings"]} if "recordings" in recipe else {}),
                    **place_of_memory(memory),
                },
                warnings=(*inputs.warnings, *_warnings(engine, settings), *_unheard(instance, kinds)),
                figures=own_figures(instance),
                run_benchmark=lambda: _buy_and_hold(bars, settings, engine.sample_count) if benchmark else None,
            )
            if end is not None:
                end(result.hash)
        return result

    result = run(settings, recorded, None, progress, journal)
    if bar_ns is None:
        return result
    return replace(result, ladder=fidelity_ladder(run, result, settings, recorded, inputs, bar_ns))


def _start_ns(engine: Replay) -> int:
    """When the first record arrives here."""
    engine.begin()
    return engine.now_ns


def _check_outputs(
    saving: Saving | None, ladder: bool, ladder_bar: str | None, journal: str | Path | None, memory: object
) -> None:
    """Refuse what cannot be had together, before anything is played."""
    if memory is not None and ladder:
        raise UsageError("a ladder plays a run again and again, and a memory is of one; leave one of the two out")
    if saving is not None and (ladder or journal is not None):
        other = "ladder" if ladder else "journal"
        raise UsageError(f"{other} is of a whole run; leave it out of one that is saved or goes on")
    if journal is not None:
        check_free(Path(journal))
    if ladder_bar is not None and not ladder:
        raise UsageError("ladder_bar is the interval of the bars of a ladder; ask for one, too")


def play(
    strategy: Strategy,
    engine: Replay,
    listed: Sequence[Listed],
    *,
    native: bool = True,
    progress: Callable[[int], None] | None = None,
    course: Course | None = None,
    recorder: Recorder | None = None,
    bars: Mapping[str, Bars] | None = None,
) -> None:
    """Play the records of a replay to a strategy; an error in it says where and when.

    ``course`` is for a run that is saved, or goes on from where it was saved; ``recorder`` writes its cards, for which
    it looks at ``bars``, too.
    """
    strategy._bind(engine, listed, ())
    if recorder is not None:
        native = False
        _remember(strategy, engine, recorder, bars or {})
    tell_in_batches(strategy, engine)

    def stretch(state: bytes | None) -> tuple[bool, bytes | None]:
        native_run = strategy.native() if _is_native(strategy, native) else None
        if native_run is not None:
            name, arguments = native_run
            state = getattr(_native, name)(engine, *arguments, state=state, progress=progress)
        else:
            engine.play(**_callbacks(strategy, recorder), progress=progress)
        return run_position(engine)[0], state

    try:
        if course is None or course.saving.resume is None:
            engine.begin()
            strategy.on_start()
        if course is None:
            stretch(None)
        else:
            course.play(stretch)
        strategy.on_stop()
    except EngineError as error:
        # What a strategy asked for has a place in it; what is wrong with a record has none.
        if not own_frames(error) or is_ours(course, error):
            raise
        raise EngineError(place_of(strategy, error)) from error
    except Exception as error:
        if is_ours(course, error):
            raise
        raise StrategyRunError(place_of(strategy, error)) from error


def _is_native(strategy: Strategy, native: bool) -> bool:
    # A class derived from one that has a Rust form may do something else.
    return native and "native" in vars(type(strategy))


def engine_of(
    inputs: ReplayInputs,
    settings: ReplaySettings,
    market: Mapping[str, Any],
    of_bars: Settings | None = None,
    shown: Shown | None = None,
) -> Replay:
    """A replay that has not begun; ``market`` says which records make books, and which tell trades.

    With ``shown``, orders meet these records in place of those of which the strategy is told.
    """
    arguments = settings.engine_arguments(
        [each.symbol for each in inputs.listed], [each.tick for each in inputs.listed]
    )
    instruments = [(each.symbol, each.tick, each.lot) for each in inputs.listed]
    sources: Shown = [(each.words, ranks) for each, ranks in zip(inputs.recordings, inputs.ranks, strict=True)]
    words: dict[str, Any] = {
        name: words_of(found, inputs.listed, _OTHER[name]) if name in _OTHER else found
        for name, found in market.items()
    }
    if shown is not None:
        words["roles"] = ["here"] * len(sources) + ["venue"] * len(shown)
        sources += [(records.view(np.int64), ranks) for records, ranks in shown]
    if of_bars is not None:
        exact = of_bars.engine_arguments()
        words |= {name: exact[name] for name in ("slippage_ticks", "slippage_ppb", "slippage_spread_ppb")}
        words["bars"] = inputs.ranked_bars
    return Replay(instruments, sources, **arguments, **words)


_OTHER = {"depth": "levels", "trades": "trade", "view": "levels"}
"""What may differ by instrument, and what stands there for those of bars."""


def _settings_of_bars(slippage: Any, settings: ReplaySettings) -> Settings:
    """What else orders for bars are charged."""
    return Settings.of(
        cash=settings.cash,
        fee=settings.fee,
        slippage=slippage,
        fill="open",
        limit="touch",
        leverage=settings.leverage,
        volume_cap=None,
        close_at_end=False,
        currency=settings.currency,
    )


def _refuse_bars(strategy: Strategy) -> None:
    if type(strategy).on_bar is not Strategy.on_bar or type(strategy).on_moment is not Strategy.on_moment:
        raise UsageError(
            f"{type(strategy).__name__} decides on bars; a replay has books and trades: use on_trade, on_book"
        )


def _remember(strategy: Strategy, engine: Replay, recorder: Recorder, bars: Mapping[str, Bars]) -> None:
    from neural_trader.strategy.replay_situation import ReplaySituation

    situation = ReplaySituation(engine, strategy.symbols, bars)
    recorder.news = situation.news
    strategy._remember(recorder, situation)


def _callbacks(strategy: Strategy, recorder: Recorder | None = None) -> dict[str, Any]:
    """The engine's callbacks; those that a strategy does not define cost nothing."""
    own = type(strategy)

    def defined(hook: str) -> bool:
        return getattr(own, hook) is not getattr(Strategy, hook)

    callbacks = {hook: getattr(strategy, hook) for hook in _HOOKS if defined(hook)}
    if defined("on_fill"):
        callbacks["on_fill"] = lambda at: strategy.on_fill(strategy._fill(at))
    if defined("on_order"):
        callbacks["on_order"] = lambda order, event: strategy.on_order(strategy._order(order, event))
    if recorder is not None:

        def on_told(number: int, event: str) -> None:
            if event == "fill":
                # What filled at its venue is known from now on.
                recorder.filled(strategy._fill(number)._replace(time_ns=strategy.now_ns))
            else:
                recorder.answered(number, event)

        callbacks["on_told"] = on_told
    return callbacks


_HOOKS = ("on_trade", "on_quote", "on_book", "on_bar", "on_moment", "on_timer")
_TOLD = {
    "on_trade": ("trade", "aggregate_trade"),
    "on_quote": ("quote",),
    "on_book": ("level", "snapshot_end", "order_add"),
}
"""The records that call a hook."""


def _sampled(engine: Replay, k: int, listed: Listed, recording: Recording, sample_ns: int) -> Bars:
    """Bars of the middle between best bid and ask at each sample of equity, for charts and for buy and hold."""
    times, _ = engine.equity_curve()
    bids, asks = engine.touch_arrays(k)
    has_both = (bids > 0) & (asks > 0)
    # Where a side is empty the last middle stays; before the first there is none, and no bar.
    seen = np.maximum.accumulate(np.where(has_both, np.arange(len(times)), -1))
    close = ((bids + asks) // 2)[np.maximum(seen, 0)]
    first = int(np.argmax(has_both)) if has_both.any() else len(times)
    close, close_ns = close[first:], times[first:]
    open_ = np.concatenate([close[:1], close[:-1]])
    open_ns = np.maximum(close_ns - sample_ns, np.concatenate([close_ns[:1] - sample_ns, close_ns[:-1]]))
    return Bars(
        symbol=listed.symbol,
        tick=listed.tick,
        lot=listed.lot,
        open_ns=open_ns,
        close_ns=close_ns,
        open=open_,
        high=np.maximum(open_, close),
        low=np.minimum(open_, close),
        close=close,
        origin=recording.origin,
        source=recording.source,
        interval_ns=sample_ns,
        notes=(
            *recording.notes,
            f"{len(recording):,} records were played; bars are middle prices at samples of equity",
        ),
    )


def _buy_and_hold(bars: Sequence[Bars], settings: ReplaySettings, samples: int) -> Engine | None:
    """Buy and hold of the sampled middles at the same fees."""
    if not samples or any(len(each) != samples for each in bars):
        # An instrument without a book from the first sample on could not have been bought then.
        return None
    fee = replace(settings.fee, maker=settings.fee.taker)
    plain = Settings.of(
        cash=settings.cash,
        fee=fee,
        slippage=0,
        fill="open",
        limit="touch",
        leverage=settings.leverage,
        volume_cap=None,
        close_at_end=False,
        currency=settings.currency,
        account=settings.account,
    )
    return buy_and_hold(bars, plain)


def _share(progress: Callable[[float], None] | None, records: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda played: progress(played / max(1, records))


def _warnings(engine: Replay, settings: ReplaySettings) -> tuple[str, ...]:
    warnings = []
    if engine.halted:
        warnings.append("The account was ruined: equity reached zero, every position was closed, and trading stopped.")
    warnings += liquidated(engine)
    if not settings.entry_ns and not settings.response_ns:
        warnings.append("Orders reached their venue without any latency.")
    if not settings.fee.maker and not settings.fee.taker and not settings.fee.fixed:
        warnings.append("No fees were charged.")
    return tuple(warnings)


def _unheard(strategy: Strategy, kinds: Mapping[str, int]) -> list[str]:
    """A word for each hook of a strategy that such records could not call."""
    hooks = [hook for hook in _TOLD if getattr(type(strategy), hook) is not getattr(Strategy, hook)]
    return [
        f"{hook} was never called: the data has no such records."
        for hook in hooks
        if not any(kinds.get(name) for name in _TOLD[hook])
    ]
