"""A bare loop in numba that does the same: the cross, orders at the next open, fees, fills, equity, every statistic.

What a careful user would write for this one strategy; it checks nothing of the data and knows no other order.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import polars as pl
from worker import Job, fills, serve

NEEDED = ["time", "open", "close"]
YEAR_NS = 365.25 * 86_400e9
MINUTE_NS = 60_000_000_000


@numba.njit
def cross(open_, close, fast, slow, cash, fee):  # type: ignore[no-untyped-def]
    """Equity at every close, and the bar, side and price of every fill."""
    count = len(close)
    equity = np.empty(count)
    at, side, price = np.empty(count // 8, np.int64), np.empty(count // 8, np.int8), np.empty(count // 8)
    filled = exposed = 0
    fast_sum = slow_sum = position = target = 0.0
    before = np.nan
    for bar in range(count):
        if target != position:
            change = target - position
            cash -= change * open_[bar] + abs(change) * open_[bar] * fee
            position = target
            at[filled], side[filled], price[filled] = bar, int(change), open_[bar]
            filled += 1
        fast_sum += close[bar] - (close[bar - fast] if bar >= fast else 0.0)
        slow_sum += close[bar] - (close[bar - slow] if bar >= slow else 0.0)
        if bar + 1 >= slow:
            spread = fast_sum / fast - slow_sum / slow
            if spread > 0.0 and before <= 0.0:
                target = 1.0
            elif spread < 0.0 and before >= 0.0:
                target = 0.0
            before = spread
        equity[bar] = cash + position * close[bar]
        exposed += position != 0.0
    return equity, at[:filled], side[:filled], price[:filled], exposed


@numba.njit
def is_sound(time, open_, high, low, close, volume):  # type: ignore[no-untyped-def]
    """What we refuse to run without: rising times, positive finite prices that do not contradict one another."""
    wrong = 0
    for bar in range(len(close)):
        inside = 0.0 < low[bar] <= min(open_[bar], close[bar]) and max(open_[bar], close[bar]) <= high[bar] < np.inf
        wrong += not (inside and 0.0 <= volume[bar] < np.inf)
    for bar in range(1, len(time)):
        wrong += time[bar] <= time[bar - 1]
    return wrong == 0


@numba.njit
def hold(open_, close, cash, fee):  # type: ignore[no-untyped-def]
    """Equity of buy and hold: as much as the cash carries, bought at the second open."""
    equity = np.empty(len(close))
    equity[0] = cash
    quantity = min(math.floor(cash / close[0]), math.floor(cash / (open_[1] * (1.0 + fee))))
    cash -= quantity * open_[1] * (1.0 + fee)
    for bar in range(1, len(close)):
        equity[bar] = cash + quantity * close[bar]
    return equity


@numba.njit
def measure(time, equity, cash):  # type: ignore[no-untyped-def]
    """Everything that a curve determines, in one pass."""
    previous = peak = cash
    peak_ns, longest_ns = time[0], np.int64(0)
    total = returns = squares = losses = deepest = 0.0
    below = False
    for bar in range(len(equity)):
        value = equity[bar]
        total += value
        change = value / previous - 1.0
        returns += change
        squares += change * change
        if change < 0.0:
            losses += change * change
        previous = value
        now_ns = time[bar] + MINUTE_NS
        if value >= peak:
            if below:
                longest_ns = max(longest_ns, now_ns - peak_ns)
            peak, peak_ns, below = value, now_ns, False
        else:
            deepest = min(deepest, value / peak - 1.0)
            below = True
    if below:
        longest_ns = max(longest_ns, time[-1] + MINUTE_NS - peak_ns)
    count = len(equity)
    mean = returns / count
    deviation = math.sqrt((squares - count * mean * mean) / (count - 1))
    return total / count, peak, mean, deviation, math.sqrt(losses / count), deepest, longest_ns


def of_curve(time: Any, equity: Any, cash: float) -> tuple[dict[str, float], float, float]:
    """The statistics of a curve, its mean, and its length in years."""
    mean_equity, peak, mean, deviation, downside, deepest, longest_ns = measure(time, equity, cash)
    years = (int(time[-1]) + MINUTE_NS - int(time[0])) / YEAR_NS
    root = math.sqrt(len(equity) / years)
    annual = 100.0 * math.expm1(math.log(equity[-1] / cash) / years)
    facts = {
        "Equity Final": float(equity[-1]),
        "Equity Peak": float(peak),
        "Return [%]": 100.0 * (float(equity[-1]) / cash - 1.0),
        "CAGR [%]": annual,
        "Volatility (Ann.) [%]": 100.0 * deviation * root,
        "Sharpe Ratio": mean / deviation * root,
        "Sortino Ratio": mean / downside * root,
        "Calmar Ratio": annual / (-100.0 * deepest),
        "Max. Drawdown [%]": 100.0 * deepest,
        "Max. Drawdown Duration": longest_ns / 1e9,
    }
    return facts, mean_equity, years


def of_trades(time: Any, at: Any, price: Any, fee: float) -> dict[str, float]:
    """The statistics of closed trades; fills alternate between entry and exit."""
    closed = len(at) // 2
    enter, leave = price[0 : 2 * closed : 2], price[1 : 2 * closed : 2]
    pnl = leave - enter - fee * (enter + leave)
    returns = pnl / enter
    return {
        "# Trades": closed,
        "# Open Trades": len(at) - 2 * closed,
        "Win Rate [%]": 100.0 * int((pnl > 0.0).sum()) / closed,
        "Profit Factor": float(pnl[pnl > 0.0].sum() / -pnl[pnl < 0.0].sum()),
        "Expectancy [%]": 100.0 * float(returns.mean()),
        "SQN": math.sqrt(closed) * float(pnl.mean() / pnl.std(ddof=1)),
        "Best Trade [%]": 100.0 * float(returns.max()),
        "Worst Trade [%]": 100.0 * float(returns.min()),
        "Avg. Trade [%]": 100.0 * math.expm1(float(np.log1p(returns).mean())),
        "Avg. Hold": float((time[at[1 : 2 * closed : 2]] - time[at[0 : 2 * closed : 2]]).mean()) / 1e9,
    }


class NumbaLoop:
    """Reading with polars, the loop, the statistics."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = numba.__version__
        self.cash, self.fee = float(job["cash"]), float(job["fee"])
        self.time, self.open, self.close = self.read(None)
        self.works = {
            "whole run, data checked like ours": self.checked,
            "whole run": lambda: self.whole(None),
            "whole run, three columns": lambda: self.whole(NEEDED),
            "loop": lambda: self.loop(self.open, self.close),
            "load": lambda: self.read(None),
        }

    def read(self, columns: list[str] | None) -> tuple[Any, Any, Any]:
        frame = pl.read_parquet(self.job["parquet"], columns=columns)
        return frame["time"].to_physical().to_numpy(), frame["open"].to_numpy(), frame["close"].to_numpy()

    def checked(self) -> Any:
        frame = pl.read_parquet(self.job["parquet"])
        time, open_, close = frame["time"].to_physical().to_numpy(), frame["open"].to_numpy(), frame["close"].to_numpy()
        if not is_sound(
            time, open_, frame["high"].to_numpy(), frame["low"].to_numpy(), close, frame["volume"].to_numpy()
        ):
            raise ValueError("these bars contradict themselves")
        run = self.loop(open_, close)
        return run, self.stats(time, open_, close, *run)

    def loop(self, open_: Any, close: Any) -> Any:
        return cross(open_, close, self.job["fast"], self.job["slow"], self.cash, self.fee)

    def whole(self, columns: list[str] | None) -> Any:
        time, open_, close = self.read(columns)
        run = self.loop(open_, close)
        return run, self.stats(time, open_, close, *run)

    def stats(
        self, time: Any, open_: Any, close: Any, equity: Any, at: Any, side: Any, price: Any, exposed: int
    ) -> dict[str, float]:
        facts, mean_equity, years = of_curve(time, equity, self.cash)
        held, _, _ = of_curve(time, hold(open_, close, self.cash, self.fee), self.cash)
        facts |= of_trades(time, at, price, self.fee)
        facts["Buy & Hold Return [%]"] = held["Return [%]"]
        facts["Exposure Time [%]"] = 100.0 * exposed / len(equity)
        facts["Fees Paid"] = self.fee * float(price.sum())
        facts["Turnover (Ann.)"] = float(price.sum()) / 2.0 / mean_equity / years
        return facts

    def result(self) -> dict[str, Any]:
        self.checked()
        run = self.loop(self.open, self.close)
        _, at, side, price, _ = run
        return {
            "fill": "open",
            "until_ns": int(self.time[-1]) + MINUTE_NS,
            "fills": fills(self.time[at], side, price, np.ones(len(at))),
            "stats": self.stats(self.time, self.open, self.close, *run),
        }


serve(NumbaLoop)
