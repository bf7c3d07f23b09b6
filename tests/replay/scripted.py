"""Small sessions written by hand, and strategies that do what is written for a time and remember what they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

import neural_trader as nt
from neural_trader.market.bars import Step
from neural_trader.market.events import FLAG
from neural_trader.market.recordings import Listed, Recording
from neural_trader.strategy import Order, Strategy
from replay.scenario import tape

BOOK = "1 begin, snapshot_bid 9900 20, snapshot_bid 9800 40, snapshot_ask 10000 30, snapshot_ask 10100 50, end\n"
"""Bids of 2 at 99.00 and 4 at 98.00, asks of 3 at 100.00 and 5 at 101.00."""
END = "90 status\n"

Action = Callable[[Any], Any]


def session(text: str, symbols: str = "A") -> Recording:
    """A recording of lines as :func:`replay.scenario.tape` reads them: ticks of 0.01, lots of 0.1.

    The last record of each time ends a message; ids count up from 0 where the lines do not give them.
    """
    records = tape(text).copy()
    records["id"] = np.where(records["id"] == 0, np.arange(len(records)), records["id"])
    ends = np.append(np.diff(records["ts_event_ns"]) != 0, True)
    records["flags"][ends] |= FLAG["last"]
    return Recording(records, tuple(Listed(symbol, Step(1, 2), Step(1, 1)) for symbol in symbols))


class Scripted(Strategy):
    """Does what its ``script`` says for a time; ``told`` is what it heard of its orders, ``seen`` what actions gave."""

    script: ClassVar[Mapping[int, Action]]

    def on_start(self) -> None:
        self.told: list[str] = []
        self.seen: list[Any] = []
        for time_ns in self.script:
            self.set_timer(at_ns=time_ns)

    def on_timer(self, time_ns: int) -> None:
        self.seen.append(self.script[time_ns](self))

    def on_fill(self, fill: nt.Fill) -> None:
        verb = "buys" if fill.side > 0 else "sells"
        role = "maker" if fill.maker else "taker"
        self.told.append(f"{self.now_ns}: {fill.order} {verb} {fill.quantity:g} @ {fill.price:g} {role}")

    def on_order(self, order: Order) -> None:
        why = f" {order.state} {order.reason}".rstrip() if order.event == "ended" else ""
        self.told.append(f"{self.now_ns}: {order.id} {order.event}{why}")


class Played:
    """What came of a script in a session, or in several recordings."""

    def __init__(
        self, data: str | list[Recording], script: Mapping[int, Action], symbols: str = "A", **settings: Any
    ) -> None:
        class Once(Scripted):
            def on_start(self) -> None:
                super().on_start()
                kept.append(self)

        Once.script = script
        kept: list[Scripted] = []
        given = {"latency": "0ms", "fee": 0, "sample": "10ns", "cash": 1_000_000} | settings
        self.result = nt.replay(Once, session(data, symbols) if isinstance(data, str) else data, **given)
        self.strategy = kept[0]
        self.told, self.seen = self.strategy.told, self.strategy.seen

    def order(self, number: int = 1) -> dict[str, Any]:
        """A row of the frame of orders."""
        row: dict[str, Any] = self.result.orders.row(number - 1, named=True)
        return row

    def ends(self) -> list[str]:
        """How the orders stand at the end."""
        return [
            f"{row['id']} {row['state']} {row['reason'] or ''}".rstrip()
            for row in self.result.orders.iter_rows(named=True)
        ]


def nanoseconds(result: Any, column: str) -> list[int | None]:
    """A column of times of the orders, in nanoseconds."""
    found: list[int | None] = result.orders[column].cast(int).to_list()
    return found
