"""The command with its verbs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neural_trader.cli import (
    anchors,
    backtest,
    bench,
    config,
    data,
    doctor,
    features,
    init,
    memory,
    replay,
    solve,
    strategies,
    sweep,
    trials,
    verify,
    version,
    walkforward,
)
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb

EXAMPLES = """\
neural-trader backtest
neural-trader init my-project
neural-trader verify neural-trader-report.html
"""


class Verbs(Group):
    """All verbs, in the order in which one meets them."""

    order = (
        "backtest", "sweep", "walkforward", "replay", "init", "strategies", "features", "data", "memory", "trials",
        "solve", "verify", "anchors", "config", "doctor", "bench", "version",
    )  # fmt: skip


application = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    epilog=EXAMPLES,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        version.version()
        raise typer.Exit


@application.callback()
def neural_trader(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, with any command.")] = False,
) -> None:
    """A trading engine whose backtests can be checked: exact accounting, one hash per run."""
    without_verb(context)


VERBS: dict[str, tuple[Any, str]] = {
    "backtest": (backtest.backtest, backtest.EXAMPLES),
    "sweep": (sweep.sweep, sweep.EXAMPLES),
    "walkforward": (walkforward.walkforward, walkforward.EXAMPLES),
    "replay": (replay.replay, replay.EXAMPLES),
    "init": (init.init, init.EXAMPLES),
    "strategies": (strategies.strategies, strategies.EXAMPLES),
    "features": (features.features, features.EXAMPLES),
    "data": (data.data, data.EXAMPLES),
    "memory": (memory.memory, memory.EXAMPLES),
    "trials": (trials.trials, trials.EXAMPLES),
    "solve": (solve.solve, solve.EXAMPLES),
    "verify": (verify.verify, verify.EXAMPLES),
    "anchors": (anchors.anchors, anchors.EXAMPLES),
    "config": (config.config, config.EXAMPLES),
    "doctor": (doctor.doctor, doctor.EXAMPLES),
    "bench": (bench.bench, bench.EXAMPLES),
    "version": (version.version, version.EXAMPLES),
}

for _name, (_verb, _examples) in VERBS.items():
    if isinstance(_verb, typer.Typer):
        application.add_typer(_verb, name=_name, epilog=_examples)
    else:
        application.command(_name, cls=Command, context_settings=SETTINGS, epilog=_examples)(_verb)
