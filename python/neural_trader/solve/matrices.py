"""Square matrices of any common form, as compressed rows; what is compressed already is not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


ROWS_MAX = 2**32 - 2
"""As many rows can be told apart by the solver."""


class Rows(NamedTuple):
    """Compressed rows: row ``i`` has ``columns[begins[i]:begins[i + 1]]`` and as many ``values``."""

    begins: NDArray[np.int32] | NDArray[np.int64]
    columns: NDArray[np.int32] | NDArray[np.int64]
    values: NDArray[np.float64]


def rows_of(matrix: Any) -> Rows:
    """The compressed rows of a matrix.

    ``matrix`` is a sparse matrix or array of scipy, a dense array of two dimensions, :class:`Rows`, a tuple
    ``(values, columns, begins)`` as scipy orders those of a CSR matrix, or a tuple ``(values, (rows, columns), n)`` of
    coordinates, of which those named twice are added up. Arrays of int32 or int64 and float64 that lie in one piece are
    used where they are; they must not change while they are in use.

    Raises :class:`~neural_trader.errors.DataError` for anything else, and for what is not square.
    """
    if isinstance(matrix, Rows):
        return _checked(*matrix)
    if isinstance(matrix, tuple) and len(matrix) == 3:
        values, second, third = matrix
        if isinstance(second, tuple):
            return from_coordinates(second[0], second[1], values, third)
        return _checked(third, second, values)
    if hasattr(matrix, "tocsr") and hasattr(matrix, "shape"):
        return _of_scipy(matrix)
    return _of_dense(matrix)


def from_coordinates(rows: Any, columns: Any, values: Any, length: int) -> Rows:
    """Compressed rows of coordinates; those named twice are added up in the order in which they stand."""
    import numpy as np

    rows, columns, values = np.asarray(rows), np.asarray(columns), np.asarray(values)
    if any(array.dtype.kind not in "iu" for array in (rows, columns) if array.size):
        raise DataError("coordinates must be whole numbers")
    values = _real(values)
    if not (rows.ndim == columns.ndim == values.ndim == 1 and rows.size == columns.size == values.size):
        raise DataError("rows, columns and values of coordinates must be one-dimensional and as many")
    if length < 1:
        raise DataError("the matrix is empty; it needs at least one row")
    if length > ROWS_MAX:
        raise DataError(f"the matrix has {length} rows; at most {ROWS_MAX} can be solved")
    if rows.size and (min(rows.min(), columns.min()) < 0 or max(rows.max(), columns.max()) >= length):
        raise DataError(f"coordinates must be from 0 to {length - 1}, and some are not")
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order].astype(np.int64), columns[order].astype(np.int64), values[order]
    if rows.size:
        first = np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(columns) != 0)])
        values = np.add.reduceat(values, np.flatnonzero(first))
        rows, columns = rows[first], columns[first]
    begins = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=length))]).astype(np.int64)
    return Rows(begins, columns, values)


def _of_scipy(matrix: Any) -> Rows:
    if len(matrix.shape) != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the matrix is {_shape(matrix.shape)}; a system has as many rows as columns")
    compressed = matrix.tocsr()
    if not compressed.has_canonical_format:
        compressed = compressed.copy()
        compressed.sum_duplicates()
    return _checked(compressed.indptr, compressed.indices, compressed.data)


def _of_dense(matrix: Any) -> Rows:
    import numpy as np

    try:
        given = np.asarray(matrix)
        dense = _real(given) if given.dtype.kind == "c" else np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{type(matrix).__name__} is no matrix of numbers") from error
    if dense.ndim != 2 or dense.shape[0] != dense.shape[1]:
        raise DataError(f"the matrix is {_shape(dense.shape)}; a system has as many rows as columns")
    # NaN is not 0, so it is kept, and refused with its place.
    rows, columns = np.nonzero(dense)
    begins = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=dense.shape[0]))]).astype(np.int64)
    return Rows(begins, columns.astype(np.int64), dense[rows, columns])


def _checked(begins: Any, columns: Any, values: Any) -> Rows:
    """The arrays as the solver takes them; those that are already are not copied."""
    import numpy as np

    begins, columns = np.asarray(begins), np.asarray(columns)
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in (begins, columns)):
        raise DataError("row pointers and columns of a matrix must be whole numbers in one dimension")
    width: type[Any] = np.int32 if begins.dtype == columns.dtype == np.int32 else np.int64
    values = _real(np.asarray(values))
    if values.ndim != 1:
        raise DataError(f"the values of a matrix must have one dimension, not {values.ndim}")
    return Rows(
        np.ascontiguousarray(begins, dtype=width),
        np.ascontiguousarray(columns, dtype=width),
        values,
    )


def _real(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values as they are calculated with; complex ones would lose a part, and text is none."""
    import numpy as np

    if values.dtype.kind not in "biuf":
        raise DataError(f"the values of a matrix must be real numbers, not {values.dtype}")
    return np.ascontiguousarray(values, dtype=np.float64)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "a single number"
