"""Bars into files: exact, whole or not at all, and read back as the same bars."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.sources import FORMATS, format_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from neural_trader.market.bars import Column

# Floats represent every decimal whose mantissa stays below this limit, and the reader finds it back.
_FLOAT_LIMIT = 2**51


def write_bars(
    bars: Bars | Iterable[Bars], path: str | Path, beside: Mapping[str, Sequence[object]] | None = None
) -> list[Path]:
    """Writes bars to a file (CSV, also .gz; Parquet; Feather), or to a folder with one Parquet file per instrument.

    A path without an extension, or of a folder, is a folder. A file appears whole or not at all. What is read back is
    equal: where the columns alone would not tell tick, lot or close times, columns that do are added. ``beside`` are
    columns that are written as they are next to the bars of one instrument; readers of bars pass them over.
    """
    path = Path(path).expanduser()
    series = [bars] if isinstance(bars, Bars) else sorted(bars, key=lambda one: one.symbol.encode())
    if not series or not all(len(one) for one in series):
        raise DataError(f"{path}: there are no bars to write")
    if beside and (len(series) > 1 or any(len(column) != len(series[0]) for column in beside.values())):
        raise DataError(f"{path}: columns beside bars are those of one instrument, with a value for each bar")
    if path.is_dir() or not path.suffix:
        return [_write([one], _in_folder(path, one.symbol), beside) for one in series]
    return [_write(series, path, beside)]


def _in_folder(folder: Path, symbol: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (re.sub(r"[^\w.=+-]", "-", symbol).lstrip(".") + ".parquet")


def _write(series: list[Bars], path: Path, beside: Mapping[str, Sequence[object]] | None) -> Path:
    known = format_of(path)
    if known is None or path.name.lower().endswith(".zst"):
        raise DataError(f"{path.name}: bars are written as {', '.join(FORMATS)} or .csv.gz; choose one of these")
    kind, stem = known
    if len({(one.volume is None, one.spread is None) for one in series}) > 1:
        raise DataError(f"{path.name}: only some instruments have volume or spread; write them to a folder instead")
    tagged = len(series) > 1 or series[0].symbol != stem
    explicit = any(not _tells_steps(one) for one in series)
    timed = any(not _tells_closes(one) for one in series)
    labelled = any(one.origin == "synthetic" for one in series)
    frames = [_frame(one, kind == "CSV", tagged, explicit, timed, labelled) for one in series]

    def write(target: Path) -> None:
        import polars as pl

        frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed")
        frame = frame.with_columns(pl.Series(name, column) for name, column in (beside or {}).items())
        write_frame(frame, target, path)

    replace_whole(path, write)
    return path


def write_frame(frame: pl.DataFrame, target: Path, path: Path) -> None:
    """Writes a frame in the format that the name of ``path`` says."""
    known = format_of(path)
    if known is None or path.name.lower().endswith(".zst"):
        raise DataError(f"{path.name}: written are {', '.join(FORMATS)} or .csv.gz; choose one of these")
    if known[0] == "Parquet":
        frame.write_parquet(target, compression="zstd")
    elif known[0] == "Feather":
        frame.write_ipc(target, compression="zstd")
    else:
        separator = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","
        text = frame.write_csv(separator=separator, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ").encode()
        packed = path.name.lower().endswith(".gz")
        target.write_bytes(gzip.compress(text, 6, mtime=0) if packed else text)


def replace_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Writes a file beside its place and moves it there once it is complete."""
    # The suffix stays, because writers look at it; the process id keeps two writers apart.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        os.replace(beside, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _tells_steps(bars: Bars) -> bool:
    """Whether a reader infers tick and lot of these bars from the decimals of their columns."""
    import numpy as np

    def told(step: Step, columns: list[Column], decimals_max: int) -> bool:
        if step.mantissa != 1 or step.decimals > decimals_max:
            return False
        return step.decimals == 0 or any(bool(np.any(column % 10 != 0)) for column in columns)

    lot_told = bars.lot == Step(1, 0) if bars.volume is None else told(bars.lot, [bars.volume], 8)
    return lot_told and told(bars.tick, [bars.open, bars.high, bars.low, bars.close], 9)


def _tells_closes(bars: Bars) -> bool:
    """Whether a reader derives the close times of these bars from their opens."""
    import numpy as np

    from neural_trader import _native

    if len(bars) == 1:
        return False
    interval_ns = _native.spacing(bars.open_ns)[0]
    return bool(np.array_equal(_native.closes(bars.open_ns, interval_ns), bars.close_ns))


def _mantissas(bars: Bars, counts: Column, step: Step) -> Column:
    largest = max(abs(int(counts.max())), abs(int(counts.min()))) * step.mantissa
    if largest >= 2**63:
        raise DataError(f"{bars.symbol}: values of {largest} * 10^-{step.decimals} are too large to be written")
    return counts * step.mantissa


def _decimal_text(mantissas: Column, decimals: int) -> pl.Series:
    import polars as pl

    if decimals == 0:
        return pl.Series(mantissas).cast(pl.String)
    whole = pl.Series(mantissas // 10**decimals).cast(pl.String)
    return whole + "." + pl.Series(mantissas % 10**decimals).cast(pl.String).str.zfill(decimals)


def _values(bars: Bars, counts: Column, step: Step, text: bool) -> pl.Series:
    """A column of decimals: as text, as floats where they are exact, else as decimals."""
    import polars as pl

    mantissas = _mantissas(bars, counts, step)
    if text:
        return _decimal_text(mantissas, step.decimals)
    if step.decimals == 0:
        return pl.Series(mantissas)
    if int(mantissas.max()) < _FLOAT_LIMIT:
        return pl.Series(mantissas / 10**step.decimals)
    return _decimal_text(mantissas, step.decimals).cast(pl.Decimal(38, step.decimals))


def _times(ns: np.ndarray[Any, Any], text: bool) -> pl.Series:
    import polars as pl

    times = pl.Series(ns).cast(pl.Datetime("ns", "UTC"))
    return times.dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ") if text else times


def _frame(bars: Bars, text: bool, tagged: bool, explicit: bool, timed: bool, labelled: bool) -> pl.DataFrame:
    import polars as pl

    columns: dict[str, pl.Series] = {}
    if tagged:
        columns["symbol"] = pl.Series([bars.symbol]).new_from_index(0, len(bars))
    columns["open_time"] = _times(bars.open_ns, text)
    if timed:
        columns["close_time"] = _times(bars.close_ns, text)
    for name in ("open", "high", "low", "close"):
        columns[name] = _values(bars, getattr(bars, name), bars.tick, text)
    if bars.volume is not None:
        columns["volume"] = _values(bars, bars.volume, bars.lot, text)
    if bars.spread is not None:
        columns["spread_ticks"] = pl.Series(bars.spread)
    if explicit:
        columns["tick_size"] = pl.Series([str(bars.tick)]).new_from_index(0, len(bars))
        columns["lot_size"] = pl.Series([str(bars.lot)]).new_from_index(0, len(bars))
    if labelled:
        # What no market traded says so wherever it goes.
        columns["origin"] = pl.Series([bars.source if bars.origin == "synthetic" else ""]).new_from_index(0, len(bars))
    return pl.DataFrame([series.alias(name) for name, series in columns.items()])
