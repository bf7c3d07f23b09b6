"""``neural-trader doctor``: whether this machine has what is needed, and whether the engine computes what it should."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.errors import NeuralTraderError

EXAMPLES = """\
neural-trader doctor
neural-trader doctor --json
"""

REQUIRED = ("numpy", "polars", "rich", "typer")
OPTIONAL = {
    "pandas": "pandas frames as data",
    "pyarrow": "Arrow tables as data",
    "ccxt": "crypto exchanges",
    "httpx": "downloads",
    "pytest": "tests of your strategies",
}
SELF_TEST_BARS = 300


class Check(NamedTuple):
    """One finding; ``state`` is ok, absent (nothing is wrong) or failed."""

    name: str
    state: str
    text: str


def doctor(json: options.Json = False) -> None:
    """Check this installation, and that both engines agree."""
    checks = [_python(), *_packages(), _extension(), *_folders(), _self_test()]
    failed = [check.name for check in checks if check.state == "failed"]
    if json:
        print_json({"ok": not failed, "checks": [check._asdict() for check in checks]})
    else:
        _print(checks)
    if failed:
        raise NeuralTraderError(f"doctor: {', '.join(failed)} failed; the table says what is wrong")


def _python() -> Check:
    state = "ok" if sys.version_info >= (3, 11) else "failed"
    return Check(
        "python", state, f"{platform.python_version()} on {platform.platform(terse=True)} {platform.machine()}"
    )


def _packages() -> list[Check]:
    checks = []
    for name in REQUIRED:
        version = _version(name)
        checks.append(Check(name, "ok" if version else "failed", version or f"is missing: pip install {name}"))
    for name, use in OPTIONAL.items():
        version = _version(name)
        checks.append(Check(name, "ok" if version else "absent", version or f"not installed (for {use})"))
    return checks


def _version(name: str) -> str | None:
    from importlib import metadata, util

    if util.find_spec(name) is None:
        return None
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "version unknown"


def _extension() -> Check:
    try:
        from neural_trader import _core, _native
    except ImportError as error:
        return Check("extension", "failed", str(error))
    file = Path(str(_core.__file__))
    built = time.strftime("%Y-%m-%d %H:%M", time.gmtime(file.stat().st_mtime))
    text = f"{_native.__version__}, {file.name}, {file.stat().st_size / 1e6:.1f} MB, built {built} UTC"
    installed = _version("neural_trader")
    if installed not in (None, "version unknown", _native.__version__):
        return Check("extension", "failed", f"{text}; the package is {installed}: install it again")
    return Check("extension", "ok", text)


def _folders() -> list[Check]:
    found = {
        "current folder": Path.cwd(),
        "cache folder": cache_folder(),
        "temporary folder": Path(tempfile.gettempdir()),
    }
    return [_writable(name, path) for name, path in found.items()]


def cache_folder() -> Path:
    """Where this user's caches are."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "neural-trader"


def _writable(name: str, path: Path) -> Check:
    """Whether files can be made in a folder, or in the nearest one above it that exists."""
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return Check(name, "failed", f"{path}: nothing can be written there ({error.strerror})")
    return Check(name, "ok", f"{path} can be written" if nearest == path else f"{path} can be made")


def _self_test() -> Check:
    """The same strategy in the plain Python engine and twice in Rust; all five digests and the hash must agree."""
    try:
        from neural_trader.cli import twins
        from neural_trader.market import synthetic_bars

        bars = synthetic_bars(seed=1, symbols=("ALPHA", "BRAVO"), bars=SELF_TEST_BARS)
        plain = twins.digests_of_plain(twins.play_plain(bars), bars)
        for how, engine in (("Python", twins.play_rust(bars)), ("Rust", twins.play_rust_alone(bars))):
            engine.check_invariants()
            rust = twins.digests_of_rust(engine)
            different = [part for part in plain if plain[part] != rust[part]]
            if different:
                return Check("self test", "failed", f"{different[0]} differ from plain Python (strategy in {how})")
    except (ImportError, NeuralTraderError) as error:
        return Check("self test", "failed", str(error))
    return Check("self test", "ok", f"both engines agree on {2 * SELF_TEST_BARS} bars, hash {plain['run'][:12]}")


def _print(checks: list[Check]) -> None:
    from rich.text import Text

    from neural_trader.cli.table import print_table

    looks = {"ok": "green", "absent": "dim", "failed": "bold red"}
    rows = [(check.name, Text(check.state, looks[check.state]), check.text) for check in checks]
    print_table(rows, ("", "", ""))
