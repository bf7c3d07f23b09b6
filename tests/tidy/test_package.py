"""What the Python package shows to its users."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib

import neural_trader
from neural_trader import errors
from tidy.tree import ROOT, files, text_of


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn: dict[str, tuple[str | None, int | None]] = {}
    above: list[str] = []
    tree = (errors.__doc__ or "").split("\n\n", 1)[1]
    for indent, name, code in re.findall(r"^([│ ├└─]*)(\w+)(?: \((\d)\))?", tree, re.MULTILINE):
        depth = len(indent) // 4
        above[depth:] = [name]
        drawn[name] = (above[depth - 1] if depth else None, int(code) if code else None)
    real = {name: found for name, found in vars(errors).items() if inspect.isclass(found)}
    assert set(drawn) == set(real)
    for name, (parent, code) in drawn.items():
        assert parent is None or real[name].__base__ is real[parent], name
        assert code is None or real[name].exit_code == code, name
        assert issubclass(real[name], errors.NeuralTraderError), name


def test_every_public_name_can_be_imported_and_is_listed_in_order() -> None:
    assert neural_trader.__all__ == sorted(neural_trader.__all__)
    assert set(neural_trader.__all__) == set(neural_trader._HOMES)
    for name in neural_trader.__all__:
        assert getattr(neural_trader, name) is not None


def test_every_public_class_and_function_says_what_it_is() -> None:
    public = [getattr(neural_trader, name) for name in neural_trader.__all__ if not name.startswith("__")]
    assert not [found.__name__ for found in public if not (inspect.getdoc(found) or "").strip()]


def test_the_version_is_the_same_everywhere() -> None:
    crates = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    launcher = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["version"]
    assert neural_trader.__version__ == crates == launcher


def test_the_package_is_typed() -> None:
    assert (ROOT / "python" / "neural_trader" / "py.typed").exists()


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "sorted({'numpy', 'polars', 'pandas', 'rich', 'typer', 'ccxt', 'httpx'} & set(sys.modules))"
    command = [sys.executable, "-c", f"import sys, neural_trader; print({heavy})"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_only_one_module_opens_the_extension() -> None:
    door = re.compile(r"neural_trader\._core|from neural_trader import (?:[\w, ]+, )?_core\b|import_module\([^)]*_core")
    package = [path for path in files() if path.parts[:2] == ("python", "neural_trader") and path.suffix == ".py"]
    # The doctor looks at it from outside, to say what is wrong with it.
    openers = {path.name for path in package if door.search(text_of(path) or "")}
    assert openers - {"doctor.py"} == {"_native.py"}


def test_every_folder_of_the_package_is_importable() -> None:
    folders = {path.parent for path in files() if path.parts[0] == "python" and path.suffix == ".py"}
    for folder in sorted(folders):
        importlib.import_module(".".join(folder.parts[1:]))
