"""One file of a dataset grows by rows that come in pieces: what is in memory is a piece, and not the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from neural_trader.errors import DataError
from neural_trader.market.catalog.merging import merged, refuse_repeated_ids
from neural_trader.market.catalog.rows import KINDS

if TYPE_CHECKING:
    import polars as pl

Read = TypeVar("Read")
ROW_GROUP = 1 << 17
"""The rows of a file that are compressed, and so read, together."""


@dataclass(frozen=True)
class Grown:
    """The rows that a file is to have."""

    frame: pl.LazyFrame
    rows: int
    new: int
    first_ns: int
    last_ns: int


def grown(
    kind: str, has_ids: bool, stored: Path | None, pieces: Iterable[pl.DataFrame], where: str, folder: Path
) -> Grown | None:
    """Stored rows and those of pieces, which are in the order of their times, as one; None if nothing is new.

    Several pieces wait in files of the folder, which is made for them.
    """
    import polars as pl

    time = KINDS[kind].time
    wholes: list[pl.LazyFrame] = []
    ids = _Rising()
    rows = new = first_ns = last_ns = 0
    after_ns: int | None = None
    for piece, until_ns in _whole_instants(pieces, time):
        beside = None if stored is None else _rows_between(stored, time, after_ns, until_ns)
        whole = merged(kind, has_ids, beside, piece, where)
        kept = beside if whole is None else whole
        assert kept is not None, "rows that are known are stored"
        if until_ns is None and not wholes:
            wholes.append(kept.lazy())
        else:
            folder.mkdir(exist_ok=True)
            waiting = folder / f"{len(wholes):06}"
            # Read once, and soon: not worth a compression.
            kept.write_parquet(waiting, compression="uncompressed")
            wholes.append(pl.scan_parquet(waiting, glob=False, hive_partitioning=False))
        if has_ids:
            ids.see(kept["trade_id"])
        times = kept[time].to_physical()
        first_ns, last_ns = first_ns if rows else int(times[0]), int(times[-1])
        rows, new = rows + len(kept), new + len(kept) - (0 if beside is None else len(beside))
        after_ns = until_ns
    if not new:
        return None
    frame = pl.concat(wholes)
    if has_ids and not ids.rise:
        refuse_repeated_ids(frame, kind, where)
    return Grown(frame, rows, new, first_ns, last_ns)


class _Rising:
    """Whether ids rise from piece to piece, so that none of them can be in two."""

    def __init__(self) -> None:
        self.rise = True
        self._highest = -1

    def see(self, ids: pl.Series) -> None:
        lowest, highest = ids.min(), ids.max()
        assert isinstance(lowest, int) and isinstance(highest, int)
        self.rise &= lowest > self._highest
        self._highest = max(self._highest, highest)


def _whole_instants(pieces: Iterable[pl.DataFrame], time: str) -> Iterator[tuple[pl.DataFrame, int | None]]:
    """The same rows without an instant that is divided, and the time of the last one of each; the last has no end."""
    import polars as pl

    held: pl.DataFrame | None = None
    for piece in pieces:
        if held is None:
            held = piece
            continue
        last = held[time][-1]
        if piece[time][0] == last:
            cut = int(held[time].search_sorted(last, "left"))
            tail, held = held[cut:], held[:cut]
        else:
            tail = held[:0]
        if len(held):
            yield held, int(held[time].to_physical()[-1])
        held = pl.concat([tail, piece])
    if held is not None:
        yield held, None


def _rows_between(path: Path, time: str, after_ns: int | None, until_ns: int | None) -> pl.DataFrame:
    """Rows of a file behind one time and up to another."""
    import polars as pl

    at = pl.col(time).dt.epoch("ns")
    wanted = [pl.lit(True)]
    if after_ns is not None:
        wanted.append(at > after_ns)
    if until_ns is not None:
        wanted.append(at <= until_ns)
    return reading(path, lambda: pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(*wanted).collect())


def reading(path: Path, read: Callable[[], Read]) -> Read:
    """What a file of the catalog holds, or the error that says what to do about it."""
    import polars as pl

    try:
        return read()
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).split("\n", 1)[0]
        raise DataError(f"{path}: cannot be read ({said}); remove the dataset and import it again") from None


def refuse_other_length(path: Path, found: int, written: int) -> None:
    """Raises where a file has not the rows that were written."""
    if found != written:
        raise DataError(f"{path}: {found} rows, but {written} were written; `neural-trader data check` says more")
