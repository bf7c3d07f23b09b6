"""Scenarios of a replay: a tape written by hand, what is done at which time, and what came of it in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from neural_trader.baseline.records import BUY, FillRecord, PostingRecord, Reason, State, TradeRecord
from neural_trader.baseline.replay import Replay
from neural_trader.baseline.replay.orders import ReplayOrderRecord
from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, FLAG, KIND

MONEY = 10**18
ONE = Step(1, 0)
BID, ASK = FLAG["bid"], FLAG["ask"]
WORDS = {
    "bid": ("level", BID),
    "ask": ("level", ASK),
    "best_bid": ("quote", BID),
    "best_ask": ("quote", ASK),
    "unsized_bid": ("quote", BID | FLAG["unsized"]),
    "unsized_ask": ("quote", ASK | FLAG["unsized"]),
    "bought": ("trade", BID),
    "sold": ("trade", ASK),
    "printed": ("trade", 0),
    "earlier_sold": ("trade", ASK | FLAG["before"]),
    "aggregate_sold": ("aggregate_trade", ASK),
    "add_bid": ("order_add", BID),
    "add_ask": ("order_add", ASK),
    "add_both": ("order_add", BID | ASK),
    "change": ("order_change", 0),
    "delete": ("order_delete", 0),
    "fill": ("order_fill", 0),
    "begin": ("snapshot_begin", 0),
    "snapshot_bid": ("snapshot_level", BID),
    "snapshot_ask": ("snapshot_level", ASK),
    "end": ("snapshot_end", 0),
    "resync": ("resync", 0),
    "gap": ("gap", 0),
    "status": ("status", 0),
}

Action = Callable[[Any], Any]
Tape = Any
"""An array of records."""
RECORDS = {
    "orders": ReplayOrderRecord,
    "fills": FillRecord,
    "postings": PostingRecord,
    "trades": TradeRecord,
}


class Engines:
    """Makes replays of one of the two engines."""

    def __init__(self, name: str) -> None:
        self.name = name

    def replay(self, instruments: Any, sources: Any, **config: Any) -> Any:
        if self.name == "baseline":
            return Replay(instruments, sources, **config, checked=True)
        from neural_trader._native import Replay as RustReplay

        pairs = [(symbol, *((step.mantissa, step.decimals) for step in steps)) for symbol, *steps in instruments]
        words = [(np.ascontiguousarray(records).view(np.int64), ranks) for records, ranks in sources]
        return RustReplay(pairs, words, **config)


ENGINES = ("baseline", "rust")


def engines_named(name: str) -> Engines:
    """One of ENGINES; a test that asks for one that is not built is skipped."""
    if name == "rust":
        native = pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")
        if not hasattr(native, "Replay"):
            pytest.skip("the built Rust extension has no replay")
    return Engines(name)


def tape(text: str, instrument: int = 0) -> Tape:
    """Records from lines such as ``5 bid 99 10, sold 99 3``: time, then words with price, quantity and number.

    A time ``5/7`` is that of the venue and that of receipt. A word may be followed by ``@1`` for another instrument.
    """
    rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        when, what = line.split(maxsplit=1)
        event_ns, _, recv_ns = when.partition("/")
        for record in what.split(","):
            word, *numbers = record.split()
            word, _, number = word.partition("@")
            kind, flags = WORDS[word]
            price, quantity, identity = (int(numbers[i]) if i < len(numbers) else 0 for i in range(3))
            times = (int(event_ns), int(recv_ns or event_ns))
            rows.append((*times, price, quantity, identity, len(rows), int(number or instrument), KIND[kind], flags))
    return np.array(rows, dtype=EVENT)


@dataclass
class Run:
    """What came of a scenario."""

    engine: Any
    told: list[str]
    answers: list[Any]
    """What the actions returned."""

    @property
    def fills(self) -> list[str]:
        return [
            f"{fill.time_ns}: {fill.order} {'buys' if fill.side == BUY else 'sells'} {fill.quantity} @ {fill.price} "
            f"{'maker' if fill.maker else 'taker'}"
            for fill in records_of(self.engine, "fills")
        ]

    @property
    def ends(self) -> list[str]:
        return [_say_order(order) for order in records_of(self.engine, "orders")]

    def order(self, order_id: int) -> ReplayOrderRecord:
        found: ReplayOrderRecord = records_of(self.engine, "orders")[order_id - 1]
        return found


def records_of(engine: Any, stream: str) -> list[Any]:
    """The records of an engine, whether it has them as records or as columns."""
    found = getattr(engine, stream)
    found = found() if callable(found) else found
    if not isinstance(found, Mapping):
        return list(found)
    names = [field.name for field in fields(RECORDS[stream])]
    return [RECORDS[stream](*row) for row in zip(*(found[name] for name in names), strict=True)]


def samples_of(engine: Any) -> list[tuple[int, int]]:
    """Time and equity of each sample."""
    samples = engine.equity_samples
    return samples if isinstance(samples, list) else list(zip(*samples, strict=True))


def _say_order(order: ReplayOrderRecord) -> str:
    words = [str(order.id), State(order.state).name.lower()]
    if 0 < order.filled < order.quantity:
        words.append(f"({order.filled} of {order.quantity})")
    if order.reason:
        words.append(Reason(order.reason).name.lower())
    return " ".join(words)


class Scripted:
    """Does what is written for a time, or for what it is told, and remembers all that it is told."""

    def __init__(self, actions: Mapping[Any, Any]) -> None:
        self._actions = {
            key: list(action) if isinstance(action, Sequence) else [action] for key, action in actions.items()
        }
        self._done: dict[Any, bool] = defaultdict(bool)
        self.told: list[str] = []
        self.answers: list[Any] = []

    def on_record(self, replay: Any, source: int, index: int) -> None:
        self._hear(replay, f"record {source} {index}")

    def on_answer(self, replay: Any, kind: str, number: int) -> None:
        self._hear(replay, f"{kind} {number}")

    def on_timer(self, replay: Any, time_ns: int) -> None:
        self._act(replay, time_ns)

    def _hear(self, replay: Any, what: str) -> None:
        self.told.append(f"{replay.now_ns}: {what}")
        self._act(replay, what)

    def _act(self, replay: Any, key: Any) -> None:
        if not self._done[key]:
            self._done[key] = True
            for action in self._actions.get(key, ()):
                self.answers.append(action(replay))


def play(
    engines: Engines,
    tapes: str | Sequence[Tape],
    actions: Mapping[Any, Any],
    *,
    symbols: str = "A",
    **more: Any,
) -> Run:
    """Play a scenario; an action's key is the time of a timer or an answer such as ``fill 0``. Money is ample."""
    sources = [tape(tapes)] if isinstance(tapes, str) else list(tapes)
    wants = more.pop("wants", ())
    config = {"cash": 10**9 * MONEY} | more
    ranks = list(range(len(symbols)))
    replay = engines.replay([(symbol, ONE, ONE) for symbol in symbols], [(s, ranks) for s in sources], **config)
    strategy = Scripted(actions)
    for key in actions:
        if isinstance(key, int):
            replay.timer(key)
    replay.run(strategy, wants)
    return Run(replay, strategy.told, strategy.answers)


def limit(side: int, price: int, size: int, *, at: int = 0, **more: Any) -> Action:
    return lambda replay: replay.submit(at, side, "limit", limit=price, size=size, **more)


def market(side: int, size: int, *, at: int = 0, **more: Any) -> Action:
    return lambda replay: replay.submit(at, side, size=size, **more)


def order(side: int, kind: str, size: int, *, at: int = 0, **more: Any) -> Action:
    return lambda replay: replay.submit(at, side, kind, size=size, **more)


def cancel(order_id: int) -> Action:
    return lambda replay: replay.cancel(order_id)


def amend(order_id: int, price: int, quantity: int) -> Action:
    return lambda replay: replay.amend(order_id, price, quantity)
