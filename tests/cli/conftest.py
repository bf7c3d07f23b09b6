"""Commands as their users start them: a process of its own, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands import ENVIRONMENT, Command, Ended

STRATEGY = '''\
"""A strategy of a user's."""

import neural_trader as nt


class Mine(nt.Strategy):
    """Buy once."""

    share_of_equity: float = 0.5

    def on_bar(self, bar):
        if not self.position():
            print("buying", bar.symbol)
            self.target(self.share_of_equity * self.share)
'''


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs ``neural-trader`` with arguments; the folder is the test's own unless another is given."""

    def run(*arguments: object, folder: Path = tmp_path, env: dict[str, str] | None = None, **options: Any) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", *map(str, arguments)],
            cwd=folder,
            env=ENVIRONMENT | (env or {}),
            capture_output=True,
            check=False,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=120,
            **options,
        )
        return Ended(done.returncode, done.stdout, done.stderr, folder)

    return run


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of bars and a user's strategy; nothing may be written there."""
    from neural_trader.market import synthetic_bars, write_bars

    folder = tmp_path_factory.mktemp("samples")
    write_bars(synthetic_bars(bars=400, symbols=("ALPHA", "BRAVO")), folder / "prices.csv")
    (folder / "mine.py").write_text(STRATEGY, encoding="utf-8")
    return folder
