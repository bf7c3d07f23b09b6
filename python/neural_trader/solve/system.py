"""Diagonally dominant systems, and questions about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neural_trader.errors import UsageError
from neural_trader.solve.answers import Certificate, Entry, Solution, SparseSolution
from neural_trader.solve.matrices import Rows, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHODS = ("auto", "neumann", "cg", "bicgstab")
"""How a whole system can be solved."""
ENTRY_METHODS = ("auto", "push", "walks", "bidirectional")
"""How one entry can be found."""


@dataclass(frozen=True, slots=True)
class RightSide:
    """A right side that has been checked, for many questions: its ``values``, and the reach that bounds follow from."""

    values: NDArray[np.float64]
    reach: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a matrix before it is solved.

    ``kind`` says whether rows or columns dominate, ``scaled`` whether positive weights had to be found first, in so
    many ``steps``. ``rate`` is the share of an error that a sweep of Jacobi leaves at most, ``slack`` the least
    amount by which a row (or column) dominates, at ``weakest``. Errors are at most ``scale`` times the norm of the
    residual.
    """

    kind: str
    scaled: bool
    steps: int
    rate: float
    slack: float
    weakest: int
    scale: float
    rows: int
    entries: int
    row_entries_max: int


class System:
    """A square matrix of which rows or columns dominate strictly, by themselves or scaled.

    ``matrix`` is anything that :func:`~neural_trader.solve.matrices.rows_of` takes. It is gone through once; arrays
    of the right types are read where they are, and must not change.

    Raises :class:`~neural_trader.errors.DataError` for a matrix that is malformed or not finite, and for one that is
    not dominant and cannot be scaled, with the row and what it lacks. The condition is Ostrowski's (1937), that of an
    H-matrix.

    >>> system = System([[4, -1], [-1, 4]])
    >>> answer = system.solve([3, 3])
    >>> answer.x.round(6).tolist(), answer.certificate.bound <= 1e-8
    ([1.0, 1.0], True)
    >>> round(system.entry(0, [3, 3], eps=1e-9).value, 6)
    1.0
    """

    def __init__(self, matrix: Any) -> None:
        from neural_trader._native import SolverMatrix

        self.rows: Rows = rows_of(matrix)
        self._matrix = SolverMatrix(*self.rows)

    @cached_property
    def facts(self) -> Facts:
        """What is known of the matrix."""
        return Facts(**self._matrix.facts())

    @property
    def weights(self) -> NDArray[np.float64]:
        """The positive weights that prove dominance; ones where the matrix dominates as it is."""
        return self._matrix.weights()

    def right_side(self, values: Any) -> RightSide:
        """A right side, one value per row, checked in one pass; pass it instead of the values to ask many questions."""
        if isinstance(values, RightSide):
            return values
        checked = vector_of(values)
        return RightSide(checked, self._matrix.reach(checked))

    def solve(
        self,
        right_side: Any,
        *,
        eps: float = 1e-8,
        method: str = "auto",
        start: Any = None,
        progress: Callable[[float], None] | None = None,
    ) -> Solution:
        """The whole solution; no entry is further from the truth than the certificate's bound, aimed at ``eps``.

        ``method`` is one of :data:`METHODS`; ``start`` a solution to begin from (not for neumann). ``progress`` hears
        the share that is done. Raises UsageError for wrong parameters, DataError where the accuracy cannot be
        reached.
        """
        _check_choice(method, METHODS)
        side = self.right_side(right_side)
        given = None if start is None else vector_of(start)
        x, certificate = self._matrix.solve(side.values, side.reach, float(eps), method, given, progress)
        return Solution(x, Certificate(eps=float(eps), **certificate))

    def entry(
        self,
        index: int,
        right_side: Any,
        *,
        eps: float = 1e-6,
        method: str = "auto",
        seed: int = 0,
        confidence: float | None = 0.999,
        walks_max: int = 1 << 24,
        progress: Callable[[float], None] | None = None,
    ) -> Entry:
        """One entry of the solution, which reads no more of the matrix than it has to.

        ``method`` is one of :data:`ENTRY_METHODS`. Walks are drawn with ``seed``, at most ``walks_max``, and hold the
        truth with ``confidence``; None allows only methods that are certain. Give a :class:`RightSide` where many
        questions are asked, so that its values are gone through once.
        """
        _check_choice(method, ENTRY_METHODS)
        side = self.right_side(right_side)
        if not 0 <= seed < 1 << 64:
            raise UsageError(f"seed must be from 0 to 2^64 - 1, not {seed}")
        value, certificate = self._matrix.entry(
            side.values, side.reach, self.index(index), float(eps), method, seed, confidence, walks_max, progress
        )
        return Entry(value, Certificate(eps=float(eps), **certificate))

    def spread(self, right_side: dict[int, float], *, eps: float = 1e-6) -> SparseSolution:
        """The solution of a right side with few entries, given by row, as far as it is not zero: forward push."""
        import numpy as np

        given = [self.index(row) for row in right_side]
        rows, values, certificate = self._matrix.forward(given, [float(v) for v in right_side.values()], float(eps))
        order = np.argsort(rows)
        return SparseSolution(rows[order], values[order], Certificate(eps=float(eps), **certificate))

    def index(self, index: int) -> int:
        """An index that the system has; UsageError for another."""
        length = len(self.rows.begins) - 1
        if not 0 <= index < length:
            raise UsageError(f"entry {index} is out of range: the system has entries 0 to {length - 1}")
        return int(index)


def vector_of(values: Any) -> NDArray[np.float64]:
    import numpy as np

    try:
        vector = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("a right side is a list of numbers, one per row") from error
    if vector.ndim != 1:
        raise UsageError(f"a right side has one dimension, not {vector.ndim}")
    return vector


def _check_choice(method: str, known: Sequence[str]) -> None:
    if method not in known:
        raise UsageError(f"no method is called {method!r}; there are {', '.join(known)}")
