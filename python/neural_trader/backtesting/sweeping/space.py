"""Which sets of parameters a sweep goes through: axes, their product, random choices, and conditions."""

from __future__ import annotations

import ast
import difflib
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

import numpy as np

from neural_trader.errors import UsageError

Matrix = np.ndarray[Any, np.dtype[np.float64]]
"""A row for each set of parameters."""

VALUES_MAX = 10_000_000
"""Of one axis."""


@dataclass(frozen=True)
class Axis:
    """A parameter and the values that it goes through, ascending as they were given."""

    name: str
    values: tuple[float, ...]

    @classmethod
    def of(cls, name: str, given: object, kind: type) -> Axis:
        """Values from ``"5:50:5"`` (both ends included), ``"5,10,20"``, a number, or a sequence of numbers."""
        if isinstance(given, str):
            values = _values_of_text(name, given)
        elif isinstance(given, int | float):
            values = [float(given)]
        elif isinstance(given, Sequence | range | np.ndarray):
            values = [float(each) for each in given]
        else:
            raise UsageError(f"{name}: {given!r} is neither text such as 5:50:5 nor a sequence of numbers")
        if broken := [each for each in values if not math.isfinite(each)]:
            raise UsageError(f"{name}: {broken[0]} is no value of a parameter; write finite numbers")
        if not values:
            raise UsageError(f"{name}: {given!r} has no value")
        if kind is int and (broken := [each for each in values if each != int(each)]):
            raise UsageError(f"{name} takes whole numbers, and {broken[0]:g} is none")
        return cls(name, tuple(dict.fromkeys(values)))


def _values_of_text(name: str, text: str) -> list[float]:
    try:
        if ":" not in text:
            return [float(Decimal(part.strip())) for part in text.split(",")]
        numbers = [Decimal(part.strip()) for part in text.split(":")]
        first, last, step = numbers if len(numbers) == 3 else (*numbers, Decimal(1))
        count = int((last - first) / step) + 1
    except (InvalidOperation, OverflowError, ValueError, ZeroDivisionError):
        raise UsageError(f"{name}={text}: write FIRST:LAST:STEP, such as 5:50:5, or values such as 5,10,20") from None
    if step <= 0 or last < first:
        raise UsageError(f"{name}={text}: from the smaller to the larger, by a step above zero")
    if count > VALUES_MAX:
        raise UsageError(f"{name}={text}: {count:,} values; at most {VALUES_MAX:,} of one parameter")
    # Steps are added as decimals, so that 0.1:0.3:0.1 ends with 0.3.
    return [float(first + step * at) for at in range(count)]


@dataclass(frozen=True)
class Space:
    """The product of axes, whose points are numbered; the last axis changes fastest."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that vary."""
        return tuple(axis.name for axis in self.axes)

    def __len__(self) -> int:
        raise TypeError("a space may have more points than a length can say; ask for its size")

    @property
    def size(self) -> int:
        """How many points there are."""
        size = 1
        for axis in self.axes:
            size *= len(axis.values)
        return size

    def points(self, numbers: Sequence[int] | range) -> Matrix:
        """The values of points by their numbers."""
        found = np.empty((len(numbers), len(self.axes)))
        for row, number in enumerate(numbers):
            left = number
            for column in reversed(range(len(self.axes))):
                left, at = divmod(left, len(self.axes[column].values))
                found[row, column] = self.axes[column].values[at]
        return found

    def block(self, begin: int, end: int) -> Matrix:
        """The values of neighbouring points."""
        left = np.arange(begin, end)
        found = np.empty((len(left), len(self.axes)))
        for column in reversed(range(len(self.axes))):
            values = np.array(self.axes[column].values)
            left, at = np.divmod(left, len(values))
            found[:, column] = values[at]
        return found

    def blocks(self, rows: int) -> Iterator[Matrix]:
        """All points, so many at a time."""
        for begin in range(0, self.size, rows):
            yield self.block(begin, min(self.size, begin + rows))

    def drawn(self, count: int, seed: int, rows: int) -> Iterator[Matrix]:
        """Points drawn by chance, none of them twice, so many at a time."""
        if count >= self.size:
            yield from self.blocks(rows)
            return
        numbers = Random(seed).sample(range(self.size), count)
        for begin in range(0, count, rows):
            yield self.points(numbers[begin : begin + rows])


def space_of(given: Mapping[str, object], known: Mapping[str, type], what: str) -> Space:
    """A space over some of the parameters of a strategy; UsageError suggests the nearest name."""
    for name in given:
        if name not in known:
            raise UsageError(f"{what} has no parameter {name!r}{_near(name, known)}")
    return Space(tuple(Axis.of(name, values, known[name]) for name, values in given.items()))


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{hint} it has {', '.join(known) or 'none'}"


class Condition:
    """A condition on parameters, such as ``fast < slow`` or ``2 * fast <= slow and slow != 100``."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        self.text = text
        try:
            tree = ast.parse(text, mode="eval")
        except SyntaxError as error:
            raise UsageError(f"where {text!r}: {error.msg}; write a condition such as fast < slow") from None
        if not isinstance(tree.body, ast.Compare | ast.BoolOp | ast.UnaryOp):
            raise UsageError(f"where {text!r}: it is no condition; write one such as fast < slow")
        self._check = _compiled(tree.body, text, {name: at for at, name in enumerate(names)})

    def __call__(self, points: Matrix) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which points meet it."""
        return np.broadcast_to(np.asarray(self._check(points), dtype=bool), len(points))


_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}

Check = Callable[[Matrix], Any]


def _compiled(node: ast.expr, text: str, columns: Mapping[str, int]) -> Check:
    def of(part: ast.expr) -> Check:
        return _compiled(part, text, columns)

    match node:
        case ast.Constant(value=int() | float() as value):
            return lambda _: value
        case ast.Name(id=name):
            if name not in columns:
                raise UsageError(f"where {text!r}: no parameter {name!r} varies{_near(name, columns)}")
            return lambda points: points[:, columns[name]]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            a, b, calculate = of(left), of(right), _ARITHMETIC[type(sign)]
            return lambda points: calculate(a(points), b(points))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            a = of(operand)
            return lambda points: -a(points)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            a = of(operand)
            return lambda points: ~np.asarray(a(points), dtype=bool)
        case ast.BoolOp(op=sign, values=parts):
            checks = [of(part) for part in parts]
            join = np.logical_and if isinstance(sign, ast.And) else np.logical_or
            return lambda points: join.reduce(np.broadcast_arrays(*(check(points) for check in checks)))
        case ast.Compare(left=left, ops=signs, comparators=rights) if all(type(sign) in _COMPARISONS for sign in signs):
            sides = [of(side) for side in (left, *rights)]
            compare = [_COMPARISONS[type(sign)] for sign in signs]

            def chain(points: Matrix) -> Any:
                values = [side(points) for side in sides]
                parts = [each(a, b) for each, a, b in zip(compare, values, values[1:], strict=False)]
                return np.logical_and.reduce(np.broadcast_arrays(*parts))

            return chain
        case _:
            raise UsageError(f"where {text!r}: {ast.unparse(node)!r} is no comparison of parameters and numbers")
