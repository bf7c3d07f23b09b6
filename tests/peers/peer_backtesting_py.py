"""Runs in the environment of backtesting.py: plays order programs and the package's own example.

Usage: python peer_backtesting_py.py JOBS.json ANSWER.json
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from backtesting import Backtest, Strategy, backtesting
from backtesting.lib import crossover
from backtesting.test import GOOG, SMA

START = pd.Timestamp("2024-01-01")


class Program(Strategy):
    """Sends the orders that a job lists for each bar."""

    job: Any = None

    def init(self) -> None:
        self.sent: list[Any] = []
        self.job["broker"] = self._broker

    def next(self) -> None:
        for action in self.job["program"].get(str(len(self.data) - 1), ()):
            self._do(action)

    def _do(self, action: dict[str, Any]) -> None:
        if "cancel" in action:
            order = self.sent[action["cancel"]]
            if order is not None and order in self._broker.orders:
                order.cancel()
            return
        if "close" in action:
            self.position.close()
            return
        terms = {name: action[name] / 100 for name in ("limit", "stop", "sl", "tp") if name in action}
        if "units" in action:
            terms["size"] = action["units"]
        elif "fraction" in action:
            terms["size"] = action["fraction"] / 1000
        try:
            self.sent.append((self.buy if action["side"] > 0 else self.sell)(**terms))
        except ValueError:
            # Exits on the wrong side of the entry; we reject such an order.
            self.sent.append(None)


def play(job: dict[str, Any]) -> dict[str, Any]:
    """The trades and the equity of a job."""
    columns = {name.capitalize(): [ticks / 100 for ticks in job[name]] for name in ("open", "high", "low", "close")}
    index = pd.date_range(START, periods=len(job["open"]), freq="D")
    test = Backtest(
        pd.DataFrame(columns, index=index),
        Program,
        cash=job["cash"] / 100,
        commission=(job["fixed"] / 100, job["rate"] / 10_000),
        margin=job["margin"],
        trade_on_close=job["trade_on_close"],
        exclusive_orders=job["exclusive_orders"],
        finalize_trades=job["finalize_trades"],
    )
    error = None
    try:
        test.run(job=job)
    except AssertionError as failure:
        error = f"AssertionError: {failure}"
    broker = job["broker"]
    closed = [
        [int(t.size), t.entry_bar, t.exit_bar, float(t.entry_price), float(t.exit_price), float(t.pl)]
        for t in broker.closed_trades
    ]
    still_open = [[int(t.size), t.entry_bar, float(t.entry_price)] for t in broker.trades]
    equity = [None if math.isnan(value) else float(value) for value in broker._equity]
    return {"closed": closed, "open": still_open, "equity": equity, "error": error}


class SmaCross(Strategy):
    """The package's tutorial: the market from both sides of a cross of averages."""

    def init(self) -> None:
        self.fast = self.I(SMA, self.data.Close, 10)
        self.slow = self.I(SMA, self.data.Close, 20)

    def next(self) -> None:
        if crossover(self.fast, self.slow):
            self.buy()
        elif crossover(self.slow, self.fast):
            self.sell()


def example(finalize_trades: bool) -> dict[str, Any]:
    """The example on the bars that the package ships."""
    test = Backtest(
        GOOG, SmaCross, commission=0.002, exclusive_orders=True, cash=10_000, finalize_trades=finalize_trades
    )
    stats = test.run()
    trades = stats["_trades"]
    return {
        "trades": int(stats["# Trades"]),
        "final": float(stats["Equity Final [$]"]),
        "sharpe": float(stats["Sharpe Ratio"]),
        "equity": [float(value) for value in stats["_equity_curve"]["Equity"]],
        "pnl": [float(value) for value in trades["PnL"]],
        "sizes": [int(value) for value in trades["Size"]],
    }


def main() -> None:
    """Answer the jobs of a file."""
    backtesting._tqdm = lambda sequence, **_: sequence
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "example" in jobs:
            bars = {name.lower(): [float(value) for value in GOOG[name]] for name in GOOG.columns}
            answer: Any = {
                "days": [day.date().isoformat() for day in GOOG.index],
                "bars": bars,
                "runs": {str(finalize): example(finalize) for finalize in (False, True)},
            }
        else:
            # Only the broker is compared here, and its statistics would take most of the time.
            backtesting.compute_stats = lambda **_: None
            answer = [play(job) for job in jobs["markets"]]
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


main()
