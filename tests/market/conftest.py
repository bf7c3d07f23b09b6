"""Files of bars to be read, and the folder of recorded market data where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

HEADER = "time,open,high,low,close,volume"


@pytest.fixture
def bars_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines of text to a file of this name."""

    def write(*lines: str, name: str = "ABC.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def recorded_bars() -> Path:
    """The folder of real market data, which is not part of the project."""
    shared = Path(os.environ.get("NT_SHARED", Path(__file__).parents[3] / "shared"))
    folder = shared / "data" / "bars"
    if not folder.is_dir():
        pytest.skip(f"no recorded market data at {folder}: set NT_SHARED to the folder that holds data/bars")
    return folder
