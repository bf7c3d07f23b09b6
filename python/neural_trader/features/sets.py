"""Many features at once: over whole columns, or one event at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from neural_trader._native import FeatureRunner
from neural_trader.errors import UsageError
from neural_trader.features.calls import as_read
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


class FeatureSet:
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

    def __init__(self, features: Iterable[str] | Mapping[str, str]) -> None:
        labelled = features.items() if isinstance(features, Mapping) else ((text, text) for text in features)
        self._specs = [_spec(label, text) for label, text in labelled]
        if not self._specs:
            raise UsageError("a set has at least one feature")
        self.inputs = tuple(dict.fromkeys(column for spec in self._specs for column in spec.columns))
        self.outputs = tuple(output for spec in self._specs for output in _outputs(spec))
        if len(set(self.outputs)) < len(self.outputs):
            raise UsageError("two features of a set have one name; a mapping gives them different ones")
        self._times = {
            column
            for spec in self._specs
            for column, (_, field) in zip(spec.columns, spec.kind.inputs, strict=True)
            if field == "time"
        }
        self._runner = self._new()

    def _new(self) -> FeatureRunner:
        places = {column: place for place, column in enumerate(self.inputs)}
        try:
            return FeatureRunner(
                [(each.kind.name, each.parameters, [places[name] for name in each.columns]) for each in self._specs]
            )
        except ValueError as error:
            raise UsageError(str(error)) from None

    @property
    def warmup(self) -> int:
        """How many rows come before all features have values."""
        return self._runner.warmup

    def columns(self, frame: pl.DataFrame | Mapping[str, Any]) -> pl.DataFrame:
        """All features over the columns of a frame, from their beginning; null where there is no value."""
        known = frame.columns if isinstance(frame, pl.DataFrame) else list(frame)
        missing = [name for name in self.inputs if name not in known]
        if missing:
            raise UsageError(f"the features read {', '.join(missing)}; there are {', '.join(known)}")
        try:
            made = self._new().columns([self._as_read(name, frame[name]) for name in self.inputs])
        except ValueError as error:
            raise UsageError(str(error)) from None
        return pl.DataFrame(dict(zip(self.outputs, made, strict=True)), nan_to_null=True)

    def update(self, *numbers: float | datetime) -> NDArray[np.float64]:
        """Take the next event, one number for each of ``inputs``; return the values, one for each of ``outputs``.

        A time is a datetime, or nanoseconds since 1970. The array is the same at every call, and overwritten by the
        next: copy what is to be kept.
        """
        try:
            return self._runner.update(numbers)  # type: ignore[arg-type]
        except TypeError:
            # A datetime is no number; numbers pass without being looked at.
            if not self._times:
                raise
            return self._runner.update(self._as_numbers(numbers))

    def _as_numbers(self, row: tuple[float | datetime, ...]) -> tuple[float, ...]:
        pairs = zip(self.inputs, row, strict=True)
        return tuple(float(self._as_read(name, [each])[0]) for name, each in pairs)

    def _as_read(self, name: str, column: Any) -> NDArray[np.float64]:
        return as_read(column, "time" if name in self._times else None)

    def restart(self) -> None:
        """Forget every event."""
        self._runner.restart()


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
