"""Best prices in the form in which all contestants show them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Touches = list[tuple[int, ...]]
"""After each message, update or action: best bid in ticks, lots there, best ask, lots there; or zeros."""


def digest(touches: Iterable[tuple[int, ...]]) -> str:
    """What two contestants have in common if they have all best prices in common."""
    hashed = hashlib.sha256()
    for touch in touches:
        hashed.update(f"{' '.join(map(str, touch))}\n".encode())
    return hashed.hexdigest()
