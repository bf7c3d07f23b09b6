"""Writes the anchors of this folder anew: `python tests/anchors/make.py`, for a change of rules that is meant.

Small runs, and as many kinds of them as there are: every strategy of bars, seeds, fills, costs, exits and overlays.
Their hashes may only move in a commit that says why.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WINDOW = "-p ALPHA --start 2022-02-01 --end 2022-04-01"
PAIR = "-p ALPHA,BRAVO --start 2022-02-01 --end 2022-04-01"
THREE = "--start 2022-02-01 --end 2022-04-01"
RUNS = {
    "sma-cross": f"backtest {WINDOW}",
    "sma-cross-short": f"backtest {PAIR} --set short=true --set fast=10 --set slow=30",
    "sma-cross-seed-8": f"backtest {WINDOW} --seed 8 --set fast=10",
    "sma-cross-at-the-close": f"backtest {WINDOW} --set fast=5 --set slow=20 --fill close",
    "sma-cross-leverage": f"backtest {PAIR} --set fast=5 --set slow=20 --leverage 3",
    "sma-cross-fees": f"backtest {WINDOW} --set fast=5 --set slow=20 --fee 0.01%/0.05%/1 --slippage '1 tick + 0.5bps'",
    "sma-cross-volume-cap": f"backtest {WINDOW} --set fast=5 --set slow=20 --volume-cap 0.001 --cash 1000000",
    "sma-cross-closed": f"backtest {WINDOW} --set fast=15 --set slow=25 --close-at-end",
    "sma-cross-stop-loss": f"backtest {WINDOW} --set fast=5 --set slow=20 --overlay stop_loss",
    "sma-cross-trailing-stop": f"backtest {WINDOW} --set fast=5 --set slow=20 --overlay trailing_stop:percent=2",
    "sma-cross-volatility-target": f"backtest {PAIR} --set fast=5 --set slow=20 --overlay volatility_target:annual=0.2",
    "sma-cross-regime": f"backtest {WINDOW} --set fast=5 --set slow=20 --overlay regime_filter",
    "buy-and-hold": f"backtest {THREE} -s buy_and_hold",
    "bollinger": f"backtest {WINDOW} -s bollinger_breakout",
    "bollinger-seed-3": f"backtest {PAIR} -s bollinger_breakout --seed 3",
    "donchian": f"backtest {WINDOW} -s donchian_turtle",
    "donchian-through": f"backtest {PAIR} -s donchian_turtle --limit through --seed 11",
    "macd": f"backtest {WINDOW} -s macd_momentum",
    "macd-seed-5": f"backtest {PAIR} -s macd_momentum --seed 5 --cash 1000000",
    "rsi": f"backtest {WINDOW} -s rsi_reversion",
    "rsi-leverage": f"backtest {PAIR} -s rsi_reversion --leverage 5 --cash 500",
    "cross-sectional": f"backtest {THREE} -s cross_sectional_momentum --set hold=1",
    "like-backtesting-py": f"backtest {WINDOW} --like backtesting.py --cash 100000 --set fast=5 --set slow=20",
    "like-vectorbt": f"backtest {WINDOW} --like vectorbt --set fast=5 --set slow=20",
}


def main() -> None:
    """Run everything and lock what came of it."""
    environment = os.environ | {"NT_TRIALS": "off"}
    with tempfile.TemporaryDirectory() as folder:
        reports = []
        for name, line in RUNS.items():
            report = Path(folder) / f"{name}.json"
            command = [*shlex.split(line), "-q", "--no-look-ahead-check", "-o", str(report)]
            subprocess.run([sys.executable, "-m", "neural_trader", *command], env=environment, check=True)
            reports.append(str(report))
        file = HERE / "anchors.lock"
        file.unlink(missing_ok=True)
        command = ["anchors", "add", *reports, "--file", str(file)]
        subprocess.run([sys.executable, "-m", "neural_trader", *command], env=environment, check=True)


if __name__ == "__main__":
    main()
