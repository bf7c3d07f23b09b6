"""``backtest`` ends with 4 where decisions follow from the future, after it has reported what they came to."""

from __future__ import annotations

from pathlib import Path

from commands import Command
from neural_trader.market import synthetic_bars, write_bars

CHEAT = '''
import polars as pl

import neural_trader as nt


class Cheat(nt.Strategy):
    """The next row of the file."""

    def on_start(self):
        closes = pl.read_csv("prices.csv")["close"]
        self.signal = (closes.shift(-1) - closes).to_list()
        self.at = -1

    def on_bar(self, bar):
        self.at += 1
        rises = (self.signal[self.at] or 0.0) > 0
        if rises != bool(self.position()):
            self.target(self.share * rises)
'''


def made(folder: Path) -> None:
    write_bars(synthetic_bars(bars=600, symbols=("ALPHA",)), folder / "prices.csv")
    (folder / "cheat.py").write_text(CHEAT, encoding="utf-8")


def test_a_cheat_ends_with_4_and_its_first_decision(command: Command, tmp_path: Path) -> None:
    made(tmp_path)
    ended = command("backtest", "-s", "cheat.py", "-d", "prices.csv", "--json")
    assert ended.code == 4 and ended.document["stats"]["Return [%]"] > 0
    assert ended.err.startswith("error: look-ahead: at 20") and ended.err.count("\n") == 1
    quiet = command("backtest", "-s", "cheat.py", "-d", "prices.csv", "-q")
    assert (quiet.code, quiet.err, quiet.out) == (4, ended.err, "")


def test_the_check_can_be_switched_off(command: Command, tmp_path: Path) -> None:
    made(tmp_path)
    command("backtest", "-s", "cheat.py", "-d", "prices.csv", "-q", "--no-look-ahead-check").passed()
    (tmp_path / "run.toml").write_text(
        'strategy = "cheat.py"\ndata = "prices.csv"\nlook_ahead = false\n', encoding="utf-8"
    )
    command("backtest", "-c", "run.toml", "-q").passed()
    assert command("backtest", "-c", "run.toml", "-q", "--look-ahead-check").code == 4


def test_bars_that_are_not_enough_end_with_4(command: Command) -> None:
    ended = command("backtest", "-p", "ALPHA", "-q", "--warm-up", 5)
    assert ended.code == 4 and "5 were said to be enough" in ended.err
    command("backtest", "-p", "ALPHA", "-q", "--warm-up", 2000).passed()
