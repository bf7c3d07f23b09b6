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


def test_a_difference_would_be_found(ask: Callable[[str, Any], Any]) -> None:
    jobs = [signal_job(seed) for seed in range(40)]
    for job, theirs in zip(jobs, ask("vectorbt", {"markets": jobs}), strict=True):
        other = deepcopy(job)
        other["slippage"] += 1
        comparison = like_vectorbt.compare(theirs, like_vectorbt.told(like_vectorbt.run(other)))
        assert bool(comparison.unexplained) == bool(theirs["trades"]), job["seed"]
