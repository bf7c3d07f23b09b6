"""A run on one screen of 80 columns: what was run, how it went beside buy and hold, and the shape of its curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from rich.text import Text

from neural_trader.report.definitions import BY_NAME
from neural_trader.report.display import NOT_AVAILABLE, rate, statistic
from neural_trader.report.fill_quality import FillQuality, fill_quality
from neural_trader.report.outcome import drawdowns, initial_cash
from neural_trader.report.own_figures import shown
from neural_trader.report.portfolio_section import portfolio_line
from neural_trader.report.replay_rules import replay_rules
from neural_trader.report.risk_section import risk_of
from neural_trader.report.rungs import HEADS, Rung, cells, reading
from neural_trader.report.sections import (
    FILL_RULES,
    LIMIT_RULES,
    account_line,
    extrapolation,
    fees,
    is_synthetic,
    overlays,
    parameters,
    span_of_data,
)
from neural_trader.report.sections import strategy_name as name_of
from neural_trader.report.worth_section import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from neural_trader.honesty.assessment import Assessment
    from neural_trader.report.metrics import Stats, Value
    from neural_trader.report.outcome import Block, Floats, Outcome

WIDTH = 80
"""The widest line that is printed, whatever the terminal; the whole must fit an old one."""

SYNTHETIC = "SYNTHETIC DATA: made by a generator; no market traded these prices"
SPARK_WIDTH = 60
BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-:=+*#"
"""For terminals whose encoding has no block characters."""

CURVE_ROWS = (
    "Return [%]",
    "CAGR [%]",
    "Volatility (Ann.) [%]",
    "Sharpe Ratio",
    "Sortino Ratio",
    "Calmar Ratio",
    "Max. Drawdown [%]",
    "Max. Drawdown Duration",
    "Equity Final",
    "Equity Peak",
)
TRADE_ROWS = (
    "# Trades",
    "Win Rate [%]",
    "Profit Factor",
    "Expectancy [%]",
    "Best Trade [%]",
    "Worst Trade [%]",
    "Avg. Hold",
    "SQN",
    "Exposure Time [%]",
    "Turnover (Ann.)",
)
"""The two groups of the table; Start, End and Duration stand above it, the costs below."""


NOTES_SHOWN = 3


def print_result(result: Outcome, console: Console) -> None:
    """Print a run. Colour follows the console, which leaves it out for NO_COLOR and where there is no terminal."""
    stats = result.stats
    width = min(WIDTH, console.width)
    console.print(_title(result), width=width, overflow="fold", highlight=False)
    if is_synthetic(result):
        console.print(Text(SYNTHETIC, "bold black on yellow"), width=width)
    console.print(_what_was_run(result, stats), width=width)
    console.print()
    console.print(_table(stats), width=width)
    console.print(_undefined(stats), width=width, highlight=False, end="")
    console.print(_costs(stats), width=width, highlight=False)
    if result.samples:
        console.print()
        for line in _shape(result, console, width):
            console.print(line, width=width, overflow="crop", no_wrap=True, highlight=False)
    quality = fill_quality(result)
    if quality is not None and len(quality.fills):
        console.print()
        for line in _fills(quality):
            console.print(line, width=width, highlight=False)
    if result.figures:
        console.print()
        parts = " · ".join(f"{name} {shown(figure)}" for name, figure in result.figures.items())
        console.print(Text.assemble(("own      ", "dim"), parts), width=width, highlight=False)
    if result.ladder:
        console.print()
        console.print(_ladder(result.ladder), width=width)
        console.print(Text(reading(result.ladder)), width=width, highlight=False)
    risk = risk_of(result) if len(result.series) > 1 else None
    exposed = "" if risk is None else portfolio_line(risk.portfolio)
    if exposed:
        console.print()
        console.print(Text.assemble(("risk     ", "dim"), exposed), width=width, highlight=False)
    if result.honesty is not None:
        console.print()
        console.print(_worth(result.honesty), width=width)
    for warning in result.warnings:
        console.print(Text.assemble(("warning  ", "bold yellow"), warning), width=width, highlight=False)
    console.print(Text.assemble(("hash     ", "dim"), result.hash), width=width, highlight=False)


def _worth(worth: Assessment) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", min_width=8)
    grid.add_column(overflow="fold")
    first, *rest = lines(worth)
    grid.add_row("worth", Text(first, {"invalid": "bold red", "distinct": "bold green"}.get(worth.verdict, "bold")))
    for line in rest:
        grid.add_row("", Text(line, "dim"))
    return grid


def _ladder(rungs: Sequence[Rung]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in HEADS:
        table.add_column(head, justify="left" if head == HEADS[0] else "right")
    for rung in rungs:
        table.add_row(*cells(rung), style="bold" if rung.is_run else "")
    return table


def _fills(quality: FillQuality) -> Iterator[Text]:
    """What fills cost and what came after them, in two lines."""
    shown = quality.document()

    def bps(value: float | None) -> str:
        return "n/a" if value is None else f"{value:+.2f}"

    parts = [f"{shown['fills']:,}, {100 * shown['maker_share']:.0f} % of their value at rest"]
    for liquidity in ("maker", "taker"):
        paid = shown[f"{liquidity}_effective_bps"]
        if paid is not None:
            parts.append(f"{liquidity}s {bps(paid)} bps to the middle")
    yield Text.assemble(("fills    ", "dim"), " · ".join(parts))
    after = "  ".join(f"{each['seconds']}s {bps(each['gain_bps'])}" for each in shown["markouts"])
    yield Text.assemble(("markouts ", "dim"), after)


def _title(result: Outcome) -> Text:
    given = parameters(result.run)
    return Text.assemble((name_of(result.run), "bold"), (f"  {given}" if given else "", "dim"))


def _what_was_run(result: Outcome, stats: Stats) -> Table:
    run = result.run
    fill, limit = str(run.get("fill", "")), str(run.get("limit", ""))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", min_width=8)
    grid.add_column(overflow="fold")
    grid.add_row("data", Text(span_of_data(result, stats)))
    sources = list(dict.fromkeys(str(series.source) for series in result.series if series.source))
    if sources:
        grid.add_row("source", Text(_place(sources)))
    notes = list(
        dict.fromkeys(note for series in result.series if series.origin != "synthetic" for note in series.notes)
    )
    if notes:
        grid.add_row("read", Text(_noted(notes), "dim"))
    if "latency" in run:
        grid.add_row("costs", Text(f"fees {fees(run)}"))
        rules = replay_rules(run)
    else:
        grid.add_row("costs", Text(f"fees {fees(run)} · slippage {run.get('slippage')}"))
        rules = f"market orders at {FILL_RULES.get(fill, fill)} · limits {LIMIT_RULES.get(limit, limit)}"
    if str(run.get("leverage", "1")) not in ("1", "1.0"):
        rules += f" · leverage {run['leverage']}"
    if run.get("volume_cap") is not None:
        rules += f" · at most {rate(run['volume_cap'])} of a bar's volume"
    if run.get("close_at_end"):
        rules += " · closed at the end"
    if run.get("like"):
        rules += f" · like {run['like']}"
    if run.get("seed") is not None:
        rules += f" · seed {run['seed']}"
    grid.add_row("rules", Text(rules))
    if result.account is not None:
        grid.add_row("account", Text(account_line(result.account)))
    if run.get("overlays"):
        grid.add_row("overlays", Text(overlays(run)))
    return grid


def _table(stats: Stats) -> Table:
    """Curve statistics with buy and hold on the left, trade statistics on the right."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("")
    table.add_column("strategy", justify="right", no_wrap=True)
    table.add_column("buy & hold" if stats.benchmark else "", justify="right", style="dim", no_wrap=True)
    table.add_column("", min_width=1)
    table.add_column("")
    table.add_column("strategy", justify="right", no_wrap=True)
    for curve, trade in zip(CURVE_ROWS, TRADE_ROWS, strict=True):
        held = _compact(curve, stats.benchmark[curve]) if curve in stats.benchmark else ""
        table.add_row(
            Text(curve, no_wrap=True),
            _value(stats, curve),
            Text(held),
            "",
            Text(trade, no_wrap=True),
            _value(stats, trade),
        )
    return table


def _value(stats: Stats, name: str) -> Text:
    value = stats[name]
    text = _compact(name, value)
    if value is None:
        return Text(NOT_AVAILABLE, "yellow")
    if name in ("Return [%]", "CAGR [%]", "Expectancy [%]") and value:
        return Text(text, "green" if float(value) > 0 else "red")
    return Text(text, "bold" if name in ("Sharpe Ratio", "Max. Drawdown [%]") else "")


def _compact(name: str, value: Value) -> str:
    """A value as text, large amounts without cents, so that two columns of them fit."""
    if isinstance(value, float) and BY_NAME[name].unit != "s" and abs(value) >= 1e7:
        return f"{value:,.0f}" if abs(value) < 1e10 else f"{value:.4g}"
    return statistic(name, value)


def _undefined(stats: Stats) -> Text:
    """The reasons of what is not available, each once, with the names that share it, and what a figure stands on."""
    shared: dict[str, list[str]] = {}
    for name in (*CURVE_ROWS, *TRADE_ROWS, "Buy & Hold Return [%]"):
        if name in stats.undefined:
            shared.setdefault(stats.undefined[name], []).append(name.removesuffix(" [%]"))
    text = Text()
    for reason, names in shared.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        text.append(f"{NOT_AVAILABLE}: {reason} ({shown})\n", "yellow")
    if extrapolation(stats):
        text.append(f"CAGR is {extrapolation(stats)}\n", "yellow")
    return text


def _costs(stats: Stats) -> Text:
    paid, slipped = statistic("Fees Paid", stats["Fees Paid"]), statistic("Slippage Paid", stats["Slippage Paid"])
    text = f"fees {paid}, slippage {slipped} {stats.currency}".rstrip()
    count = stats["# Open Trades"]
    if count:
        text += f" · {count} {'trade' if count == 1 else 'trades'} still open"
    return Text.assemble(("paid     ", "dim"), text)


def _shape(result: Outcome, console: Console, width: int) -> list[Text]:
    blocks = BLOCKS if _can_print(BLOCKS, console.encoding) else PLAIN_BLOCKS
    room = max(8, min(SPARK_WIDTH, width - 19))
    deposit = initial_cash(result)
    curve, falls = bucketed(drawdowns(deposit, result.blocks()), result.samples, room)
    final = float(curve[-1])
    deepest = f"{100.0 * -float(falls.max()):.1f} %"
    style = "green" if final >= deposit else "red"
    return [
        Text.assemble(("equity   ", "dim"), (sparkline(curve, blocks), style), f" {final:,.0f}"),
        Text.assemble(("drawdown ", "dim"), (sparkline(falls, blocks, low=0.0), "red"), f" {deepest}"),
    ]


def bucketed(blocks: Iterable[tuple[Block, Floats]], samples: int, width: int) -> tuple[Floats, Floats]:
    """Of each of ``width`` equal parts of the samples its last equity, and its deepest drawdown turned positive."""
    width = min(width, samples)
    bounds = np.linspace(0, samples, width + 1).astype(int)[1:]
    last, deepest = np.empty(width), np.zeros(width)
    begin = 0
    for block, below in blocks:
        # The part of each sample; those of one part follow one another.
        parts = np.searchsorted(bounds, np.arange(begin, begin + len(below)), side="right")
        last[parts] = block.equity
        np.maximum.at(deepest, parts, -below)
        begin += len(below)
    return last, deepest


def sparkline(heights: Floats, blocks: str = BLOCKS, low: float | None = None) -> str:
    """Heights as one line of blocks, from the lowest of them or from ``low`` up."""
    bottom = float(heights.min()) if low is None else low
    span = float(heights.max()) - bottom
    if not span > 0.0:
        return blocks[0] * len(heights)
    levels = np.clip(((heights - bottom) / span * len(blocks)).astype(int), 0, len(blocks) - 1)
    return "".join(blocks[level] for level in levels)


def _can_print(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _noted(notes: list[str]) -> str:
    """What was recognised and inferred on the way in, the first of it; the page and ``data info`` have it all."""
    more = f"; and {len(notes) - NOTES_SHOWN} more" if len(notes) > NOTES_SHOWN else ""
    return "; ".join(notes[:NOTES_SHOWN]) + more


def _place(sources: list[str]) -> str:
    """Where data came from, in a line: the one source, or the folder of many."""
    if len(sources) == 1:
        return sources[0]
    folders = {Path(source).parent for source in sources}
    if len(folders) == 1:
        return f"{len(sources)} files in {folders.pop()}"
    return f"{sources[0]} and {len(sources) - 1} more"
