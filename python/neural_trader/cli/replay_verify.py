"""``neural-trader replay FILE.journal --verify``: whether a run comes again as its journal says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neural_trader.cli.output import print_json
from neural_trader.errors import UsageError, VerificationError

if TYPE_CHECKING:
    import typer

    from neural_trader.backtesting.journal_check import Checked

TAKEN = {"data", "venue", "verify", "json", "quiet"}
"""What goes with ``--verify``; everything else stands in the journal."""


def verify_journal(context: typer.Context, paths: list[Path], venue: str | None, *, json: bool, quiet: bool) -> None:
    """Play a journal again and say PASS, or what differs first."""
    from neural_trader.backtesting.journal_check import check
    from neural_trader.cli.progress import progress_bar

    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in TAKEN and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name.replace('_', '-')} contradicts --verify: what was run stands in the journal")
    if not paths:
        raise UsageError("--verify plays a journal again; name it: neural-trader replay FILE.journal --verify")
    path, *data = paths
    with progress_bar("playing it again", quiet=quiet or json) as progress:
        checked = check(path, data, venue, progress=progress)
    if json:
        print_json(_document(checked))
    elif not quiet and checked.difference is None:
        _print(checked)
    if checked.difference is not None:
        found = checked.difference
        raise VerificationError(
            f"{path}: differs at frame {found.frame:,}, {_time(found.time_ns)}: "
            f"the journal has {found.recorded!r}, and {found.came!r} came"
        )


def _document(checked: Checked) -> dict[str, object]:
    journal, difference = checked.journal, checked.difference
    return {
        "journal": str(journal.path),
        "verdict": "PASS" if difference is None else "FAIL",
        "hash": journal.run_hash,
        "chain": journal.chain,
        "aborted": journal.aborted,
        "frames": journal.frames,
        "decisions": journal.decisions,
        "difference": None if difference is None else difference._asdict(),
    }


def _print(checked: Checked) -> None:
    from rich.text import Text

    from neural_trader.cli.table import console

    journal, out = checked.journal, console()
    run = journal.header["run"]
    symbols = ", ".join(symbol for symbol, *_ in journal.header["instruments"])
    out.print(Text.assemble((str(run["strategy"]), "bold"), f" on {symbols}"))
    out.print(f"{journal.frames:,} frames came as recorded, of {journal.decisions:,} decisions played again")
    if journal.aborted is not None:
        out.print(Text.assemble(("NOTE", "yellow"), f"  the run broke off: {journal.aborted}"), soft_wrap=True)
    end = "" if journal.run_hash is None else f"  hash {journal.run_hash}"
    out.print(Text.assemble(("PASS", "bold green"), end), soft_wrap=True)
    out.print(f"      chain {journal.chain}", soft_wrap=True)


def _time(time_ns: int) -> str:
    from neural_trader.market.times import time_text

    return time_text(time_ns)
