"""Writes the cards of a run: a card for each order that opens or enlarges a position, ended when that is closed.

What an order opened is closed first in, first out, as trades are counted. Its *excursions* are the best and the worst
price while it was open, of bars or of what a replay has been told of a market, as a share of its entry price. An order
of which nothing filled, or which only closed, leaves no card: the end of a decision is part of the card that it ends.
An order that was amended before anything of it filled is decided where it was amended last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from neural_trader.memory.cards import Card, Outcome
from neural_trader.memory.memory import Memory
from neural_trader.memory.recall import Recall
from neural_trader.memory.regime import Regime
from neural_trader.memory.run_view import RunView

_TOGETHER = 512
"""Cards that are written at a time."""

Decision = tuple[str, int, float, float, Mapping[str, float], int, str]
"""Symbol, side, quantity, price, features, time and reason."""
News = Callable[[str], tuple[float, float, Sequence[float]]]
"""Highest and lowest price of an instrument since it was last asked, and the closes that move the regime."""


class Fill(Protocol):
    """What a recorder needs to know of a fill; ``side`` is 1 or -1."""

    @property
    def order(self) -> int: ...
    @property
    def symbol(self) -> str: ...
    @property
    def side(self) -> int: ...
    @property
    def quantity(self) -> float: ...
    @property
    def price(self) -> float: ...
    @property
    def fee(self) -> float: ...
    @property
    def time_ns(self) -> int: ...


@dataclass
class _Made:
    """A card that has not ended, and what has become of it so far."""

    card: Card
    opened: float = 0.0
    paid: float = 0.0
    """Quantity times price of what it opened."""
    left: float = 0.0
    earned: float = 0.0
    """Before fees."""
    fees: float = 0.0
    high: float = 0.0
    low: float = 0.0
    is_ended: bool = False

    @property
    def entry(self) -> float:
        return self.paid / self.opened

    @property
    def side(self) -> int:
        return 1 if self.card.action == "buy" else -1


@dataclass
class _Lot:
    decision: _Made
    quantity: float
    price: float


@dataclass
class _Book:
    """What is open of one instrument, oldest first."""

    lots: deque[_Lot] = field(default_factory=deque)
    open: list[_Made] = field(default_factory=list)
    regime: Regime = field(default_factory=Regime)


class Recorder:
    """The hook through which a run writes its cards, and asks for those that had ended before."""

    def __init__(self, memory: Memory, strategy: str, parameters: Mapping[str, Any], start_ns: int) -> None:
        self._memory = memory
        self._strategy = strategy
        self._parameters = dict(parameters)
        self._books: dict[str, _Book] = {}
        self._decisions: dict[int, _Made] = {}
        self._asked: dict[int, deque[Card | None]] = {}
        """What venues were asked to do with orders and have not answered: the card of an amendment, None to cancel."""
        self.news: News | None = None
        """Tells of prices where they come in no bars."""
        self._unwritten: list[Card] = []
        self.written = 0
        """Cards that are on disk."""
        self.view = RunView(memory, start_ns)

    def regime(self, symbol: str) -> str:
        """The regime of an instrument as of its last bar; empty until it can be told."""
        return self._book(symbol).regime.name

    def bar_closed(self, symbol: str, high: float, low: float, close: float) -> None:
        """Take note of a bar: it moves the regime, and the excursions of what is open."""
        self._priced(symbol, high, low, (close,))

    def _priced(self, symbol: str, high: float, low: float, closes: Sequence[float]) -> None:
        book = self._book(symbol)
        for close in closes:
            book.regime.update(close)
        for decision in book.open:
            decision.high = max(decision.high, high)
            decision.low = min(decision.low, low)

    def decided(
        self,
        order: int,
        symbol: str,
        side: int,
        quantity: float,
        price: float,
        features: Mapping[str, float],
        time_ns: int,
        reason: str,
    ) -> None:
        """Take note of an order that was sent."""
        self._catch_up(symbol)
        self._decisions[order] = _Made(self._card(symbol, side, quantity, price, features, time_ns, reason))

    def asked(self, order: int, amendment: Decision | None) -> None:
        """Take note that a venue was asked to amend an order, or to cancel it; ``answered`` says what came of it."""
        if order not in self._decisions:
            return
        card = None
        if amendment is not None:
            self._catch_up(amendment[0])
            card = replace(self._card(*amendment), reason=self._decisions[order].card.reason)
        self._asked.setdefault(order, deque()).append(card)

    def answered(self, order: int, event: str) -> None:
        """Take note of what a venue says of an order (the ``event`` of a strategy's ``on_order``)."""
        waiting = self._asked.get(order)
        if not waiting:
            return
        if event == "ended":
            del self._asked[order]
        elif event == "refused":
            waiting.popleft()
        elif event == "amended":
            amendment = None
            while waiting and amendment is None:
                amendment = waiting.popleft()
            made = self._decisions[order]
            if amendment is not None and not made.opened:
                made.card = amendment

    def _card(
        self,
        symbol: str,
        side: int,
        quantity: float,
        price: float,
        features: Mapping[str, float],
        time_ns: int,
        reason: str,
    ) -> Card:
        return Card(
            time_ns=time_ns,
            strategy=self._strategy,
            symbol=symbol,
            action="buy" if side > 0 else "sell",
            quantity=quantity,
            price=price,
            features=features,
            reason=reason,
            regime=self.regime(symbol),
            parameters=self._parameters,
        )

    def _catch_up(self, symbol: str) -> None:
        if self.news is not None:
            self._priced(symbol, *self.news(symbol))

    def filled(self, fill: Fill) -> None:
        """Take note of a fill: it closes what is open on the other side, oldest first, and opens what is left of it."""
        self._catch_up(fill.symbol)
        book = self._book(fill.symbol)
        left = fill.quantity
        while left > _NOTHING * fill.quantity and book.lots and book.lots[0].decision.side != fill.side:
            lot = book.lots[0]
            part = min(left, lot.quantity)
            decision = lot.decision
            decision.high, decision.low = max(decision.high, fill.price), min(decision.low, fill.price)
            decision.earned += decision.side * part * (fill.price - lot.price)
            decision.fees += fill.fee * part / fill.quantity
            decision.left -= part
            lot.quantity -= part
            left -= part
            if lot.quantity <= _NOTHING * part:
                book.lots.popleft()
            if decision.left <= _NOTHING * decision.opened:
                self._end(book, decision, fill)
        opener = self._decisions.get(fill.order)
        if left > _NOTHING * fill.quantity and opener is not None and not opener.is_ended:
            self._open(book, opener, fill, left)

    def recall(self, features: Mapping[str, float], k: int, now_ns: int, **wanted: Any) -> Recall:
        """The best cards of what had ended before now (see :meth:`RunView.recall`)."""
        return self.view.recall(features, k, now_ns, **wanted)

    def finish(self) -> None:
        """Write what has not been written, decisions that are still open included."""
        for book in self._books.values():
            self._unwritten.extend(decision.card for decision in book.open)
        self._write()

    def _open(self, book: _Book, decision: _Made, fill: Fill, quantity: float) -> None:
        if not decision.opened:
            decision.high = decision.low = fill.price
            book.open.append(decision)
        decision.opened += quantity
        decision.left += quantity
        decision.paid += quantity * fill.price
        decision.fees += fill.fee * quantity / fill.quantity
        book.lots.append(_Lot(decision, quantity, fill.price))

    def _end(self, book: _Book, decision: _Made, fill: Fill) -> None:
        decision.is_ended = True
        book.open.remove(decision)
        up, down = decision.high / decision.entry - 1, decision.low / decision.entry - 1
        best, worst = (up, down) if decision.side > 0 else (-down, -up)
        profit = decision.earned - decision.fees
        outcome = Outcome(
            close_ns=fill.time_ns,
            profit=profit,
            gain=profit / decision.paid,
            best=max(best, 0.0),
            worst=min(worst, 0.0),
            fees=decision.fees,
        )
        card = decision.card.ended(replace(outcome, critique=critique(outcome)))
        self.view.ended(card)
        self._unwritten.append(card)
        if len(self._unwritten) >= _TOGETHER:
            self._write()

    def _write(self) -> None:
        if self._unwritten and self._memory.as_of is None:
            self._memory.add(self._unwritten)
            self.written += len(self._unwritten)
        self._unwritten = []

    def _book(self, symbol: str) -> _Book:
        return self._books.setdefault(symbol, _Book())


_NOTHING = 1e-9
"""Quantities are floats here: what is left below this share is none."""


def critique(outcome: Outcome) -> str:
    """One sentence about an outcome, from its numbers alone."""
    gross = outcome.profit + outcome.fees
    if outcome.profit > 0:
        if outcome.best > 0 and outcome.gain < outcome.best / 2:
            return f"Won, but kept less than half of a best of {outcome.best:.1%}."
        if outcome.worst < -2 * outcome.gain:
            return f"Won after being {-outcome.worst:.1%} behind: the stop or the luck was wide."
        return "Won, and kept most of what there was."
    if gross > 0:
        return "The price went the right way, and fees took more than it gave."
    if outcome.best > -outcome.gain:
        return f"Lost after being {outcome.best:.1%} ahead: a profit was let go."
    if outcome.worst < 2 * outcome.gain:
        return f"Lost less than its worst of {-outcome.worst:.1%}."
    return "Lost without ever having been ahead to speak of."
