"""What the tests of recordings share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

for library in ("httpx", "websockets"):
    pytest.importorskip(library, reason="recordings need it: pip install 'neural-trader[venues]'")

# Messages in the venues' formats are made by the tests of the feed.
sys.path.append(str(Path(__file__).resolve().parents[1] / "feed"))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on this machine is spoken to directly."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
