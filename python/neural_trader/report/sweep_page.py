"""The points of a sweep as one self-contained page: a heat map of two parameters, and all of them side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.report.atomic import write_text
from neural_trader.report.selection_section import selection_section

if TYPE_CHECKING:
    from neural_trader.honesty.selection import Assessment

Column = Sequence[float | None]

CELLS_MAX = 60
"""Rows and columns of the heat map; more values of a parameter are joined."""

LINES_MAX = 400
"""Points that are drawn side by side: the best, and the others evenly."""

STYLE = """
main { padding-bottom: 60px; }
h2 { font-size: 20px; font-weight: 640; letter-spacing: -0.015em; margin-top: 52px; }
.note { color: var(--soft); font-size: 14px; margin-top: 4px; max-width: 62em; }
figure { margin: 18px 0 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font: 400 12px var(--sans); fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .name { font-weight: 620; fill: var(--ink); font-size: 13px; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .best { stroke: var(--ink); stroke-width: 2; fill: none; }
.map { display: grid; grid-template-columns: minmax(0, 1fr) 92px; gap: 22px; align-items: start; }
.scale { font-size: 13px; color: var(--soft); }
.scale div { height: 168px; width: 18px; border-radius: 5px; margin: 7px 0; }
.wide { overflow-x: auto; margin-top: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { font-weight: 400; color: var(--faint); text-align: right; font-size: 13px; }
td { text-align: right; border-top: 1px solid var(--line); }
th, td { padding: 7px 9px; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
td.parameter { color: var(--strategy); font-weight: 560; }
.halves { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 34px; align-items: start; }
.halves h3 { font-weight: 400; color: var(--soft); }
.halves figure { margin-top: 8px; }
svg .luck { fill: var(--benchmark); opacity: 0.55; }
svg .found { stroke: var(--strategy); stroke-width: 2.5; }
.evidence th { text-align: left; color: var(--soft); font-size: 14px; white-space: normal; }
.evidence tr:first-child td, .evidence tr:first-child th { border-top: 0; }
.evidence th { border-top: 1px solid var(--line); padding-left: 0; }
.worth { margin-top: 14px; }
footer { color: var(--faint); font-size: 13px; padding-block: 26px; overflow-wrap: anywhere; }
@media (max-width: 860px) { .halves { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 640px) {
  .map { grid-template-columns: minmax(0, 1fr); }
  .scale { display: flex; gap: 10px; align-items: center; }
  .scale div { height: 14px; width: 130px; margin: 0; background: var(--across) !important; }
  figure:has(svg) { overflow-x: auto; } figure > svg[viewBox^="0 0 980"] { min-width: 620px; }
  svg text { font-size: 19px; } svg .name { font-size: 20px; }
}
"""

RAMP = ((68, 57, 131), (49, 104, 142), (33, 145, 140), (63, 188, 115), (170, 212, 60), (246, 226, 58))
"""Colours from the worst to the best, of even lightness steps, that can be told apart without seeing red or green."""


def write_page(
    path: Path,
    *,
    document: Mapping[str, Any],
    columns: Mapping[str, Column],
    worth: Assessment | None,
    higher_is_better: bool,
) -> Path:
    """Write the page of a sweep: its document, and the columns of its parameters and of its metric, in that order."""
    return write_text(path, page(document, columns, worth, higher_is_better=higher_is_better))


def page(
    document: Mapping[str, Any], columns: Mapping[str, Column], worth: Assessment | None, *, higher_is_better: bool
) -> str:
    """The page as text."""
    *names, metric = columns
    title = str(document["metric"]["title"])
    strategy = str(document["run"]["strategy"])
    css = resources.files("neural_trader.report").joinpath("assets/report.css").read_text(encoding="utf-8")
    known = [row for row in zip(*(columns[name] for name in columns), strict=True) if row[-1] is not None]
    scale = Scale([float(row[-1]) for row in known], higher_is_better=higher_is_better)
    points = f"{document['points']:,} {'set' if document['points'] == 1 else 'sets'} of parameters"
    sections = [] if worth is None else [selection_section(worth)]
    if known and len(names) >= 2:
        sections.append(_map(names, known, title, scale))
    if known:
        sections.append(_parallel([*names, title], known, scale))
    sections.append(_table(names, document["best"], metric))
    symbols = ", ".join(document["run"].get("symbols", ()))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="neural-trader sweep">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(strategy)}, {escape(points)}</title><style>{css}{STYLE}</style></head><body>
<header class="top"><div class="brand">neural-trader<span>sweep</span></div></header>
<main><section class="headline"><div class="title"><h1>{escape(strategy)}</h1></div>
<p class="span">{escape(points)} on {escape(symbols)}</p>
<p class="verdict">{_verdict(names, document, title)}</p></section>
{"".join(sections)}</main>
<footer><p>Every point is a run of the engine: the orders, fills and costs of <code>backtest</code> with its parameters.
Data {escape(str(document["run"]["data"])[:16])}, version {escape(str(document["run"]["version"]))}.</p></footer>
</body></html>
"""


def _verdict(names: Sequence[str], document: Mapping[str, Any], title: str) -> str:
    if not document["best"]:
        return f"{escape(title)} is not known of any point."
    best = document["best"][0]
    value = best["statistics"][document["metric"]["name"]]
    where = ", ".join(f"{escape(name)} {best['parameters'][name]:g}" for name in names)
    return (
        f"The best {escape(title)} is <strong>{_number(value)}</strong>, at {where}. It is the best of "
        f"{document['points']:,} tries: the more there are, the better the best looks by chance alone."
    )


class Scale:
    """Colours of values, from the worst to the best; the outermost two hundredths share the ends."""

    def __init__(self, values: Sequence[float], *, higher_is_better: bool) -> None:
        ordered = sorted(values)
        cut = len(ordered) // 50
        self.low = ordered[cut] if ordered else 0.0
        self.high = ordered[-1 - cut] if ordered else 0.0
        self.higher_is_better = higher_is_better

    def share(self, value: float) -> float:
        """How good a value is, from 0 to 1."""
        width = self.high - self.low
        share = 0.5 if width <= 0.0 else min(1.0, max(0.0, (value - self.low) / width))
        return share if self.higher_is_better else 1.0 - share

    def goodness(self, value: float) -> float:
        """What is larger for a better value, without an end."""
        return value if self.higher_is_better else -value

    def colour(self, value: float) -> str:
        """The colour of a value."""
        return colour(self.share(value))


def colour(share: float) -> str:
    """The colour at a share of the way from the worst to the best."""
    place = share * (len(RAMP) - 1)
    at = min(int(place), len(RAMP) - 2)
    mixed = (round(a + (b - a) * (place - at)) for a, b in zip(RAMP[at], RAMP[at + 1], strict=True))
    return "#" + "".join(f"{each:02x}" for each in mixed)


def _map(names: Sequence[str], rows: Sequence[Sequence[Any]], title: str, scale: Scale) -> str:
    """The metric over the two parameters with most values; of what the others make of a cell, the best."""
    counts = [len({row[at] for row in rows}) for at in range(len(names))]
    first, second = sorted(sorted(range(len(names)), key=lambda at: -counts[at])[:2])
    across, down = (_groups(sorted({row[at] for row in rows})) for at in (first, second))
    best: dict[tuple[int, int], float] = {}
    for row in rows:
        cell = across[1][row[first]], down[1][row[second]]
        if cell not in best or scale.goodness(row[-1]) > scale.goodness(best[cell]):
            best[cell] = row[-1]
    # The best of cells are all good among points; among each other they differ.
    scale = Scale(list(best.values()), higher_is_better=scale.higher_is_better)
    left, top, width, height = 74.0, 8.0, 900.0, 440.0
    x, y = width / len(across[0]), height / len(down[0])
    cells = "".join(
        f'<rect x="{left + i * x:.2f}" y="{top + height - (j + 1) * y:.2f}" width="{x + 0.3:.2f}" '
        f'height="{y + 0.3:.2f}" '
        f'fill="{scale.colour(value)}"><title>{escape(names[first])} {across[0][i]}, {escape(names[second])} '
        f"{down[0][j]}: {_number(value)}</title></rect>"
        for (i, j), value in sorted(best.items())
    )
    labels = "".join(
        f'<text x="{left + (i + 0.5) * x:.1f}" y="{top + height + 20:.0f}" text-anchor="middle">{across[0][i]}</text>'
        for i in _spread(len(across[0]), 9)
    )
    labels += "".join(
        f'<text x="{left - 10:.0f}" y="{top + height - (j + 0.5) * y + 4:.1f}" text-anchor="end">{down[0][j]}</text>'
        for j in _spread(len(down[0]), 9)
    )
    rest = ", ".join(name for at, name in enumerate(names) if at not in (first, second))
    others = f" Of {rest}, the best." if rest else ""
    a, b = escape(names[first]), escape(names[second])
    stops = ", ".join(colour(at / 10) for at in range(10, -1, -1))
    good, bad = (scale.high, scale.low) if scale.higher_is_better else (scale.low, scale.high)
    return f"""<section><h2>{escape(title)} over {a} and {b}</h2>
<p class="note">A broad plateau is worth more than a peak: neighbours of a good point should be good too.
{escape(others)}</p>
<figure class="map"><svg viewBox="0 0 {left + width + 6:.0f} {top + height + 52:.0f}" role="img"
 shape-rendering="crispEdges" aria-label="{escape(title)} by {a} and {b}">{cells}{labels}
<text class="name" x="{left + width / 2:.0f}" y="{top + height + 46:.0f}" text-anchor="middle">{a}</text>
<text class="name" x="14" y="{top + height / 2:.0f}" text-anchor="middle"
 transform="rotate(-90 14 {top + height / 2:.0f})">{b}</text></svg>
<div class="scale" style="--across: linear-gradient(90deg, {stops})"><span>{_number(good)}</span>
<div style="background: linear-gradient({stops})"></div><span>{_number(bad)}</span></div></figure></section>
"""


def _groups(values: Sequence[float]) -> tuple[list[str], dict[float, int]]:
    """Labels of cells, and the cell of each value; neighbours share one where there are too many."""
    size = math.ceil(len(values) / CELLS_MAX)
    labels = [f"{values[at]:g}" for at in range(0, len(values), size)]
    return labels, {value: at // size for at, value in enumerate(values)}


def _spread(count: int, most: int) -> list[int]:
    step = math.ceil(count / most)
    return list(range(0, count, step))


def _parallel(names: Sequence[str], rows: Sequence[Sequence[Any]], scale: Scale) -> str:
    """Every point as a line through its parameters and its metric; the best lie on top."""
    ordered = sorted(rows, key=lambda row: scale.goodness(row[-1]))
    step = max(1, math.ceil(len(ordered) / LINES_MAX))
    drawn = [*ordered[:-20:step], *ordered[-20:]]
    left, right, top, height = 46.0, 934.0, 54.0, 330.0
    gap = (right - left) / (len(names) - 1)
    ends = [(min(row[at] for row in rows), max(row[at] for row in rows)) for at in range(len(names))]

    def place(row: Sequence[Any], at: int) -> str:
        least, most = ends[at]
        share = 0.5 if most == least else (row[at] - least) / (most - least)
        return f"{left + at * gap:.1f},{top + height * (1 - share):.1f}"

    lines = "".join(
        f'<polyline points="{" ".join(place(row, at) for at in range(len(names)))}" fill="none" '
        f'stroke="{scale.colour(row[-1])}" stroke-width="1.4" '
        f'stroke-opacity="{0.18 + 0.62 * scale.share(row[-1]) ** 2:.2f}"/>'
        for row in drawn
    )
    best = f'<polyline class="best" points="{" ".join(place(ordered[-1], at) for at in range(len(names)))}"/>'
    axes = ""
    for at, name in enumerate(names):
        x = left + at * gap
        anchor = "start" if at == 0 else "end" if at == len(names) - 1 else "middle"
        edge = -left + 6 if at == 0 else 46 if at == len(names) - 1 else 0
        least, most = ends[at]
        axes += (
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.0f}" y2="{top + height:.0f}"/>'
            f'<text class="name" x="{x + edge:.1f}" y="16" text-anchor="{anchor}">{escape(name)}</text>'
            f'<text x="{x + edge:.1f}" y="{top - 9:.0f}" text-anchor="{anchor}">{_number(most)}</text>'
            f'<text x="{x + edge:.1f}" y="{top + height + 20:.0f}" text-anchor="{anchor}">{_number(least)}</text>'
        )
    shown = f"{len(drawn):,} of {len(rows):,} points" if len(drawn) < len(rows) else f"All {len(rows):,} points"
    return f"""<section><h2>Parameters side by side</h2>
<p class="note">{shown}, each a line; bright ones are good, and the thick one on top is the best.</p>
<figure><svg viewBox="0 0 980 {top + height + 30:.0f}" role="img" aria-label="Points as lines">{axes}{lines}{best}</svg>
</figure></section>
"""


def _table(names: Sequence[str], best: Sequence[Mapping[str, Any]], metric: str) -> str:
    if not best:
        return ""
    shown = [metric, *(name for name in best[0]["statistics"] if name != metric)]
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in (*names, *shown))
    rows = "".join(
        "<tr>"
        + "".join(f'<td class="parameter">{row["parameters"][name]:g}</td>' for name in names)
        + "".join(f"<td>{_number(row['statistics'][name])}</td>" for name in shown)
        + "</tr>"
        for row in best
    )
    return f"""<section><h2>The best points</h2><div class="wide"><table><thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody></table></div></section>
"""


def _number(value: float | None) -> str:
    if value is None:
        return "n/a"
    if abs(value) >= 1e6:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
