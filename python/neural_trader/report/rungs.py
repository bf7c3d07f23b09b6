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


def reading(rungs: Sequence[Rung]) -> str:
    """What the ladder says in one sentence: how much of the profit of the kindest rung is left under the run's own."""
    first, own = rungs[0], next((rung for rung in rungs if rung.is_run), rungs[-1])
    kindly, truly = number(first.profit, 2), number(own.profit, 2)
    place = f"\N{LEFT DOUBLE QUOTATION MARK}{first.assumption}\N{RIGHT DOUBLE QUOTATION MARK}"
    if first.profit <= 0.0 or first is own:
        return f"{place} makes {kindly}; with the latency and queue of this run it is {truly}."
    if own.profit <= 0.0:
        return f"Of {kindly} profit under {place}, nothing is left with the latency and queue of this run: {truly}."
    return f"Of {kindly} profit under {place}, {truly} is left with the latency and queue of this run."


def ladder_section(rungs: Sequence[Rung]) -> str:
    """What the ladder says, and the ladder as a table with a bar for each profit; nothing where none was asked for."""
    if not rungs:
        return ""
    low, high = (extreme(0.0, *(rung.profit for rung in rungs)) for extreme in (min, max))
    head = "".join(f'<th scope="col">{text}</th>' for text in (HEADS[0], "", *HEADS[1:]))
    rows = []
    for rung in rungs:
        name, *figures = cells(rung)
        mark = ' <span class="badge">this run</span>' if rung.is_run else ""
        columns = "".join(f"<td>{typeset(text)}</td>" for text in figures)
        track = _track(rung.profit, low, (high - low) or 1.0)
        rows.append(f'<tr><th scope="row">{escape(name)}{mark}</th><td class="track-cell">{track}</td>{columns}</tr>')
    return (
        '<section><div class="section-head"><h2>Fidelity ladder</h2>'
        '<span class="caption">the same strategy and records under kinder and stricter assumptions</span></div>'
        f'<p class="reading">{typeset(reading(rungs))}</p>'
        '<div class="scroll"><table class="stats ladder">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '</div><p class="note">What a rung shows and a stricter one does not is owed to its assumption, and to no '
        "market. Bars know no spread and no queue; a maker whose quotes they meet late may look worse there than it is."
        "</p></section>"
    )


def _track(profit: float, low: float, span: float) -> str:
    left, width = (min(profit, 0.0) - low) / span * 100, abs(profit) / span * 100
    tone = "gain" if profit >= 0.0 else "loss"
    return (
        f'<div class="track"><i class="zero" style="left:{-low / span * 100:.2f}%"></i>'
        f'<i class="bar {tone}" style="left:{left:.2f}%;width:{width:.2f}%"></i></div>'
    )
