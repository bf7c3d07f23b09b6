"""Other backtesters, each in a virtual environment of its own: none ever enters our process or our requirements."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PEERS = {
    "backtesting": "0.6.6",
    "vectorbt": "1.2.0",
    "hftbacktest": "2.4.4",
    "arch": "8.0.0",
    "scikit-learn": "1.9.1",
    "stumpy": "1.14.1",
}
COMPANIONS = {"stumpy": ["nolds==0.6.2", "setuptools<81", "statsmodels==0.15.0"]}
"""What is asked by the same script, in the same environment, and what it needs without saying so."""
SCRIPTS = {
    "backtesting": "peer_backtesting_py.py",
    "vectorbt": "peer_vectorbt.py",
    "hftbacktest": "peer_hftbacktest.py",
    "arch": "oracle_arch.py",
    "scikit-learn": "oracle_scipy.py",
    "stumpy": "oracle_series.py",
}
HERE = Path(__file__).resolve().parent


class PeerError(Exception):
    """A package that cannot be installed here, or whose script failed."""


def folder_of(package: str) -> Path:
    """Where the environment of a package lives: below $NT_PEERS_DIR, or in the user's cache."""
    root = os.environ.get("NT_PEERS_DIR")
    base = Path(root) if root else Path.home() / ".cache" / "neural-trader-peers"
    return base / f"{package}-{PEERS[package]}"


def python_of(package: str) -> Path:
    """The interpreter of a package's environment, which is made first if it is not there."""
    return python_in(folder_of(package), [f"{package}=={PEERS[package]}", *COMPANIONS.get(package, [])])


def python_in(folder: Path, requirements: list[str]) -> Path:
    """The interpreter of an environment with these requirements, which is made first if it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / ".installed"
    if stamp.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv")
    if uv and _succeeds([uv, "--version"]):
        _must([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)])
        _must([uv, "pip", "install", "--quiet", "--python", str(python), *requirements])
    else:
        _must([sys.executable, "-m", "venv", str(folder)])
        _must([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
    stamp.write_text("\n".join(requirements), encoding="utf-8")
    return python


def ask(package: str, jobs: Any) -> Any:
    """What the package makes of jobs: its script reads them from a file and writes its answer to another."""
    python = python_of(package)
    script = HERE / SCRIPTS[package]
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "jobs.json", Path(folder) / "answer.json"
        given.write_text(json.dumps(jobs), encoding="utf-8")
        # Isolated, so that no module of this suite can stand in for one of theirs.
        _must([str(python), "-I", str(script), str(given), str(answer)])
        return json.loads(answer.read_text(encoding="utf-8"))


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _must(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{' '.join(command[:6])} ... failed:\n{done.stderr[-2000:]}")
