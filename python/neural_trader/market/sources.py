"""Files of bars: found, recognised by what they contain, and read as columns without touching a value."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from neural_trader.errors import DataError
from neural_trader.market.faults import Table
from neural_trader.market.json_rows import read_json
from neural_trader.market.recognise import Columns, recognise
from neural_trader.market.times import is_time_of_day, looks_like_time

if TYPE_CHECKING:
    import polars as pl

FORMATS = {
    ".csv": "CSV", ".tsv": "CSV", ".txt": "CSV",
    ".parquet": "Parquet", ".pq": "Parquet",
    ".feather": "Feather", ".arrow": "Feather", ".ipc": "Feather",
}  # fmt: skip
COMPRESSIONS = (".gz", ".zst")
_READABLE = "CSV (.csv .tsv .txt, also .gz .zst), Parquet (.parquet .pq) and Feather (.feather .arrow .ipc)"
_HEAD_BYTES = 1 << 16
_DELIMITERS = ",;\t|"
# How far down a header may begin: exports put a title or an address above it.
_HEADER_WITHIN = 10


@dataclass(frozen=True)
class Source:
    """One file of bars."""

    path: Path
    format: str
    stem: str
    """The file's name without its extensions: the symbol, unless a column says otherwise."""

    @property
    def name(self) -> str:
        return self.path.name


def format_of(path: Path) -> tuple[str, str] | None:
    """The format that a file's name promises, and the name without extensions."""
    name = path.name
    for compression in COMPRESSIONS:
        if name.lower().endswith(compression):
            name = name[: -len(compression)]
            break
    suffix = Path(name).suffix.lower()
    known = FORMATS.get(suffix)
    if known is None or (known != "CSV" and name != path.name):
        return None
    return known, name[: -len(suffix)]


def _json_of(path: Path) -> tuple[str, str] | None:
    """As ``format_of``, for JSON, which is read where it is named: in folders, most of it is something else."""
    match = re.fullmatch(r"(.+)\.json(\.gz)?", path.name, re.IGNORECASE)
    return None if match is None else ("JSON", match[1])


def sources_in(path: str | Path) -> list[Source]:
    """The file, or the files of bars in the folder, in the order of their names."""
    path = Path(path).expanduser()
    if path.is_dir():
        found = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
        sources = [Source(entry, *known) for entry in found if (known := format_of(entry))]
        if not sources:
            raise DataError(f"{path}: no file of bars in this folder; readable are {_READABLE}")
        stems: dict[str, Source] = {}
        for source in sources:
            if (other := stems.setdefault(source.stem, source)) is not source:
                raise DataError(f"{path}: {other.name} and {source.name} are both {source.stem}; remove one of them")
        return sources
    if not path.exists():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such file or folder{suggestion(path.name, near)}")
    known = format_of(path) or _json_of(path)
    if known is None:
        raise DataError(f"{path.name}: not a file of bars by its name; readable are {_READABLE}, and JSON (.json)")
    return [Source(path, *known)]


def suggestion(wanted: str, known: list[str]) -> str:
    """The names nearest to a wanted one, as the end of a message."""
    import difflib

    by_lower = {name.lower(): name for name in known}
    near = [by_lower[name] for name in difflib.get_close_matches(wanted.lower(), by_lower, n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _guarded(source: Source, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Reads, and words whatever the reader says when the file is not what it should be."""
    import polars as pl

    try:
        return read()
    except (pl.exceptions.PolarsError, OSError, EOFError, ValueError, pl.exceptions.PanicException) as error:
        said = " ".join(str(error).split("\n", 1)[0].split()) or type(error).__name__
        lowered = said.lower()
        if "more fields" in lowered:
            remedy = "a line has more fields than the header: correct it, or quote text that contains the delimiter"
        elif re.search(r"end of file|eof|unexpected end|ended before|truncated|incomplete|corrupt|deflate", lowered):
            remedy = "the file is damaged or incomplete: write or download it again"
        elif "utf" in lowered:
            remedy = "the text is not UTF-8: save the file as UTF-8"
        else:
            remedy = "check that it is complete and readable, or write it again"
        raise DataError(f"{source.name}: cannot be read as {source.format} ({said}); {remedy}") from None


def _head(source: Source) -> bytes:
    """The first bytes of a file, decompressed where the reader would decompress them."""
    import polars as pl

    try:
        with source.path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
        if not raw:
            raise DataError(f"{source.name}: the file is empty; it needs a header and one line per bar")
        if source.format == "CSV" and raw.startswith(b"\x1f\x8b"):
            with gzip.open(source.path) as stream:
                return stream.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        if not isinstance(error, OSError) or isinstance(error, gzip.BadGzipFile):
            raise DataError(f"{source.name}: the compressed file is damaged or incomplete; download it again") from None
        raise DataError(f"{source.name}: cannot be opened ({error.strerror}); check its permissions") from None
    if source.format == "CSV" and raw.startswith(b"\x28\xb5\x2f\xfd"):
        lines = _guarded(source, lambda: pl.read_csv(
            source.path, has_header=False, separator="\x1f", quote_char=None, n_rows=50, infer_schema=False, glob=False,
        ))  # fmt: skip
        return "\n".join(cell or "" for cell in lines.to_series(0)).encode()
    return raw


_MAGIC = {b"PAR1": "Parquet", b"ARROW1": "Feather", b"FEA1": "Feather version 1"}


def _refuse_other_format(source: Source, head: bytes) -> None:
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    if found == "Feather version 1":
        raise DataError(f"{source.name}: Feather version 1 cannot be read; write it again as version 2 or Parquet")
    if source.format not in ("CSV", found):
        seen = f"it contains {found}" if found else "its first bytes are not those of that format"
        raise DataError(
            f"{source.name}: not a {source.format} file ({seen}); rename it to what it is or write it again"
        )
    if source.format == "CSV":
        if found is not None:
            raise DataError(f"{source.name}: contains {found}, not CSV; rename it to .{found.lower()}")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{source.name}: the text is UTF-16; save the file as UTF-8")
        if b"\x00" in head:
            raise DataError(f"{source.name}: contains binary data, not CSV; check the file")


class _Roles(Protocol):
    """What a recogniser finds: which columns are to be read."""

    @property
    def used(self) -> list[str]: ...


Roles = TypeVar("Roles", bound=_Roles)


@dataclass(frozen=True)
class Shape(Generic[Roles]):
    """What the rows of a file are, and how its columns are recognised."""

    row: str
    """One row in a word: a bar, a trade, a quote."""
    example: str
    """A header that is understood."""
    fields_min: int
    recognise: Callable[[Sequence[str], str, Callable[[str], bool], str], Roles]
    names: Callable[[list[str]], list[str] | None]
    """Names for the fields of a file without a header, from those of its first line; None if they tell nothing."""


def read(source: Source, notes: list[str]) -> tuple[Table, Columns]:
    """The columns of a file of bars that have a role, as they are."""
    return read_shaped(source, BARS, notes)


def read_shaped(source: Source, shape: Shape[Roles], notes: list[str]) -> tuple[Table, Roles]:
    """The columns of a file that have a role, as they are."""
    if source.format == "JSON":
        table = read_json(source.path, shape.row, shape.names, notes)
        names = table.frame.columns
        columns = shape.recognise(names, source.name, lambda name: is_time_of_day(table.frame[name]), source.stem)
        return Table(table.frame.select(columns.used), source.name), columns
    head = _head(source)
    _refuse_other_format(source, head)
    return _read_csv(source, shape, head, notes) if source.format == "CSV" else _read_columnar(source, shape)


def _read_columnar(source: Source, shape: Shape[Roles]) -> tuple[Table, Roles]:
    import polars as pl

    parquet = source.format == "Parquet"
    schema: dict[str, pl.DataType] = {}

    def read_schema() -> pl.DataFrame:
        schema.update(pl.read_parquet_schema(source.path) if parquet else pl.read_ipc_schema(source.path))
        return pl.DataFrame()

    def read_columns(names: list[str], rows: int | None = None) -> pl.DataFrame:
        if parquet:
            return pl.read_parquet(source.path, columns=names, n_rows=rows, glob=False, hive_partitioning=False)
        # polars 1 maps files into memory and complains about compressed ones, unless told not to; 2 has no such option.
        unmapped: dict[str, Any] = {"memory_map": False} if pl.__version__.startswith("1.") else {}
        return pl.read_ipc(source.path, columns=names, n_rows=rows, **unmapped)

    _guarded(source, read_schema)

    def timed(name: str) -> bool:
        if schema[name] != pl.String:
            return schema[name] == pl.Time
        return is_time_of_day(_guarded(source, lambda: read_columns([name], 8))[name])

    columns = shape.recognise(list(schema), source.name, timed, source.stem)
    frame = _guarded(source, lambda: read_columns(columns.used))
    if frame.is_empty():
        raise DataError(f"{source.name}: no {shape.row}s in the file; it has columns but no rows")
    return Table(frame, source.name), columns


@dataclass
class _Layout:
    """How the text of a file is laid out."""

    delimiter: str
    skip: int
    """Lines above the header."""
    header: list[str]
    names: list[str] | None = None
    """Names given to the columns of a file without a header."""
    rows_after_header: int = 0
    """Lines between the header and the first row."""


def _fields(line: str, delimiter: str) -> list[str]:
    return [field.strip().strip('"').strip() for field in line.split(delimiter)]


def _layout(source: Source, shape: Shape[Roles], head: bytes, notes: list[str]) -> _Layout:
    try:
        text = head.decode("utf-8-sig", errors="ignore" if len(head) >= _HEAD_BYTES else "strict")
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: the text is not UTF-8; save the file as UTF-8") from None
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(f"{source.name}: the file is empty; it needs a header and one line per {shape.row}")
    for skip, line in enumerate(lines[:_HEADER_WITHIN]):
        delimiter = max(_DELIMITERS, key=line.count)
        fields = _fields(line, delimiter)
        if len(fields) < shape.fields_min:
            continue
        if skip:
            notes.append(f"{skip} line(s) above the header skipped")
        if looks_like_time(fields[0]) or (_NUMBER.fullmatch(fields[0]) and shape.names(fields) is not None):
            return _without_header(source, shape, delimiter, skip, fields, notes)
        layout = _Layout(delimiter, skip, fields)
        below = [_fields(other, delimiter) for other in lines[skip + 1 : skip + 3]]
        if fields[0] == "Price" and len(below) == 2 and below[0][0] == "Ticker" and below[1][0] == "Date":
            if len(set(below[0][1:])) > 1:
                raise DataError(f"{source.name}: columns of several tickers side by side; save one file per ticker")
            layout.rows_after_header = 2
            layout.names = ["Date", *fields[1:]]
            notes.append(f"three header lines of a download of {below[0][1]}: the first names the columns")
        return layout
    raise DataError(
        f"{source.name}: no header with at least {_NUMBERS[shape.fields_min]} columns in the first {_HEADER_WITHIN}"
        f" lines (first line: {lines[0][:60]!r}); begin the file with {shape.example}"
    )


def _without_header(
    source: Source, shape: Shape[Roles], delimiter: str, skip: int, fields: list[str], notes: list[str]
) -> _Layout:
    """A file that begins with a row: its columns are taken in the order that exports without header have."""
    names = shape.names(fields)
    if names is None:
        raise DataError(f"{source.name}: the file has no header; begin it with {shape.example}")
    named = len(names)
    names += [f"field {number}" for number in range(named + 1, len(fields) + 1)]
    notes.append(f"no header: columns taken in the order {', '.join(names[:named])}")
    return _Layout(delimiter, skip, [], names)


def _names_of_bars(fields: list[str]) -> list[str] | None:
    pair = len(fields) > 5 and bool(re.match(r"\d{1,2}:\d\d", fields[1]))
    names = (["date", "time"] if pair else ["time"]) + ["open", "high", "low", "close"]
    if len(fields) > len(names):
        names.append("volume")
    numbers = fields[2 if pair else 1 : len(names)]
    return names if all(re.match(r"[+-]?\.?\d", field) for field in numbers) else None


BARS = Shape("bar", "time,open,high,low,close,volume", 5, recognise, _names_of_bars)
_NUMBER = re.compile(r"\d+")
_NUMBERS = {2: "two", 3: "three", 5: "five"}


def _read_csv(source: Source, shape: Shape[Roles], head: bytes, notes: list[str]) -> tuple[Table, Roles]:
    import polars as pl

    layout = _layout(source, shape, head, notes)
    if layout.delimiter != ",":
        notes.append(f"delimiter {layout.delimiter!r}")
    headed = bool(layout.header)
    frame = _guarded(source, lambda: pl.read_csv(
        source.path, separator=layout.delimiter, has_header=headed, skip_lines=layout.skip,
        skip_rows_after_header=layout.rows_after_header, infer_schema=False, glob=False,
    ))  # fmt: skip
    if layout.names is not None and len(layout.names) == frame.width:
        frame.columns = layout.names
    first_line = layout.skip + int(headed) + layout.rows_after_header + 1
    table = Table(frame, source.name, first_line)
    columns = shape.recognise(frame.columns, source.name, lambda name: is_time_of_day(frame[name]), source.stem)
    table = Table(frame.select(columns.used), source.name, first_line)
    if table.frame[columns.used[0]].null_count():
        table = _without_blank_lines(table)
    if table.frame.is_empty():
        raise DataError(f"{source.name}: no {shape.row}s in the file; it has a header but no lines below it")
    return table, columns


def _without_blank_lines(table: Table) -> Table:
    """Blank lines arrive as rows without any value; they are left out, and the numbers of the others stay."""
    import polars as pl

    present = table.frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return table if present.all() else table.only(present.arg_true())
