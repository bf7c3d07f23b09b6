"""``neural-trader data records``: a captured session as a file that a replay opens at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_trader.cli import options
from neural_trader.cli.output import check_target, print_json
from neural_trader.errors import UsageError

EXAMPLES = """\
neural-trader data records session.ws.gz --venue binance -o session.npy
neural-trader replay session.npy
"""


def records(
    session: Annotated[list[Path], typer.Argument(help="Captured session, in one file or several.")],
    venue: Annotated[str, typer.Option("--venue", metavar="NAME", help="Whose session it is: binance, ...")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the records go: FILE.npy.")],
    json: options.Json = False,
) -> None:
    """Decode a captured session for replays to open at once."""
    from neural_trader.market.record_files import SUFFIX, write_recording
    from neural_trader.market.recordings import load_recording

    if output.suffix != SUFFIX:
        raise UsageError(f"--output {output}: records are kept as {SUFFIX}, which numpy reads, too")
    check_target(output, "--output")
    recording = load_recording(session, venue)
    write_recording(recording, output)
    if json:
        print_json({"file": str(output), "records": len(recording), "kinds": recording.kinds()})
        return
    kinds = ", ".join(f"{count:,} {name}" for name, count in recording.kinds().items())
    print(f"{output}: {len(recording):,} records ({kinds})")
    for remark in recording.notes:
        print(remark)
