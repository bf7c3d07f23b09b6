"""Whether a strategy acts on what it cannot know: it is run again with other futures, and must decide the same.

The bars after a sampled time are replaced, and with them what the strategy may have brought of its own
(:mod:`neural_trader.backtesting.poison`); orders up to that time must not change. Runs end a few bars after their time,
and the times are chosen so that all of them together cost no more than the run itself.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.backtesting.excerpt import Excerpt
from neural_trader.backtesting.poison import Poison, poison_attributes, poisoned_readers, surroundings
from neural_trader.codes import KINDS
from neural_trader.errors import StrategyRunError
from neural_trader.honesty.checks import LookAhead, WarmUp
from neural_trader.market.times import time_text

if TYPE_CHECKING:
    from neural_trader._native import Engine
    from neural_trader.backtesting.result import Result
    from neural_trader.market.bars import Series
    from neural_trader.strategy.base import Strategy
    from neural_trader.strategy.overlays import Overlay

SHARES = (0.4, 0.17, 0.07, 0.03, 0.01)
"""Where futures are replaced, as shares of the time of a run: with the stretch below 0.83 of its bars, since six short
runs cost a little more than one of their length."""
LATER = (0.25, 0.4)
"""The stretch that is played by a strategy which has seen nothing before it."""
_FALL, _RISE = 0.5, 2.0
_TRAILING = KINDS.index("trailing_stop")
_FIELDS = ("instrument", "side", "kind", "time_in_force", "expire_ns", "parent", "quantity", "limit", "stop", "trail")
PRICE_TOLERANCE = 1e-4
"""Prices of averages that never quite forget are equal when they differ by less than this share."""


@dataclass(frozen=True)
class Rerun:
    """What it takes to play a run again."""

    make: Callable[[bool], Strategy]
    """A fresh strategy; asked for it, of a module that is loaded anew where it came from a file."""
    play: Callable[[Strategy, Sequence[Series], Sequence[Overlay]], tuple[Engine, Exception | None]]
    """Plays series to a strategy: the engine as it was left, and the error that ended it."""
    series: Sequence[Series]
    overlays: Sequence[Overlay]
    strategy: Strategy
    """As the run left it."""
    engine: Engine

    def orders(
        self, series: Sequence[Series], poison: Poison | None = None, *, anew: bool = False
    ) -> tuple[dict[str, Any], Exception | None]:
        """The orders of playing other series; what the strategy prints is not shown again."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            if poison is not None:
                stack.enter_context(poisoned_readers(poison))
            home = type(self.strategy).__module__
            if home in sys.modules:
                # A module that is loaded under poison must not stay behind.
                stack.callback(sys.modules.__setitem__, home, sys.modules[home])
            strategy = self.make(anew)
            stack.enter_context(surroundings(type(strategy), poison))
            if poison is not None:
                _poison_once_started(strategy, self.strategy, poison)
            engine, error = self.play(strategy, series, [copy.copy(each) for each in self.overlays])
            return engine.order_arrays(), error


def checked(result: Result, rerun: Rerun, stated: int | None) -> Result:
    """The result with what playing it again shows."""
    reason = None
    if result.run["like"] is not None:
        reason = "the rules of another package are judged on all bars at once"
    elif _is_searched_by_a_graph(result.run):
        reason = "its memory is searched by a graph, which finds most of the best and not always the same"
    if reason is not None:
        return replace(result, look_ahead=LookAhead((), skipped=reason))
    return replace(result, look_ahead=look_ahead(rerun), warm_up=warm_up(rerun, stated))


def _is_searched_by_a_graph(run: dict[str, Any]) -> bool:
    # Most runs have no memory, and need none of its libraries.
    if "memory" not in run:
        return False
    from neural_trader.memory.index import GRAPH_FROM

    return int(run["memory"]["cards"]) >= GRAPH_FROM


def look_ahead(rerun: Rerun) -> LookAhead:
    """Replace the future after sampled times, and compare what was decided before."""
    begin_ns, end_ns = _span(rerun.series)
    if end_ns <= begin_ns:
        return LookAhead((), skipped="the run spans no time")
    whole = rerun.engine.order_arrays()
    times = _times(whole, begin_ns, end_ns)
    for at, time_ns in enumerate(times):
        factor = _against(whole, time_ns, at)
        poison = Poison.of(rerun.series, time_ns, factor)
        others = [Excerpt(each, time_ns, factor=factor) for each in rerun.series]
        # What a module computes when it is loaded may take long, and is seen where most has been decided.
        found = _difference(rerun, others, poison, whole, time_ns, anew=time_ns == times[-1])
        if found is None:
            continue
        # Whoever draws random numbers or remembers earlier runs differs without any other future, too.
        same = [Excerpt(each, time_ns) for each in rerun.series]
        if _difference(rerun, same, None, whole, time_ns) is not None:
            return LookAhead(tuple(times), f"{found}: decisions do not repeat, even on the same bars")
        return LookAhead(tuple(times), f"{found} once the bars after it are others")
    return LookAhead(tuple(times))


def warm_up(rerun: Rerun, stated: int | None) -> WarmUp | None:
    """Play a later stretch to a strategy that has seen nothing before, and say when it decides as the run did."""
    begin_ns, end_ns = _span(rerun.series)
    interval_ns = min((each.interval_ns for each in rerun.series if each.interval_ns > 0), default=0)
    if end_ns <= begin_ns or not interval_ns:
        return None
    from_ns, until_ns = (begin_ns + int(share * (end_ns - begin_ns)) for share in LATER)
    if stated is not None:
        # What is said to be enough takes as many bars again to be seen to be.
        until_ns = min(end_ns, max(until_ns, from_ns + 2 * stated * interval_ns))
    tried = (until_ns - from_ns) // interval_ns
    stretch = [Excerpt(each, until_ns, from_ns) for each in rerun.series]
    later, error = rerun.orders(stretch)
    if error is not None:
        return WarmUp(None, tried, 0, stated)
    rows = [_decisions(orders, from_ns, until_ns) for orders in (rerun.engine.order_arrays(), later)]
    compared = sum(map(len, rows))
    last = _last_difference(*rows)
    if last is None:
        return WarmUp(0, tried, compared, stated)
    bars = -(-(last - from_ns) // interval_ns) + 1
    # Equality that begins just before the end is none that can be relied on.
    return WarmUp(bars if bars <= 0.9 * tried else None, tried, compared, stated)


def _span(series: Sequence[Series]) -> tuple[int, int]:
    filled = [each for each in series if len(each)]
    return min((each.start_ns for each in filled), default=0), max((each.end_ns for each in filled), default=0)


def _times(orders: dict[str, Any], begin_ns: int, end_ns: int) -> list[int]:
    """Times to sample, the earliest first: that of the last order before each share of the run, where there is one."""
    found = set()
    for share in SHARES:
        wanted = begin_ns + int(share * (end_ns - begin_ns))
        sent = orders["time_ns"][: int(np.searchsorted(orders["time_ns"], wanted, side="right"))]
        is_near = len(sent) and sent[-1] > begin_ns + (wanted - begin_ns) // 2
        found.add(int(sent[-1]) if is_near else wanted)
    return sorted(found)


def _against(orders: dict[str, Any], time_ns: int, at: int) -> float:
    """A future against whoever knew the real one: falling after purchases, rising after sales, else by turns."""
    sides = orders["side"][orders["time_ns"] == time_ns]
    if len(sides):
        return _FALL if sides[0] > 0 else _RISE
    return (_FALL, _RISE)[at % 2]


def _poison_once_started(strategy: Strategy, before: Strategy, poison: Poison) -> None:
    start = strategy.on_start

    def on_start() -> None:
        start()
        poison_attributes(strategy, before, poison)

    poison_attributes(strategy, before, poison)
    strategy.on_start = on_start  # type: ignore[method-assign]


def _difference(
    rerun: Rerun,
    series: Sequence[Series],
    poison: Poison | None,
    whole: dict[str, Any],
    until_ns: int,
    *,
    anew: bool = False,
) -> str | None:
    """The first order up to a time that another run has otherwise, in words."""
    found, error = rerun.orders(series, poison, anew=anew)
    before, now = (_comparable(orders, until_ns) for orders in (whole, found))
    same = min(len(before), len(now))
    unlike = np.flatnonzero((before[:same] != now[:same]).any(axis=1))
    at = int(unlike[0]) if len(unlike) else same
    if at == len(before) == len(now):
        return None
    if error is not None and not isinstance(error, StrategyRunError):
        # That is no decision of the strategy's.
        raise error
    was = _described(whole, at, rerun.series) if at < len(before) else "nothing"
    becomes = _described(found, at, rerun.series) if at < len(now) else "nothing"
    when = min(int(orders["time_ns"][at]) for orders, rows in ((whole, before), (found, now)) if at < len(rows))
    return f"at {time_text(when)} {was} becomes {becomes}"


def _comparable(orders: dict[str, Any], until_ns: int) -> Any:
    """What was decided up to a time, one row for each order."""
    count = int(np.searchsorted(orders["time_ns"], until_ns, side="right"))
    columns = [np.asarray(orders[name][:count], np.float64) for name in _FIELDS]
    trailing = orders["kind"][:count] == _TRAILING
    # A trailing stop is at its last level, which later bars have moved.
    columns[_FIELDS.index("stop")] = np.where(trailing, 0.0, columns[_FIELDS.index("stop")])
    return np.column_stack([orders["time_ns"][:count].astype(np.float64), *columns])


def _described(orders: dict[str, Any], at: int, series: Sequence[Series]) -> str:
    side = "buy" if orders["side"][at] > 0 else "sell"
    symbol = series[int(orders["instrument"][at])].symbol
    return f"{side} {float(orders['quantity'][at]):.10g} {symbol}"


def _decisions(orders: dict[str, Any], from_ns: int, until_ns: int) -> list[tuple[int, ...] | tuple[float, ...]]:
    """Time, instrument, side, kind and prices of the orders within a stretch; sizes follow from the account."""
    times = orders["time_ns"]
    kept = np.flatnonzero((times > from_ns) & (times <= until_ns) & (orders["parent"] == 0))
    names = ("time_ns", "instrument", "side", "kind", "limit")
    return list(zip(*(orders[name][kept].tolist() for name in names), strict=True))


def _last_difference(one: list[Any], other: list[Any]) -> int | None:
    """The time of the last decision that only one of two runs took."""
    pairs = list(_unpaired(one[::-1], other[::-1]))
    return max(pairs, default=None)


def _unpaired(one: list[Any], other: list[Any]) -> Iterator[int]:
    """From the end, decision by decision, up to the first pair that differs."""
    for at in range(max(len(one), len(other))):
        if at >= len(one) or at >= len(other):
            yield (one if at < len(one) else other)[at][0]
            return
        mine, yours = one[at], other[at]
        close = abs(mine[4] - yours[4]) <= PRICE_TOLERANCE * max(abs(mine[4]), abs(yours[4]))
        if mine[:4] != yours[:4] or not close:
            yield max(mine[0], yours[0])
            return
