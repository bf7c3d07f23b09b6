"""Catalogs to keep markets in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from neural_trader.market.catalog import Catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog")


@pytest.fixture
def tree(catalog: Catalog) -> Callable[[], dict[str, bytes]]:
    """All files of the catalog and what is in them, but for locks."""

    def look() -> dict[str, bytes]:
        return {
            str(path.relative_to(catalog.root)): path.read_bytes()
            for path in sorted(catalog.root.rglob("*"))
            if path.is_file() and path.name != "lock"
        }

    return look
