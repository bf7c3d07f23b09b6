"""Which stretches of time of a dataset have been downloaded, kept beside its manifest.

Rows alone cannot tell: where nothing was traded there are none, and rows may also come from files. A stretch is noted
after its rows are stored, so that a crash in between costs one batch that is asked for again, and never a hole.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from neural_trader.market.catalog import Catalog, Key
from neural_trader.market.catalog.store import MANIFESTS

FILE = "downloaded.json"


@dataclass(frozen=True)
class Stretches:
    """Stretches of milliseconds, each from its first up to, not including, its last."""

    path: Path

    @classmethod
    def of(cls, catalog: Catalog, key: Key) -> Stretches:
        return cls(catalog.root / MANIFESTS / key.plain / FILE)

    def read(self) -> list[tuple[int, int]]:
        """All stretches in their order; a note that cannot be read is none, because asking again harms nothing."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return sorted((int(first), int(last)) for first, last in found)
        except (OSError, ValueError, TypeError):
            return []

    def after(self, moment_ms: int) -> int:
        """The first moment from this one on that has not been downloaded."""
        for first, last in self.read():
            if first <= moment_ms < last:
                moment_ms = last
        return moment_ms

    def add(self, first_ms: int, last_ms: int) -> None:
        """Notes one more stretch; those that touch become one."""
        joined: list[tuple[int, int]] = []
        for first, last in sorted([*self.read(), (first_ms, last_ms)]):
            if joined and first <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{FILE}.{os.getpid()}")
        beside.write_text(json.dumps(joined), encoding="utf-8")
        os.replace(beside, self.path)
