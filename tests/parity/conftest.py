"""Each scenario of the fill rules is played by both engines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from parity.scenario import play

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.scenario import Run


@pytest.fixture(name="play", params=["baseline", "rust"])
def _play(request: pytest.FixtureRequest) -> Callable[..., Run]:
    """Play a scenario with one of the engines; the Rust one only where it is built."""
    if request.param == "rust":
        core = pytest.importorskip("neural_trader._core", reason="the Rust engine is not built")
        if not hasattr(core, "Engine"):
            pytest.skip("the built Rust extension has no engine")
    return partial(play, request.param)
