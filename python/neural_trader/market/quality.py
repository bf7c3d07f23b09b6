"""What is odd about market data: found and told, never repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.market.bars import Bars
from neural_trader.market.prices import prices_of
from neural_trader.market.recognise_ticks import QUOTES, TRADES
from neural_trader.market.sources import BARS, read_shaped, sources_in
from neural_trader.market.ticks import Quotes, Trades
from neural_trader.market.times import instants, interval_text, time_text

if TYPE_CHECKING:
    import numpy as np

    from neural_trader.market.bars import Column
    from neural_trader.market.faults import Table

OUTLIER_DEVIATIONS = 20.0
"""A return is an outlier beyond this many robust standard deviations (1.4826 times the median absolute deviation)."""
TRADE_OUTLIER = 0.01
"""A trade is an outlier only if it moves the price by this much too: a tape moves by single ticks most of the time."""


@dataclass(frozen=True)
class Finding:
    """One kind of oddity in one series."""

    check: str
    problem: bool
    """Whether it is wrong in itself; gaps, outliers and idle bars may be what the market did."""
    rows: int
    first: str
    """Where the first one is."""
    treatment: str
    """What becomes of such rows."""

    def document(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Series:
    """Columns to look at, in the order in which they came."""

    name: str
    kind: str
    columns: dict[str, Column]
    place: Callable[[int], str]
    stored: bool


def series_of_item(name: str, item: Bars | Trades | Quotes) -> Series:
    """Bars, trades or quotes of a catalog or of memory."""
    if isinstance(item, Bars):
        columns = {"time": item.open_ns, "open": item.open, "high": item.high, "low": item.low, "close": item.close}
        columns |= {} if item.volume is None else {"volume": item.volume}
        kind = "bars"
    elif isinstance(item, Trades):
        columns = {"time": item.ts_ns, "price": item.price, "quantity": item.quantity}
        columns |= {} if item.trade_id is None else {"id": item.trade_id}
        kind = "trades"
    else:
        columns, kind = {"time": item.ts_ns, "bid": item.bid, "ask": item.ask}, "quotes"
    return Series(name, kind, columns, lambda row: f"{time_text(columns['time'][row])} (row {row})", stored=True)


def series_of_files(path: str | Path, kind: str) -> Iterator[Series]:
    """The rows of files as they stand there, whatever an import would say about them."""
    for source in sources_in(path):
        notes: list[str] = []
        if kind == "bars":
            table, roles = read_shaped(source, BARS, notes)
            time, unit = roles.time or roles.close_time, roles.time_unit if roles.time else roles.close_time_unit
            names = dict(zip(("open", "high", "low", "close"), roles.prices, strict=False))
            if roles.quoted:
                names = {f"{side} {name}": column for (side, name), column in zip(_SIDED, roles.prices, strict=True)}
            if roles.volume is not None:
                names["volume"] = roles.volume
            symbol = roles.symbol
        elif kind == "trades":
            table, trades = read_shaped(source, TRADES, notes)
            time, unit, symbol = trades.time, trades.time_unit, trades.symbol
            names = {"price": trades.price, "quantity": trades.quantity}
        else:
            table, quotes = read_shaped(source, QUOTES, notes)
            time, unit, symbol = quotes.time, quotes.time_unit, quotes.symbol
            names = {"bid": quotes.bid, "ask": quotes.ask}
        for name, part in _parts(table, symbol, source.stem):
            columns = {"time": instants(part, time or "", unit, notes).ns}
            columns |= {
                role: prices_of(part, [column], None, notes)[0][0]
                for role, column in names.items()
                if role not in _PAIRED
            }
            paired = {role: column for role, column in names.items() if role in _PAIRED}
            if paired:
                columns |= dict(zip(paired, prices_of(part, list(paired.values()), None, notes)[0], strict=True))
            yield Series(name, kind, columns, part.place, stored=False)


_SIDED = [(side, name) for side in ("bid", "ask") for name in ("open", "high", "low", "close")]
_PAIRED = {"open", "high", "low", "close", "bid", "ask"} | {f"{side} {name}" for side, name in _SIDED}
"""Columns that are compared with one another, and so need one grid."""


def _parts(table: Table, symbol: str | None, stem: str) -> list[tuple[str, Table]]:
    import polars as pl

    if symbol is None:
        return [(stem, table)]
    table.refuse_missing(symbol)
    names = table.frame[symbol].cast(pl.String).str.strip_chars()
    groups = names.alias("symbol").to_frame().with_row_index("row").group_by("symbol", maintain_order=True).agg("row")
    return [(name, table.only(rows)) for name, rows in zip(groups["symbol"], groups["row"], strict=True)]


def findings(series: Series) -> list[Finding]:
    """Everything that is odd, in a fixed order."""
    made = [*_time_line(series), *_prices(series)]
    if "volume" in series.columns:
        made.append(_finding(series, "zero volume", False, series.columns["volume"] == 0, _KEPT))
    return [finding for finding in made if finding is not None]


_KEPT = "kept as they are"
_REFUSED = "an import refuses the file"


def _finding(
    series: Series, check: str, problem: bool, marks: np.ndarray[Any, Any], treatment: str, more: str = ""
) -> Finding | None:
    count = int(marks.sum())
    if not count:
        return None
    treatment = "cannot arise from an import: the file was changed" if problem and series.stored else treatment
    return Finding(check, problem, count, series.place(int(marks.argmax())) + more, treatment)


def _time_line(series: Series) -> list[Finding | None]:
    import numpy as np

    times = series.columns["time"]
    steps = np.diff(times, prepend=times[:1])
    steps[:1] = 1
    found = [_finding(series, "out of order", True, steps < 0, _REFUSED + ", or sorts it with --sort")]
    if "id" in series.columns:
        ids = np.sort(series.columns["id"])
        found.append(_finding(series, "duplicate ids", True, np.diff(ids, prepend=ids[:1] - 1) == 0, _REFUSED))
    if series.kind != "bars":
        return found
    found.append(_finding(series, "duplicates", True, steps == 0, _REFUSED))
    rising = steps[1:][steps[1:] > 0]
    if len(rising):
        values, counts = np.unique(rising, return_counts=True)
        usual = int(values[counts.argmax()])
        gaps = steps > usual
        gaps[:1] = False
        widest = f"; {int((steps[gaps] // usual - 1).sum())} bars missing, widest {interval_text(int(steps.max()))}"
        found.append(_finding(series, "gaps", False, gaps, _KEPT + ": the engine waits for the next bar", widest))
    return found


def _prices(series: Series) -> list[Finding | None]:
    columns = series.columns
    if series.kind == "quotes":
        crossed = columns["bid"] > columns["ask"]
        found = _finding(series, "crossed quotes", True, crossed, _KEPT)
        if found is not None:
            # A feed may send them; they are kept, and whoever uses them is told.
            found = Finding(found.check, True, found.rows, found.first, _KEPT)
        return [found, _finding(series, "locked quotes", False, columns["bid"] == columns["ask"], _KEPT)]
    if series.kind == "trades":
        return [
            _finding(series, "price not positive", True, columns["price"] <= 0, _REFUSED),
            _finding(series, "zero quantity", False, columns["quantity"] == 0, _KEPT),
            _outliers(series, columns["price"], TRADE_OUTLIER),
        ]
    found_all: list[Finding | None] = []
    sided = "bid open" in columns
    for side in ("bid ", "ask ") if sided else ("",):
        opened, high, low, close = (columns[f"{side}{name}"] for name in ("open", "high", "low", "close"))
        wrong = (high < low) | (opened > high) | (opened < low) | (close > high) | (close < low)
        found_all += [
            _finding(series, f"{side}prices that contradict", True, wrong, _REFUSED),
            _finding(series, f"{side}price not positive", True, low <= 0, _REFUSED),
            _outliers(series, close),
        ]
    if sided:
        found_all.append(_finding(series, "crossed quotes", True, columns["bid open"] > columns["ask open"], _REFUSED))
    return found_all


def _outliers(series: Series, price: Column, least: float = 0.0) -> Finding | None:
    """Returns far beyond their robust standard deviation."""
    import numpy as np

    if len(price) < 10 or bool((price <= 0).any()):
        return None
    returns = np.diff(np.log(price), prepend=np.log(price[:1]))
    moved = np.abs(returns[returns != 0])
    if len(moved) < 10:
        return None
    limit = max(OUTLIER_DEVIATIONS * 1.4826 * float(np.median(moved)), least)
    return _finding(series, "outliers", False, np.abs(returns) > limit, _KEPT, f"; a change beyond {limit:.2%}")
