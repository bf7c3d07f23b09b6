"""``neural-trader init``: a small project that runs at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from neural_trader.errors import UsageError

EXAMPLES = """\
neural-trader init my-project
"""

STRATEGY = '''\
"""A breakout: buy strength, leave on weakness, with a stop below."""

import neural_trader as nt


class Breakout(nt.Strategy):
    """Buy a close above the highest high of some bars, leave at a close below the lowest low of fewer."""

    entry: int = 120
    """Bars whose highest high must be exceeded."""
    leave: int = 60
    """Bars whose lowest low must hold."""
    stop_percent: float = 8.0
    """How far below the entry the stop loss stands."""

    def on_start(self):
        self.top = self.highest(self.entry)
        self.bottom = self.lowest(self.leave)

    def on_bar(self, bar):
        # Decided at the close of this bar, filled at the open of the next one. `previous` leaves this bar out.
        held = self.position()
        if not held and bar.close > self.top.previous:
            self.target(self.share, stop_loss=bar.close * (1 - self.stop_percent / 100))
        elif held and bar.close < self.bottom.previous:
            self.target(0)
'''

CONFIG = """\
# Run it:  neural-trader backtest --config run.toml
# Values of your own that others should not get go to run.local.toml; flags win over both.
# neural-trader config show --config run.toml --origin   says where each value comes from.

strategy = "strategy.py:Breakout"
# data = "prices.parquet"   # a file or folder of bars; without it, synthetic markets
cash = 10_000
fee = "0.1%"
slippage = "2bps"

[parameters]
entry = 120
leave = 60
stop_percent = 8.0

# [overlays.volatility_target]
# annual = 0.2
"""

TEST = '''\
"""Run with: pytest"""

import neural_trader as nt
import pytest
from strategy import Breakout


@pytest.fixture(scope="module")
def result():
    return nt.backtest(Breakout, parameters={"entry": 60, "leave": 30})


def test_it_trades(result):
    assert len(result.trades) > 0


def test_the_same_run_has_the_same_hash(result):
    assert nt.backtest(Breakout, parameters={"entry": 60, "leave": 30}).hash == result.hash


def test_every_entry_has_its_stop(result):
    bought = result.fills.filter(result.fills["side"] == "buy")["order"]
    stops = result.orders.filter(result.orders["kind"] == "stop")["parent"]
    assert set(bought) == set(stops)


def test_it_never_borrows(result):
    cash = result.postings.filter(result.postings["account"] == "cash")["amount"]
    assert cash.cum_sum().min() >= 0
'''

README = """\
# {name}

    neural-trader backtest --config run.toml
    pytest

The strategy is in `strategy.py`; its annotated attributes are its parameters. `run.toml` says what to run it on and
what trading costs. The report is written to `neural-trader-report.html`, and

    neural-trader verify neural-trader-report.html

runs it again and compares every order and fill.
"""

IGNORED = """\
run.local.toml
.neural-trader/
neural-trader-report.html
__pycache__/
"""


def init(name: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make.")]) -> None:
    """Make a small project that runs at once."""
    files = {
        "strategy.py": STRATEGY,
        "run.toml": CONFIG,
        "test_strategy.py": TEST,
        "README.md": README.replace("{name}", name.resolve().name),
        ".gitignore": IGNORED,
    }
    if name.exists() and not name.is_dir():
        raise UsageError(f"{name}: is a file; choose another name")
    for file in files:
        if (name / file).exists():
            raise UsageError(f"{name / file}: exists, and is left as it is; choose another name for the project")
    _make(name, files)
    for file in files:
        print(name / file)
    go = "" if name == Path() else f"cd {name} && "
    print(f"\nNow: {go}neural-trader backtest --config run.toml")


def _make(folder: Path, files: dict[str, str]) -> None:
    """Write all files, or leave nothing behind."""
    is_new = not folder.exists()
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            with (folder / file).open("x", encoding="utf-8") as out:
                written.append(folder / file)
                out.write(text)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
