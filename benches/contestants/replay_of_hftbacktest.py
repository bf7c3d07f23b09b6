"""hftbacktest: its books over a session, and a market maker that is compiled by numba.

Prices are in ticks and quantities in lots. The market maker holds one order on each side, one lot, post-only, and moves
them with the middle of the book that it knows, at fixed times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hftbacktest
import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit
from worker import Job, serve

KINDS = {1: TRADE_EVENT, 3: DEPTH_EVENT, 4: DEPTH_CLEAR_EVENT, 5: DEPTH_SNAPSHOT_EVENT}
"""Our kinds of records that it has a word for."""
BID, ASK = 1, 2
END_OF_DATA = 1
LATENCY_NS = 10_000_000
INTERVALS_NS = {"every 100 ms": 100_000_000, "every 10 ms": 10_000_000}
REACH, POSITION_MAX = 1, 20
"""How many ticks from the middle it quotes, and how many lots it holds at most."""


@njit  # type: ignore[misc]
def make_market(hbt, interval_ns):  # type: ignore[no-untyped-def]
    """Every so often: away with an order at another price than wanted, and a new one where there is none."""
    numbers = np.zeros(2, dtype=np.int64)
    last = 0
    code = hbt.elapse(interval_ns)
    while code == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        middle, position = (bid + ask) // 2, hbt.position(0)
        orders = hbt.orders(0)
        for place in range(2):
            side = 1 - 2 * place
            wanted = middle - REACH if side > 0 else max(middle + REACH, bid + 1)
            if numbers[place] in orders:
                order = orders.get(numbers[place])
                if order.cancellable and order.price_tick != wanted:
                    hbt.cancel(0, numbers[place], False)
                continue
            if side * position >= POSITION_MAX:
                continue
            last += 1
            numbers[place] = last
            if side > 0:
                hbt.submit_buy_order(0, last, wanted, 1, GTX, LIMIT, False)
            else:
                hbt.submit_sell_order(0, last, wanted, 1, GTX, LIMIT, False)
        code = hbt.elapse(interval_ns)
    if code != END_OF_DATA:
        raise RuntimeError("hftbacktest has stopped with an error")
    return last


@njit  # type: ignore[misc]
def play_books(hbt, interval_ns):  # type: ignore[no-untyped-def]
    """Adds up the best bid and the best ask every so often."""
    added = 0
    code = hbt.elapse(interval_ns)
    while code == 0:
        depth = hbt.depth(0)
        added += depth.best_bid_tick + depth.best_ask_tick
        code = hbt.elapse(interval_ns)
    if code != END_OF_DATA:
        raise RuntimeError("hftbacktest has stopped with an error")
    return added


class Hftbacktest:
    """Every work has both books of the package, at the exchange and here; its own records are made before.

    Orders fill whole: with partial fills an order of one lot that fills stays in the package's book, and the run ends
    with an error where it would fill again.
    """

    version = hftbacktest.__version__

    def __init__(self, job: Job) -> None:
        self.events = _events(np.load(job["session"]))
        # The book in an array has to be told its prices.
        prices = self.events["px"][self.events["px"] > 0]
        self.reach = prices.min(), prices.max()
        self.kinds = {"array": ROIVectorMarketDepthBacktest, "hash map": HashMapMarketDepthBacktest}
        self.works: dict[str, Callable[[], Any]] = {}
        for kind in self.kinds:
            self.works[f"books: hftbacktest, {kind}"] = lambda kind=kind: self.books(kind)
            for name, interval_ns in INTERVALS_NS.items():
                self.works[f"{name}: hftbacktest, {kind}"] = lambda kind=kind, ns=interval_ns: self.maker(kind, ns)

    def backtest(self, kind: str) -> Any:
        asset = BacktestAsset().data(self.events).linear_asset(1.0).tick_size(1.0).lot_size(1.0)
        asset = asset.power_prob_queue_model(2.0).no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
        asset = asset.roi_lb(self.reach[0]).roi_ub(self.reach[1])
        return self.kinds[kind]([asset.constant_order_latency(LATENCY_NS, LATENCY_NS)])

    def books(self, kind: str) -> int:
        hbt = self.backtest(kind)
        added = play_books(hbt, INTERVALS_NS["every 100 ms"])
        hbt.close()
        return int(added)

    def maker(self, kind: str, interval_ns: int) -> dict[str, int]:
        hbt = self.backtest(kind)
        sent = make_market(hbt, interval_ns)
        values = hbt.state_values(0)
        told = {
            "orders": int(sent),
            "fills": int(values.num_trades),
            "position": int(values.position),
            "balance": int(values.balance),
        }
        hbt.close()
        return told

    def result(self) -> dict[str, Any]:
        found = {}
        for kind in self.kinds:
            made = {name: self.maker(kind, interval_ns) for name, interval_ns in INTERVALS_NS.items()}
            found[kind] = {"books": self.books(kind), **made}
        if found["array"] != found["hash map"]:
            raise SystemExit(f"its two kinds of book have different results: {found}")
        return {"equal": found["array"], "works": dict.fromkeys(self.works, len(self.events))}


def _events(records: Any) -> Any:
    """The session in the package's records; both clocks run forward in it."""
    records = records[np.isin(records["kind"], list(KINDS))]
    events = np.zeros(len(records), dtype=event_dtype)
    kinds = np.zeros(256, dtype=np.uint64)
    kinds[list(KINDS)] = list(KINDS.values())
    sides = np.select([records["flags"] == BID, records["flags"] == ASK], [BUY_EVENT, SELL_EVENT], 0)
    events["ev"] = kinds[records["kind"]] | sides.astype(np.uint64) | np.uint64(EXCH_EVENT | LOCAL_EVENT)
    events["exch_ts"], events["local_ts"] = records["ts_event_ns"], records["ts_recv_ns"]
    events["px"], events["qty"] = records["price"], records["quantity"]
    return events


serve(Hftbacktest)
