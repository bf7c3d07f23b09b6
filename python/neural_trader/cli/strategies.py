"""``neural-trader strategies``: what the library has, and what a strategy can be told."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.cli.table import console, print_table

if TYPE_CHECKING:
    from neural_trader.strategy.base import Strategy

EXAMPLES = """\
neural-trader strategies
neural-trader strategies donchian_turtle
neural-trader strategies sma_cross --source > my_strategy.py
neural-trader strategies --json
"""


def strategies(
    name: Annotated[str | None, typer.Argument(help="A library strategy, or a file.py[:Class].")] = None,
    source: Annotated[bool, typer.Option("--source", help="Print the source of the strategy.")] = False,
    json: options.Json = False,
) -> None:
    """List the strategies of the library, or describe one."""
    from neural_trader.errors import UsageError
    from neural_trader.strategy.library import LIBRARY
    from neural_trader.strategy.loading import find_strategy

    if source and (name is None or json):
        raise UsageError("--source prints the source of one strategy; name it, and leave out --json")
    if name is not None:
        told = describe(name, find_strategy(name))
        if source:
            print(Path(told["source"]).read_text(encoding="utf-8"), end="")
        elif json:
            print_json(told)
        else:
            _print_one(told)
    elif json:
        print_json([describe(each, find_strategy(each)) for each in LIBRARY])
    else:
        rows = [(each, entry.world, entry.line) for each, entry in LIBRARY.items()]
        print_table(rows, ("", "of", ""), styles=("bold cyan", "dim"))
        console().print("\nneural-trader strategies NAME tells its parameters.", style="dim")


def describe(name: str, strategy: type[Strategy]) -> dict[str, Any]:
    """A strategy as plain values: its text, its world, its parameters with defaults, and the file that it stands in."""
    from neural_trader.strategy.parameters import parameters_of

    documentation = inspect.getdoc(strategy) or ""
    texts = _texts(strategy)
    return {
        "name": name,
        "class": strategy.__qualname__,
        "world": world_of(strategy),
        "summary": documentation.partition("\n\n")[0].replace("\n", " "),
        "documentation": documentation,
        "reference": inspect.getdoc(sys.modules[strategy.__module__]) or "",
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type.__name__,
                "default": parameter.default,
                "text": texts.get(parameter.name, ""),
            }
            for parameter in parameters_of(strategy).values()
        ],
        "source": str(inspect.getsourcefile(strategy) or ""),
    }


def world_of(strategy: type[Strategy]) -> str:
    """What a strategy decides on: "bars", or the books and trades of "replays"."""
    from neural_trader.strategy.base import Strategy

    decides_on_bars = any(getattr(strategy, hook) is not getattr(Strategy, hook) for hook in ("on_bar", "on_moment"))
    return "bars" if decides_on_bars else "replays"


def _texts(strategy: type[Strategy]) -> dict[str, str]:
    """The sentences below the parameters; Python keeps them only in the source."""
    found: dict[str, str] = {}
    for owner in reversed(strategy.__mro__[:-1]):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for statement, after in itertools.pairwise(statements):
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            if (
                isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[statement.target.id] = inspect.cleandoc(after.value.value).replace("\n", " ")
    return found


def _reflowed(text: str) -> str:
    """Paragraphs as one line each, for a console that is narrower than the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _print_one(strategy: dict[str, Any]) -> None:
    from rich.text import Text

    out = console()
    width = min(80, out.width)
    out.print(Text(strategy["name"], "bold"), width=width)
    out.print(Text(_reflowed(strategy["documentation"])), width=width)
    if strategy["parameters"]:
        out.print()
        rows = [(each["name"], each["type"], str(each["default"]), each["text"]) for each in strategy["parameters"]]
        print_table(rows, ("parameter", "type", "default", ""), styles=("cyan", "dim"), right=(2,))
    if strategy["reference"]:
        out.print()
        out.print(Text(_reflowed(strategy["reference"]), "dim"), width=width)
    out.print()
    out.print(Text.assemble(("source  ", "dim"), strategy["source"]), soft_wrap=True)
