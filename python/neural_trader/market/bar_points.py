"""What a venue by bars shows: points of the bars of recorded trades, as records (docs/book-rules.md, section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neural_trader.market.events import EVENT, FLAG, KIND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BarRule = Literal["close", "open", "path"]


def venue_times(records: NDArray[Any]) -> NDArray[np.int64]:
    """When each record of a source (dtype ``EVENT``) happened at its venue: times that never go back."""
    stated = records["ts_event_ns"]
    if not (stated > 0).any():
        stated = records["ts_recv_ns"]
    return np.maximum.accumulate(np.maximum(stated, 0))


def joined_records(sources: Sequence[tuple[NDArray[Any], Sequence[int]]]) -> NDArray[Any]:
    """The records (dtype ``EVENT``) of several sources as they happen at venues, their instruments numbered by rank.

    Each source is its records and the rank of each instrument that they number, negative for those that are left out.
    """
    times_ns = np.concatenate([venue_times(records) for records, _ in sources])
    joined = np.concatenate([records for records, _ in sources])
    joined["ts_event_ns"] = times_ns
    known = [np.asarray([*ranks, -1]) for _, ranks in sources]
    # A number beyond those that are named stands for none of them.
    ranks = [
        own[np.minimum(records["instrument"], len(own) - 1)] for own, (records, _) in zip(known, sources, strict=True)
    ]
    rank = np.concatenate(ranks)
    joined["instrument"] = np.maximum(rank, 0)
    # The last record of all says when the run ends, whatever it is of.
    joined["kind"][rank < 0] = KIND["status"]
    return joined[np.argsort(times_ns, kind="stable")]


def bar_records(
    records: NDArray[Any], interval_ns: int, rule: BarRule, trades: str | Sequence[str] = "trade"
) -> NDArray[Any]:
    """The records (dtype ``EVENT``) that a venue by bars shows of those of a source, for venues alone.

    ``rule`` says at which points of the bars of ``interval_ns``: each "close", each "open", or the "path" through the
    bar. ``trades`` is the kind of the records that tell trades, of all instruments or of each by its number; without
    any, nothing is shown.
    """
    of_number = np.array([KIND[name] for name in ([trades] if isinstance(trades, str) else trades)])
    told_by = of_number[np.minimum(records["instrument"], len(of_number) - 1)]
    is_trade = (records["kind"] == told_by) & (records["price"] > 0) & (records["quantity"] > 0)
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
    told_by = of_number[np.minimum(instrument, len(of_number) - 1)]
    return _quoted(time_ns[order], instrument[order], price[order], listens[order], falls[order], told_by[order])


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
    told_by: NDArray[Any],
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
    shown["kind"][:, :2], shown["kind"][:, 2] = KIND["quote"], told_by
    bid, ask = FLAG["bid"] | FLAG["unsized"], FLAG["ask"] | FLAG["unsized"]
    shown["flags"][:, 0] = np.where(falls, bid, ask)
    shown["flags"][:, 1] = np.where(falls, ask, bid)
    shown["flags"][:, 2] = np.where(listens, FLAG["last"], 0)
    shown["quantity"][:, 2] = 1
    return shown.reshape(-1)
