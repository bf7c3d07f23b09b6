"""Where a catalog is, and how venues, symbols and kinds are spelled in it on every file system."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from neural_trader.config import data_folder
from neural_trader.errors import DataError, UsageError

ENVIRONMENT = "NT_CATALOG"
KINDS = ("bars", "trades", "quotes", "depth", "orders")


class Key(NamedTuple):
    """What names a dataset."""

    venue: str
    symbol: str
    kind: str
    every: str = ""
    """For bars: what one is made of, such as 5m or 1000-trades."""

    @property
    def kind_name(self) -> str:
        """The kind as folders and tables show it: ``bars-5m``, ``trades``."""
        return f"{self.kind}-{self.every}" if self.every else self.kind

    @property
    def hive(self) -> Path:
        """The folder of the dataset's files, below ``data``."""
        kind = f"kind={spelled(self.kind_name)}"
        return Path(f"venue={spelled(self.venue)}", f"instrument={spelled(self.symbol)}", kind)

    @property
    def plain(self) -> Path:
        """The folder of the dataset's manifest, below ``manifests``."""
        return Path(*(part.partition("=")[2] for part in self.hive.parts))

    def __str__(self) -> str:
        return f"{self.venue}/{self.symbol}/{self.kind_name}"


def spelled(name: str) -> str:
    """A name as a part of a path that Windows takes too: a slash becomes a dash, anything unusual a percent code.

    The way back is in the manifest, which holds the name as it is; two names of one spelling are refused.
    """
    text = quote(name.replace("/", "-"), safe="+")
    # Windows drops dots at the end of a name, and a tilde may stand for a shortened name.
    return re.sub(r"\.+$", lambda dots: "%2E" * len(dots[0]), text.replace("~", "%7E"))


def checked_key(key: Key) -> Key:
    """The key, if its names can be kept."""
    for what, name in (("venue", key.venue), ("symbol", key.symbol)):
        if not name.strip() or name != name.strip() or any(ord(letter) < 32 for letter in name) or name == "*":
            raise UsageError(f"{what} {name!r} cannot be kept; name it in letters and digits")
    if key.kind not in KINDS:
        raise UsageError(f"kind {key.kind!r} is not {', '.join(KINDS)}")
    if (key.kind == "bars") != bool(key.every):
        raise UsageError(f"{key}: bars, and only bars, say what one is made of, such as 5m")
    return key


def catalog_root(given: str | Path | None = None) -> Path:
    """The folder of the catalog: the given one, that of $NT_CATALOG, or the one that the platform has for data."""
    if given is not None:
        return Path(given).expanduser()
    if named := os.environ.get(ENVIRONMENT):
        return Path(named).expanduser()
    return data_folder() / "catalog"


def split_kind(text: str) -> tuple[str, str]:
    """``bars-5m`` as kind and what a bar is made of."""
    kind, _, every = text.partition("-")
    if kind not in KINDS or (every and kind != "bars"):
        raise DataError(f"kind {text!r} is not bars (or bars-5m), trades, quotes, depth or orders")
    return kind, every
