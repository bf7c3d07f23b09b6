"""Bars and trades of a venue into the catalog, page by page, going on where an earlier download ended."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from neural_trader.errors import DataError
from neural_trader.market.bars import DECIMALS_MAX, Bars, Step
from neural_trader.market.catalog import Catalog, Key, Origin
from neural_trader.market.catalog.manifest import common_step
from neural_trader.market.downloaded import Stretches
from neural_trader.market.ticks import Trades
from neural_trader.market.times import interval_ns_of, time_text
from neural_trader.market.venue_history import Bar, History, Market, Print

if TYPE_CHECKING:
    from neural_trader.market.bars import Column

MS_NS = 1_000_000
_HOUR_MS = 3_600_000
_BATCH_ROWS = 20_000
_BATCH_S = 5.0
"""Rows are stored when there are this many, or after this long: storing one page at a time rewrites files too often."""
_FULL_PAGE = 1000


@dataclass
class Download:
    """What a download came to; it is kept up to date while it goes on, so that an interrupted one can be told too."""

    key: Key
    tick: Step
    lot: Step
    resumed_ms: int | None = None
    """Where it went on, if an earlier download had begun it."""
    pages: int = 0
    rows: int = 0
    """Finished bars, or trades, that the venue gave."""
    new: int = 0
    notes: list[str] = field(default_factory=list)


def download(
    history: History,
    market: Market,
    catalog: Catalog,
    since_ns: int,
    until_ns: int | None = None,
    interval: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Download:
    """Stores bars of an interval, or trades where there is none, that begin at or after one time and before another.

    Whatever ends it, an interruption too, what has arrived is stored first.
    """
    pages = _Pages(history, market, catalog, interval)
    since_ms = -(-since_ns // MS_NS)
    end_ms = pages.end_ms(until_ns)
    if since_ms >= end_ms:
        raise DataError(f"{pages.made.key}: nothing has ended since {time_text(since_ns)}; choose an earlier time")
    cursor = pages.begin(since_ms)
    try:
        while cursor < end_ms:
            if progress:
                progress((cursor - since_ms) / (end_ms - since_ms))
            cursor = pages.next(cursor, end_ms)
    finally:
        pages.store()
    return pages.made


class _Pages:
    """One download under way: rows that wait to be stored, and up to when everything has been asked for."""

    def __init__(self, history: History, market: Market, catalog: Catalog, interval: str | None) -> None:
        self._history, self._market, self._catalog, self._interval = history, market, catalog, interval
        self._interval_ms = interval_ns_of(interval) // MS_NS if interval else 0
        key = Key(history.name, market.name, "bars" if interval else "trades", interval or "")
        self.made = Download(key, _step(market.tick), _step(market.lot))
        self._stretches = Stretches.of(catalog, key)
        self._bars: dict[int, Bar] = {}
        self._prints: list[Print] = []
        self._first_ms = self._reached_ms = 0
        self._stored_s = time.monotonic()

    def end_ms(self, until_ns: int | None) -> int:
        """Up to when something may begin: what has not ended by the venue's clock is not asked for."""
        finished = self._history.now_ms() - (self._interval_ms - 1 if self._interval else 0)
        return finished if until_ns is None else min(-(-until_ns // MS_NS), finished)

    def begin(self, since_ms: int) -> int:
        cursor = self._stretches.after(since_ms)
        if cursor > since_ms:
            self.made.resumed_ms = cursor
        self._first_ms = self._reached_ms = cursor
        return cursor

    def next(self, cursor: int, end_ms: int) -> int:
        """Takes the page at a time; the time of the next one."""
        reached = self._next_bars(cursor, end_ms) if self._interval else self._next_trades(cursor, end_ms)
        self.made.pages += 1
        # Every stretch that an earlier download has covered is passed over, not only the first.
        cursor = self._reached_ms = self._stretches.after(min(reached, end_ms))
        if len(self._bars) + len(self._prints) >= _BATCH_ROWS or time.monotonic() - self._stored_s > _BATCH_S:
            self.store()
        return cursor

    def _next_bars(self, cursor: int, end_ms: int) -> int:
        page = [bar for bar in self._history.bars(self._market, self._interval or "", cursor) if bar.open_ms >= cursor]
        if not page:
            return cursor + self._history.bars_per_page * self._interval_ms
        for bar in page:
            if bar.open_ms < end_ms and self._bars.setdefault(bar.open_ms, bar) != bar:
                raise DataError(f"{self.made.key}: two different bars open at {_time(bar.open_ms)}; ask again later")
        return max(bar.open_ms for bar in page) + self._interval_ms

    def _next_trades(self, cursor: int, end_ms: int) -> int:
        page = [trade for trade in self._history.trades(self._market, cursor) if trade.ts_ms >= cursor]
        if not page:
            # Some venues answer for an hour at most, so that nothing in it does not mean nothing after it.
            return cursor + _HOUR_MS
        last = max(trade.ts_ms for trade in page)
        if last == cursor and len(page) >= _FULL_PAGE:
            raise DataError(
                f"{self.made.key}: the trades of {_time(cursor)} do not fit a page of {len(page)};"
                " begin after it, and know that they are missing"
            )
        # The last millisecond may go on in the next page, which begins with all of it.
        whole = last if last > cursor else last + 1
        wanted = [trade for trade in page if trade.ts_ms < min(whole, end_ms)]
        # Without an id, two trades that look the same are two trades.
        self._prints += dict.fromkeys(wanted) if all(trade.trade_id for trade in wanted) else wanted
        return whole

    def store(self) -> None:
        """Stores what waits, then notes the stretch that it covers."""
        if self._bars or self._prints:
            item = self._bars_of(sorted(self._bars.values())) if self._bars else self._trades_of(self._prints)
            name = f"{self.made.key.venue} {self._market.unified} through ccxt"
            origin = Origin(name, hashlib.sha256(name.encode()).hexdigest(), 0)
            done = self._catalog.append(item, self.made.key.venue, origin, self._interval)
            self.made.rows += done.rows
            self.made.new += done.new
            self._bars, self._prints = {}, []
        if self._reached_ms > self._first_ms:
            self._stretches.add(self._first_ms, self._reached_ms)
        self._stored_s = time.monotonic()

    def _bars_of(self, bars: list[Bar]) -> Bars:
        import numpy as np

        volumes = [bar.volume for bar in bars if bar.volume is not None]
        if volumes and len(volumes) != len(bars):
            raise DataError(f"{self.made.key}: only some bars have a volume; ask for another interval")
        self._refine([cell for bar in bars for cell in (bar.open, bar.high, bar.low, bar.close)], volumes)
        tick = self.made.tick
        opens, highs = self._counts([b.open for b in bars], tick), self._counts([b.high for b in bars], tick)
        lows, closes = self._counts([b.low for b in bars], tick), self._counts([b.close for b in bars], tick)
        wrong = (highs < np.maximum(opens, closes)) | (lows > np.minimum(opens, closes)) | (lows <= 0)
        if wrong.any():
            bar = bars[int(wrong.argmax())]
            cells = f"{bar.open} {bar.high} {bar.low} {bar.close}"
            raise DataError(f"{self.made.key}: no market makes the bar {cells} of {_time(bar.open_ms)}; leave it out")
        open_ns = np.array([bar.open_ms for bar in bars], np.int64) * MS_NS
        length_ns = self._interval_ms * MS_NS
        return Bars(
            self._market.name, tick, self.made.lot, open_ns, open_ns + length_ns, opens, highs, lows, closes,
            volume=self._counts(volumes, self.made.lot) if volumes else None, interval_ns=length_ns,
        )  # fmt: skip

    def _trades_of(self, prints: list[Print]) -> Trades:
        import numpy as np

        numbered = all((trade.trade_id or "").isdigit() for trade in prints)
        if numbered:
            prints = sorted(prints, key=lambda trade: (trade.ts_ms, int(trade.trade_id or 0)))
        else:
            prints = sorted(prints, key=lambda trade: trade.ts_ms)
        texts = [trade.price for trade in prints], [trade.quantity for trade in prints]
        self._refine(*texts)
        ids = np.array([int(trade.trade_id or 0) for trade in prints], np.int64) if numbered else None
        return Trades(
            self._market.name, self.made.tick, self.made.lot,
            np.array([trade.ts_ms for trade in prints], np.int64) * MS_NS,
            self._counts(texts[0], self.made.tick), self._counts(texts[1], self.made.lot),
            np.array([trade.side for trade in prints], np.int8), ids,
        )  # fmt: skip

    def _refine(self, prices: Sequence[str], quantities: Sequence[str]) -> None:
        """Makes the grid fine enough: what was traded before a venue made a step coarser lies between its steps."""
        made = self.made
        for what, texts in (("tick", prices), ("lot", quantities)):
            stated: Step = getattr(made, what)
            needed = _refined(stated, texts, f"{made.key}, {what}")
            if needed != stated:
                setattr(made, what, needed)
                if getattr(self._market, what) is not None:
                    made.notes.append(f"{what} {needed} instead of {stated}, because values lie between its steps")

    def _counts(self, texts: Sequence[str], step: Step) -> Column:
        import numpy as np

        return np.array([int(Decimal(text).scaleb(step.decimals)) // step.mantissa for text in texts], np.int64)


def _step(stated: str | None) -> Step:
    """The step of the venue; where it states none, one that the values refine."""
    try:
        return Step(1, 0) if stated is None else Step.of(stated)
    except DataError:
        return Step(1, DECIMALS_MAX)


def _refined(step: Step, texts: Sequence[str], what: str) -> Step:
    decimals = step.decimals
    between = False
    for text in texts:
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise DataError(f"{what}: the venue gave {text!r}, which is no number") from None
        if not value.is_finite():
            raise DataError(f"{what}: the venue gave {text!r}, which is no finite number")
        decimals = max(decimals, -int(value.normalize().as_tuple().exponent))
        between = between or bool(value.scaleb(step.decimals) % step.mantissa)
    if decimals > DECIMALS_MAX:
        raise DataError(f"{what}: a value has {decimals} decimals; the most that are kept exactly are {DECIMALS_MAX}")
    return common_step(step, Step(1, decimals)) if between else step


@dataclass(frozen=True)
class Missing:
    """What a window of a dataset lacks: bars that nobody served, or ids of trades that were passed over."""

    stretches: int
    items: int
    widest: str


def missing(catalog: Catalog, key: Key, since_ns: int, end_ns: int) -> Missing:
    """The gaps of a window; nothing fills them. Trades without numbers show none."""
    import polars as pl

    name, interval_ns = ("open_time", interval_ns_of(key.every)) if key.kind == "bars" else ("trade_id", 1)
    time = pl.col("open_time" if key.kind == "bars" else "ts_event").dt.epoch("ns")
    window = catalog.dataset(key).scan().filter(time >= since_ns, time < end_ns)
    places = window.select(pl.col(name).to_physical()).collect().to_series().drop_nulls().unique().sort()
    if key.kind == "bars":
        first = -(-since_ns // interval_ns) * interval_ns - interval_ns
        places = pl.concat([pl.Series(name, [first], dtype=pl.Int64), places])
    steps = places.diff().drop_nulls() // interval_ns - 1
    holes = steps.filter(steps > 0)
    if holes.is_empty():
        return Missing(0, 0, "")
    at = steps.arg_max() or 0
    before, after = int(places[at]), int(places[at + 1])
    if key.kind == "bars":
        widest = f"{time_text(before + interval_ns)} to {time_text(after)}"
    else:
        widest = f"{before + 1} to {after - 1}"
    return Missing(len(holes), int(holes.sum()), widest)


def _time(ms: int) -> str:
    return time_text(ms * MS_NS)
