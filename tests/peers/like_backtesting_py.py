"""Our side of the comparison with backtesting.py: the same programs in our engine, and what differs."""

from __future__ import annotations

from typing import Any

import neural_trader as nt
from neural_trader.market.bars import Step
from peers.markets import BAR_NS, Job, bars_of


class Program(nt.Strategy):
    """Sends the orders that a job lists for each bar, through the calls that every strategy has."""

    def on_start(self) -> None:
        self.sent: list[int] = []

    def on_bar(self, bar: nt.Bar) -> None:
        for action in self.program.get(str(bar.index), ()):
            self._do(action)

    def _do(self, action: dict[str, Any]) -> None:
        if "cancel" in action:
            self.cancel(self.sent[action["cancel"]])
            return
        if "close" in action:
            self.target(0.0)
            return
        names = {"limit": "limit", "stop": "stop", "sl": "stop_loss", "tp": "take_profit"}
        terms: dict[str, Any] = {ours: action[theirs] / 100 for theirs, ours in names.items() if theirs in action}
        if "units" in action:
            terms["quantity"] = action["units"]
        elif "fraction" in action:
            terms["fraction"] = action["fraction"] / 1000
        self.sent.append((self.buy if action["side"] > 0 else self.sell)(**terms))


def like_of(job: Job) -> str:
    options = [name for name in ("exclusive_orders", "finalize_trades", "trade_on_close") if job[name]]
    return "backtesting.py" + (f":{','.join(options)}" if options else "")


def run(job: Job) -> nt.Result:
    """The job in our engine."""
    strategy = type("Of", (Program,), {"program": job["program"]})
    return nt.backtest(
        strategy,
        bars_of(job, Step(1, job["lot"])),
        cash=f"{job['cash'] / 100:.2f}",
        fee=f"{job['rate']}bps/{job['rate']}bps/{job['fixed'] / 100:.2f}",
        leverage=round(1 / job["margin"]),
        like=like_of(job),
        benchmark=False,
    )


def told(result: nt.Result, job: Job) -> dict[str, Any]:
    """The outcome in the words of the package's answer; times are bars."""
    fills, trades, unit = result.engine.fills, result.engine.trades, 10 ** job["lot"]
    closed, still_open = [], []
    for at, entry in enumerate(trades["entry_fill"]):
        size = trades["direction"][at] * trades["quantity"][at] // unit
        leave = trades["exit_fill"][at]
        start = [size, fills["time_ns"][entry] // BAR_NS, fills["price"][entry] / 100]
        if leave < 0:
            still_open.append(start)
        else:
            end = [fills["time_ns"][leave] // BAR_NS, fills["price"][leave] / 100, trades["pnl"][at] / 10**18]
            closed.append([size, start[1], end[0], start[2], *end[1:]])
    return {"closed": closed, "open": still_open, "equity": [float(amount) for amount in result.equity_curve]}
