"""``neural-trader config``: what a run would be configured as, and why."""

from __future__ import annotations

import json as json_text
import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.output import print_json
from neural_trader.config import KEYS, Layer, Value

EXAMPLES = """\
neural-trader config show --config run.toml --origin
"""

SHOW_EXAMPLES = """\
neural-trader config show
neural-trader config show --config run.toml --cash 500 --origin
neural-trader config show --like vectorbt --json
"""

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?")

_BARE = re.compile(r"[A-Za-z0-9_-]+")

config = typer.Typer(
    cls=Group,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="Show what a run is configured as.",
)


@options.takes_run
def show(
    layer: Layer,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    json: options.Json = False,
) -> None:
    """Show the values that a run would use: defaults, file, environment, flags."""
    if json:
        print_json({name: value._asdict() for name, value in layer.items()})
        return
    for line in toml_lines(layer, origin=origin):
        print(line)


config.command(cls=Command, context_settings=SETTINGS, epilog=SHOW_EXAMPLES)(show)


def toml_lines(layer: Layer, *, origin: bool) -> list[str]:
    """The configuration as TOML, which can be saved and used; what is not set is a comment."""
    lines = [_line(name, name, value, origin=origin) for name, value in layer.items() if name in KEYS]
    tables: dict[str, list[str]] = {}
    for name, value in layer.items():
        table, _, key = name.rpartition(".")
        if isinstance(value.value, Mapping):
            tables |= _tables(name, value)
        elif table:
            tables.setdefault(table, []).append(_line(name, key, value, origin=origin))
    for table, inside in tables.items():
        lines += ["", f"[{table}]", *inside]
    return lines


def _tables(name: str, value: Value) -> dict[str, list[str]]:
    """A table and those within it, each with its lines."""
    own: list[str] = []
    inner: dict[str, list[str]] = {}
    for key, each in value.value.items():
        quoted = key if _BARE.fullmatch(key) else json_text.dumps(key, ensure_ascii=False)
        if isinstance(each, Mapping):
            inner |= _tables(f"{name}.{quoted}", Value(each, value.origin))
        else:
            own.append(f"{quoted} = {_toml(each)}")
    return ({name: own} if own or not inner else {}) | inner


def _line(name: str, key: str, value: Value, *, origin: bool) -> str:
    if value.value is None:
        return f"# {key} is not set: {KEYS[name].line}"
    text = f"{key} = {_toml(value.value)}"
    return f"{text:<40} # {value.origin}" if origin else text


def _toml(value: Any) -> str:
    """A value as TOML; a number that came as text, from a flag or the environment, is written as the number it is."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A basic string of TOML is a JSON string.
        return json_text.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
