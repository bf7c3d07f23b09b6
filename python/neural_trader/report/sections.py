"""The parts of the page that are text and tables, as HTML; every value from outside passes through ``escape``."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from neural_trader.report.definitions import BY_NAME, GROUPS
from neural_trader.report.display import interval, moment, number, plain, rate, rfc3339, signed, statistic
from neural_trader.report.replay_rules import replay_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neural_trader.report.metrics import Stats, Value
    from neural_trader.report.outcome import Outcome


def typeset(text: str) -> str:
    """A number as HTML, with a true minus sign and never parted from its unit."""
    return _unparted(text).replace("-", "\N{MINUS SIGN}")


def _unparted(text: str) -> str:
    return escape(text).replace(" %", "\N{NARROW NO-BREAK SPACE}%")


def strategy_name(run: Mapping[str, Any]) -> str:
    """The strategy's name; a strategy that is data is shown as its JSON."""
    strategy = run.get("strategy")
    return strategy if isinstance(strategy, str) else json.dumps(strategy, ensure_ascii=False, default=str)


def instruments(result: Outcome, limit: int = 3) -> str:
    """The symbols of a run, in words: the first ones, and how many more there are."""
    symbols = [series.symbol for series in result.series]
    more = len(symbols) - limit
    return ", ".join(symbols[:limit]) + (f" and {more} more" if more > 0 else "")


def is_synthetic(result: Outcome) -> bool:
    """Whether any instrument of the run was made by a generator."""
    return any(series.origin == "synthetic" for series in result.series)


def parameters(run: Mapping[str, Any]) -> str:
    """The strategy's parameters as ``fast=12, slow=60``."""
    return ", ".join(f"{name}={plain(value)}" for name, value in (run.get("parameters") or {}).items())


def overlays(run: Mapping[str, Any]) -> str:
    """The risk overlays with their parameters, as ``VolatilityTarget(annual=0.2, n=20)``."""
    described = []
    for overlay in run.get("overlays") or ():
        given = ", ".join(f"{name}={plain(value)}" for name, value in overlay.items() if name != "overlay")
        described.append(f"{overlay.get('overlay', 'overlay')}({given})")
    return ", ".join(described)


def fees(run: Mapping[str, Any]) -> str:
    """The fee schedule in one line."""
    fee = run.get("fee")
    tiers = run.get("account", {}).get("fee_tiers")
    if tiers:
        return f"by {len(tiers)} tiers of volume"
    if not isinstance(fee, dict):
        return "none" if not fee else rate(fee)
    maker, taker = rate(fee.get("maker", 0)), rate(fee.get("taker", 0))
    text = maker if maker == taker else f"maker {maker}, taker {taker}"
    fixed = fee.get("fixed") or 0
    if float(fixed):
        text += f" + {plain(fixed)} per fill"
    return "none" if text == "0 %" else text


FILL_RULES = {"open": "next bar's open", "close": "same bar's close"}
LIMIT_RULES = {"touch": "when touched", "through": "when traded through"}


def account_line(account: Mapping[str, Any]) -> str:
    """Cash per currency, and what was paid beside fills, in one line."""

    def amounts(of: Mapping[str, float]) -> str:
        return ", ".join(f"{number(amount)} {code}" for code, amount in of.items())

    parts = [f"cash {amounts(account['cash'])}"]
    parts += [f"{name} paid {amounts(account[name])}" for name in ("funding", "interest") if account[name]]
    if account["liquidations"]:
        parts.append(f"{account['liquidations']} liquidated")
    return " · ".join(parts)


def facts_of_run(result: Outcome) -> list[tuple[str, str]]:
    """What was run, as label and text, in the order in which it matters."""
    run = result.run
    fill, limit = str(run.get("fill", "")), str(run.get("limit", ""))
    account = [
        ("Parameters", parameters(run) or "none"),
        ("Cash", f"{number(float(run['cash']))} {run.get('currency') or ''}".strip()),
        ("Fees", fees(run)),
    ]
    leverage = ("Leverage", f"{plain(run.get('leverage', 1))}\N{MULTIPLICATION SIGN}")
    if "latency" in run:
        facts = [*account, *replay_facts(run), leverage]
    else:
        cap = run.get("volume_cap")
        facts = [
            *account,
            ("Slippage", plain(run.get("slippage"))),
            ("Market orders fill at", FILL_RULES.get(fill, fill)),
            ("Limit orders fill", LIMIT_RULES.get(limit, limit)),
            leverage,
            ("Volume cap", "none" if cap is None else f"{rate(cap)} of a bar"),
        ]
    if result.account is not None:
        facts.append(("Account at the end", account_line(result.account)))
    if run.get("overlays"):
        facts.append(("Overlays", overlays(run)))
    if run.get("close_at_end"):
        facts.append(("At the end", "positions are closed"))
    if run.get("like"):
        facts.append(("Rules like", plain(run["like"])))
    if run.get("seed") is not None:
        facts.append(("Seed", plain(run["seed"])))
    facts.append(("Version", result.version))
    return facts


def span_of_data(result: Outcome, stats: Stats) -> str:
    """Instruments, interval, dates and number of bars, in one line."""
    parts = [instruments(result)]
    intervals = {interval(int(series.interval_ns)) for series in result.series} - {""}
    # What a replay is charted by is no bar that anybody traded on.
    noun = "samples" if "latency" in result.run else "bars"
    if intervals:
        parts.append(f"{', '.join(sorted(intervals))} {noun}")
    parts.append(f"{moment(str(stats['Start']))} to {moment(str(stats['End']))} UTC")
    parts.append(f"{sum(len(series) for series in result.series):,} {noun}")
    return " · ".join(part for part in parts if part)


def verdict(stats: Stats) -> str:
    """The outcome in two plain sentences."""
    gained, years = stats["Return [%]"], _years(stats["Duration"])
    assert isinstance(gained, float)
    if gained == 0.0:
        text = f"Ended where it began after {years}"
    else:
        text = f"{'Gained' if gained > 0 else 'Lost'} {number(abs(gained), 1)} % in {years}"
    held = stats["Buy & Hold Return [%]"]
    if isinstance(held, float):
        verb = "lost" if held < 0 else "gained"
        text += f", while buying and holding {verb} {number(abs(held), 1)} %"
    depth = stats["Max. Drawdown [%]"]
    assert isinstance(depth, float)
    if depth == 0.0:
        return f"{text}. It was never below its peak."
    return f"{text}. At its lowest it stood {number(-depth, 1)} % below its peak."


def extrapolation(stats: Stats) -> str:
    """Says so where a figure per year stands on less than a year; empty otherwise."""
    short = stats["CAGR [%]"] is not None and float(stats["Duration"] or 0) < 0.97 * 365.25 * 86_400
    return f"extrapolated from {_years(stats['Duration'])}" if short else ""


def _years(seconds: Value) -> str:
    days = float(seconds or 0) / 86_400
    if days >= 700:
        return f"{number(days / 365.25, 1)} years"
    if days >= 60:
        return f"{days / 30.4375:.0f} months"
    if days >= 2:
        return f"{days:.0f} days"
    return f"{number(days * 24, 1)} hours"


def key_numbers(stats: Stats) -> str:
    """The five numbers of the headline, each with buy and hold or its nearest companion below."""
    cells = []
    for label, name, unit, colored in (
        ("Return", "Return [%]", " %", True),
        ("CAGR", "CAGR [%]", " %", True),
        ("Sharpe ratio", "Sharpe Ratio", "", False),
        ("Max. drawdown", "Max. Drawdown [%]", " %", False),
    ):
        beside = f"Buy & hold {_signed(stats.benchmark.get(name), unit)}" if name in stats.benchmark else "no benchmark"
        note = stats.undefined.get(name, "") or (extrapolation(stats) if name == "CAGR [%]" else "")
        cells.append(_key_number(label, stats[name], unit, colored, beside, note, name))
    rate_text = stats["Win Rate [%]"]
    beside = f"{number(float(rate_text), 1)} % won" if rate_text is not None else stats.undefined["Win Rate [%]"]
    count = statistic("# Trades", stats["# Trades"])
    cells.append(
        f'<div class="key"><dt>{_explained("Trades", "# Trades")}</dt><dd class="key-value">{count}</dd>'
        f'<dd class="key-beside">{_unparted(beside)}</dd></div>'
    )
    return f'<dl class="keys">{"".join(cells)}</dl>'


def _key_number(label: str, value: Value, unit: str, colored: bool, beside: str, remark: str, name: str) -> str:
    tone = ""
    if colored and isinstance(value, float) and value:
        tone = " gain" if value > 0 else " loss"
    shown = _signed(value, unit, colored)
    note = f'<dd class="key-beside">{escape(remark)}</dd>' if remark else ""
    return (
        f'<div class="key"><dt>{_explained(label, name)}</dt><dd class="key-value{tone}">{typeset(shown)}</dd>'
        f'<dd class="key-beside">{typeset(beside)}</dd>{note}</div>'
    )


def _signed(value: Value, unit: str, plus: bool = True) -> str:
    if value is None:
        return "n/a"
    amount = float(value)
    return (signed(amount) if plus and unit else number(amount)) + unit


def _explained(label: str, name: str) -> str:
    """A label that shows formula and source of its statistic when hovered or focused."""
    definition = BY_NAME[name]
    tip = f"{definition.formula}\nfrom {definition.source}"
    return f'<span class="tip" tabindex="0" data-tip="{escape(tip)}">{escape(label)}</span>'


def badge(result: Outcome) -> str:
    """The mark that no reader of a synthetic run may miss."""
    if not is_synthetic(result):
        return ""
    every = all(series.origin == "synthetic" for series in result.series)
    text = "Synthetic data" if every else "Partly synthetic data"
    return f'<span class="badge" title="The prices were made by a generator. No market traded them.">{text}</span>'


def run_strip(result: Outcome) -> str:
    """What was run, and the hash that binds it."""
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{_unparted(text)}</dd></div>" for label, text in facts_of_run(result) if text
    )
    digest = escape(result.hash)
    return (
        f'<dl class="run">{items}<div class="run-hash"><dt>Run hash</dt>'
        f'<dd><code id="hash">{digest}</code><button type="button" class="quiet" id="copy" data-copy="{digest}">Copy'
        "</button></dd></div></dl>"
    )


def warnings(texts: Iterable[str]) -> str:
    """Warnings as a list, or nothing."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<aside class="warnings" aria-label="Warnings"><h2>Warnings</h2><ul>{items}</ul></aside>' if items else ""


def statistics_table(stats: Stats) -> str:
    """All statistics in groups; what is undefined says why."""
    blocks = []
    for title, names in GROUPS:
        beside = any(name in stats.benchmark for name in names)
        rows = "".join(_statistic_row(stats, name, beside) for name in names)
        columns = '<th scope="col">Strategy</th>' + ('<th scope="col">Buy &amp; hold</th>' if beside else "")
        blocks.append(
            f'<table class="stats"><thead><tr><th scope="col">{escape(title)}</th>{columns}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
    return "".join(blocks)


def _statistic_row(stats: Stats, name: str, beside: bool) -> str:
    cells = _statistic_cell(name, stats[name], stats.undefined)
    if beside:
        held = name in stats.benchmark
        cells += _statistic_cell(name, stats.benchmark[name], stats.benchmark_undefined) if held else "<td></td>"
    return f'<tr><th scope="row">{_explained(name, name)}</th>{cells}</tr>'


def _statistic_cell(name: str, value: Value, undefined: Mapping[str, str]) -> str:
    if value is None:
        return f'<td class="absent">n/a<small>{escape(undefined.get(name, ""))}</small></td>'
    shown = statistic(name, value)
    return f"<td>{escape(shown) if BY_NAME[name].unit == 'time' else typeset(shown)}</td>"


def provenance(result: Outcome) -> str:
    """Where the data of each instrument came from, and what was recognised or rounded on the way in."""
    rows = []
    for series in result.series:
        span = "no bars"
        if len(series):
            span = f"{moment(rfc3339(series.start_ns))} to {moment(rfc3339(series.end_ns))}"
        notes = "".join(f"<li>{escape(note)}</li>" for note in series.notes)
        rows.append(
            f'<tr><th scope="row">{escape(series.symbol)}</th>'
            f'<td><span class="origin {escape(series.origin)}">{escape(series.origin)}</span></td>'
            f'<td class="wrap">{escape(str(series.source)) or "not named"}{f"<ul>{notes}</ul>" if notes else ""}</td>'
            f"<td>{len(series):,}</td><td>{span}</td><td>{interval(int(series.interval_ns))}</td>"
            f"<td>{escape(str(series.tick))}</td><td>{escape(str(series.lot))}</td></tr>"
        )
    heads = ("Instrument", "Origin", "Source", "Bars", "Span (UTC)", "Interval", "Tick", "Lot")
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    digests = "".join(
        f"<div><dt>{escape(name)}</dt><dd><code>{escape(digest)}</code></dd></div>"
        for name, digest in result.digests.items()
    )
    return (
        f'<div class="scroll"><table class="data"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f'</div><details class="digests"><summary>SHA-256 digests that the run hash binds</summary><dl>{digests}</dl>'
        "</details>"
    )
