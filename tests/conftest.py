"""What every test of the repository may rely on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Only tests of the ledger count what they run, and nothing is ever written into anybody's home.
os.environ["NT_TRIALS"] = "off"

REPOSITORY = Path(__file__).resolve().parents[1]

# A failure in CI has to be the same one on the machine of whoever looks into it.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded markets, too large for the repository: $NT_SHARED, or the folder `shared` beside the checkout."""
    folder = Path(os.environ.get("NT_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded markets at {folder}; NT_SHARED says where they are")
    return folder
