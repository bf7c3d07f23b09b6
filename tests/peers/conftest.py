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

    missing: dict[str, str] = {}

    def ask(package: str, jobs: Any) -> Any:
        try:
            # Waiting once for a network that is not there is enough.
            if package not in missing:
                environments.python_of(package)
        except (PeerError, OSError) as error:
            if os.environ.get("NT_PEERS") == "require":
                raise
            missing[package] = str(error).strip().splitlines()[-1]
        if package in missing:
            reason = missing[package]
            pytest.skip(f"{package} {PEERS[package]} cannot be installed here (NT_PEERS=require insists): {reason}")
        return environments.ask(package, jobs)

    return ask
