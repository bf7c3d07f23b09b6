"""Proves a wheel as its users meet it: in new environments it runs, and one run has one hash in all of them.

Every Python at hand gets an environment with the newest libraries that the wheel accepts; the one that runs this script
gets a second one with the oldest that it promises to accept, and the tests of the package run there too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITES = ["tests/cli", "tests/market", "tests/strategy", "tests/report"]
# They compare help and complaints to the letter, and some of the letters are those of typer.
WORDED_BY_TYPER = ["tests/cli/test_help.py", "tests/cli/test_mistakes.py"]
RUN = """
import json, sys
from importlib.metadata import version
import neural_trader as nt
libraries = " ".join(f"{name} {version(name)}" for name in ("polars", "numpy"))
print(json.dumps([nt.backtest("sma_cross").hash, ".".join(map(str, sys.version_info[:3])), libraries]))
"""


def main(folder: str) -> int:
    """Install, run and compare; the exit code says whether all agree."""
    wheel = max(Path(folder).glob("neural_trader-*.whl"), key=lambda path: path.stat().st_mtime).resolve()
    hashes = set()
    with tempfile.TemporaryDirectory(prefix="neural-trader-wheel-") as scratch:
        for python in _pythons():
            environment = _environment(python, Path(scratch) / python.parent.parent.name, [str(wheel)])
            hashes.add(_run(environment))
        wanted = [str(wheel), *_floors(), "hypothesis", "pytest"]
        environment = _environment(Path(sys.executable), Path(scratch) / "oldest", wanted)
        hashes.add(_run(environment))
        ignored = [f"--ignore={path}" for path in WORDED_BY_TYPER]
        _must([environment, "-m", "pytest", "--override-ini=filterwarnings=default", *SUITES, *ignored], cwd=ROOT)
    if len(hashes) != 1:
        print("The same run has different hashes.", file=sys.stderr)
        return 1
    return 0


def _pythons() -> list[Path]:
    """One Python of each minor version that the wheel supports, this one included."""
    names = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for path in [sys.executable, *names, *sorted(versions.glob("3.*/bin/python3"))]:
        asked = path and subprocess.run(
            [path, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2], sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked and asked.returncode == 0:
            major, minor, executable = asked.stdout.split(maxsplit=2)
            if (int(major), int(minor)) >= (3, 11):
                found.setdefault(minor, Path(executable.strip()))
    return list(found.values())


def _environment(python: Path, folder: Path, wanted: list[str]) -> Path:
    _must([python, "-m", "venv", folder])
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _must([inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", *wanted])
    return inside


def _floors() -> list[str]:
    """The oldest versions of the libraries, and of those that hand data to the tests: newer ones need a newer numpy."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    givers = [wanted for wanted in project["dependency-groups"]["test"] if wanted.startswith(("pandas", "pyarrow"))]
    return [re.sub(r">=([\d.]+).*", r"==\1", wanted) for wanted in project["project"]["dependencies"] + givers]


def _run(python: Path) -> str:
    digest, version, libraries = json.loads(_must([python, "-I", "-c", RUN]))
    print(f"python {version:<8} {libraries:<28} run {digest}", flush=True)
    return digest


def _must(command: list[str | Path], cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    if cwd:
        print(done.stdout.strip())
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
