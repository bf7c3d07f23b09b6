"""Our side of the comparison with vectorbt: the same signals in our engine, and what differs."""

from __future__ import annotations

from typing import Any

import neural_trader as nt
from neural_trader.market.bars import Step
from peers.deviations import Comparison, close_to
from peers.markets import BAR_NS, Job, bars_of


class Signals(nt.Strategy):
    """Enters and leaves where a job says so; a bar with both signals is passed over, as the package does."""

    def on_bar(self, bar: nt.Bar) -> None:
        enters, leaves = self.job["entries"][bar.index], self.job["exits"][bar.index]
        if enters and not leaves:
            sl, tp = self.job["sl"], self.job["tp"]
            exits: dict[str, Any] = {}
            if sl is not None:
                exits["stop_loss"] = bar.close * (1 - sl / 1e6)
            if tp is not None:
                exits["take_profit"] = bar.close * (1 + tp / 1e6)
            self.target(1.0, **exits)
        elif leaves and not enters:
            self.target(0.0)


def run(job: Job) -> nt.Result:
    """The job in our engine."""
    strategy = type("Of", (Signals,), {"job": job})
    return nt.backtest(
        strategy,
        bars_of(job, Step(1, job["lot"])),
        cash=f"{job['cash'] / 100:.2f}",
        fee=f"{job['rate']}bps/{job['rate']}bps/{job['fixed'] / 100:.2f}",
        slippage=f"{job['slippage']}bps",
        like="vectorbt",
        benchmark=False,
    )


def told(result: nt.Result) -> dict[str, Any]:
    """The outcome in the words of the package's answer; an open trade ends at the last close."""
    trades, fills = result.engine.trade_arrays(), result.engine.fill_arrays()
    rows = []
    last = result.bars[0]
    for at, entry in enumerate(trades["entry_fill"]):
        leave = trades["exit_fill"][at]
        is_open = leave < 0
        end = (
            [len(last) - 1, float(last.close_price[-1]), 0.0]
            if is_open
            else [int(fills["time_ns"][leave]) // BAR_NS, float(fills["price"][leave]), float(fills["fee"][leave])]
        )
        start = [int(fills["time_ns"][entry]) // BAR_NS, float(fills["price"][entry]), float(fills["fee"][entry])]
        size, gain = float(trades["quantity"][at]), float(trades["pnl"][at])
        rows.append([size, start[0], end[0], start[1], end[1], start[2], end[2], gain, float(not is_open)])
    return {"trades": rows, "equity": [float(amount) for amount in result.equity_curve]}


def compare(theirs: dict[str, Any], ours: dict[str, Any]) -> Comparison:
    """Every trade and every equity of a job."""
    comparison = Comparison()
    for at, (trade, mine) in enumerate(zip(theirs["trades"], ours["trades"], strict=False)):
        if not all(map(close_to, trade, mine)):
            comparison.unexplained = f"trade {at}: theirs {trade}, ours {mine}"
            return comparison
    if len(theirs["trades"]) != len(ours["trades"]):
        comparison.unexplained = f"{len(theirs['trades'])} trades, ours {len(ours['trades'])}"
        return comparison
    for index, (equity, mine) in enumerate(zip(theirs["equity"], ours["equity"], strict=True)):
        if not close_to(equity, mine):
            comparison.unexplained = f"equity in bar {index}: theirs {equity}, ours {mine}"
            return comparison
    return comparison


EXPECTED = {"stop loss", "take profit", "stop at the open", "signal exit", "open at the end", "entry while held"}
"""What a thousand markets have to contain for their equality to mean something."""


def situations(job: Job, result: nt.Result) -> set[str]:
    """What happened in a job."""
    orders, fills = result.engine.orders, result.engine.fills
    found = set()
    held = False
    at_bar = {time_ns // BAR_NS: at for at, time_ns in enumerate(fills["time_ns"])}
    for index, enters in enumerate(job["entries"]):
        if held and enters and index not in at_bar:
            found.add("entry while held")
        if index in at_bar:
            at = at_bar[index]
            kind, side = orders["kind"][fills["order"][at] - 1], fills["side"][at]
            held = side > 0
            if side < 0:
                found.add(("signal exit", "take profit", "stop loss")[kind])
            is_at_open = fills["reference"][at] == job["open"][index] * (10**9 // 10**2)
            if kind and is_at_open:
                found.add("stop at the open")
    if held:
        found.add("open at the end")
    return found
