"""Each rule of the replay is played by both engines."""

from __future__ import annotations

import pytest

from replay.scenario import ENGINES, Engines, engines_named


@pytest.fixture(params=ENGINES)
def engines(request: pytest.FixtureRequest) -> Engines:
    """Makes replays of one engine; the Rust one only where it is built."""
    return engines_named(request.param)
