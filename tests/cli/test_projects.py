"""``neural-trader init`` makes a project that runs, passes its own tests, and harms nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from commands import ENVIRONMENT, Command

FILES = ["README.md", "run.toml", "strategy.py", "test_strategy.py", ".gitignore"]


def test_new_project_runs_at_once(command: Command, tmp_path: Path) -> None:
    ended = command("init", "my project").passed()
    project = tmp_path / "my project"
    assert sorted(path.name for path in project.iterdir()) == sorted(FILES)
    assert ended.out.splitlines()[-1].endswith("neural-trader backtest --config run.toml")
    report = command("backtest", "--config", "run.toml", folder=project).passed()
    assert report.out.startswith("Breakout  entry=120, leave=60, stop_percent=8")
    command("verify", "neural-trader-report.html", folder=project).passed()


def test_tests_of_a_new_project_pass(command: Command, tmp_path: Path) -> None:
    command("init", "project").passed()
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path / "project",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout
    assert "4 passed" in tests.stdout


def test_project_is_not_made_over_files_that_are_there(command: Command, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "run.toml").write_text("mine", encoding="utf-8")
    ended = command("init", "project")
    assert (ended.code, ended.out) == (2, "")
    assert "run.toml: exists, and is left as it is" in ended.err
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["run.toml"]


def test_folder_that_exists_can_become_a_project(command: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    command("init", ".").passed()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "notes.txt"])
