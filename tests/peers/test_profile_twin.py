"""The rules of backtesting.py in Rust and in plain Python: equal in every record, seed by seed."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import astuple
from random import Random
from typing import Any

import pytest

from neural_trader._native import Engine
from neural_trader.baseline.like_backtesting_py import EngineLikeBacktestingPy
from neural_trader.market.bars import Step
from parity.outcome import RecordsFromColumns, rows_of_columns
from peers.markets import Job, bars_of, order_job

SEEDS = int(os.environ.get("NT_TWIN_SEEDS", "500"))
CENT = 10**16
BILLION = 10**9


class Program:
    """The orders of a job and odd ones beside them, in calls that both engines take; ``seen`` is what it was told."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._random = Random(~job["seed"])
        self._unit = 10 ** job["lot"]
        self._sent: list[int] = []
        self.seen: list[tuple[Any, ...]] = []

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        self._see(engine, "bar", bar_index)
        for action in self._job["program"].get(str(bar_index), ()):
            self._do(engine, action)
        if self._random.random() < 0.1:
            self._odd(engine)

    def on_fill(self, engine: Any, fill: Any) -> None:
        self._see(engine, "fill", fill.order, fill.quantity, fill.price)
        if self._random.random() < 0.05:
            self._odd(engine)

    def on_order(self, engine: Any, order: Any) -> None:
        self._see(engine, "order", order.id, order.state, order.reason, order.filled, order.cancelled)

    def _see(self, engine: Any, what: str, *numbers: int) -> None:
        state = (engine.position(0), engine.mark(0), engine.cash(), engine.equity(), engine.halted)
        self.seen.append((what, *map(int, (*numbers, *state))))

    def _do(self, engine: Any, action: dict[str, Any]) -> None:
        if "cancel" in action:
            self.seen.append(("cancel", engine.cancel(self._sent[action["cancel"]])))
            return
        if "close" in action:
            self.seen.append(("close", engine.submit(0, 1, size_kind="target_quantity", size=0)))
            return
        names = {"limit": "limit", "stop": "stop", "sl": "stop_loss", "tp": "take_profit"}
        terms: dict[str, Any] = {ours: action[theirs] for theirs, ours in names.items() if theirs in action}
        kind = "_".join(name for name in ("stop", "limit") if name in terms) or "market"
        if "units" in action:
            terms["size"] = action["units"] * self._unit
        else:
            terms |= {"size_kind": "fraction", "size": action.get("fraction", 1000) * BILLION // 1000}
        self._sent.append(engine.submit(0, action["side"], kind, **terms))

    def _odd(self, engine: Any) -> None:
        """Targets, and orders that are refused."""
        random = self._random
        side = random.choice((1, -1))
        lots = random.randint(1, 50) * self._unit
        mark = engine.mark(0)
        terms = random.choice(
            (
                {"size_kind": "target_fraction", "size": side * random.choice((BILLION, BILLION // 2, 2 * BILLION))},
                {"size_kind": "target_quantity", "size": side * lots, "stop_loss": max(1, mark - side * 3)},
                {"size_kind": "target_quantity", "size": lots + 1},
                {"size_kind": "target_fraction", "size": 0},
                {"size": 0},
                {"size": lots + 1},
                {"size": lots, "kind": "limit", "limit": 0},
                {"size_kind": "fraction", "size": random.choice((0, BILLION + 1))},
                {"size": lots, "take_profit": mark},
            )
        )
        self.seen.append(("odd", engine.submit(0, side, **terms)))
        # A child may have any of the next numbers.
        if random.random() < 0.3:
            self.seen.append(("cancel", engine.cancel(random.randint(1, len(self._sent) + 6))))


def settings_of(job: Job) -> dict[str, Any]:
    return {
        "cash": job["cash"] * CENT,
        "leverage_ppb": round(BILLION / job["margin"]),
        "maker_ppb": job["rate"] * 100_000,
        "taker_ppb": job["rate"] * 100_000,
        "fixed_fee": job["fixed"] * CENT,
        "fill_close": job["trade_on_close"],
        "close_at_end": job["finalize_trades"],
        "exclusive_orders": job["exclusive_orders"],
    }


def play_plain(job: Job) -> tuple[dict[str, Any], EngineLikeBacktestingPy]:
    engine = EngineLikeBacktestingPy([bars_of(job, Step(1, job["lot"]))], **settings_of(job))
    program = Program(job)
    engine.run(program)
    records = {"orders": engine.orders, "fills": engine.fills, "postings": engine.postings, "trades": engine.trades()}
    outcome: dict[str, Any] = {"seen": program.seen}
    for stream, rows in records.items():
        outcome[stream] = [tuple(map(int, astuple(row))) for row in rows]
    outcome["equity"] = list(engine.equity_samples)
    outcome["exposed"] = engine.exposed_samples
    return outcome, engine


def play_rust(job: Job) -> dict[str, Any]:
    engine = Engine([bars_of(job, Step(1, job["lot"]))], **settings_of(job), like="backtesting.py")
    program = Program(job)
    engine.run(RecordsFromColumns(program))
    engine.check_invariants()
    outcome: dict[str, Any] = {"seen": program.seen}
    for stream in ("orders", "fills", "postings", "trades"):
        outcome[stream] = rows_of_columns(stream, getattr(engine, stream))
    outcome["equity"] = list(zip(*engine.equity_samples, strict=True))
    outcome["exposed"] = engine.exposed_samples
    return outcome


def test_both_engines_agree_on_every_record() -> None:
    ends: Counter[tuple[int, int]] = Counter()
    for seed in range(SEEDS):
        job = order_job(seed)
        plain, engine = play_plain(job)
        rust = play_rust(job)
        for stream, expected in plain.items():
            if expected != rust[stream]:
                pairs = zip(expected, rust[stream], strict=False)
                at = next((at for at, (left, right) in enumerate(pairs) if left != right), -1)
                pytest.fail(f"seed {seed}: {stream} row {at}: plain {expected[at]}, Rust {rust[stream][at]}")
        ends.update((order.state, order.reason) for order in engine.orders)
    # Filled, and every reason for which these rules end an order otherwise.
    reasons = {reason for _, reason in ends}
    assert {0, 1, 2, 3, 4, 5, 6, 8, 10, 11} <= reasons, sorted(ends)
