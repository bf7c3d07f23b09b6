"""``neural-trader trials``: what has been tried, because the best of many proves little."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.output import print_json
from neural_trader.errors import DataError, UsageError

if TYPE_CHECKING:
    from neural_trader.honesty.trials import Ledger, Trial

EXAMPLES = """\
neural-trader trials list
neural-trader trials export trials.csv
"""
LIST_EXAMPLES = """\
neural-trader trials list
neural-trader trials list --best --limit 5
neural-trader trials list --config run.toml --json
"""
SHOW_EXAMPLES = """\
neural-trader trials show best
"""
EXPORT_EXAMPLES = """\
neural-trader trials export trials.csv
"""
RESET_EXAMPLES = """\
neural-trader trials reset --yes
"""

Config = Annotated[Path | None, typer.Option("--config", "-c", metavar="FILE", help="Whose project is meant.")]
Place = Annotated[
    str | None, typer.Option("--trials", metavar="FILE", help="Ledger. [$NT_TRIALS, the project's, or the user's]")
]


class Verbs(Group):
    """The verbs of trials, in the order in which one meets them."""

    order = ("list", "show", "export", "reset")


trials = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="Show which backtests have been tried and counted.",
)


def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    best: Annotated[bool, typer.Option("--best", help="The best Sharpe ratio first, not the latest run.")] = False,
    config: Config = None,
    place: Place = None,
    json: options.Json = False,
) -> None:
    """List the trials, the latest first."""
    ledger = _ledger(place, config)
    found = ledger.trials()[::-1]
    if best:
        found.sort(key=_sharpe, reverse=True)
    shown = found[:limit]
    if json:
        document = {"ledger": str(ledger.path), "total": len(found), "trials": [each.document() for each in shown]}
        print_json(document)
        return
    if not found:
        print(f"No trials in {ledger.path}; every backtest adds one.")
        return
    from neural_trader.cli.table import print_table

    print_table([_row(trial) for trial in shown], ("run", "when (UTC)", "strategy", "Sharpe", "parameters"), right=(3,))
    rest = f", {len(shown)} of them here" if len(shown) < len(found) else ""
    print(f"{len(found):,} trial{'' if len(found) == 1 else 's'} in {ledger.path}{rest}")


def show(
    run: Annotated[str, typer.Argument(metavar="HASH", help="The beginning of a run hash, or best, or latest.")],
    config: Config = None,
    place: Place = None,
    json: options.Json = False,
) -> None:
    """Show one trial."""
    ledger = _ledger(place, config)
    found = _named(ledger.trials(), run.lower())
    if len(found) != 1:
        many = f"{len(found)} trials begin with" if found else "no trial begins with"
        raise UsageError(f"{many} {run!r} in {ledger.path}; `neural-trader trials list` shows them")
    document = found[0].document()
    if json:
        print_json(document)
        return
    document["time_ns"] = f"{_time(found[0])} UTC"
    for name, value in document.items():
        print(f"{'time' if name == 'time_ns' else name:<12} {'n/a' if value is None else value}")


def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .json file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
    config: Config = None,
    place: Place = None,
    json: options.Json = False,
) -> None:
    """Write all trials to a file."""
    from neural_trader.cli.catalogs import free_target
    from neural_trader.cli.output import write
    from neural_trader.honesty.trials import Trial
    from neural_trader.report.document import encode

    if target.suffix not in (".csv", ".json"):
        raise UsageError(f"{target}: name a file that ends in .csv or .json")
    free_target(target, force)
    ledger = _ledger(place, config)
    found = ledger.trials()
    if target.suffix == ".json":
        write(target, encode({"trials": [trial.document() for trial in found]}) + "\n")
    else:
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerows([Trial._fields, *found])
        write(target, out.getvalue())
    if json:
        print_json({"ledger": str(ledger.path), "file": str(target), "trials": len(found)})
    else:
        print(f"{len(found):,} trial{'' if len(found) == 1 else 's'} to {target}")


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Yes, forget them.")] = False,
    config: Config = None,
    place: Place = None,
    json: options.Json = False,
) -> None:
    """Forget all trials; what was tried was tried, so only do it for another question."""
    ledger = _ledger(place, config)
    if not yes:
        raise UsageError(f"this forgets {len(ledger.trials()):,} trials of {ledger.path}; say --yes if it may")
    count = ledger.reset()
    if json:
        print_json({"ledger": str(ledger.path), "forgotten": count})
    else:
        print(f"forgot {count:,} trial{'' if count == 1 else 's'} of {ledger.path}")


for _verb, _examples in ((show, SHOW_EXAMPLES), (export, EXPORT_EXAMPLES), (reset, RESET_EXAMPLES)):
    trials.command(cls=Command, context_settings=SETTINGS, epilog=_examples)(_verb)
trials.command("list", cls=Command, context_settings=SETTINGS, epilog=LIST_EXAMPLES)(list_)


def _ledger(place: str | None, config: Path | None) -> Ledger:
    import os

    from neural_trader.config import layers
    from neural_trader.honesty.trials import ledger_of

    named = place or layers(config, os.environ)["trials"].value
    ledger = ledger_of(named)
    if ledger is None:
        raise DataError("trials are not counted here (off); name a ledger with --trials or --config")
    return ledger


def _named(trials: list[Trial], name: str) -> list[Trial]:
    if name == "latest":
        return trials[-1:]
    if name == "best":
        return sorted(trials, key=_sharpe)[-1:]
    return [trial for trial in trials if trial.hash.startswith(name)]


def _sharpe(trial: Trial) -> float:
    return float("-inf") if trial.sharpe is None else trial.sharpe


def _row(trial: Trial) -> tuple[str, ...]:
    given: dict[str, Any] = trial.document()["parameters"]
    worn = [str(each.get("overlay")) for each in given["overlays"]]
    values = [f"{name}={value}" for name, value in given["parameters"].items()]
    sharpe = "n/a" if trial.sharpe is None else f"{trial.sharpe:.2f}"
    return trial.hash[:8], _time(trial), trial.strategy, sharpe, ", ".join([*values, *worn]) or "none"


def _time(trial: Trial) -> str:
    return f"{datetime.fromtimestamp(trial.time_ns / 1e9, UTC):%Y-%m-%d %H:%M}"
