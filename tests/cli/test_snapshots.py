"""Runs that are saved from the command line, killed, and go on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import ENVIRONMENT, Command

SNAPSHOT = "run.snapshot"

SLOW = """\
import os
import random
import time

import neural_trader as nt


class Slow(nt.Strategy):
    def on_start(self):
        self.random = random.Random(5)
        self.set_timer(after_ns=10**8)

    def on_timer(self, time_ns):
        self.set_timer(after_ns=10**8)
        if self.random.random() < 0.3:
            self.buy(self.lot() * 3) if self.random.random() < 0.5 else self.sell(self.lot() * 3)
        if os.environ.get("SLOWLY"):
            time.sleep(0.003)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")
def test_a_killed_replay_goes_on_from_its_last_snapshot(command: Command, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    replay = [sys.executable, "-m", "neural_trader", "replay", "-s", "slow.py", "--json"]
    whole = subprocess.run(replay, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=True)
    path = tmp_path / SNAPSHOT
    process = subprocess.Popen(
        [*replay, "--snapshot", SNAPSHOT, "--every", "5s"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "SLOWLY": "1"},
        stdout=subprocess.DEVNULL,
    )
    with process:
        states: set[bytes] = set()
        # Until it was written more than once.
        while len(states) < 3 and process.poll() is None:
            if path.exists():
                states.add(path.read_bytes())
            time.sleep(0.01)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    resumed = subprocess.run(
        [*replay, "--resume", SNAPSHOT], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=True
    )
    assert json.loads(resumed.stdout) == json.loads(whole.stdout)


def test_a_run_stops_where_it_is_told_and_goes_on(command: Command, tmp_path: Path) -> None:
    path = str(tmp_path / SNAPSHOT)
    for verb, stop_at in (("replay", "2022-01-01T00:05:00Z"), ("backtest", "2023-06-30")):
        whole = command(verb, "--json").passed().document
        stopped = command(verb, "--snapshot", path, "--stop-at", stop_at, "--json").passed().document
        assert stopped["stopped"]["snapshot"] == path
        resumed = command(verb, "--resume", path, "--json").passed().document
        if verb == "backtest":
            # What is checked by playing a run again is checked where it was played whole.
            assert resumed["honesty"]["look_ahead"]["skipped"] == "the run goes on from a snapshot"
            for document in (whole, resumed):
                del document["honesty"]["look_ahead"], document["honesty"]["warm_up"]
        assert resumed == whole
        (tmp_path / SNAPSHOT).unlink()
    ended = command("replay", "--snapshot", path, "--stop-at", "99 turns")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(f", after 99 turns and saved in {path}, from which resume goes on\n")


def test_mistakes_end_with_one_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / SNAPSHOT
    assert command("replay", "--stop-at", "1 turn").code == 2
    assert command("replay", "--resume", str(path)).code == 3
    path.write_bytes(b"neural-trader snapshot 9\n")
    ended = command("backtest", "--resume", str(path))
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == f"error: {path}: it has format 9, and this version reads format 1\n"
