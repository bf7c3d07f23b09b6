"""``neural-trader verify``: whether a report says what happened, by its own figures and by running it again."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.errors import VerificationError

if TYPE_CHECKING:
    from neural_trader.cli.verification import Finding

EXAMPLES = """\
neural-trader verify neural-trader-report.html
neural-trader verify result.json --no-rerun
neural-trader verify result.json --json
"""


def verify(
    report: Annotated[Path, typer.Argument(help="A .json document or .html page that a run wrote.")],
    no_rerun: Annotated[bool, typer.Option("--no-rerun", help="Check the document alone.")] = False,
    data: Annotated[
        str | None, typer.Option("--data", "-d", metavar="PATH", help="Where the data is now, if it moved.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", metavar="NAME|FILE", help="Where the strategy is now.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Check a report against itself and a second run."""
    from neural_trader.cli.progress import progress_bar
    from neural_trader.cli.verification import check_alone, check_rerun
    from neural_trader.report.document import read_document

    document = read_document(report)
    findings = check_alone(document)
    if not no_rerun:
        # What a strategy prints is no part of the verdict.
        with progress_bar("running again", quiet=json) as progress, contextlib.redirect_stdout(sys.stderr):
            findings += check_rerun(document, data=data, strategy=strategy, progress=progress)
    failed = [finding for finding in findings if finding.state == "FAIL"]
    if json:
        print_json(
            {
                "report": str(report),
                "hash": document.get("hash"),
                "verdict": "FAIL" if failed else "PASS",
                "findings": [finding._asdict() for finding in findings],
            }
        )
    else:
        _print(document, findings, passed=not failed)
    if failed:
        raise VerificationError(f"{report}: does not verify: {failed[0].name}: {failed[0].text}")


def _print(document: dict[str, Any], findings: list[Finding], *, passed: bool) -> None:
    from rich.text import Text

    from neural_trader.cli.recorded import is_replay
    from neural_trader.cli.table import console, print_table

    looks = {"PASS": "green", "FAIL": "bold red", "NOTE": "yellow"}
    out = console()
    rows = sum(each.get("rows", 0) for each in document.get("data", []))
    played = "samples" if is_replay(document.get("run", {})) else "bars"
    symbols = ", ".join(str(each.get("symbol")) for each in document.get("data", [])[:4])
    out.print(
        Text.assemble((str(document.get("run", {}).get("strategy")), "bold"), f" on {rows:,} {played} of {symbols}")
    )
    print_table([(each.name, Text(each.state, looks[each.state]), each.text) for each in findings], ("", "", ""))
    verdict = Text("PASS", "bold green") if passed else Text("FAIL", "bold red")
    out.print(Text.assemble(verdict, f"  hash {document.get('hash')}"), soft_wrap=True)
