"""Random sessions: markets as feeds record them, with their faults, and programs that use all that a replay offers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from neural_trader.errors import EngineError
from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, FLAG, KIND

BILLION = 10**9
SECOND = 10**9
DAY_NS = 86_400 * SECOND
MIDNIGHT_NS = 1_704_067_200 * SECOND
BID, ASK = FLAG["bid"], FLAG["ask"]
NOT_PART = 7
"""The number of an instrument that is recorded and not traded."""
EVERY_INSTRUMENT = 65_535
ORDER_KINDS = ("market", "limit", "limit", "limit", "stop", "stop_limit", "trailing_stop", "market_if_touched")
QUEUES = ("front", "risk_averse", "risk_averse", "power", "power_2", "power_3", "log", "log_2")
ORDERS_FROM_ANSWERS = 40
"""An order sent in answer to each answer would never end."""


@dataclass(frozen=True)
class Session:
    """Recorded sources, the configuration and a program, all of them determined by the seed."""

    seed: int
    instruments: list[tuple[str, Step, Step]]
    sources: list[tuple[Any, list[int]]]
    config: dict[str, Any]
    wants: tuple[str, ...]
    start_ns: int
    end_ns: int
    early_ns: int = 0
    """A time before the session, for timers and expiries."""


def make_session(
    seed: int,
    *,
    records: int | None = None,
    base: int | None = None,
    is_plain: bool = False,
    tape_of: type[Tape] | None = None,
    **config: Any,
) -> Session:
    """A session of this seed; ``config`` overrides what is drawn.

    A plain one has neither snapshots nor faults of the feed, and says the aggressor of every trade.
    """
    random = Random(seed)
    tape = (tape_of or Tape)(random, config.get("depth"), base, is_plain=is_plain)
    tape.play(records or random.choice((40, 80, 160, 320)))
    start_ns, end_ns = tape.start_ns, tape.now_ns
    drawn = _random_config(random, tape) | config
    wants = ("trade", "aggregate_trade", "level", "quote", "snapshot_end", "gap")
    if tape.depth == "orders":
        wants = ("trade", "order_add", "order_change", "order_delete", "order_fill", "snapshot_end")
    chosen = tuple(random.sample(wants, random.randint(1, len(wants))))
    return Session(seed, tape.instruments, tape.sources(), drawn, chosen, start_ns, end_ns)


def joined(one: Session, other: Session) -> Session:
    """Two sessions as one: sources, and instruments whose books and trades are told by different records."""
    instruments = [
        (f"{at}{symbol}", *steps) for at, each in enumerate((one, other)) for symbol, *steps in each.instruments
    ]
    count = len(one.instruments)
    moved = [(records, [rank + count if rank >= 0 else rank for rank in ranks]) for records, ranks in other.sources]
    words = {
        name: [each.config[name] for each in (one, other) for _ in each.instruments] for name in ("depth", "trades")
    }
    return replace(
        one,
        instruments=instruments,
        sources=[*one.sources, *moved],
        config=one.config | words,
        wants=(*one.wants, *other.wants),
        start_ns=min(one.start_ns, other.start_ns),
        end_ns=max(one.end_ns, other.end_ns),
    )


EDGES = (0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63))


def spoiled(session: Session) -> Session:
    """The same session with fields overwritten here and there by what no feed should ever write."""
    random, sources = Random(session.seed), []
    for records, ranks in session.sources:
        copy = records.copy()
        for row in copy:
            if random.random() < 0.03:
                match random.randrange(5):
                    case 0:
                        row[random.choice(("price", "quantity"))] = random.choice(EDGES)
                    case 1:
                        row["flags"] = random.choice((0, 3, 7, 40, 255))
                    case 2:
                        row["kind"] = random.choice((0, 2, 6, 36, 255))
                    case 3:
                        row["instrument"] = random.choice((0, 1, 3, 9, EVERY_INSTRUMENT))
                    case 4:
                        row[random.choice(("ts_event_ns", "ts_recv_ns"))] = random.choice(
                            (0, -1, -(2**63), session.end_ns)
                        )
        sources.append((copy, ranks))
    return replace(session, sources=sources)


def _random_config(random: Random, tape: Tape) -> dict[str, Any]:
    step_ns = tape.step_ns
    config: dict[str, Any] = {
        "cash": random.choice((3, 20, 1_000, 10**9)) * tape.base * tape.unit,
        "leverage_ppb": random.choice((BILLION, BILLION, 3 * BILLION, 50 * BILLION, BILLION // 2)),
        "maker_ppb": random.choice((0, 0, 200_000, 12_345_678)),
        "taker_ppb": random.choice((0, 0, 500_000, 33_333_333)),
        "fixed_fee": random.choice((0, 0, 0, 7, tape.unit)),
        "feed_ns": random.choice((None, None, 0, step_ns, 5 * step_ns)),
        "queue": random.choice(QUEUES),
        "power": random.choice((1, 2, 3, 5)),
        "whole": random.random() < 0.2,
        "depth": tape.depth,
        "trades": random.choice(("trade", "trade", "aggregate_trade")),
        "self_trade": random.choice(("cancel_newest", "cancel_oldest", "cancel_both", "off", "off")),
        "sample_ns": random.choice((1, 3, 50, 1_000)) * step_ns,
    }
    if random.random() < 0.3:
        config["latency_rows"] = _latency_rows(random, tape)
    else:
        config["entry_ns"] = random.choice((0, 0, 1, step_ns, 7 * step_ns))
        config["response_ns"] = random.choice((0, 0, 1, step_ns, 7 * step_ns))
    return config


def _latency_rows(random: Random, tape: Tape) -> list[tuple[int, int, int]]:
    """Requests along the session, some of them refused; the first ones may come before it."""
    sent = tape.start_ns - random.choice((0, 10)) * tape.step_ns
    refused_share = random.choice((0.0, 0.1, 0.5))
    rows, last_venue = [], 0
    while sent <= tape.now_ns and len(rows) < 40:
        venue = max(last_venue + 1, sent + random.randint(0, 5 * tape.step_ns))
        back = venue + random.randint(0, 5 * tape.step_ns)
        if rows and random.random() < refused_share:
            rows.append((sent, random.choice((0, -5)), back))
        else:
            rows.append((sent, venue, back))
            last_venue = venue
        sent += random.choice((0, 1, 20)) * tape.step_ns + random.randint(1, 10 * tape.step_ns)
    return rows


class Tape:
    """Writes the records of some instruments; each has a book that is consistent except where the feed is not."""

    def __init__(self, random: Random, depth: str | None, base: int | None, *, is_plain: bool) -> None:
        self._random = random
        self._is_plain = is_plain
        count = random.choice((1, 1, 2, 3))
        self.base = random.choice((6, 40, 1_000, 1_000, 50_000) if base is None else (base,))
        """The price around which the market begins, in ticks."""
        tick, lot = random.choice(((Step(1, 2), Step(1, 0)), (Step(5, 1), Step(25, 3)), (Step(1, 9), Step(1, 9))))
        self.unit: int = tick.mantissa * lot.mantissa * 10 ** (18 - tick.decimals - lot.decimals)
        self.instruments = [(symbol, tick, lot) for symbol in sorted(random.sample("ABCab", count))]
        self.depth = depth or random.choice(("levels", "levels", "levels", "quotes"))
        self.step_ns = random.choice((1_000, 10**6, SECOND))
        before_midnight = random.choice((0, 0, 20, 60)) * self.step_ns
        self.start_ns = MIDNIGHT_NS - before_midnight
        self.now_ns = self.start_ns
        self._books = [{BID: dict[int, int](), ASK: dict[int, int]()} for _ in self.instruments]
        self._middles = [self.base + random.randint(-2, 2) for _ in self.instruments]
        self._skew_ns = random.choice((0, 0, -3, 4)) * self.step_ns
        self._feed_ns = random.choice((0, 1, 6)) * self.step_ns
        self._odd_times = random.choice((0.0, 0.0, 0.05, 0.3))
        self._faults = 0.0 if is_plain else random.choice((0.0, 0.02, 0.1))
        self._lots = random.choice((3, 10, 1_000))
        self._split = random.choice(("one", "one", "by kind", "by instrument"))
        self._timeless = random.random() < 0.05
        self._rows: list[list[tuple[int, ...]]] = [[], []]
        self._ranks = [list(range(count)), list(range(count))]

    def sources(self) -> list[tuple[Any, list[int]]]:
        """One source or two, with their ranks, which need not be the numbers of the instruments."""
        used = 1 if self._split == "one" else 2
        return [
            (np.array(rows, dtype=EVENT), ranks) for rows, ranks in zip(self._rows[:used], self._ranks, strict=False)
        ]

    def play(self, records: int) -> None:
        random = self._random
        if random.random() < 0.5:
            # The feed counts instruments in another order, and has one that is no part of the run.
            for ranks in self._ranks:
                ranks.append(-1)
                random.shuffle(ranks)
        for index in range(len(self.instruments)):
            if self.depth != "quotes" and not self._is_plain and random.random() < 0.8:
                self._fill_book(index)
                self._snapshot(index)
        while sum(map(len, self._rows)) < records:
            self.now_ns += random.choice((0, 0, 1, 1, 2, 30)) * self.step_ns + random.choice((0, 0, 1, 17))
            self._message(random.randrange(len(self.instruments)))

    def _message(self, index: int) -> None:
        choice = self._random.random()
        if choice < self._faults:
            self._fault(index)
        elif choice < 0.35:
            self._trade(index)
        elif choice < 0.4:
            self._jump(index)
        else:
            self._change_levels(index)
        self._quote(index)

    # What happens in a market.

    def _near(self, index: int, side: int) -> int:
        reach = self._random.choice((1, 2, 5))
        distance = self._random.randint(0, reach)
        return max(1, self._middles[index] + (-distance if side == BID else 1 + distance))

    def _quantity(self) -> int:
        return self._random.randint(1, self._lots)

    def _fill_book(self, index: int) -> None:
        for side in (BID, ASK):
            self._books[index][side] = {self._near(index, side): self._quantity() for _ in range(5)}
        self._uncross(index)

    def _uncross(self, index: int) -> list[tuple[int, int]]:
        """Take off what crosses, as a venue would have matched it; returns side and price of what went."""
        book, gone = self._books[index], []
        while book[BID] and book[ASK] and max(book[BID]) >= min(book[ASK]):
            side = self._random.choice((BID, ASK))
            price = max(book[BID]) if side == BID else min(book[ASK])
            del book[side][price]
            gone.append((side, price))
        return gone

    def _change_levels(self, index: int) -> None:
        random, book = self._random, self._books[index]
        for _ in range(random.choice((1, 1, 2, 4))):
            side = random.choice((BID, ASK))
            price = random.choice(list(book[side])) if book[side] and random.random() < 0.6 else self._near(index, side)
            quantity = 0 if random.random() < 0.2 else self._quantity()
            if quantity:
                book[side][price] = quantity
            else:
                book[side].pop(price, None)
            self._level(index, side, price, quantity)
        # Now and then the feed is late in saying what crossed.
        if random.random() < 0.8:
            for side, price in self._uncross(index):
                self._level(index, side, price, 0)

    def _jump(self, index: int) -> None:
        jump = self._random.choice((1, 1, 4, 1 + self.base // 8))
        self._middles[index] = max(1, self._middles[index] + self._random.choice((-jump, jump)))
        self._change_levels(index)

    def _trade(self, index: int) -> None:
        """An aggressor takes from the book; the feed says what is left before the trade, after it, or never."""
        random, book = self._random, self._books[index]
        taken = random.choice((BID, ASK))
        aggressor = BID + ASK - taken
        if not book[taken] or random.random() < 0.1:
            price = max(1, self._near(index, taken) + random.choice((-1, 0, 1)))
            flags = aggressor if self._is_plain else random.choice((0, aggressor))
            self._print(index, price, random.choice((0, self._quantity())), flags)
            return
        wanted, changes, prints = random.randint(1, 2 * self._lots), [], []
        while wanted and book[taken]:
            price = max(book[taken]) if taken == BID else min(book[taken])
            here = min(wanted, book[taken][price])
            wanted -= here
            book[taken][price] -= here
            changes.append((price, book[taken][price]))
            prints.append((price, here))
            if not book[taken][price]:
                del book[taken][price]
        says = random.random()
        flags = 0 if random.random() < 0.15 and not self._is_plain else aggressor
        if says < 0.2:
            self._levels(index, taken, changes)
        for price, here in prints[-1:] if random.random() < 0.2 else prints:
            self._print(index, price, here, flags)
        if 0.2 <= says < 0.9:
            self._levels(index, taken, changes)

    def _levels(self, index: int, side: int, changes: list[tuple[int, int]]) -> None:
        for price, quantity in changes:
            self._level(index, side, price, quantity)

    def _print(self, index: int, price: int, quantity: int, flags: int) -> None:
        if self._random.random() < 0.02:
            flags |= FLAG["before"]
        self._write(index, "trade", price, quantity, flags)
        if self._random.random() < 0.7:
            self._write(index, "aggregate_trade", price, quantity, flags)

    def _level(self, index: int, side: int, price: int, quantity: int) -> None:
        self._write(index, "level", price, quantity, side)

    def _quote(self, index: int) -> None:
        """The best prices as they are, in a session of quotes nearly always."""
        if self._random.random() < (0.1 if self.depth == "levels" else 0.9):
            for side, best in ((BID, max), (ASK, min)):
                levels = self._books[index][side]
                price = best(levels) if levels else self._random.choice((0, 5))
                if self._random.random() < 0.05:
                    self._write(index, "quote", price or self.base, 0, side | FLAG["unsized"])
                else:
                    self._write(index, "quote", price, levels.get(price, 0), side)

    # What goes wrong.

    def _fault(self, index: int) -> None:
        random = self._random
        match random.randrange(6):
            case 0:
                self._write(index, "resync", 0, 0, 0)
                if random.random() < 0.5:
                    self.now_ns += random.choice((0, 5)) * self.step_ns
                    self._change_levels(index)
                    self._trade(index)
                self._snapshot(index)
            case 1:
                self._fill_book(index)
                self._snapshot(index)
            case 2:
                self._write(index, random.choice(("gap", "crossed", "status", "stale")), 3, 9, 0)
            case 3:
                self._append(0, (self.now_ns, 0, 5, 5, 0, 0, EVERY_INSTRUMENT, KIND["gap"], 0))
            case 4:
                self._append(0, (self.now_ns, 0, 5, 5, 0, 0, NOT_PART, KIND["level"], BID))
            case 5:
                # A bid that crosses, and stays.
                asks = self._books[index][ASK]
                if asks:
                    self._level(index, BID, min(asks) + random.randint(0, 2), self._quantity())

    def _snapshot(self, index: int) -> None:
        random = self._random
        if random.random() < 0.9:
            self._write(index, "snapshot_begin", 0, 0, 0)
        for side in (BID, ASK):
            for price, quantity in self._books[index][side].items():
                self._write(index, "snapshot_level", price, quantity, side)
        if random.random() < 0.15:
            self.now_ns += self.step_ns
            self._change_levels(index)
        self._write(index, "snapshot_end", 0, 0, 0)

    # Records.

    def _write(self, index: int, kind: str, price: int, quantity: int, flags: int, identity: int = 0) -> None:
        source = {"one": 0, "by kind": int("trade" in kind), "by instrument": index % 2}[self._split]
        random = self._random
        event_ns = self.now_ns
        recv_ns = event_ns + self._skew_ns + self._feed_ns + random.choice((0, 0, 1, self.step_ns))
        if random.random() < self._odd_times:
            event_ns = random.choice((0, event_ns - 2 * self.step_ns, event_ns + self.step_ns))
        if random.random() < self._odd_times:
            recv_ns = random.choice((0, recv_ns - 3 * self.step_ns, recv_ns + 9 * self.step_ns))
        if self._timeless:
            event_ns = 0
        number = self._ranks[source].index(index)
        self._append(source, (event_ns, recv_ns, price, quantity, identity, 0, number, KIND[kind], flags))

    def _append(self, source: int, row: tuple[int, ...]) -> None:
        self._rows[source].append((*row[:5], len(self._rows[source]), *row[6:]))


@dataclass
class Program:
    """Sends random commands on records, answers and timers; ``seen`` is everything that it was told, in order."""

    session: Session
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    is_judge: bool = True
    """Whether it also looks at what is known at the venue alone."""

    def __post_init__(self) -> None:
        self._random = Random(~self.session.seed)
        self._ids: list[int] = []
        self._answers = 0
        self._appetite = self._random.choice((0.05, 0.2, 0.6))
        self._last = dict.fromkeys(range(len(self.session.instruments)), 0)
        self._patience = self._random.choice((0.1, 0.4))

    def start(self, replay: Any) -> None:
        for _ in range(3):
            replay.timer(self._some_time())

    def on_record(self, replay: Any, source: int, index: int) -> None:
        self._see(replay, "record", source, index)
        while self._random.random() < self._appetite:
            self._act(replay)

    def on_answer(self, replay: Any, kind: str, number: int) -> None:
        self._see(replay, kind, number)
        if kind in ("accepted", "triggered") and number not in self._ids:
            self._ids.append(number)
        if self._random.random() < self._patience and self._answers < ORDERS_FROM_ANSWERS:
            self._answers += 1
            self._act(replay)

    def on_timer(self, replay: Any, time_ns: int) -> None:
        self._see(replay, "timer", time_ns)
        self._act(replay)

    def _see(self, replay: Any, what: str, *numbers: int) -> None:
        known: list[Any] = []
        for index in range(len(self.session.instruments)):
            known += [replay.position(index), replay.best(index, 1), replay.best(index, -1)]
            bid = replay.best(index, 1)
            self._last[index] = bid[0] if bid else self._last[index]
        if self._ids:
            known += [*replay.standing(self._ids[-1]), *replay.standing(self._ids[len(self._ids) // 2])]
            known += [replay.queue_ahead(self._ids[-1])] if self.is_judge else []
        account = self.session.config.get("account")
        others = [replay.cash(1 + currency) for currency in range(len(account.currencies))] if account else []
        self.seen.append((what, *numbers, replay.now_ns, replay.cash(), *others, *known))

    def _some_time(self) -> int:
        session, random = self.session, self._random
        span = session.end_ns - session.start_ns
        inside = session.start_ns + random.randint(0, span + 1)
        return random.choice((session.early_ns, session.start_ns, session.end_ns, inside))

    def _act(self, replay: Any) -> None:
        random = self._random
        choice = random.random()
        if choice < 0.15 and self._ids:
            replay.cancel(random.choice(self._ids))
        elif choice < 0.3 and self._ids:
            instrument = random.randrange(len(self.session.instruments))
            replay.amend(random.choice(self._ids), max(1, self._near(instrument)), random.randint(0, 12))
        elif choice < 0.35:
            replay.timer(replay.now_ns + random.choice((0, 1, self.session.config["sample_ns"] or BILLION)))
        else:
            instrument = random.randrange(len(self.session.instruments))
            side = random.choice((1, -1))
            order = replay.submit(instrument, side, **self._random_order(replay, instrument, side))
            self.seen.append(("submit", order))
            if order:
                self._ids.append(order)

    def _near(self, instrument: int) -> int:
        random, last = self._random, self._last[instrument]
        if random.random() < 0.02:
            return random.choice((0, -5))
        return max(1, (last or 1_000) + random.choice((0, 0, 1, 1, random.randint(-5, 6))))

    def _random_order(self, replay: Any, instrument: int, side: int) -> dict[str, Any]:
        random = self._random
        keywords: dict[str, Any] = {"kind": random.choice(ORDER_KINDS), "size": self._size(replay, instrument)}
        if random.random() < 0.1:
            target = random.choice((0, 5, -5, replay.position(instrument), random.randint(-20, 20)))
            keywords |= {"kind": "market", "size_kind": "target_quantity", "size": target}
        kind = keywords["kind"]
        if kind in ("limit", "stop_limit"):
            keywords["limit"] = self._near(instrument)
        if kind in ("stop", "stop_limit", "market_if_touched"):
            keywords["stop"] = self._near(instrument)
        if kind == "trailing_stop":
            keywords |= self._trail("trail_ticks", "trail_ppb")
        keywords |= self._time_in_force(kind)
        rests = kind == "limit" and keywords.get("time_in_force") not in ("ioc", "fok")
        if rests and random.random() < 0.2:
            keywords["post_only"] = True
        if rests and random.random() < 0.2:
            keywords["display"] = random.choice((1, 2, 2, 5, 0))
        if random.random() < 0.15:
            keywords["reduce_only"] = True
        if random.random() < 0.3:
            keywords |= self._bracket(instrument, side)
        return keywords

    def _size(self, replay: Any, instrument: int) -> int:
        random = self._random
        if random.random() < 0.03:
            return random.choice((0, -3))
        held = abs(replay.position(instrument))
        return held if held and random.random() < 0.3 else random.choice((1, 2, 3, random.randint(1, 30)))

    def _time_in_force(self, kind: str) -> dict[str, Any]:
        random = self._random
        if kind in ("market", "limit") and random.random() < 0.25:
            return {"time_in_force": random.choice(("ioc", "fok"))}
        match random.randrange(8):
            case 0:
                return {"time_in_force": "gtd", "expire_ns": self._some_time()}
            case 1:
                return {"time_in_force": "day"}
        return {}

    def _trail(self, ticks: str, ppb: str) -> dict[str, int]:
        random = self._random
        return random.choice(({ticks: random.choice((1, 2, 3, 0))}, {ppb: random.choice((1, 1_000_000, 30_000_000))}))

    def _bracket(self, instrument: int, side: int) -> dict[str, int]:
        random = self._random
        middle = self._last[instrument] or 1_000
        keywords: dict[str, int] = {}
        match random.randrange(4):
            case 0:
                keywords |= self._trail("stop_loss_trail_ticks", "stop_loss_trail_ppb")
            case 1 | 2:
                keywords["stop_loss"] = max(1, middle - side * random.randint(0, 4))
        if random.random() < 0.7:
            keywords["take_profit"] = max(1, middle + side * random.randint(-1, 4))
        return keywords


def play_session(engines: Any, session: Session, *, is_judge: bool = True) -> tuple[Any, Program]:
    """Play a session; an error of the engine is the last thing seen, since it ends a run in the middle of a step."""
    program = Program(session, is_judge=is_judge)
    replay = engines.replay(session.instruments, session.sources, **session.config)
    program.start(replay)
    try:
        replay.run(program, session.wants)
    except EngineError as error:
        if str(error).startswith("law") or ": law" in str(error):
            raise
        program.seen.append(("error",))
    return replay, program
