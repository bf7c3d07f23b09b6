"""The command line, one file per verb. Nothing heavy is imported before the verb that needs it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 failed, 2 wrong use, 3 bad input, 4 does not verify."""
    from neural_trader.cli.ending import run_guarded

    return run_guarded(list(sys.argv[1:] if arguments is None else arguments))
