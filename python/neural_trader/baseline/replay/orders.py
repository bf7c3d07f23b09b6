"""Orders of a replay: what a ticket may say more than for bars, and what changes while an order works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from neural_trader.baseline.orders import DAY_NS, Order, Ticket, Vocabulary
from neural_trader.baseline.records import BUY, Kind, OrderRecord, Reason, State, TimeInForce
from neural_trader.baseline.sizing import Size
from neural_trader.errors import EngineError

OF_REPLAYS = Vocabulary(tuple(Kind), tuple(TimeInForce), ("quantity", "target_quantity"))
IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
STOPS = (Kind.STOP, Kind.STOP_LIMIT, Kind.TRAILING_STOP, Kind.MARKET_IF_TOUCHED)


@dataclass(frozen=True, slots=True)
class ReplayOrderRecord(OrderRecord):
    """An order of a replay as it stands; ``accept_ns`` is None if it was never acknowledged."""

    post_only: bool
    reduce_only: bool
    display: int
    accept_ns: int | None


class Standing(NamedTuple):
    """How an order stands, as an answer says it; the last two are the codes of State and Reason."""

    side: int
    quantity: int
    filled: int
    cancelled: int
    state: int
    reason: int


@dataclass(slots=True)
class ReplayOrder(Order):
    """An order with its place in the queue. ``live_bar`` means nothing here."""

    post_only: bool = False
    reduce_only: bool = False
    display: int = 0
    """The part that an iceberg shows; 0 for an order that shows all."""
    accept_ns: int | None = None
    ends_ns: int | None = None
    """When it expires, known from its acceptance on."""
    front: float = 0.0
    """What others have at rest ahead of it."""
    traded: int = 0
    """What has traded at its price since its level last changed, or what an aggressor filled of others behind it."""
    shown: int = 0
    """What is left of the part that an iceberg shows."""

    @property
    def is_limit(self) -> bool:
        """Whether a limit holds it now."""
        return self.kind is Kind.LIMIT or (self.kind is Kind.STOP_LIMIT and self.triggered)

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a price before it is sent into the book."""
        return self.kind in STOPS

    def accepts(self, price: int) -> bool:
        """Whether it trades at this price; without a limit it trades at any."""
        if not self.is_limit:
            return True
        return price <= self.limit if self.side == BUY else price >= self.limit

    @property
    def waits_for_rise(self) -> bool:
        """Whether its price is above the market, as that of a stop that buys or of a sale if touched."""
        return (self.side == BUY) != (self.kind is Kind.MARKET_IF_TOUCHED)

    def triggers_at(self, price: int) -> bool:
        """Whether a market at this price is at the stop or beyond it, or touches the price that was waited for."""
        return price >= self.stop if self.waits_for_rise else price <= self.stop

    def accept(self, time_ns: int) -> None:
        """The venue acknowledges it."""
        self.accept_ns = time_ns
        if self.time_in_force is TimeInForce.GTD:
            self.ends_ns = self.expire_ns
        if self.time_in_force is TimeInForce.DAY:
            self.ends_ns = (time_ns // DAY_NS + 1) * DAY_NS

    def standing(self) -> Standing:
        return Standing(self.side, self.quantity, self.filled, self.cancelled, int(self.state), int(self.reason))

    def record(self) -> ReplayOrderRecord:
        trail = self.trail
        return ReplayOrderRecord(
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
            trail.ticks if trail else 0,
            trail.ppb if trail else 0,
            self.filled,
            self.cancelled,
            self.state,
            self.reason,
            self.submit_ns,
            self.post_only,
            self.reduce_only,
            self.display,
            self.accept_ns,
        )


def order_of(ticket: Ticket, size: Size, *, order_id: int, instrument: int, position: int, now_ns: int) -> ReplayOrder:
    """The order that a ticket asks for, sent now; ``position`` is that known here, from which a target is reached."""
    return ReplayOrder(
        id=order_id,
        instrument=instrument,
        side=size.side,
        kind=ticket.kind,
        quantity=size.quantity,
        live_bar=0,
        submit_ns=now_ns,
        limit=ticket.limit or 0,
        stop=ticket.stop or 0,
        trail=ticket.trail,
        time_in_force=ticket.time_in_force,
        expire_ns=ticket.expire_ns,
        bracket=ticket.bracket,
        target=position + size.side * size.quantity if ticket.is_target else None,
        state=State.SENT,
    )


def check_options(ticket: Ticket, *, post_only: bool, display: int | None) -> None:
    """Raise EngineError for options that contradict the kind of the order."""
    name = ticket.kind.name.lower()
    if ticket.time_in_force in IMMEDIATE and ticket.kind not in (Kind.MARKET, Kind.LIMIT):
        raise EngineError(f"a {name} order waits: {ticket.time_in_force.name.lower()} is for market and limit orders")
    rests = ticket.kind is Kind.LIMIT and ticket.time_in_force not in IMMEDIATE
    if not rests and (post_only or display is not None):
        raise EngineError("only limit orders that may rest can be post-only or display a part")


def refusal_of(ticket: Ticket, size: Size, display: int | None) -> Reason:
    """Why a ticket is not even sent."""
    if not ticket.prices_are_positive():
        return Reason.PRICE
    displays_nothing = display is not None and display <= 0
    if displays_nothing or size.quantity < 0 or (size.quantity == 0 and not ticket.is_target):
        return Reason.SIZE
    return Reason.NONE
