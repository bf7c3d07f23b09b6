"""Our replays: books, market makers in Python and in Rust, books of single orders, and trades through a callback."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from worker import Job, serve

import neural_trader as nt
from neural_trader._native import Replay
from neural_trader.market.bars import Step
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.order_flow import collapsed, order_flow
from neural_trader.market.recordings import Listed, Recording
from neural_trader.strategy import Strategy, Tick

LATENCY_NS = 10_000_000
REACH, POSITION_MAX = 1, 20
INTERVALS_NS = {"every 100 ms": 100_000_000, "every 10 ms": 10_000_000}
SECOND_NS = 10**9
EVERY = 50
BARS_PER_FLOW_S = 30
CASH = 10**14
X = Listed("X", Step(1, 0), Step(1, 0))


class Looks:
    """Adds up the best bid and the best ask at fixed times."""

    def __init__(self, replay: Any, interval_ns: int) -> None:
        self.replay, self.interval_ns = replay, interval_ns
        self.sum = 0

    def on_timer(self, time_ns: int) -> None:
        self.replay.timer(time_ns + self.interval_ns)
        bid, ask = self.replay.best(0, 1), self.replay.best(0, -1)
        if bid is not None and ask is not None:
            self.sum += bid[0] + ask[0]


class Maker:
    """What `replay_of_hftbacktest.py` does: at fixed times, an order of one lot on each side follows the middle."""

    def __init__(self, replay: Any, interval_ns: int) -> None:
        self.replay, self.interval_ns = replay, interval_ns
        self.sent = 0
        self.numbers = {1: 0, -1: 0}
        self.is_free: dict[int, bool] = {}
        """Orders that are not over, and whether nothing about one is on its way."""
        self.prices: dict[int, int] = {}

    def on_timer(self, time_ns: int) -> None:
        replay = self.replay
        replay.timer(time_ns + self.interval_ns)
        best_bid, best_ask = replay.best(0, 1), replay.best(0, -1)
        if best_bid is None or best_ask is None:
            return
        bid, ask = best_bid[0], best_ask[0]
        middle, position = (bid + ask) // 2, replay.position(0)
        for side, number in self.numbers.items():
            wanted = middle - REACH if side > 0 else max(middle + REACH, bid + 1)
            is_free = self.is_free.get(number)
            if is_free is not None:
                if is_free and self.prices[number] != wanted:
                    self.is_free[number] = False
                    replay.cancel(number)
            elif side * position < POSITION_MAX:
                sent = replay.submit(0, side, "limit", size=1, limit=wanted, post_only=True)
                self.sent += 1
                self.numbers[side], self.is_free[sent], self.prices[sent] = sent, False, wanted

    def on_fill(self, at: int) -> None:
        # Orders have one lot, so they fill wholly.
        del self.is_free[self.replay.fill_record(at)[0]]

    def on_order(self, number: int, event: str) -> None:
        if event == "ended":
            del self.is_free[number]
        elif event == "accepted":
            self.is_free[number] = True

    def told(self) -> dict[str, int]:
        side, quantity, price = (np.array(self.replay.fills[name]) for name in ("side", "quantity", "price"))
        balance = -int((side * quantity * price).sum())
        return {
            "orders": self.sent,
            "fills": len(side),
            "position": int((side * quantity).sum()),
            "balance": balance,
        }


class Counts(Strategy):
    """Looks at the price of every trade."""

    seen: ClassVar[int] = 0
    """Trades of the last run, of which the instance is not handed out."""

    def on_start(self) -> None:
        self.count = 0
        self.last = 0.0

    def on_trade(self, trade: Tick) -> None:
        self.count += 1
        self.last = trade.price

    def on_stop(self) -> None:
        Counts.seen = self.count


class Orders(Counts):
    """Turns its position around every fifty trades."""

    def on_trade(self, trade: Tick) -> None:
        self.count += 1
        if not self.count % EVERY:
            self.target(quantity=self.count // EVERY % 2)


class Batches(Strategy):
    """Looks at the prices of all trades of an interval at once."""

    batch_kinds: ClassVar[tuple[str, ...]] = ("trade",)

    def on_start(self) -> None:
        self.count = 0
        self.last = 0

    def on_batch(self, events: Any) -> None:
        self.count += len(events)
        self.last = events["price"][-1]

    def on_stop(self) -> None:
        Counts.seen = self.count


class LongBatches(Batches):
    """The same, ten times as many at once."""

    batch: ClassVar[str] = "100ms"


class Replays:
    """One work for each row of the bench."""

    version = nt.__version__

    def __init__(self, job: Job) -> None:
        self.session = np.load(job["session"])
        self.recording = Recording(self.session, (X,), "synthetic")
        duration = f"{max(job['bars'] // BARS_PER_FLOW_S, 60)}s"
        self.orders = np.concatenate(list(order_flow(seed=7, duration=duration)))
        self.trades = _trades(job["bars"])
        self.rows = range(job["bars"])
        self.works: dict[str, Callable[[], Any]] = {"books: neural-trader": self.books}
        self.items = {"books: neural-trader": len(self.session)}
        for name, interval_ns in INTERVALS_NS.items():
            self._makers(name, interval_ns)
        self._add("orders: neural-trader", len(self.orders), lambda: _looks(self.orders, SECOND_NS, depth="orders"))
        calls = len(self.rows)
        self._add("callbacks: a bare call of a Python method", calls, self.bare)
        self._add("callbacks: on_trade that reads the price", calls, lambda: self.called(Counts))
        self._add(f"callbacks: on_trade, and an order every {EVERY} trades", calls, lambda: self.called(Orders))
        for kind in (Batches, LongBatches):
            self._add(
                f"callbacks: on_batch every {kind.batch} that reads the last price", calls, partial(self.called, kind)
            )

    def _add(self, name: str, items: int, work: Callable[[], Any]) -> None:
        self.works[name], self.items[name] = work, items

    def _makers(self, name: str, interval_ns: int) -> None:
        def add(which: str, work: Callable[[], Any]) -> None:
            self._add(f"{name}: neural-trader, {which}", len(self.session), work)

        add("rules of hftbacktest, timers in Python", lambda: self.maker(interval_ns, "hftbacktest"))
        add("our rules, timers in Python", lambda: self.maker(interval_ns, None))
        add("our rules, avellaneda_stoikov in Rust", lambda: self.native_maker(interval_ns))

    def books(self) -> int:
        return _looks(self.session, INTERVALS_NS["every 100 ms"])

    def maker(self, interval_ns: int, like: str | None) -> dict[str, int]:
        replay = _replay(self.session, entry_ns=LATENCY_NS, response_ns=LATENCY_NS, like=like)
        maker = Maker(replay, interval_ns)
        replay.timer(int(self.session["ts_event_ns"][0]) + interval_ns)
        replay.play(on_timer=maker.on_timer, on_fill=maker.on_fill, on_order=maker.on_order)
        return maker.told()

    def native_maker(self, interval_ns: int, *, native: bool = True) -> Any:
        """The library's maker, its quotes as near as those of the other: a tick is a tenth of a basis point here."""
        terms = {"every_ms": interval_ns // 1_000_000, "size": 1, "limit": POSITION_MAX, "memory": 1.0}
        quotes = {"gamma": 0.0001, "k": 10.0, "fee": 0.0, "tolerance": 0.05}
        return nt.replay(
            "avellaneda_stoikov",
            self.recording,
            parameters=terms | quotes,
            cash=CASH,
            fee=0,
            queue="power:2",
            whole=True,
            benchmark=False,
            native=native,
        )

    def bare(self) -> None:
        call = self.take
        for row in self.rows:
            call(row)

    def take(self, row: int) -> None:
        self.last = row

    def called(self, kind: type[Strategy]) -> Any:
        return nt.replay(kind, self.trades, cash=CASH, fee=0, benchmark=False)

    def result(self) -> dict[str, Any]:
        self._check_orders()
        self._check_calls()
        equal = {name: self.maker(interval_ns, "hftbacktest") for name, interval_ns in INTERVALS_NS.items()}
        about = {f"rules {name}": self.maker(interval_ns, None) for name, interval_ns in INTERVALS_NS.items()}
        about |= {f"native {name}": self._native_checked(interval_ns) for name, interval_ns in INTERVALS_NS.items()}
        minutes = np.ptp(self.session["ts_event_ns"]) / 60e9
        return {
            "equal": equal | {"books": self.books()},
            "about": about,
            "minutes": float(minutes),
            "works": self.items,
        }

    def _check_orders(self) -> None:
        """The market's feed of levels must have the same best prices as its feed of single orders."""
        levels = np.concatenate(list(collapsed([self.orders])))
        sums = [_looks(self.orders, SECOND_NS, depth="orders"), _looks(levels, SECOND_NS)]
        if not sums[0] or sums[0] != sums[1]:
            raise SystemExit(f"best prices of books of orders and of levels differ: sums {sums}")

    def _check_calls(self) -> None:
        for kind, fills in ((Counts, 0), (Orders, len(self.rows) // EVERY)):
            found = len(self.called(kind).fills)
            # What the last trade sets off is still on its way at the end.
            if Counts.seen != len(self.rows) or not 0 <= fills - found <= 1:
                raise SystemExit(f"{kind.__name__} has seen {Counts.seen} trades and has {found} fills")
        for batches in (Batches, LongBatches):
            self.called(batches)
            # What arrives after the last multiple of the interval is not told.
            if not 0 <= len(self.rows) - Counts.seen < 100:
                raise SystemExit(f"{batches.__name__} has seen {Counts.seen} trades of {len(self.rows)}")

    def _native_checked(self, interval_ns: int) -> dict[str, int]:
        result = self.native_maker(interval_ns)
        if result.hash != self.native_maker(interval_ns, native=False).hash:
            raise SystemExit("avellaneda_stoikov in Rust does something else than in Python")
        return {"orders": len(result.orders), "fills": len(result.fills)}


def _replay(records: Any, **rules: Any) -> Any:
    """A replay of one instrument, with money for everything."""
    usual = {"cash": CASH * 10**18, "queue": "power", "power": 2, "whole": True, "sample_ns": SECOND_NS}
    return Replay([(X.symbol, X.tick, X.lot)], [(records.view(np.int64), [0])], **{**usual, **rules})


def _looks(records: Any, interval_ns: int, **rules: Any) -> int:
    replay = _replay(records, **rules)
    looks = Looks(replay, interval_ns)
    replay.timer(int(records["ts_event_ns"][0]) + interval_ns)
    replay.play(on_timer=looks.on_timer)
    return looks.sum


def _trades(count: int) -> Recording:
    """So many trades at best prices, which are quoted anew before every fifty: what was taken stays away otherwise."""
    random = np.random.default_rng(7)
    records = np.zeros((count // EVERY, 2 + EVERY), dtype=EVENT)
    records["kind"] = KIND["trade"]
    records["kind"][:, :2] = KIND["quote"]
    is_bid = random.random(records.shape) < 0.5
    is_bid[:, :2] = True, False
    records["flags"] = np.where(is_bid, FLAG["bid"], FLAG["ask"])
    # A buyer takes the best ask, while a quote of the bids is the best bid. The middle steps to and fro.
    away = np.where(is_bid, 1, -1)
    away[:, :2] *= -1
    records["price"] = 100_000 + 3 * (np.arange(len(records)) % 2)[:, np.newaxis] + away
    records["quantity"] = random.integers(1, 200, size=records.shape)
    flat = records.ravel()
    flat["ts_event_ns"] = flat["ts_recv_ns"] = 1_704_067_200 * 10**9 + 1_000_000 * np.arange(flat.size)
    return Recording(flat, (X,), "synthetic")


serve(Replays)
