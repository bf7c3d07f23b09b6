"""Commands as their users start them: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


class Nursery:
    """The process that commands are forked from, and how to ask it."""

    def __init__(self, folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        script = str(Path(__file__).with_name("nursery.py"))
        self.process = subprocess.Popen(
            [sys.executable, script], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def run(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> Ended:
        assert self.process.stdin is not None and self.process.stdout is not None
        for path in (self._out, self._err):
            path.write_bytes(b"")
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "out": str(self._out),
            "err": str(self._err),
        }
        print(json.dumps(request), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        return Ended(code, self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8"), folder)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery | None]:
    """The nursery, where processes can be forked."""
    if not hasattr(os, "fork"):
        yield None
        return
    kept = Nursery(tmp_path_factory.mktemp("nursery"))
    with kept.process:
        yield kept
        assert kept.process.stdin is not None
        kept.process.stdin.close()


@pytest.fixture
def command(tmp_path: Path, nursery: Nursery | None) -> Command:
    """Runs ``neural-trader`` with arguments; the folder is the test's own unless another is given."""

    def run(*arguments: object, folder: Path = tmp_path, env: dict[str, str] | None = None) -> Ended:
        environment = ENVIRONMENT | (env or {})
        # What Python itself, or an import, reads from the environment takes a start from scratch.
        is_cold = any(name.startswith(("PYTHON", "_")) for name in env or {})
        if nursery is not None and not is_cold:
            return nursery.run([str(argument) for argument in arguments], folder, environment)
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", *map(str, arguments)],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=120,
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
