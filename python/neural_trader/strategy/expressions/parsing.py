"""Text of a formula back into the formula: what `Formula.text` prints, and nothing beside that.

The text is read as Python is, and gone through node by node; nothing of it is executed.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

from neural_trader.errors import StrategyLoadError
from neural_trader.features.table import table
from neural_trader.strategy.expressions.roles import OF_THE_RUN, ROLES, Formula
from neural_trader.strategy.expressions.series import (
    FIELDS,
    Expression,
    OfBars,
    Outputs,
    P,
    Series,
    Signal,
    field,
    place,
    series,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_INFIX: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}

_OF_SERIES = (
    "crosses_above", "crosses_below", "lag", "sqrt", "smaller", "larger",
    *(name for name in vars(Series) if name.endswith("_across")),
)  # fmt: skip
_OF_SIGNALS = ("lag", "hold", "first", "every", "since", "choose")

_WITH = re.compile(r"with\b(.*)")


def parse(text: str, where: str = "formula") -> Formula:
    """The formula of a text; StrategyLoadError says, with line and column, what is none."""
    lines = text.splitlines()
    parameters: dict[str, P] = {}
    for at, line in enumerate(lines):
        if found := _WITH.fullmatch(line.rstrip()):
            if parameters:
                raise _refused(where, at + 1, 1, "parameters stand in one line that begins with `with`")
            parameters = _parameters(found[1], where, at + 1)
            lines[at] = ""
    source = "\n".join(lines)
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise _refused(where, error.lineno or 1, error.offset or 1, error.msg) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise StrategyLoadError(f"{where}: cannot be read ({error})") from None
    reader = _Reader(parameters, lines, where)
    try:
        formula = reader.formula(statements)
    except RecursionError:
        raise StrategyLoadError(f"{where}: is nested too deeply") from None
    if unread := [name for name in parameters if name not in formula.parameters]:
        raise StrategyLoadError(f"{where}: nothing reads the parameter {unread[0]!r}")
    return formula


def _parameters(text: str, where: str, line: int) -> dict[str, P]:
    found: dict[str, P] = {}
    for each in text.split(","):
        name, equals, number = (part.strip() for part in each.partition("="))
        try:
            default = int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number)
        except ValueError:
            raise _refused(
                where, line, 1, f"parameters are written as `with fast = 10, slow = 50`, not {each.strip()!r}"
            ) from None
        if not equals or name in found:
            raise _refused(where, line, 1, f"parameter {name!r} has {'two defaults' if equals else 'no default'}")
        try:
            found[name] = P(name, default)
        except StrategyLoadError as error:
            raise _refused(where, line, 1, _what(error)) from None
    return found


def _refused(where: str, line: int, column: int, what: str) -> StrategyLoadError:
    return StrategyLoadError(f"{where} line {line}, column {column}: {what}")


def _what(error: StrategyLoadError) -> str:
    """What an operator refused, without the line of the code that called for it: the text has a place of its own."""
    return str(error).removeprefix(f"{place()}: ")


class _Reader:
    """Builds expressions by the operators and methods with which they are written."""

    def __init__(self, parameters: dict[str, P], lines: list[str], where: str) -> None:
        self._parameters = parameters
        self._lines = lines
        self._where = where

    def formula(self, statements: list[ast.stmt]) -> Formula:
        roles: dict[str, Any] = {}
        for each in statements:
            if not (isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name)):
                raise self._refused(each, "a line is `role = expression`, such as entry = close > close.sma(20)")
            role = each.targets[0].id
            if role not in ROLES:
                raise self._refused(each, f"there is no role {role!r}; there are {', '.join(ROLES)}")
            if role in roles:
                raise self._refused(each, f"{role} is said twice")
            roles[role] = self._value(each.value)
        try:
            return Formula.of(**roles)
        except StrategyLoadError as error:
            raise StrategyLoadError(f"{self._where}: {_what(error)}") from None

    def _value(self, node: ast.expr) -> Any:
        """A series, a signal, the outputs of a feature, or a plain number."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return number
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Name(id=name):
                return self._named(node, name)
            case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
                of = operator.neg if isinstance(node.op, ast.USub) else operator.invert
                return self._made(node, of, self._expression(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _INFIX:
                return self._made(node, _INFIX[type(op)], self._expression(left), self._expression(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _INFIX:
                return self._made(node, _INFIX[type(op)], self._expression(left), self._expression(right))
            case ast.Compare():
                raise self._refused(node, "a comparison is one of > >= < <= between two series")
            case ast.Call(func=ast.Name(id="abs"), args=[operand], keywords=[]):
                return self._made(node, abs, self._expression(operand))
            case ast.Call(func=ast.Attribute(value=of, attr=name), args=args, keywords=keywords):
                return self._called(node, of, name, args, keywords)
            case ast.Attribute(value=ast.Call() as call, attr=name):
                outputs = self._value(call)
                if isinstance(outputs, Outputs) and not name.startswith("_"):
                    return self._made(node, getattr, outputs, name)
        raise self._refused(node, f"a formula has no {ast.unparse(node)[:40]!r}")

    def _expression(self, node: ast.expr) -> Any:
        """The same, where a number is a series of it."""
        value = self._value(node)
        if isinstance(value, Outputs):
            raise self._refused(node, f"this is {value!r}: name one, such as .{next(iter(value))}")
        return value if isinstance(value, Expression) else self._made(node, series, value)

    def _named(self, node: ast.expr, name: str) -> Expression:
        if name in self._parameters:
            return self._parameters[name]
        if name in FIELDS:
            return field(name)
        if name in OF_THE_RUN:
            return Series(name)
        known = ", ".join([*FIELDS, *OF_THE_RUN, *self._parameters])
        raise self._refused(node, f"there is no {name!r}; there are {known}, and parameters are named in a line `with`")

    def _called(
        self, node: ast.expr, of: ast.expr, name: str, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> Any:
        receiver = OfBars() if isinstance(of, ast.Name) and of.id == "bars" else self._expression(of)
        methods = _OF_SIGNALS if isinstance(receiver, Signal) else _OF_SERIES if isinstance(receiver, Series) else ()
        # Of what is none of these, the series itself says what it has, and what is nearest.
        if name not in methods and (name.startswith("_") or (name in dir(receiver) and name not in table())):
            raise self._refused(node, f"a formula has no {name!r}")
        given = [self._value(each) for each in args]
        named = {each.arg or "": self._value(each.value) for each in keywords}
        return self._made(node, lambda: getattr(receiver, name)(*given, **named))

    def _made(self, node: ast.expr, make: Callable[..., Any], *given: Any) -> Any:
        try:
            return make(*given)
        except StrategyLoadError as error:
            raise self._refused(node, _what(error)) from None
        except (TypeError, OverflowError) as error:
            raise self._refused(node, f"{ast.unparse(node)[:40]!r} makes no sense ({error})") from None

    def _refused(self, node: ast.stmt | ast.expr, what: str) -> StrategyLoadError:
        # Offsets of the syntax tree count bytes.
        before = self._lines[node.lineno - 1].encode()[: node.col_offset]
        return _refused(self._where, node.lineno, len(before.decode()) + 1, what)
