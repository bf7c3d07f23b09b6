"""Records of a capture on disk until the last one has been decoded, so that a session of any length fits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.catalog.lock import held

if TYPE_CHECKING:
    import numpy as np

    Records = np.ndarray[Any, np.dtype[Any]]

PIECE = 1 << 17
"""Records that are in memory at once."""
SPOOL = "spool"
GROUPS = {
    "trade": ("trade",),
    "aggregate_trade": ("aggregate_trade",),
    "quote": ("quote",),
    "depth": ("level", "snapshot_begin", "snapshot_level", "resync"),
}
"""The kinds of records that are kept together."""


@contextmanager
def spool_folder(root: Path) -> Iterator[Path]:
    """A folder for one import, which is gone afterwards; those of imports that died are removed."""
    above = root / SPOOL
    above.mkdir(parents=True, exist_ok=True)
    with ExitStack() as own:
        with held(above / "lock"):
            for left in above.iterdir():
                if left.is_dir() and _is_abandoned(left):
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(dir=above))
            own.callback(shutil.rmtree, folder, ignore_errors=True)
            own.enter_context(held(folder / "lock"))
        yield folder


def _is_abandoned(folder: Path) -> bool:
    try:
        with held(folder / "lock", patience_s=0.0):
            return True
    except DataError:
        return False


@dataclass
class Spooled:
    """The records of one group of one instrument, in the order of their receipt."""

    path: Path
    count: int = 0
    named: int = 0
    """How many of them the venue named a time for."""
    first_ns: int = 0
    """The first time that the venue named."""
    is_ordered: bool = True
    """Whether times never fall, nor ids within one time."""
    sided: int = 0
    """How many of them are of bids or asks, buyers or sellers."""
    is_unsized: bool = False
    """Whether a quote came without its quantity."""
    _latest: tuple[int, int] = (0, 0)

    def add(self, records: Records) -> None:
        """Writes records behind those that are there."""
        import numpy as np

        from neural_trader.market.events import FLAG

        with self.path.open("ab") as file:
            file.write(records.tobytes())
        times, ids = records["ts_event_ns"], records["id"]
        named = times != 0
        if not self.named and named.any():
            self.first_ns = int(times[named][0])
        self.named += int(named.sum())
        self.count += len(records)
        self.sided += int((records["flags"] & (FLAG["bid"] | FLAG["ask"]) != 0).sum())
        self.is_unsized |= bool((records["flags"] & FLAG["unsized"]).any())
        falls = (np.diff(times) < 0) | ((np.diff(times) == 0) & (ids[1:] < ids[:-1]))
        self.is_ordered &= not falls.any() and (int(times[0]), int(ids[0])) >= self._latest
        self._latest = int(times[-1]), int(ids[-1])

    def pieces(self) -> Iterator[Records]:
        """The records again, piece by piece."""
        import numpy as np

        from neural_trader.market.events import EVENT

        with self.path.open("rb") as file:
            while len(piece := np.frombuffer(file.read(PIECE * EVENT.itemsize), EVENT)):
                yield piece

    def in_order(self) -> tuple[int, Iterator[Records]]:
        """The records by time and id, and how many had to move, for which times and ids must fit into memory."""
        import numpy as np

        from neural_trader.market.events import EVENT

        if self.is_ordered:
            return 0, self.pieces()
        keys = [(piece["id"].copy(), piece["ts_event_ns"].copy()) for piece in self.pieces()]
        order = np.lexsort([np.concatenate(column) for column in zip(*keys, strict=True)])
        moved = int((order != np.arange(len(order))).sum())

        def sorted_pieces() -> Iterator[Records]:
            whole = np.memmap(self.path, EVENT, mode="r")
            for first in range(0, len(order), PIECE):
                yield np.array(whole[order[first : first + PIECE]])

        return moved, sorted_pieces()


class Spool:
    """The records of a session, apart by instrument and group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: dict[tuple[int, str], Spooled] = {}

    def add(self, events: Records) -> None:
        """Takes a block of a session in."""
        import numpy as np

        from neural_trader.market.events import KIND

        for group, names in GROUPS.items():
            of_group = events[np.isin(events["kind"], [KIND[name] for name in names])]
            for number in np.unique(of_group["instrument"]).tolist():
                self._spooled(number, group).add(of_group[of_group["instrument"] == number])

    def _spooled(self, number: int, group: str) -> Spooled:
        return self._groups.setdefault((number, group), Spooled(self._folder / f"{number}.{group}"))

    def get(self, number: int, *groups: str) -> Spooled | None:
        """The first of these groups of an instrument that has records."""
        return next((found for group in groups if (found := self._groups.get((number, group)))), None)
