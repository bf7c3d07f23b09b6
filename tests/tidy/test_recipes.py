"""There is one definition of every check: a recipe of the justfile. Everything else calls it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tidy.tree import ROOT

sys.path.insert(0, str(ROOT / "tests"))

import run

RECIPES = set(
    re.findall(r"^([a-z][\w-]*)[^\n:=]*:(?!=)", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE)
)
TOOLS_OF_A_CHECK = re.compile(r"\b(?:pytest|ruff|mypy|clippy|cargo (?:test|fmt|build)|node --test|lint-imports)\b")
CALLERS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / ".ci" / "run"]


def test_every_stage_of_the_test_command_is_a_recipe() -> None:
    assert set(run.STAGES) <= RECIPES


def test_every_recipe_that_checks_is_a_stage_of_the_test_command() -> None:
    """Except those two that make whole environments anew; the gate has them besides."""
    checks = {name for name in RECIPES if name.startswith(("lint-", "test-"))}
    assert checks - {"test-wheel", "test-start"} <= set(run.STAGES)


def test_workflows_and_the_gate_call_recipes_and_define_no_check_of_their_own() -> None:
    for path in CALLERS:
        text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
        assert not TOOLS_OF_A_CHECK.findall(text), path
        called = {name for names in re.findall(r"npm test --((?: [\w-]+)+)", text) for name in names.split()}
        called |= set(re.findall(r"\bjust ([\w-]+)\s*$", text, re.MULTILINE))
        assert called <= RECIPES, path


def test_the_gate_can_be_started() -> None:
    gate = Path(ROOT / ".ci" / "run")
    assert gate.stat().st_mode & 0o111
    assert gate.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
