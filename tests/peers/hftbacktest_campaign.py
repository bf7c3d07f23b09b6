"""Random markets and recorded sessions for hftbacktest, played by both sides once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peers.campaign import EQUAL, MARKETS, Campaign
from peers.deviations import BOUNDARY
from peers.hftbacktest_markets import SETTINGS, job_of
from peers.like_hftbacktest import NEARLY_ONE, Comparison, compare, records_of, run, situations

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers.hftbacktest_markets import Job, Market
    from peers.like_hftbacktest import Told


def of_hftbacktest(ask: Callable[[str, Any], Any]) -> Campaign:
    """Every setting in turn, on markets where times are equal by chance only, and on such where they mostly are."""
    pairs = [job_of(seed, ties=seed // len(SETTINGS) % 2 == 1) for seed in range(MARKETS)]
    return of_jobs(ask, [market for market, _ in pairs], [job | {"market": at} for at, (_, job) in enumerate(pairs)])


def of_jobs(ask: Callable[[str, Any], Any], markets: list[Market], jobs: list[Job]) -> Campaign:
    """Jobs that name their market by its place in the list."""
    campaign = Campaign()
    records = [records_of(market) for market in markets]
    told = ask("hftbacktest", {"markets": markets, "jobs": jobs})
    for job, theirs in zip(jobs, told, strict=True):
        ours = run(records[job["market"]], job)
        comparison = compare(job, theirs, ours)
        if comparison.unexplained and _is_at_a_boundary(ask, markets[job["market"]], job, ours):
            comparison = Comparison({BOUNDARY})
        if comparison.unexplained:
            campaign.unexplained.append(f"seed {job['seed']}: {comparison.unexplained}")
        campaign.counts.update(comparison.named or {EQUAL})
        campaign.trades += comparison.fills
        campaign.situations.update(situations(job, comparison, theirs))
        if len(campaign.first) < 2 * len(SETTINGS):
            campaign.first.append((job | {"records": records[job["market"]]}, theirs))
    return campaign


def _is_at_a_boundary(ask: Callable[[str, Any], Any], market: Market, job: Job, ours: Told) -> bool:
    """Whether the package fills as we do when half a lot of a place in the queue is a little more, or a little less."""
    jobs = [job | {"market": 0, "lot": lot} for lot in NEARLY_ONE]
    told = ask("hftbacktest", {"markets": [market], "jobs": jobs})
    return any(compare(job, theirs, ours).unexplained is None for theirs in told)
