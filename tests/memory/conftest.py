"""Memories of made-up decisions."""

from __future__ import annotations

import random

import pytest

from neural_trader.memory import Card, Memory, Outcome

NAMES = ("heat", "move", "place", "stretch")


def situation(generator: random.Random) -> dict[str, float]:
    return {name: generator.gauss(0.0, 1.0) for name in NAMES}


def made_cards(count: int, seed: int = 1, *, step_ns: int = 1000) -> list[Card]:
    """Decisions one after the other, each of which ends some steps later, or never."""
    generator = random.Random(seed)
    cards = []
    for at in range(count):
        time_ns = (at + 1) * step_ns
        outcome = None
        if generator.random() < 0.8:
            gain = generator.gauss(0.0, 0.02)
            close_ns = time_ns + generator.randrange(1, 40) * step_ns
            outcome = Outcome(close_ns, 100 * gain, gain, max(gain, 0.0) + 0.01, min(gain, 0.0) - 0.01, 0.1)
        cards.append(
            Card(
                time_ns=time_ns,
                strategy=generator.choice(("cross", "reversion")),
                symbol=generator.choice(("ALPHA", "BETA", "GAMMA")),
                action=generator.choice(("buy", "sell")),
                quantity=1.0 + at,
                price=100.0,
                features=situation(generator),
                regime=generator.choice(("trend", "range", "stress")),
                outcome=outcome,
            )
        )
    return cards


@pytest.fixture
def memory(tmp_path):
    with Memory(tmp_path / "memory.sqlite") as opened:
        yield opened
