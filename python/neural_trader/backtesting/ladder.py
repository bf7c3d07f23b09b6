"""One strategy under fill assumptions from the kindest to the strictest: what of its profit is an artefact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

import numpy as np

from neural_trader.backtesting.replay_settings import duration_ns, duration_text
from neural_trader.errors import ConfigError
from neural_trader.market.bar_points import BarRule, bar_records, venue_times
from neural_trader.report.fill_quality import fill_quality
from neural_trader.report.rungs import Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from neural_trader.backtesting.replay_settings import ReplaySettings
    from neural_trader.backtesting.result import Result
    from neural_trader.market.recordings import Recording

MARKOUT_S = 10
BARS = ("1m", "10s", "1s")
"""Intervals that are chosen from, and how many bars a session has at least of the one that is chosen."""
BARS_MIN = 50

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

    def __call__(
        self, settings: ReplaySettings, market: Mapping[str, Any], shown: NDArray[Any] | None = None
    ) -> Result: ...


def bar_of_ladder(recording: Recording, text: str | None) -> int:
    """The interval of the bars of a ladder in nanoseconds: the one that is given, or one that suits the session."""
    if text is not None:
        interval_ns = duration_ns("ladder_bar", text)
        if interval_ns == 0:
            raise ConfigError(f"ladder_bar {text!r}: the interval of bars is not zero")
        return interval_ns
    times_ns = venue_times(recording.records)
    known = times_ns[times_ns > 0]
    span_ns = int(known[-1] - known[0]) if len(known) else 0
    intervals_ns = [duration_ns("ladder_bar", each) for each in BARS]
    return next((each for each in intervals_ns if span_ns >= BARS_MIN * each), intervals_ns[-1])


def fidelity_ladder(
    run: Run,
    result: Result,
    settings: ReplaySettings,
    market: Mapping[str, Any],
    recording: Recording,
    bar_ns: int,
) -> tuple[Rung, ...]:
    """Every rung that the records allow, kindest first; ``result`` is what came of the run itself.

    The strategy is told the same records on every rung; what changes is what its orders meet.
    """
    bar = duration_text(bar_ns)
    own = Assumption("As this run", {})
    rungs = []
    for assumption in _rungs(market["depth"], recording):
        changed = replace(settings, **assumption.settings)
        is_recorded = assumption.meets == "recorded" or (assumption.meets == "levels" and market["depth"] == "levels")
        if is_recorded and changed == settings:
            own = Assumption(assumption.name, {})
            rungs.append(_rung(own.name, result, is_run=True))
            continue
        shown = None if is_recorded else _shown(assumption.meets, recording, market, bar_ns)
        rungs.append(_rung(assumption.name.format(bar), run(changed, _market(assumption.meets, market), shown)))
    return tuple(rungs) if any(rung.is_run for rung in rungs) else (*rungs, _rung(own.name, result, is_run=True))


def _rungs(depth: str, recording: Recording) -> Iterator[Assumption]:
    kinds = recording.kinds()
    # Levels are made of orders for one instrument.
    has_levels = depth == "levels" or (depth == "orders" and len(recording.instruments) == 1)
    if has_levels or kinds.get("trade") or kinds.get("aggregate_trade"):
        yield from OF_BARS
    if depth == "quotes":
        yield from (each._replace(meets="recorded") for each in OF_LEVELS if each.meets == "levels")
    elif has_levels:
        yield from (each for each in OF_LEVELS if each.meets != "quotes" or kinds.get("quote"))
    yield from OF_ORDERS if depth == "orders" else (WHOLE,)


def _market(meets: Meets, market: Mapping[str, Any]) -> dict[str, Any]:
    if meets in get_args(BarRule):
        return {**market, "depth": "quotes", "view": market["depth"], "by_bars": True}
    depth = market["depth"] if meets == "recorded" else meets
    return {**market, "depth": depth, "view": market["depth"]}


def _shown(meets: Meets, recording: Recording, market: Mapping[str, Any], bar_ns: int) -> NDArray[Any] | None:
    """The records that orders meet; None where they are recorded."""
    records = recording.records
    if meets == "quotes":
        return None
    if market["depth"] == "orders" and len(recording.instruments) == 1:
        from neural_trader.market.order_flow import collapsed

        records = np.concatenate(list(collapsed([records])))
    if meets == "levels":
        return records
    rule: BarRule = meets  # type: ignore[assignment]
    return bar_records(records, bar_ns, rule, market["trades"])


def _rung(name: str, result: Result, *, is_run: bool = False) -> Rung:
    quality = fill_quality(result)
    assert quality is not None
    shown = quality.document()
    markout = next(each["gain_bps"] for each in shown["markouts"] if each["seconds"] == MARKOUT_S)
    curve = result.equity_curve
    profit = float(curve[-1]) - float(result.run["cash"]) if len(curve) else 0.0
    return Rung(name, profit, shown["fills"], shown["maker_share"], markout, is_run)
