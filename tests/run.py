"""Runs every check of the repository, on a fresh machine too: `npm test`, or `python3 tests/run.py`.

It makes the environment (.venv, node_modules), then runs the recipes of the justfile one by one, and stops at the
first that fails. Names of recipes as arguments run only those: `npm test -- lint-python test-python`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("NT_VENV", ROOT / ".venv")).absolute()
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
IN_CI = os.environ.get("CI", "") not in {"", "0", "false"}

STAGES = {
    "lint-rust": "format, and clippy with warnings denied",
    "test-rust": "unit and property tests of the crates",
    "build": "the engine, into the environment",
    "lint-python": "ruff, mypy --strict, the stub against the extension, layers",
    "test-tidy": "rules of the house, examples of the documents",
    "test-python": "the package, from units to commands",
    "test-parity": "the plain engine against the fast one, seed by seed",
    "test-peers": "our rules of other packages against those packages",
    "test-npm": "the launcher",
    "test-browser": "the report in a real browser",
}

COUNTS = {
    "passed": re.compile(r"\b(\d+) passed\b|^(?:#|\u2139) pass (\d+)", re.MULTILINE),
    "failed": re.compile(r"\b(\d+) (?:failed|errors?)\b|^(?:#|\u2139) fail (\d+)", re.MULTILINE),
    "skipped": re.compile(r"\b(\d+) skipped\b|^(?:#|\u2139) skipped (\d+)", re.MULTILINE),
}
"""How pytest, cargo and node report the same three numbers."""

NEVER_SKIPPED_IN_CI = {"test-parity", "test-peers", "test-browser"}
"""A machine of a contributor may lack Chromium; the one that decides about a merge may not."""

REQUIRED_IN_CI = {"test-peers": {"NT_PEERS": "require"}}
"""Settings of a stage that turn what is missing from a skip into a failure."""


class Outcome(NamedTuple):
    """What a stage came to."""

    status: int
    seconds: float
    output: str

    def count(self, name: str) -> int:
        """How many tests passed, failed or were skipped."""
        return sum(int(number) for found in COUNTS[name].findall(self.output) for number in found if number)


def main() -> int:
    """Run the stages; the exit code is that of the first one that failed."""
    options = _options()
    for name in options.stages:
        if name not in STAGES:
            print(f"There is no stage {name!r}; there are: {', '.join(STAGES)}", file=sys.stderr)
            return 2
    for tool, remedy in (("cargo", "install Rust from https://rustup.rs"), ("npm", "install Node from nodejs.org")):
        if not shutil.which(tool):
            print(f"The tests need {tool}, and it is not on PATH: {remedy}", file=sys.stderr)
            return 2

    began = time.monotonic()
    _report("setup", "environment and libraries", _set_up(fresh=options.fresh))
    passed = failed = 0
    for name in options.stages or STAGES:
        extra = REQUIRED_IN_CI.get(name, {}) if IN_CI else {}
        outcome = _run([str(BIN / "just"), name], verbose=options.verbose, extra=extra)
        if IN_CI and name in NEVER_SKIPPED_IN_CI and outcome.count("skipped"):
            outcome = outcome._replace(status=outcome.status or 1)
        _report(name, STAGES[name], outcome)
        passed += outcome.count("passed")
        failed += outcome.count("failed")
        if outcome.status:
            _fail(name, outcome, shown=options.verbose)
            print(f"{passed} passed, {max(failed, 1)} failed")
            return outcome.status
    print(f"\nEverything holds ({time.monotonic() - began:.0f} s).")
    print(f"{passed} passed, {failed} failed")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run every check of the repository, or the named stages.")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--fresh", action="store_true", help="install the libraries again")
    parser.add_argument("--verbose", action="store_true", help="show what every stage prints")
    return parser.parse_args()


def _set_up(*, fresh: bool) -> Outcome:
    """Make .venv and node_modules, unless they are those of these requirements already."""
    began = time.monotonic()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["test"]]
    _once(VENV / ".requirements", "\n".join(wanted), lambda: _install_python(wanted), fresh=fresh)
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    _once(ROOT / "node_modules" / ".requirements", lock, _install_node, fresh=fresh)
    return Outcome(0, time.monotonic() - began, "")


def _once(stamp: Path, wanted: str, install: Callable[[], None], *, fresh: bool) -> None:
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if not fresh and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    install()
    stamp.write_text(digest, encoding="utf-8")


def _install_python(wanted: list[str]) -> None:
    """Use uv where there is one, because it is ten times faster; else venv and pip, which are everywhere."""
    python = str(BIN / "python")
    uv = _working("uv")
    if not (VENV / "pyvenv.cfg").exists():
        _must([uv, "venv", "--python", sys.executable, str(VENV)] if uv else [sys.executable, "-m", "venv", str(VENV)])
    if uv:
        _must([uv, "pip", "install", "--quiet", "--python", python, *wanted])
        return
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        _must([python, "-m", "ensurepip"])
    _must([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])


def _working(tool: str) -> str | None:
    """Find a tool that answers: a shim of pyenv may stand for one that is not installed."""
    path = shutil.which(tool)
    answers = path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
    return path if answers else None


def _install_node() -> None:
    _must([str(shutil.which("npm")), "ci", "--no-audit", "--no-fund", "--loglevel=error"])


def _must(command: list[str]) -> None:
    outcome = _run(command)
    if outcome.status:
        _fail("setup", outcome, shown=False)
        raise SystemExit(outcome.status)


def _run(command: list[str], *, verbose: bool = False, extra: Mapping[str, str] | None = None) -> Outcome:
    """Run a command to its end with its output kept; `verbose` shows it while it comes."""
    began = time.monotonic()
    # Settings of somebody's Python, such as PYTHONUNBUFFERED, would hide what users meet.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Checks count no trials, least of all in the ledger of whoever runs them.
    environment = {**plain, "NT_VENV": str(VENV), "NT_TRIALS": "off", "PYTHONUTF8": "1", **(extra or {})}
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if verbose:
                print(line, end="", flush=True)
    return Outcome(process.returncode, time.monotonic() - began, "".join(lines))


def _report(name: str, about: str, outcome: Outcome) -> None:
    passed, skipped = outcome.count("passed"), outcome.count("skipped")
    numbers = (f"{passed} passed" if passed else "") + (f", {skipped} skipped" if skipped else "")
    verdict = "FAILED" if outcome.status else "ok"
    print(f"{name:<13}{verdict:<7}{outcome.seconds:6.1f} s  {about}{f'  [{numbers}]' if numbers else ''}", flush=True)


def _fail(name: str, outcome: Outcome, *, shown: bool) -> None:
    if not shown:
        print(f"\n{outcome.output.rstrip()}")
    print(f"\n{name} failed. To run it alone: npm test -- {name}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
