"""The ledger of trials: every backtest of a project, counted and kept, because the best of many proves little.

One SQLite file with a small row for each trial. Writers may be many and may die at any instant: a row is there wholly
or not at all. Running the same thing again is no new trial, be it a backtest or a point of a sweep.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from neural_trader.config import data_folder
from neural_trader.errors import DataError

ENVIRONMENT = "NT_TRIALS"
"""Names the ledger of every run that is not told another; ``off`` keeps none."""
OFF = "off"
FOLDER = ".neural-trader"
FILE = "trials.sqlite"
FORMAT = 2
"""The first one knew a trial by its run hash alone, which a point of a sweep does not have."""
_PATIENCE_S = 30.0
_PROJECT_MARKS = (FOLDER, "run.toml")

_COLUMNS = """
key TEXT PRIMARY KEY, hash TEXT NOT NULL, time_ns INTEGER NOT NULL, strategy TEXT NOT NULL, parameters TEXT NOT NULL,
inputs TEXT NOT NULL, count INTEGER NOT NULL, mean REAL, deviation REAL, skewness REAL, kurtosis REAL, sharpe REAL
"""
_OF_TRIAL = "hash, time_ns, strategy, parameters, inputs, count, mean, deviation, skewness, kurtosis, sharpe, key"

# What is known of a trial is kept; what was not known, such as the run hash of a point of a sweep, is added.
_KEEP = f"""
INSERT INTO trials ({_OF_TRIAL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
hash = CASE hash WHEN key THEN excluded.hash ELSE hash END, mean = coalesce(mean, excluded.mean),
deviation = coalesce(deviation, excluded.deviation), skewness = coalesce(skewness, excluded.skewness),
kurtosis = coalesce(kurtosis, excluded.kurtosis), sharpe = coalesce(sharpe, excluded.sharpe)
"""


class Trial(NamedTuple):
    """One backtest, as the ledger keeps it."""

    hash: str
    """The run hash; of a point of a sweep that was not run by itself, the key."""
    time_ns: int
    """When it was first run, by the clock of the machine."""
    strategy: str
    parameters: str
    """Parameters and overlays as JSON."""
    inputs: str
    """Digest of the bars."""
    returns: int
    """How many returns there were; the moments that follow are theirs, None where they are undefined."""
    mean: float | None
    deviation: float | None
    skewness: float | None
    kurtosis: float | None
    sharpe: float | None
    """Sharpe ratio a year."""
    key: str = ""
    """What tells two trials apart: the digest of all that decides the run. Without one it is the run hash."""

    def document(self) -> dict[str, Any]:
        """The trial as plain values for JSON."""
        return {**self._asdict(), "parameters": json.loads(self.parameters)}


class Search(NamedTuple):
    """How much was tried, as far as a deflated ratio needs it."""

    trials: int
    variance: float
    """Sample variance of the trials' Sharpe ratios a year; 0 where fewer than two have one."""


@dataclass(frozen=True)
class Ledger:
    """The trials in one file, which is made when the first is recorded."""

    path: Path

    @property
    def is_of_project(self) -> bool:
        """Whether all trials belong together; those of the user's own folder only do if they share their data."""
        return self.path != user_place()

    def record(self, trial: Trial, *, search_over: str | None = None) -> tuple[bool, Search]:
        """Keep a trial; says whether it is new, and how much has been tried (with inputs, only on those).

        DataError where the file cannot be written, is damaged, or is of a newer version.
        """
        with self._open(writes=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            row = _keyed(trial)
            is_new = connection.execute("SELECT 1 FROM trials WHERE key = ?", (row.key,)).fetchone() is None
            connection.execute(_KEEP, row)
            found = _search(connection, search_over)
            connection.execute("COMMIT")
        return is_new, found

    def record_all(self, trials: Iterable[Trial]) -> None:
        """Keep many trials at once; DataError as for one."""
        with self._open(writes=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_KEEP, map(_keyed, trials))
            connection.execute("COMMIT")

    def search(self, over: str | None = None) -> Search:
        """How much has been tried (with inputs, only on those); DataError as for :meth:`record`."""
        if not self.path.exists():
            return Search(0, 0.0)
        with self._open() as connection:
            return _search(connection, over)

    def trials(self) -> list[Trial]:
        """All trials, the oldest first; none where there is no file yet."""
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(f"SELECT {_OF_TRIAL} FROM trials ORDER BY time_ns, hash")
            return [Trial(*row) for row in rows]

    def reset(self) -> int:
        """Forget all trials; says how many there were."""
        if not self.path.exists():
            return 0
        with self._open(writes=True) as connection:
            return connection.execute("DELETE FROM trials").rowcount

    @contextmanager
    def _open(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if writes:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
            try:
                self._prepare(connection)
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise DataError(
                f"{self.path}: the ledger of trials cannot be used ({error}); move it away, or name another with "
                f"--trials or ${ENVIRONMENT} ({OFF} keeps none)"
            ) from error
        except OSError as error:
            raise DataError(
                f"{self.path}: the ledger of trials cannot be written ({error.strerror}); name another with --trials "
                f"or ${ENVIRONMENT} ({OFF} keeps none)"
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # What was committed outlives the death of this process without waiting for the disk.
        connection.execute("PRAGMA synchronous = NORMAL")
        version = _version(connection)
        if version > FORMAT:
            raise DataError(
                f"{self.path}: the ledger of trials is of a newer neural-trader (format {version}, this one reads "
                f"{FORMAT}); update, or name another with --trials or ${ENVIRONMENT} ({OFF} keeps none)"
            )
        if version == FORMAT:
            return
        _switch_to_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        # Whoever was first has made it meanwhile.
        before = _version(connection)
        if before < FORMAT:
            if before:
                connection.execute("ALTER TABLE trials RENAME TO earlier")
            connection.execute(f"CREATE TABLE trials ({_COLUMNS}) WITHOUT ROWID")
            if before:
                connection.execute("INSERT INTO trials SELECT hash, * FROM earlier")
                connection.execute("DROP TABLE earlier")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")


def _keyed(trial: Trial) -> Trial:
    return trial if trial.key else trial._replace(key=trial.hash)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Readers and writers side by side; SQLite does not wait by itself for others that switch at this moment."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _search(connection: sqlite3.Connection, inputs: str | None) -> Search:
    where, given = ("", ()) if inputs is None else (" WHERE inputs = ?", (inputs,))
    count, known, mean = connection.execute(
        f"SELECT count(*), count(sharpe), avg(sharpe) FROM trials{where}", given
    ).fetchone()
    if known < 2:
        return Search(count, 0.0)
    squares = connection.execute(
        f"SELECT total((sharpe - ?) * (sharpe - ?)) FROM trials{where}", (mean, mean, *given)
    ).fetchone()[0]
    return Search(count, squares / (known - 1))


def ledger_of(
    given: str | Path | None = None, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Ledger | None:
    """The ledger that a run is kept in, None for none.

    The one that is given, else that of $NT_TRIALS, else that of the project around the folder (the working one), else
    that of the user; in continuous integration, which $CI tells, runs outside of projects are not kept.
    """
    environment = os.environ if environment is None else environment
    named = given if given is not None else environment.get(ENVIRONMENT) or None
    if named is not None:
        return None if str(named).lower() == OFF else Ledger(Path(named).expanduser().absolute())
    here = (folder or Path.cwd()).absolute()
    for parent in (here, *here.parents):
        if parent != Path.home() and any((parent / mark).exists() for mark in _PROJECT_MARKS):
            return Ledger(place_in(parent))
    if environment.get("CI", "") not in {"", "0", "false"}:
        return None
    return Ledger(user_place())


def place_in(project: Path) -> Path:
    """Where the ledger of a project is."""
    return project / FOLDER / FILE


def user_place() -> Path:
    """Where the ledger of runs outside of projects is."""
    return data_folder() / FILE
