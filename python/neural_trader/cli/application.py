"""The verbs, in the order in which one meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from neural_trader.cli import backtest, version
from neural_trader.cli.help import SETTINGS, Command, Group

application = typer.Typer(
    cls=Group,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    epilog="neural-trader backtest\nneural-trader init my-strategy\nneural-trader verify neural-trader-report.html",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        version.version()
        raise typer.Exit


@application.callback()
def neural_trader(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works with every command.")] = False,
) -> None:
    """A trading engine whose backtests can be checked: exact accounting, one hash per run."""
    if context.invoked_subcommand is None:
        print(context.get_help())


for module, verb in ((backtest, backtest.backtest), (version, version.version)):
    application.command(cls=Command, context_settings=SETTINGS, epilog=module.EXAMPLES)(verb)
