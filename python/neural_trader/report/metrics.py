"""The statistics of a run, with buy and hold beside them; ``definitions`` states every formula."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from neural_trader.report.curve import CurveFacts, Measure
from neural_trader.report.definitions import BY_NAME, CURVE_NAMES, DEFINITIONS
from neural_trader.report.display import NOT_AVAILABLE, rfc3339, statistic
from neural_trader.report.outcome import initial_cash, start_ns

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from neural_trader.report.outcome import Floats, Outcome

Value = float | int | str | None

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""A deviation of returns up to this is the rounding of ``E[i] / E[i-1]`` and no variation of the returns."""


class Stats(Mapping[str, Value]):
    """The statistics of one run by name. What is undefined is ``None``, and ``undefined[name]`` says why.

    ``benchmark`` holds the curve statistics of buy and hold (empty if it was not run), ``benchmark_undefined`` the
    reasons of those that have no value.
    """

    def __init__(
        self,
        values: Mapping[str, Value],
        undefined: Mapping[str, str],
        benchmark: Mapping[str, Value],
        benchmark_undefined: Mapping[str, str],
        currency: str = "",
    ) -> None:
        self._values = dict(values)
        self.undefined = dict(undefined)
        self.benchmark = dict(benchmark)
        self.benchmark_undefined = dict(benchmark_undefined)
        self.currency = currency

    @classmethod
    def of(cls, result: Outcome) -> Stats:
        """Compute all statistics of a result."""
        cash, begin_ns = initial_cash(result), start_ns(result)
        own, held = Measure(cash, begin_ns), Measure(cash, begin_ns)
        for block in result.blocks():
            own.add(block.time_ns, block.equity)
            if block.benchmark is not None:
                held.add(block.time_ns, block.benchmark)
        table = _Table()
        facts = own.facts()
        _describe_curve(table, facts)

        benchmark = _Table()
        if result.has_benchmark:
            _describe_curve(benchmark, held.facts())
            table.copy("Buy & Hold Return [%]", benchmark, "Return [%]")
        else:
            table.skip("Buy & Hold Return [%]", "buy and hold was not run")

        table.put("Start", rfc3339(begin_ns))
        table.put("End", rfc3339(facts.end_ns))
        table.put("Duration", (facts.end_ns - begin_ns) / 1e9)
        if facts.samples:
            table.put("Exposure Time [%]", 100.0 * result.exposed_samples / facts.samples)
        else:
            table.skip("Exposure Time [%]", "no samples")
        _describe_fills(table, facts, result.fills)
        _describe_trades(table, result.trades)
        values = {definition.name: table.values[definition.name] for definition in DEFINITIONS}
        undefined = {name: table.undefined[name] for name in values if name in table.undefined}
        beside = {name: benchmark.values[name] for name in CURVE_NAMES if name in benchmark.values}
        currency = str(result.run.get("currency") or "")
        return cls(values, undefined, beside, benchmark.undefined, currency)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def explain(self, name: str) -> str:
        """Formula, unit and source of a statistic, and why it has no value if it has none."""
        definition = BY_NAME[name]
        text = f"{name} = {definition.formula} [{definition.unit}; from {definition.source}]"
        return f"{text}; n/a: {self.undefined[name]}" if name in self.undefined else text

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value and buy-and-hold value as text; the latter empty where buy and hold has no such statistic."""
        return [
            (name, statistic(name, value), statistic(name, self.benchmark[name]) if name in self.benchmark else "")
            for name, value in self._values.items()
        ]

    def __str__(self) -> str:
        rows = self.rows()
        name_width = max(len(name) for name, _, _ in rows)
        value_width = max(len(value) for _, value, _ in rows)
        other_width = max((len(other) for _, _, other in rows), default=0)
        lines = [f"{'':{name_width}}  {'strategy':>{value_width}}  {'buy & hold':>{other_width}}".rstrip()]
        for name, value, other in rows:
            reason = f"  ({self.undefined[name]})" if name in self.undefined else ""
            lines.append(f"{name:{name_width}}  {value:>{value_width}}  {other:>{other_width}}{reason}".rstrip())
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        table.add_column("strategy", justify="right")
        table.add_column("buy & hold", justify="right", style="dim")
        table.add_column("", style="dim")
        for name, value, other in self.rows():
            table.add_row(Text(name), Text(value), Text(other), Text(self.undefined.get(name, "")))
        return table

    def _repr_html_(self) -> str:
        cell = 'style="text-align:right;font-variant-numeric:tabular-nums"'
        rows = "".join(
            f'<tr title="{escape(BY_NAME[name].formula)}"><td style="text-align:left">{escape(name)}</td>'
            f"<td {cell}>{escape(value)}</td><td {cell}>{escape(other)}</td>"
            f'<td style="text-align:left">{escape(self.undefined.get(name, ""))}</td></tr>'
            for name, value, other in self.rows()
        )
        head = f"<tr><th></th><th {cell}>strategy</th><th {cell}>buy &amp; hold</th><th></th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


class _Table:
    """Values and reasons under construction: each name gets exactly one of both."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.undefined: dict[str, str] = {}

    def put(self, name: str, value: float | int | str) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            self.skip(name, "too large to represent")
        else:
            self.values[name] = value

    def skip(self, name: str, reason: str) -> None:
        self.values[name] = None
        self.undefined[name] = reason

    def copy(self, name: str, other: _Table, other_name: str) -> None:
        self.values[name] = other.values[other_name]
        if other_name in other.undefined:
            self.undefined[name] = other.undefined[other_name]


def _describe_curve(table: _Table, facts: CurveFacts) -> None:
    """Everything that a curve alone determines; the names are ``CURVE_NAMES``."""
    table.put("Equity Final", facts.final)
    table.put("Equity Peak", facts.peak)
    table.put("Return [%]", 100.0 * (facts.final / facts.initial - 1.0))
    table.put("Max. Drawdown [%]", 100.0 * facts.drawdown)
    table.put("Max. Drawdown Duration", facts.underwater_ns / 1e9)

    growth = facts.final / facts.initial
    if not facts.samples or facts.years <= 0.0:
        table.skip("CAGR [%]", "the run spans no time")
    elif facts.ruin_ns is not None:
        table.skip("CAGR [%]", _ruined(facts.ruin_ns))
    else:
        try:
            table.put("CAGR [%]", 100.0 * math.expm1(math.log(growth) / facts.years))
        except OverflowError:
            table.skip("CAGR [%]", "too large to represent")

    _describe_variation(table, facts)

    annual = table.values["CAGR [%]"]
    if annual is None:
        table.skip("Calmar Ratio", table.undefined["CAGR [%]"])
    elif facts.drawdown < 0.0:
        table.put("Calmar Ratio", float(annual) / (-100.0 * facts.drawdown))
    else:
        table.skip("Calmar Ratio", "no drawdown")
    assert table.values.keys() >= set(CURVE_NAMES)


def _describe_variation(table: _Table, facts: CurveFacts) -> None:
    """Volatility, and the mean return as a multiple of it."""
    periods_root = math.sqrt(facts.samples / facts.years) if facts.years > 0.0 else 0.0
    reason = None
    if facts.ruin_ns is not None:
        reason = _ruined(facts.ruin_ns)
    elif facts.samples < 2:
        reason = "fewer than two returns"
    varies = facts.return_deviation > ROUNDING
    if reason:
        table.skip("Volatility (Ann.) [%]", reason)
        table.skip("Sharpe Ratio", reason)
        table.skip("Sortino Ratio", reason)
    else:
        table.put("Volatility (Ann.) [%]", 100.0 * facts.return_deviation * periods_root if varies else 0.0)
        if varies:
            table.put("Sharpe Ratio", facts.return_mean / facts.return_deviation * periods_root)
        else:
            table.skip("Sharpe Ratio", "returns do not vary")
        if facts.downside_deviation > ROUNDING:
            table.put("Sortino Ratio", facts.return_mean / facts.downside_deviation * periods_root)
        else:
            table.skip("Sortino Ratio", "no losing returns")


def _ruined(ruin_ns: int) -> str:
    return f"equity was not positive at {rfc3339(ruin_ns)}"


def _describe_fills(table: _Table, facts: CurveFacts, fills: pl.DataFrame) -> None:
    if fills.height:
        prices = fills["price"].cast(float).to_numpy()
        quantities = fills["quantity"].cast(float).to_numpy()
        # Of a contract, price times quantity is not what it is worth.
        notional = float((fills["notional"] if "notional" in fills.columns else prices * quantities).sum())
        table.put("Fees Paid", float(fills["fee"].cast(float).sum()))
        table.put("Slippage Paid", float(fills["slippage"].cast(float).sum()))
    else:
        notional = 0.0
        table.put("Fees Paid", 0.0)
        table.put("Slippage Paid", 0.0)
    if facts.years <= 0.0:
        table.skip("Turnover (Ann.)", "the run spans no time")
    elif facts.mean_equity <= 0.0:
        table.skip("Turnover (Ann.)", "mean equity is not positive")
    else:
        table.put("Turnover (Ann.)", notional / 2.0 / facts.mean_equity / facts.years)


def _describe_trades(table: _Table, trades: pl.DataFrame) -> None:
    # Filtering wakes the threads of polars, for nothing where all trades are closed.
    closed = trades.filter(trades["exit_time"].is_not_null()) if trades["exit_time"].null_count() else trades
    open_count = trades.height - closed.height
    count = closed.height
    table.put("# Trades", count)
    table.put("# Open Trades", open_count)
    if not count:
        reason = f"no closed trades ({open_count} open)" if open_count else "no trades"
        for name in _OF_CLOSED_TRADES:
            table.skip(name, reason)
        return
    pnl: Floats = closed["pnl"].cast(float).to_numpy()
    returns: Floats = closed["return"].cast(float).to_numpy()
    gained = float(pnl[pnl > 0.0].sum())
    lost = -float(pnl[pnl < 0.0].sum())
    table.put("Win Rate [%]", 100.0 * int((pnl > 0.0).sum()) / count)
    if lost > 0.0:
        table.put("Profit Factor", gained / lost)
    else:
        table.skip("Profit Factor", "no losing trades")
    table.put("Expectancy [%]", 100.0 * float(returns.mean()))
    table.put("Best Trade [%]", 100.0 * float(returns.max()))
    table.put("Worst Trade [%]", 100.0 * float(returns.min()))
    if float(returns.min()) <= -1.0:
        table.skip("Avg. Trade [%]", "a trade lost its whole entry value, so there is no geometric mean")
    else:
        table.put("Avg. Trade [%]", 100.0 * math.expm1(float(np.log1p(returns).mean())))
    deviation = float(pnl.std(ddof=1)) if count > 1 else 0.0
    if count < 2:
        table.skip("SQN", "fewer than two closed trades")
    elif deviation <= ROUNDING * float(np.abs(pnl).max()):
        table.skip("SQN", "profits do not vary")
    else:
        table.put("SQN", math.sqrt(count) * float(pnl.mean()) / deviation)
    held: Floats = (closed["exit_time"] - closed["entry_time"]).dt.total_nanoseconds().cast(float).to_numpy()
    table.put("Avg. Hold", float(held.mean()) / 1e9)


_OF_CLOSED_TRADES = tuple(definition.name for definition in DEFINITIONS if definition.source == "closed trades")

__all__ = ["NOT_AVAILABLE", "Stats", "Value"]
