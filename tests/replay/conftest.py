"""Each rule of the replay is played by both engines."""

from __future__ import annotations

import pytest

from replay.scenario import Engines


@pytest.fixture(params=["baseline", "rust"])
def engines(request: pytest.FixtureRequest) -> Engines:
    """Makes replays of one engine; the Rust one only where it is built."""
    if request.param == "rust":
        native = pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")
        if not hasattr(native, "Replay"):
            pytest.skip("the built Rust extension has no replay")
    return Engines(request.param)
