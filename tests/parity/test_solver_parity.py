"""nt-solver and its plain Python twins: the same operations in the same order, and so the same numbers."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from neural_trader.baseline import solve as plain
from neural_trader.errors import DataError
from neural_trader.solve import RightSide, System
from solve.dominant_systems import Case, case

CASES = min(int(os.environ.get("NT_PARITY_SEEDS", "2000")), 20_000) // 10
EPS = 1e-7


def near(fast: float, slow: float) -> bool:
    return math.isclose(fast, slow, rel_tol=1e-12, abs_tol=1e-12)


def both(given: Case) -> tuple[System, plain.Dominance, list[float], RightSide]:
    system = System(given.rows)
    known = plain.dominance_of(given.plain)
    assert known is not None
    return system, known, given.b.tolist(), system.right_side(given.b)


@pytest.mark.parametrize("block", range(10))
def test_everything_agrees_over_seeded_systems(block: int) -> None:
    for seed in range(block * CASES // 10, (block + 1) * CASES // 10):
        given = case(seed)
        system, known, b, side = both(given)
        facts = system.facts
        assert (facts.kind == "rows", facts.scaled) == (known.by_rows, known.scaled), seed
        assert system.weights.tolist() == known.weights and facts.slack == min(known.slack), seed
        assert side.reach == known.reach(b) and facts.rate == known.rate, seed
        check_whole(seed, given, system, known, b)
        check_push(seed, given, system, known, b, side)
        if known.by_rows and len(b) <= 12:
            check_walks(seed, given, system, known, b, side)


def check_whole(seed: int, given: Case, system: System, known: plain.Dominance, b: list[float]) -> None:
    answer = system.solve(b, eps=EPS, method="bicgstab")
    x, steps = plain.bicgstab(given.plain, known, b, EPS)
    assert answer.x.tolist() == x and answer.certificate.iterations == steps, seed
    assert (answer.certificate.residual, answer.certificate.bound) == plain.certify(given.plain, known, b, x), seed
    if known.rate < 0.9:
        answer = system.solve(b, eps=EPS, method="neumann")
        x, sweeps = plain.neumann(given.plain, known, b, EPS)
        assert answer.x.tolist() == x and answer.certificate.iterations == sweeps, seed
    if not (np.array_equal(given.dense, given.dense.T) and np.diag(given.dense).min() > 0):
        with pytest.raises(DataError, match="conjugate gradient needs a symmetric matrix"):
            system.solve(b, eps=EPS, method="cg")
        return
    answer = system.solve(b, eps=EPS, method="cg")
    x, steps = plain.conjugate_gradient(given.plain, known, b, EPS)
    assert answer.x.tolist() == x and answer.certificate.iterations == steps, seed


def check_push(seed: int, given: Case, system: System, known: plain.Dominance, b: list[float], side: RightSide) -> None:
    index = seed % len(b)
    answer = system.entry(index, side, eps=EPS, method="push")
    value, bound, entries, pushes = plain.backward(given.plain, known, b, index, EPS)
    found = answer.certificate
    assert (answer.value, found.bound, found.entries, found.iterations) == (value, bound, entries, pushes), seed
    source = {index: 2.5, (index + 3) % len(b): -1.0}
    spread = system.spread(source, eps=EPS)
    across = [[] for _ in b]
    for row, entries_of_row in enumerate(given.plain):
        for column, entry in entries_of_row:
            across[column].append((row, entry))
    values, bound, entries, pushes = plain.forward(across, known, source, EPS)
    assert dict(zip(spread.rows.tolist(), spread.values.tolist(), strict=True)) == values, seed
    found = spread.certificate
    assert (found.bound, found.entries, found.iterations) == (bound, entries, pushes), seed


def check_walks(
    seed: int, given: Case, system: System, known: plain.Dominance, b: list[float], side: RightSide
) -> None:
    index = seed % len(b)
    options = {"seed": seed, "confidence": 0.99, "walks_max": 1500}
    for name, twin in (("walks", plain.walks), ("bidirectional", plain.bidirectional)):
        answer = system.entry(index, side, eps=1e-2, method=name, **options)
        value, bound, count = twin(given.plain, known, b, index, 1e-2, **options)
        assert answer.value == value and answer.certificate.iterations == count, (name, seed)
        # The interval has a logarithm in it, which is no operation that all machines round alike.
        assert near(answer.certificate.bound, bound), (name, seed)


def test_both_refuse_the_same_systems() -> None:
    for seed in range(200):
        given = case(seed, kind="rows")
        # Such a diagonal no weights can save: the comparison matrix is singular, or worse.
        for at in range(len(given.b)):
            given.dense[at, at] *= 0.3
        slow = plain.dominance_of(given.plain)
        try:
            System(given.rows)
        except DataError:
            assert slow is None, seed
        else:
            assert slow is not None, seed
