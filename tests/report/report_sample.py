"""Results made by hand for the tests of the reports: a moving-average cross on seeded random bars, computed in numpy.

It is no second engine: it exists to give frames of the right shape and curves that add up, in any size, quickly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from neural_trader.honesty.assessment import Assessment
from neural_trader.honesty.checks import Counted, LookAhead, WarmUp
from neural_trader.honesty.trials import Search
from neural_trader.market.bars import Bars, Step
from neural_trader.report.metrics import Stats
from neural_trader.report.outcome import Block, blocks_of
from neural_trader.report.rungs import Rung
from neural_trader.report.worth import assess

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
START_NS = 1_704_067_200 * 1_000_000_000
"""2024-01-01T00:00:00Z"""

TIME = pl.Datetime("ns", "UTC")
FEE, SLIPPAGE = 0.0005, 0.0002
"""Rates that ``make_result`` charges, and states in ``run``."""
COUNTED = Counted("trials.sqlite", Search(12, 0.25), is_new=True, of_project=True)
LOOK_AHEAD = LookAhead((START_NS + HOUR_NS,))
WARM_UP = WarmUp(40, 500, 12)


@dataclass
class Result:
    """The shape that reports read (``report.outcome.Outcome``), so that these tests need no engine."""

    version: str
    run: dict[str, Any]
    bars: tuple[Bars, ...]
    time_ns: np.ndarray
    equity_curve: np.ndarray
    exposed_samples: int
    orders: pl.DataFrame
    fills: pl.DataFrame
    trades: pl.DataFrame
    digests: dict[str, str]
    hash: str
    benchmark_curve: np.ndarray | None = None
    account: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    ladder: tuple[Rung, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    counted: Counted | None = COUNTED
    look_ahead: LookAhead | None = LOOK_AHEAD
    warm_up: WarmUp | None = WARM_UP

    @property
    def series(self) -> tuple[Bars, ...]:
        return self.bars

    @property
    def samples(self) -> int:
        return len(self.equity_curve)

    @property
    def has_benchmark(self) -> bool:
        return self.benchmark_curve is not None

    def blocks(self) -> Iterator[Block]:
        return blocks_of(self.time_ns, self.equity_curve, self.benchmark_curve)

    @cached_property
    def honesty(self) -> Assessment | None:
        return assess(self)

    @cached_property
    def stats(self) -> Stats:
        return Stats.of(self)


def make_bars(symbol: str, count: int, interval_ns: int, seed: int, price: float, origin: str = "synthetic") -> Bars:
    """A geometric random walk with a slow cycle, on a tick of 0.01."""
    rng = np.random.default_rng(seed)
    step = 0.6 * np.sqrt(interval_ns / (365.25 * DAY_NS))
    drift = np.sin(np.linspace(0.0, 9.0, count)) * 4.0 / count
    path = price * np.exp(np.cumsum(rng.normal(0.0, step, count) + drift))
    close = np.maximum(1, np.round(path * 100)).astype(np.int64)
    open_ = np.concatenate([close[:1], close[:-1]])
    wick = np.round(np.abs(rng.normal(0.0, step / 2, (2, count))) * close).astype(np.int64)
    open_ns = START_NS + np.arange(count, dtype=np.int64) * interval_ns
    source = f"random walk, seed {seed}" if origin == "synthetic" else f"data/{symbol}.csv"
    return Bars(
        symbol=symbol,
        tick=Step(1, 2),
        lot=Step(1, 4),
        open_ns=open_ns,
        close_ns=open_ns + interval_ns,
        open=open_,
        high=np.maximum(open_, close) + wick[0],
        low=np.maximum(1, np.minimum(open_, close) - wick[1]),
        close=close,
        volume=np.round(rng.gamma(2.0, 40_000, count)).astype(np.int64),
        origin=origin,  # type: ignore[arg-type]
        source=source,
        interval_ns=interval_ns,
        notes=("tick 0.01 inferred from the prices of the file",) if origin == "file" else (),
    )


def make_result(
    symbols: tuple[str, ...] = ("BTC-USDT",),
    count: int = 4_000,
    interval_ns: int = 4 * HOUR_NS,
    cash: float = 10_000.0,
    origin: str = "synthetic",
    fast: int = 12,
    slow: int = 60,
    both_sides: bool = True,
    benchmark: bool = True,
    strategy: str = "SmaCross",
    warnings: tuple[str, ...] = (),
) -> Result:
    """A complete result; all instruments share one time line and an equal part of the cash."""
    bars = tuple(
        make_bars(symbol, count, interval_ns, 7 + index, 42_000.0 / 12**index, origin)
        for index, symbol in enumerate(symbols)
    )
    equity = np.full(count, cash)
    held = np.full(count, cash)
    exposed = np.zeros(count, dtype=bool)
    trades: list[pl.DataFrame] = []
    fills: list[pl.DataFrame] = []
    orders: list[pl.DataFrame] = []
    next_id = 1
    for one in bars:
        share = cash / len(bars)
        stake = share if count <= 20_000 else share / 50
        frames, profit, position, next_id = _trade(one, stake, fast, slow, both_sides, next_id)
        trades.append(frames[0])
        fills.append(frames[1])
        orders.append(frames[2])
        equity += profit
        exposed |= position != 0
        held += share * (one.close_price / one.open_price[0] - 1.0)
    tables = [pl.concat(frames) for frames in (trades, fills, orders)]
    run: dict[str, Any] = {
        "strategy": strategy,
        "parameters": {"fast": fast, "slow": slow, "both_sides": both_sides},
        "seed": 7,
        "overlays": [],
        "cash": f"{cash:.0f}",
        "currency": "USDT",
        "leverage": "1",
        "fee": {"maker": "0.0002", "taker": "0.0005", "fixed": "0"},
        "slippage": "2 bps",
        "fill": "open",
        "limit": "touch",
        "volume_cap": None,
        "close_at_end": False,
        "like": None,
    }
    digest = hashlib.sha256(f"{symbols}{count}{interval_ns}{fast}{slow}".encode()).hexdigest()
    return Result(
        version="0.1.0",
        run=run,
        bars=bars,
        time_ns=bars[0].close_ns,
        equity_curve=equity,
        exposed_samples=int(exposed.sum()),
        orders=tables[2].sort("time", maintain_order=True),
        fills=tables[1].sort("time", maintain_order=True),
        trades=tables[0].sort("entry_time", maintain_order=True),
        digests=dict.fromkeys(("inputs", "parameters", "orders", "fills", "postings"), digest),
        hash=digest,
        benchmark_curve=held if benchmark else None,
        warnings=warnings,
        origin={
            "strategy": strategy,
            "class": "Sample",
            "source_sha256": None,
            "data": None,
            "symbols": list(symbols),
            "start": None,
            "end": None,
        },
    )


def _trade(
    bars: Bars, cash: float, fast: int, slow: int, both_sides: bool, next_id: int
) -> tuple[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], np.ndarray, np.ndarray, int]:
    """Trades, fills and orders of one instrument, the profit at each close and the position held in each bar."""
    count = len(bars)
    close, open_ = bars.close_price, bars.open_price
    sums = np.concatenate([[0.0], np.cumsum(close)])
    averages = [(sums[n:] - sums[:-n]) / n for n in (fast, slow)]
    signal = np.zeros(count, dtype=np.int64)
    signal[slow - 1 :] = np.sign(averages[0][slow - fast :] - averages[1])
    if not both_sides:
        signal = np.maximum(signal, 0)
    position = np.concatenate([[0], signal[:-1]])
    edges = np.flatnonzero(np.diff(position, prepend=0, append=0))
    begins = edges[position[np.minimum(edges, count - 1)] != 0]
    begins = begins[begins < count]
    ends = edges[np.searchsorted(edges, begins, side="right")]
    side = position[begins]
    quantity = np.floor(cash / open_[begins] * 1e4) / 1e4
    is_open = ends >= count
    exits = np.minimum(ends, count - 1)
    entry = np.round(open_[begins] * (1 + side * SLIPPAGE), 2)
    exit_ = np.where(is_open, close[exits], np.round(open_[exits] * (1 - side * SLIPPAGE), 2))
    entry_fee, exit_fee = entry * quantity * FEE, np.where(is_open, 0.0, exit_ * quantity * FEE)
    pnl = side * (exit_ - entry) * quantity - entry_fee - exit_fee
    profit = np.zeros(count)
    for index in range(len(begins)) if count <= 20_000 else ():
        span = slice(begins[index], ends[index])
        profit[span] += side[index] * (close[span] - entry[index]) * quantity[index] - entry_fee[index]
        profit[ends[index] :] += pnl[index]
    if count > 20_000:
        steps = np.zeros(count + 1)
        np.add.at(steps, exits, pnl)
        profit = np.cumsum(steps[:count])
    times = np.append(bars.open_ns, bars.close_ns[-1])
    entry_ids = next_id + 2 * np.arange(len(begins))
    names = np.where(side > 0, "long", "short")
    closed = ~is_open
    trades = pl.DataFrame(
        {
            "symbol": [bars.symbol] * len(begins),
            "side": names,
            "quantity": quantity,
            "entry_time": times[begins],
            "entry_price": entry,
            "exit_time": pl.Series(times[ends]),
            "exit_price": exit_,
            "pnl": pnl,
            "return": pnl / (entry * quantity),
            "fees": entry_fee + exit_fee,
            "bars": ends - begins,
            "entry_order": entry_ids,
            "exit_order": entry_ids + 1,
            "closed": closed,
        }
    )
    when_closed = [
        pl.when(pl.col("closed")).then(pl.col(name)).alias(name) for name in ("exit_time", "exit_price", "exit_order")
    ]
    trades = trades.with_columns(when_closed).drop("closed")
    trades = trades.with_columns(pl.col("entry_time", "exit_time").cast(TIME))
    at = np.concatenate([begins, exits[closed]])
    ids = np.concatenate([entry_ids, entry_ids[closed] + 1])
    buys = np.concatenate([side > 0, side[closed] < 0])
    sizes = np.concatenate([quantity, quantity[closed]])
    prices = np.concatenate([entry, exit_[closed]])
    fills = pl.DataFrame(
        {
            "time": pl.Series(times[at]).cast(TIME),
            "symbol": [bars.symbol] * len(at),
            "side": np.where(buys, "buy", "sell"),
            "quantity": sizes,
            "price": prices,
            "reference": open_[at],
            "fee": np.concatenate([entry_fee, exit_fee[closed]]),
            "slippage": np.abs(prices - open_[at]) * sizes,
            "liquidity": ["taker"] * len(at),
            "order": ids,
        }
    ).sort("order")
    orders = fills.select(
        pl.col("order").alias("id"),
        pl.lit(None, dtype=pl.Int64).alias("parent"),
        "time",
        "symbol",
        "side",
        pl.lit("market").alias("kind"),
        pl.lit("gtc").alias("time_in_force"),
        pl.lit(None, dtype=pl.Datetime("ns", "UTC")).alias("expires"),
        "quantity",
        pl.lit(None, dtype=pl.Float64).alias("limit"),
        pl.lit(None, dtype=pl.Float64).alias("stop"),
        pl.lit(None, dtype=pl.Float64).alias("trail"),
        pl.col("quantity").alias("filled"),
        pl.lit(0.0).alias("cancelled"),
        pl.lit("filled").alias("state"),
        pl.lit("").alias("reason"),
    )
    return (trades, fills, orders), profit, position, next_id + 2 * len(begins)


def curve_result(
    equity: Any, interval_ns: int = DAY_NS, cash: float = 100.0, benchmark: Any = None, **frames: pl.DataFrame
) -> Result:
    """A result that is nothing but a curve: one flat instrument, no orders, frames only as given."""
    curve = np.asarray(equity, dtype=np.float64)
    count = max(1, len(curve))
    flat = make_bars("FLAT", count, interval_ns, 1, 100.0, "file")
    empty = make_result(count=5, slow=4, fast=2)
    return Result(
        version="0.1.0",
        run={**empty.run, "cash": repr(cash)},
        bars=(flat,),
        time_ns=flat.close_ns[: len(curve)],
        equity_curve=curve,
        exposed_samples=0,
        orders=empty.orders.clear(),
        fills=frames.get("fills", empty.fills.clear()),
        trades=frames.get("trades", empty.trades.clear()),
        digests={},
        hash="0" * 64,
        benchmark_curve=None if benchmark is None else np.asarray(benchmark, dtype=np.float64),
    )


def make_trades(*rows: tuple[float, float, bool]) -> pl.DataFrame:
    """Trades of given (pnl, return, closed), each held for two hours."""
    shape = make_result(count=5, slow=4, fast=2).trades.clear()
    count = len(rows)
    entry = pl.Series([START_NS + HOUR_NS * index for index in range(count)], dtype=pl.Int64).cast(TIME)
    exit_ = [START_NS + HOUR_NS * (index + 2) if closed else None for index, (_, _, closed) in enumerate(rows)]
    return pl.DataFrame(
        {
            "symbol": ["FLAT"] * count,
            "side": ["long"] * count,
            "quantity": [1.0] * count,
            "entry_time": entry,
            "entry_price": [100.0] * count,
            "exit_time": pl.Series(exit_, dtype=pl.Int64).cast(TIME),
            "exit_price": [101.0 if closed else None for _, _, closed in rows],
            "pnl": [pnl for pnl, _, _ in rows],
            "return": [gained for _, gained, _ in rows],
            "fees": [0.1] * count,
            "bars": [2] * count,
            "entry_order": list(range(1, count + 1)),
            "exit_order": [index if closed else None for index, (_, _, closed) in enumerate(rows)],
        },
        schema=shape.schema,
    )
