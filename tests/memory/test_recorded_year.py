"""What docs/memory.md tells of recorded bars of an hour, held to runs over them."""

from __future__ import annotations

import pytest

import neural_trader as nt
from neural_trader.memory import Memory

NEVER = 10**9
FIRST, STEP = 40, 97
"""The first card of the table among those that ended, and how far apart they are."""


@pytest.fixture(scope="module")
def hours(shared_data):
    return shared_data / "bars" / "binance_spot_1h_2024-01-01_2024-09-06"


@pytest.fixture(scope="module")
def page(repository):
    return " ".join((repository / "docs" / "memory.md").read_text(encoding="utf-8").split())


def test_the_recalls_of_the_page_are_those_of_the_recorded_hours(hours, page, tmp_path):
    with Memory(tmp_path / "memory.sqlite") as memory:
        never = nt.backtest("memory_momentum", hours, parameters={"least": NEVER}, memory=memory, look_ahead=False)
        ended = [card for card in memory.all_cards() if card.outcome is not None]
        won = sum(card.outcome.gain > 0 for card in ended) / len(ended)
        assert f"writes {len(memory)} cards, {won:.0%} of those that ended".replace("%", " %") in page
        for card in ended[FIRST::STEP]:
            found = memory.retrieve_top_k(card.features, 10, before_ns=card.time_ns)
            numbers = f"{found.searched} | {found.expected_gain:+.2%} | {found.success_rate:.0%}"
            nearest = ", ".join(f"{each.card.id}" for each in list(found)[:3])
            row = f"| {card.id} | {card.symbol} | {card.regime} | {numbers} | {nearest} | {card.outcome.gain:+.2%} |"
            assert row in page
    asked = nt.backtest("memory_momentum", hours, look_ahead=False)
    losses = [f"loses {-result.stats['Return [%]']:.0f} %" for result in (never, asked)]
    assert f"and {losses[0]}. Asking them, it {losses[1]}." in page


def test_the_verdict_of_the_page_is_that_of_the_recorded_hours(hours, page):
    given = {"grid": {"n": "24,48,96"}, "folds": 4, "trials": "off", "threads": 1}
    asked, never = (
        -nt.walkforward("memory_momentum", hours, parameters=parameters, **given).statistics()["return"]
        for parameters in ({}, {"least": NEVER})
    )
    assert f"it loses {asked:.1f} % with its memory and {never:.1f} % without" in page
