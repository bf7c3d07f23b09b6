"""Parameters of strategies: annotated class attributes, read, converted from text, and checked."""

from __future__ import annotations

import difflib
import inspect
import typing
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from neural_trader.errors import StrategyLoadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neural_trader.strategy.base import Strategy

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class Parameter(NamedTuple):
    """One parameter of a strategy: its name, its type (int, float, bool or str) and its default."""

    name: str
    type: type
    default: Any


def parameters_of(strategy: type[Strategy]) -> dict[str, Parameter]:
    """The parameters of a strategy class, those of its bases first."""
    found: dict[str, Parameter] = {}
    for owner in reversed(strategy.__mro__[: [base.__name__ for base in strategy.__mro__].index("Strategy")]):
        try:
            hints = typing.get_type_hints(owner)
        except Exception as error:
            raise StrategyLoadError(f"{owner.__name__}: its annotations cannot be read ({error})") from error
        for name in inspect.get_annotations(owner):
            if name.startswith("_") or typing.get_origin(hints[name]) is ClassVar or not hasattr(owner, name):
                continue
            kind = hints[name]
            if kind not in (int, float, bool, str):
                raise StrategyLoadError(
                    f"{owner.__name__}.{name}: a parameter is an int, float, bool or str, not {kind}; "
                    "mark other class attributes ClassVar"
                )
            found[name] = Parameter(name, kind, getattr(owner, name))
    return found


def accept(strategy: type[Strategy], given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a strategy with the given values in place of defaults, converted to their types."""
    known = parameters_of(strategy)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            names = ", ".join(known) or "none"
            raise StrategyLoadError(f"{strategy.__name__} has no parameter {name!r}; {hint}it has: {names}")
    values = {name: parameter.default for name, parameter in known.items()}
    return values | {name: _converted(strategy, known[name], value) for name, value in given.items()}


def _converted(strategy: type[Strategy], parameter: Parameter, value: Any) -> Any:
    kind = parameter.type
    try:
        if kind is bool and isinstance(value, str):
            lowered = value.strip().lower()
            if lowered in _TRUE | _FALSE:
                return lowered in _TRUE
        elif kind is int and not isinstance(value, bool):
            if float(value) == int(float(value)):
                return int(value) if not isinstance(value, str) else int(float(value))
        elif kind is float and not isinstance(value, bool):
            return float(value)
        elif isinstance(value, kind):
            return value
    except (TypeError, ValueError, OverflowError):
        pass
    raise StrategyLoadError(f"{strategy.__name__}.{parameter.name}: {value!r} is no {kind.__name__}")
