"""The figures that a strategy reported of itself, as text and as a section of the page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neural_trader.report.display import NOT_AVAILABLE, number
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neural_trader.report.outcome import Figure


def shown(figure: Figure) -> str:
    """A figure as it reads: numbers with separators, floats with two decimals."""
    if figure is None:
        return NOT_AVAILABLE
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    if isinstance(figure, str):
        return figure
    return f"{figure:,}" if isinstance(figure, int) else number(figure, 2)


def figures_section(figures: Mapping[str, Figure]) -> str:
    """The figures as a table; nothing where there are none."""
    if not figures:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        f"<td>{escape(shown(figure)) if isinstance(figure, str) else typeset(shown(figure))}</td></tr>"
        for name, figure in figures.items()
    )
    return (
        '<section><div class="section-head"><h2>The strategy\N{RIGHT SINGLE QUOTATION MARK}s own figures</h2>'
        '<span class="caption">as it reported them at its end</span></div>'
        f'<table class="stats"><tbody>{rows}</tbody></table></section>'
    )
