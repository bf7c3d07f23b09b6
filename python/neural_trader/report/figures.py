"""The drawn parts of the page that need no chart library: periodic returns, trade returns, costs."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader.report.display import number, signed
from neural_trader.report.outcome import initial_cash
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader.report.metrics import Stats
    from neural_trader.report.outcome import Floats, Outcome, Times

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Row(NamedTuple):
    """One row of the calendar: a year of months or a week of days; ``None`` where the run has no sample."""

    label: str
    cells: list[float | None]
    total: float | None


def day_ends(result: Outcome) -> tuple[Times, Floats]:
    """Time and equity of the last sample of each day (UTC) that has one."""
    times, ends = [], []
    for block in result.blocks():
        days = _periods(block.time_ns, "D")
        last = np.append(np.flatnonzero(days[1:] != days[:-1]), len(days) - 1)
        times.append(block.time_ns[last])
        ends.append(block.equity[last])
    return (np.concatenate(times), np.concatenate(ends)) if times else (np.arange(0), np.empty(0))


def period_returns(
    samples: tuple[Times, Floats], unit: str, deposit: float
) -> list[tuple[np.datetime64, float | None]]:
    """The return of each calendar period ("M" or "D", UTC) that has a sample, as a fraction, from close to close.

    The first period counts from the deposit. A period that begins with equity at or below zero has no return.
    """
    times, equity = samples
    if not len(times):
        return []
    periods = _periods(times, unit)
    last = np.append(np.flatnonzero(periods[1:] != periods[:-1]), len(times) - 1)
    ends = equity[last]
    begins = np.append(deposit, ends[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = ends / begins - 1.0
    return [
        (period, float(value) if begin > 0.0 else None)
        for period, value, begin in zip(periods[last], returns, begins, strict=True)
    ]


def _periods(times: Times, unit: str) -> Any:
    # A sample at midnight closes the day before it, so a period holds the samples in (begin, end].
    return (times - 1).view("datetime64[ns]").astype(f"datetime64[{unit}]")


def calendar_rows(result: Outcome) -> tuple[Sequence[str], list[Row], str]:
    """Column names, rows and the unit of the calendar: months, or days if the run covers at most two months."""
    samples, deposit = day_ends(result), initial_cash(result)
    monthly = period_returns(samples, "M", deposit)
    if len(monthly) > 2:
        years: dict[int, Row] = {}
        for month, value in monthly:
            index = int(month.astype(int))
            year = years.setdefault(1970 + index // 12, Row(str(1970 + index // 12), [None] * 12, None))
            year.cells[index % 12] = value
        return MONTHS, [row._replace(total=_compound(row.cells)) for row in years.values()], "Monthly"
    weeks: dict[int, Row] = {}
    for day, value in period_returns(samples, "D", deposit):
        index = int(day.astype(int))
        weekday = (index + 3) % 7
        monday = index - weekday
        week = weeks.setdefault(monday, Row(str(np.datetime64(monday, "D")), [None] * 7, None))
        week.cells[weekday] = value
    return WEEKDAYS, [row._replace(total=_compound(row.cells)) for row in weeks.values()], "Daily"


def _compound(returns: Sequence[float | None]) -> float | None:
    return math.prod(1.0 + value for value in returns if value is not None) - 1.0


def calendar(result: Outcome) -> tuple[str, str]:
    """Title and HTML of the heat map of periodic returns."""
    columns, rows, title = calendar_rows(result)
    values = [abs(value) for row in rows for value in row.cells if value is not None]
    # One extreme month must not bleach all others, so the scale ends at the 95th percentile.
    scale = float(np.percentile(values, 95)) if values else 0.0
    head = "".join(f"<span>{name}</span>" for name in columns)
    first = "Year" if title == "Monthly" else "Week of"
    total = "Year" if title == "Monthly" else "Week"
    lines = [
        f'<div class="calendar-head" aria-hidden="true"><span>{first}</span>{head}<span>{total}</span></div>',
    ]
    for row in rows:
        cells = "".join(
            _cell(value, scale, name, f"{name} {row.label}") for name, value in zip(columns, row.cells, strict=True)
        )
        lines.append(
            f'<div class="calendar-row"><b class="calendar-label">{row.label}</b>{cells}'
            f'<b class="calendar-total {_tone(row.total)}">{_percent(row.total)}</b></div>'
        )
    return f"{title} returns", f'<div class="calendar columns-{len(columns)}">{"".join(lines)}</div>'


def _cell(value: float | None, scale: float, name: str, label: str) -> str:
    if value is None:
        return f'<span class="cell none"><i>{name}</i></span>'
    strength = min(1.0, abs(value) / scale) if scale > 0.0 else 0.0
    text = f"{value * 100:.1f}" if abs(value) < 9.995 else f"{value * 100:.0f}"
    text = "0.0" if text == "-0.0" else text
    title = f"{label}: {signed(value * 100)} %"
    return (
        f'<span class="cell {_tone(value)}" style="--strength:{strength:.2f}" title="{escape(title)}">'
        f"<i>{name}</i>{typeset(text)}</span>"
    )


def _tone(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "loss"


def _percent(value: float | None) -> str:
    return "" if value is None else typeset(f"{signed(value * 100, 1)} %")


class Bin(NamedTuple):
    """A bar of the histogram: returns in [low, high) in percent, open at the ends where outliers are joined."""

    low: float
    high: float
    trades: int


def histogram_bins(percentages: Floats) -> list[Bin]:
    """At most about 40 bins of a round width with an edge at 0; the outermost half percent join the outer bins."""
    low, high = (float(value) for value in np.percentile(percentages, (0.5, 99.5)))
    spread = max(high - low, 1e-6)
    target = min(40, max(10, round(5 * len(percentages) ** (1 / 3))))
    width = _round_step(spread / target)
    first, last = math.floor(low / width), max(math.floor(high / width), math.floor(low / width))
    indices = np.clip(np.floor(percentages / width), first, last).astype(int) - first
    counts = np.bincount(indices, minlength=last - first + 1)
    return [Bin((first + i) * width, (first + i + 1) * width, int(count)) for i, count in enumerate(counts)]


def _round_step(step: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def histogram(result: Outcome, stats: Stats) -> str:
    """The distribution of the returns of closed trades as an SVG with its axis in HTML, so that text stays readable."""
    closed = result.trades.filter(result.trades["exit_time"].is_not_null())
    if closed.is_empty():
        return f'<p class="nothing">Nothing to draw: {escape(stats.undefined["Win Rate [%]"])}.</p>'
    percentages = closed["return"].cast(float).to_numpy() * 100.0
    bins = histogram_bins(percentages[np.isfinite(percentages)])
    tallest = max(one.trades for one in bins)
    left, right = bins[0].low, bins[-1].high
    bars = []
    for index, one in enumerate(bins):
        height = 100.0 * one.trades / tallest
        if not one.trades:
            continue
        title = f"{_trades(one.trades)} from {one.low:.4g} % to {one.high:.4g} %"
        if index == 0 and float(percentages.min()) < left:
            title = f"{_trades(one.trades)} below {one.high:.4g} %"
        if index == len(bins) - 1 and float(percentages.max()) >= right:
            title = f"{_trades(one.trades)} from {one.low:.4g} % up"
        tone = "gain" if one.low >= -1e-12 else "loss"
        bars.append(
            f'<rect class="{tone}" x="{index + 0.06:.2f}" width="0.88" y="{100 - height:.2f}" height="{height:.2f}">'
            f"<title>{escape(title)}</title></rect>"
        )
    position = (float(percentages.mean()) - left) / (right - left)
    mean = ""
    if 0.0 <= position <= 1.0:
        anchor = "end" if position > 0.6 else ""
        mean = (
            f'<div class="mean {anchor}" style="left:{position * 100:.2f}%"><span>mean '
            f"{typeset(signed(float(percentages.mean())))} %</span></div>"
        )
    side = " left" if bins[len(bins) // 2].low < max(bins, key=lambda one: one.trades).low else ""
    ticks = "".join(
        f'<span style="left:{(value - left) / (right - left) * 100:.2f}%">{typeset(f"{value:.4g}")} %</span>'
        for value in _ticks(left, right)
    )
    return (
        f'<div class="histogram" role="img" aria-label="Distribution of {closed.height} trade returns">'
        f'<div class="plot"><svg viewBox="0 0 {len(bins)} 100" preserveAspectRatio="none">{"".join(bars)}</svg>{mean}'
        f'<span class="tallest{side}">{_trades(tallest)}</span></div><div class="axis">{ticks}</div></div>'
    )


def _trades(count: int) -> str:
    return "1 trade" if count == 1 else f"{count:,} trades"


def _ticks(left: float, right: float) -> list[float]:
    step = _round_step((right - left) / 5)
    first = math.ceil(left / step - 1e-9)
    return [index * step for index in range(first, math.floor(right / step + 1e-9) + 1)]


def costs(result: Outcome, stats: Stats) -> str:
    """From the profit before costs to the net profit, as a waterfall of horizontal bars."""
    fees, slippage = float(stats["Fees Paid"] or 0.0), float(stats["Slippage Paid"] or 0.0)
    net = float(stats["Equity Final"] or 0.0) - initial_cash(result)
    gross = net + fees + slippage
    steps = (
        ("Before costs", 0.0, gross, "total"),
        ("Slippage", gross, gross - slippage, "cost"),
        ("Fees", gross - slippage, net, "cost"),
        ("Net profit", 0.0, net, "total"),
    )
    low = min(0.0, *(min(begin, end) for _, begin, end, _ in steps))
    high = max(0.0, *(max(begin, end) for _, begin, end, _ in steps))
    span = (high - low) or 1.0
    rows = []
    for label, begin, end, kind in steps:
        left, width = (min(begin, end) - low) / span * 100, abs(end - begin) / span * 100
        amount = end - begin
        tone = "cost" if kind == "cost" else _tone(amount)
        rows.append(
            f'<div class="step {kind}"><dt>{label}</dt><dd class="amount">{typeset(signed(amount))}</dd>'
            f'<dd class="track"><i class="zero" style="left:{-low / span * 100:.2f}%"></i>'
            f'<i class="bar {tone}" style="left:{left:.2f}%;width:{width:.2f}%"></i></dd></div>'
        )
    share = ""
    if gross > 0.0:
        share = f"Costs took {number(100.0 * (fees + slippage) / gross, 1)} % of the profit before costs."
    elif fees + slippage > 0.0:
        share = "There was no profit before costs for the costs to take."
    return f'<dl class="costs">{"".join(rows)}</dl><p class="note">{share}</p>'
