"""One strategy under fill assumptions from the kindest to the strictest: what of its profit is an artefact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

import numpy as np

from neural_trader.backtesting.replay_inputs import words_of
from neural_trader.backtesting.replay_settings import duration_ns, duration_text
from neural_trader.errors import ConfigError
from neural_trader.market.bar_points import BarRule, bar_records, joined_records, venue_times
from neural_trader.report.fill_quality import fill_quality
from neural_trader.report.outcome import initial_cash
from neural_trader.report.rungs import Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from neural_trader.backtesting.replay_inputs import PerSymbol, ReplayInputs
    from neural_trader.backtesting.replay_settings import ReplaySettings
    from neural_trader.backtesting.result import Result
    from neural_trader.market.recordings import Recording

MARKOUT_S = 10
BARS = ("1m", "10s", "1s")
"""Intervals that are chosen from, and how many bars a session has at least of the one that is chosen."""
BARS_MIN = 50

Shown = list[tuple["NDArray[Any]", "Sequence[int]"]]
"""Sources of what orders meet in place of what was recorded: records, and the rank of each of their instruments."""

Meets = Literal["recorded", "levels", "quotes", "close", "open", "path"]
"""What orders meet: the recorded book, its levels where it has single orders, its best prices, or points of bars."""

AT_ONCE = {"entry_ns": 0, "response_ns": 0}
PARTLY = {"whole": False}


class Assumption(NamedTuple):
    """What a rung changes of the settings, and what orders meet under it."""

    name: str
    settings: dict[str, Any]
    meets: Meets = "recorded"


OF_BARS = (
    Assumption("Fill at the close of {} bars", AT_ONCE | PARTLY, "close"),
    Assumption("Fill at the next open of {} bars", AT_ONCE | PARTLY, "open"),
    Assumption("Path through {} bars", AT_ONCE | PARTLY, "path"),
)
"""What backtests on bars assume: neither latency, nor a spread, nor a queue."""
OF_LEVELS = (
    Assumption("No latency, nobody before us", AT_ONCE | PARTLY | {"queue": "front"}, "levels"),
    Assumption("Nobody before us", PARTLY | {"queue": "front"}, "levels"),
    Assumption("Best prices only", PARTLY | {"queue": "risk_averse"}, "quotes"),
    Assumption("Cancellations by chance", PARTLY | {"queue": "log"}, "levels"),
    Assumption("Cancellations behind us", PARTLY | {"queue": "risk_averse"}, "levels"),
)
"""Latency is from here on that of the run."""
WHOLE = Assumption("The same, whole fills only", {"queue": "risk_averse", "whole": True})
OF_ORDERS = (
    Assumption("Our true place in the queue", PARTLY),
    Assumption("The same, whole fills only", {"whole": True}),
)
"""Where every order of others is known there is nothing to assume about queues."""


class Run(Protocol):
    """Plays the strategy under settings; with ``shown``, its orders meet these records."""

    def __call__(self, settings: ReplaySettings, market: Mapping[str, Any], shown: Shown | None = None) -> Result: ...


def bar_of_ladder(recordings: Sequence[Recording], text: str | None) -> int:
    """The interval of the bars of a ladder in nanoseconds: the one that is given, or one that suits the session."""
    if text is not None:
        interval_ns = duration_ns("ladder_bar", text)
        if interval_ns == 0:
            raise ConfigError(f"ladder_bar {text!r}: the interval of bars is not zero")
        return interval_ns
    times_ns = np.concatenate([venue_times(each.records) for each in recordings])
    known = times_ns[times_ns > 0]
    span_ns = int(known.max() - known.min()) if len(known) else 0
    intervals_ns = [duration_ns("ladder_bar", each) for each in BARS]
    return next((each for each in intervals_ns if span_ns >= BARS_MIN * each), intervals_ns[-1])


def fidelity_ladder(
    run: Run,
    result: Result,
    settings: ReplaySettings,
    market: Mapping[str, Any],
    inputs: ReplayInputs,
    bar_ns: int,
) -> tuple[Rung, ...]:
    """Every rung that the records allow, kindest first; ``result`` is what came of the run itself.

    The strategy is told the same records on every rung; what changes is what its orders meet.
    """
    bar = duration_text(bar_ns)
    own = Assumption("As this run", {})
    rungs = []
    for assumption in _rungs(market["depth"], inputs):
        changed = replace(settings, **assumption.settings)
        is_recorded = assumption.meets == "recorded" or (assumption.meets == "levels" and market["depth"] == "levels")
        if is_recorded and changed == settings:
            own = Assumption(assumption.name, {})
            rungs.append(_rung(own.name, result, is_run=True))
            continue
        shown = None if is_recorded else _shown(assumption.meets, inputs, market, bar_ns)
        rungs.append(_rung(assumption.name.format(bar), run(changed, _market(assumption.meets, market), shown)))
    return tuple(rungs) if any(rung.is_run for rung in rungs) else (*rungs, _rung(own.name, result, is_run=True))


def _rungs(depth: PerSymbol, inputs: ReplayInputs) -> Iterator[Assumption]:
    kinds = inputs.kinds()
    has_levels = depth == "levels" or (depth == "orders" and _can_collapse(inputs))
    if has_levels or kinds.get("trade") or kinds.get("aggregate_trade"):
        yield from OF_BARS
    has_quotes = bool(inputs.common_kinds().get("quote"))
    if has_levels:
        yield from (each for each in OF_LEVELS if each.meets != "quotes" or has_quotes)
    elif depth != "orders":
        # Those of quotes, or where instruments differ: each book as it was recorded.
        as_recorded = (each._replace(meets="recorded") if each.meets == "levels" else each for each in OF_LEVELS)
        yield from (each for each in as_recorded if each.meets == "recorded" or (depth != "quotes" and has_quotes))
    yield from OF_ORDERS if depth == "orders" else (WHOLE,)


def _can_collapse(inputs: ReplayInputs) -> bool:
    """Whether levels can be made of single orders: they are for one instrument."""
    return all(len(each.instruments) == 1 for each in inputs.recordings)


def _market(meets: Meets, market: Mapping[str, Any]) -> dict[str, Any]:
    if meets in get_args(BarRule):
        return {**market, "depth": "quotes", "view": market["depth"], "by_bars": True}
    depth = market["depth"] if meets == "recorded" else meets
    return {**market, "depth": depth, "view": market["depth"]}


def _shown(meets: Meets, inputs: ReplayInputs, market: Mapping[str, Any], bar_ns: int) -> Shown | None:
    """The records that orders meet; None where they are recorded."""
    if meets == "quotes":
        return None
    sources: Shown = [(each.records, ranks) for each, ranks in zip(inputs.recordings, inputs.ranks, strict=True)]
    if market["depth"] == "orders" and _can_collapse(inputs):
        from neural_trader.market.order_flow import collapsed

        sources = [(np.concatenate(list(collapsed([records]))), ranks) for records, ranks in sources]
    if meets == "levels":
        return sources
    rule: BarRule = meets  # type: ignore[assignment]
    trades = words_of(market["trades"], inputs.listed, "trade")
    return [(bar_records(joined_records(sources), bar_ns, rule, trades), range(len(inputs.listed)))]


def _rung(name: str, result: Result, *, is_run: bool = False) -> Rung:
    quality = fill_quality(result)
    assert quality is not None
    shown = quality.document()
    markout = next(each["gain_bps"] for each in shown["markouts"] if each["seconds"] == MARKOUT_S)
    curve = result.equity_curve
    profit = float(curve[-1]) - initial_cash(result) if len(curve) else 0.0
    return Rung(name, profit, shown["fills"], shown["maker_share"], markout, is_run)
