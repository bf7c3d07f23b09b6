"""Which column is which: names of columns become roles, or an error that lists what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neural_trader.errors import DataError

PRICES = ("open", "high", "low", "close")
_SHORT = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "vol": "volume", "px": "price"}
TIME_NAMES = (
    "open_time", "time_open", "bar_open", "start_time", "timestamp", "datetime", "date_time", "ts_event", "ts", "unix",
    "epoch", "unix_timestamp", "time", "date", "gmt_time", "utc", "utc_time", "local_time", "start", "begin", "t", "dt",
    "index", "index_level_0", "unnamed_0", "column_1", "",
)  # fmt: skip
"""Names of the column of times, the most telling first; a column without a name is a data frame's index."""
_CLOSETIME_NAMES = ("close_time", "time_close", "bar_close", "end_time")
_SYMBOL_NAMES = ("symbol", "ticker", "instrument", "pair", "asset", "security", "tic", "sym")
_UNITS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms",
    "us": "us", "usec": "us", "micros": "us", "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanoseconds": "ns",
}  # fmt: skip
# A column with one of these words is about a price or a volume without being it.
_OTHER = frozenset({
    "adj", "adjusted", "interest", "time", "date", "timestamp", "change", "pct", "percent", "return", "returns", "ret",
    "log", "prev", "previous", "quote", "taker", "maker", "buy", "sell", "tick", "ticks", "tickvol", "count", "trades",
    "turnover", "avg", "mean", "vwap", "wap", "ma", "sma", "ema", "signal",
})  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """The column of each role, by its name in the source."""

    time: str | None
    time_unit: str | None
    time_of_day: str | None
    close_time: str | None
    close_time_unit: str | None
    prices: tuple[str, ...]
    """Open, high, low, close; or the four of the bid followed by the four of the ask."""
    volume: str | None
    symbol: str | None
    spread_ticks: str | None
    tick_size: str | None
    lot_size: str | None
    origin: str | None
    """What made the bars, in files of synthetic ones."""
    ignored: tuple[str, ...]

    @property
    def quoted(self) -> bool:
        """Whether the prices are of bid and ask."""
        return len(self.prices) == 8

    @property
    def used(self) -> list[str]:
        """The columns that are read, each once, in no special order."""
        named = [self.time, self.time_of_day, self.close_time, *self.prices, self.volume, self.symbol]
        named += [self.spread_ticks, self.tick_size, self.lot_size, self.origin]
        return list(dict.fromkeys(name for name in named if name is not None))

    def roles(self) -> dict[str, str]:
        """Role by role, the column taken for it."""
        sides = [f"{side} {price}" for side in ("bid", "ask") for price in PRICES] if self.quoted else list(PRICES)
        named: list[tuple[str, str | None]] = [("time", self.time), ("time of day", self.time_of_day)]
        named += [("close time", self.close_time), *zip(sides, self.prices, strict=True), ("volume", self.volume)]
        named += [("symbol", self.symbol), ("spread in ticks", self.spread_ticks)]
        named += [("tick", self.tick_size), ("lot", self.lot_size), ("origin", self.origin)]
        return {role: name for role, name in named if name is not None}


def words_of(name: str) -> list[str]:
    """The words of a column's name: ``<OPEN>``, ``1. open`` and ``openPrice`` become open; open; open and price."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name.strip().strip("<>"))
    words = [word for word in re.split(r"[\W_]+", spaced.lower()) if word]
    if len(words) > 1 and words[0].isdigit():
        words = words[1:]
    return words


class Names:
    """The names of a source's columns, split into words once."""

    def __init__(self, names: Sequence[str], source: str) -> None:
        self.names = list(names)
        self.source = source
        self.words = {name: words_of(name) for name in names}

    def error(self, what: str, remedy: str) -> DataError:
        found = ", ".join(repr(name) for name in self.names) or "none"
        return DataError(f"{self.source}: {what} (columns found: {found}); {remedy}")

    def only(self, role: str, test: Callable[[list[str]], bool]) -> str | None:
        """The one column that passes, or None; two are ambiguous."""
        found = [name for name in self.names if test(self.words[name])]
        if len(found) > 1:
            which = " and ".join(repr(name) for name in found)
            raise self.error(
                f"{which} could each be the {role}", f"rename one of them to {role!r} or remove the others"
            )
        return found[0] if found else None

    def named(self, role: str, names: Sequence[str]) -> str | None:
        """The column with the first of these names that occurs."""
        for wanted in names:
            found = self.only(role, lambda words, wanted=wanted: "_".join(words) == wanted)  # type: ignore[misc]
            if found is not None:
                return found
        return None

    def timed(self, role: str, names: Sequence[str]) -> tuple[str | None, str | None]:
        """The column of times with one of these names, which may end with a unit, and that unit."""
        for wanted in names:
            for name in self.names:
                words = self.words[name]
                if "_".join(words) == wanted:
                    return name, None
                if len(words) > 1 and words[-1] in _UNITS and "_".join(words[:-1]) == wanted:
                    return name, _UNITS[words[-1]]
        return None, None

    def price(self, role: str, side: str | None = None) -> str | None:
        """The column of a price: the bare name, else with 'price', else the only one that has the word."""

        def full(words: list[str]) -> list[str]:
            return [_SHORT.get(word, word) for word in words] if len(words) == 1 else words

        wanted = {role} if side is None else {role, side}
        for extra in (set(), {"price"}):
            found = self.only(role, lambda words, extra=extra: set(full(words)) == wanted | extra)  # type: ignore[misc]
            if found is not None:
                return found
        others = ({"bid", "ask", "volume", "vol"} | set(PRICES)) - wanted
        return self.only(role, lambda words: wanted <= set(words) and not set(words) & (others | _OTHER))


def _volume(names: Names, symbol_hint: str) -> str | None:
    exact = names.named("volume", ("volume", "v", "vol", "base_volume", "volume_base", "base_asset_volume"))
    if exact is not None:
        return exact
    found = [
        name for name, words in names.words.items()
        if {"volume", "vol"} & set(words) and not set(words) & (_OTHER | {"bid", "ask"})
    ]  # fmt: skip
    if len(found) > 1:
        # 'Volume BTC' and 'Volume USDT' of BTCUSDT: the instrument begins with the currency that is bought.
        hint = re.sub(r"\W", "", symbol_hint).lower()
        base = [name for name in found if any(len(w) > 1 and hint.startswith(w) for w in names.words[name])]
        if len(base) != 1:
            which = " and ".join(repr(name) for name in found)
            raise names.error(f"{which} could each be the volume", "rename one of them to 'volume'")
        return base[0]
    return found[0] if found else None


def _prices(names: Names) -> tuple[str, ...]:
    plain = tuple(names.named(role, (role, role[0])) for role in PRICES)
    if not all(plain):
        sides = tuple(names.price(role, side) for side in ("bid", "ask") for role in PRICES)
        if all(sides):
            return tuple(name for name in sides if name is not None)
        plain = tuple(names.price(role) for role in PRICES)
    if missing := [role for role, name in zip(PRICES, plain, strict=True) if name is None]:
        raise names.error(
            f"no column for {', '.join(missing)}", "rename the columns to time, open, high, low, close, volume"
        )
    return tuple(name for name in plain if name is not None)


def recognise(
    columns: Sequence[str], source: str, is_time_of_day: Callable[[str], bool], symbol_hint: str = ""
) -> Columns:
    """The roles of columns; ``is_time_of_day`` tells columns such as 09:30 from whole times."""
    duplicated = [
        name for name in columns if (match := re.fullmatch(r"(.*)_duplicated_\d+", name)) and match[1] in columns
    ]
    names = Names([name for name in columns if name not in duplicated], source)
    prices = _prices(names)
    time, unit = names.timed("time", TIME_NAMES)
    time_of_day = None
    if time is not None and is_time_of_day(time):
        time_of_day = time
        time, unit = names.timed("date", ("date", "day", "trade_date", "trading_date"))
        if time is None:
            raise names.error(f"{time_of_day!r} has times of day without a date", "add a column 'date'")
    elif time is not None and "_".join(names.words[time]) == "date":
        time_of_day = next((name for name in ("time", "Time", "TIME", "<TIME>") if name in names.names), None)
        time_of_day = time_of_day if time_of_day and is_time_of_day(time_of_day) else None
    close_time, close_unit = names.timed("close time", _CLOSETIME_NAMES)
    if time is None and close_time is None:
        raise names.error("no column of times", "rename it to 'time', 'date' or 'timestamp'")
    exact = {role: names.named(role, (role,)) for role in ("spread_ticks", "tick_size", "lot_size", "origin")}
    found = Columns(
        time, unit, time_of_day, close_time, close_unit, prices, _volume(names, symbol_hint),
        names.named("symbol", _SYMBOL_NAMES), exact["spread_ticks"], exact["tick_size"], exact["lot_size"],
        exact["origin"], (),
    )  # fmt: skip
    twice = [name for name in duplicated if name.rsplit("_duplicated_", 1)[0] in found.used and name[0] != "_"]
    if twice:
        raise names.error(f"column {twice[0].rsplit('_duplicated_', 1)[0]!r} occurs twice", "remove one of the two")
    ignored = tuple(name for name in columns if name not in found.used)
    return Columns(**{**found.__dict__, "ignored": ignored})
