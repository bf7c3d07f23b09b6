"""Single entries read what they need: counted, at fixed degree and dominance, while systems grow."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader.solve import System
from solve.dominant_systems import ring


def entries_read(rows: object, size: int, eps: float = 1e-4) -> int:
    system = System(rows)
    b = np.random.default_rng(1).uniform(-1, 1, size)
    b[:500] = b[-500:] = np.random.default_rng(2).uniform(-1, 1, 500)
    return system.entry(0, b, eps=eps, method="push").certificate.entries


def test_a_push_reads_no_more_of_a_system_a_hundred_times_as_large() -> None:
    small, large = entries_read(ring(2_000), 2_000), entries_read(ring(200_000), 200_000)
    assert large <= 1.3 * small
    assert large < 0.01 * 200_000 * 9


def test_a_push_reads_exactly_the_same_where_the_neighbourhood_is_the_same() -> None:
    # Of two rings with the same rows near entry 0, and right sides of the same reach.
    counts = set()
    for size in (1_000, 10_000, 100_000):
        rows = ring(size, signed=False)
        offsets = np.arange(size) - size * (np.arange(size) > size // 2)
        values = 0.1 + (np.abs(offsets)[:, None] * 7 + np.arange(8)) % 10 / 10
        stored = np.concatenate([2 * values.sum(axis=1, keepdims=True), -values], axis=1)
        system = System((stored.ravel(), rows.columns, rows.begins))
        counts.add(system.entry(0, np.ones(size) + (offsets == 0), eps=1e-4, method="push").certificate.entries)
    assert len(counts) == 1


def test_weak_dominance_and_dense_rows_cost_more() -> None:
    size = 20_000
    usual = entries_read(ring(size, signed=False), size)
    assert entries_read(ring(size, signed=False, dominance=1.02), size) > 20 * usual
    assert entries_read(ring(size, signed=False, neighbours=80), size) > 20 * usual


def test_a_right_side_with_one_entry_is_spread_over_its_neighbourhood_only() -> None:
    answer = System(ring(50_000)).spread({7: 1.0}, eps=1e-3)
    assert len(answer.rows) < 500
    assert answer.certificate.entries < 50_000


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_change_of_a_tracked_solution_costs_what_it_touches(size: int) -> None:
    from neural_trader.solve import Tracked

    tracked = Tracked(ring(size), np.ones(size), eps=1e-6)
    tracked.change_side(500, 1.01)
    assert tracked[500] == pytest.approx(tracked.x[500])
    assert 0 < tracked.entries_read < 20_000


@pytest.mark.parametrize("eps", [1e-2, 1e-4])
@pytest.mark.parametrize("dominance", [2.0, 1.1])
@pytest.mark.parametrize("size", [300, 3_000, 30_000])
@pytest.mark.parametrize("shape", ["near", "far"])
def test_the_choice_reads_little_more_than_the_best_of_what_there_is(
    shape: str, size: int, dominance: float, eps: float
) -> None:
    system = System(ring(size, dominance=dominance, far=shape == "far"))
    b = np.random.default_rng(1).uniform(-1, 1, size)
    chosen = system.entry(7, b, eps=eps).certificate
    certain = system.entry(7, b, eps=eps, confidence=None).certificate
    push = system.entry(7, b, eps=eps, method="push").certificate.entries
    whole = system.solve(b, eps=eps).certificate.entries
    if certain.method == "backward":
        # Reading an entry in a push costs as much as many in a sweep, so that it must be far fewer.
        assert certain.entries == push < whole / 5
    else:
        assert certain.entries < 1.1 * whole < 1.1 * 60 * push
    assert chosen.method in {certain.method, "bidirectional"}
    if chosen.method == "bidirectional":
        assert chosen.entries < min(push, whole / 10)


def test_the_choice_is_a_push_in_large_systems_and_everything_in_small_ones() -> None:
    b = np.ones(200_000) + np.arange(200_000) % 2
    large = System(ring(200_000)).entry(3, b, eps=1e-4)
    assert large.certificate.method == "backward" and "push reaches" in large.certificate.reason
    small = System(ring(60, dominance=1.05)).entry(3, b[:60], eps=1e-9)
    assert small.certificate.method == "bicgstab" and "whole solution" in small.certificate.reason
