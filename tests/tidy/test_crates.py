"""Which crate may use which, and what all of them promise."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from functools import cache
from typing import Any

from tidy.tree import ROOT

LOCKED_CRATES_MAX = 100

ALLOWED = {
    "nt-core": set(),
    "nt-book": {"nt-core"},
    "nt-feed": {"nt-core", "nt-book"},
    "nt-features": {"nt-core", "nt-book"},
    "nt-engine": {"nt-core", "nt-book", "nt-features"},
    "nt-solver": set(),
    "nt-bindings": {"nt-core", "nt-book", "nt-feed", "nt-features", "nt-engine", "nt-solver"},
}
"""Each crate, and those of ours that it may use; the map of design in ARCHITECTURE.md."""

NEEDS_PYTHON = {"pyo3", "numpy"}
REACHES_OUTSIDE = re.compile(
    r"\bstd::(?:fs|net|env|process|time::(?:SystemTime|Instant))\b|\b(?:SystemTime|Instant)::now\b|\bthread_rng\b"
)


@cache
def _metadata() -> dict[str, Any]:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return json.loads(answer)


def _crates() -> dict[str, dict[str, Any]]:
    members = set(_metadata()["workspace_members"])
    return {package["name"]: package for package in _metadata()["packages"] if package["id"] in members}


def test_folder_name_is_crate_name() -> None:
    assert {path.parent.name for path in (ROOT / "rust").glob("*/Cargo.toml")} == set(_crates())


def test_crates_use_only_the_crates_below_them() -> None:
    wrong = {}
    for name, package in _crates().items():
        used = {dependency["name"] for dependency in package["dependencies"]} & set(_crates())
        if beyond := used - ALLOWED[name]:
            wrong[name] = beyond
    assert not wrong


def test_only_the_bindings_know_python() -> None:
    users = {
        name
        for name, package in _crates().items()
        if NEEDS_PYTHON & {dependency["name"] for dependency in package["dependencies"]}
    }
    assert users <= {"nt-bindings"}


def test_the_engine_reads_no_clock_and_touches_no_file() -> None:
    outside = []
    for name in ("nt-core", "nt-book", "nt-features", "nt-engine", "nt-solver"):
        for path in (ROOT / "rust" / name / "src").glob("**/*.rs"):
            code = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
            outside += [f"{path.relative_to(ROOT)}: {found.group()}" for found in REACHES_OUTSIDE.finditer(code)]
    assert not outside


def test_every_crate_obeys_the_lints_of_the_workspace() -> None:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]
    assert workspace["lints"]["rust"]["unsafe_code"] == "forbid"
    for path in (ROOT / "rust").glob("*/Cargo.toml"):
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        assert manifest["lints"] == {"workspace": True}, path
        for field in ("version", "edition", "license", "rust-version"):
            assert manifest["package"][field] == {"workspace": True}, (path, field)


def test_the_lock_file_stays_small() -> None:
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    assert len(locked) < LOCKED_CRATES_MAX


def test_every_crate_we_use_has_a_licence_that_deny_toml_allows() -> None:
    """cargo-deny checks the same list and more, where it is installed: `just audit`."""
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"])
    unfit = {package["name"]: package["license"] for package in _metadata()["packages"] if not _fits(package, allowed)}
    assert not unfit


def _fits(package: dict[str, Any], allowed: set[str]) -> bool:
    """One of the alternatives of an SPDX expression is allowed in all its parts."""
    expression = (package["license"] or "").replace("/", " OR ").replace("(", " ").replace(")", " ")
    parts = [{part.strip() for part in choice.split(" AND ")} for choice in expression.split(" OR ")]
    return any(part <= allowed for part in parts)


def test_a_snapshot_leaves_out_only_what_is_named_here() -> None:
    """A field that `serde` skips is lost when a run is resumed: scratch, given again, or of runs that are not saved."""
    not_saved = {"tapes"}
    given_again = {"pause", "next_ns", "horizon_ns", "sources", "notes"}
    scratch = {"candidates", "stops", "limits", "levels", "openings", "told"}
    skipped = {
        field
        for path in (ROOT / "rust").glob("*/src/**/*.rs")
        for field in re.findall(
            r"#\[serde\(skip\b[^\]]*\]\s*(?:pub(?:\(\w+\))? )?(\w+):", path.read_text(encoding="utf-8")
        )
    }
    assert skipped == given_again | scratch | not_saved
