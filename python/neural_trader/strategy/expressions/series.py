"""Series of numbers and signals as one writes them: operators build a graph, and nothing is computed."""

from __future__ import annotations

import difflib
import keyword
import math
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from neural_trader.errors import StrategyLoadError
from neural_trader.features.table import Kind, Parameter, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Dimension = Literal["price", "volume", "plain"]

_HERE = str(Path(__file__).parents[2])


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

    def every(self, n: int | P) -> Signal:
        """On at the first bar at which it is on, and at every n-th such bar after that."""
        return Signal("every", (self,), (_bars("every", n, 1),))

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

    # Among the instruments whose bars close together and that know it, in the order of their symbols.

    def rank_across(self) -> Series:
        """Its place among the instruments whose bars close together, from 0 for the smallest to 1 for the largest."""
        return Series("rank_across", (self,))

    def mean_across(self) -> Series:
        """The mean of the instruments whose bars close together."""
        return Series("mean_across", (self,))

    def demean_across(self) -> Series:
        """Its distance from the mean of the instruments whose bars close together."""
        return Series("demean_across", (self,))

    def zscore_across(self) -> Series:
        """That distance in standard deviations of those instruments."""
        return Series("zscore_across", (self,))

    def scale_across(self) -> Series:
        """Its share of the sum of sizes of those instruments: weights whose sizes add up to 1."""
        return Series("scale_across", (self,))

    def winsorise_across(self, share: float | P) -> Series:
        """Moved to the quantile ``share`` of those instruments from below, and to ``1 - share`` from above."""
        return Series("winsorise_across", (self,), (_share("winsorise_across", share),))

    def neutralise_across(self, other: Series | float) -> Series:
        """What a straight line through another number of those instruments leaves of it."""
        return Series("neutralise_across", (self, series(other)))

    def count_across(self) -> Series:
        """How many of those instruments know it."""
        return Series("count_across", (self,))

    def top_across(self, n: int | P) -> Signal:
        """On for the n largest of those instruments; of equal ones for those whose symbols come first."""
        return Signal("top_across", (self,), (_count("top_across", n),))

    def bottom_across(self, n: int | P) -> Signal:
        """On for the n smallest of those instruments; of equal ones for those whose symbols come last."""
        return Signal("bottom_across", (self,), (_count("bottom_across", n),))

    def __getattr__(self, name: str) -> Any:
        """Every feature of a series, by its name: ``close.sma(10)``."""
        kind = table().get(name)
        if kind is None or kind.inputs[0][1] is None or kind.inputs[0][0] == "series":
            if kind is not None:
                return lambda *given, **named: feature(kind, (self,), given, named)
            known = [*(each for each in dir(Series) if not each.startswith("_")), *table()]
            _no_such(name, "series", known)
        refuse(
            f"{name} is of {', '.join(each for each, _ in kind.inputs)}, not of one series: write nt.bars.{name}(...)"
        )


class Outputs:
    """A feature that makes several series, each of which is an attribute: ``close.macd().signal``."""

    __slots__ = ("_made",)

    def __init__(self, made: dict[str, Series]) -> None:
        self._made = made

    def __getattr__(self, name: str) -> Series:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._made:
            refuse(f"there is no output {name!r}; there are {', '.join(self._made)}")
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(self._made)

    def __repr__(self) -> str:
        return f"one of {', '.join(map(repr, self._made.values()))}"


class P(Series):
    """A parameter of a formula: a number that ``--set``, configuration files and sweeps can change."""

    __slots__ = ("default", "name")

    def __init__(self, name: Any, default: Any) -> None:
        if not (isinstance(name, str) and name.isidentifier() and not name.startswith("_")):
            refuse(f"a parameter has a name such as fast, not {name!r}")
        if name in WORDS or keyword.iskeyword(name):
            refuse(f"a parameter cannot be called {name!r}, which is a word of formulas")
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


FIELDS: dict[str, Dimension] = {
    "open": "price",
    "high": "price",
    "low": "price",
    "close": "price",
    "volume": "volume",
    "time": "plain",
}
"""What bars have."""

WORDS = (*FIELDS, "bars", "share", "bars_per_year", "abs")
"""What stands for something of its own in the text of a formula."""


@cache
def field(name: str) -> Series:
    """A number of the bars."""
    return Series(name, dimension=FIELDS[name])


def feature(kind: Kind, first: tuple[Series, ...], given: tuple[Any, ...], named: dict[str, Any]) -> Series | Outputs:
    """A feature of series; its numbers by place or by name, and inputs by name where they are not those of bars."""
    inputs = list(first)
    for name, usual in kind.inputs[len(first) :]:
        if name in named:
            inputs.append(series(named.pop(name)))
        elif usual is not None:
            inputs.append(field(usual))
        else:
            refuse(f"{kind.name} needs the series {name!r}: {kind.name}(..., {name}=...)")
    rest = [each.name for each in kind.parameters[len(given) :]]
    if len(given) > len(kind.parameters) or (unknown := [name for name in named if name not in rest]):
        what = f"no {unknown[0]!r}" if len(given) <= len(kind.parameters) else "so many numbers"
        refuse(f"{kind.name} takes {what}; it is {kind.call}")
    # What is left out is its default.
    values = [*given, *(named.get(each.name, each.default) for each in kind.parameters[len(given) :])]
    numbers = tuple(_number(kind.name, each, value) for each, value in zip(kind.parameters, values, strict=True))
    made = {}
    for at, (name, unit) in enumerate(kind.outputs):
        read, dimension = _counted(kind, tuple(inputs), unit)
        made[name] = Series(kind.name if at == 0 else f"{kind.name}.{name}", read, numbers, dimension)
    return next(iter(made.values())) if len(made) == 1 else Outputs(made)


def _counted(kind: Kind, inputs: tuple[Series, ...], unit: str | None) -> tuple[tuple[Series, ...], Dimension]:
    """Inputs as counts where an output is then a count of the same thing, or a pure number; else as decimals."""
    pairs = list(zip(inputs, kind.inputs, strict=True))
    prices = {each.dimension for each, (_, usual) in pairs if usual not in ("volume", "time")}
    volumes = {each.dimension for each, (_, usual) in pairs if usual == "volume"}
    if len(prices) <= 1 and len(volumes) <= 1:
        of: dict[str | None, Dimension] = {"ratio": "plain"}
        of |= dict.fromkeys(("price",), *prices) if prices else {}
        of |= dict.fromkeys(("volume",), *volumes) if volumes else {}
        if unit in of:
            return inputs, of[unit]
    return tuple(each if each.dimension == "plain" else Series("decimal", (each,)) for each in inputs), "plain"


def _number(what: str, parameter: Parameter, given: object) -> float | P:
    if parameter.whole:
        whole = int(given) if isinstance(given, float) and given == parameter.default else given
        return _bars(what, whole, int(parameter.least))
    value = given.default if isinstance(given, P) else given
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f"{what}: {parameter.name} is a number, not {given!r}")
    if not parameter.least <= value <= parameter.most:
        refuse(f"{what}: {parameter.name} is from {parameter.least:g} to {parameter.most:g}, not {value:g}")
    return given if isinstance(given, P) else float(value)


def _bars(what: str, given: object, least: int) -> float | P:
    if isinstance(given, P):
        if not isinstance(given.default, int):
            refuse(f"{what} takes whole numbers, and parameter {given.name!r} is {given.default!r}")
        return given
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        ahead = " (a negative one would look ahead)" if what == "lag" else ""
        refuse(f"{what} takes a whole number of bars from {least} on{ahead}, not {given!r}")
    return float(given)


def _count(what: str, given: object) -> float | P:
    value = given.default if isinstance(given, P) else given
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse(f"{what} takes a whole number of instruments from 1 on, not {given!r}")
    return given if isinstance(given, P) else float(value)


def _share(what: str, given: object) -> float | P:
    value = given.default if isinstance(given, P) else given
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 0.5:
        refuse(f"{what} takes the share of each side, from 0 to below 0.5, not {given!r}")
    return given if isinstance(given, P) else float(value)


class OfBars:
    """Features of bars by their names: ``bars.atr(14)``, ``bars.stochastic().k``."""

    def __getattr__(self, name: str) -> Any:
        kind = table().get(name)
        if kind is None:
            _no_such(name, "bar", list(table()))
        usual = kind.inputs[0][1]
        if usual is None:
            refuse(f"{name} is of series that bars do not have: write it at one, such as close.{name}(...)")
        return lambda *given, **named: feature(kind, (field(usual),), given, named)


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
    hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(known))}"
    refuse(f"a {what} has no {name!r}{hint}")
