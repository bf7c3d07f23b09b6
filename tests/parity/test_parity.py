"""Thousands of random cases, played by both engines and compared in everything that they leave behind."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest

from parity.difference import first_difference
from parity.outcome import play_baseline, play_rust
from parity.programs import make_case
from parity.situations import EXPECTED, situations

SEEDS = int(os.environ.get("NT_PARITY_SEEDS", "2000"))
ENOUGH_SEEDS = 2000
"""With fewer, rare situations may be missing by chance."""
DIFFERENCES_SHOWN = 3


@dataclass
class Campaign:
    differences: list[str] = field(default_factory=list)
    covered: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    played = Campaign()
    for seed in range(SEEDS):
        case = make_case(seed)
        baseline, engine = play_baseline(case)
        played.covered.update(situations(case, baseline, engine))
        difference = first_difference(case, baseline, play_rust(case))
        if difference is not None:
            played.differences.append(difference)
    return played


def test_both_engines_agree_on_every_order_fill_posting_sample_trade_and_digest(campaign: Campaign) -> None:
    shown = "\n\n".join(campaign.differences[:DIFFERENCES_SHOWN])
    assert not campaign.differences, f"{len(campaign.differences)} of {SEEDS} cases differ:\n{shown}"


@pytest.mark.skipif(SEEDS < ENOUGH_SEEDS, reason=f"rare situations need at least {ENOUGH_SEEDS} seeds")
def test_the_cases_cover_every_interesting_situation(campaign: Campaign) -> None:
    assert not EXPECTED - set(campaign.covered), "these situations never occurred"


def test_a_difference_would_be_found() -> None:
    """The comparison itself is held to account: a case differs from the same case with a little more money."""
    case = make_case(4)
    richer = make_case(4)
    richer.config["cash"] += 1
    difference = first_difference(case, play_baseline(case)[0], play_rust(richer))
    assert difference is not None and "seed 4" in difference
