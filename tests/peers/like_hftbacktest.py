"""Our side of the comparison with hftbacktest: the same markets and programs in our replay, and what differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import Replay
from neural_trader.baseline.records import State
from neural_trader.market.events import EVENT, FLAG, KIND

if TYPE_CHECKING:
    from peers.hftbacktest_markets import Job, Market

ZOMBIE = "zombie"
LAST_PART = "position of the last part"
NO_BOOK = "market order without a book"
NEARLY_ONE = (1 - 1e-9, 1 + 1e-9)
"""Lots of the package that turn half a lot, give or take the noise of floats, to either side."""

NEW, EXPIRED, FILLED, CANCELED, PARTLY = 1, 2, 3, 4, 5
"""States of orders in the package's numbers; an order that never reached the exchange is expired there."""
STATES = {NEW: "rests", EXPIRED: "expires", FILLED: "fills", CANCELED: "is cancelled", PARTLY: "fills partly"}
ENDED = {State.FILLED: FILLED, State.CANCELLED: CANCELED, State.EXPIRED: EXPIRED, State.REJECTED: EXPIRED}
INVALID_STATE = 14
NOWHERE = (2**63 - 1, -(2**63))
"""The best ask and the best bid of an empty book, there."""
CASH = 10**18 * 10**18
"""So much that margin, which the package does not know, never has a say."""

Answer = tuple[int, ...]
"""Order, arrival here, state, leaves, time at the venue; where it tells of a fill also price, quantity and maker."""


class Program:
    """Sends what a job says at the times that it says, and writes down every answer."""

    def __init__(self, replay: Replay, job: Job) -> None:
        self.rows = job["program"]
        self.next = 0
        self.heard: list[tuple[int, str, int]] = []
        self.ids: dict[int, int] = {}
        """Our id of the order that a row sent, by the number of the row."""
        self.leaves: dict[int, int] = {}
        """Of orders that work, as far as is known here, by our id."""
        self.awaited: set[int] = set()
        """Orders about which an answer is to come: the package lets nobody cancel them until then."""
        for row in self.rows:
            replay.timer(row["time_ns"])

    def on_timer(self, replay: Replay, time_ns: int) -> None:
        row = self.rows[self.next]
        self.next += 1
        if "cancel" in row:
            order = self.ids[row["cancel"]]
            if order in self.leaves and order not in self.awaited:
                self.awaited.add(order)
                replay.cancel(order)
            return
        is_limit = row["kind"] == "limit"
        more = {"limit": row["price"], "time_in_force": row["tif"]} if is_limit else {}
        if is_limit and row["tif"] == "gtx":
            more |= {"time_in_force": "gtc", "post_only": True}
        order = replay.submit(0, row["side"], row["kind"], size=row["quantity"], **more)
        self.ids[self.next] = order
        self.awaited.add(order)

    def on_answer(self, replay: Replay, kind: str, number: int) -> None:
        self.heard.append((replay.now_ns, kind, number))
        order, quantity = number, 0
        if kind == "fill":
            order, _, _, lots, *_ = replay.fill_record(number)
            quantity = int(lots)
        self.awaited.discard(order)
        if kind == "accepted":
            self.leaves[order] = next(self.rows[row - 1] for row, sent in self.ids.items() if sent == order)["quantity"]
        elif kind == "ended" or self.leaves.get(order) == quantity:
            self.leaves.pop(order, None)
        elif kind == "fill":
            self.leaves[order] -= quantity

    def on_record(self, replay: Replay, source: int, index: int) -> None:
        """Nothing is decided on records."""


@dataclass
class Told:
    """What came of a job on our side."""

    answers: list[Answer]
    position: int
    """As the package counts it."""
    whole_position: int
    """With all parts of all orders."""


def records_of(market: Market) -> Any:
    """The market as our replay reads it."""
    records = np.zeros(len(market["kind"]), dtype=EVENT)
    records["kind"] = [KIND[kind] for kind in market["kind"]]
    records["flags"] = [{1: FLAG["bid"], -1: FLAG["ask"], 0: 0}[side] for side in market["side"]]
    records["price"], records["quantity"] = market["price"], market["quantity"]
    records["ts_event_ns"], records["ts_recv_ns"] = market["venue_ns"], market["here_ns"]
    return records


def run(records: Any, job: Job) -> Told:
    """The job in our engine."""
    replay = Replay(
        [("X", (1, 0), (1, 0))],
        [(records.view(np.int64), [0])],
        cash=CASH,
        entry_ns=job["entry_ns"],
        response_ns=job["response_ns"],
        latency_rows=job["latency_rows"],
        queue=job["queue"],
        power=job["power"],
        whole=job["whole"],
        sample_ns=10**15,
        like="hftbacktest",
    )
    program = Program(replay, job)
    replay.run(program)
    return _told(replay, program, job)


def _told(replay: Replay, program: Program, job: Job) -> Told:
    """Our answers put together as the package gives them: one per order and time, with the last fill of it."""
    rows = {order: row for row, order in program.ids.items()}
    orders, fills = {order.id: order for order in _lines(replay.orders)}, _lines(replay.fills)
    leaves = {order: job["program"][row - 1]["quantity"] for order, row in rows.items()}
    told: dict[tuple[int, int], Answer] = {}
    for time_ns, kind, number in program.heard:
        if kind == "refused" or time_ns > job["until_ns"]:
            continue
        order = orders[fills[number].order if kind == "fill" else number]
        key, last = (rows[order.id], time_ns), ()
        if kind == "fill":
            fill = fills[number]
            leaves[order.id] -= fill.quantity
            status, venue_ns = PARTLY if leaves[order.id] else FILLED, fill.time_ns
            last = (fill.price, fill.quantity, int(fill.maker))
        else:
            status, venue_ns = (NEW, order.accept_ns) if kind == "accepted" else (ENDED[order.state], order.end_ns)
            last = told[key][5:] if key in told else ()
        told[key] = (*key, status, leaves[order.id], 0 if order.state == State.REJECTED else venue_ns, *last)
    last_parts = [(answer[0], answer[6]) for answer in told.values() if answer[2] == FILLED]
    position = sum(job["program"][row - 1]["side"] * quantity for row, quantity in last_parts)
    return Told(sorted(told.values()), position, sum(fill.side * fill.quantity for fill in fills))


def _lines(columns: dict[str, Any]) -> list[SimpleNamespace]:
    return [SimpleNamespace(**dict(zip(columns, line, strict=True))) for line in zip(*columns.values(), strict=True)]


@dataclass
class Comparison:
    """The named deviations of one job, and what none of them explains."""

    named: set[str] = field(default_factory=set)
    unexplained: str | None = None
    answers: int = 0
    fills: int = 0


def compare(job: Job, theirs: dict[str, Any], ours: Told) -> Comparison:
    """Every answer of a job."""
    comparison = Comparison()
    until_ns = job["until_ns"]
    if theirs["error"] == INVALID_STATE and not job["whole"]:
        # After the last answer that came before the end nothing can be compared.
        until_ns = theirs["time_ns"]
        comparison.named.add(ZOMBIE)
    elif theirs["error"]:
        comparison.unexplained = f"error {theirs['error']}"
        return comparison
    left = _answers_of(theirs, comparison)
    right = {answer[:2]: answer for answer in ours.answers if answer[1] <= until_ns}
    for key in sorted(left.keys() | right.keys(), key=lambda key: (key[1], key[0])):
        if left.get(key) != right.get(key) and not _is_nowhere(left.get(key), right.get(key), comparison):
            comparison.unexplained = f"{job['queue']}, whole {job['whole']}: {left.get(key)}, ours {right.get(key)}"
            return comparison
    comparison.answers = len(left)
    comparison.fills = sum(len(answer) > 5 for answer in left.values())
    if ZOMBIE not in comparison.named and NO_BOOK not in comparison.named:
        if theirs["position"] != ours.position:
            comparison.unexplained = f"position {theirs['position']}, ours by their count {ours.position}"
        elif ours.position != ours.whole_position:
            comparison.named.add(LAST_PART)
    return comparison


def _answers_of(theirs: dict[str, Any], comparison: Comparison) -> dict[tuple[int, ...], Answer]:
    """Their rows that tell of a new state or of fewer leaves, in our form."""
    answers: dict[tuple[int, ...], Answer] = {}
    known: dict[int, tuple[int, int]] = {}
    for order, here_ns, venue_ns, state, leaves, price, quantity, maker, _ in theirs["answers"]:
        # A cancellation on its way may meet an order that has filled.
        is_zombie = state == CANCELED and leaves == 0
        comparison.named |= {ZOMBIE} if is_zombie else set()
        status = FILLED if is_zombie else state
        before = known.get(order)
        if before == (status, leaves):
            continue
        known[order] = (status, leaves)
        has_filled = leaves != (before[1] if before else None) and (before or status in (FILLED, PARTLY) or quantity)
        # What was told of an order at one time is one answer.
        last = (price, quantity, maker) if has_filled else answers.get((order, here_ns), ())[5:]
        answers[order, here_ns] = (order, here_ns, status, leaves, venue_ns, *last)
    return answers


def _is_nowhere(theirs: Answer | None, ours: Answer | None, comparison: Comparison) -> bool:
    """A market order that found no book: they fill it at no price, we end it."""
    if theirs is None or ours is None or len(theirs) == 5 or theirs[5] not in NOWHERE or len(ours) > 5:
        return False
    comparison.named.add(NO_BOOK)
    return ours[2] == CANCELED


def situations(job: Job, comparison: Comparison, theirs: dict[str, Any]) -> Counter[str]:
    """What a job has visited, so that the suite can ask for everything."""
    found: Counter[str] = Counter()
    exchange, latency = "whole" if job["whole"] else "partial", "rows" if job["latency_rows"] else "constant"
    found[f"{job['queue']}, {exchange}, {latency}"] += comparison.fills
    found.update(STATES[row[3]] for row in theirs["answers"])
    return found
