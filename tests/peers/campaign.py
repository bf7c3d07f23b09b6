"""A thousand random markets for each package, played by both sides once."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peers import like_backtesting_py, like_vectorbt
from peers.deviations import compare
from peers.markets import Job, order_job, signal_job

if TYPE_CHECKING:
    from collections.abc import Callable

MARKETS = int(os.environ.get("NT_PEER_MARKETS", "1000"))
EQUAL = "equal in everything"


@dataclass
class Campaign:
    """What came of the markets of one package."""

    counts: Counter[str] = field(default_factory=Counter)
    """Markets by named deviation; those without any are `EQUAL`."""
    unexplained: list[str] = field(default_factory=list)
    situations: Counter[str] = field(default_factory=Counter)
    trades: int = 0
    first: list[tuple[Job, Any]] = field(default_factory=list)
    """The first markets with the package's answers."""


def of_backtesting_py(ask: Callable[[str, Any], Any]) -> Campaign:
    """Orders of every kind against backtesting.py."""
    campaign = Campaign()
    jobs = [order_job(seed) for seed in range(MARKETS)]
    for job, theirs in zip(jobs, ask("backtesting", {"markets": jobs}), strict=True):
        result = like_backtesting_py.run(job)
        comparison = compare(job, theirs, like_backtesting_py.told(result, job), result)
        if comparison.unexplained:
            campaign.unexplained.append(f"seed {job['seed']}: {comparison.unexplained}")
        campaign.counts.update(comparison.named or {EQUAL})
        campaign.trades += len(theirs["closed"]) + len(theirs["open"])
        if len(campaign.first) < 40:
            campaign.first.append((job, theirs))
        campaign.situations.update(like_backtesting_py.situations(job, result))
    return campaign


def of_vectorbt(ask: Callable[[str, Any], Any]) -> Campaign:
    """Signals with stops and costs against vectorbt."""
    campaign = Campaign()
    jobs = [signal_job(seed) for seed in range(MARKETS)]
    for job, theirs in zip(jobs, ask("vectorbt", {"markets": jobs}), strict=True):
        result = like_vectorbt.run(job)
        comparison = like_vectorbt.compare(theirs, like_vectorbt.told(result))
        if comparison.unexplained:
            campaign.unexplained.append(f"seed {job['seed']}: {comparison.unexplained}")
        campaign.counts.update(comparison.named or {EQUAL})
        campaign.trades += len(theirs["trades"])
        if len(campaign.first) < 40:
            campaign.first.append((job, theirs))
        campaign.situations.update(like_vectorbt.situations(job, result))
    return campaign
