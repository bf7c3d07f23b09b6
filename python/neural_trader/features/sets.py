"""Many features at once: over whole columns, or one event at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

import polars as pl

from neural_trader._native import FeatureRunner
from neural_trader.errors import UsageError
from neural_trader.features.calls import as_read, room
from neural_trader.features.table import Kind, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class _Spec(NamedTuple):
    """One feature of a set: what it is called there, its kind, its columns and its parameters."""

    label: str
    kind: Kind
    columns: tuple[str, ...]
    parameters: tuple[float, ...]


class FeatureSet(FeatureRunner):
    """Features that are computed together.

    Each is written as it is called: ``"rsi(14)"``, ``"sma(volume, 20)"``, ``"atr"``. Names in it are columns, numbers
    are parameters; what is left out are the fields of bars and the defaults. A mapping gives names to the results.

    >>> features = FeatureSet({"fast": "sma(2)", "range": "atr(1)"})
    >>> features.inputs, features.outputs
    (('close', 'high', 'low'), ('fast', 'range'))
    >>> features.update(2.0, 3.0, 1.0).tolist(), features.update(3.0, 5.0, 2.0).tolist()
    ([nan, nan], [2.5, 3.0])
    """

    inputs: tuple[str, ...]
    """The columns that the features read, in the order of ``update``."""
    outputs: tuple[str, ...]
    """The names of the results: that of the feature, with that of the output behind a point where there are several."""
    _members: list[tuple[str, tuple[float, ...], list[int]]]
    _times: frozenset[str]

    def __new__(cls, features: Iterable[str] | Mapping[str, str]) -> Self:
        labelled = features.items() if isinstance(features, Mapping) else ((text, text) for text in features)
        specs = [_spec(label, text) for label, text in labelled]
        if not specs:
            raise UsageError("a set has at least one feature")
        inputs = tuple(dict.fromkeys(column for spec in specs for column in spec.columns))
        outputs = tuple(output for spec in specs for output in _outputs(spec))
        if len(set(outputs)) < len(outputs):
            raise UsageError("two features of a set have one name; a mapping gives them different ones")
        members = [(each.kind.name, each.parameters, [inputs.index(name) for name in each.columns]) for each in specs]
        times = frozenset(
            column
            for spec in specs
            for column, (_, field) in zip(spec.columns, spec.kind.inputs, strict=True)
            if field == "time"
        )
        # Numbers go to the engine by the shortest way; times have to be read first.
        sort: Any = _TimedSet if times else cls
        try:
            made: Self = super().__new__(sort, members)
        except ValueError as error:
            raise UsageError(str(error)) from None
        made.inputs, made.outputs, made._members, made._times = inputs, outputs, members, times
        return made

    @overload
    def columns(self, frame: pl.DataFrame) -> pl.DataFrame: ...
    @overload
    def columns(self, frame: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]: ...
    def columns(self, frame: pl.DataFrame | Mapping[str, Any]) -> pl.DataFrame | dict[str, NDArray[np.float64]]:
        """All features over the columns of a frame or of a mapping, from their beginning.

        Of a frame a frame, with null where there is no value; of a mapping numpy arrays by name, with NaN there.
        """
        known = frame.columns if isinstance(frame, pl.DataFrame) else list(frame)
        missing = [name for name in self.inputs if name not in known]
        if missing:
            raise UsageError(f"the features read {', '.join(missing)}; there are {', '.join(known)}")
        columns = [self._as_read(name, frame[name]) for name in self.inputs]
        made = room(len(self.outputs), len(columns[0]))
        try:
            FeatureRunner(self._members).fill(columns, made)
        except ValueError as error:
            raise UsageError(str(error)) from None
        named = dict(zip(self.outputs, made, strict=True))
        return pl.DataFrame(named, nan_to_null=True) if isinstance(frame, pl.DataFrame) else named

    def _as_read(self, name: str, column: Any) -> NDArray[np.float64]:
        return as_read(column, "time" if name in self._times else None)


class _TimedSet(FeatureSet):
    """A set that reads times."""

    def update(self, *numbers: float | datetime) -> NDArray[np.float64]:
        """Take the next event as other sets do, where a time is a datetime, or nanoseconds since 1970."""
        try:
            return super().update(*numbers)  # type: ignore[arg-type]
        except TypeError:
            # A datetime is no number; numbers pass without being looked at.
            pairs = zip(self.inputs, numbers, strict=True)
            return super().update(*(float(self._as_read(name, [each])[0]) for name, each in pairs))


def _spec(label: str, text: str) -> _Spec:
    name, columns, given = _parsed(text)
    if name not in table():
        raise UsageError(f"no feature is called {name!r}; `neural-trader features` lists all")
    kind = table()[name]
    if len(columns) > len(kind.inputs):
        raise UsageError(f"{text}: {kind.call} reads {len(kind.inputs)} columns, not {len(columns)}")
    rest = tuple(field or name for name, field in kind.inputs[len(columns) :])
    listed, numbers = kind.listed(given, {})
    try:
        parameters = tuple(map(float, kind.flat(numbers, listed)))
    except (TypeError, ValueError):
        raise _wrong(text) from None
    return _Spec(label, kind, columns + rest, parameters)


def _wrong(text: str) -> UsageError:
    return UsageError(f'{text!r} is no feature; write it as "rsi(14)" or "sma(volume, 20)"')


def _parsed(text: str) -> tuple[str, tuple[str, ...], list[Any]]:
    """Name, columns, and the numbers and lists of a feature as it is written."""
    wrong = _wrong(text)
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise wrong from None
    if isinstance(node, ast.Name):
        return node.id, (), []
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords):
        raise wrong
    columns = [each.id for each in node.args if isinstance(each, ast.Name)]
    try:
        numbers = [ast.literal_eval(each) for each in node.args[len(columns) :]]
    except (TypeError, ValueError):
        raise wrong from None
    return node.func.id, tuple(columns), numbers


def _outputs(spec: _Spec) -> list[str]:
    if len(spec.kind.outputs) == 1:
        return [spec.label]
    return [f"{spec.label}.{name}" for name, _ in spec.kind.outputs]
