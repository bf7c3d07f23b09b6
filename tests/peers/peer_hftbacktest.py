"""Runs in the environment of hftbacktest: plays markets and order programs, and tells every answer that came back.

Usage: python peer_hftbacktest.py JOBS.json ANSWER.json

Prices are in ticks and quantities in lots, and both steps are 1, so that the package's floats are whole numbers, as far
as its queue models leave them so. A job may have a `lot` beside 1, to see whether the last bits of floats decide.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    CANCELED,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    EXPIRED,
    FILLED,
    LIMIT,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit

KINDS = {
    "level": DEPTH_EVENT,
    "trade": TRADE_EVENT,
    "resync": DEPTH_CLEAR_EVENT,
    "snapshot_begin": DEPTH_CLEAR_EVENT,
    "snapshot_level": DEPTH_SNAPSHOT_EVENT,
}
"""Our kinds of records in the package's words; it has no word for the end of a snapshot."""
NAMES = ("kind", "side", "price", "quantity", "venue_ns", "here_ns")
SIDES = {1: BUY_EVENT, -1: SELL_EVENT, 0: 0}
QUEUES = {
    "risk_averse": lambda asset, _: asset.risk_adverse_queue_model(),
    "power": lambda asset, n: asset.power_prob_queue_model(n),
    "power_2": lambda asset, n: asset.power_prob_queue_model2(n),
    "power_3": lambda asset, n: asset.power_prob_queue_model3(n),
    "log": lambda asset, _: asset.log_prob_queue_model(),
    "log_2": lambda asset, _: asset.log_prob_queue_model2(),
}
LATENCY = np.dtype([("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")])
CANCEL = -1
TIMES_IN_FORCE = {"gtc": 0, "gtx": 1, "fok": 2, "ioc": 3}
COLUMNS = ("order", "here_ns", "venue_ns", "status", "leaves", "price", "quantity", "maker", "req")
"""Of an answer: when it came, when the exchange acted, what became of the order, and its last fill so far."""


@njit  # type: ignore[misc]
def play(hbt, program, until_ns, answers):  # type: ignore[no-untyped-def]
    """Walk from answer to answer, act at the times of the program; the number of answers and the error, if any."""
    count = 0
    known = np.zeros((len(program), 4), dtype=np.int64)
    for index in range(len(program) + 1):
        goal = until_ns if index == len(program) else program[index, 0]
        code = 2
        while code > 1:
            code = hbt.wait_next_feed(True, goal - hbt.current_timestamp)
            if code > 3:
                return count, code
            count = note(hbt, program[:index], known, answers, count)
        if index < len(program):
            act(hbt, index + 1, program[index])
            # What was just sent is no answer.
            note(hbt, program[: index + 1], known, answers, count)
    return count, 0


@njit  # type: ignore[misc]
def act(hbt, number, action):  # type: ignore[no-untyped-def]
    """Send an order, or cancel one if that is possible now."""
    _, kind, side, price, quantity, tif = action
    if kind == CANCEL:
        if hbt.orders(0).get(price).cancellable:
            hbt.cancel(0, price, False)
    elif side > 0:
        hbt.submit_buy_order(0, number, price, quantity, tif, kind, False)
    else:
        hbt.submit_sell_order(0, number, price, quantity, tif, kind, False)


@njit  # type: ignore[misc]
def note(hbt, program, known, answers, count):  # type: ignore[no-untyped-def]
    """Write down the orders that are not as they were known."""
    for index in range(len(program)):
        if program[index, 1] == CANCEL or known[index, 0] in (EXPIRED, FILLED, CANCELED):
            continue
        order = hbt.orders(0).get(index + 1).arr[0]
        seen, leaves = known[index], np.int64(round(order.leaves_qty))
        if order.status == seen[0] and order.req == seen[1] and leaves == seen[2] and order.exch_timestamp == seen[3]:
            continue
        seen[0], seen[1], seen[2], seen[3] = order.status, order.req, leaves, order.exch_timestamp
        if count == len(answers):
            raise RuntimeError("more answers than there is room for")
        row = answers[count]
        row[0], row[1], row[2], row[3] = index + 1, hbt.current_timestamp, order.exch_timestamp, order.status
        row[4], row[5], row[6] = leaves, order.exec_price_tick, np.int64(round(order.exec_qty))
        row[7], row[8] = order.maker, order.req
        count += 1
    return count


def events_of(market: dict[str, list[Any]]) -> Any:
    """The package's records of a market."""
    rows = [row for row in zip(*(market[name] for name in NAMES), strict=True) if row[0] in KINDS]
    events = np.zeros(len(rows), dtype=event_dtype)
    kind, side, price, quantity, venue_ns, here_ns = zip(*rows, strict=True)
    flags = [KINDS[each] | SIDES[which] for each, which in zip(kind, side, strict=True)]
    events["ev"] = np.array(flags, dtype=np.uint64) | np.uint64(EXCH_EVENT | LOCAL_EVENT)
    events["px"], events["qty"], events["exch_ts"], events["local_ts"] = price, quantity, venue_ns, here_ns
    return events


def program_of(job: dict[str, Any]) -> Any:
    """Time, kind, side, price, quantity and time in force; the price of a cancellation is the order's number."""
    rows = []
    for action in job["program"]:
        if "cancel" in action:
            rows.append((action["time_ns"], CANCEL, 0, action["cancel"], 0, 0))
            continue
        kind = MARKET if action["kind"] == "market" else LIMIT
        tif = TIMES_IN_FORCE[action["tif"]]
        rows.append((action["time_ns"], kind, action["side"], action["price"], action["quantity"], tif))
    return np.array(rows, dtype=np.int64).reshape(-1, 6)


def answer(job: dict[str, Any], events: Any) -> dict[str, Any]:
    """What comes of a job."""
    asset = BacktestAsset().data(events).linear_asset(1.0).tick_size(1.0).lot_size(job.get("lot", 1.0))
    asset = QUEUES[job["queue"]](asset, float(job["power"])).trading_value_fee_model(0.0, 0.0)
    asset = asset.no_partial_fill_exchange() if job["whole"] else asset.partial_fill_exchange()
    if job["latency_rows"]:
        rows = np.array([(*row, 0) for row in job["latency_rows"]], dtype=LATENCY)
        asset = asset.intp_order_latency(rows)
    else:
        asset = asset.constant_order_latency(job["entry_ns"], job["response_ns"])
    program = program_of(job)
    hbt = HashMapMarketDepthBacktest([asset])
    # Every trade can answer every order, but few do.
    answers = np.zeros((len(program) * 200 + 1000, len(COLUMNS)), dtype=np.int64)
    hbt.elapse(0)
    count, error = play(hbt, program, job["until_ns"], answers)
    told = {"answers": answers[:count].tolist(), "error": error, "time_ns": hbt.current_timestamp}
    told["position"] = hbt.position(0)
    hbt.close()
    return told


def main() -> None:
    """Answer the jobs of a file."""
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    markets = [events_of(market) for market in jobs["markets"]]
    told = [answer(job, markets[job["market"]]) for job in jobs["jobs"]]
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


main()
