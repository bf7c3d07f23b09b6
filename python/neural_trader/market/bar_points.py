"""What a venue by bars shows: points of the bars of recorded trades, as records (docs/book-rules.md, section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neural_trader.market.events import EVENT, FLAG, KIND

if TYPE_CHECKING:
    from numpy.typing import NDArray

BarRule = Literal["close", "open", "path"]


def venue_times(records: NDArray[Any]) -> NDArray[np.int64]:
    """When each record of a source (dtype ``EVENT``) happened at its venue: times that never go back."""
    stated = records["ts_event_ns"]
    if not (stated > 0).any():
        stated = records["ts_recv_ns"]
    return np.maximum.accumulate(np.maximum(stated, 0))


def bar_records(records: NDArray[Any], interval_ns: int, rule: BarRule, trades: str = "trade") -> NDArray[Any]:
    """The records (dtype ``EVENT``) that a venue by bars shows of those of a source, for venues alone.

    ``rule`` says at which points of the bars of ``interval_ns``: each "close", each "open", or the "path" through the
    bar. ``trades`` is the kind of the records that tell trades; without any, nothing is shown.
    """
    is_trade = (records["kind"] == KIND[trades]) & (records["price"] > 0) & (records["quantity"] > 0)
    is_trade &= (records["flags"] & FLAG["before"]) == 0
    times_ns = venue_times(records)
    prints, printed_ns = records[is_trade], times_ns[is_trade]
    shown = [
        _points(printed_ns[own], prints["price"][own], interval_ns, rule, int(times_ns[-1]))
        for number in np.unique(prints["instrument"])
        for own in [prints["instrument"] == number]
    ]
    if not shown:
        return np.empty(0, EVENT)
    instrument = np.repeat(np.unique(prints["instrument"]), [len(each) for each, *_ in shown])
    time_ns, price, listens, falls = (np.concatenate(parts) for parts in zip(*shown, strict=True))
    # Of one instrument they are in order already.
    order = np.lexsort((instrument, time_ns))
    return _quoted(time_ns[order], instrument[order], price[order], listens[order], falls[order], trades)


def _points(
    time_ns: NDArray[np.int64], price: NDArray[np.int64], interval_ns: int, rule: BarRule, last_ns: int
) -> tuple[NDArray[Any], ...]:
    """Times, prices, whether the venue listens, and whether the price is below the last, of one instrument's points."""
    bar = time_ns // interval_ns
    begins = np.flatnonzero(np.diff(bar, prepend=bar[0] - 1))
    ends = np.append(begins[1:], len(bar)) - 1
    end_ns = np.minimum((bar[begins] + 1) * interval_ns, last_ns)
    first, close = price[begins], price[ends]
    if rule == "close":
        times, prices, listens = end_ns, close, np.ones(len(begins), bool)
    elif rule == "open":
        times, prices, listens = time_ns[begins], first, np.ones(len(begins), bool)
    else:
        high, low = np.maximum.reduceat(price, begins), np.minimum.reduceat(price, begins)
        rises = high - first < first - low
        path = np.stack([first, np.where(rises, high, low), np.where(rises, low, high), close], axis=1)
        moves = np.diff(path, axis=1, prepend=0) != 0
        moves[:, 0] = True
        times = np.stack([time_ns[begins], end_ns, end_ns, end_ns], axis=1)[moves]
        prices = path[moves]
        listens = np.broadcast_to([True, False, False, False], path.shape)[moves]
    falls = prices < np.concatenate([[0], prices[:-1]])
    return times, prices, listens, falls


def _quoted(
    time_ns: NDArray[Any],
    instrument: NDArray[Any],
    price: NDArray[Any],
    listens: NDArray[Any],
    falls: NDArray[Any],
    trades: str,
) -> NDArray[Any]:
    """Three records for each point: unsized quotes of both sides and a trade."""
    shown = np.zeros((len(time_ns), 3), EVENT)
    for name, column in (
        ("ts_event_ns", time_ns),
        ("ts_recv_ns", time_ns),
        ("price", price),
        ("instrument", instrument),
    ):
        shown[name] = column[:, None]
    shown["kind"] = [KIND["quote"], KIND["quote"], KIND[trades]]
    bid, ask = FLAG["bid"] | FLAG["unsized"], FLAG["ask"] | FLAG["unsized"]
    shown["flags"][:, 0] = np.where(falls, bid, ask)
    shown["flags"][:, 1] = np.where(falls, ask, bid)
    shown["flags"][:, 2] = np.where(listens, FLAG["last"], 0)
    shown["quantity"][:, 2] = 1
    return shown.reshape(-1)
