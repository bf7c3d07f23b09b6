"""Makes the session of the benches, a book and its trades: python session.py RECORDS FOLDER

It stands in `session.npy`; half of it in `short.npy` and it twice in `long.npy` are recordings to open.

The middle wanders by ticks, with ten levels on either side of it. Sizes of levels are drawn anew with each change. A
move of the middle is four records: the level that goes, the one that comes, and one at each far end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.record_files import write_recording
from neural_trader.market.recordings import Listed, Recording

SEED = 7
BEGIN_NS = 1_704_067_200 * 10**9
GAP_NS = 1_500_000
"""Mean time between two messages, so that five million records are about an hour."""
LEVELS = 10
CHANGE, TRADE, MOVE = 0, 1, 2
RECORDS_OF = np.array([1, 2, 4])
"""A level; a trade and its level; the four levels of a move."""


def session(count: int, seed: int = SEED) -> npt.NDArray[np.void]:
    """So many records of one instrument, after those of a first snapshot."""
    random = np.random.default_rng(seed)
    messages = random.choice(3, size=count, p=(0.72, 0.2, 0.08))
    messages = messages[: np.searchsorted(np.cumsum(RECORDS_OF[messages]), count) + 1]
    up = random.choice((-1, 1), size=len(messages))
    middle = 100_000 + np.cumsum(np.where(messages == MOVE, up, 0))
    # A record belongs to a message and is the first to fourth of it.
    owner = np.repeat(np.arange(len(messages)), RECORDS_OF[messages])[:count]
    place = np.arange(count) - np.searchsorted(owner, owner)
    what, up, middle = messages[owner], up[owner], middle[owner]
    side = random.choice((-1, 1), size=len(messages))[owner]
    away = 1 + np.where(what == CHANGE, np.minimum(random.geometric(0.3, size=count), LEVELS) - 1, 0)
    size = random.integers(1, 200, size=count)

    # Of a move by one: the best level on that side goes, the other side follows, and both far ends with them.
    far = 1 + LEVELS
    sides = np.select([place == 0, place == 1, place == 2], [-up, up, -up], up)
    aways = np.select([place == 0, place == 1, place == 2], [0, 1, LEVELS], far)
    gone = (place == 0) | (place == 3)
    side = np.where(what == MOVE, sides, side)
    away = np.where(what == MOVE, aways, away)
    size = np.where((what == MOVE) & gone, 0, size)

    trades = (what == TRADE) & (place == 0)
    records = np.zeros(count, dtype=EVENT)
    records["kind"] = np.where(trades, KIND["trade"], KIND["level"])
    # A trade at the best price of a side was made by an aggressor of the other one.
    records["flags"] = np.where(np.where(trades, -side, side) > 0, FLAG["bid"], FLAG["ask"])
    records["price"], records["quantity"] = middle - side * away, size
    times = BEGIN_NS + np.cumsum(random.geometric(1 / GAP_NS, size=len(messages)))
    records["ts_event_ns"] = times[owner]
    delays = random.integers(500_000, 1_500_000, size=len(messages))
    records["ts_recv_ns"] = np.maximum.accumulate(times + delays)[owner]
    return np.concatenate([_first(), records])


def _first() -> npt.NDArray[np.void]:
    """The snapshot from which the middle starts."""
    records = np.zeros(2 * LEVELS + 2, dtype=EVENT)
    records["kind"] = KIND["snapshot_level"]
    records["kind"][0], records["kind"][-1] = KIND["snapshot_begin"], KIND["snapshot_end"]
    away = np.arange(LEVELS) + 1
    records["price"][1:-1] = np.concatenate([100_000 - away, 100_000 + away])
    records["quantity"][1:-1] = 100
    records["flags"][1:-1] = np.repeat([FLAG["bid"], FLAG["ask"]], LEVELS)
    records["ts_event_ns"], records["ts_recv_ns"] = BEGIN_NS - 2_000_000, BEGIN_NS - 1_000_000
    return records


def main() -> None:
    """Make the files."""
    records, folder = session(int(sys.argv[1])), Path(sys.argv[2])
    np.save(folder / "session.npy", records)
    again = records.copy()
    for name in ("ts_event_ns", "ts_recv_ns"):
        again[name] += records["ts_recv_ns"][-1] - BEGIN_NS + 10**9
    instruments = (Listed("X", Step(1, 0), Step(1, 0)),)
    for name, part in (("short", records[: len(records) // 2]), ("long", np.concatenate([records, again]))):
        write_recording(Recording(part, instruments, "synthetic"), folder / f"{name}.npy")


if __name__ == "__main__":
    main()
