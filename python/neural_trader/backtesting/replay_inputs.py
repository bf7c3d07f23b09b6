"""What a replay plays: recordings of any venues, and bars, with their instruments under names of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting.inputs import gather_bars
from neural_trader.errors import DataError, UsageError
from neural_trader.market.bars import Bars
from neural_trader.market.catalog.references import is_reference
from neural_trader.market.consistency import refuse_inconsistent
from neural_trader.market.record_files import recordings_of
from neural_trader.market.recordings import Listed, Recording, depth_of, span_of, trades_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neural_trader.market.recordings import Counts

PerSymbol = str | dict[str, str]
"""A word for all instruments, or one for each by its symbol."""


OF_BARS = (".csv", ".csv.gz", ".parquet", ".feather", ".arrow")
"""How the names of files of bars end."""


@dataclass(frozen=True, eq=False)
class ReplayInputs:
    """The sources of a replay in their order, and its instruments by symbol."""

    recordings: tuple[Recording, ...]
    """In the order of their first symbols, then of their beginnings, in whatever order they were given."""
    listed: tuple[Listed, ...]
    ranks: tuple[tuple[int, ...], ...]
    """For each recording, the rank of each of its instruments, or -1 for those that are not played."""
    bars: tuple[Bars, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.recordings))

    @property
    def recipe(self) -> dict[str, Any]:
        """What makes the records again: that of the lone recording, or those of all of them."""
        if len(self.recordings) == 1 and not self.bars:
            return dict(self.recordings[0].recipe)
        files = dict.fromkeys(each.source for each in self.bars if each.origin == "file")
        recipes = [*(each.recipe for each in self.recordings), *({"bars": source} for source in files)]
        return {"recordings": [dict(each) for each in recipes]}

    def recordings_of(self, rank: int) -> list[Recording]:
        """The recording of an instrument, and those in which it goes on."""
        return [each for each, ranks in zip(self.recordings, self.ranks, strict=True) if rank in ranks]

    @property
    def ranked_bars(self) -> list[tuple[int, Bars]]:
        """The instruments of bars by their ranks."""
        symbols = [each.symbol for each in self.listed]
        return sorted(((symbols.index(each.symbol), each) for each in self.bars), key=lambda pair: pair[0])

    def series(self, rank: int) -> Bars | None:
        """The bars of an instrument, if it has any."""
        return dict(self.ranked_bars).get(rank)

    def kinds(self) -> Counts:
        """How many records of each kind there are in all recordings."""
        return _sum(self.recordings)

    def common_kinds(self) -> Counts:
        """The same of those kinds that each recording has."""
        counts = [each.kinds() for each in self.recordings]
        return {name: count for name, count in self.kinds().items() if all(each.get(name) for each in counts)}

    def depth(self) -> PerSymbol:
        """Which records make the book of each instrument."""
        return self._of_each(depth_of)

    def trades(self) -> PerSymbol:
        """Which records tell the trades of each instrument."""
        return self._of_each(trades_of)

    def _of_each(self, choose: Callable[[Counts], str]) -> PerSymbol:
        of_bars = {each.symbol for each in self.bars}
        books = [(k, each.symbol) for k, each in enumerate(self.listed) if each.symbol not in of_bars]
        found = {symbol: choose(_sum(self.recordings_of(k))) for k, symbol in books}
        words = set(found.values())
        if len(words) == 1 and not of_bars:
            return words.pop()
        return found | dict.fromkeys(sorted(of_bars), "bars")


def _sum(recordings: Sequence[Recording]) -> Counts:
    counts = [each.kinds() for each in recordings]
    return {name: sum(each.get(name, 0) for each in counts) for each in counts for name in each}


def inputs_of(data: Any, venue: str | None, symbols: Sequence[str] | None) -> ReplayInputs:
    """What is to be played, from recordings, files or references, one or several of them.

    UsageError for anything else; DataError where recordings do not fit together, or lack a symbol.
    """
    items = data if isinstance(data, list | tuple) else [data]
    wrong = [each for each in items if not isinstance(each, str | Path | Recording | Bars)]
    if wrong or not items:
        what = type(wrong[0] if wrong else data).__name__
        raise UsageError(f"a replay plays a Recording, or the files of a session, not {what}")
    bars = [each for each in items if isinstance(each, Bars)]
    recordings = [each for each in items if isinstance(each, Recording)]
    files = []
    for item in items:
        if isinstance(item, str | Path) and is_of_bars(str(item)):
            bars += [each.whole() for each in gather_bars(item, seed=0)]
        elif isinstance(item, str | Path):
            files.append(item)
    return joined(recordings + (recordings_of(files, venue) if files else []), symbols, bars)


def is_of_bars(name: str) -> bool:
    """Whether a file, or what a reference names, holds bars rather than records."""
    if is_reference(name):
        return name.rpartition("/")[2].startswith("bars")
    return name.lower().endswith(OF_BARS)


def joined(
    recordings: Sequence[Recording], symbols: Sequence[str] | None = None, bars: Sequence[Bars] = ()
) -> ReplayInputs:
    """Recordings and bars on one time line; a symbol of several venues is called ``SYMBOL@VENUE``.

    An instrument may go on in another recording of its venue that begins when the first has ended. Bars of a symbol
    that is also recorded are called ``SYMBOL@bars``.
    """
    if not recordings:
        raise UsageError("a replay has records; bars alone are what `backtest` plays")
    named = [_named(each, recordings) for each in recordings]
    order = sorted(range(len(named)), key=lambda at: (min(_symbols(named[at])).encode(), span_of(named[at])))
    named = [named[at] for at in order]
    recorded = {one.symbol for each in recordings for one in each.instruments}
    bars = [replace(each, symbol=f"{each.symbol}@bars") if each.symbol in recorded else each for each in bars]
    known = {one.symbol: one for each in named for one in each.instruments}
    for each in bars:
        if known.setdefault(each.symbol, of_bars := Listed(each.symbol, each.tick, each.lot)) is not of_bars:
            raise DataError(f"{each.symbol} is there twice as bars; keep one")
        refuse_inconsistent(each)
    chosen = list(symbols) if symbols else list(known)
    for symbol in chosen:
        if symbol not in known:
            where = named[0].source if len(named) == 1 else "the recordings"
            raise DataError(f"{where or 'data'}: no symbol {symbol!r} here (found: {', '.join(known)})")
    # One of which nothing is played would still move the end of the run.
    named = [each for each in named if not set(chosen).isdisjoint(_symbols(each))]
    for one, other in combinations(named, 2):
        _check_pair(one, other)
    listed = tuple(sorted({known[symbol] for symbol in chosen}, key=lambda each: each.symbol.encode()))
    rank = {each.symbol: at for at, each in enumerate(listed)}
    ranks = tuple(tuple(rank.get(each, -1) for each in _symbols(recording)) for recording in named)
    played = tuple(each for each in bars if each.symbol in rank)
    return ReplayInputs(tuple(named), listed, ranks, played, _apart(named))


def _symbols(recording: Recording) -> list[str]:
    return [each.symbol for each in recording.instruments]


def _named(recording: Recording, recordings: Sequence[Recording]) -> Recording:
    """The recording, with its venue in the symbols that other venues have, too."""

    def named(one: Listed) -> Listed:
        venues = {each.venue for each in recordings if one.symbol in _symbols(each)}
        if len(venues) == 1:
            return one
        if None in venues:
            raise DataError(
                f"{one.symbol} is in several recordings, and not each names its venue; say whose each is: FILE@VENUE"
            )
        return one._replace(symbol=f"{one.symbol}@{recording.venue}")

    return replace(recording, instruments=tuple(map(named, recording.instruments)))


def _check_pair(one: Recording, other: Recording) -> None:
    grids = {each.symbol: each for each in one.instruments}
    shared = next((each for each in other.instruments if each.symbol in grids), None)
    if shared is None:
        return
    where = f"{shared.symbol} is in {one.source or 'one recording'} and in {other.source or 'another'}"
    if grids[shared.symbol] != shared:
        raise DataError(f"{where}, on different grids; play one of them, or say whose each is: FILE@VENUE")
    (_, end), (begin, _) = span_of(one), span_of(other)
    if begin < end:
        raise DataError(f"{where}, which overlap in time; play one of them, or say whose each is: FILE@VENUE")


def _apart(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """A word where there is no time at which all instruments are recorded."""
    spans: dict[str, tuple[int, int]] = {}
    for each in recordings:
        begin, end = span_of(each)
        for symbol in _symbols(each):
            known = spans.get(symbol, (begin, end))
            spans[symbol] = min(known[0], begin), max(known[1], end)
    last, first = max(spans, key=lambda symbol: spans[symbol][0]), min(spans, key=lambda symbol: spans[symbol][1])
    if spans[last][0] <= spans[first][1]:
        return ()
    return (f"{last} was recorded only after {first} had ended: there is no time at which both can be seen.",)


def words_of(per_symbol: PerSymbol | Mapping[str, str], listed: Sequence[Listed], other: str) -> str | list[str]:
    """The same as the engine takes it: by rank where instruments differ, with ``other`` for those of bars."""
    if isinstance(per_symbol, str):
        return per_symbol
    # What stands for bars is nothing that makes a book.
    return [other if (word := per_symbol[each.symbol]) == "bars" else word for each in listed]
