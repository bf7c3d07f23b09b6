"""Strategies that keep a bit of everything, and decide by it."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import numpy as np

from neural_trader.strategy.base import Bar, Fill, Order, Strategy, Tick


class Mark(NamedTuple):
    time_ns: int
    price: float


@dataclass(slots=True)
class Book:
    """What is known of an instrument."""

    seen: int = 0
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=5))


class BarKeeper(Strategy):
    """Trades bars by chance, indicators and memory."""

    seed: int = 7

    def on_start(self) -> None:
        self.bands, self.cross = self.feature("bollinger", 12), self.macd(3, 9, 4)
        self.width = self.feature("garman_klass", 15)
        self.fast, self.lines = self.ema(5), {"slow": self.sma(20), "reach": [self.atr(7)]}
        self.random, self.numbers = Random(self.seed), np.random.default_rng(self.seed)
        self.ring = np.zeros(8)
        self.books = {symbol: Book() for symbol in self.symbols}
        # Two names of one thing have to stay that.
        self.first = self.books[self.symbols[0]]
        self.fills: defaultdict[str, list[int]] = defaultdict(list)

    def on_bar(self, bar: Bar) -> None:
        book = self.books[bar.symbol]
        book.seen += 1
        book.marks.append(Mark(bar.time_ns, bar.close))
        self.ring[book.seen % len(self.ring)] = bar.close
        chance = self.random.random() + self.numbers.random() + (self.first.seen % 7) / 50
        if chance < 0.15 and len(book.marks) == 5 and bar.close != book.marks[0].price:
            side = 1 if self.fast.value > self.lines["slow"].value else -1
            self.target(side * self.share * (0.5 + self.ring.mean() / (4 * self.ring.max())))
        elif chance > 1.8 and self.bands.lower.value + self.width.value < bar.close and self.cross.signal.value < 9.0:
            self.buy(fraction=0.1, limit=bar.close - self.lines["reach"][0].value, good_till="day")

    def on_fill(self, fill: Fill) -> None:
        self.fills[fill.symbol].append(fill.order)
        if len(self.fills[fill.symbol]) % 9 == 0:
            self.target(0.0, symbol=fill.symbol)


class TickKeeper(Strategy):
    """Quotes a replay by chance and memory."""

    seed: int = 3

    def on_start(self) -> None:
        self.random = Random(self.seed)
        self.working: dict[int, float] = {}
        self.last = Mark(0, 0.0)
        self.set_timer(after_ns=250_000_000)

    def on_trade(self, trade: Tick) -> None:
        self.last = Mark(trade.time_ns, trade.price)
        if self.random.random() < 0.1 and len(self.working) < 6:
            side = self.random.choice((self.buy, self.sell))
            price = trade.price + self.random.randint(-4, 4) * self.tick(trade.symbol)
            self.working[side(self.lot(trade.symbol) * self.random.randint(1, 9), limit=price)] = price

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=250_000_000)
        if self.working and self.random.random() < 0.5:
            self.cancel(min(self.working))

    def on_order(self, order: Order) -> None:
        if order.event == "ended":
            self.working.pop(order.id, None)


class MixedKeeper(Strategy):
    """Trades a book and bars on one time line by chance and memory."""

    def on_start(self) -> None:
        self.random = Random(5)
        self.seen: list[float] = []
        self.set_timer(after_ns=700_000_000)

    def on_trade(self, trade: Tick) -> None:
        if self.random.random() < 0.05:
            side = self.random.choice((self.buy, self.sell))
            side(self.lot(trade.symbol), limit=trade.price, symbol=trade.symbol)

    def on_bar(self, bar: Bar) -> None:
        self.seen.append(bar.close)
        side = self.random.choice((self.buy, self.sell))
        side(self.lot(bar.symbol) * len(self.seen), limit=bar.close + self.random.randint(-3, 3), symbol=bar.symbol)

    def on_moment(self, time_ns: int) -> None:
        self.target(self.random.uniform(-0.1, 0.1), symbol=self.symbols[-1])
        self.sell(self.lot(self.symbols[0]) * self.random.randint(1, 3), symbol=self.symbols[0])

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=700_000_000)
        if self.random.random() < 0.4:
            self.target(self.random.uniform(-0.2, 0.2), symbol=self.symbols[-1])
