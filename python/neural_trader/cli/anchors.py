"""``neural-trader anchors``: runs whose outcome is locked, so that no change of code or data moves it unseen."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_trader.cli import options
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.output import print_json, write
from neural_trader.errors import NeuralTraderError, UsageError, VerificationError

EXAMPLES = """\
neural-trader anchors add result.json
neural-trader anchors verify
"""
ADD_EXAMPLES = """\
neural-trader anchors add result.json
neural-trader anchors add neural-trader-report.html --name main
"""
VERIFY_EXAMPLES = """\
neural-trader anchors verify
neural-trader anchors verify --json
"""
LIST_EXAMPLES = """\
neural-trader anchors list
"""

File = Annotated[Path, typer.Option("--file", metavar="FILE", help="The set of anchors.")]
DEFAULT = Path("anchors.lock")


class Verbs(Group):
    """The verbs of anchors, in the order in which one meets them."""

    order = ("add", "verify", "list")


anchors = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="Lock the outcome of runs, and check that it still is the same.",
)


def add(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT...", help="Documents or pages that runs wrote.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it, if it is one.")] = None,
    file: File = DEFAULT,
    json: options.Json = False,
) -> None:
    """Lock what reports say; an anchor of the same name is replaced."""
    from neural_trader.cli.anchoring import anchor_of, encoded, read_anchors
    from neural_trader.report.document import read_document

    if name is not None and len(reports) > 1:
        raise UsageError("--name is for one report; several are called after their files")
    held = {each.name: each for each in read_anchors(file)} if file.exists() else {}
    for report in reports:
        anchor = anchor_of(read_document(report), name or report.stem, report, file)
        held[anchor.name] = anchor
    write(file, encoded(held.values()))
    if json:
        print_json({"file": str(file), "anchors": len(held)})
    else:
        print(f"{len(held)} anchor{'' if len(held) == 1 else 's'} in {file}")


def verify(
    file: File = DEFAULT,
    json: options.Json = False,
) -> None:
    """Run every anchor again, and say whether all are what they were."""
    from neural_trader.cli.anchoring import difference, read_anchors
    from neural_trader.cli.progress import progress_bar

    held = read_anchors(file)
    found: dict[str, str] = {}
    with progress_bar("running anchors", quiet=json) as progress, contextlib.redirect_stdout(sys.stderr):
        for at, anchor in enumerate(held):
            try:
                differs = difference(anchor, file)
            except NeuralTraderError as error:
                differs = str(error)
            if differs is not None:
                found[anchor.name] = differs
            if progress is not None:
                progress((at + 1) / len(held))
    passed = len(held) - len(found)
    if json:
        verdict = "FAIL" if found else "PASS"
        print_json({"file": str(file), "verdict": verdict, "passed": passed, "total": len(held), "failed": found})
    elif not found:
        print(f"ANCHORS PASS ({passed} / {len(held)})")
    else:
        print(f"ANCHORS FAIL ({passed} / {len(held)})")
    if found:
        first, differs = next(iter(found.items()))
        raise VerificationError(f"{file}: {first}: {differs}")


def list_(file: File = DEFAULT, json: options.Json = False) -> None:
    """List the anchors."""
    from neural_trader.cli.anchoring import read_anchors
    from neural_trader.cli.table import print_table

    held = read_anchors(file)
    if json:
        print_json({"file": str(file), "anchors": [anchor.document() for anchor in held]})
        return
    rows = [(anchor.name, anchor.hash[:12], anchor.data_text, anchor.strategy_text) for anchor in held]
    print_table(rows, ("anchor", "hash", "data", "strategy"))


for _verb, _examples in ((add, ADD_EXAMPLES), (verify, VERIFY_EXAMPLES)):
    anchors.command(cls=Command, context_settings=SETTINGS, epilog=_examples)(_verb)
anchors.command("list", cls=Command, context_settings=SETTINGS, epilog=LIST_EXAMPLES)(list_)
