"""What a day could lose, and what each instrument earned, as a section of the page and a part of the document."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader.report.display import number
from neural_trader.report.figures import day_ends, period_returns
from neural_trader.report.outcome import initial_cash
from neural_trader.report.portfolio import CONFIDENCES, Portfolio, portfolio_of
from neural_trader.report.portfolio_section import portfolio_section
from neural_trader.report.sections import typeset
from neural_trader.risk.loss import Method, loss

if TYPE_CHECKING:
    from neural_trader.report.outcome import Outcome

FEWEST_DAYS = 30
"""Days below which a tail of one in twenty says nothing."""
METHODS: dict[Method, str] = {
    "historical": "as it was",
    "normal": "normal",
    "cornish_fisher": "with skewness and tails",
    "monte_carlo": "holdings and prices drawn apart",
}


class Tail(NamedTuple):
    """What one day loses at worst but for a small share of days, and then on average; % of equity."""

    method: Method
    confidence: float
    value_at_risk: float
    expected_shortfall: float


class Earned(NamedTuple):
    """What one instrument earned, net of costs."""

    symbol: str
    trades: int
    """Round trips, those that are open at the end included."""
    pnl: float
    fees: float


class Risk(NamedTuple):
    """The risk of a run."""

    days: int
    """Days with a return."""
    tails: list[Tail]
    """Empty where there are too few days."""
    instruments: list[Earned]
    portfolio: Portfolio

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "days": self.days,
            "tails": [tail._asdict() for tail in self.tails],
            "instruments": [each._asdict() for each in self.instruments],
            **self.portfolio.document(),
        }


def risk_of(result: Outcome) -> Risk | None:
    """The risk of a run over bars; None for a replay, which is seldom longer than a day."""
    portfolio = portfolio_of(result)
    if portfolio is None:
        return None
    daily = period_returns(day_ends(result), "D", initial_cash(result))
    returns = np.array([value for _, value in daily if value is not None])
    is_enough = len(returns) == len(daily) >= FEWEST_DAYS
    tails = [
        Tail(method, confidence, *(100.0 * value for value in loss(returns, confidence=confidence, method=method)))
        for method in METHODS
        if method != "monte_carlo"
        for confidence in (CONFIDENCES if is_enough else ())
    ]
    if is_enough:
        tails += [
            Tail("monte_carlo", confidence, *(100.0 * value for value in found))
            for confidence, found in portfolio.drawn.items()
        ]
    return Risk(len(returns), tails, _earned(result), portfolio)


def _earned(result: Outcome) -> list[Earned]:
    trades = result.trades
    symbols = trades["symbol"].cast(str).to_numpy()
    pnl, fees = (trades[name].cast(float).to_numpy() for name in ("pnl", "fees"))
    found = []
    for series in result.series:
        own = symbols == series.symbol
        found.append(Earned(series.symbol, int(own.sum()), float(pnl[own].sum()), float(fees[own].sum())))
    return found


def risk_section(risk: Risk | None) -> str:
    """Both tables side by side; nothing for a replay."""
    if risk is None:
        return ""
    return (
        '<div class="pair"><section><div class="section-head"><h2>Risk of a day</h2>'
        f'<span class="caption">% of equity, from {risk.days:,} days, UTC</span></div>{_tails(risk)}</section>'
        '<section><div class="section-head"><h2>By instrument</h2>'
        '<span class="caption">net of costs, open trades at their mark</span></div>'
        f"{_instruments(risk)}</section></div>{portfolio_section(risk.portfolio)}"
    )


def _tails(risk: Risk) -> str:
    if not risk.tails:
        return '<p class="nothing">Too few days to say what a bad one is.</p>'
    heads = "".join(
        f'<th scope="col">{typeset(f"{what} {100 * confidence:.0f} %")}</th>'
        for confidence in CONFIDENCES
        for what in ("VaR", "ES")
    )
    rows = []
    for method, words in METHODS.items():
        own = [tail for tail in risk.tails if tail.method == method]
        if not own:
            continue
        cells = "".join(
            f"<td>{typeset(number(value))}</td>"
            for tail in own
            for value in (tail.value_at_risk, tail.expected_shortfall)
        )
        rows.append(f'<tr><th scope="row">{words}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="stats even"><thead><tr><th scope="col"></th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="note">VaR: what one day in twenty, or in a hundred, loses at least. ES: the mean of those days.</p>'
    )


def _instruments(risk: Risk) -> str:
    largest = max((abs(each.pnl) for each in risk.instruments), default=0.0) or 1.0
    rows = []
    for each in sorted(risk.instruments, key=lambda each: -each.pnl)[:_ROWS]:
        tone = "gain" if each.pnl > 0 else "loss"
        rows.append(
            f'<div class="step"><span>{escape(each.symbol)} <small>{each.trades:,} trades</small></span>'
            f"<span>{typeset(number(each.pnl))}</span>"
            f'<div class="track"><i class="bar {tone}" style="left:0;width:{100.0 * abs(each.pnl) / largest:.1f}%"></i>'
            "</div></div>"
        )
    more = len(risk.instruments) - _ROWS
    note = (
        f'<p class="note">The first {_ROWS} of {len(risk.instruments)}; the document has all.</p>' if more > 0 else ""
    )
    return f'<div class="costs">{"".join(rows)}</div>{note}'


_ROWS = 12
