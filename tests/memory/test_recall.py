"""Keeping, finding, ending and forgetting cards, held against a search that looks at every card in plain Python."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.conftest import made_cards, situation
from neural_trader.errors import DataError, UsageError
from neural_trader.memory import Card, Memory, Outcome, Weighting
from neural_trader.memory.cards import card_of

CARDS = made_cards(300)


def is_let_through(card, wanted):
    """What a filter means, said once more in plain words."""
    before_ns = wanted.get("before_ns")
    has_ended = card.outcome is not None and (before_ns is None or card.outcome.close_ns < before_ns)
    if any(getattr(card, name) != wanted[name] for name in ("symbol", "strategy", "regime") if name in wanted):
        return False
    if before_ns is not None and card.time_ns >= before_ns:
        return False
    if card.time_ns < wanted.get("after_ns", 0):
        return False
    ended = wanted.get("ended")
    if ended is None and (before_ns is not None or "won" in wanted):
        ended = True
    if ended is not None and has_ended != ended:
        return False
    return "won" not in wanted or (card.outcome.gain > 0) == wanted["won"]


def nearest_of_all(memory, cards, query, k, wanted):
    embedding = memory.learned_embedding()
    point = embedding.embed([query])[0].tolist()
    allowed = [card for card in cards if is_let_through(card, wanted)]
    points = embedding.embed([card.features for card in allowed]).tolist() if allowed else []
    distances = [math.dist(point, other) for other in points]
    order = sorted(range(len(allowed)), key=lambda at: (distances[at], allowed[at].id))[:k]
    return [allowed[at].id for at in order], [distances[at] for at in order], len(allowed)


filters = st.fixed_dictionaries(
    {},
    optional={
        "symbol": st.sampled_from(("ALPHA", "BETA", "DELTA")),
        "strategy": st.sampled_from(("cross", "reversion")),
        "regime": st.sampled_from(("trend", "stress")),
        "after_ns": st.integers(0, 310_000),
        "before_ns": st.integers(0, 340_000),
        "ended": st.booleans(),
        "won": st.booleans(),
    },
).filter(lambda wanted: not (wanted.get("ended") is False and "won" in wanted))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    with Memory(tmp_path_factory.mktemp("memory") / "full.sqlite") as opened:
        opened.add(CARDS)
        yield opened


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 30), wanted=filters)
def test_the_nearest_that_a_filter_lets_through_are_found_exactly(full, seed, k, wanted):
    query = situation(random.Random(seed))
    kept = list(full.all_cards())
    ids, distances, searched = nearest_of_all(full, kept, query, k, wanted)
    found = full.retrieve_top_k(query, k, **wanted)
    assert [card.id for card in found.cards] == ids
    assert found.distances.tolist() == pytest.approx(distances, rel=1e-6, abs=1e-6)
    assert found.searched == searched


def test_an_outcome_is_not_shown_before_its_time(full):
    card = next(each for each in full.all_cards() if each.outcome is not None)
    before = full.retrieve_top_k(card.features, 1, before_ns=card.outcome.close_ns, ended=False)
    after = full.retrieve_top_k(card.features, 1, before_ns=card.outcome.close_ns + 1)
    assert before.cards[0].id == after.cards[0].id == card.id
    assert before.cards[0].outcome is None and math.isnan(before.gains[0])
    assert after.cards[0].outcome == card.outcome and after.gains[0] == card.outcome.gain


def test_cards_of_one_distance_stand_in_the_order_in_which_they_were_kept(memory):
    same = [dataclasses.replace(CARDS[0], time_ns=at) for at in (5, 3, 4, 1)]
    ids = memory.add(same)
    assert [card.id for card in memory.retrieve_top_k(CARDS[0].features, 4).cards] == ids


def test_a_decision_made_again_is_kept_once_with_its_outcome(memory):
    card = dataclasses.replace(CARDS[0], outcome=None)
    outcome = Outcome(card.time_ns + 1, 1.0, 0.01, 0.02, 0.0, 0.1)
    assert memory.add([card]) == memory.add([card.ended(outcome)]) == memory.add([card])
    assert len(memory) == 1
    assert next(memory.all_cards()).outcome == outcome


def test_a_card_is_what_its_document_says():
    for card in CARDS[:20]:
        assert card_of(card.document()) == card


def test_forgotten_cards_are_not_found(memory):
    ids = memory.add(CARDS)
    memory.retrieve_top_k(CARDS[7].features, 1)
    assert memory.forget([ids[7], ids[7], 10_000]) == 1
    assert ids[7] not in [card.id for card in memory.retrieve_top_k(CARDS[7].features, 20).cards]
    assert len(memory) == len(CARDS) - 1
    with pytest.raises(DataError, match=f"no card {ids[7]}"):
        memory.cards([ids[7]])


def test_what_another_process_writes_is_found_without_opening_anew(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as reader, Memory(path) as writer:
        writer.add(CARDS[:100])
        assert reader.retrieve_top_k(CARDS[5].features, 1).cards[0].time_ns == CARDS[5].time_ns
        (new,) = writer.add([dataclasses.replace(CARDS[200], outcome=None)])
        assert reader.retrieve_top_k(CARDS[200].features, 1).cards[0].id == new
        writer.end([(new, Outcome(10**9, 1.0, 0.5, 0.5, 0.0, 0.0))])
        assert reader.retrieve_top_k(CARDS[200].features, 1).gains[0] == 0.5
        writer.learn()
        assert reader.retrieve_top_k(CARDS[200].features, 1).cards[0].id == new


def test_weights_change_what_is_answered_and_each_card_says_its_weight(full):
    query = situation(random.Random(3))
    plain = full.retrieve_top_k(query, 5, ended=True)
    recent = full.retrieve_top_k(query, 5, ended=True, weighting=Weighting(half_life_ns=20_000))
    assert max(card.time_ns for card in plain.cards) < min(card.time_ns for card in recent.cards) + 200_000
    assert sum(card.time_ns for card in recent.cards) > sum(card.time_ns for card in plain.cards)
    won = full.retrieve_top_k(query, 5, ended=True, weighting=Weighting(outcome=1.0))
    assert won.expected_gain > plain.expected_gain
    assert won.weights.tolist() == sorted(won.weights.tolist(), reverse=True)
    newest_ns = max(card.time_ns for card in CARDS)
    for each in recent:
        decay = 2.0 ** (-(newest_ns - each.card.time_ns) / 20_000)
        assert each.weight == pytest.approx(each.likeness * decay)


def test_diversity_takes_cards_that_are_unlike_those_taken(memory):
    base = CARDS[0].features
    twins = [dataclasses.replace(CARDS[0], time_ns=at, features=base) for at in range(1, 6)]
    other = dataclasses.replace(CARDS[0], time_ns=9, features={**base, "heat": base["heat"] + 0.5})
    ids = memory.add([*twins, other, *CARDS[10:200]])
    plain = memory.retrieve_top_k(base, 3)
    varied = memory.retrieve_top_k(base, 3, weighting=Weighting(diversity=0.9))
    assert {card.id for card in plain.cards} <= set(ids[:5])
    assert varied.cards[0].id == ids[0]
    assert not {card.id for card in varied.cards[1:]} & set(ids[:5])


def test_an_answer_of_nothing_is_an_answer(memory):
    found = memory.retrieve_top_k({"heat": 1.0}, 3)
    assert len(found) == 0 and found.cards == () and found.confidence == 0.0
    assert math.isnan(found.expected_gain) and math.isnan(found.success_rate)
    assert found.document()["expected_gain"] is None


def test_ones_own_embedding_is_used_and_asked_for(tmp_path):
    class FirstLetter:
        dimensions = 3
        name = "first letter"

        def embed(self, features):
            import numpy as np

            return np.array([[each.get("heat", 0.0), 0.0, 0.0] for each in features], dtype=np.float32)

    path = tmp_path / "own.sqlite"
    with Memory(path, embedding=FirstLetter()) as memory:
        memory.add(CARDS[:10])
        heat = {card.time_ns: abs(card.features["heat"] - 0.3) for card in CARDS[:10]}
        assert memory.retrieve_top_k({"heat": 0.3}, 1).cards[0].time_ns == min(heat, key=heat.get)
    with Memory(path) as memory, pytest.raises(DataError, match="embedded by another embedding"):
        memory.retrieve_top_k({"heat": 0.3})


BAD = [
    ({"action": "hold"}, "action"),
    ({"features": {}}, "at least one feature"),
    ({"features": {"heat": math.nan}}, "heat of a card is nan"),
    ({"features": {"heat": math.inf}}, "heat of a card is inf"),
    ({"price": math.nan}, "price"),
    ({"time_ns": -1}, "time of a card"),
    ({"outcome": Outcome(0, 1.0, 0.1, 0.1, 0.0, 0.0)}, "before it was decided"),
    ({"outcome": Outcome(10**9, math.nan, 0.1, 0.1, 0.0, 0.0)}, "profit of an outcome"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[words for _, words in BAD])
def test_a_card_that_makes_no_sense_is_refused_and_nothing_is_written(memory, change, words):
    with pytest.raises(DataError, match=words):
        memory.add([CARDS[0], dataclasses.replace(CARDS[1], **change)])
    assert len(memory) == 0


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"k": 0}, "k must be"),
        ({"ended": False, "won": True}, "neither won nor lost"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(full, question, words):
    with pytest.raises(UsageError, match=words):
        full.retrieve_top_k(CARDS[0].features, **{"k": 3, **question})
    with pytest.raises(UsageError):
        Weighting(half_life_ns=0)
    with pytest.raises(UsageError):
        Weighting(diversity=1.5)


def test_a_query_that_is_not_a_number_is_refused(full):
    with pytest.raises(DataError, match="'heat' is not a number"):
        full.retrieve_top_k({"heat": math.nan})


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"time_ns": 1}, {**CARDS[0].document(), "colour": "red"}, {**CARDS[0].document(), "price": "x"}],
)
def test_a_document_that_is_no_card_is_one_line(document):
    with pytest.raises(DataError) as error:
        card_of(document)
    assert "\n" not in str(error.value)


def test_an_answer_carries_a_certificate_that_only_its_own_cards_pass(full):
    from neural_trader.memory.merkle import is_proved

    found = full.retrieve_top_k(CARDS[3].features, 5)
    leaves = found._leaves()
    for at in range(len(found)):
        proof = [bytes.fromhex(node) for node in found.proof(at)]
        assert is_proved(bytes.fromhex(found.root), leaves[at + 1], at + 1, len(leaves), proof)
        assert not is_proved(bytes.fromhex(found.root), leaves[0], at + 1, len(leaves), proof)
    again = full.retrieve_top_k(CARDS[3].features, 5)
    assert again.root == found.root
    assert full.retrieve_top_k(CARDS[3].features, 4).root != found.root
    assert Card(**{**vars(found.cards[0]), "reason": "another"}).leaf != found.cards[0].leaf
