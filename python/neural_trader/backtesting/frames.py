"""The engine's records as polars frames, in decimal units and with names instead of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from neural_trader.baseline.ledger import CURRENCIES
from neural_trader.codes import ACCOUNTS, KINDS, REASONS, STATES, TIMES_IN_FORCE
from neural_trader.market.bars import Bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader._native import Engine, Replay
    from neural_trader.market.bars import Series

_UTC = pl.Datetime("ns", "UTC")


def _time(name: str, time_ns: Any) -> pl.Series:
    return pl.Series(name, time_ns, dtype=pl.Int64).cast(_UTC)


def _names(name: str, codes: Any, names: Sequence[str]) -> pl.Series:
    return pl.Series(name, list(names), dtype=pl.String).gather(pl.Series(codes, dtype=pl.UInt32))


def _sides(name: str, signs: Any, names: tuple[str, str]) -> pl.Series:
    return _names(name, np.where(signs > 0, 0, 1).astype(np.uint32), names)


def _present(name: str, values: Any) -> pl.Series:
    """Zeros mean absent in the engine's columns, and null in a frame."""
    series = pl.Series(name, values)
    # Replacing wakes the threads of polars, which takes longer than to look whether there is anything to replace.
    return series if np.all(values) else series.replace(0, None)


def _left(name: str, values: Any, trades: int) -> pl.Series:
    """A column of the exits, null for trades that are still open: these are the last ones."""
    series = pl.Series(name, values)
    return series if len(series) == trades else series.extend_constant(None, trades - len(series))


def _bars_before(series: Series, time_ns: Any) -> Any:
    """How many bars opened before each of the times."""
    if isinstance(series, Bars):
        return _of_piece_before(series, time_ns)
    counts = np.zeros(len(time_ns), np.int64)
    order = np.argsort(time_ns, kind="stable")
    times = time_ns[order]
    passed = 0
    for piece in series.pieces():
        # The times that lie before this piece are done, and those after it count all of its bars.
        first, last = np.searchsorted(times, [piece.open_ns[0], piece.open_ns[-1]], side="right")
        counts[order[first:last]] = passed + _of_piece_before(piece, times[first:last])
        passed += len(piece)
        counts[order[last:]] = passed
    return counts


def _of_piece_before(bars: Bars, time_ns: Any) -> Any:
    """The same within one piece; nearly all times are openings on an even time line."""
    if not len(bars) or not bars.interval_ns:
        return np.searchsorted(bars.open_ns, time_ns)
    guess = np.clip((time_ns - bars.open_ns[0]) // bars.interval_ns, 0, len(bars) - 1)
    wrong = np.flatnonzero(bars.open_ns[guess] != time_ns)
    guess[wrong] = np.searchsorted(bars.open_ns, time_ns[wrong])
    return guess


def equity(time_ns: Any, curve: Any, drawdown: Any) -> pl.DataFrame:
    """Equity and drawdown at each sample."""
    return pl.DataFrame([_time("time", time_ns), pl.Series("equity", curve), pl.Series("drawdown", drawdown)])


def orders(engine: Engine | Replay, symbols: Sequence[str]) -> pl.DataFrame:
    """Every order; absent prices and parents are null."""
    columns = engine.order_arrays()
    frame = pl.DataFrame(
        [
            pl.Series("id", columns["id"]),
            _present("parent", columns["parent"]),
            _time("time", columns["time_ns"]),
            _names("symbol", columns["instrument"], symbols),
            _sides("side", columns["side"], ("buy", "sell")),
            _names("kind", columns["kind"], KINDS),
            _names("time_in_force", columns["time_in_force"], TIMES_IN_FORCE),
            _time("expires", pl.Series(columns["expire_ns"]).replace(0, None)),
            pl.Series("quantity", columns["quantity"]),
            _present("limit", columns["limit"]),
            _present("stop", columns["stop"]),
            _present("trail", columns["trail"]),
            pl.Series("filled", columns["filled"]),
            pl.Series("cancelled", columns["cancelled"]),
            _names("state", columns["state"], STATES),
            _names("reason", columns["reason"], REASONS).replace("", None),
        ]
    )
    if "accept_ns" not in columns:
        return frame
    # What only a venue of a replay knows of an order, and the number by which the strategy knew it.
    return frame.with_columns(
        _present("number", columns["number"]),
        _time("accepted", pl.Series(columns["accept_ns"]).replace(0, None)),
        _time("ended", pl.Series(columns["end_ns"]).replace(0, None)),
        pl.Series("queue_ahead", columns["queue_ahead"]).fill_nan(None),
        pl.Series("post_only", columns["post_only"]),
        pl.Series("reduce_only", columns["reduce_only"]),
        pl.Series("display", columns["display"]).replace(0, None),
    )


def fills(engine: Engine | Replay, symbols: Sequence[str]) -> pl.DataFrame:
    """Every fill; a fill without an order closed a position in ruin or at the end of data."""
    columns = engine.fill_arrays()
    frame = pl.DataFrame(
        [
            _time("time", columns["time_ns"]),
            _names("symbol", columns["instrument"], symbols),
            _sides("side", columns["side"], ("buy", "sell")),
            pl.Series("quantity", columns["quantity"]),
            pl.Series("price", columns["price"]),
            pl.Series("reference", columns["reference"]),
            pl.Series("fee", columns["fee"]),
            pl.Series("slippage", columns["slippage"]),
            _sides("liquidity", columns["maker"], ("maker", "taker")),
            _present("order", columns["order"]),
        ]
    )
    if "notional" in columns:
        frame = frame.with_columns(pl.Series("notional", columns["notional"]))
    if "bid" not in columns:
        return frame
    touch = [pl.Series(name, columns[name]).fill_nan(None) for name in ("bid", "ask")]
    return frame.with_columns(*touch, _present("order_number", columns["order_number"]))


def trades(engine: Engine | Replay, series: Sequence[Series]) -> pl.DataFrame:
    """Round trips; ``bars`` counts the bars that opened from the entry up to the exit."""
    columns, of_fill = engine.trade_arrays(), engine.fill_arrays()
    entry, leave = columns["entry_fill"], columns["exit_fill"]
    # Position -1 stands for no exit, and the trades that have none come last.
    leave = leave[leave >= 0]
    entry_ns, exit_ns = of_fill["time_ns"][entry], of_fill["time_ns"][leave]
    entry_price = of_fill["price"][entry]
    worth = entry_price * columns["quantity"]
    if "notional" in of_fill:
        # Of a contract, price times quantity is not what it is worth.
        worth = of_fill["notional"][entry] * (columns["quantity"] / of_fill["quantity"][entry])
    held = np.zeros(len(entry), dtype=np.int64)
    for k, each in enumerate(series):
        mine = np.flatnonzero(columns["instrument"] == k)
        # A replay that never saw a bid and an ask together has no bars to count.
        if not len(mine) or not len(each):
            continue
        until = np.full(len(mine), each.end_ns)
        closed = np.searchsorted(mine, len(leave))
        until[:closed] = exit_ns[mine[:closed]]
        since, upto = np.split(_bars_before(each, np.concatenate((entry_ns[mine], until))), 2)
        held[mine] = upto - since
    return pl.DataFrame(
        [
            _names("symbol", columns["instrument"], [each.symbol for each in series]),
            _sides("side", columns["direction"], ("long", "short")),
            pl.Series("quantity", columns["quantity"]),
            _time("entry_time", entry_ns),
            pl.Series("entry_price", entry_price),
            _left("exit_time", _time("exit_time", exit_ns), len(entry)),
            _left("exit_price", of_fill["price"][leave], len(entry)),
            pl.Series("pnl", columns["pnl"]),
            pl.Series("return", columns["pnl"] / worth),
            pl.Series("fees", columns["fees"]),
            pl.Series("bars", held),
            _present("entry_order", of_fill["order"][entry]),
            _left("exit_order", _present("exit_order", of_fill["order"][leave]), len(entry)),
        ]
    )


def postings(engine: Engine | Replay, symbols: Sequence[str], currencies: Sequence[str] = ()) -> pl.DataFrame:
    """The ledger; ``unit`` is the account currency (null), another one, or the symbol whose units the amount counts."""
    columns = engine.posting_arrays()
    ranks = ["", *symbols]
    units = columns["unit"].astype(np.int64)
    # Other currencies are numbered from a number beyond all instruments.
    units = np.where(units > CURRENCIES, units - CURRENCIES + len(symbols), units).astype(np.uint32)
    return pl.DataFrame(
        [
            pl.Series("transaction", columns["transaction"]),
            _names("account", columns["account"], ACCOUNTS),
            _names("symbol", columns["instrument"], ranks).replace("", None),
            _names("unit", units, [*ranks, *currencies]).replace("", None),
            pl.Series("amount", columns["amount"]),
        ]
    )
