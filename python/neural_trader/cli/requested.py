"""From configured values to the arguments of a backtest."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neural_trader.config import KEYS, Layer, near
from neural_trader.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.strategy.overlays import Overlay


def arguments_of(layer: Layer) -> dict[str, Any]:
    """The keyword arguments of ``backtest`` that a configuration asks for."""
    arguments = {name: layer[name].value for name in KEYS}
    account = dict(layer["account"].value) if "account" in layer else {}
    account |= {name: layer[key].value for name, key in _under(layer, "account")}
    arguments["account"] = account or None
    arguments["parameters"] = {name: layer[key].value for name, key in _under(layer, "parameters")}
    tables: dict[str, dict[str, Any]] = {}
    for path, key in _under(layer, "overlays"):
        name, dot, parameter = path.partition(".")
        table = tables.setdefault(name, {})
        if dot:
            table[parameter] = layer[key].value
        elif not isinstance(layer[key].value, Mapping):
            raise ConfigError(f"{layer[key].origin}: overlays.{name} is a table; write [overlays.{name}]")
    arguments["overlays"] = [overlay(name, table) for name, table in tables.items()]
    return arguments


def overlay(name: str, parameters: Mapping[str, Any]) -> Overlay:
    """An overlay by its name, such as ``volatility_target``, with parameters that may still be text."""
    known = overlay_classes()
    if name not in known:
        raise ConfigError(f"no overlay {name!r} (there are: {', '.join(known)}){near(name, known)}")
    kinds = {
        key: kind for key, kind in typing.get_type_hints(known[name]).items() if key in known[name].__dataclass_fields__
    }
    given: dict[str, Any] = {}
    for key, value in parameters.items():
        if key not in kinds:
            raise ConfigError(
                f"overlay {name} has no parameter {key!r} (it has: {', '.join(kinds) or 'none'}){near(key, kinds)}"
            )
        try:
            given[key] = kinds[key](value)
        except (TypeError, ValueError):
            raise ConfigError(f"overlay {name}: {key} = {value!r} is no {_WORDS[kinds[key]]}") from None
    try:
        return known[name](**given)
    except ValueError as error:
        raise ConfigError(f"overlay {name}: {error}") from None


def overlay_classes() -> dict[str, type[Overlay]]:
    """Overlays by the names that the command line and configuration files use."""
    from neural_trader.strategy.overlays import Overlay

    return {re.sub(r"(?<!^)(?=[A-Z])", "_", own.__name__).lower(): own for own in Overlay.__subclasses__()}


def overlay_of_class(document: Mapping[str, Any]) -> Overlay:
    """An overlay from what a result document says of it: the name of its class, and its parameters."""
    from neural_trader.strategy.overlays import Overlay

    named = {own.__name__: own for own in Overlay.__subclasses__()}
    name = str(document["overlay"])
    if name not in named:
        raise ConfigError(f"the run wore an overlay {name!r}, which is not one of {', '.join(named)}; use --no-rerun")
    return named[name](**{key: value for key, value in document.items() if key != "overlay"})


_WORDS = {int: "whole number", float: "number"}


def _under(layer: Layer, table: str) -> list[tuple[str, str]]:
    return [(key.partition(".")[2], key) for key in layer if key.startswith(f"{table}.")]
