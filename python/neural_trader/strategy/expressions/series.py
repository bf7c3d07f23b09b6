"""Series of numbers and signals as one writes them: operators build a graph, and nothing is computed."""

from __future__ import annotations

import difflib
import math
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

from neural_trader._native import feature_names
from neural_trader.errors import StrategyLoadError

Dimension = Literal["price", "volume", "plain"]

_HERE = str(Path(__file__).parents[2])
_OF_BARS = ("atr",)
_WHOLE_ONLY = ("sma", "deviation")
"""Features whose sums are exact on whole counts, and have no rounding of their own."""


def refuse(what: str) -> NoReturn:
    """Raise with the line of the user's code that asks for it."""
    raise StrategyLoadError(f"{place()}: {what}")


def place() -> str:
    """File and line of the innermost frame that is not of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename} line {frame.f_lineno}"


class Expression:
    """A node: what it does, what it reads, and its numbers, each of which a parameter may give."""

    __slots__ = ("dimension", "given", "inputs", "operation")

    def __init__(
        self,
        operation: str,
        inputs: tuple[Expression, ...] = (),
        given: tuple[float | P, ...] = (),
        dimension: Dimension = "plain",
    ) -> None:
        self.operation = operation
        self.inputs = inputs
        self.given = given
        self.dimension: Dimension = dimension

    def __bool__(self) -> NoReturn:  # noqa: PLE0304
        refuse("a series has a value at every bar and is neither true nor false: write &, | and ~ for and, or and not")

    def __eq__(self, other: object) -> Any:
        refuse("series are not compared with ==, which floats rarely are: write >= or <=, or cross them")

    def __ne__(self, other: object) -> Any:
        refuse("series are not compared with !=, which floats nearly always are: write > or <")

    __hash__ = object.__hash__

    def __iter__(self) -> NoReturn:
        refuse("a series cannot be gone through: its values come bar by bar")

    def __repr__(self) -> str:
        from neural_trader.strategy.expressions.text import text_of

        return text_of(self)


class Signal(Expression):
    """What is on or off at every bar."""

    __slots__ = ()

    def __and__(self, other: Signal) -> Signal:
        return Signal("and", (self, signal(other)))

    def __or__(self, other: Signal) -> Signal:
        return Signal("or", (self, signal(other)))

    def __invert__(self) -> Signal:
        """The opposite; of a comparison the opposite comparison, so that what is not known stays off in both."""
        opposite = {"above": "at_most", "at_most": "above", "below": "at_least", "at_least": "below"}
        if self.operation in opposite:
            return Signal(opposite[self.operation], self.inputs)
        if self.operation in ("and", "or"):
            a, b = (~signal(part) for part in self.inputs)
            return a | b if self.operation == "and" else a & b
        if self.operation == "lag_signal":
            return Signal("lag_signal", (~signal(self.inputs[0]),), self.given)
        return signal(self.inputs[0]) if self.operation == "not" else Signal("not", (self,))

    def lag(self, bars: int | P = 1) -> Signal:
        """The signal so many bars ago; off before there were so many."""
        return Signal("lag_signal", (self,), (_bars("lag", bars, 0),))

    @property
    def previous(self) -> Signal:
        """The signal at the bar before."""
        return self.lag(1)

    def hold(self, bars: int | P) -> Signal:
        """On at each bar at which it is on, and at the bars that follow, so many in all."""
        return Signal("hold", (self,), (_bars("hold", bars, 1),))

    def first(self) -> Signal:
        """On at the bars at which it is on and was not at the bar before."""
        return Signal("first", (self,))

    def since(self) -> Series:
        """Bars since it was last on: 0 where it is on, not known before it first was."""
        return Series("since", (self,))

    def choose(self, on: Series | float, off: Series | float) -> Series:
        """One number where it is on, and another where it is off."""
        a, b = series(on), series(off)
        return Series("choose", (self, a, b), dimension=_common(a, b))

    def __getattr__(self, name: str) -> NoReturn:
        _no_such(name, "signal", [each for each in dir(Signal) if not each.startswith("_")])


class Series(Expression):
    """A number at every bar, not known (NaN) while what it is made of warms up."""

    __slots__ = ()

    def __add__(self, other: Series | float) -> Series:
        return _same("add", self, series(other))

    def __radd__(self, other: float) -> Series:
        return _same("add", series(other), self)

    def __sub__(self, other: Series | float) -> Series:
        return _same("subtract", self, series(other))

    def __rsub__(self, other: float) -> Series:
        return _same("subtract", series(other), self)

    def __mul__(self, other: Series | float) -> Series:
        return _product(self, series(other))

    def __rmul__(self, other: float) -> Series:
        return _product(series(other), self)

    def __truediv__(self, other: Series | float) -> Series:
        return _quotient(self, series(other))

    def __rtruediv__(self, other: float) -> Series:
        return _quotient(series(other), self)

    def __neg__(self) -> Series:
        return Series("negate", (self,), dimension=self.dimension)

    def __abs__(self) -> Series:
        return Series("absolute", (self,), dimension=self.dimension)

    def __gt__(self, other: Series | float) -> Signal:
        return Signal("above", (self, series(other)))

    def __ge__(self, other: Series | float) -> Signal:
        return Signal("at_least", (self, series(other)))

    def __lt__(self, other: Series | float) -> Signal:
        return Signal("below", (self, series(other)))

    def __le__(self, other: Series | float) -> Signal:
        return Signal("at_most", (self, series(other)))

    def crosses_above(self, other: Series | float) -> Signal:
        """On at the bars at which it is above another and was not at the bar before, when both were known."""
        return Signal("crosses_above", (self, series(other)))

    def crosses_below(self, other: Series | float) -> Signal:
        """On at the bars at which it is below another and was not at the bar before, when both were known."""
        return Signal("crosses_below", (self, series(other)))

    def lag(self, bars: int | P = 1) -> Series:
        """The value so many bars ago."""
        return Series("lag", (self,), (_bars("lag", bars, 0),), self.dimension)

    @property
    def previous(self) -> Series:
        """The value at the bar before."""
        return self.lag(1)

    def sqrt(self) -> Series:
        """The square root; not known of a negative number."""
        return Series("sqrt", (self,))

    def smaller(self, other: Series | float) -> Series:
        """The smaller of two numbers."""
        return _same("smaller", self, series(other))

    def larger(self, other: Series | float) -> Series:
        """The larger of two numbers."""
        return _same("larger", self, series(other))

    def rank(self) -> Series:
        """Its place among the instruments whose bars close together, from 0 for the smallest to 1 for the largest."""
        return Series("rank", (self,))

    def demean(self) -> Series:
        """Its distance from the mean of the instruments whose bars close together."""
        return Series("demean", (self,))

    def __getattr__(self, name: str) -> Any:
        """Every feature of one series, by its name: ``close.sma(10)``."""
        if name not in _features():
            known = [*(each for each in dir(Series) if not each.startswith("_")), *_features()]
            _no_such(name, "series", known)
        return lambda *given, **named: feature(name, (self,), given, named)


class P(Series):
    """A parameter of a formula: a number that ``--set``, configuration files and sweeps can change."""

    __slots__ = ("default", "name")

    def __init__(self, name: Any, default: Any) -> None:
        if not (isinstance(name, str) and name.isidentifier() and not name.startswith("_")):
            refuse(f"a parameter has a name such as fast, not {name!r}")
        if isinstance(default, bool) or not isinstance(default, int | float) or not math.isfinite(default):
            refuse(f"the default of parameter {name!r} is a number, not {default!r}")
        super().__init__("parameter")
        self.name = name
        self.default = default


def series(given: object) -> Series:
    """A series, or a number as one."""
    if isinstance(given, Series):
        return given
    if isinstance(given, Signal):
        refuse(f"({given!r}) is on or off and no number; its choose(1, 0) is one")
    if isinstance(given, bool) or not isinstance(given, int | float):
        refuse(f"{given!r} is no number and no series")
    if not math.isfinite(given):
        refuse(f"{given!r} is no finite number")
    return Series("number", given=(float(given),))


def signal(given: object) -> Signal:
    """A signal; anything else is refused."""
    if not isinstance(given, Signal):
        refuse(f"{given!r} is no signal: compare it, such as close > open")
    return given


@cache
def _table() -> dict[str, tuple[tuple[str, ...], str, str]]:
    return feature_names()


@cache
def _features() -> tuple[str, ...]:
    return tuple(name for name in _table() if name not in (*_OF_BARS, "volume_mean"))


def feature(name: str, inputs: tuple[Series, ...], given: tuple[Any, ...], named: dict[str, Any]) -> Series:
    """A feature of series; its numbers by place or by name."""
    parameters, dimension, _ = _table()[name]
    unknown = [key for key in named if key not in parameters[len(given) :]]
    if unknown or len(given) + len(named) != len(parameters):
        refuse(f"{name}({', '.join(parameters)}) takes these numbers, each once")
    numbers = tuple(_bars(name, value, 0) for value in (*given, *(named[key] for key in parameters[len(given) :])))
    if name in _WHOLE_ONLY and inputs[0].operation not in ("open", "high", "low", "close", "volume"):
        refuse(f"{name} is of open, high, low, close or volume; ema is of any series")
    of = inputs[0].dimension
    return Series(name, inputs, numbers, "plain" if dimension == "ratio" else of)


def _bars(what: str, given: object, least: int) -> float | P:
    if isinstance(given, P):
        if not isinstance(given.default, int):
            refuse(f"{what} takes whole numbers, and parameter {given.name!r} is {given.default!r}")
        return given
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        ahead = " (a negative one would look ahead)" if what == "lag" else ""
        refuse(f"{what} takes a whole number of bars from {least} on{ahead}, not {given!r}")
    return float(given)


def _common(a: Series, b: Series) -> Dimension:
    return a.dimension if a.dimension == b.dimension else "plain"


def _same(operation: str, a: Series, b: Series) -> Series:
    return Series(operation, (a, b), dimension=_common(a, b))


def _product(a: Series, b: Series) -> Series:
    dimension = b.dimension if a.dimension == "plain" else a.dimension if b.dimension == "plain" else "plain"
    return Series("multiply", (a, b), dimension=dimension)


def _quotient(a: Series, b: Series) -> Series:
    return Series("divide", (a, b), dimension=a.dimension if b.dimension == "plain" else "plain")


def _no_such(name: str, what: str, known: list[str]) -> NoReturn:
    if name.startswith("_"):
        raise AttributeError(name)
    if name == "shift":
        refuse("shift is called lag here: close.lag(1) is the close of the bar before, and nothing looks ahead")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    refuse(f"a {what} has no {name!r}{hint} It has {', '.join(sorted(known))}")
