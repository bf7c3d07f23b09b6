"""Where the points of a sweep are kept. Every point of every sweep is reported here, once, and nowhere else."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.errors import DataError, NeuralTraderError
from neural_trader.market.catalog.lock import held

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.backtesting.sweeping.counting import Counter
    from neural_trader.backtesting.sweeping.measures import Floats
    from neural_trader.backtesting.sweeping.paths import Paths
    from neural_trader.backtesting.sweeping.space import Matrix

IN_MEMORY_MAX = 10_000_000
"""Points that are kept where no file is named for them."""


class Points:
    """Points in memory: parameters, statistics, and what went wrong."""

    def __init__(self, names: tuple[str, ...], measures: tuple[str, ...], counter: Counter) -> None:
        self.names = names
        self.measures = measures
        self.counter = counter
        self._blocks: dict[int, tuple[Matrix, dict[str, Floats], dict[int, str]]] = {}

    def missing(self, points: Matrix) -> Matrix:
        """Those of some points that have not been reported yet."""
        return points

    def report(
        self, points: Matrix, values: Mapping[str, Floats], failed: Mapping[int, str], number: int | None = None
    ) -> None:
        """Take in points with their statistics; ``failed`` says what went wrong, by row, ``number`` their place."""
        self._blocks[len(self._blocks) if number is None else number] = (points, dict(values), dict(failed))
        self.counter.count(points, values)

    def keep(self, paths: Paths) -> None:
        """Keep curves beside points, where those are kept; the curves that there are already go into ``paths``."""

    def frame(self) -> pl.DataFrame:
        """A row for each point: its parameters, its statistics, and ``error``."""
        import polars as pl

        blocks = [self._blocks[number] for number in sorted(self._blocks)]
        parameters = np.concatenate([points for points, _, _ in blocks]) if blocks else None
        columns: dict[str, Any] = {
            name: [] if parameters is None else parameters[:, at] for at, name in enumerate(self.names)
        }
        for name in self.measures:
            columns[name] = np.concatenate([values[name] for _, values, _ in blocks]) if blocks else []
        errors = [failed.get(row) for points, _, failed in blocks for row in range(len(points))]
        schema = dict.fromkeys(columns, pl.Float64) | {"error": pl.String}
        return pl.DataFrame(columns | {"error": errors}, schema=schema).fill_nan(None)

    def close(self) -> None:
        """Nothing more will come."""


class FilePoints(Points):
    """Points in an SQLite file, each block of which is there wholly or not at all, whatever happens."""

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        names: tuple[str, ...],
        measures: tuple[str, ...],
        counter: Counter,
    ) -> None:
        super().__init__(names, measures, counter)
        self.path = path
        self._paths: Paths | None = None
        self._done: set[tuple[float, ...]] = set()
        self._held = ExitStack()
        with ExitStack() as opened:
            opened.enter_context(self._alone())
            opened.enter_context(self._telling())
            self._file = sqlite3.connect(path, isolation_level=None)
            opened.callback(self._file.close)
            self._refuse_foreign()
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("CREATE TABLE IF NOT EXISTS sweep (identity TEXT NOT NULL)")
            self._take_identity(json.dumps(identity, sort_keys=True))
            keys = ", ".join(f'"{name}" REAL NOT NULL' for name in names)
            values = ", ".join(f'"{name}" REAL' for name in measures)
            unique = ", ".join(f'"{name}"' for name in names)
            columns = f"{keys}, {values}, error TEXT, PRIMARY KEY ({unique})"
            self._file.execute(f"CREATE TABLE IF NOT EXISTS points ({columns}) WITHOUT ROWID")
            columns = f"{keys}, equity BLOB NOT NULL, PRIMARY KEY ({unique})"
            self._file.execute(f"CREATE TABLE IF NOT EXISTS curves ({columns}) WITHOUT ROWID")
            rows = self._file.execute(f"SELECT {', '.join(_quoted(names))} FROM points").fetchall()
            self._done = {tuple(row) for row in rows}
            self._held = opened.pop_all()
        self.resumed = len(self._done)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else plays into this file meanwhile: both would play the same points."""
        lock = self.path.with_name(f"{self.path.name}-lock")
        with ExitStack() as stack:
            try:
                stack.enter_context(held(lock, 0.0))
            except DataError:
                raise DataError(
                    f"{self.path}: another sweep is writing there; wait for it, or choose another file with --out"
                ) from None
            except OSError as error:
                raise DataError(
                    f"{self.path}: cannot keep points there ({error.strerror}); choose another file with --out"
                ) from error
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    lock.unlink()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Says in one line what is wrong with the file."""
        try:
            yield
        except sqlite3.Error as error:
            known = getattr(error, "sqlite_errorname", "")
            if known == "SQLITE_FULL" or (known.startswith("SQLITE_IOERR") and self._done):
                kept = f"the {len(self._done):,} points before are kept" if self._done else "no point was kept yet"
                raise NeuralTraderError(
                    f"{self.path}: {error}; {kept}: make room and run the same command again"
                ) from error
            raise DataError(
                f"{self.path}: cannot keep points there ({error}); choose another file with --out"
            ) from error

    def _refuse_foreign(self) -> None:
        tables = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master")}
        if tables and "sweep" not in tables:
            raise DataError(f"{self.path} is a database of something else; choose another file with --out")

    def _take_identity(self, identity: str) -> None:
        known = self._file.execute("SELECT identity FROM sweep").fetchone()
        if known is None:
            self._file.execute("INSERT INTO sweep VALUES (?)", (identity,))
        elif known[0] != identity:
            before, now = json.loads(known[0]), json.loads(identity)
            changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
            raise DataError(
                f"{self.path} has points of another sweep ({', '.join(changed)} differ); choose another file with --out"
            )

    def keep(self, paths: Paths) -> None:
        self._paths = paths
        with self._telling():
            rows = self._file.execute("SELECT * FROM curves").fetchall()
        if rows:
            paths.take(np.array([row[:-1] for row in rows]), np.array([np.frombuffer(row[-1], "<f8") for row in rows]))

    def missing(self, points: Matrix) -> Matrix:
        if not self._done:
            return points
        return points[[tuple(row) not in self._done for row in points.tolist()]]

    def report(
        self, points: Matrix, values: Mapping[str, Floats], failed: Mapping[int, str], number: int | None = None
    ) -> None:
        columns = [
            *points.T.tolist(),
            *(np.where(np.isfinite(values[n]), values[n], np.nan).tolist() for n in self.measures),
        ]
        errors = [failed.get(row) for row in range(len(points))]
        rows = list(zip(*columns, errors, strict=True))
        places = ", ".join("?" * len(rows[0])) if rows else ""
        # Counted first: a point that is kept is not played again, and one that is counted twice counts once.
        self.counter.count(points, values)
        with self._telling(), self._wholly():
            # NaN becomes NULL on the way into SQLite.
            self._file.executemany(f"INSERT OR IGNORE INTO points VALUES ({places})", rows)
            if self._paths is not None:
                kept, curves = self._paths.of(points)
                marks = ", ".join("?" * (len(self.names) + 1))
                self._file.executemany(
                    f"INSERT OR IGNORE INTO curves VALUES ({marks})",
                    [(*row, curve.astype("<f8").tobytes()) for row, curve in zip(kept.tolist(), curves, strict=True)],
                )
        self._done.update(tuple(row) for row in points.tolist())

    @contextmanager
    def _wholly(self) -> Iterator[None]:
        self._file.execute("BEGIN")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            raise

    def frame(self) -> pl.DataFrame:
        import polars as pl

        names = [*self.names, *self.measures, "error"]
        with self._telling():
            rows = self._file.execute(f"SELECT {', '.join(_quoted(names))} FROM points").fetchall()
        schema = dict.fromkeys(names[:-1], pl.Float64) | {"error": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._held.close()


def _quoted(names: tuple[str, ...] | list[str]) -> list[str]:
    return [f'"{name}"' for name in names]
