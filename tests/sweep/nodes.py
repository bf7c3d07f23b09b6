"""A real cluster on this machine, started as a user starts one: a scheduler, and workers that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

READY_S = 60


class Nodes:
    """A scheduler and the workers of it, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {**os.environ, "NT_CATALOG": str(folder / "catalog"), "PYTHONWARNINGS": "ignore"}
        self._known = folder / "scheduler.json"
        self._words = ["--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(self._known)]
        self._scheduler = self._begun("scheduler", *self._words, "--port", "0", "--no-show")
        self.workers: list[subprocess.Popen[bytes]] = []
        while not self._known.exists() or not self._known.read_text():
            assert self._scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(self._known.read_text())["address"].replace("tcp://", "dask://")

    def worker(self, *, path: Path | None = None) -> subprocess.Popen[bytes]:
        """One more worker of one thread, without anybody who starts it again; ``path`` comes first in its Python's."""
        words = [*self._words, "--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder)]
        return self._begun("worker", *words, path=path)

    def complete(self) -> None:
        """Have two workers, whatever happened to earlier ones."""
        self.workers = [each for each in self.workers if each.poll() is None]
        self.workers += [self.worker() for _ in range(2 - len(self.workers))]
        self.await_workers(2)

    def await_workers(self, count: int) -> None:
        """Wait until the scheduler has so many workers."""
        from distributed import Client

        with Client(self.address.replace("dask://", "tcp://"), set_as_default=False) as client:
            begun = time.monotonic()
            while len(client.nthreads()) != count:
                assert time.monotonic() - begun < READY_S
                time.sleep(0.05)

    def kill(self, count: int) -> None:
        """Kill workers, as a machine dies."""
        for _ in range(count):
            worker = self.workers.pop()
            worker.send_signal(signal.SIGKILL)
            worker.wait()

    def close(self) -> None:
        for each in (*self.workers, self._scheduler):
            each.kill()
            each.wait()

    def _begun(self, *words: str, path: Path | None = None) -> subprocess.Popen[bytes]:
        environment = self._environment if path is None else {**self._environment, "PYTHONPATH": str(path)}
        command = [sys.executable, "-m", "dask", *words]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
