"""What was held of each instrument at the end of each day, and what the instruments did."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neural_trader.report.figures import day_ends

if TYPE_CHECKING:
    from neural_trader.market.bars import Series
    from neural_trader.report.outcome import Floats, Outcome, Times


class Holdings(NamedTuple):
    """Days by instruments; a day ends with the last sample of equity in it (UTC)."""

    time_ns: Times
    symbols: list[str]
    weights: Floats
    """What is held as a fraction of equity, below zero where it was sold short; NaN where equity is not above zero."""
    prices: Floats
    """The last close by then; NaN before the first one."""
    equity: Floats


def holdings_of(result: Outcome) -> Holdings | None:
    """The holdings of a run over bars; None of a replay, of contracts and of several currencies.

    What those are worth follows from sizes and rates that the fills do not have.
    """
    if "latency" in result.run or "account" in result.run or not result.samples:
        return None
    time_ns, equity = day_ends(result)
    columns = [_marks(series, time_ns) for series in result.series]
    if result.run.get("fill") == "close":
        columns = [(closes, np.full(len(time_ns), np.nan)) for closes, _ in columns]
    prices = np.column_stack([closes for closes, _ in columns])
    held = np.column_stack(_positions(result, time_ns, [opens for _, opens in columns]))
    if result.run.get("close_at_end"):
        held[-1] = 0.0
    worth = np.where(held == 0.0, 0.0, held * prices)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(equity[:, None] > 0.0, worth / equity[:, None], np.nan)
    return Holdings(time_ns, [series.symbol for series in result.series], weights, prices, equity)


def _marks(series: Series, time_ns: Times) -> tuple[Floats, Floats]:
    """The last close by each time, and the opening at just that time; NaN where there is none."""
    closes, opens = np.full(len(time_ns), np.nan), np.full(len(time_ns), np.nan)
    step = series.tick.mantissa / 10**series.tick.decimals
    for piece in series.pieces():
        if not len(piece):
            continue
        at = np.searchsorted(piece.close_ns, time_ns, side="right") - 1
        closes[at >= 0] = piece.close[at[at >= 0]] * step
        at = np.minimum(np.searchsorted(piece.open_ns, time_ns), len(piece) - 1)
        now = piece.open_ns[at] == time_ns
        opens[now] = piece.open[at[now]] * step
    return closes, opens


def _positions(result: Outcome, time_ns: Times, opens: list[Floats]) -> list[Floats]:
    """Quantities of each instrument at the given times, before what fills at openings of the same time."""
    fills = result.fills
    symbols = fills["symbol"].cast(str).to_numpy()
    filled_ns = fills["time"].dt.timestamp("ns").to_numpy()
    quantity, reference = (fills[name].cast(float).to_numpy() for name in ("quantity", "reference"))
    signed = np.where(fills["side"].cast(str).to_numpy() == "buy", quantity, -quantity)
    since = np.searchsorted(time_ns, filled_ns)
    at = np.minimum(since, len(time_ns) - 1)
    is_now = time_ns[at] == filled_ns
    found = []
    for series, openings in zip(result.series, opens, strict=True):
        own = symbols == series.symbol
        # Samples are at closes. A fill of that time is of the bar that closes, unless it was had at the next opening.
        later = is_now[own] & (np.abs(reference[own] - openings[at[own]]) <= 1e-9 * reference[own])
        changes = np.zeros(len(time_ns) + 1)
        np.add.at(changes, np.minimum(since[own] + later, len(time_ns)), signed[own])
        held = np.cumsum(changes)[:-1]
        # What is left of sums of decimals that cancel is rounding.
        found.append(np.where(np.abs(held) < 1e-9 * quantity[own].max(initial=0.0), 0.0, held))
    return found
