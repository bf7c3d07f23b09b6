"""Examples are promises: those of the documents and of the docstrings are run.

In a document, blocks of one language share a new folder, in the order in which they stand:
- `python` runs; one that begins with a comment that names a file (`# my_strategy.py`) is that file instead;
- `pycon`, and `python` with `>>>`, must print what it says;
- `sh`, `bash` and `console` run the lines that start neural-trader (as `npx neural-trader` too), and must succeed;
- `js` runs in Node, with the launcher of this checkout and the engine of this environment;
- `toml` and `json` must be read by their parsers.
A comment `<!-- not run: why -->` on the line before a block leaves it alone.
"""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from tidy.tree import ROOT, files, text_of

BLOCK = re.compile(
    r"^(?P<excuse><!-- not run: [^\n]+ -->\n+)?^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
RUN = {"python", "pycon", "py", "sh", "bash", "console", "shell", "js", "toml", "json"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS_MAX = 300


class Block(NamedTuple):
    """A fenced block of a document."""

    language: str
    body: str
    line: int
    excused: bool


def _blocks(document: Path) -> list[Block]:
    text = text_of(document) or ""
    return [
        Block(
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE),
            text.count("\n", 0, found.start("body")) + 1,
            found["excuse"] is not None,
        )
        for found in BLOCK.finditer(text)
    ]


DOCUMENTS = [path for path in files() if path.suffix == ".md" and any(block.language in RUN for block in _blocks(path))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_examples_of_a_document_work(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names: dict[str, object] = {"__name__": "__main__"}
    for block in _blocks(document):
        if block.excused:
            continue
        place = f"{document}:{block.line}"
        if block.language in {"python", "py", "pycon"}:
            _run_python(block, place, names)
        elif block.language in {"sh", "bash", "console", "shell"}:
            _run_shell(block, place)
        elif block.language == "js":
            _run_node(block, place)
        elif block.language == "toml":
            tomllib.loads(block.body)
        elif block.language == "json":
            json.loads(block.body)


def _run_python(block: Block, place: str, names: dict[str, object]) -> None:
    named = re.match(r"# ([\w/-]+\.py)\b", block.body)
    if named:
        file = Path(named[1])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.body, encoding="utf-8")
    if ">>>" in block.body:
        example = doctest.DocTestParser().get_doctest(block.body, names, place, place, block.line - 1)
        said: list[str] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
        assert runner.run(example, out=said.append, clear_globs=False).failed == 0, "".join(said)
        names.update(example.globs)
    elif not named:
        exec(compile("\n" * (block.line - 1) + block.body, place, "exec", dont_inherit=True), names)


def _run_shell(block: Block, place: str) -> None:
    joined = block.body.replace("\\\n", " ")
    for line in joined.splitlines():
        command = re.match(r"(?:\$ )?(?:npx )?neural-trader\b([^#|>&]*)", line)
        if command and "…" not in line and "..." not in line:
            done = subprocess.run(
                [sys.executable, "-m", "neural_trader", *shlex.split(command[1])],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS_MAX,
                env={**os.environ, "NO_COLOR": "1", "NT_CATALOG": "catalog"},
            )
            assert done.returncode == 0, f"{place}: {line}\n{done.stdout}{done.stderr}"


def _run_node(block: Block, place: str) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node here")
    package = Path("node_modules", "neural-trader")
    if not package.exists():
        package.parent.mkdir(exist_ok=True)
        package.symlink_to(ROOT, target_is_directory=True)
    done = subprocess.run(
        [node, "--input-type=module", "--eval", block.body],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
        env={**os.environ, "NEURAL_TRADER_PYTHON": sys.executable},
    )
    assert done.returncode == 0, f"{place}:\n{done.stdout}{done.stderr}"


def _modules_with_examples() -> list[str]:
    sources = [path for path in files() if path.parts[:2] == ("python", "neural_trader") and path.suffix == ".py"]
    named = [".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__") for path in sources]
    return [name for name, path in zip(named, sources, strict=True) if ">>>" in (text_of(path) or "")]


@pytest.mark.parametrize("module", _modules_with_examples())
def test_the_examples_of_a_module_work(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(module), optionflags=FLAGS)
    assert tried and not failed


def test_a_document_with_a_wrong_example_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError):
        _run_python(Block("python", ">>> 1 + 1\n3\n", 1, excused=False), "here", {})
    with pytest.raises(ZeroDivisionError):
        _run_python(Block("python", "1 / 0\n", 1, excused=False), "here", {})
    with pytest.raises(AssertionError):
        _run_shell(Block("sh", "neural-trader no-such-verb\n", 1, excused=False), "here")
    if shutil.which("node"):
        with pytest.raises(AssertionError):
            _run_node(Block("js", "import { nothing } from 'neural-trader';\n", 1, excused=False), "here")


def test_the_test_command_of_the_documents_is_the_one_that_exists() -> None:
    scripts = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert scripts["test"] == "node tests/run.js"
    assert (ROOT / "tests" / "run.js").exists()
    assert "npm test" in (text_of(Path("CONTRIBUTING.md")) or "")
