"""Every bound holds, over random systems that dominate: by rows, by columns or scaled, signed and asymmetric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.errors import DataError
from neural_trader.solve import System, Tracked
from solve.dominant_systems import KINDS, Case, case

seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(KINDS)
accuracies = st.sampled_from([1e-2, 1e-5, 1e-8])
# The reference is a direct solution, which is rounded itself.
SLACK = 1e-12


def floor(system: System, drawn: Case) -> float:
    """What rounding alone can make of a bound."""
    return 1e-12 * system.facts.scale * (np.abs(drawn.dense) @ np.abs(drawn.x)).max() + 1e-12 * np.abs(drawn.x).max()


@given(seed=seeds, kind=kinds, eps=accuracies)
@settings(max_examples=150)
def test_whole_solutions_are_within_their_bound_and_that_within_eps(seed: int, kind: str, eps: float) -> None:
    drawn = case(seed, kind=kind)
    system = System(drawn.dense)
    for method in ("auto", "neumann", "bicgstab"):
        answer = system.solve(drawn.b, eps=eps, method=method)
        error = np.abs(answer.x - drawn.x).max()
        assert error <= answer.certificate.bound + SLACK * np.abs(drawn.x).max(), method
        assert answer.certificate.bound <= eps + floor(system, drawn), method
        assert answer.certificate.residual >= np.abs(drawn.b - drawn.dense @ answer.x).max() * (1 - 1e-9)


@given(seed=seeds, kind=kinds, eps=accuracies)
@settings(max_examples=150)
def test_entries_by_push_are_within_their_bound_and_agree_with_whole_solutions(
    seed: int, kind: str, eps: float
) -> None:
    drawn = case(seed, kind=kind)
    system = System(drawn.dense)
    whole = system.solve(drawn.b, eps=eps)
    for index in {0, len(drawn.b) // 2}:
        answer = system.entry(index, drawn.b, eps=eps, method="push")
        assert answer.certificate.bound <= eps + floor(system, drawn)
        assert abs(answer.value - drawn.x[index]) <= answer.certificate.bound + SLACK * np.abs(drawn.x).max()
        assert abs(answer.value - whole.x[index]) <= answer.certificate.bound + whole.certificate.bound
        certain = system.entry(index, drawn.b, eps=eps, confidence=None)
        assert certain.certificate.confidence == 1
        assert abs(certain.value - drawn.x[index]) <= certain.certificate.bound + SLACK * np.abs(drawn.x).max()


@given(seed=seeds, kind=kinds, eps=accuracies)
@settings(max_examples=100)
def test_forward_push_is_within_its_bound_everywhere(seed: int, kind: str, eps: float) -> None:
    drawn = case(seed, kind=kind)
    length = len(drawn.b)
    source = {seed % length: 1.5, (seed // 7) % length: -0.5}
    answer = System(drawn.dense).spread(source, eps=eps)
    b = np.zeros(length)
    b[list(source)] = list(source.values())
    x = np.zeros(length)
    x[answer.rows] = answer.values
    assert np.abs(x - np.linalg.solve(drawn.dense, b)).max() <= answer.certificate.bound + SLACK
    assert answer.certificate.bound <= eps + floor(System(drawn.dense), Case(drawn.dense, b))


@given(seed=seeds, kind=st.sampled_from(("rows", "scaled", "symmetric")))
@settings(max_examples=60)
def test_a_tracked_solution_follows_its_changes(seed: int, kind: str) -> None:
    drawn = case(seed, kind=kind)
    tracked = Tracked(drawn.dense, drawn.b, eps=1e-8)
    random = np.random.default_rng(seed)
    stored = np.argwhere(drawn.dense)
    for _ in range(10):
        row, column = stored[random.integers(len(stored))]
        # Smaller off the diagonal, larger on it: the row goes on to dominate.
        value = drawn.dense[row, column] * (1.5 if row == column else random.uniform(-1, 1))
        if value == 0.0:
            continue
        tracked.change(int(row), int(column), value)
        drawn.dense[row, column] = value
        drawn.b[row] = random.normal()
        tracked.change_side(int(row), drawn.b[row])
    found = tracked.certificate()
    assert np.abs(tracked.x - drawn.x).max() <= found.bound + SLACK * np.abs(drawn.x).max()
    assert found.bound <= 1e-8 + 1e-9


def test_a_change_that_ends_dominance_is_refused_and_changes_nothing() -> None:
    tracked = Tracked([[4, -1], [-1, 4]], [3, 3])
    with pytest.raises(DataError, match="with -4 at row 0, column 1 that row would not dominate"):
        tracked.change(0, 1, -4)
    assert tracked.x == pytest.approx([1, 1])


@pytest.mark.parametrize("method", ["walks", "bidirectional"])
@pytest.mark.parametrize("kind", ["rows", "scaled"])
def test_walks_are_unbiased_and_their_intervals_hold_at_the_stated_rate(method: str, kind: str) -> None:
    drawn = case(20 + (kind == "scaled"), kind=kind, size=30, dominance=1.3)
    system = System(drawn.dense)
    index = int(np.argmax(np.abs(drawn.x)))
    eps = 0.2 * abs(drawn.x[index])
    asked = {"eps": eps, "method": method, "confidence": 0.9, "walks_max": 1024}
    found = [system.entry(index, drawn.b, seed=seed, **asked) for seed in range(200)]
    errors = np.array([answer.value - drawn.x[index] for answer in found])
    # A mean of 200 independent estimates is within four of its own standard errors.
    assert abs(errors.mean()) <= 4 * errors.std() / np.sqrt(len(errors)) + 1e-15
    held = np.mean([low <= drawn.x[index] <= high for low, high in (answer.interval for answer in found)])
    assert held >= 0.9


def test_walks_of_a_seed_are_the_same_again_and_of_another_seed_are_others() -> None:
    drawn = case(4, kind="rows", size=30, dominance=1.2)
    system = System(drawn.dense)
    values = [system.entry(0, drawn.b, eps=1e-2, method="walks", seed=seed).value for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]
