"""Tables on the terminal: no boxes, at most 80 columns, plain where nobody looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 80
_PROSE_MIN = 12
"""Letters of the last column that are left before names are broken over lines."""


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

    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    out = console()
    width = min(WIDTH, out.width)
    widest = [max((len(row[at]) for row in cells), default=0) for at in range(len(headings))]
    is_tight = sum(each + 2 for each in widest[:-1]) + min(widest[-1], _PROSE_MIN) > width
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(headings))
    for at, heading in enumerate(headings):
        # What is numbers or names is not broken over lines; the last column is prose. Where there is no room even so,
        # the names give way, because a number that is cut is another number.
        table.add_column(
            heading,
            justify="right" if at in right else "left",
            style=styles[at] if at < len(styles) else "",
            no_wrap=0 < at < len(headings) - 1 or (at == 0 and not is_tight),
            overflow="fold",
        )
    for row in cells:
        table.add_row(*row)
    with out.capture() as drawn:
        out.print(table, width=width)
    # Rich fills every line up to the width, which is a nuisance to whoever copies or pipes it.
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
