"""Proves the first command of the README as a newcomer meets it: in a new clone, with nothing set up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAKS = ("PYTHON", "PYO3", "VIRTUAL_ENV", "CONDA", "NEURAL_TRADER", "NT_", "npm_")


def main() -> int:
    """Clone what is committed, and do what the README says."""
    command = re.search(r"^```sh\n(.+?)\n```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert command, "the README begins with a command"
    with tempfile.TemporaryDirectory(prefix="neural-trader-start-", ignore_cleanup_errors=True) as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), str(clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(LEAKS)}
        environment["NEURAL_TRADER_HOME"] = str(Path(scratch) / "home")
        for start in ("first", "second"):
            began = time.monotonic()
            done = subprocess.run(
                command[1], shell=True, cwd=clone, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{command[1]} failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
                return 1
            print(f"{start} start {time.monotonic() - began:6.1f} s  {command[1]}", flush=True)
        assert (clone / "neural-trader-report.html").exists(), "it writes a page"
        assert not subprocess.run(
            ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
        ).stdout, "it leaves the clone as it was"
    print(done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
