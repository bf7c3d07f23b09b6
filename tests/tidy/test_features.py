"""What is written from the table of features is what the table says."""

from __future__ import annotations

import os

import pytest

from tidy.feature_pages import BORDER, PAGE, STUB, page, stub


@pytest.fixture(scope="module", autouse=True)
def _written() -> None:
    """Write both anew on request."""
    if os.environ.get("NT_WRITE_FEATURES"):
        introduction = PAGE.read_text(encoding="utf-8").split(BORDER, 1)[0]
        PAGE.write_text(f"{introduction}{BORDER}\n{page()}", encoding="utf-8")
        STUB.write_text(stub(), encoding="utf-8")


def test_the_document_lists_the_features_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8").split(BORDER, 1)[1] == "\n" + page()


def test_the_stub_has_the_functions_as_they_are() -> None:
    assert STUB.read_text(encoding="utf-8") == stub()
