"""Runs in the environment of vectorbt: plays signals over many markets at once, one per column.

Usage: python peer_vectorbt.py JOBS.json ANSWER.json
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import vectorbt as vbt


def play(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trades and the equity of markets that all have the same number of bars."""
    bars = len(jobs[0]["close"])

    def prices(name: str) -> Any:
        return np.array([job[name] for job in jobs]).T / 100

    def numbers(name: str, scale: float) -> Any:
        one_row = [np.nan if job[name] is None else job[name] / scale for job in jobs]
        return np.tile(one_row, (bars, 1))

    def signals(name: str) -> Any:
        return np.array([job[name] for job in jobs], dtype=bool).T

    portfolio = vbt.Portfolio.from_signals(
        prices("close"),
        signals("entries"),
        signals("exits"),
        open=prices("open"),
        high=prices("high"),
        low=prices("low"),
        fees=numbers("rate", 1e4),
        fixed_fees=numbers("fixed", 1e2),
        slippage=numbers("slippage", 1e4),
        sl_stop=numbers("sl", 1e6),
        tp_stop=numbers("tp", 1e6),
        init_cash=np.array([job["cash"] / 100 for job in jobs]),
        freq="1D",
    )
    equity = np.asarray(portfolio.value())
    trades: list[list[list[float]]] = [[] for _ in jobs]
    names = ("size", "entry_idx", "exit_idx", "entry_price", "exit_price", "entry_fees", "exit_fees", "pnl", "status")
    for record in portfolio.exit_trades.values:
        trades[record["col"]].append([float(record[name]) for name in names])
    return [{"trades": trades[col], "equity": equity[:, col].tolist()} for col in range(len(jobs))]


def main() -> None:
    """Answer the jobs of a file."""
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = play(jobs["markets"])
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


main()
