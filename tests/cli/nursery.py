"""Starts commands at a tenth of the price: a process that has imported what they import forks a child for each.

Every command is still a process of its own, with its own folder, environment, streams and exit code; only the imports,
which a few tests time and watch in processes from scratch, are paid once.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn


def serve() -> None:
    """One request per line on standard input, one exit code per line on standard output."""
    import neural_trader.backtesting.run
    import neural_trader.cli.application
    import neural_trader.cli.requested
    import neural_trader.report.document
    import neural_trader.report.html
    import neural_trader.report.terminal  # noqa: F401 - imported for the children

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_command(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become_command(arguments: list[str], folder: str, environment: dict[str, str], out: str, err: str) -> NoReturn:
    from neural_trader.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        os.dup2(os.open(path, flags), descriptor)
    streams: list[Any] = [os.fdopen(descriptor, "w", encoding="utf-8") for descriptor in (1, 2)]
    sys.stdout, sys.stderr = streams
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    for stream in streams:
        stream.flush()
    # The buffers of the parent, which this child was born with, are not its own to write.
    os._exit(code)


if __name__ == "__main__":
    serve()
