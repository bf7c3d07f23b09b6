"""Sessions of a random market in which books are lost and sides run empty, and what came of an order in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.order_flow import LOT, TICK, collapsed, order_flow
from neural_trader.market.recordings import Listed, Recording

SECOND_NS = 1_000_000_000
START_NS = 1_640_995_200 * SECOND_NS

Row = tuple[int, int, int, int, int, int, int, int, int]


def random_session(seed: int, seconds: int = 120, symbols: tuple[str, ...] = ("ALPHA",)) -> Recording:
    """Levels and trades; each minute the book is lost for two seconds, and later the asks are gone for three."""
    flows = []
    for number, symbol in enumerate(symbols):
        stream = order_flow(seed=seed, symbol=symbol, duration=f"{seconds}s")
        flow = np.concatenate(list(collapsed(stream))).copy()
        flow["instrument"] = number
        flows.append(_troubled(flow))
    records = np.concatenate(flows)
    records = records[np.argsort(records["ts_recv_ns"], kind="stable")]
    return Recording(records, tuple(Listed(symbol, TICK, LOT) for symbol in symbols))


def calm_session(middles: list[int], every_ns: int, trades: dict[int, tuple[int, int, int]]) -> Recording:
    """A book of one level on each side, 100 lots, 5 ticks from a middle that is another one at each step.

    ``trades`` are price, quantity and the aggressor's side (1 or -1) by the step behind whose book they come.
    """
    rows: list[Row] = []
    before: int | None = None
    for step, middle in enumerate(middles):
        time_ns = START_NS + step * every_ns
        if middle != before:
            # The side that moves away goes first, so that the book is never crossed.
            for side in ("ask", "bid") if before is None or middle > before else ("bid", "ask"):
                sign = 1 if side == "ask" else -1
                if before is not None:
                    rows.append(_row(time_ns, "level", before + 5 * sign, 0, FLAG[side]))
                rows.append(_row(time_ns, "level", middle + 5 * sign, 100, FLAG[side]))
            before = middle
        if step in trades:
            price, quantity, side_of_trade = trades[step]
            rows.append(_row(time_ns, "trade", price, quantity, FLAG["bid" if side_of_trade > 0 else "ask"]))
        rows.append(_row(time_ns, "status", 0, 0, 0))
    return Recording(np.array(rows, EVENT), (Listed("ALPHA", TICK, LOT),))


def positions(result: Any, symbol: str = "ALPHA") -> list[float]:
    """The position after each fill of an instrument."""
    fills = result.fills.filter(result.fills["symbol"] == symbol)
    signs = np.where(fills["side"] == "buy", 1.0, -1.0)
    return list(np.round(np.cumsum(signs * fills["quantity"].to_numpy()), 9))


def _row(time_ns: int, kind: str, price: int, quantity: int, flags: int, instrument: int = 0) -> Row:
    return (time_ns, time_ns, price, quantity, 0, 0, instrument, KIND[kind], flags | FLAG["last"])


def _troubled(flow: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    book: dict[tuple[int, int], int] = {}
    rows: list[Row] = []
    number, trouble = int(flow["instrument"][0]), ""
    sides = FLAG["bid"] | FLAG["ask"]
    for record in flow:
        second = (int(record["ts_recv_ns"]) - START_NS) // SECOND_NS % 60
        expected = "lost" if 20 <= second < 22 else "empty" if 40 <= second < 43 else ""
        time_ns, kind, side = int(record["ts_recv_ns"]), int(record["kind"]), int(record["flags"]) & sides
        if expected != trouble:
            if expected == "lost":
                rows.append(_row(time_ns, "resync", 0, 0, 0, number))
            elif expected == "empty":
                asks = [price for own, price in book if own == FLAG["ask"]]
                rows += [_row(time_ns, "level", price, 0, FLAG["ask"], number) for price in asks]
            else:
                rows.append(_row(time_ns, "snapshot_begin", 0, 0, 0, number))
                for (own, price), quantity in book.items():
                    rows.append(_row(time_ns, "snapshot_level", price, quantity, own, number))
                rows.append(_row(time_ns, "snapshot_end", 0, 0, 0, number))
            trouble = expected
        if kind in (KIND["level"], KIND["snapshot_level"]):
            book.pop((side, int(record["price"])), None)
            if record["quantity"]:
                book[side, int(record["price"])] = int(record["quantity"])
        if not (trouble == "lost" or (trouble == "empty" and side == FLAG["ask"] and kind == KIND["level"])):
            rows.append(record.item())
    return np.array(rows, EVENT)
