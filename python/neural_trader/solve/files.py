"""Matrices in files: Matrix Market, npz and CSV."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from neural_trader.errors import DataError
from neural_trader.solve.matrices import Rows, from_coordinates, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[float], None]

_BANNER = "%%matrixmarket"
_LINES_AT_ONCE = 1 << 18


def read_matrix(path: str | Path, progress: Progress | None = None) -> Rows:
    """A square matrix of a file; ``progress`` hears the share that was read.

    ``.mtx`` is Matrix Market, in coordinates or as an array, general, symmetric or skew-symmetric; ``.npz`` what
    ``scipy.sparse.save_npz``, or ``numpy.savez`` of one dense array, writes; ``.csv`` has lines ``row,col,value`` with
    rows and columns from 0, under a heading or not. DataError names the file and, where it can, the line.
    """
    file = Path(path)
    readers = {".mtx": _matrix_market, ".npz": _npz, ".csv": _csv}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"{file}: is no .mtx, .npz or .csv; write the matrix as one of these")
    try:
        return reader(file, progress)
    except FileNotFoundError as error:
        raise DataError(f"{file}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read ({error})") from error
    except MemoryError as error:
        raise DataError(f"{file}: announces a matrix that does not fit into memory ({error})") from error


def read_vector(path: str | Path) -> NDArray[np.float64]:
    """A right side of a file: one number per line, or an ``.npy``."""
    import numpy as np

    file = Path(path)
    try:
        if file.suffix.lower() == ".npy":
            vector = np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
        else:
            vector = np.array([float(line) for line in file.read_text(encoding="utf-8").split()])
    except FileNotFoundError as error:
        raise DataError(f"{file}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: is no right side, one number per line ({error})") from error
    if vector.ndim != 1:
        raise DataError(f"{file}: is no right side, which has one dimension and not {vector.ndim}")
    return vector


def _matrix_market(file: Path, progress: Progress | None) -> Rows:
    import numpy as np

    with file.open(encoding="utf-8") as lines:
        words = lines.readline().lower().split()
        if len(words) != 5 or words[:2] != [_BANNER, "matrix"]:
            raise DataError(f"{file}: does not begin with %%MatrixMarket matrix; it is no Matrix Market file")
        layout, field, symmetry = words[2:]
        if layout not in {"coordinate", "array"} or field not in {"real", "integer", "double", "pattern"}:
            raise DataError(f"{file}: holds a matrix of kind {layout} {field}; only real numbers can be solved for")
        if symmetry not in {"general", "symmetric", "skew-symmetric"}:
            raise DataError(f"{file}: is {symmetry}; only general, symmetric and skew-symmetric matrices are read")
        heading = next((line.split() for line in lines if line.strip() and not line.startswith("%")), [])
        try:
            sizes = [int(word) for word in heading]
        except ValueError:
            sizes = []
        if len(sizes) != (3 if layout == "coordinate" else 2):
            raise DataError(f"{file}: has no line of sizes after its comments")
        length = _square(file, sizes[0], sizes[1])
        if layout == "array":
            return _array(file, lines, length, symmetry)
        columns = 2 if field == "pattern" else 3
        table = _table(file, lines, sizes[2], columns, " ", progress)
    rows, across = (places - 1 for places in _places(file, table, 1))
    values = np.ones(len(table)) if field == "pattern" else table[:, 2]
    if symmetry != "general":
        off = rows != across
        sign = -1.0 if symmetry == "skew-symmetric" else 1.0
        rows, across = np.concatenate([rows, across[off]]), np.concatenate([across, rows[off]])
        values = np.concatenate([values, sign * values[off]])
    return _named(file, from_coordinates, rows, across, values, length)


def _array(file: Path, lines: TextIO, length: int, symmetry: str) -> Rows:
    """A dense matrix, column after column; below the diagonal only where the rest follows from that."""
    import numpy as np

    begin = {"general": 0, "symmetric": 0, "skew-symmetric": 1}[symmetry]
    places = [
        (row, column)
        for column in range(length)
        for row in range(0 if symmetry == "general" else column + begin, length)
    ]
    values = _table(file, lines, len(places), 1, " ", None)[:, 0]
    dense = np.zeros((length, length))
    for (row, column), value in zip(places, values, strict=True):
        dense[row, column] = value
        if symmetry != "general":
            dense[column, row] = -value if symmetry == "skew-symmetric" else value
    return _named(file, rows_of, dense)


def _table(
    file: Path, lines: TextIO, count: int | None, columns: int, separator: str, progress: Progress | None
) -> NDArray[np.float64]:
    """Lines of so many numbers; as many as ``count`` says, where it does."""
    import numpy as np

    pieces, done = [np.empty((0, columns))], 0
    size = max(file.stat().st_size, 1)
    read_bytes = 0
    while piece := list(itertools.islice(lines, _LINES_AT_ONCE)):
        read_bytes += sum(map(len, piece))
        text = [line for line in piece if line.strip() and not line.startswith("%")]
        numbers = separator.join(text).replace(separator, " ").split() if text else []
        if len(numbers) != columns * len(text):
            bad = next(line for line in text if len(line.replace(separator, " ").split()) != columns)
            raise DataError(f"{file}: {bad.strip()!r} is no line of {columns} numbers; the file may be cut short")
        try:
            pieces.append(np.array(numbers, dtype=np.float64).reshape(-1, columns))
        except ValueError as error:
            raise DataError(f"{file}: {error}; every line needs {columns} numbers") from error
        done += len(text)
        if progress is not None:
            progress(min(read_bytes / size, 1.0))
    if count is not None and done != count:
        raise DataError(f"{file}: announces {count} entries and has {done}; the file may be cut short")
    return np.concatenate(pieces)


def _csv(file: Path, progress: Progress | None) -> Rows:
    with file.open(encoding="utf-8") as lines:
        begin = lines.tell()
        heading = lines.readline()
        if not any(letter.isalpha() for letter in heading.lower().replace("e", "").replace("nan", "")):
            lines.seek(begin)
        table = _table(file, lines, None, 3, ",", progress)
    if not len(table):
        raise DataError(f"{file}: holds no entries; lines are row,col,value")
    rows, columns = _places(file, table, 0)
    return _named(file, from_coordinates, rows, columns, table[:, 2], int(max(rows.max(), columns.max())) + 1)


def _places(file: Path, table: NDArray[np.float64], first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of a table, which are whole numbers from ``first`` on."""
    import numpy as np

    places = table[:, :2]
    if not (np.isfinite(places).all() and (places == np.floor(places)).all() and (places >= first).all()):
        raise DataError(f"{file}: rows and columns must be whole numbers, counted from {first}")
    return places[:, 0].astype(np.int64), places[:, 1].astype(np.int64)


def _npz(file: Path, progress: Progress | None) -> Rows:
    import numpy as np

    try:
        with np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{file}: is no npz file, or is cut short ({error})") from error
    if progress is not None:
        progress(1.0)
    if "format" not in arrays:
        if len(arrays) != 1:
            raise DataError(
                f"{file}: holds {', '.join(arrays) or 'nothing'}; one dense array or a sparse matrix is read"
            )
        return _named(file, rows_of, *arrays.values())
    try:
        kind = arrays["format"].item()
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        rows, columns = (int(size) for size in arrays["shape"])
        length = _square(file, rows, columns)
        if kind == "coo":
            return _named(file, from_coordinates, arrays["row"], arrays["col"], arrays["data"], length)
        if kind not in {"csr", "csc"}:
            raise DataError(f"{file}: holds a sparse matrix of format {kind}; csr, csc and coo are read")
        begins, places, values = arrays["indptr"], arrays["indices"], arrays["data"]
    except KeyError as error:
        raise DataError(f"{file}: has no array {error} that format {kind} needs") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"{file}: its arrays are those of no sparse matrix ({error})") from error
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in (begins, places)):
        raise DataError(f"{file}: row pointers and columns must be whole numbers in one dimension")
    if len(begins) != length + 1 or (np.diff(begins) < 0).any() or begins[-1] != len(places):
        raise DataError(f"{file}: its row pointers do not fit {length} rows and {len(places)} entries")
    lines = np.repeat(np.arange(length), np.diff(begins))
    first, second = (lines, places) if kind == "csr" else (places, lines)
    return _named(file, from_coordinates, first, second, values, length)


def _square(file: Path, rows: int, columns: int) -> int:
    if rows != columns:
        raise DataError(f"{file}: the matrix is {rows} x {columns}; a system has as many rows as columns")
    if rows < 1:
        raise DataError(f"{file}: the matrix is empty; it needs at least one row")
    return rows


def _named(file: Path, make: Callable[..., Rows], *arguments: Any) -> Rows:
    """What is wrong with a matrix, with the name of its file."""
    try:
        return make(*arguments)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
