"""Strategies that are told of records in batches: columns of all that has arrived, once in an interval."""

from __future__ import annotations

from typing import Any
from weakref import WeakMethod

from neural_trader._native import Replay
from neural_trader.backtesting.replay_settings import duration_ns
from neural_trader.errors import ConfigError, UsageError
from neural_trader.market.events import EVENT, KIND
from neural_trader.strategy.base import Strategy

_ONE_BY_ONE = ("on_trade", "on_quote", "on_book")


def has_batches(strategy: Strategy) -> bool:
    """Whether a strategy is told of records in batches."""
    return type(strategy).on_batch is not Strategy.on_batch


def tell_in_batches(strategy: Strategy, engine: Replay) -> None:
    """Make an engine call ``on_batch`` where a strategy has it.

    ConfigError where the interval is none or a kind unknown, UsageError where records are to come one by one, too.
    """
    if not has_batches(strategy):
        return
    own = type(strategy)
    others = [hook for hook in _ONE_BY_ONE if getattr(own, hook) is not getattr(Strategy, hook)]
    if others:
        raise UsageError(
            f"{own.__name__} has on_batch and {others[0]}: records come in batches or one by one, not both"
        )
    interval_ns = duration_ns(f"{own.__name__}.batch", strategy.batch)
    if interval_ns == 0:
        raise ConfigError(f"{own.__name__}.batch {strategy.batch!r}: the time between batches is not zero")
    if any(kind not in KIND for kind in strategy.batch_kinds):
        raise ConfigError(
            f"{own.__name__}.batch_kinds {strategy.batch_kinds!r}: a tuple of kinds of records, such as "
            f"('trade', 'level'), or () for all"
        )
    # An engine that held on to the strategy, which holds on to it, would never be let go.
    on_batch = WeakMethod(strategy.on_batch)

    def tell(words: Any) -> None:
        told = on_batch()
        if told is not None:
            told(words.view(EVENT))

    engine.batches(tell, interval_ns, list(strategy.batch_kinds))
