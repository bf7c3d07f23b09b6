"""Random books, trades and order programs that hftbacktest and our replay can both play, as plain numbers."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from neural_trader.market.events import FLAG, KIND

Market = dict[str, list[Any]]
Job = dict[str, Any]

QUEUES = ("risk_averse", "power", "power_2", "power_3", "log", "log_2")
SETTINGS = [(queue, whole, rows) for queue in QUEUES for whole in (False, True) for rows in (False, True)]
"""Queue model, whether orders fill whole, and whether latency is interpolated."""
COLUMNS = ("kind", "side", "price", "quantity", "venue_ns", "here_ns")
BEGIN_NS = 10_000_000_000
PLAYED = ("level", "trade", "resync", "snapshot_begin", "snapshot_level", "snapshot_end")


class Books:
    """Makes the records of a market: a book that wanders, with trades, crossings, deletions and snapshots."""

    def __init__(self, random: Random, *, ties: bool) -> None:
        self.random = random
        # Where times are to be equal, all of them lie on a few points.
        self.pace = 2 if ties else random.choice((50_000, 1_000_000))
        self.size = random.choice((6, 60, 500))
        self.wild = random.choice((0.0, 0.02, 0.1))
        # Behind deep levels the place in the queue decides; where they are thin, moving prices do.
        self.depth = random.choice((1, 4, 12))
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.middle = 1_000
        self.venue_ns = self.here_ns = BEGIN_NS
        self.market: Market = {name: [] for name in COLUMNS}

    def best(self, side: int) -> int:
        """The best price of a side, or one beside the middle."""
        book = self.sides[side]
        return (max(book) if side > 0 else min(book)) if book else self.middle - side

    def quantity(self) -> int:
        return self.random.randint(1, self.size)

    def add(self, kind: str, side: int = 0, price: int = 0, quantity: int = 0) -> None:
        """One more record."""
        for name, value in zip(self.market, (kind, side, price, quantity, self.venue_ns, self.here_ns), strict=True):
            self.market[name].append(value)
        if kind in ("level", "snapshot_level"):
            self.sides[side].pop(price, None)
            if quantity:
                self.sides[side][price] = quantity

    def pass_time(self) -> None:
        """The next message is later, or at the same time."""
        self.venue_ns += self.random.randint(0, self.pace)
        self.here_ns = max(self.here_ns, self.venue_ns + self.random.randint(0, self.pace))

    def snapshot(self) -> None:
        """The whole book anew, here and there other than it was, from the best price outwards or in disorder."""
        self.add("snapshot_begin")
        bid = self.middle - self.random.randint(0, 1)
        ask = bid + self.random.randint(1, 3)
        levels = [(1, bid - step) for step in range(6)] + [(-1, ask + step) for step in range(6)]
        levels = [level for level in levels if self.random.random() < 0.8]
        if self.random.random() < 0.5:
            self.random.shuffle(levels)
        self.sides = {1: {}, -1: {}}
        for side, price in levels:
            self.add("snapshot_level", side, price, self.depth * self.quantity())
        self.add("snapshot_end")

    def message(self) -> None:
        """What happens next."""
        side, draw = self.random.choice((1, -1)), self.random.random()
        best = self.best(side)
        if draw < 0.6:
            self.change(side, best)
        elif draw < 0.9:
            self.trade(side, best)
        elif draw < 0.9 + 0.07 / self.depth:
            self.add("level", side, best, 0)
            if not self.sides[side]:
                self.add("level", side, best - side, self.depth * self.quantity())
        elif 0.97 < draw < 0.97 + self.wild / 5:
            self.sides = {1: {}, -1: {}}
            self.add("resync") if self.random.random() < 0.5 else self.snapshot()
        elif draw > 0.97 and self.random.random() < self.wild * 8:
            self.cross(side)
        self.middle = (self.best(1) + self.best(-1)) // 2

    def change(self, side: int, best: int) -> None:
        """A level near the best price grows, shrinks, comes, goes, or is said again, mostly within the spread."""
        price = best + side * self.random.choice((1, 0, 0, 0, -1, -1, -2, -3, -4))
        if side * (self.best(-side) - price) <= 0:
            return
        held, least = self.sides[side].get(price, 0), int(self.depth > 1)
        less, fresh = max(least, held - self.quantity()), self.depth * self.quantity()
        more = held + self.quantity()
        self.add("level", side, price, self.random.choice((fresh * least, fresh, less, less, more, held)))

    def trade(self, side: int, best: int) -> None:
        """Somebody takes from a side: at its best price, through it, or inside the spread; the book follows mostly."""
        random = self.random
        price = best - side * random.choices((0, 1, 2, -1), (85 * self.depth, 5, 3, 7))[0]
        quantity = self.quantity()
        aggressor = 0 if random.random() < 0.03 else -side
        self.add("trade", aggressor, price, quantity)
        if price == best and random.random() < 0.8:
            if random.random() < 0.2:
                self.pass_time()
            self.add("level", side, best, max(0, self.sides[side].get(best, 0) - quantity))

    def cross(self, side: int) -> None:
        """A new best price beyond that of the other side, whose levels go later or never."""
        target = self.best(-side) + side * self.random.randint(0, 2)
        self.add("level", side, target, self.quantity())
        for price in sorted(self.sides[-side]):
            if side * (target - price) >= 0 and self.random.random() < 0.8:
                if self.random.random() < 0.3:
                    self.pass_time()
                self.add("level", -side, price, 0)


def job_of(seed: int, *, ties: bool = False) -> tuple[Market, Job]:
    """A market and what to do in it: the seed says under which of the settings."""
    random = Random(seed)
    books = Books(random, ties=ties)
    queue, whole, with_rows = SETTINGS[seed % len(SETTINGS)]
    books.snapshot()
    appetite = random.choice((0.05, 0.15, 0.4))
    program: list[dict[str, Any]] = []
    sent: list[int] = []
    for _ in range(random.randint(200, 900)):
        books.pass_time()
        books.message()
        while random.random() < appetite and len(program) < 150:
            time_ns = books.here_ns + random.randint(0, books.pace)
            time_ns = max(time_ns, program[-1]["time_ns"]) if program else time_ns
            if sent and random.random() < 0.3:
                program.append({"time_ns": time_ns, "cancel": random.choice(sent[-6:])})
                continue
            program.append({"time_ns": time_ns, **_order(random, books)})
            sent.append(len(program))
    end_ns = max(books.here_ns, program[-1]["time_ns"] if program else 0)
    longest = 20 * books.pace
    # The last record comes after everything else has happened.
    until_ns = end_ns + 4 * longest
    books.venue_ns = books.here_ns = until_ns + longest
    books.add("level", 1, 1, 1)
    job = {
        "seed": seed,
        "queue": queue,
        "whole": whole,
        "power": random.randint(1, 3),
        "entry_ns": random.choice((0, random.randint(0, 5 * books.pace))),
        "response_ns": random.choice((0, random.randint(0, 5 * books.pace))),
        "latency_rows": _rows(random, until_ns, books.pace) if with_rows else None,
        "until_ns": until_ns,
        "program": program,
    }
    return books.market, job


def _order(random: Random, books: Books) -> dict[str, Any]:
    side = random.choice((1, -1))
    best = books.best(side)
    # Mostly at or behind the best price, sometimes inside the spread or so far that it takes.
    price = best + side * random.choice((-2, -1, -1, 0, 0, 0, 0, 0, 0, 1, 3))
    quantity = random.choice((1, 2, 5)) * books.quantity()
    return {**_kind(random), "side": side, "price": price, "quantity": quantity}


def _kind(random: Random) -> dict[str, str]:
    tif = random.choices(("gtc", "gtx", "ioc", "fok"), (60, 20, 12, 8))[0]
    return {"kind": "market" if random.random() < 0.05 else "limit", "tif": tif}


def _rows(random: Random, until_ns: int, pace: int, begin_ns: int = BEGIN_NS) -> list[tuple[int, int, int]]:
    """Recorded latency: when an order was sent, was at the venue (0 if refused), and was back."""
    rows = []
    sent = begin_ns - random.randint(-20, 20) * pace
    refusing = random.choice((0.0, 0.0, 0.1))
    while sent < until_ns - 10 * pace:
        venue = sent + random.randint(0, 5 * pace)
        # The news of a refusal takes some time: without, the package does not refuse.
        back = venue + random.randint(1, 5 * pace)
        # The package reads the first and the last row beyond the ends, where a refused one makes no sense.
        refused = rows and random.random() < refusing
        if not rows or venue > max(row[1] for row in rows):
            rows.append((sent, 0 if refused else venue, back))
        sent += random.randint(1, 40 * pace)
    if rows[-1][1] == 0:
        rows.pop()
    return rows


def market_of(records: Any) -> Market:
    """The book and the trades of a recorded session with the times that our replay gives them."""
    wanted = np.isin(records["kind"], [KIND[name] for name in PLAYED])
    names = {KIND[name]: name for name in PLAYED}
    venue_ns = np.maximum.accumulate(records["ts_event_ns"])
    here_ns = np.maximum.accumulate(np.maximum(venue_ns, records["ts_recv_ns"]))
    side = np.select([records["flags"] & FLAG["bid"] > 0, records["flags"] & FLAG["ask"] > 0], [1, -1], 0)
    columns = (side, records["price"], records["quantity"], venue_ns, here_ns)
    kinds = [names[kind] for kind in records["kind"][wanted].tolist()]
    numbers = [column[wanted].tolist() for column in columns]
    return dict(zip(COLUMNS, [kinds, *numbers], strict=True))


def session_job(market: Market, seed: int, lot: int) -> Job:
    """Orders around the best prices of a recorded session, at random times, in whole lots of the venue."""
    random = Random(seed)
    queue, whole, with_rows = SETTINGS[seed % len(SETTINGS)]
    first_ns, last_ns = market["here_ns"][market["kind"].index("snapshot_end")], market["here_ns"][-1]
    until_ns = last_ns - 2_000_000_000
    times = sorted(random.randint(first_ns, until_ns - 2_000_000_000) for _ in range(300))
    program: list[dict[str, Any]] = []
    sent: list[int] = []
    for time_ns, (bid, ask) in zip(times, _bests(market, times), strict=True):
        if len(sent) > 3 and random.random() < 0.3:
            program.append({"time_ns": time_ns, "cancel": random.choice(sent[-8:])})
            continue
        side = random.choice((1, -1))
        price = (bid if side > 0 else ask) + side * random.choice((0, 0, 0, 1, -1, -3, -20, -100, ask - bid))
        quantity = lot * random.choice((1, 7, 100, 2_345, 60_000))
        program.append({"time_ns": time_ns, **_kind(random), "side": side, "price": price, "quantity": quantity})
        sent.append(len(program))
    return {
        "seed": seed,
        "queue": queue,
        "whole": whole,
        "power": random.randint(1, 3),
        "entry_ns": random.randint(0, 50_000_000),
        "response_ns": random.randint(0, 50_000_000),
        "latency_rows": _rows(random, until_ns, 10_000_000, first_ns) if with_rows else None,
        "until_ns": until_ns,
        "program": program,
    }


def _bests(market: Market, times: list[int]) -> list[tuple[int, int]]:
    """The best bid and ask as far as they have come here at each of the times."""
    sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
    bests: list[tuple[int, int]] = []
    for kind, side, price, quantity, _, here_ns in zip(*(market[name] for name in COLUMNS), strict=True):
        while len(bests) < len(times) and times[len(bests)] < here_ns:
            bests.append((max(sides[1]), min(sides[-1])))
        if kind in ("snapshot_begin", "resync"):
            sides = {1: {}, -1: {}}
        elif kind in ("level", "snapshot_level"):
            sides[side].pop(price, None)
            if quantity:
                sides[side][price] = quantity
    return bests
