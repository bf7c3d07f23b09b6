"""What a system takes, what it refuses, and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

from neural_trader.errors import DataError, UsageError
from neural_trader.solve import Rows, System, from_coordinates, rows_of
from solve.dominant_systems import case, ring

TWO = [[4, -1], [-1, 4]]


@pytest.mark.parametrize("method", ["auto", "neumann", "cg", "bicgstab"])
def test_the_smallest_example_has_the_answer_of_the_book(method: str) -> None:
    answer = System(TWO).solve([3, 3], eps=1e-10, method=method)
    assert answer.x == pytest.approx([1, 1], abs=1e-10)
    assert answer.certificate.is_met and answer.certificate.method == (method if method != "auto" else "neumann")


@pytest.mark.parametrize("method", ["auto", "push", "walks", "bidirectional"])
def test_the_smallest_example_has_that_answer_entry_by_entry(method: str) -> None:
    found = System(TWO).entry(1, [3, 3], eps=1e-3, method=method)
    assert found.value == pytest.approx(1, abs=1e-3)


def test_every_form_of_a_matrix_is_the_same_system() -> None:
    drawn = case(8, size=20)
    sparse = scipy.sparse.csr_matrix(drawn.dense)
    coordinates = sparse.tocoo()
    forms: list[Any] = [
        drawn.dense,
        drawn.dense.tolist(),
        sparse,
        scipy.sparse.csr_array(drawn.dense),
        sparse.tocsc(),
        coordinates,
        (sparse.data, sparse.indices, sparse.indptr),
        (coordinates.data, (coordinates.row, coordinates.col), 20),
        drawn.rows,
    ]
    first, *others = [System(form).solve(drawn.b).x for form in forms]
    for other in others:
        assert other.tolist() == first.tolist()


def test_coordinates_named_twice_are_added_up() -> None:
    rows = from_coordinates([0, 0, 1, 0], [0, 1, 1, 0], [3.0, -1.0, 4.0, 1.0], 2)
    assert [part.tolist() for part in rows] == [[0, 2, 3], [0, 1, 1], [4.0, -1.0, 4.0]]
    twice = scipy.sparse.csr_matrix(([3.0, 1.0, 4.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    assert System(twice).solve([4, 4]).x == pytest.approx([1, 1])
    assert twice.nnz == 3


@pytest.mark.parametrize("width", [np.int32, np.int64])
def test_arrays_of_the_right_types_are_not_copied(width: type) -> None:
    given = Rows(np.array([0, 1, 2], dtype=width), np.array([0, 1], dtype=width), np.array([2.0, 4.0]))
    taken = rows_of(given)
    assert all(np.shares_memory(mine, theirs) for mine, theirs in zip(given, taken, strict=True))
    assert System(given).solve([2, 4]).x.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1, 2], [2, 1]], "row 0 has 1 on the diagonal and 2 beside it, 1 too much"),
        ([[1, 1], [1, 1]], "not diagonally dominant: row 0 has 1"),
        ([[0, 1], [1, 2]], "row 0 has 0 on the diagonal"),
        ([[1, 2, 3], [4, 5, 6]], "the matrix is 2 x 3"),
        ([], "the matrix is 0;"),
        (np.zeros((0, 0)), "the matrix is empty"),
        ([[2, float("nan")], [0, 2]], "NaN at row 0, column 1"),
        ([[float("inf"), 1], [0, 2]], "inf at row 0, column 0"),
        (scipy.sparse.csr_matrix((0, 0)), "the matrix is empty"),
        ("matrix", "is no matrix of numbers"),
        (7, "the matrix is a single number"),
        (([1.0], [0], [0, 2]), "row pointers must begin at 0 and end at the number of values"),
        (([1.0, 1.0], [0, 5], [0, 1, 2]), "row 1 has an entry beyond column 1"),
        (([1.0, 1.0], [0, -1], [0, 1, 2]), "row 1 has an entry beyond column 1"),
        (([1.0, 1.0], [0, 0], [0, 2, 2]), "row 0 has two entries in column 0"),
        (([1.0, 1.0, 1.0], [0, 1, 1], [0, 4, 3]), "row pointers go backwards|must begin"),
        (([1.0j], [0], [0, 1]), "must be real numbers"),
        (([1.0], [0.5], [0, 1]), "must be whole numbers"),
        (([1.0], ([0], [3]), 2), "coordinates must be from 0 to 1"),
    ],
)
def test_a_matrix_that_cannot_be_solved_is_refused_in_one_line(matrix: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as refused:
        System(matrix)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda system: system.solve([1, 2], eps=0), "eps must be a number above 0, not 0"),
        (lambda system: system.solve([1, 2], eps=float("nan")), "eps must be a number above 0, not NaN"),
        (lambda system: system.entry(0, [1, 2], eps=-1), "eps must be a number above 0, not -1"),
        (lambda system: system.entry(2, [1, 2]), "entry 2 is out of range: the system has entries 0 to 1"),
        (lambda system: system.entry(-1, [1, 2]), "entry -1 is out of range"),
        (lambda system: system.spread({5: 1.0}), "entry 5 is out of range"),
        (lambda system: system.solve([1, 2], method="magic"), "no method is called 'magic'; there are auto, neumann"),
        (lambda system: system.entry(0, [1, 2], method="walks", confidence=1.5), "confidence must be between 0 and 1"),
        (lambda system: system.entry(0, [1, 2], method="walks", seed=-1), "seed must be from 0"),
        (lambda system: system.solve([[1, 2]]), "one dimension, not 2"),
        (lambda system: system.solve("ab"), "list of numbers"),
    ],
)
def test_a_question_that_makes_no_sense_is_an_error_of_use(ask: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ask(System(TWO))


def test_a_right_side_that_cannot_be_is_refused() -> None:
    system = System(TWO)
    with pytest.raises(DataError, match="the right side has 3 values and the system 2 rows"):
        system.solve([1, 2, 3])
    with pytest.raises(DataError, match="the right side has NaN at row 1"):
        system.solve([1, float("nan")])
    with pytest.raises(DataError, match="conjugate gradient needs a symmetric matrix"):
        System([[4, -1], [-2, 4]]).solve([1, 1], method="cg")


def test_a_matrix_that_scaling_makes_dominant_is_solved_and_says_so() -> None:
    # Neither row 1 nor column 0 dominates, but M(A) weights > 0 for weights (1, 3).
    system = System([[4.0, -1.0], [-5.0, 2.0]])
    assert system.facts.scaled and system.facts.kind == "rows" and system.facts.steps > 0
    assert np.all(np.array([[4, -1], [-5, 2]]) @ system.weights > 0)
    assert system.solve([3, -3], eps=1e-9).x == pytest.approx([1, 1], abs=1e-9)


def test_an_accuracy_that_doubles_cannot_hold_is_not_claimed() -> None:
    answer = System(TWO).entry(0, [1e9, 3e9], eps=1e-12, method="push")
    assert not answer.certificate.is_met
    assert abs(answer.value - 7e9 / 15) <= answer.certificate.bound


def test_a_start_near_the_solution_saves_steps() -> None:
    rows = ring(5_000, dominance=1.1)
    system = System(rows)
    b = np.random.default_rng(5).normal(size=5_000)
    cold = system.solve(b, eps=1e-9)
    warm = system.solve(b, eps=1e-9, start=cold.x + 1e-8)
    assert warm.certificate.iterations < cold.certificate.iterations / 2


def test_long_work_tells_its_progress_and_stops_when_that_raises() -> None:
    heard: list[float] = []
    System(ring(5_000, dominance=1.1)).solve(np.ones(5_000) + np.arange(5_000) % 3, progress=heard.append)
    assert heard == sorted(heard) or len(heard) > 3
    assert all(0 <= share <= 1 for share in heard)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        System(ring(5_000, dominance=1.1)).solve(np.arange(5_000.0), progress=stop)
