"""Uplift, skills and forgetting: what cards teach, on cards of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memory.conftest import made_cards
from neural_trader.errors import DataError, UsageError
from neural_trader.memory import Card, Memory, Outcome
from neural_trader.memory.embedding import fit
from neural_trader.memory.retention import Retention
from neural_trader.memory.skills import skills, wilson_low
from neural_trader.memory.uplift import estimated, uplift

EFFECT = 0.01


def confounded(seed, count=400, *, effect=EFFECT, bends=False):
    """Choices that are rather made where it goes well anyway, so that a plain difference overstates what they do."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, 3))
    chance = 1 / (1 + np.exp(-1.2 * features[:, 0] + 0.5 * features[:, 1]))
    treated = generator.random(count) < chance
    base = 0.02 * features[:, 0] - 0.01 * features[:, 2] + (0.01 * features[:, 0] ** 2 if bends else 0.0)
    gains = base + effect * treated + generator.normal(0, 0.02, count)
    return features, treated, gains


def test_the_interval_holds_the_true_effect_as_often_as_it_says():
    runs, held, naive_held = 200, 0, 0
    for seed in range(runs):
        found = estimated(*confounded(seed))
        held += found.low <= EFFECT <= found.high
        width = (found.high - found.low) / 2
        naive_held += abs(found.naive - EFFECT) <= width
    # 95 % of 200 with four standard deviations of a fair binomial to either side.
    assert held >= 0.95 * runs - 4 * math.sqrt(runs * 0.95 * 0.05)
    assert naive_held < runs / 10, "the plain difference is fooled by these cards, or the test proves nothing"


def test_the_estimate_is_right_though_one_of_its_models_is_wrong():
    effects = [estimated(*confounded(seed, 1500, bends=True)).effect for seed in range(40)]
    assert np.mean(effects) == pytest.approx(EFFECT, abs=4 * np.std(effects) / math.sqrt(len(effects)))


def test_no_effect_is_mostly_not_clear():
    clear = sum(estimated(*confounded(seed, effect=0.0)).is_clear for seed in range(200))
    assert clear <= 0.05 * 200 + 4 * math.sqrt(200 * 0.05 * 0.95)


def test_uplift_reads_cards_and_refuses_too_few():
    features, treated, gains = confounded(3, 3000)
    cards = [
        Card(
            at, "s", "A", "buy", 1.0, 1.0, {f"f{j}": float(x) for j, x in enumerate(row)}, "slow" if t else "fast",
            outcome=Outcome(at + 1, 1.0, float(gain), 0.1, 0.0, 0.0),
        )
        for at, (row, t, gain) in enumerate(zip(features, treated, gains, strict=True))
    ]  # fmt: skip
    found = uplift(cards, lambda card: card.reason == "slow")
    assert (found.treated, found.untreated) == (int(treated.sum()), int((~treated).sum()))
    assert found.low < EFFECT < found.high and found.is_clear
    with pytest.raises(DataError, match="too few"):
        uplift(cards[:30], lambda card: card.reason == "slow")
    with pytest.raises(DataError, match="too few"):
        uplift([], lambda card: True)


def test_the_wilson_interval_is_that_of_statsmodels_tables():
    # Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001): n = 10, x = 9 gives 0.5958.
    assert wilson_low(9, 10) == pytest.approx(0.5958, abs=5e-5)
    assert wilson_low(0, 10) == 0.0 == wilson_low(0, 0)


def situations_with_a_skill(seed):
    """Buying works in one corner of the market and is a coin toss elsewhere."""
    generator = np.random.default_rng(seed)
    cards = []
    for at in range(600):
        is_corner = at % 4 == 0
        row = generator.normal(0, 0.15, 3) + (np.array([3.0, 3.0, 0.0]) if is_corner else generator.normal(0, 1.0, 3))
        won = generator.random() < (0.8 if is_corner else 0.5)
        gain = 0.02 if won else -0.02
        features = dict(zip("abc", row.tolist(), strict=True))
        cards.append(
            Card(at, "s", "A", "buy", 1.0, 1.0, features, outcome=Outcome(at + 1, gain, gain, 0.1, 0.0, 0.0), id=at + 1)
        )
    return cards


def test_a_situation_in_which_buying_works_becomes_a_skill():
    for seed in range(5):
        cards = situations_with_a_skill(seed)
        found = skills(cards, fit([card.features for card in cards]))
        assert found, seed
        best = found[0]
        assert best.typical["a"] == pytest.approx(3.0, abs=0.3) and best.typical["b"] == pytest.approx(3.0, abs=0.3)
        assert best.uses > 100 and best.success_rate > 0.7 and best.success_rate_low > 0.5
        assert best.mean_gain > 0 and len(set(best.cards)) == best.uses
        assert skills(list(reversed(cards)), fit([card.features for card in cards])) == found


def test_coin_tosses_rarely_look_like_skills():
    found = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        cards = [
            Card(at, "s", "A", "buy", 1.0, 1.0, {"a": float(generator.normal())}, id=at + 1,
                 outcome=Outcome(at + 1, 1.0, float(generator.choice([-0.01, 0.01])), 0.1, 0.0, 0.0))
            for at in range(200)
        ]  # fmt: skip
        found += len(skills(cards, fit([card.features for card in cards])))
    # A handful of gatherings in each of 40 markets, each fooled in at most 1 of 40 cases.
    assert found <= 12


def test_what_the_rules_let_go_is_forgotten_and_nothing_else(tmp_path):
    with Memory(tmp_path / "memory.sqlite") as memory:
        ids = memory.add(made_cards(100))
        cards = list(memory.all_cards())
        still_open = {card.id for card in cards if card.outcome is None}
        gone = Retention(newest=30, always={ids[0]}).forgotten(cards)
        assert set(gone) == set(ids[:70]) - still_open - {ids[0]}
        assert Retention(after_ns=cards[50].time_ns, open_ones=False).forgotten(cards) == ids[:50]
        assert Retention().forgotten(cards) == []
        assert memory.forget(gone) == len(gone)
        assert {card.id for card in memory.all_cards()} == set(ids) - set(gone)
    with pytest.raises(UsageError, match="negative"):
        Retention(newest=-1)
