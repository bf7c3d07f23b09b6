"""Help pages: plain, grouped, 80 columns wide, and fast, because nothing is imported to draw them."""

from __future__ import annotations

import re
import sys
from typing import Any

import typer  # noqa: TC002 - Typer reads the annotation of a callback when it runs
from typer.core import TyperCommand, TyperGroup

from neural_trader.cli.ending import CutShort, paint

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
OTHER = "Options"


class _Page:
    """What commands and groups share: options under the headings that they were given."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):  # type: ignore[attr-defined]
            record = param.get_help_record(ctx)
            if record is not None and param.param_type_name != "argument":
                groups.setdefault(getattr(param, "rich_help_panel", None) or OTHER, []).append(record)
        # What every command has stands last.
        for heading in [*(name for name in groups if name != OTHER), *(name for name in groups if name == OTHER)]:
            with formatter.section(heading):
                formatter.write_dl(groups[heading])
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The epilog holds examples, one per line, which must not be wrapped into a paragraph."""
        epilog = getattr(self, "epilog", None)
        if epilog:
            with formatter.section("Examples"):
                for line in str(epilog).strip().splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")

    def get_help(self, ctx: Any) -> str:
        text: str = super().get_help(ctx)  # type: ignore[misc]
        text = re.sub(r"^(\w[\w ,]*:)(?=$| )", lambda match: paint(match[1], "1", sys.stdout), text, flags=re.MULTILINE)
        return re.sub(r"^(  )(-[^\s].*?|[a-z]\w+)(?=  |$)", _painted_name, text, flags=re.MULTILINE)


def _painted_name(match: re.Match[str]) -> str:
    return match[1] + paint(match[2], "36", sys.stdout)


def without_verb(context: typer.Context) -> None:
    """What a group does when it is called without a verb: it says which there are."""
    if context.invoked_subcommand is None:
        print(context.get_help())


class Command(_Page, TyperCommand):
    """A verb."""

    def invoke(self, ctx: Any) -> Any:
        # Typer has its own answers to these, which differ between its versions.
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise CutShort from error


class Group(_Page, TyperGroup):
    """A set of verbs."""

    order: tuple[str, ...] = ()
    """The order in which help shows them; Typer would put commands before groups."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(self.commands, key=lambda name: self.order.index(name) if name in self.order else 0)
