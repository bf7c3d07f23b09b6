"""``like="vectorbt"`` against vectorbt itself."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from peers import like_vectorbt
from peers.campaign import MARKETS, Campaign, of_vectorbt
from peers.markets import signal_job
from peers.table import DOCUMENT, table

if TYPE_CHECKING:
    from collections.abc import Callable

ENOUGH_MARKETS = 200


@pytest.fixture(scope="module")
def campaign(ask: Callable[[str, Any], Any]) -> Campaign:
    return of_vectorbt(ask)


def test_random_signals_fill_as_in_the_package(campaign: Campaign) -> None:
    shown = "\n".join(campaign.unexplained[:5])
    assert not campaign.unexplained, f"{len(campaign.unexplained)} of {MARKETS} markets differ:\n{shown}"


@pytest.mark.skipif(MARKETS < ENOUGH_MARKETS, reason="rare situations need more markets")
def test_random_signals_visit_every_rule(campaign: Campaign) -> None:
    assert not like_vectorbt.EXPECTED - set(campaign.situations)
    assert campaign.trades > 3 * MARKETS


@pytest.mark.skipif(MARKETS != 1000, reason="the document counts a thousand markets")
def test_the_document_has_the_counts_of_this_run(campaign: Campaign) -> None:
    assert table("vectorbt", campaign) in DOCUMENT.read_text(encoding="utf-8")


def test_an_exit_that_cannot_pay_its_fixed_fee_is_refused_there_and_made_here(ask: Callable[[str, Any], Any]) -> None:
    """The one rule that we do not share: the document says so, and this holds it to that."""
    job = signal_job(0) | {"cash": 10_000, "fixed": 3_500, "rate": 0, "slippage": 0, "sl": None, "tp": None}
    bars = len(job["close"])
    falling = [1_000] * 2 + [100] * (bars - 2)
    job |= dict.fromkeys(("open", "high", "low", "close"), falling)
    job |= {"entries": [True] + [False] * (bars - 1), "exits": [False] * 5 + [True] + [False] * (bars - 6)}
    theirs, ours = ask("vectorbt", {"markets": [job]})[0], like_vectorbt.told(like_vectorbt.run(job))
    assert [trade[-1] for trade in theirs["trades"]] == [0.0]
    assert [trade[-1] for trade in ours["trades"]] == [1.0]
    assert theirs["equity"][-1] == pytest.approx(6.5)
    assert ours["equity"][-1] == pytest.approx(6.5 - 35)


def test_a_difference_would_be_found(campaign: Campaign) -> None:
    for job, theirs in campaign.first:
        other = deepcopy(job)
        other["slippage"] += 1
        comparison = like_vectorbt.compare(theirs, like_vectorbt.told(like_vectorbt.run(other)))
        assert bool(comparison.unexplained) == bool(theirs["trades"]), job["seed"]
