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


EXPECTED = {
    "market", "limit", "stop", "stop_limit", "stop loss", "take profit", "stop loss in the entry bar",
    "margin cancels", "refused", "cancelled", "replaced", "several trades at once", "closed in parts",
    "ruin", "exit in front", "reversed by one order",
}  # fmt: skip
"""What a thousand markets have to contain for their equality to mean something."""


def situations(job: Job, result: nt.Result) -> set[str]:
    """What happened in a job."""
    orders, fills, trades = result.engine.orders, result.engine.fills, result.engine.trades
    found = set()
    pieces: dict[int, set[int]] = {}
    for at, order in enumerate(fills["order"]):
        if order:
            parent, kind = orders["parent"][order - 1], orders["kind"][order - 1]
            child = {0: "exit in front", 1: "take profit", 2: "stop loss"}
            found.add(child[kind] if parent else ("market", "limit", "stop", "stop_limit")[kind])
            pieces.setdefault(order, set()).add(at)
        else:
            found.add("ruin")
    ended = {(2, 2): "margin cancels", (4, 11): "refused", (2, 1): "cancelled", (2, 3): "replaced"}
    found |= {ended[end] for end in zip(orders["state"], orders["reason"], strict=True) if end in ended}
    entries, exits = set(trades["entry_fill"]), set(trades["exit_fill"])
    if any(own & entries and own & exits for own in pieces.values()):
        found.add("reversed by one order")
    if any(len(own & exits) > 1 for own in pieces.values()):
        found.add("several trades at once")
    if len(trades["entry_fill"]) > len(entries):
        found.add("closed in parts")
    for entry, leave in zip(trades["entry_fill"], trades["exit_fill"], strict=True):
        is_stop = leave >= 0 and fills["order"][leave] and orders["kind"][fills["order"][leave] - 1] == 2
        if is_stop and fills["time_ns"][entry] // BAR_NS == fills["time_ns"][leave] // BAR_NS:
            found.add("stop loss in the entry bar")
    return found
