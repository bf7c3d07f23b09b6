"""Tables on the terminal: no boxes, at most 80 columns, plain where nobody looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 80


def console() -> Console:
    """The console of standard output."""
    from rich import console

    class Console(console.Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process here, with a code of its own.
            raise BrokenPipeError

    return Console(highlight=False)


def print_table(
    rows: Iterable[Sequence[str | Text]],
    headings: Sequence[str],
    *,
    styles: Sequence[str] = (),
    right: Sequence[int] = (),
) -> None:
    """Print rows under headings; ``styles`` are those of the columns, ``right`` the columns to align right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(headings))
    for at, heading in enumerate(headings):
        # What is numbers or names is not broken over lines; the last column is prose.
        table.add_column(
            heading,
            justify="right" if at in right else "left",
            style=styles[at] if at < len(styles) else "",
            no_wrap=at < len(headings) - 1,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    out = console()
    with out.capture() as drawn:
        out.print(table, width=min(WIDTH, out.width))
    # Rich fills every line up to the width, which is a nuisance to whoever copies or pipes it.
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
