"""The statistics of a run: name, unit, formula and source of each, in the order in which they are shown.

Conventions, which hold for every row:

- The curve begins with the deposit at the first opening of the data, so a loss in the first bar is a loss and a
  drawdown. With n equity samples there are n returns, ``r = E[i] / E[i-1] - 1``.
- Years are years of 365.25 days between the first opening and the last sample. Periods per year are
  ``P = n / years``: the real spacing of the data, whatever the calendar of the market.
- The risk-free rate and the required return are 0.
- Trade statistics count closed trades; profits and losses are net of fees and slippage.
- What is undefined has no value and a reason, never 0 and never infinity.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Unit = Literal["time", "s", "%", "money", "ratio", "count", "1/yr"]


class Definition(NamedTuple):
    """One statistic. ``unit`` is "money" for amounts in the account currency and "s" for durations in seconds."""

    name: str
    unit: Unit
    formula: str
    source: str
    of_curve: bool = False
    """Whether it is a property of the equity curve alone, so that buy and hold has it as well."""


CURVE = "equity curve"

DEFINITIONS: tuple[Definition, ...] = (
    Definition("Start", "time", "first opening of the data", "bars"),
    Definition("End", "time", "last equity sample", CURVE),
    Definition("Duration", "s", "End - Start", CURVE),
    Definition("Exposure Time [%]", "%", "100 * samples with an open position / samples", CURVE),
    Definition("Equity Final", "money", "E[n], open positions at their mark", CURVE, True),
    Definition("Equity Peak", "money", "max(E), deposit included", CURVE, True),
    Definition("Return [%]", "%", "100 * (E[n] / deposit - 1)", CURVE, True),
    Definition("Buy & Hold Return [%]", "%", "Return [%] of buy and hold on the same bars with the same fees", CURVE),
    Definition("CAGR [%]", "%", "100 * ((E[n] / deposit) ^ (1 / years) - 1)", CURVE, True),
    Definition("Volatility (Ann.) [%]", "%", "100 * std(r, ddof=1) * sqrt(P)", CURVE, True),
    Definition("Sharpe Ratio", "ratio", "mean(r) / std(r, ddof=1) * sqrt(P)", CURVE, True),
    Definition("Sortino Ratio", "ratio", "mean(r) / sqrt(mean(min(r, 0)^2)) * sqrt(P)", CURVE, True),
    Definition("Calmar Ratio", "ratio", "CAGR [%] / -Max. Drawdown [%]", CURVE, True),
    Definition("Max. Drawdown [%]", "%", "100 * min(E / running max(E) - 1)", CURVE, True),
    Definition(
        "Max. Drawdown Duration", "s", "longest time from a peak to the return to its level, or to End", CURVE, True
    ),
    Definition("Turnover (Ann.)", "1/yr", "sum(price * quantity) / 2 / mean(E) / years", "fills, equity curve"),
    Definition("# Trades", "count", "number of closed trades", "trades"),
    Definition("# Open Trades", "count", "number of trades still open at End", "trades"),
    Definition("Win Rate [%]", "%", "100 * closed trades with pnl > 0 / closed trades", "closed trades"),
    Definition("Profit Factor", "ratio", "sum(pnl > 0) / -sum(pnl < 0)", "closed trades"),
    Definition("Expectancy [%]", "%", "100 * mean(return), arithmetic", "closed trades"),
    Definition("SQN", "ratio", "sqrt(# Trades) * mean(pnl) / std(pnl, ddof=1)", "closed trades"),
    Definition("Best Trade [%]", "%", "100 * max(return)", "closed trades"),
    Definition("Worst Trade [%]", "%", "100 * min(return)", "closed trades"),
    Definition("Avg. Trade [%]", "%", "100 * (prod(1 + return) ^ (1 / # Trades) - 1), geometric", "closed trades"),
    Definition("Avg. Hold", "s", "mean(exit time - entry time)", "closed trades"),
    Definition("Fees Paid", "money", "sum(fee)", "fills"),
    Definition("Slippage Paid", "money", "sum(abs(price - reference) * quantity)", "fills"),
)

BY_NAME: dict[str, Definition] = {definition.name: definition for definition in DEFINITIONS}
CURVE_NAMES: tuple[str, ...] = tuple(definition.name for definition in DEFINITIONS if definition.of_curve)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Return", ("Return [%]", "Buy & Hold Return [%]", "CAGR [%]", "Equity Final", "Equity Peak")),
    (
        "Risk",
        (
            "Volatility (Ann.) [%]",
            "Sharpe Ratio",
            "Sortino Ratio",
            "Calmar Ratio",
            "Max. Drawdown [%]",
            "Max. Drawdown Duration",
        ),
    ),
    ("Span", ("Start", "End", "Duration")),
    (
        "Trades",
        (
            "# Trades",
            "# Open Trades",
            "Win Rate [%]",
            "Profit Factor",
            "Expectancy [%]",
            "Avg. Trade [%]",
            "Best Trade [%]",
            "Worst Trade [%]",
            "SQN",
            "Avg. Hold",
        ),
    ),
    ("Activity and costs", ("Exposure Time [%]", "Turnover (Ann.)", "Fees Paid", "Slippage Paid")),
)
"""The statistics as a page groups them; every name is in one group."""
