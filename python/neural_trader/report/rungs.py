"""The fidelity ladder: one strategy under fill assumptions from the kindest to the strictest, as rows and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader.report.display import number
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rung(NamedTuple):
    """One assumption and what came of it."""

    assumption: str
    profit: float
    """At the end, after fees, in the account currency."""
    fills: int
    maker_share: float | None
    """The part of the value that filled at rest; None without a fill."""
    markout_bps: float | None
    """The mean gain ten seconds after a fill; None where none could be measured."""
    is_run: bool = False
    """Whether the run itself was made under it."""

    def document(self) -> dict[str, Any]:
        """The row as plain values."""
        return self._asdict()


HEADS = ("Assumption", "Profit", "Fills", "At rest", "After 10 s")


def cells(rung: Rung) -> tuple[str, ...]:
    """The row as text."""
    share = "n/a" if rung.maker_share is None else f"{number(100 * rung.maker_share, 0)} %"
    markout = "n/a" if rung.markout_bps is None else f"{number(rung.markout_bps, 2)} bps"
    return rung.assumption, number(rung.profit, 2), f"{rung.fills:,}", share, markout


def ladder_section(rungs: Sequence[Rung]) -> str:
    """The ladder as a table; nothing where none was asked for."""
    if not rungs:
        return ""
    head = "".join(f'<th scope="col">{text}</th>' for text in HEADS)
    rows = []
    for rung in rungs:
        name, *figures = cells(rung)
        mark = ' <span class="badge">this run</span>' if rung.is_run else ""
        columns = "".join(f"<td>{typeset(text)}</td>" for text in figures)
        rows.append(f'<tr><th scope="row">{escape(name)}{mark}</th>{columns}</tr>')
    return (
        '<section><div class="section-head"><h2>Fidelity ladder</h2>'
        '<span class="caption">the same strategy and data under kinder and stricter assumptions</span></div>'
        f'<div class="scroll"><table class="stats"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        '</div><p class="note">What a rung shows and a stricter one does not is owed to its assumption, and to no '
        "market.</p></section>"
    )
