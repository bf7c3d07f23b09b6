"""Random order flow: the L3 feed of a market in which every order comes by chance, and the L2 feed of the same market.

What rests, what trades and when is all known here, so that models of queues and of fills can be judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.market.bars import Step
from neural_trader.market.times import instant_ns_of, interval_ns_of

if TYPE_CHECKING:
    import numpy as np

    Records = np.ndarray[Any, np.dtype[Any]]

TICK, LOT = Step(1, 2), Step(1, 0)
"""The steps that the counts of the records stand for where they are written to files."""
BLOCK = 65_536


@dataclass(frozen=True)
class OrderFlow:
    """The model of Cont, Stoikov and Talreja (Operations Research 58, 2010); rates are per second.

    On each side, limit orders come ``i`` ticks from the best price of the other side at the rate
    ``limit_rate / i**decay`` for ``i`` up to ``reach``, and market orders at ``market_rate``; each resting order is
    cancelled at ``cancel_rate``. All waits are exponential and independent. With ``decay=0`` it is, on a band of
    prices, the model of Daniels, Farmer, Gillemot, Iori and Smith (Physical Review Letters 90, 2003). Sizes are
    geometric; with means of one lot they are those of both papers.
    """

    limit_rate: float = 2.0
    """Limit orders in a second, on each side, one tick from the best price of the other."""
    decay: float = 0.5
    reach: int = 100
    """In ticks."""
    market_rate: float = 1.5
    """Market orders in a second, on each side."""
    cancel_rate: float = 0.2
    """Of each resting order: one over the mean of the seconds for which an order that is not filled rests."""
    limit_size: float = 5.0
    """Mean size of limit orders in lots, at least one."""
    market_size: float = 10.0
    """Mean size of market orders in lots, at least one."""


def order_flow(
    model: OrderFlow | None = None,
    *,
    seed: int = 7,
    symbol: str = "ALPHA",
    duration: str | int | timedelta = "1h",
    start: Any = "2022-01-01",
    price: int = 10_000,
    block: int = BLOCK,
) -> Iterator[Records]:
    """The L3 feed of a random market, in blocks of so many records (the last may be shorter) with the dtype ``EVENT``.

    It begins with a snapshot of the book around ``price``, in ticks: ``snapshot_begin``, an ``order_add`` for each
    resting order, ``snapshot_end``. Then come ``order_add``, ``order_delete`` and, where a market order trades, for
    each price a ``trade`` (side of the aggressor, whole quantity) and behind it an ``order_fill`` for each order that
    it meets (the side and the number of that order). An order filled to its last lot is gone without a further record;
    a market order that finds too little loses the rest. The last record of an action has the flag ``last``, and both
    times are that of the action.

    The same seed and symbol give the same bytes on every machine, whatever the block; a longer duration extends them.

    Raises:
        DataError: if a parameter makes no market.
    """
    from neural_trader import _native

    start_ns, duration_ns = instant_ns_of(start, "start"), interval_ns_of(duration)
    if not 0 <= seed < 2**64 or block < 1 or not 0 <= price < 2**63:
        raise DataError(f"seed {seed}, block {block}, price {price}: seeds end at 2**64 - 1, the others begin at 1")
    if not -(2**62) < start_ns + duration_ns < 2**62:
        raise DataError(f"duration {duration} runs beyond the year 2116; ask for less")
    parameters = astuple(model or OrderFlow())
    try:
        stream = _native.OrderStream(parameters, seed, symbol, price, (start_ns, start_ns + duration_ns))
    except (ValueError, OverflowError, TypeError) as error:
        raise DataError(f"order flow: {error}") from None
    return _blocks(stream, block)


def _blocks(stream: Any, block: int) -> Iterator[Records]:
    from neural_trader.market.events import EVENT

    count = block
    while count == block:
        records, count = stream.read(block)
        if count:
            yield records[: count * EVENT.itemsize].view(EVENT)


def collapsed(blocks: Iterable[Records]) -> Iterator[Records]:
    """The L2 feed of an L3 feed of one instrument, block by block: trades, and levels in place of orders.

    After each whole action come its trades, then every ``level`` that it touched, at the same times; ``id`` counts the
    actions. A snapshot of orders becomes one of levels. Blocks may end anywhere; what an unfinished action says waits.

    Raises:
        DataError: if an order is filled, changed or deleted that does not rest, or a record cannot be one.
    """
    import numpy as np

    from neural_trader import _native
    from neural_trader.market.events import EVENT

    collapse = _native.OrderCollapse()
    for number, block in enumerate(blocks):
        try:
            told = collapse.push(np.ascontiguousarray(block).view(np.uint8))
        except ValueError as error:
            raise DataError(f"block {number}, {error}") from None
        if len(told):
            yield told.view(EVENT)


def made_by(seed: int) -> str:
    """What generated the rows of a file."""
    from neural_trader import _native

    return f"synthetic order flow {_native.ORDER_FLOW_VERSION}, seed {seed}"
