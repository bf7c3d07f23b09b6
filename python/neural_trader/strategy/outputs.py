"""The outputs of a feature under their names."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any


@cache
def outputs_named(feature: str, names: tuple[str, ...]) -> Any:
    """The named tuple of a feature's outputs: one class for all that have these."""
    # The names are those of the table, which types do not know.
    return namedtuple(feature, names)  # noqa: PYI024
