"""From what a user wrote to what the engine evaluates: prices stay counts of ticks as long as that is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neural_trader.features.table import table
from neural_trader.strategy.expressions.series import Dimension, Expression, P, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPARISONS = ("above", "at_least", "below", "at_most", "crosses_above", "crosses_below")
_OF_COUNTS = ("add", "subtract", "smaller", "larger")
_FROM: dict[Dimension, str] = {"price": "from_ticks", "volume": "from_lots"}


class Term(NamedTuple):
    """A node for the engine; a number is given as (False, itself), a parameter as (True, its rank)."""

    operation: str
    inputs: tuple[int, ...]
    given: tuple[tuple[bool, float], ...]


class Lowering:
    """Terms under construction: equal ones are one."""

    def __init__(self, parameters: Mapping[str, int], constants: Mapping[str, float]) -> None:
        self._parameters = parameters
        self._constants = constants
        self._places: dict[Term, int] = {}
        self._known: dict[int, int] = {}

    @property
    def terms(self) -> list[Term]:
        """The terms, each after those that it reads."""
        return list(self._places)

    def add(self, expression: Expression) -> int:
        """The place of an expression."""
        known = self._known.get(id(expression))
        if known is None:
            known = self._known[id(expression)] = self._lowered(expression)
        return known

    def plain(self, expression: Expression) -> int:
        """The place of an expression in decimals, whatever it counts."""
        place = self.add(expression)
        conversion = _FROM.get(expression.dimension)
        return place if conversion is None else self._term(conversion, (place,))

    def distance(self, expression: Series) -> int:
        """The place of a distance from the close in ticks: a price, or a plain number as a share of the close."""
        place = self.add(expression)
        if expression.dimension == "price":
            return place
        return self._term("multiply", (self._term("close"), place))

    def number(self, value: float) -> int:
        """The place of a number."""
        return self._term("number", (), ((False, value),))

    def _lowered(self, expression: Expression) -> int:
        operation, inputs = expression.operation, expression.inputs
        if isinstance(expression, P):
            return self._term("number", (), ((True, float(self._parameters[expression.name])),))
        if operation in self._constants:
            return self.number(self._constants[operation])
        if operation in COMPARISONS:
            return self._term(operation, (self._term("order", self._alike(*inputs)),))
        if operation in _OF_COUNTS:
            return self._term(operation, self._alike(*inputs))
        if operation == "choose":
            return self._term(operation, (self.add(inputs[0]), *self._alike(*inputs[1:])))
        if operation in ("multiply", "divide"):
            return self._term(operation, self._factors(operation, *inputs))
        if operation == "decimal":
            return self.plain(inputs[0])
        if operation.endswith("_across") or operation == "sqrt":
            # A tick is worth something else for every instrument, and its root is nothing.
            return self._term(operation, tuple(map(self.plain, inputs)), tuple(map(self._given, expression.given)))
        return self._term(_by_place(operation), tuple(map(self.add, inputs)), tuple(map(self._given, expression.given)))

    def _alike(self, a: Expression, b: Expression) -> tuple[int, int]:
        """Two series as counts of the same thing, or else as decimals."""
        if a.dimension == b.dimension:
            return self.add(a), self.add(b)
        return self.plain(a), self.plain(b)

    def _factors(self, operation: str, a: Expression, b: Expression) -> tuple[int, int]:
        keeps = b.dimension == "plain" or (operation == "multiply" and a.dimension == "plain")
        cancels = operation == "divide" and a.dimension == b.dimension
        return (self.add(a), self.add(b)) if keeps or cancels else (self.plain(a), self.plain(b))

    def _given(self, given: float | P) -> tuple[bool, float]:
        return (True, float(self._parameters[given.name])) if isinstance(given, P) else (False, given)

    def _term(self, operation: str, inputs: tuple[int, ...] = (), given: tuple[tuple[bool, float], ...] = ()) -> int:
        term = Term(operation, inputs, given)
        return self._places.setdefault(term, len(self._places))


def _by_place(operation: str) -> str:
    """An output of a feature by its place, as the engine knows it; other operations as they are."""
    name, dot, output = operation.partition(".")
    if not dot:
        return operation
    return f"{name}#{[each for each, _ in table()[name].outputs].index(output)}"
