"""A progress bar on standard error, for people only, and only when there is something to wait for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_S = 0.4
"""Work that takes less than this flashes no bar."""


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """Yields what takes the share of work done, from 0 to 1, or None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(label)
    try:
        yield bar.show
    finally:
        bar.close()


class _Bar:
    def __init__(self, label: str) -> None:
        self._label = label
        self._begun_s = time.monotonic()
        self._drawn: object | None = None

    def show(self, share: float) -> None:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        if self._drawn is None:
            if time.monotonic() - self._begun_s < PATIENCE_S:
                return
            from rich.console import Console

            columns = (TextColumn("{task.description}"), BarColumn(30), TaskProgressColumn(), TimeRemainingColumn())
            self._drawn = Progress(*columns, console=Console(stderr=True), transient=True)
            self._drawn.start()
            self._task = self._drawn.add_task(self._label, total=1.0)
        assert isinstance(self._drawn, Progress)
        self._drawn.update(self._task, completed=share)

    def close(self) -> None:
        if self._drawn is not None:
            from rich.progress import Progress

            assert isinstance(self._drawn, Progress)
            self._drawn.stop()
