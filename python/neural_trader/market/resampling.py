"""Bars from trades, bars from quotes, and coarser bars from finer ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from neural_trader.errors import DataError, UsageError
from neural_trader.market.bars import DECIMALS_MAX, Bars, Step
from neural_trader.market.faults import MESSAGES, Fault, checked
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import DAY_NS, interval_ns_of, interval_text, time_text

if TYPE_CHECKING:
    from neural_trader.market.bars import Column

MONDAY_NS = 4 * DAY_NS
"""The first Monday after 1970-01-01: weeks begin on Mondays, all shorter intervals at midnight UTC."""
_WORDS = {
    "trade": "trades", "trades": "trades", "tick": "trades", "ticks": "trades", "unit": "volume", "units": "volume",
    "volume": "volume", "notional": "notional", "imbalance": "imbalance", "volume-imbalance": "volume-imbalance",
    "notional-imbalance": "notional-imbalance",
}  # fmt: skip
_SPANS = (20, 10)
"""The averages of imbalance bars reach over this many bars, and over the trades of this many bars."""
_BOUNDS = 10
"""An imbalance bar has at least a tenth, and at most ten times, of the trades that the first one has."""


@dataclass(frozen=True)
class Every:
    """What one bar is made of."""

    by: Literal["time", "trades", "volume", "notional", "imbalance", "volume-imbalance", "notional-imbalance"]
    size: Decimal
    """Nanoseconds, trades, units, units of the quote currency; for imbalance bars the trades expected in a bar."""

    @classmethod
    def of(cls, text: str) -> Every:
        """``5m``, ``1000 trades``, ``50 volume``, ``1000000 notional``, ``500 imbalance``."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)[\s-]*([a-z-]+)\s*", text.lower())
        if match and match[2] in _WORDS:
            every = cls(_WORDS[match[2]], Decimal(match[1]))  # type: ignore[arg-type]
            whole = every.by not in ("volume", "notional")
            if every.size <= 0 or (whole and every.size != int(every.size)):
                raise UsageError(f"{text!r}: the size of a bar is above zero, and trades are whole")
            return every
        try:
            return cls("time", Decimal(interval_ns_of(text)))
        except DataError:
            raise UsageError(
                f"{text!r} is no size of a bar; write 5m, 1000-trades, 50-volume, 1000000-notional, 500-imbalance,"
                " 500-volume-imbalance or 500-notional-imbalance"
            ) from None

    def __str__(self) -> str:
        return interval_text(int(self.size)) if self.by == "time" else f"{self.size:f}-{self.by}"


def _origin_ns(interval_ns: int) -> int:
    return MONDAY_NS if interval_ns % (7 * DAY_NS) == 0 else 0


def bars_from_trades(trades: Trades, every: str | Every, *, partial: bool = False) -> Bars:
    """Bars made of trades; what is left after the last complete one is a bar only if ``partial``.

    Bars of time are aligned to midnight UTC, weeks to Mondays, and there is none for an interval without trades. The
    first and the last interval are all there, because trades do not tell whether these were seen whole.
    """
    from neural_trader import _native

    every = every if isinstance(every, Every) else Every.of(every)
    ticks = (trades.ts_ns, trades.price, trades.quantity)
    if every.by == "time":
        interval_ns = int(every.size)
        made = checked(_native.time_bars, *ticks, interval_ns, _origin_ns(interval_ns))
        notes = [_ends_note(trades.ts_ns)]
    elif every.by.endswith("imbalance"):
        expected = int(every.size)
        measure = every.by.removesuffix("imbalance").rstrip("-") or "trades"
        spans = (_SPANS[0], _SPANS[1] * expected)
        bounds = (max(1, expected // _BOUNDS), expected * _BOUNDS)
        made = checked(_native.imbalance_bars, ticks, trades.side, measure, (expected, *spans, *bounds), partial)
        notes = []
        if not trades.side.all():
            notes.append("sides that are not known follow the tick rule: the sign of the last change of price")
    else:
        made = checked(_native.sum_bars, *ticks, every.by, _counts(trades, every), partial)
        notes = []
    if not len(made[0]):
        raise DataError(f"{trades.symbol}: {len(trades)} trades do not make one bar of {every}; choose a smaller one")
    return _bars(trades, made, every, made[6], None, [*notes, f"made of {len(trades)} trades"])


def _counts(trades: Trades, every: Every) -> int:
    """The size of a bar in trades, lots, or ticks times lots; the smallest whole number that is not less."""
    lot = Decimal(trades.lot.mantissa).scaleb(-trades.lot.decimals)
    tick = Decimal(trades.tick.mantissa).scaleb(-trades.tick.decimals)
    unit = {"trades": Decimal(1), "volume": lot, "notional": tick * lot}[every.by]
    return int(-(-every.size // unit))


def _ends_note(ts_ns: Column) -> str:
    return (
        f"the first and the last bar hold what was traded from {time_text(ts_ns[0])} to {time_text(ts_ns[-1])}:"
        " they may not be whole"
    )


def bars_from_quotes(quotes: Quotes, every: str | Every) -> Bars:
    """Bars of time of the middle between bid and ask, on half of their tick, with the spread at the open.

    As for recorded bars of bid and ask, the high is the middle of the two highs, and so on.
    """
    from neural_trader.market.prices import mid_columns

    every = every if isinstance(every, Every) else Every.of(every)
    sides = sides_of_quotes(quotes, every)
    if quotes.tick.decimals == DECIMALS_MAX:
        raise DataError(f"{quotes.symbol}: half of the tick {quotes.tick} is too fine for a grid; give a coarser tick")
    half = Step(quotes.tick.mantissa * 5, quotes.tick.decimals + 1)
    mids, spread = mid_columns(sides["bid"][2:6], sides["ask"][2:6])
    notes = [_ends_note(quotes.ts_ns), f"made of {len(quotes)} quotes: the middle of bid and ask, on half their tick"]
    made = [*sides["bid"][:2], *mids]
    return replace(_bars(quotes, made, every, None, spread, notes), tick=half)


def sides_of_quotes(quotes: Quotes, every: Every) -> dict[str, list[Column]]:
    """Bars of the bid and of the ask: opens, closes, open, high, low, close, each as a column."""
    from neural_trader import _native

    if every.by != "time":
        raise UsageError(f"{every}: quotes are not traded, so that their bars are bars of time; write 1m or 1h")
    interval_ns = int(every.size)
    return {
        name: checked(_native.time_bars, quotes.ts_ns, column, None, interval_ns, _origin_ns(interval_ns))
        for name, column in (("bid", quotes.bid), ("ask", quotes.ask))
    }


def resample(bars: Bars, every: str | Every, *, partial: bool = False) -> Bars:
    """Bars joined into longer ones; a last one that the data does not reach the end of is there only if ``partial``."""
    from neural_trader import _native

    every = every if isinstance(every, Every) else Every.of(every)
    if every.by != "time":
        raise UsageError(f"{every}: bars are joined by time, such as 1h; other bars are made from trades")
    interval_ns = int(every.size)
    prices = (bars.open, bars.high, bars.low, bars.close)
    times = (bars.open_ns, bars.close_ns)
    try:
        made = checked(
            _native.resampled_bars, times, prices, bars.volume, interval_ns, _origin_ns(interval_ns), partial
        )
    except Fault as fault:
        raise DataError(
            f"{bars.symbol}: the bar opening {time_text(bars.open_ns[fault.row])} {MESSAGES[fault.code]}"
        ) from None
    if not len(made[0]):
        raise DataError(f"{bars.symbol}: {len(bars)} bars do not fill one of {every}; choose a shorter one")
    spread = None if bars.spread is None else bars.spread[made[7]]
    volume = None if bars.volume is None else made[6]
    joined = _bars(bars, made, every, volume, spread, [*bars.notes, f"joined from {len(bars)} bars"])
    return replace(joined, origin=bars.origin)


def _bars(
    source: Trades | Quotes | Bars,
    made: list[Column],
    every: Every,
    volume: Column | None,
    spread: Any,
    notes: list[str],
) -> Bars:
    for column in (*made, spread):
        if column is not None:
            column.flags.writeable = False
    open_ns, close_ns, opens, highs, lows, closes = made[:6]
    return Bars(
        source.symbol, source.tick, source.lot, open_ns, close_ns, opens, highs, lows, closes, volume, spread,
        origin="file", source=source.source, interval_ns=int(every.size) if every.by == "time" else 0,
        notes=tuple(notes),
    )  # fmt: skip
