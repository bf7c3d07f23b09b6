"""The packages that we compare with, where they can be had."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from peers import environments
from peers.environments import PEERS, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session", name="ask")
def _ask() -> Callable[[str, Any], Any]:
    """Put jobs to a package. Where it cannot be had the test is skipped, or fails under NT_PEERS=require."""

    def ask(package: str, jobs: Any) -> Any:
        try:
            environments.python_of(package)
        except (PeerError, OSError) as error:
            if os.environ.get("NT_PEERS") == "require":
                raise
            reason = str(error).strip().splitlines()[-1]
            pytest.skip(f"{package} {PEERS[package]} cannot be installed here (NT_PEERS=require insists): {reason}")
        return environments.ask(package, jobs)

    return ask
