"""The parts of the page that only a replay has: the quality of its fills, and the stories of its orders."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from neural_trader.report.display import number
from neural_trader.report.fill_quality import FillQuality, fill_quality
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neural_trader.report.outcome import Outcome

STORIES = 200
"""Orders whose story is on the page; the JSON document holds all of them."""
_WIDTH, _HEIGHT, _MARGIN = 560, 180, 26


def fills_section(result: Outcome) -> str:
    """The quality of the fills and the stories of the orders; nothing for a run over bars or without fills."""
    quality = fill_quality(result)
    if quality is None or not len(quality.fills):
        return ""
    return (
        '<div class="pair"><section><div class="section-head"><h2>Fill quality</h2>'
        '<span class="caption">against the middle of best bid and ask, at the venue</span></div>'
        f"{_figures(quality)}</section>"
        '<section><div class="section-head"><h2>Markouts</h2>'
        '<span class="caption">mean gain after a fill, basis points</span></div>'
        f"{_markouts(quality)}</section></div>"
        f"{_stories(quality)}"
    )


def _figures(quality: FillQuality) -> str:
    shown = quality.document()
    rows = (
        ("Fills", f"{shown['fills']:,}"),
        ("Value filled at rest", _of(shown["maker_share"], 100, " %", 1)),
        ("Makers paid against the middle", _of(shown["maker_effective_bps"], 1, " bps", 2)),
        ("Takers paid against the middle", _of(shown["taker_effective_bps"], 1, " bps", 2)),
        ("Half of the fills at rest waited at most", _of(shown["queue_seconds_median"], 1, " s", 3)),
        ("Nine of ten waited at most", _of(shown["queue_seconds_p90"], 1, " s", 3)),
        ("Orders accepted", f"{shown['orders_accepted']:,}"),
        ("Of them ended without a fill", _of(shown["cancel_ratio"], 100, " %", 1)),
    )
    body = "".join(f'<tr><th scope="row">{label}</th><td>{typeset(text)}</td></tr>' for label, text in rows)
    return f'<table class="stats"><tbody>{body}</tbody></table>'


def _of(value: float | None, scale: float, unit: str, decimals: int) -> str:
    return "n/a" if value is None else f"{number(value * scale, decimals)}{unit}"


def _markouts(quality: FillQuality) -> str:
    """A small curve over the horizons, on an even axis, with the numbers below it."""
    points = [each for each in quality.markouts if each.fills]
    if not points:
        return '<p class="nothing">The run ended within a second of its fills.</p>'
    low = min(0.0, *(each.gain_bps for each in points))
    high = max(0.0, *(each.gain_bps for each in points))
    span = (high - low) or 1.0
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(points) - 1)

    def place(index: int, gain: float) -> tuple[float, float]:
        return _MARGIN + index * step, _MARGIN + (high - gain) / span * (_HEIGHT - 2 * _MARGIN)

    places = [place(index, each.gain_bps) for index, each in enumerate(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    zero = place(0, 0.0)[1]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="var(--strategy)"/>' for x, y in places)
    heads = "".join(f'<th scope="col">{each.seconds}\N{NO-BREAK SPACE}s</th>' for each in points)
    gains = "".join(f"<td>{typeset(number(each.gain_bps, 2))}</td>" for each in points)
    counts = "".join(f"<td>{each.fills:,}</td>" for each in points)
    return (
        f'<svg class="markouts" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" '
        'aria-label="Mean gain after fills by time">'
        f'<line x1="0" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="var(--line)"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--strategy)" stroke-width="2"/>{dots}</svg>'
        f'<div class="scroll"><table class="stats"><thead><tr><th scope="col">After</th>{heads}</tr></thead>'
        f'<tbody><tr><th scope="row">Gain</th>{gains}</tr><tr><th scope="row">Fills</th>{counts}</tr></tbody></table>'
        "</div>"
        '<p class="note">Below zero: the market went against what had been filled. Middles are those at samples of '
        "equity.</p>"
    )


def _stories(quality: FillQuality) -> str:
    """One line for each order: when it was sent and accepted, what stood before it, and how it ended."""
    orders = quality.orders.head(STORIES)
    heads = (
        "Order",
        "Sent (UTC)",
        "Accepted after",
        "Side",
        "Kind",
        "Limit",
        "Size",
        "Ahead",
        "Filled",
        "End",
        "After",
    )
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    rows = "".join(_story(row) for row in orders.iter_rows(named=True))
    left_out = len(quality.orders) - len(orders)
    note = f"The first {len(orders):,} of {len(quality.orders):,}; the JSON document holds all." if left_out else ""
    return (
        '<section><details class="stories"><summary>Stories of orders</summary>'
        f'<div class="scroll"><table class="data"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<p class="note">Ahead: what was estimated to stand before an order when it came to rest. Behind an order: the '
        f"number by which the strategy knew it, where that is another. {note}</p>"
        "</details></section>"
    )


def _story(row: Mapping[str, Any]) -> str:
    sent, accepted, ended = row["time"], row["accepted"], row["ended"]
    reason = f", {row['reason']}" if row["reason"] else ""
    cells = (
        f"{row['time']:%H:%M:%S.%f}",
        "never" if accepted is None else f"{(accepted - sent).total_seconds() * 1e3:.3g} ms",
        row["side"],
        str(row["kind"]).replace("_", " "),
        "" if row["limit"] is None else f"{row['limit']:.10g}",
        f"{row['quantity']:.10g}",
        "" if row["queue_ahead"] is None else f"{row['queue_ahead']:.6g}",
        f"{row['filled']:.10g}",
        f"{row['state']}{reason}",
        "" if ended is None or accepted is None else f"{(ended - accepted).total_seconds():.3g} s",
    )
    columns = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    known = "" if row["number"] in (None, row["id"]) else f" as {row['number']}"
    return f'<tr><th scope="row">{row["id"]}{known}</th>{columns}</tr>'
