"""Random sessions of feeds that tell every order, with their faults."""

from __future__ import annotations

from random import Random
from typing import Any

from neural_trader.market.events import FLAG
from replay.random_sessions import ASK, BID, Session, Tape, make_session

BAD_NUMBER = 2**64 - 5


def make_orders_session(seed: int, **more: Any) -> Session:
    """A session of single orders; ``more`` is as for other sessions."""
    return make_session(seed, tape_of=OrdersTape, depth="orders", **more)


class OrdersTape(Tape):
    """Writes what happens to each order; aggressors nearly always fill the one that came first."""

    def __init__(self, random: Random, *arguments: Any, **more: Any) -> None:
        super().__init__(random, *arguments, **more)
        self._orders: list[dict[int, tuple[int, int, int]]] = [{} for _ in self.instruments]
        """Side, price and quantity of each order by its number, in the order of their queues."""
        self._count = random.choice((0, 0, 2**63))
        self._is_broken = random.random() < 0.1

    def _message(self, index: int) -> None:
        random = self._random
        choice = random.random()
        if choice < self._faults:
            self._fault(index)
        elif choice < 0.3:
            self._trade(index)
        else:
            for _ in range(random.choice((1, 1, 2, 4))):
                self._happen(index)
        if self._is_broken and random.random() < 0.02:
            self._break(index)

    def _happen(self, index: int) -> None:
        random, orders = self._random, self._orders[index]
        choice = random.random()
        if choice < 0.5 or not orders:
            side = random.choice((BID, ASK))
            self._enter(index, side, self._near(index, side), self._quantity())
        elif choice < 0.75:
            number = random.choice(list(orders))
            self._say(index, "order_delete", number, *orders.pop(number))
        else:
            self._change(index, random.choice(list(orders)))
        if random.random() < 0.05:
            self._middles[index] = max(1, self._middles[index] + random.choice((-4, -1, 1, 4)))

    def _enter(self, index: int, side: int, price: int, quantity: int) -> None:
        """A limit order takes what it crosses, unless the feed is not as it should be, and rests with what is left."""
        if self._random.random() < 0.9:
            quantity -= self._take(index, BID + ASK - side, quantity, price)
        if quantity:
            self._count += self._random.choice((1, 1, 7))
            self._orders[index][self._count] = (side, price, quantity)
            self._say(index, "order_add", self._count, side, price, quantity)

    def _change(self, index: int, number: int) -> None:
        random, orders = self._random, self._orders[index]
        side, price, quantity = orders[number]
        after = price if random.random() < 0.7 else self._near(index, side)
        changed = random.choice((quantity, max(1, quantity - 1), quantity + 2, self._quantity()))
        if after != price or changed > quantity:
            # It goes to the end of a queue.
            del orders[number]
        orders[number] = (side, after, changed)
        self._say(index, "order_change", number, side, after, changed)

    def _trade(self, index: int) -> None:
        taken = self._random.choice((BID, ASK))
        if self._random.random() < 0.1:
            self._print(index, self._near(index, taken), self._quantity(), BID + ASK - taken)
        else:
            self._take(index, taken, self._random.randint(1, 2 * self._lots), None)

    def _take(self, index: int, side: int, quantity: int, limit: int | None) -> int:
        """An aggressor fills orders of a side; returns how much."""
        orders, wanted = self._orders[index], quantity
        better = 1 if side == BID else -1
        while wanted:
            prices = {price for of, price, _ in orders.values() if of == side}
            prices = {price for price in prices if limit is None or better * (price - limit) >= 0}
            if not prices:
                break
            price = max(prices) if side == BID else min(prices)
            queue = [number for number, order in orders.items() if order[:2] == (side, price)]
            if self._random.random() < 0.1:
                self._random.shuffle(queue)
            fills = []
            for number in queue:
                filled = min(wanted, orders[number][2])
                if filled:
                    wanted -= filled
                    fills.append((number, filled))
            if self._random.random() < 0.9:
                self._print(index, price, sum(filled for _, filled in fills), BID + ASK - side)
            for number, filled in fills:
                self._say(index, "order_fill", number, side, price, filled)
                left = orders[number][2] - filled
                orders[number] = (side, price, left)
                if not left:
                    del orders[number]
        return quantity - wanted

    # What goes wrong.

    def _fault(self, index: int) -> None:
        random = self._random
        match random.randrange(4):
            case 0:
                self._write(index, "resync", 0, 0, 0)
                for _ in range(random.choice((0, 2, 6))):
                    self.now_ns += random.choice((0, 5)) * self.step_ns
                    random.choice((self._happen, self._trade))(index)
                self._snapshot(index)
            case 1:
                self._snapshot(index)
            case 2:
                self._write(index, random.choice(("gap", "status", "level", "quote", "snapshot_end")), 3, 9, BID)
            case 3:
                side, near = random.choice((BID, ASK)), self._near(index, BID)
                self._count += 1
                # One that crosses, and rests.
                price = max(1, near + random.randint(-2, 2))
                self._orders[index][self._count] = (side, price, self._quantity())
                self._say(index, "order_add", self._count, *self._orders[index][self._count])

    def _break(self, index: int) -> None:
        """Something that no book can obey."""
        random, orders = self._random, self._orders[index]
        kind = random.choice(("order_add", "order_change", "order_delete", "order_fill"))
        number = random.choice([BAD_NUMBER, self._count + 10**6, *orders])
        quantity = random.choice((0, -1, 2**53 + 1, 10**6))
        self._say(index, kind, number, random.choice((0, BID, ASK, BID | ASK)), random.choice((0, 5)), quantity)

    def _fill_book(self, index: int) -> None:
        for side in (BID, ASK) * 5:
            self._count += 1
            self._orders[index][self._count] = (side, self._near(index, side), self._quantity())

    def _snapshot(self, index: int) -> None:
        orders = self._orders[index]
        self._write(index, "snapshot_begin", 0, 0, 0)
        if self._random.random() < 0.2:
            # Somebody has left and come back, somebody has only left.
            number = self._random.choice([*orders, 0])
            if number in orders:
                orders[number] = orders.pop(number)
            orders.pop(self._random.choice([*orders, 0]), None)
        for number, order in orders.items():
            self._say(index, "order_add", number, *order)
        self._write(index, "snapshot_end", 0, 0, 0)

    def _say(self, index: int, kind: str, number: int, side: int, price: int, quantity: int) -> None:
        last = self._random.choice((0, FLAG["last"]))
        self._write(index, kind, price, quantity, side | last, number)
