"""What the best of a sweep is worth, as a section of its page and as lines of the terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neural_trader.report.display import number
from neural_trader.report.sections import typeset
from neural_trader.report.worth_section import SURE, probability, years

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neural_trader.honesty.selection import Assessment

_OVER = {"project": "in this project", "data": "on this data", "sweep": "in this sweep"}


def facts(worth: Assessment) -> Iterator[tuple[str, str]]:
    """What the verdict stands on, as label and text."""
    selection = worth.selection
    tried = selection.tried
    yield "Trials", f"{tried.trials:,} {_OVER[tried.over]}"
    if worth.luck is not None:
        yield "Chance of such a best by luck", probability(worth.luck)
    if worth.over_holding is not None:
        yield "The same beyond holding", probability(worth.over_holding)
    if worth.deflated is not None and worth.expected_best is not None:
        yield "Chance of skill once deflated", probability(worth.deflated)
        needed = "no length would do" if worth.years_needed is None else years(worth.years_needed)
        yield f"Record needed for {SURE}", f"{needed}; there is {years(selection.years)}"
    if worth.tests is not None and worth.is_whole:
        tests = worth.tests
        yield (
            "Any point above zero",
            f"White p {number(tests.reality_check, 3)}, Hansen p {number(tests.consistent, 3)}",
        )
    if worth.overfitting is not None:
        yield "Best of one half below the median of the other", probability(worth.overfitting.probability)
    standing = selection.standing
    if standing is not None and standing.kept is not None:
        share = number(100.0 * standing.kept, 0)
        yield "Neighbours", f"keep {share} % of the lead: a {standing.shape}"
    if not worth.is_whole:
        yield "Tested", f"{selection.drawn:,} points, drawn from {tried.points:,}"


def lines(worth: Assessment) -> Iterator[str]:
    """The verdict, then what it stands on in short."""
    yield worth.sentence
    parts = []
    if worth.sharpe is not None:
        parts.append(f"best Sharpe {number(worth.sharpe)}")
    if worth.of_luck is not None:
        low, high = worth.of_luck
        parts.append(f"by luck {number(low)} to {number(high)}")
    if worth.overfitting is not None:
        parts.append(f"overfitting {number(100.0 * worth.overfitting.probability, 0)} %")
    standing = worth.selection.standing
    if standing is not None and standing.shape is not None:
        parts.append(f"on a {standing.shape}")
    if worth.over_holding is not None:
        parts.append(f"luck beyond holding {probability(worth.over_holding)}")
    if parts:
        yield ", ".join(parts)


def selection_section(worth: Assessment) -> str:
    """The verdict, the best beside what luck alone would show, and what both stand on."""
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{typeset(text)}</td></tr>' for label, text in facts(worth)
    )
    return (
        '<section aria-labelledby="worth-title"><h2 id="worth-title">What the best is worth</h2>'
        f'<p class="worth {worth.verdict}">{typeset(worth.sentence)}</p>'
        f'<div class="halves"><div>{_luck(worth)}</div>'
        f'<div><table class="evidence"><tbody>{rows}</tbody></table></div></div></section>'
    )


BARS = 36


def _luck(worth: Assessment) -> str:
    """How the best of so many scatters without any skill, and where the best of this sweep stands in that."""
    tests, selection = worth.tests, worth.selection
    if tests is None or selection.years <= 0.0:
        return '<p class="note">Too little to draw what luck alone would show.</p>'
    # Statistics are ratios over the whole record; as ratios a year they can be read beside the others of the page.
    ratios = tests.by_luck / selection.years**0.5
    found = tests.statistic / selection.years**0.5
    low, high = float(min(ratios[0], found)), float(max(ratios[-1], found))
    width = (high - low) * 1.06 or 1.0
    low -= 0.03 * (high - low)
    counts = [0] * BARS
    for ratio in ratios.tolist():
        counts[min(BARS - 1, int((ratio - low) / width * BARS))] += 1
    most = max(counts)
    step, base = 560.0 / BARS, 150.0
    bars = "".join(
        f"M{at * step + 0.7:.1f} {base}v{-130.0 * count / most:.1f}h{step - 1.4:.1f}V{base}z"
        for at, count in enumerate(counts)
        if count
    )
    x = (found - low) / width * 560.0
    anchor = "end" if x > 400 else "start"
    label = f'<text class="name" x="{x + (-9 if anchor == "end" else 9):.1f}" y="14" text-anchor="{anchor}">'
    ticks = "".join(
        f'<text x="{560.0 * share:.0f}" y="172" text-anchor="{side}">{typeset(number(low + share * width))}</text>'
        for share, side in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    of = f"{selection.drawn:,} points" if worth.is_whole else f"the {selection.drawn:,} points that were tested"
    line = f'<line class="found" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{base}"/>'
    return (
        f"<h3>The best of {of}, by luck alone</h3>"
        '<figure><svg viewBox="0 0 560 180" role="img" aria-label="Sharpe ratios of the best by luck">'
        f'<path class="luck" d="{bars}"/><line class="axis" x1="0" x2="560" y1="{base}" y2="{base}"/>'
        f"{line}{label}{typeset(number(found))}</text>{ticks}</svg></figure>"
        '<p class="note">Sharpe ratios a year of the best of a thousand sweeps or more over the same returns without '
        f"their edge, from {len(selection.best)} periods. The line is the best of this sweep.</p>"
    )
