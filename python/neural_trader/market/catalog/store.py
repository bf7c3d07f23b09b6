"""The catalog: datasets of bars, trades, quotes and depth in Parquet files that any tool can read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars
from neural_trader.market.catalog import commit
from neural_trader.market.catalog.growing import ROW_GROUP, Grown, grown, reading, refuse_other_length
from neural_trader.market.catalog.lock import held
from neural_trader.market.catalog.manifest import Manifest, Origin, Part, common_step, read_manifest
from neural_trader.market.catalog.names import Key, catalog_root, checked_key
from neural_trader.market.catalog.rows import KINDS, Rows, dates_of, rows_of
from neural_trader.market.ticks import Quotes, Trades

if TYPE_CHECKING:
    import polars as pl

DATA = "data"
MANIFESTS = "manifests"
FILE = "part.parquet"
_TRIES = 3
Result = TypeVar("Result")


@dataclass(frozen=True)
class Appended:
    """What an import came to."""

    key: Key
    rows: int
    """Rows that were given."""
    new: int
    files: int
    """Files that changed."""


class Catalog:
    """Datasets below one folder: ``data`` holds nothing but Parquet files, ``manifests`` says what they are."""

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = catalog_root(root).absolute()

    def datasets(self) -> list[Dataset]:
        """All datasets in the order of their names."""
        found = []
        for path in (self.root / MANIFESTS).glob("*/*/*"):
            if commit.is_unfinished(path):
                with held(path / "lock"):
                    commit.finish(path, self.root)
            if (manifest := read_manifest(path / commit.MANIFEST)) is not None:
                found.append(Dataset(self, manifest.key))
        return sorted(found, key=lambda dataset: dataset.key)

    def dataset(self, key: Key) -> Dataset:
        """The dataset of this name, whether it has rows yet or not."""
        return Dataset(self, checked_key(key))

    def append(
        self, item: Bars | Trades | Quotes, venue: str, origin: Origin | None = None, every: str | None = None
    ) -> Appended:
        """Adds what was seen at a venue; what is there already changes nothing."""
        rows = rows_of(item)
        key = Key(venue, rows.symbol, rows.kind, rows.every if every is None or rows.kind != "bars" else every)
        return self.dataset(key).append(rows, origin)

    def append_pieces(self, pieces: Iterable[Rows], venue: str, origin: Origin | None = None) -> Appended | None:
        """Adds what was seen at a venue and comes in pieces of one dataset; None if there is no piece."""
        pieces = iter(pieces)
        if (first := next(pieces, None)) is None:
            return None
        key = Key(venue, first.symbol, first.kind, first.every)
        return self.dataset(key).append_pieces(chain([first], pieces), origin)


@dataclass(frozen=True)
class Dataset:
    """The rows of one kind of one instrument at one venue."""

    catalog: Catalog
    key: Key

    @property
    def _state(self) -> Path:
        return self.catalog.root / MANIFESTS / self.key.plain

    def _place(self, date: str) -> Path:
        """The file of a period, below the root."""
        return Path(DATA) / self.key.hive / f"date={date}" / FILE

    def manifest(self) -> Manifest:
        """What the dataset holds; a commit that was cut short is finished first."""
        if commit.is_unfinished(self._state):
            with held(self._state / "lock"):
                commit.finish(self._state, self.catalog.root)
        found = read_manifest(self._state / commit.MANIFEST)
        if found is None or found.key != self.key:
            raise DataError(
                f"{self.key}: not in the catalog {self.catalog.root}; `neural-trader data list` shows what is"
            )
        return found

    def path_of(self, date: str) -> Path:
        """The Parquet file of a period, by its first day."""
        return self.catalog.root / self._place(date)

    def paths(self) -> list[Path]:
        """The Parquet files, in the order of their dates."""
        return [self.path_of(date) for date in sorted(self.manifest().parts)]

    def scan(self) -> pl.LazyFrame:
        """All rows, lazily: filters and columns asked for are pushed down to the files."""
        import polars as pl

        return pl.scan_parquet(self.paths(), glob=False, hive_partitioning=False)

    # ---- Writing ----------------------------------------------------------------------------------------------------

    def append(self, rows: Rows, origin: Origin | None = None) -> Appended:
        """Adds rows: all of them, or none where one contradicts what is stored."""
        return self.append_pieces([rows], origin)

    def append_pieces(self, pieces: Iterable[Rows], origin: Origin | None = None) -> Appended:
        """Adds rows that come in pieces, in the order of their times: all of them, or none.

        What is in memory is a piece, and of what is stored the rows of the same stretch of time.
        """
        pieces = iter(pieces)
        rows = next(pieces, None)
        if rows is None or rows.frame.is_empty():
            raise DataError(f"{self.key}: there are no rows to add")
        state, root = self._state, self.catalog.root
        self._refuse_other_spelling()
        with held(state / "lock"):
            commit.finish(state, root)
            before = read_manifest(state / commit.MANIFEST) or Manifest(
                self.key, rows.tick, rows.lot, rows.columns, rows.made
            )
            self._refuse_other(before, rows)
            origins = before.origins if origin is None else {**before.origins, origin.sha256: origin}
            after = replace(
                before,
                tick=common_step(before.tick, rows.tick),
                lot=common_step(before.lot, rows.lot),
                origins=origins,
                parts=dict(before.parts),
            )
            folder = commit.staging(state)
            given = new = 0
            changed: dict[str, Path] = {}
            where = f"{origin.name}: {self.key}" if origin else str(self.key)
            for date, runs in groupby(_by_date(chain([rows], pieces), str(self.key)), lambda run: run[0]):
                counted = _Counted(frame for _, frame in runs)
                stored, waiting = self._stored(before, date), folder / f"{date}.pieces"
                whole = grown(rows.kind, "trade_id" in rows.columns, stored, counted, where, waiting)
                given += counted.rows
                if whole is not None:
                    new += whole.new
                    known = before.parts[date].origins if date in before.parts else ()
                    from_ = known if origin is None or origin.sha256 in known else (*known, origin.sha256)
                    after.parts[date] = _written(folder / date, whole, after, date, from_)
                    changed[date] = self._place(date)
                shutil.rmtree(waiting, ignore_errors=True)
            if changed:
                commit.publish(state, root, after.text(), changed)
            return Appended(self.key, given, new, len(changed))

    def _refuse_other(self, manifest: Manifest, rows: Rows) -> None:
        if manifest.key != self.key:
            raise DataError(
                f"{self.key} and {manifest.key} have one name in the catalog; give one of them another symbol"
            )
        if manifest.made != rows.made:
            words = [made or "what a market traded" for made in (manifest.made, rows.made)]
            raise DataError(f"{self.key}: stored is {words[0]}, given is {words[1]}; import it under another venue")
        if manifest.columns != rows.columns:
            words = [", ".join(columns) or "none of them" for columns in (manifest.columns, rows.columns)]
            optional = ", ".join(KINDS[self.key.kind].optional)
            raise DataError(
                f"{self.key}: of {optional} the stored rows have {words[0]}, the new ones {words[1]};"
                " import them under another venue or symbol"
            )

    def _refuse_other_spelling(self) -> None:
        """File systems that do not tell capitals apart would mix two instruments."""
        folder = self.catalog.root / MANIFESTS
        for part in self.key.plain.parts:
            if folder.is_dir():
                for entry in folder.iterdir():
                    if entry.name != part and entry.name.casefold() == part.casefold():
                        raise DataError(
                            f"{self.key}: {entry.name!r} is there, which differs in capitals only; use that"
                        )
            folder /= part

    def _stored(self, manifest: Manifest, date: str) -> Path | None:
        """The file of a period, if there is one; it has the rows that were written."""
        import polars as pl

        if date not in manifest.parts:
            return None
        path = self.path_of(date)
        rows = reading(path, lambda: pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
        refuse_other_length(path, rows, manifest.parts[date].rows)
        return path

    # ---- Reading ----------------------------------------------------------------------------------------------------

    def frames(
        self, manifest: Manifest, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """The rows file by file, of a window of time if there is one; never more than one file in memory."""
        import polars as pl

        time = pl.col(KINDS[self.key.kind].time).dt.epoch("ns")
        for date in sorted(manifest.parts):
            part = manifest.parts[date]
            if (start_ns is not None and part.last_ns < start_ns) or (end_ns is not None and part.first_ns >= end_ns):
                continue
            frame = _whole_file(self.path_of(date), part)
            if start_ns is not None and part.first_ns < start_ns:
                frame = frame.filter(time >= start_ns)
            if end_ns is not None and part.last_ns >= end_ns:
                frame = frame.filter(time < end_ns)
            if not frame.is_empty():
                yield frame

    def frame(self, start_ns: int | None = None, end_ns: int | None = None) -> pl.DataFrame:
        """All rows, or those of a window of time."""
        import polars as pl

        def read(manifest: Manifest) -> pl.DataFrame:
            found = list(self.frames(manifest, start_ns, end_ns))
            if not found:
                raise DataError(f"{self.key}: no rows in the window asked for")
            return pl.concat(found)

        return self.undisturbed(read)

    def undisturbed(self, read: Callable[[Manifest], Result]) -> Result:
        """Reads without a lock, again where a writer came in between, and keeps writers away if they come too often."""
        for _ in range(_TRIES):
            manifest = self.manifest()
            try:
                found = read(manifest)
            except (DataError, FileNotFoundError):
                if self.manifest() == manifest:
                    raise
                continue
            if self.manifest() == manifest:
                return found
        with held(self._state / "lock"):
            commit.finish(self._state, self.catalog.root)
            return read(self.manifest())

    def item(self, start_ns: int | None = None, end_ns: int | None = None) -> Bars | Trades | Quotes:
        """The rows as bars, trades or quotes: exact columns on the grid of the dataset."""
        from neural_trader.market.catalog.reading import item_of

        return self.undisturbed(lambda manifest: item_of(self, manifest, start_ns, end_ns))


class _Counted:
    """Frames, and how many rows those that have been taken had."""

    def __init__(self, frames: Iterator[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += len(frame)
            yield frame


def _by_date(pieces: Iterable[Rows], name: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Runs of rows of one period; rows have to be in the order of time."""
    latest = None
    for rows in pieces:
        times = rows.frame[KINDS[rows.kind].time]
        if not times.is_sorted() or (latest is not None and times[0] < latest):
            raise DataError(f"{name}: the rows are not in the order of their times; sort them")
        latest = times[-1]
        dates = dates_of(rows.frame, rows.kind, rows.every).rle().struct.unnest()
        first = 0
        for length, date in dates.select("len", "value").iter_rows():
            yield date, rows.frame[first : first + length]
            first += length


def _written(path: Path, whole: Grown, manifest: Manifest, date: str, origins: tuple[str, ...]) -> Part:
    # One writer for rows in memory and for those that wait in files, so that the same rows make the same bytes.
    whole.frame.sink_parquet(
        path, compression="zstd", statistics=True, row_group_size=ROW_GROUP, engine="streaming",
        metadata=manifest.metadata(date, origins),
    )  # fmt: skip
    commit.synced(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(whole.rows, whole.first_ns, whole.last_ns, path.stat().st_size, digest, origins)


def _whole_file(path: Path, part: Part) -> pl.DataFrame:
    import polars as pl

    frame = reading(path, lambda: pl.read_parquet(path, glob=False, hive_partitioning=False))
    refuse_other_length(path, len(frame), part.rows)
    return frame
