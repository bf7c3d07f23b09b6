"""What a result is worth, as a section of the page and as lines of the terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neural_trader.honesty.assessment import CONFIDENCE
from neural_trader.report.definitions import BY_NAME
from neural_trader.report.display import number
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neural_trader.honesty.assessment import Assessment
    from neural_trader.report.metrics import Stats, Value

SHOWN = ("Return [%]", "CAGR [%]", "Sharpe Ratio", "Max. Drawdown [%]", "Win Rate [%]", "Expectancy [%]")
"""The statistics whose intervals are drawn; the document has all."""
AROUND_ZERO = {"Return [%]", "CAGR [%]", "Sharpe Ratio", "Expectancy [%]"}
"""Those of which it matters whether zero is among what they could have been."""
SURE = f"{100 * CONFIDENCE:.0f} %"


def facts(worth: Assessment) -> Iterator[tuple[str, str]]:
    """What the verdict stands on, as label and text."""
    evidence = worth.evidence
    counted = evidence.counted
    if counted is None:
        yield "Trials", "not counted"
    else:
        yield "Trials", f"{counted.search.trials:,} {'in this project' if counted.of_project else 'on this data'}"
    if worth.probabilistic is not None and worth.deflated is not None and worth.expected_best is not None:
        yield "Chance of a Sharpe above 0", probability(worth.probabilistic)
        if counted is not None:
            yield "Luck alone would show", f"Sharpe {number(worth.expected_best)}"
            yield "Chance of a Sharpe above that", probability(worth.deflated)
        needed = "no length would do" if worth.years_needed is None else years(worth.years_needed)
        yield f"Record needed for {SURE}", needed
        yield "Record there is", years(evidence.years)
    if worth.drawdown_orders is not None:
        median, deep = worth.drawdown_orders
        yield "Drawdown in other orders of trades", f"{number(100 * median, 1)} %, 1 in 20: {number(100 * deep, 1)} %"
    look_ahead, warm_up = evidence.look_ahead, evidence.warm_up
    for label, check in (("Look-ahead", look_ahead), ("Warm-up", warm_up)):
        yield label, "not checked" if check is None else check.sentence.partition(": ")[2]


def probability(value: float) -> str:
    """A probability that never rounds to certainty."""
    percent = min(99.9, max(0.1, 100.0 * value))
    sign = "> " if value > 0.999 else "< " if value < 0.001 else ""
    return f"{sign}{number(percent, 1)} %"


def years(count: float) -> str:
    """A number of years, of days where they are less than one."""
    if count >= 1000.0:
        return "more than 1,000 years"
    return f"{number(count, 1)} years" if count >= 1.0 else f"{number(count * 365.25, 0)} days"


def lines(worth: Assessment) -> Iterator[str]:
    """The same in two or three lines."""
    yield worth.sentence
    evidence = worth.evidence
    if evidence.look_ahead is not None and evidence.look_ahead.passed:
        yield evidence.look_ahead.sentence
    if evidence.warm_up is not None:
        yield evidence.warm_up.sentence
    ranges = [
        f"{word} {number(found[0], decimals)} to {number(found[1], decimals)}{_unit(name)}"
        for name, word, decimals in (
            ("Return [%]", "return", 0),
            ("Sharpe Ratio", "Sharpe", 1),
            ("Max. Drawdown [%]", "drawdown", 0),
        )
        if (found := worth.intervals.get(name)) is not None
    ]
    if ranges:
        yield f"{SURE}: {', '.join(ranges)}"


def worth_section(worth: Assessment | None, stats: Stats) -> str:
    """The verdict, the intervals of the statistics and what they stand on; nothing for a run without an assessment."""
    if worth is None:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{typeset(text)}</td></tr>' for label, text in facts(worth)
    )
    drawn = "".join(_range(name, stats[name], worth.intervals.get(name)) for name in SHOWN if name in worth.intervals)
    return (
        '<section aria-labelledby="worth-title"><div class="section-head"><h2 id="worth-title">What it is worth</h2>'
        '<span class="caption">after counting what was tried, and what chance does</span></div>'
        f'<p class="worth {worth.verdict}">{typeset(worth.sentence)}</p>'
        f'<div class="pair"><div><h3>{typeset(SURE)} intervals</h3><div class="ranges">{drawn}</div>'
        '<p class="note">What the figures could have been: the same returns drawn again in blocks, trades one by one. '
        "The thin mark is zero.</p></div>"
        f'<div><h3>Evidence</h3><table class="stats evidence"><tbody>{rows}</tbody></table></div></div></section>'
    )


def _unit(name: str) -> str:
    return " %" if BY_NAME[name].unit == "%" else ""


def _range(name: str, value: Value, found: tuple[float, float] | None) -> str:
    """One interval as a line on an axis of its own, with zero and the value marked."""
    label = name.removesuffix(" [%]")
    if found is None or not isinstance(value, float):
        return f'<div class="range"><span>{escape(label)}</span><span class="absent">n/a</span></div>'
    low, high = found
    left, right = min(low, value, 0.0), max(high, value, 0.0)
    # A little room at both ends, so that nothing stands on the edge.
    span = 1.08 * (right - left) or 1.0
    left -= 0.04 * (right - left)

    def at(place: float) -> str:
        return f"{100.0 * (place - left) / span:.2f}%"

    unit = _unit(name)
    tone = " sure" if name in AROUND_ZERO and (low > 0.0 or high < 0.0) else ""
    return (
        f'<div class="range{tone}"><span>{escape(label)}</span>'
        f"<span>{typeset(number(low))} to {typeset(number(high) + unit)}</span>"
        f'<div class="axis"><i class="zero" style="left:{at(0.0)}"></i>'
        f'<i class="reach" style="left:{at(low)};width:{100.0 * (high - low) / span:.2f}%"></i>'
        f'<i class="value" style="left:{at(value)}" title="{typeset(number(value) + unit)}"></i></div></div>'
    )
