"""One strategy under fill assumptions from the kindest to the strictest: what of its profit is an artefact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader.report.fill_quality import fill_quality
from neural_trader.report.outcome import initial_cash
from neural_trader.report.rungs import Rung

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neural_trader.backtesting.replay_inputs import PerSymbol
    from neural_trader.backtesting.replay_settings import ReplaySettings
    from neural_trader.backtesting.result import Result

MARKOUT_S = 10


class Assumption(NamedTuple):
    """What a rung changes of the settings, and of the records that make the book."""

    name: str
    settings: dict[str, Any]
    depth: str | None = None
    needs: str | None = None
    """A kind of record without which it says nothing."""


LADDER = (
    Assumption("No latency, nobody before us", {"entry_ns": 0, "response_ns": 0, "queue": "front", "whole": False}),
    Assumption("Nobody before us", {"queue": "front", "whole": False}),
    Assumption("Best prices only", {"queue": "risk_averse", "whole": False}, "quotes", "quote"),
    Assumption("Cancellations by chance", {"queue": "log", "whole": False}),
    Assumption("Cancellations behind us", {"queue": "risk_averse", "whole": False}),
    Assumption("The same, whole fills only", {"queue": "risk_averse", "whole": True}),
)
"""From the kindest to the strictest; latency is that of the run but for the first."""

LADDER_OF_ORDERS = (
    Assumption("No latency", {"entry_ns": 0, "response_ns": 0, "whole": False}),
    Assumption("Our true place in the queue", {"whole": False}),
    Assumption("The same, whole fills only", {"whole": True}),
)
"""Where every order of others is known there is nothing to assume about queues."""


def fidelity_ladder(
    run: Callable[[ReplaySettings, PerSymbol], Result],
    settings: ReplaySettings,
    depth: PerSymbol,
    kinds: dict[str, int],
) -> tuple[Rung, ...]:
    """Runs every rung that the records allow; ``run`` plays the strategy under settings and a depth."""

    def rungs() -> Iterator[Rung]:
        for assumption in LADDER_OF_ORDERS if depth == "orders" else LADDER:
            if assumption.needs is not None and not kinds.get(assumption.needs):
                continue
            changed = replace(settings, **assumption.settings)
            book = assumption.depth or depth
            yield _rung(assumption.name, run(changed, book), is_run=changed == settings and book == depth)

    return tuple(rungs())


def _rung(name: str, result: Result, *, is_run: bool) -> Rung:
    quality = fill_quality(result)
    assert quality is not None
    shown = quality.document()
    markout = next(each["gain_bps"] for each in shown["markouts"] if each["seconds"] == MARKOUT_S)
    curve = result.equity_curve
    profit = float(curve[-1]) - initial_cash(result) if len(curve) else 0.0
    return Rung(name, profit, shown["fills"], shown["maker_share"], markout, is_run)
