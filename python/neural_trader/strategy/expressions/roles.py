"""A formula: what each of its roles is, its parameters, and the document by which it is kept and shared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from neural_trader.errors import StrategyLoadError
from neural_trader.features.table import table
from neural_trader.strategy.expressions.lowering import Lowering, Term
from neural_trader.strategy.expressions.series import (
    FIELDS,
    Expression,
    P,
    Series,
    Signal,
    feature,
    field,
    refuse,
    series,
    signal,
)
from neural_trader.strategy.expressions.text import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SCHEMA = "neural-trader.formula/1"

SIGNALS = ("entry", "exit", "short_entry", "short_exit", "when")
FRACTIONS = ("size", "target")
DISTANCES = ("stop_loss", "take_profit", "trail")
ROLES = (*SIGNALS, *FRACTIONS, *DISTANCES)

OF_THE_RUN = ("share", "bars_per_year")
"""Numbers that a run gives: the equal share of one instrument, and how many bars a year has."""

_SIGNAL_OPERATIONS = (
    "above", "at_least", "below", "at_most", "crosses_above", "crosses_below", "and", "or", "not", "lag_signal", "hold",
    "first", "every", "top_across", "bottom_across",
)  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """Roles by name, each an expression; made by :func:`neural_trader.formula` or read from a document."""

    roles: Mapping[str, Expression]
    name: str | None = None

    @classmethod
    def of(cls, name: str | None = None, **given: object) -> Formula:
        """A formula from what was given for each role; StrategyLoadError says what does not fit."""
        roles: dict[str, Expression] = {}
        for role, value in given.items():
            if value is not None:
                roles[role] = signal(value) if role in SIGNALS else series(value)
        _refuse_contradictions(roles)
        for role, value in roles.items():
            if role in FRACTIONS and value.dimension != "plain":
                refuse(f"{role}= is a fraction of equity, and {text_of(value)} is a {value.dimension}")
            if role in DISTANCES and value.dimension == "volume":
                refuse(f"{role}= is a distance in price or a share of the close, and {text_of(value)} is a volume")
        formula = cls(roles, name)
        _ = formula.parameters
        return formula

    @property
    def parameters(self) -> dict[str, int | float]:
        """Parameters by name with their defaults, in the order in which the formula reads them."""
        found: dict[str, int | float] = {}
        for node in self.nodes():
            for each in (node, *node.given):
                if isinstance(each, P) and found.setdefault(each.name, each.default) != each.default:
                    refuse(f"parameter {each.name!r} has two defaults, {found[each.name]} and {each.default}")
        return found

    def lowered(self, constants: Mapping[str, float]) -> tuple[list[Term], dict[str, int]]:
        """Terms for the engine, and the place of each role; ``constants`` are the numbers that a run gives."""
        lowering = Lowering({name: rank for rank, name in enumerate(self.parameters)}, constants)
        roles: dict[str, int] = {}
        for role, expression in self.roles.items():
            if role in DISTANCES:
                assert isinstance(expression, Series)
                roles[role] = lowering.distance(expression)
            else:
                roles[role] = lowering.add(expression)
        if "target" not in roles and "size" not in roles:
            roles["size"] = lowering.number(constants["share"])
        return lowering.terms, roles

    @property
    def text(self) -> str:
        """One line for each role, and one for the parameters; :meth:`parse` reads it back."""
        lines = [f"{role} = {text_of(self.roles[role])}" for role in ROLES if role in self.roles]
        if self.parameters:
            lines.append("with " + ", ".join(f"{name} = {value}" for name, value in self.parameters.items()))
        return "\n".join(lines)

    @property
    def hash(self) -> str:
        """SHA-256 of the document without its name: the same for the same formula, wherever it was written."""
        document = {key: value for key, value in self.document().items() if key != "name"}
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def parse(cls, text: str, where: str = "formula") -> Formula:
        """The formula of a text as :attr:`text` has it; StrategyLoadError says, with line and column, where it is none.

        >>> Formula.parse("entry = close.crosses_above(close.sma(n))\\nwith n = 20").parameters
        {'n': 20}
        """
        from neural_trader.strategy.expressions.parsing import parse

        return parse(text, where)

    def document(self) -> dict[str, Any]:
        """The formula as plain values: nodes, each after those that it reads, and the node of each role."""
        places: dict[str, int] = {}
        nodes: list[dict[str, Any]] = []
        of: dict[int, int] = {}
        for node in self.nodes():
            row: dict[str, Any] = {"is": node.operation}
            if isinstance(node, P):
                row["name"] = node.name
            if node.inputs:
                row["of"] = [of[id(each)] for each in node.inputs]
            if node.given:
                row["with"] = [each.name if isinstance(each, P) else each for each in node.given]
            key = json.dumps(row)
            if key not in places:
                places[key] = len(nodes)
                nodes.append(row)
            of[id(node)] = places[key]
        return {
            "schema": SCHEMA,
            "name": self.name,
            "parameters": self.parameters,
            "nodes": nodes,
            "roles": {role: of[id(self.roles[role])] for role in sorted(self.roles)},
        }

    @classmethod
    def from_document(cls, document: Any, where: str = "formula") -> Formula:
        """The formula of a document; StrategyLoadError says where it is none."""
        try:
            if document["schema"] != SCHEMA:
                _unreadable(where, f"its schema is {document['schema']!r}, not {SCHEMA!r}")
            known = {name: P(name, default) for name, default in document["parameters"].items()}
            built: list[Expression] = []
            for row in document["nodes"]:
                inputs = tuple(built[_before(at, len(built))] for at in row.get("of", ()))
                given = tuple(known[each] if isinstance(each, str) else each for each in row.get("with", ()))
                built.append(known[row["name"]] if row["is"] == "parameter" else _built(row["is"], inputs, given))
            roles = {role: built[_before(at, len(built))] for role, at in document["roles"].items()}
            if unknown := set(roles) - set(ROLES):
                _unreadable(where, f"there is no role {min(unknown)!r}")
            return cls.of(document.get("name"), **roles)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise StrategyLoadError(f"{where}: no formula ({type(error).__name__}: {error})") from error

    def nodes(self) -> Iterator[Expression]:
        """Every node once, each after those that it reads."""
        seen: set[int] = set()
        for role in sorted(self.roles):
            waiting: list[tuple[Expression, bool]] = [(self.roles[role], False)]
            while waiting:
                node, is_ready = waiting.pop()
                if id(node) in seen:
                    continue
                if is_ready:
                    seen.add(id(node))
                    yield node
                else:
                    waiting.append((node, True))
                    waiting.extend((each, False) for each in reversed(node.inputs))

    def __str__(self) -> str:
        return self.text


def _refuse_contradictions(roles: Mapping[str, Expression]) -> None:
    if "target" in roles:
        if others := [role for role in roles if role not in ("target", "when", *DISTANCES)]:
            refuse(f"a target says what to hold at every bar, so {', '.join(others)} would contradict it")
    elif "entry" not in roles and "short_entry" not in roles:
        refuse("a strategy needs an entry, a short_entry or a target")
    elif "when" in roles:
        refuse("when= says when a target is looked at; an entry says so itself")
    for role, needs in (("exit", "entry"), ("short_exit", "short_entry")):
        if role in roles and needs not in roles:
            refuse(f"{role}= needs {needs}=: without it there is nothing to close")
    if "stop_loss" in roles and "trail" in roles:
        refuse("a position has one stop: stop_loss= or trail=")


def _unreadable(where: str, what: str) -> NoReturn:
    raise StrategyLoadError(f"{where}: {what}")


def _before(place: int, count: int) -> int:
    if not 0 <= place < count:
        raise ValueError(f"node {place} is read before it is there")
    return place


_METHODS: dict[str, Callable[..., Any]] = {
    "decimal": lambda a: Series("decimal", (series(a),)),
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "absolute": abs,
    "above": lambda a, b: a > b,
    "at_least": lambda a, b: a >= b,
    "below": lambda a, b: a < b,
    "at_most": lambda a, b: a <= b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "lag_signal": lambda a, bars: a.lag(bars),
    # A document says what was built, and what was built is no comparison any more.
    "not": lambda a: Signal("not", (signal(a),)),
}


def _built(operation: str, inputs: tuple[Expression, ...], given: tuple[Any, ...]) -> Expression:
    """A node by the same rules by which operators make it."""
    if operation in FIELDS:
        return field(operation)
    if operation in OF_THE_RUN:
        return Series(operation)
    if operation == "number":
        return series(given[0])
    numbers = tuple(int(each) if isinstance(each, float) and each.is_integer() else each for each in given)
    built: Expression
    name, _, output = operation.partition(".")
    if name in table():
        made = feature(table()[name], tuple(map(series, inputs)), numbers, {})
        return made if isinstance(made, Series) else getattr(made, output or table()[name].outputs[0][0])
    if operation in _METHODS:
        built = _METHODS[operation](*inputs, *numbers)
    elif operation.startswith("_") or not inputs:
        raise ValueError(f"{operation} is no operation")
    else:
        built = getattr(inputs[0], operation)(*inputs[1:], *numbers)
    if not isinstance(built, Signal if operation in _SIGNAL_OPERATIONS else Series) or built.operation != operation:
        raise ValueError(f"{operation} is no operation")
    return built
