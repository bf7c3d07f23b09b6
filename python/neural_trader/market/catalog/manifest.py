"""The manifest of a dataset: its grid, its files with their digests, and where the rows came from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.catalog.names import Key

SCHEMA = "neural-trader.catalog/1"
METADATA = "neural_trader"
"""The key under which every Parquet file says what it holds."""


@dataclass(frozen=True)
class Origin:
    """A file that rows came from."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Part:
    """One file of a dataset."""

    rows: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str
    origins: tuple[str, ...]
    """Digests of the files that its rows came from."""


@dataclass(frozen=True)
class Manifest:
    """What a dataset holds. When it was written is not part of it: the same data make the same manifest."""

    key: Key
    tick: Step
    lot: Step
    columns: tuple[str, ...]
    """The optional columns that have values."""
    made: str = ""
    """What generated the rows, where no market did."""
    parts: dict[str, Part] = field(default_factory=dict)
    """The files by the first day of their period."""
    origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts.values())

    @property
    def first_ns(self) -> int:
        return min(part.first_ns for part in self.parts.values())

    @property
    def last_ns(self) -> int:
        return max(part.last_ns for part in self.parts.values())

    def text(self) -> str:
        """The manifest as it is kept: JSON with sorted dates."""
        document = {
            "schema": SCHEMA,
            **self.key._asdict(),
            "tick": str(self.tick),
            "lot": str(self.lot),
            "columns": list(self.columns),
            "made": self.made,
            "parts": {date: asdict(self.parts[date]) for date in sorted(self.parts)},
            "origins": {digest: asdict(self.origins[digest]) for digest in sorted(self.origins)},
        }
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"

    def metadata(self, date: str, origins: tuple[str, ...]) -> dict[str, str]:
        """What one Parquet file says about itself."""
        document = {
            "schema": SCHEMA,
            **self.key._asdict(),
            "date": date,
            "tick": str(self.tick),
            "lot": str(self.lot),
            "columns": list(self.columns),
            "made": self.made,
            "origins": [asdict(self.origins[digest]) for digest in origins if digest in self.origins],
        }
        return {METADATA: json.dumps(document, ensure_ascii=False)}


def read_manifest(path: Path) -> Manifest | None:
    """The manifest in a file; None where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: cannot be read as a manifest ({error}); restore it, or import the data again"
        ) from None
    if document.get("schema") != SCHEMA:
        raise DataError(f"{path}: written by another version ({document.get('schema')}); this one reads {SCHEMA}")
    return Manifest(
        Key(document["venue"], document["symbol"], document["kind"], document["every"]),
        step_of(document["tick"]),
        step_of(document["lot"]),
        tuple(document["columns"]),
        document["made"],
        {date: _part(part) for date, part in document["parts"].items()},
        {digest: Origin(**origin) for digest, origin in document["origins"].items()},
    )


def _part(document: dict[str, Any]) -> Part:
    return Part(**{**document, "origins": tuple(document["origins"])})


def step_of(text: str) -> Step:
    """The step as it was written: 10.0 counts tenths."""
    whole, _, fraction = text.partition(".")
    return Step(int(whole + fraction), len(fraction))


def common_step(one: Step, other: Step) -> Step:
    """The coarsest step that both are multiples of."""
    if one == other:
        return one
    decimals = max(one.decimals, other.decimals)
    counts = [step.mantissa * 10 ** (decimals - step.decimals) for step in (one, other)]
    return Step(gcd(*counts), decimals)
