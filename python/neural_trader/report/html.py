"""The report as one self-contained HTML file: no network, no other file, readable in ten years.

Text and tables are written here; ``assets/report.js`` draws the charts and makes the trades table sortable. A content
security policy allows exactly the scripts of the page, by their hash, and no request to anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.report import figures, sections
from neural_trader.report.atomic import write_text
from neural_trader.report.display import interval, number
from neural_trader.report.document import encode, to_document
from neural_trader.report.own_figures import figures_section
from neural_trader.report.replay_sections import fills_section
from neural_trader.report.risk_section import risk_of, risk_section
from neural_trader.report.rungs import ladder_section
from neural_trader.report.thinning import CANDLES, candles
from neural_trader.report.worth_section import worth_section

if TYPE_CHECKING:
    from neural_trader.market.bars import Series
    from neural_trader.report.outcome import Outcome

PAGE_ROWS = {"trades": 5_000, "orders": 1_000, "fills": 1_000}
"""Rows of each table that the document in a page holds; the JSON file holds all. The page itself shows trades only."""

PAGE_CANDLES = 40_000
"""Candles of all instruments together, which keeps the page of a large portfolio small."""

FEWEST_CANDLES = 60


def write_html(result: Outcome, path: Path) -> Path:
    """Write the report to ``path``, wholly or not at all; returns the path."""
    return write_text(Path(path), render(result))


def render(result: Outcome) -> str:
    """The report of a result as the text of an HTML page."""
    stats = result.stats
    name = sections.strategy_name(result.run)
    document = to_document(result, stats, rows=PAGE_ROWS)
    charts = chart_data(result)
    calendar_title, calendar = figures.calendar(result)
    scripts = (_asset("lightweight-charts.js"), _asset("report.js"))
    values = {
        "policy": _policy(scripts),
        "title": escape(f"{name} on {sections.instruments(result)}"),
        "css": _asset("report.css"),
        "strategy": escape(name),
        "badge": sections.badge(result),
        "span": escape(sections.span_of_data(result, stats)),
        "verdict": sections.typeset(sections.verdict(stats)),
        "warnings": sections.warnings(result.warnings),
        "keys": sections.key_numbers(stats),
        "run": sections.run_strip(result),
        "equity_note": escape(_equity_note(document)),
        "price_note": escape(_price_note(charts)),
        "calendar_title": calendar_title,
        "calendar": calendar,
        "histogram": figures.histogram(result, stats),
        "costs_title": escape(f"Costs, {result.run.get('currency') or 'account currency'}"),
        "costs": figures.costs(result, stats),
        "statistics": sections.statistics_table(stats),
        "worth": worth_section(result.honesty, stats),
        "risk": risk_section(risk_of(result)),
        "fills": figures_section(result.figures) + fills_section(result) + ladder_section(result.ladder),
        "trades_note": escape(_trades_note(document)),
        "provenance": sections.provenance(result),
        "hash": escape(result.hash),
        "version": escape(result.version),
        "document": _embedded(encode(document)),
        "charts": _embedded(json.dumps(charts, ensure_ascii=False, allow_nan=False, separators=(",", ":"))),
        "library": scripts[0],
        "script": scripts[1],
    }
    # One pass, so that a value that looks like a placeholder stays what it is.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match.group(1)], _asset("report.html"))


def chart_data(result: Outcome) -> dict[str, Any]:
    """The candles of every instrument in columns, joined into longer candles where there are too many to draw."""
    limit = max(FEWEST_CANDLES, min(CANDLES, PAGE_CANDLES // max(1, len(result.series))))
    return {
        "currency": str(result.run.get("currency") or ""),
        "instruments": [_chart(series, limit) for series in result.series if len(series)],
    }


def _chart(series: Series, limit: int) -> dict[str, Any]:
    drawn = candles(series, limit)
    decimals = len(str(series.tick).partition(".")[2])
    prices = {
        column: np.round(values, decimals).tolist()
        for column, values in zip("ohlc", (drawn.open, drawn.high, drawn.low, drawn.close), strict=True)
    }
    return {
        "symbol": series.symbol,
        "decimals": decimals,
        "interval": interval(drawn.width_ns or int(series.interval_ns)),
        "joined": drawn.width_ns > 0,
        "bars": len(series),
        "t": [time / 1e9 if time % 1_000_000_000 else time // 1_000_000_000 for time in drawn.open_ns.tolist()],
        **prices,
        "v": None if drawn.volume is None else [float(f"{volume:.4g}") for volume in drawn.volume.tolist()],
    }


def _equity_note(document: dict[str, Any]) -> str:
    equity = document["equity"]
    if equity["given"] == equity["total"]:
        return f"{equity['total']:,} samples."
    return f"{equity['given']:,} of {equity['total']:,} samples are drawn; peaks and troughs are kept."


def _price_note(charts: dict[str, Any]) -> str:
    joined = [chart for chart in charts["instruments"] if chart["joined"]]
    if not joined:
        return "Each candle is one bar of the run."
    bars = sum(chart["bars"] for chart in joined)
    lengths = ", ".join(sorted({chart["interval"] for chart in joined}))
    return f"{number(bars, 0)} bars are joined into {lengths} candles to be drawn; the run used every bar."


def _trades_note(document: dict[str, Any]) -> str:
    table = document["tables"]["trades"]
    if table["given"] == table["total"]:
        return ""
    return f"The first {table['given']:,} of {table['total']:,} trades; the JSON document holds all of them."


def _embedded(text: str) -> str:
    """JSON that cannot end its script element, nor open a comment in it, and still reads as the same JSON."""
    return text.replace("<", "\\u003c")


def _policy(scripts: tuple[str, ...]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"


@cache
def _asset(name: str) -> str:
    # Bytes and not text: universal newlines would change a script and with it the hash that the policy names.
    text = resources.files("neural_trader.report").joinpath("assets", name).read_bytes().decode()
    return text.replace("\r\n", "\n")
