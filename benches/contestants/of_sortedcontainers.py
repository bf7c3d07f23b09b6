"""Books out of sortedcontainers and messages through orjson, as a short script in Python would have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sortedcontainers
from sortedcontainers import SortedDict
from touches import Touches, digest
from worker import Job, serve

try:
    import orjson

    loads: Callable[[bytes], Any] = orjson.loads
    PARSER = f"orjson {orjson.__version__}"
except ImportError:
    loads, PARSER = json.loads, "json"

PRICE_UNITS, QUANTITY_UNITS = 10**2, 10**8


class Sides:
    """What rests on each side, by price."""

    def __init__(self) -> None:
        self.bids: Any = SortedDict()
        self.asks: Any = SortedDict()

    def best(self) -> tuple[Any, ...]:
        bid = self.bids.peekitem(-1) if self.bids else (0, 0)
        return bid + (self.asks.peekitem(0) if self.asks else (0, 0))


class Session(Sides):
    """What many write: floats, Binance's rule reduced to the ids."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []
        self.id = 0

    def message(self, text: bytes) -> None:
        message = loads(text)
        message = message.get("data", message)
        if "lastUpdateId" in message:
            # One that is not newer than the book says nothing.
            if message["lastUpdateId"] > self.id:
                self.bids.clear()
                self.asks.clear()
                self.id = message["lastUpdateId"]
                self._set(self.bids, message["bids"])
                self._set(self.asks, message["asks"])
            for diff in self.waiting:
                self._apply(diff)
            self.waiting.clear()
        elif self.id:
            self._apply(message)
        else:
            self.waiting.append(message)

    def _apply(self, diff: Any) -> None:
        if diff["u"] > self.id:
            self.id = diff["u"]
            self._set(self.bids, diff["b"])
            self._set(self.asks, diff["a"])

    @staticmethod
    def _set(side: Any, levels: list[list[str]]) -> None:
        for price, quantity in levels:
            resting = float(quantity)
            if resting:
                side[float(price)] = resting
            else:
                side.pop(float(price), None)


class Orders(Sides):
    """A book of orders: each by its number, and what rests at each price."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[int, list[int]] = {}

    def take(self, kind: str, number: int, is_bid: int, price: int, quantity: int) -> None:
        if kind == "order_add":
            self.orders[number] = [is_bid, price, quantity]
            self._change(is_bid, price, quantity)
        elif kind == "order_fill":
            order = self.orders[number]
            order[2] -= quantity
            self._change(order[0], order[1], -quantity)
            if not order[2]:
                del self.orders[number]
        elif kind == "order_delete":
            is_bid, price, left = self.orders.pop(number)
            self._change(is_bid, price, -left)

    def _change(self, is_bid: int, price: int, quantity: int) -> None:
        side = self.bids if is_bid else self.asks
        left = side.get(price, 0) + quantity
        if left:
            side[price] = left
        else:
            del side[price]


class Sorted:
    """The three streams that a book of this kind can play."""

    version = sortedcontainers.__version__

    def __init__(self, job: Job) -> None:
        folder = Path(job["folder"])
        self.messages = [line.split(b" ", 1)[1] for line in (folder / "depth.txt").read_bytes().splitlines()]
        self.updates = [tuple(map(int, line.split())) for line in self._lines(folder / "updates.txt")]
        head, *lines = self._lines(folder / "orders.txt")
        bid, last = map(int, head.split())
        rows = (line.split(" ", 1) for line in lines)
        parsed = ((kind, *map(int, numbers.split())) for kind, numbers in rows)
        self.orders = [
            (kind, number, flags & bid, price, quantity, flags & last)
            for kind, number, flags, price, quantity in parsed
        ]
        self.works = {
            f"wire: {PARSER} + sortedcontainers": lambda: list(self.session()),
            "updates: sortedcontainers": lambda: list(self.levels()),
            "orders: sortedcontainers": lambda: list(self.actions()),
        }

    @staticmethod
    def _lines(path: Path) -> list[str]:
        return path.read_text(encoding="ascii").splitlines()

    def session(self) -> Iterator[tuple[Any, ...]]:
        session = Session()
        for text in self.messages:
            session.message(text)
            yield session.best()

    def levels(self) -> Iterator[tuple[Any, ...]]:
        book = Sides()
        for side, price, quantity in self.updates:
            levels = book.bids if side == 1 else book.asks
            if quantity:
                levels[price] = quantity
            else:
                levels.pop(price, None)
            yield book.best()

    def actions(self) -> Iterator[tuple[Any, ...]]:
        book, in_snapshot = Orders(), False
        for kind, number, is_bid, price, quantity, is_last in self.orders:
            book.take(kind, number, is_bid, price, quantity)
            in_snapshot = kind == "snapshot_begin" or (in_snapshot and kind != "snapshot_end")
            if is_last and not in_snapshot:
                yield book.best()

    def result(self) -> dict[str, Any]:
        units = (PRICE_UNITS, QUANTITY_UNITS) * 2
        wire: Touches = [
            tuple(round(number * unit) for number, unit in zip(touch, units, strict=True)) for touch in self.session()
        ]
        best = {"wire": digest(wire), "updates": digest(self.levels()), "orders": digest(self.actions())}
        wire_work, updates_work, orders_work = self.works
        items = {wire_work: None, updates_work: len(self.updates), orders_work: len(self.orders)}
        return {"best": best, "works": items}


serve(Sorted)
