"""The command `sweep`."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Command

CROSS = """\
import neural_trader as nt

fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
cross = nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow))
"""


def test_a_sweep_prints_its_best_points_as_one_document(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CROSS)
    strategy = f"{tmp_path / 'mine.py'}:cross"
    words = ["sweep", "-s", strategy, "--grid", "fast=5:15:5", "slow=20,60", "--where", "fast < 15", "-p", "BTC"]
    document = json.loads(command(*words, "--json", "--top", "3").passed().out)
    assert document["schema"] == "neural-trader.sweep/1" and document["points"] == 4 and len(document["best"]) == 3
    best = document["best"][0]
    sets = [word for name, value in best["parameters"].items() for word in ("--set", f"{name}={value}")]
    run = json.loads(command("backtest", "-s", strategy, "-p", "BTC", *sets, "--json").passed().out)
    assert run["stats"]["Return [%]"] == best["statistics"]["return"]


def test_mistakes_are_one_line(command: Command) -> None:
    for words in (
        ["fasst=5"],
        ["fast=5", "fast=6"],
        ["fast=5:1"],
        ["fast=5", "--metric", "x"],
        ["fast=5", "--overlay", "stop_loss"],
    ):
        assert len(command("sweep", *words).err.splitlines()) == 1


def test_a_walk_forward_prints_its_tests(command: Command) -> None:
    words = ["walkforward", "fast=5,10", "slow=30", "-p", "BTC", "--folds", "2", "--threads", "1"]
    document = json.loads(command(*words, "--json").passed().out)
    assert document["schema"] == "neural-trader.walkforward/1" and len(document["tests"]) == 2
    assert "out of sample" in command(*words).passed().out
    assert len(command(*words, "--cpcv", "4").err.splitlines()) == 1
