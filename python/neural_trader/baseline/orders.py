"""Orders: the ticket that a strategy hands in, and the order that the engine works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from neural_trader.baseline.arithmetic import BILLION, div_up, int64, money
from neural_trader.baseline.records import BUY, SELL, Kind, OrderRecord, Reason, State, TimeInForce
from neural_trader.errors import EngineError

TARGET_SIZE_KINDS = ("target_quantity", "target_fraction")
DAY_NS = 86_400 * 10**9

Code = TypeVar("Code", Kind, TimeInForce)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What an engine lets a ticket say."""

    kinds: tuple[Kind, ...]
    times_in_force: tuple[TimeInForce, ...]
    size_kinds: tuple[str, ...]


OF_BARS = Vocabulary(
    (Kind.MARKET, Kind.LIMIT, Kind.STOP, Kind.STOP_LIMIT, Kind.TRAILING_STOP),
    (TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY),
    ("quantity", "cash", "fraction", "target_quantity", "target_fraction"),
)


@dataclass(frozen=True, slots=True)
class Trail:
    """Distance of a trailing stop from its water mark: in ticks, or as a share of the mark if ``ppb`` is not 0."""

    ticks: int
    ppb: int

    def offset(self, water: int) -> int:
        offset = self.ticks if self.ppb == 0 else div_up(water * self.ppb, BILLION)
        return int64(offset, "offset of a trailing stop")

    def level(self, side: int, water: int) -> int:
        """The stop price of an order of this side at this water mark."""
        level = water + side * self.offset(water)
        return int64(max(1, level), "level of a trailing stop")


@dataclass(frozen=True, slots=True)
class Bracket:
    """Exits that come to exist with the fills of their parent; at most one of ``stop_loss`` and ``trail`` is there."""

    stop_loss: int | None
    trail: Trail | None
    take_profit: int | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the strategy asked for, complete and consistent, but not yet judged."""

    side: int
    kind: Kind
    size_kind: str
    size: int
    limit: int | None
    stop: int | None
    trail: Trail | None
    time_in_force: TimeInForce
    expire_ns: int
    bracket: Bracket | None

    @property
    def is_target(self) -> bool:
        return self.size_kind in TARGET_SIZE_KINDS

    @property
    def is_in_lots(self) -> bool:
        return self.size_kind in ("quantity", "target_quantity")

    @property
    def needs_mark(self) -> bool:
        """Whether it cannot be judged before the instrument has a price."""
        return not self.is_in_lots or self.kind is Kind.TRAILING_STOP

    def prices_are_positive(self) -> bool:
        """Whether every price and trail, those of the bracket included, is positive."""
        prices = [self.limit, self.stop]
        trails = [self.trail]
        if self.bracket is not None:
            prices += [self.bracket.stop_loss, self.bracket.take_profit]
            trails.append(self.bracket.trail)
        trails_are_positive = all(trail is None or (trail.ticks or trail.ppb) > 0 for trail in trails)
        return trails_are_positive and all(price is None or price > 0 for price in prices)


def make_ticket(
    side: int,
    kind: str,
    *,
    size_kind: str,
    size: int,
    limit: int | None,
    stop: int | None,
    trail_ticks: int | None,
    trail_ppb: int | None,
    time_in_force: str,
    expire_ns: int | None,
    stop_loss: int | None,
    take_profit: int | None,
    stop_loss_trail_ticks: int | None,
    stop_loss_trail_ppb: int | None,
    vocabulary: Vocabulary = OF_BARS,
) -> Ticket:
    """The ticket of a call; a call that contradicts itself is an error of the strategy, not a rejected order."""
    if size_kind not in vocabulary.size_kinds:
        raise EngineError(f"unknown size kind {size_kind!r}: use one of {', '.join(vocabulary.size_kinds)}")
    order_kind = _named(vocabulary.kinds, kind, "order kind")
    force = _named(vocabulary.times_in_force, time_in_force, "time in force")
    is_target = size_kind in TARGET_SIZE_KINDS
    if is_target and order_kind is not Kind.MARKET:
        raise EngineError(f"a target is reached by a market order, not by kind {kind!r}")
    if not is_target and side not in (BUY, SELL):
        raise EngineError(f"side must be {BUY} (buy) or {SELL} (sell), not {side}")
    if (limit is not None) != (order_kind in (Kind.LIMIT, Kind.STOP_LIMIT)):
        raise EngineError(f"a {kind} order {'takes no' if limit is not None else 'needs a'} limit price")
    if (stop is not None) != (order_kind in (Kind.STOP, Kind.STOP_LIMIT, Kind.MARKET_IF_TOUCHED)):
        raise EngineError(f"a {kind} order {'takes no' if stop is not None else 'needs a'} stop price")
    if (expire_ns is not None) != (force is TimeInForce.GTD):
        raise EngineError(f"a {time_in_force} order {'takes no' if expire_ns is not None else 'needs an'} expiry time")
    trail = _make_trail(trail_ticks, trail_ppb)
    if (trail is not None) != (order_kind is Kind.TRAILING_STOP):
        raise EngineError(f"a {kind} order {'takes no' if trail is not None else 'needs a'} trail")
    for what, value in (("limit", limit), ("stop", stop), ("stop_loss", stop_loss), ("take_profit", take_profit)):
        int64(value or 0, what)
    int64(expire_ns or 0, "expire_ns")
    if size_kind == "cash":
        money(size, "cash size")
    else:
        int64(size, "size")
    stop_loss_trail = _make_trail(stop_loss_trail_ticks, stop_loss_trail_ppb)
    if stop_loss is not None and stop_loss_trail is not None:
        raise EngineError("a bracket has a fixed or a trailing stop loss, not both")
    has_bracket = stop_loss is not None or take_profit is not None or stop_loss_trail is not None
    bracket = Bracket(stop_loss, stop_loss_trail, take_profit) if has_bracket else None
    return Ticket(side, order_kind, size_kind, size, limit, stop, trail, force, expire_ns or 0, bracket)


def _named(codes: tuple[Code, ...], name: str, what: str) -> Code:
    for code in codes:
        if code.name.lower() == name:
            return code
    raise EngineError(f"unknown {what} {name!r}: use one of {', '.join(code.name.lower() for code in codes)}")


def _make_trail(ticks: int | None, ppb: int | None) -> Trail | None:
    if ticks is not None and ppb is not None:
        raise EngineError("a trail is given in ticks or in parts per billion, not both")
    if ticks is None and ppb is None:
        return None
    return Trail(int64(ticks or 0, "trail_ticks"), int64(ppb or 0, "trail_ppb"))


@dataclass(slots=True)
class Order:
    """An order with all that changes while it works. ``limit`` and ``stop`` are 0 where it has none."""

    id: int
    instrument: int
    side: int
    kind: Kind
    quantity: int
    live_bar: int
    """Index of the first bar that may fill it."""
    submit_ns: int
    limit: int = 0
    stop: int = 0
    trail: Trail | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_ns: int = 0
    bracket: Bracket | None = None
    target: int | None = None
    """The position that a target order shall lead to."""
    parent: int = 0
    sibling: int = 0
    stop_child: int = 0
    limit_child: int = 0
    water: int = 0
    """The best price since a trailing stop began: highest for a sell, lowest for a buy."""
    day: int | None = None
    """The UTC day of a day order, known from the first opening at which it is live."""
    triggered: bool = False
    filled: int = 0
    cancelled: int = 0
    state: State = State.WORKING
    reason: Reason = Reason.NONE

    @property
    def leaves(self) -> int:
        return self.quantity - self.filled - self.cancelled

    @property
    def is_working(self) -> bool:
        return self.state is State.WORKING

    def start_trailing(self, water: int) -> None:
        """Set the water mark and with it the level, which is the stop price until the mark moves."""
        assert self.trail is not None
        self.water = water
        self.stop = self.trail.level(self.side, water)

    def trail_after(self, high: int, low: int) -> None:
        """Move the water mark to the best price of a bar that is over."""
        self.start_trailing(max(self.water, high) if self.side == SELL else min(self.water, low))

    def starts_day(self, bar: int, open_ns: int) -> None:
        """Give a day order its day when the opening of this bar is the first at which it is live."""
        if self.time_in_force is TimeInForce.DAY and self.day is None and bar >= self.live_bar:
            self.day = open_ns // DAY_NS

    def is_expired_at(self, open_ns: int) -> bool:
        if self.time_in_force is TimeInForce.GTD:
            return open_ns >= self.expire_ns
        return self.day is not None and open_ns // DAY_NS > self.day

    def record(self) -> OrderRecord:
        return OrderRecord(
            self.id,
            self.parent,
            self.instrument,
            self.side,
            self.kind,
            self.time_in_force,
            self.expire_ns,
            self.quantity,
            self.limit,
            self.stop,
            self.trail.ticks if self.trail else 0,
            self.trail.ppb if self.trail else 0,
            self.filled,
            self.cancelled,
            self.state,
            self.reason,
            self.submit_ns,
        )
