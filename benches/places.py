"""Where contestants run: each in an environment of its own, in a process that waits for questions."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from peers.environments import PeerError, folder_of, python_in  # noqa: E402

__all__ = ["PeerError", "Worker", "python_of", "release"]

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = Path(__file__).resolve().parent / "contestants"
POLARS = "polars>=1.30"
PACKAGES: dict[str, list[str]] = {
    "numba": ["numba==0.68.1", POLARS],
    "vectorbt": ["vectorbt[rust]==1.2.0", POLARS],
    "backtesting.py": ["backtesting==0.6.6", POLARS],
    "nautilus_trader": ["nautilus_trader==1.221.0", POLARS],
    "backtrader": ["backtrader==1.9.78.123", "pandas", POLARS],
    "sortedcontainers": ["sortedcontainers==2.4.0", "orjson==3.11.4"],
    "scipy": ["scipy==1.17.1", "numba==0.68.1"],
    "hftbacktest": ["hftbacktest==2.4.4"],
    "numpy": ["numpy==2.4.6"],
    "hnswlib": ["hnswlib==0.8.0", "numpy==2.4.6"],
    "faiss": ["faiss-cpu==1.15.1", "numpy==2.4.6"],
    "usearch": ["usearch==2.26.6", "numpy==2.4.6"],
    "sqlite-vec": ["sqlite-vec==0.1.9", "pysqlite3-binary==0.5.4.post2", "numpy==2.4.6"],
}
"""What each contestant needs; all that play bars read them with polars, so that reading is the same for all."""


def python_of(package: str) -> Path:
    """The interpreter of a contestant's environment, made if it is not there; PeerError where it cannot be."""
    requirements = PACKAGES[package]
    named = requirements[0].replace("[", "-").replace("]", "").replace("==", "-")
    return python_in(folder_of("backtesting").parent / f"bench-{named}", requirements)


def release() -> Path:
    """The interpreter of an environment with this checkout, built as it is published: the profile `release`."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    folder = folder_of("backtesting").parent / f"neural-trader-release-{digest.hexdigest()[:12]}"
    if not (folder / ".installed").exists():
        for older in folder.parent.glob("neural-trader-release-*"):
            shutil.rmtree(older)
        with tempfile.TemporaryDirectory() as built:
            command = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--quiet", "--out", built]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                raise PeerError(f"the release wheel cannot be built:\n{done.stderr[-2000:]}")
            (wheel,) = Path(built).glob("*.whl")
            return python_in(folder, [str(wheel), "ta-lib>=0.6", "faiss-cpu>=1.12"])
    return python_in(folder, [])


def _sources() -> Iterator[Path]:
    """All that the wheel is made of."""
    yield from (ROOT / name for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml"))
    for folder in ("rust", "python"):
        found = (ROOT / folder).rglob("*")
        yield from sorted(path for path in found if path.suffix in {".rs", ".toml", ".py", ".pyi"} and path.is_file())


class Worker:
    """A contestant's process: ask it, and it answers."""

    def __init__(self, python: Path, script: str, job: dict[str, Any]) -> None:
        self._script = script
        self._folder = tempfile.TemporaryDirectory()
        given = Path(self._folder.name) / "job.json"
        given.write_text(json.dumps(job), encoding="utf-8")
        self._log: IO[bytes] = (Path(self._folder.name) / "log").open("w+b")
        self._process = subprocess.Popen(
            [str(python), str(SCRIPTS / script), str(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=self._folder.name,
        )

    def ask(self, question: str) -> Any:
        """The answer to a question; PeerError with the end of what the process said if it died."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip()
            raise PeerError(f"{self._script} ended: {said[-1500:]}")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()
        self._log.close()
        self._folder.cleanup()
