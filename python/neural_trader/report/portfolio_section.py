"""The run as a portfolio, in sections of the page and one line of the terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neural_trader.report.display import number
from neural_trader.report.sections import typeset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neural_trader.report.portfolio import Portfolio

SHOWN = 12
"""Instruments that are shown beside each other; the document has all."""
SCENARIOS = {
    "worst_period": "The worst day of the instruments",
    "worst_stretch": "Their worst ten days",
    "all_fall": "All fall by 20 %",
    "all_rise": "All rise by 20 %",
    "all_against": "Each 10 % against the position",
    "covariance": "Worst day in a hundred, mean",
    "volatility_doubled": "The same, volatility doubled",
    "correlation_one": "And correlations of one",
}
SIDES = {"long": "Long", "short": "Short"}
EXITS = {
    "signal": "closed by signal",
    "target": "at its target",
    "stop": "stopped",
    "trailing stop": "stopped by trail",
    "end": "closed at the end",
    "open": "still open",
}


def portfolio_line(found: Portfolio) -> str:
    """Exposure and the worst scenario, in a line; empty where nothing was held."""
    parts = []
    if "gross" in found.exposure and found.exposure["gross"].largest:
        gross, net = found.exposure["gross"], found.exposure["net"]
        parts.append(f"gross {number(gross.mean, 0)} %, net {number(net.mean, 0)} %")
    if found.shocks:
        worst = max((each for each in found.shocks if each.since is not None), key=lambda each: each.largest)
        name = SCENARIOS[worst.scenario]
        parts.append(f"{name[0].lower()}{name[1:]} {number(-worst.mean, 1)} %, at worst {number(-worst.largest, 1)} %")
    return ", ".join(parts)


def portfolio_section(found: Portfolio) -> str:
    """Exposure beside scenarios, correlations, and what signals earned beside what trading cost."""
    parts = []
    if found.exposure and found.exposure["gross"].largest:
        second = _stress(found) if found.shocks else '<p class="nothing">Too few days for scenarios.</p>'
        parts.append(
            f'<div class="pair">{_section("Exposure", "% of equity at the ends of days, UTC", _exposure(found))}'
            f"{_section('Stress', '% of equity, with the holdings of every day', second)}</div>"
        )
    if len(found.related) > 1:
        parts.append(_section("Correlation", "of daily returns", _related(found)))
    if found.signals:
        parts.append(
            f'<div class="pair">{_section("By signal", "results of trades, net of costs", _signals(found))}'
            f"{_section('Turnover and costs', 'by instrument', _costs(found))}</div>"
        )
    return "".join(parts)


def _section(title: str, caption: str, body: str) -> str:
    head = f'<div class="section-head"><h2>{title}</h2><span class="caption">{typeset(caption)}</span></div>'
    return f"<section>{head}{body}</section>"


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]], kind: str = "stats even") -> str:
    """A table whose first column names the rows, and whose other cells are text ready for the page."""
    head = "".join(f'<th scope="col">{typeset(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, *cells in rows
    )
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr><th scope="col"></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _exposure(found: Portfolio) -> str:
    rows = (
        (name.capitalize(), *(typeset(number(value, 1)) for value in spread)) for name, spread in found.exposure.items()
    )
    effective = found.effective
    note = "" if effective is None else f" On average {number(effective, 1)} equal positions would be as concentrated."
    return (
        _table(("mean", "largest", "at the end"), rows)
        + f'<p class="note">Gross is long and short together, net is long less short.{note}</p>'
    )


def _stress(found: Portfolio) -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for each in found.shocks:
            since = "" if each.since is None else f" <small>{each.since}</small>"
            # A loss is what the document has; here it is what becomes of equity.
            yield (
                typeset(SCENARIOS[each.scenario]) + since,
                typeset(number(-each.mean, 1)),
                typeset(number(-each.largest, 1)),
            )

    return (
        _table(("mean", "at worst"), rows())
        + '<p class="note">What each would do, with nothing traded meanwhile: on average over the days, and on the '
        "day whose holdings it hits most.</p>"
    )


def _related(found: Portfolio) -> str:
    shown = found.related[:SHOWN]

    def cell(value: float | None, *, shaded: bool = True) -> str:
        if value is None:
            return '<td class="absent">n/a</td>'
        # Both ends of the scale are seen on light and dark pages alike.
        strength = f' style="--strength: {abs(value):.2f}"' if shaded else ""
        tone = "" if not shaded else ' class="together"' if value >= 0.0 else ' class="apart"'
        return f"<td{tone}{strength}>{typeset(number(value))}</td>"

    heads = ("strategy", "beta", *(each.symbol for each in shown))
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(each.symbol)}</th>{cell(each.strategy)}{cell(each.beta, shaded=False)}'
        f"{''.join(cell(value) for value in each.others[: len(shown)])}</tr>"
        for each in shown
    )
    more = len(found.related) - len(shown)
    note = "Beta: what the run gained on average with one percent of the instrument."
    note += f" The first {SHOWN} of {len(found.related)}; the document has all." if more > 0 else ""
    return (
        f'<div class="scroll"><table class="stats even related"><thead><tr><th scope="col"></th>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="note">{note}</p>'
    )


def _signals(found: Portfolio) -> str:
    rows = (
        (
            f"{SIDES[each.side]}, {EXITS[each.exit]}",
            f"{each.trades:,}",
            typeset(f"{number(100.0 * each.wins / each.trades, 0)} %"),
            typeset(number(each.pnl)),
        )
        for each in found.signals
    )
    return _table(("trades", "won", "result"), rows)


def _costs(found: Portfolio) -> str:
    shown = sorted(found.costs, key=lambda each: -each.traded)[:SHOWN]
    rows = (
        (
            escape(each.symbol),
            typeset(number(each.traded, 0)),
            typeset(number(each.fees)),
            typeset(number(each.slippage)),
        )
        for each in shown
    )
    paid = sum(each.fees + each.slippage for each in found.costs)
    if found.gross > 0.0:
        note = f"Costs took {number(100.0 * paid / found.gross, 0)} % of what trades earned before them."
    else:
        note = f"Before costs trades had come to {number(found.gross)}; costs were {number(paid)}."
    return _table(("traded", "fees", "slippage"), rows) + f'<p class="note">{typeset(note)}</p>'
