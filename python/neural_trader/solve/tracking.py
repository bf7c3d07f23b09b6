"""A solution that is kept while single numbers of its system change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neural_trader.errors import UsageError
from neural_trader.solve.answers import Certificate
from neural_trader.solve.matrices import rows_of
from neural_trader.solve.system import vector_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Tracked:
    """The solution of a system of which rows dominate, kept while numbers of it change.

    The system is copied and solved once. A change moves the residual of the rows that it touches, and a push from there
    mends the solution as far as ``eps`` asks, so that a change costs what it changes and not the size of the system; a
    strategy can do it on every bar. Entries of the matrix that are to change must be stored, if need be as 0, and
    every row must go on to dominate (DataError otherwise, and nothing has changed).

    >>> tracked = Tracked([[4, -1], [-1, 4]], [3, 3])
    >>> tracked.change_side(0, 7)
    >>> tracked.change(1, 0, -2)
    >>> round(tracked[0], 6), round(tracked[1], 6)
    (2.214286, 1.857143)
    """

    def __init__(self, matrix: Any, right_side: Any, *, eps: float = 1e-8) -> None:
        import numpy as np

        from neural_trader._native import SolverTracked

        rows = rows_of(matrix)
        self.eps = float(eps)
        self._tracked = SolverTracked(
            rows.begins.astype(np.int64, copy=False),
            rows.columns.astype(np.int64, copy=False),
            rows.values,
            vector_of(right_side),
            self.eps,
        )
        self._is_stale = False
        self.entries_read = 0
        """Entries of the matrix that changes have read so far."""

    def change(self, row: int, column: int, value: float) -> None:
        """Another value for an entry of the matrix that is stored."""
        self._tracked.change(_place(row), _place(column), float(value))
        self._is_stale = True

    def change_side(self, row: int, value: float) -> None:
        """Another value on the right side."""
        self._tracked.change_side(_place(row), float(value))
        self._is_stale = True

    def __getitem__(self, index: int) -> float:
        """One entry of the solution."""
        self._refresh()
        return self._tracked.value(_place(index))

    @property
    def x(self) -> NDArray[np.float64]:
        """A copy of the whole solution."""
        self._refresh()
        return self._tracked.solution()

    def certificate(self) -> Certificate:
        """What a look at the whole system proves; it costs one pass over the matrix."""
        self._refresh()
        return Certificate(eps=self.eps, **self._tracked.certificate())

    def _refresh(self) -> None:
        if self._is_stale:
            self.entries_read += self._tracked.refresh()
            self._is_stale = False


def _place(index: int) -> int:
    """An index that is not negative; the extension knows the length, and refuses what is beyond."""
    if index < 0:
        raise UsageError(f"entry {index} is out of range: entries are counted from 0")
    return index
