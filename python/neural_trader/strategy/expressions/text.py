"""Formulas as text that a person would have written; `parsing` reads it back."""

from __future__ import annotations

from neural_trader.features.table import table
from neural_trader.strategy.expressions.series import Expression, P

INFIX = {
    "above": (">", 1),
    "at_least": (">=", 1),
    "below": ("<", 1),
    "at_most": ("<=", 1),
    "or": ("|", 2),
    "and": ("&", 3),
    "add": ("+", 4),
    "subtract": ("-", 4),
    "multiply": ("*", 5),
    "divide": ("/", 5),
}
"""Operations that are written between what they join, and how tightly they bind, as in Python."""

_TIGHT, _PREFIX = 7, 6


def text_of(expression: Expression) -> str:
    """The expression as Python text, with each parameter by its name."""
    return _written(expression)[0]


def _written(expression: Expression) -> tuple[str, int]:
    operation, inputs = expression.operation, expression.inputs
    if isinstance(expression, P):
        return expression.name, _TIGHT
    if operation == "number":
        number = expression.given[0]
        return _number(number), _TIGHT if isinstance(number, float) and number >= 0 else _PREFIX
    if operation in INFIX:
        sign, binding = INFIX[operation]
        # Comparisons do not chain, and what is on the right of - and / binds tighter than they do.
        left = _within(inputs[0], binding + (binding == 1))
        return f"{left} {sign} {_within(inputs[1], binding + 1)}", binding
    if operation in ("negate", "not"):
        return f"{'-' if operation == 'negate' else '~'}{_within(inputs[0], _TIGHT)}", _PREFIX
    if operation == "absolute":
        return f"abs({text_of(inputs[0])})", _TIGHT
    given = [_number(each) for each in expression.given]
    if not inputs:
        return operation, _TIGHT
    if operation == "decimal":
        return _written(inputs[0])
    if operation.partition(".")[0] in table():
        return _feature(expression, given), _TIGHT
    name = operation.removesuffix("_signal")
    arguments = ", ".join([*map(text_of, inputs[1:]), *given])
    return f"{_within(inputs[0], _TIGHT)}.{name}({arguments})", _TIGHT


def _feature(expression: Expression, given: list[str]) -> str:
    """A call at its first series, or at the bars where it is of several of their numbers."""
    name, _, output = expression.operation.partition(".")
    kind = table()[name]
    first, *others = expression.inputs
    # What bars have is not said, as one does not write it.
    said = [
        f"{named}={text_of(each)}"
        for each, (named, usual) in zip(others, kind.inputs[1:], strict=True)
        if text_of(each) != usual
    ]
    is_of_bars = kind.inputs[0][0] != "series" and kind.inputs[0][1] is not None
    at = "bars" if is_of_bars else _within(first, _TIGHT)
    made = output or (kind.outputs[0][0] if len(kind.outputs) > 1 else "")
    return f"{at}.{name}({', '.join([*given, *said])})" + (f".{made}" if made else "")


def _within(expression: Expression, binding: int) -> str:
    text, own = _written(expression)
    return f"({text})" if own < binding else text


def _number(given: float | P) -> str:
    return given.name if isinstance(given, P) else repr(given).removesuffix(".0")
