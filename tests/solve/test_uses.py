"""What solvers are good for, each use against a method of another kind."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.csgraph

from neural_trader.errors import DataError, UsageError
from neural_trader.solve import (
    Ranking,
    Shrunk,
    clearing,
    contagion,
    effective_resistance,
    influence,
    lead_lag,
    least_shrinkage,
    policy_iteration,
    policy_value,
    state_value,
)


def graph(seed: int, size: int = 30, *, ends: bool = False) -> np.ndarray:
    random = np.random.default_rng(seed)
    links = random.random((size, size)) * (random.random((size, size)) < 0.15)
    if ends:
        links[::7] = 0.0
    else:
        links[np.arange(size), (np.arange(size) + 1) % size] = 1.0
    return links


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_personalised_rank_is_where_a_power_iteration_ends(seed: int, ends: bool) -> None:
    links = graph(seed, ends=ends)
    seeds = np.zeros(len(links))
    seeds[[3, 4]] = 0.25, 0.75
    degree = links.sum(axis=1, keepdims=True)
    steps = np.where(degree > 0, links / np.where(degree > 0, degree, 1), seeds)
    rank = seeds.copy()
    for _ in range(400):
        rank = 0.15 * seeds + 0.85 * steps.T @ rank
    found = Ranking(links).of({3: 1.0, 4: 3.0}, eps=1e-7)
    full = np.zeros(len(links))
    full[found.rows] = found.values
    assert np.abs(full - rank).max() <= found.certificate.bound <= 1e-6


def test_rank_near_a_seed_touches_little_of_a_large_graph() -> None:
    size = 100_000
    begins, columns = np.arange(0, 2 * size + 1, 2), (np.arange(size)[:, None] + [1, 2]).ravel() % size
    found = Ranking((np.ones(2 * size), columns, begins)).of(0, eps=1e-5)
    assert len(found.rows) < 500 and found.values.sum() == pytest.approx(1, abs=1e-4)


def test_influence_is_the_sum_over_all_chains() -> None:
    random = np.random.default_rng(3)
    leads = random.normal(size=(12, 12)) * (random.random((12, 12)) < 0.4)
    scaled = leads / np.maximum(np.abs(leads).sum(axis=1, keepdims=True), 1)
    chains = sum(np.linalg.matrix_power(0.7 * scaled, length) for length in range(200))
    found = influence(leads, 5, decay=0.7, eps=1e-9)
    full = np.zeros(12)
    full[found.rows] = found.values
    assert full == pytest.approx(chains[5], abs=2e-9)


def test_a_leader_is_found_in_returns_and_its_influence_reaches_those_behind_it() -> None:
    random = np.random.default_rng(4)
    first = random.normal(size=3_000)
    second = np.roll(first, 1) * 0.8 + 0.6 * random.normal(size=3_000)
    third = np.roll(second, 1) * -0.8 + 0.6 * random.normal(size=3_000)
    leads = lead_lag(np.column_stack([first, second, third, random.normal(size=3_000)]))
    found = influence(leads, 0, eps=1e-6)
    reached = dict(zip(found.rows.tolist(), found.values.tolist(), strict=True))
    assert reached[1] > 0.3 and reached[2] < -0.1 and 3 not in reached


@pytest.mark.parametrize("seed", range(5))
def test_resistance_is_that_of_the_pseudoinverse_of_the_laplacian(seed: int) -> None:
    links = graph(seed) + graph(seed).T
    np.fill_diagonal(links, 0)
    inverse = np.linalg.pinv(scipy.sparse.csgraph.laplacian(links))
    found = effective_resistance(links, 2, 17, eps=1e-8)
    expected = inverse[2, 2] + inverse[17, 17] - 2 * inverse[2, 17]
    assert abs(found.value - expected) <= found.certificate.bound + 1e-12 and found.certificate.bound < 2e-8


def test_resistances_in_series_add_up_and_those_without_a_path_are_refused() -> None:
    chain = np.zeros((6, 6))
    for at in range(4):
        chain[at, at + 1] = chain[at + 1, at] = 0.5
    assert effective_resistance(chain, 0, 4).value == pytest.approx(8, abs=1e-5)
    with pytest.raises(DataError, match="no path leads from node 5 to node 0"):
        effective_resistance(chain, 5, 0)
    with pytest.raises(DataError, match="not symmetric"):
        effective_resistance(np.triu(chain), 0, 4)
    with pytest.raises(UsageError, match="node 9 is out of range"):
        effective_resistance(chain, 9, 0)


@pytest.mark.parametrize("seed", range(8))
def test_clearing_payments_are_those_of_a_linear_programme(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = 12
    owed = random.exponential(size=(size, size)) * (random.random((size, size)) < 0.4)
    np.fill_diagonal(owed, 0)
    assets, outside = random.exponential(0.4, size), random.exponential(0.3, size)
    total = owed.sum(axis=1) + outside
    shares = owed / total[:, None]
    # The greatest clearing payments maximise their sum (Eisenberg and Noe, lemma 4).
    found = scipy.optimize.linprog(
        -np.ones(size), A_ub=np.eye(size) - shares.T, b_ub=assets, bounds=list(zip(np.zeros(size), total, strict=True))
    )
    ours = clearing(owed, assets, outside=outside)
    assert ours.payments == pytest.approx(found.x, abs=1e-6)
    assert ours.defaults == tuple(np.flatnonzero(found.x < total - 1e-6).tolist())
    assert ours.payments.sum() + ours.equity.sum() == pytest.approx(assets.sum() + (shares.T @ ours.payments).sum())


def test_a_shock_to_one_brings_down_those_who_relied_on_it() -> None:
    owed = [[0, 10, 0], [0, 0, 9], [0, 0, 0]]
    spread = contagion(owed, [10, 1, 0], [8, 0, 0])
    assert spread.before.defaults == () and spread.before.certificate is None
    assert spread.after.rounds == ((0,), (1,)) and spread.infected == (1,)
    assert spread.after.payments == pytest.approx([2, 3, 0])


def test_debts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DataError, match="finite amounts of 0 or more"):
        clearing([[0, -1], [0, 0]], [1, 1])
    with pytest.raises(DataError, match="nothing owed to oneself"):
        clearing([[1, 0], [0, 0]], [1, 1])


def process(seed: int, states: int = 8, actions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    moves = random.exponential(size=(actions, states, states)) * (random.random((actions, states, states)) < 0.5)
    moves[:, :, 0] += 0.01
    return moves / moves.sum(axis=2, keepdims=True), random.normal(size=(actions, states))


@pytest.mark.parametrize("seed", range(5))
def test_policy_iteration_finds_what_value_iteration_converges_to(seed: int) -> None:
    moves, gains = process(seed)
    values = np.zeros(8)
    for _ in range(2_000):
        values = (gains + 0.95 * moves @ values).max(axis=0)
    best = policy_iteration(list(moves), list(gains), discount=0.95)
    assert np.abs(best.values - values).max() <= best.bound + 1e-9 and best.bound < 1e-5
    assert best.actions.tolist() == (gains + 0.95 * moves @ values).argmax(axis=0).tolist()


def test_the_value_of_a_policy_is_exact_in_fractions_and_of_one_state_the_same() -> None:
    moves, gains = [[0.5, 0.5], [0.25, 0.75]], [1, 2]
    # v0 = 1 + (v0 + v1) / 4 and v1 = 2 + (v0 + 3 v1) / 8
    v1 = (2 + Fraction(1, 6)) / (Fraction(5, 8) - Fraction(1, 24))
    v0 = (1 + v1 / 4) * Fraction(4, 3)
    assert policy_value(moves, gains, discount=0.5).x == pytest.approx([float(v0), float(v1)], abs=1e-8)
    assert state_value(moves, gains, 1, discount=0.5).value == pytest.approx(float(v1), abs=1e-6)


def test_chances_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(DataError, match=r"chances of state 1 must be 0 or more and add up to 1, not 0\.9"):
        policy_value([[0, 1], [0.4, 0.5]], [1, 1], discount=0.9)
    with pytest.raises(UsageError, match="discount must be between 0 and 1"):
        policy_value([[1.0]], [1], discount=1.0)


@pytest.mark.parametrize("seed", range(5))
def test_weights_and_risks_are_those_of_the_inverse(seed: int) -> None:
    random = np.random.default_rng(seed)
    covariance = np.cov(random.normal(size=(400, 15)) @ (np.eye(15) + 0.1 * random.normal(size=(15, 15))), rowvar=False)
    covariance = (covariance + covariance.T) / 2
    shrinkage = min(1.0, least_shrinkage(covariance) + 0.05)
    dense = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance)) + 0.1 * np.eye(15)
    expected = random.normal(size=15)
    shrunk = Shrunk(covariance, shrinkage=shrinkage, ridge=0.1)
    assert shrunk.weights(expected).x == pytest.approx(np.linalg.solve(dense, expected), abs=1e-7)
    assert shrunk.weight(4, expected).value == pytest.approx(np.linalg.solve(dense, expected)[4], abs=1e-5)
    # What is left of an asset in a regression on all others.
    others = [at for at in range(15) if at != 4]
    hedge = np.linalg.solve(dense[np.ix_(others, others)], dense[others, 4])
    low, high = shrunk.unhedged_risk(4)
    assert low <= np.sqrt(dense[4, 4] - hedge @ dense[others, 4]) <= high and high - low < 1e-5


def test_the_least_shrinkage_is_the_line_between_refusal_and_answer() -> None:
    for correlation, size in product((0.3, 0.9), (5, 20)):
        covariance = np.full((size, size), correlation) + (1 - correlation) * np.eye(size)
        covariance[0, 1] = covariance[1, 0] = -correlation / 2
        least = least_shrinkage(covariance)
        off = 1 - least
        others = np.abs(covariance).sum(axis=1) - 1
        assert (off * others).max() == pytest.approx(1)
        Shrunk(covariance, shrinkage=least + 1e-6)
    with pytest.raises(DataError, match="not diagonally dominant"):
        Shrunk(np.full((5, 5), 0.9) + 0.1 * np.eye(5))
