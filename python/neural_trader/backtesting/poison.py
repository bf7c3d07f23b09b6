"""Tables that a strategy holds or reads by itself, with what they say of the future replaced.

An engine shows nothing of the future, but a strategy may have brought it: a frame in a global, a column computed when
it starts, a file that it reads. To see whether it acts on that, later rows are made into others wherever a table can be
found: in attributes of strategy and class, in what its functions name or enclose, and in what the usual readers give.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.market.bars import Bars
from neural_trader.strategy.base import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neural_trader.market.bars import Series

READERS = {
    "polars": (
        "read_csv", "read_parquet", "read_ipc", "read_json", "read_ndjson", "scan_csv", "scan_parquet", "scan_ipc",
        "scan_ndjson",
    ),
    "pandas": ("read_csv", "read_table", "read_parquet", "read_feather", "read_json", "read_pickle", "read_excel"),
    "numpy": ("load", "loadtxt", "genfromtxt", "fromfile"),
    "neural_trader": ("load_bars", "synthetic_bars"),
    "neural_trader.market": ("load_bars", "synthetic_bars"),
}  # fmt: skip
"""What reads tables, by module; those that are not loaded cannot have been used."""

FEWEST = 20
"""Rows of a table without times that are taken for bars; a shorter one of the same length may be anything."""

_OF_LIBRARIES = {"neural_trader", "numpy", "polars", "pandas", "builtins"}
_FEW = 1000
"""Items of a list or mapping that may each be a table."""


@dataclass(frozen=True)
class Poison:
    """Replaces what tables say after a time."""

    after_ns: int
    factor: float
    """What prices are multiplied by."""
    known: Mapping[int, int]
    """By number of bars of an instrument: how many have closed by then."""
    openings: frozenset[int]
    """First openings, by which a table of openings is told from one of closes."""

    @classmethod
    def of(cls, series: Sequence[Series], after_ns: int, factor: float) -> Poison:
        """The poison for a market after a time."""
        known: dict[int, int] = {}
        for each in series:
            if isinstance(each, Bars) and len(each) >= FEWEST:
                # Of instruments of one length the one that knows least is meant.
                count = int(np.searchsorted(each.close_ns, after_ns, side="right"))
                known[len(each)] = min(count, known.get(len(each), count))
        return cls(after_ns, factor, known, frozenset(each.start_ns for each in series if len(each)))

    def table(self, value: Any) -> Any:
        """A copy with other values in its later rows; None for what is no table or has no such rows."""
        if isinstance(value, Bars):
            return self._bars(value)
        if isinstance(value, np.ndarray):
            return self._by_rows(value, len(value) if value.ndim else 0, self._array)
        if isinstance(value, list | tuple):
            return self._items(value)
        if isinstance(value, dict):
            return self._mapping(value)
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
        converted = {
            "polars.DataFrame": self._polars_frame,
            "polars.LazyFrame": self._lazy_frame,
            "polars.Series": self._polars_series,
            "pandas.DataFrame": self._pandas,
            "pandas.Series": self._pandas,
        }
        return converted[kind](value) if kind in converted else None

    def _by_rows(self, value: Any, rows: int, change: Callable[[Any, Any], Any]) -> Any:
        """Of something as long as the bars of an instrument, the rows that have not closed."""
        if rows not in self.known:
            return None
        later = np.arange(rows) >= self.known[rows]
        return change(value, later) if later.any() else None

    def _items(self, value: list[Any] | tuple[Any, ...]) -> Any:
        if type(value) not in (list, tuple):
            return None
        if len(value) in self.known:
            begin = self.known[len(value)]
            later = [self._row(item) for item in value[begin:]]
            return None if later == list(value[begin:]) else type(value)([*value[:begin], *later])
        found = [self.table(item) for item in value] if len(value) <= _FEW else []
        if all(item is None for item in found):
            return None
        return type(value)(one if other is None else other for one, other in zip(value, found, strict=True))

    def _mapping(self, value: dict[Any, Any]) -> Any:
        """Tables by name, or values by time in the order of the bars."""
        if len(value) in self.known:
            changed = self._items(list(value.values()))
            return None if changed is None else dict(zip(value, changed, strict=True))
        found = {key: self.table(item) for key, item in value.items()} if len(value) <= _FEW else {}
        changed = {key: item for key, item in found.items() if item is not None}
        return {**value, **changed} if changed else None

    def _row(self, item: Any) -> Any:
        """One row of a list: a number, or several of which whole ones may be times."""
        if isinstance(item, int | float):
            return self._number(item)
        if type(item) in (tuple, list):
            return type(item)(self._number(each) if isinstance(each, float) else each for each in item)
        if type(item) is dict:
            return {key: self._number(each) if isinstance(each, float) else each for key, each in item.items()}
        return item

    def _number(self, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        return type(value)(value * self.factor if value > 0 else -value * self.factor)

    def _array(self, values: Any, later: Any) -> Any:
        kind = values.dtype.kind
        if kind not in "biuf":
            return None
        changed = values.copy()
        if kind == "b":
            changed[later] = ~values[later]
            return changed
        signed = values[np.isfinite(values)] if kind == "f" else values
        # Of prices all are positive; signals and returns change their sign.
        factor = self.factor if not (signed < 0).any() and (signed > 1).any() else -self.factor
        if kind == "u":
            factor = self.factor
        changed[later] = (values[later] * factor).astype(values.dtype)
        if factor < 0:
            changed[later] += (values[later] == 0).astype(values.dtype)
        return changed

    def _bars(self, bars: Bars) -> Bars | None:
        from dataclasses import replace

        later = bars.close_ns > self.after_ns
        if not later.any():
            return None
        columns = {name: self._array(getattr(bars, name), later) for name in ("open", "high", "low", "close")}
        return replace(bars, **columns)

    def _later(self, times: Any, unit: str) -> Any:
        """Which rows of a column of times are of the future: those of bars that have not closed."""
        nanoseconds = times.astype(f"datetime64[{unit}]").astype("datetime64[ns]").astype(np.int64)
        opens = len(nanoseconds) > 0 and int(nanoseconds.min()) in self.openings
        return nanoseconds >= self.after_ns if opens else nanoseconds > self.after_ns

    def _polars_frame(self, frame: Any) -> Any:
        import polars as pl

        times = next((frame[name] for name in frame.columns if frame[name].dtype in (pl.Datetime, pl.Date)), None)
        if times is not None and not times.null_count():
            later = self._later(times.cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy(), "ns")
        elif frame.height in self.known:
            later = np.arange(frame.height) >= self.known[frame.height]
        else:
            return None
        if not later.any():
            return None
        return frame.with_columns([self._polars_column(frame[name], later) for name in frame.columns])

    def _polars_column(self, column: Any, later: Any) -> Any:
        import polars as pl

        if not (column.dtype.is_numeric() or column.dtype == pl.Boolean) or column.dtype == pl.Decimal:
            return column
        present = column.is_not_null()
        filled = column.fill_null(0 if column.dtype != pl.Boolean else False).to_numpy()
        changed = pl.Series(column.name, self._array(filled, later))
        return pl.select(pl.when(present).then(changed)).to_series().alias(column.name)

    def _lazy_frame(self, frame: Any) -> Any:
        found = self._polars_frame(frame.collect())
        return None if found is None else found.lazy()

    def _polars_series(self, series: Any) -> Any:
        return self._by_rows(series, len(series), self._polars_column)

    def _pandas(self, table: Any) -> Any:
        later = self._pandas_rows(table)
        if later is None or not later.any():
            return None
        changed = table.copy()
        if table.ndim == 1:
            values = self._array(table.to_numpy(), later)
            return None if values is None else type(table)(values, index=table.index, name=table.name)
        for name in table.columns:
            if table[name].ndim == 1 and table[name].dtype.kind in "biuf":
                changed[name] = self._array(table[name].to_numpy(), later)
        return changed

    def _pandas_rows(self, table: Any) -> Any:
        columns = [] if table.ndim == 1 else [table[name] for name in table.columns]
        for times in (table.index, *columns):
            if str(getattr(times, "dtype", "")).startswith("datetime64"):
                naive = times.to_numpy(dtype="datetime64[ns]")
                return self._later(naive, "ns")
        return None if len(table) not in self.known else np.arange(len(table)) >= self.known[len(table)]


@contextmanager
def poisoned_readers(poison: Poison) -> Iterator[None]:
    """What the usual readers give is poisoned for as long as this lasts."""

    def reading(read: Callable[..., Any]) -> Callable[..., Any]:
        def poisoned(*given: Any, **terms: Any) -> Any:
            value = read(*given, **terms)
            # Bars of the catalog are read while they are played, and not by the strategy.
            is_ours = str(sys._getframe(1).f_globals.get("__name__")).partition(".")[0] == "neural_trader"
            found = None if is_ours else poison.table(value)
            return value if found is None else found

        return poisoned

    with ExitStack() as undo:
        for module, names in READERS.items():
            loaded = sys.modules.get(module)
            for name in names if loaded is not None else ():
                read = vars(loaded).get(name)
                if read is not None:
                    undo.callback(setattr, loaded, name, read)
                    setattr(loaded, name, reading(read))
        yield


@contextmanager
def surroundings(kind: type[Strategy], poison: Poison | None) -> Iterator[None]:
    """What the functions of a class can reach by name is poisoned for as long as this lasts, and then as it was.

    That it is as it was goes for lists and mappings, too: whoever collects something there finds what one run left.
    """
    with ExitStack() as undo:
        for owner, name, value in _surroundings(kind):
            _restore_contents(undo, value)
            found = None if poison is None else poison.table(value)
            undo.callback(_set, owner, name, value)
            if found is not None:
                _set(owner, name, found)
        yield


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, CellType):
        owner.cell_contents = value
    elif isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def _restore_contents(undo: ExitStack, value: Any) -> None:
    if type(value) is list:
        undo.callback(value.__setitem__, slice(None), value[:])
    elif type(value) in (dict, set):
        undo.callback(value.update, value.copy())
        undo.callback(value.clear)


def poison_attributes(strategy: Strategy, before: Strategy, poison: Poison) -> None:
    """Poison the tables of a strategy that has started, where they are still those of an earlier, unharmed one."""
    for name, value in list(vars(strategy).items()):
        found = poison.table(value)
        if found is not None and _same(value, vars(before).get(name)):
            setattr(strategy, name, found)


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    return bool(one is other or (isinstance(one, list | tuple | dict) and repr(one) == repr(other)))


def _surroundings(kind: type[Strategy]) -> Iterator[tuple[Any, str, Any]]:
    """Owner, name and value of what a class and its functions reach: attributes, globals, enclosed variables."""
    seen: set[Any] = set()
    for own in kind.__mro__[: kind.__mro__.index(Strategy)]:
        for name, value in list(vars(own).items()):
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(function, FunctionType):
                yield from _reached(function, seen)
            elif not name.startswith("__"):
                yield own, name, value


def _reached(function: FunctionType, seen: set[Any]) -> Iterator[tuple[Any, str, Any]]:
    if id(function) in seen or str(function.__module__).partition(".")[0] in _OF_LIBRARIES:
        return
    seen.add(id(function))
    yield function, "__defaults__", function.__defaults__
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        yield from _value(cell, name, value, seen)
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield from _value(function.__globals__, name, function.__globals__[name], seen)


def _value(owner: Any, name: str, value: Any, seen: set[Any]) -> Iterator[tuple[Any, str, Any]]:
    if isinstance(value, FunctionType):
        yield from _reached(value, seen)
    elif (id(owner), name) not in seen:
        seen.add((id(owner), name))
        yield owner, name, value
        home = (value if isinstance(value, type) else type(value)).__module__.partition(".")[0]
        if isinstance(value, type) and home in sys.stdlib_module_names:
            # A class of Python's own holds nothing of the author's, and may not be changed.
            return
        if hasattr(value, "__dict__") and not isinstance(value, ModuleType) and home not in _OF_LIBRARIES:
            # What holds tables for a strategy: an object or a class of its author.
            yield from ((value, key, item) for key, item in list(vars(value).items()) if not key.startswith("__"))


def _names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names(constant)
    return found
