"""Reading recorded sessions of venues: raw messages in a file become records and the faults that were found."""

from __future__ import annotations

import gzip
import heapq
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from neural_trader._native import VenueFeed
from neural_trader.errors import DataError
from neural_trader.market.events import EVENT, KIND
from neural_trader.market.torn_gzip import TornGzip
from neural_trader.market.venue_instruments import VenueInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 22
PRICED = ("trade", "aggregate_trade", "level", "snapshot_level", "quote", "ticker")
BARS = ("bar_open", "bar_high", "bar_low", "bar_close")
COARSER = (8, 7, 6, 5, 4, 3, 2, 1, 0)
"""Decimals on which a capture without described instruments is read first, finest first."""


@dataclass(frozen=True)
class MessageFault:
    """A message that could not be read: what is wrong with it at which byte, and how it begins."""

    code: str
    offset: int
    message: int
    ts_recv_ns: int
    first_bytes: bytes


@dataclass(frozen=True)
class Capture:
    """A recorded session, decoded."""

    venue: str
    events: NDArray[Any]
    """Records with the dtype ``EVENT``, in the order in which they were received."""
    instruments: tuple[VenueInstrument, ...]
    """Instruments by their number in the records."""
    faults: tuple[MessageFault, ...]
    tally: dict[str, int]
    inferred: bool
    """Whether the grids were taken from the data because nobody described the instruments."""
    torn: tuple[Path, ...] = ()
    """Files that were cut off, as by a crash, and read up to there."""

    def of_kind(self, *names: str) -> NDArray[Any]:
        """The records of these kinds."""
        kinds = np.array([KIND[name] for name in names], dtype=np.uint8)
        return self.events[np.isin(self.events["kind"], kinds)]

    def count(self, *names: str) -> int:
        """How many records of these kinds there are."""
        return len(self.of_kind(*names))


def feed_for(venue: str, instruments: Iterable[VenueInstrument], **settings: Any) -> VenueFeed:
    """A feed whose records count ticks and the decimals of each instrument's quantities."""
    grids = [(one.symbol, (one.tick, one.data_lot, one.price_decimals, one.quantity_decimals)) for one in instruments]
    try:
        return VenueFeed(venue, grids, **settings)
    except ValueError as error:
        raise DataError(str(error)) from None


class CaptureReader:
    """A recorded session, decoded block by block: however long it is, no more than a block of it is in memory.

    A capture has lines ``recv_ns message`` or ``seconds: message``, or is one document of a snapshot and its updates;
    compressed with gzip or not. Several files are merged by receive time.

    Without instruments, every symbol gets the coarsest decimal grid that holds all of its numbers, which takes a pass
    of its own. ``settings`` are those of the feed: ``depth``, ``silence_ns``, ``book_silence_ns``, ...
    """

    def __init__(
        self,
        path: str | Path | Sequence[str | Path],
        venue: str,
        instruments: Iterable[VenueInstrument] | None = None,
        **settings: Any,
    ) -> None:
        self.paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
        self.venue = venue
        self.torn: dict[Path, int] = {}
        """Files that were cut off, as by a crash, and how many bytes of text were read of each."""
        self.inferred = instruments is None
        known = tuple(instruments) if instruments is not None else infer_instruments(self.paths, venue)
        self._described = {one.symbol: one for one in known}
        self._feed = feed_for(venue, known, **settings)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """The records with the dtype ``EVENT``, block by block, once."""
        for piece in _fed(self._feed, self.paths, self.torn):
            if piece:
                yield np.frombuffer(piece, EVENT)

    @property
    def instruments(self) -> tuple[VenueInstrument, ...]:
        """Instruments by their number in the records so far."""
        numbered = self._feed.instruments
        return tuple(self._described.get(symbol) or _undescribed(symbol, grid) for symbol, grid in numbered)

    @property
    def tally(self) -> dict[str, int]:
        """What has been seen so far: messages, and how many of them were malformed, repeated, ..."""
        return self._feed.tally

    def take_faults(self) -> tuple[MessageFault, ...]:
        """The malformed messages since the last call, ten thousand at most; the tally counts all."""
        return tuple(MessageFault(*fault) for fault in self._feed.faults())


def read_capture(
    path: str | Path | Sequence[str | Path],
    venue: str,
    instruments: Iterable[VenueInstrument] | None = None,
    **settings: Any,
) -> Capture:
    """All records of a capture at once, with the arguments of :class:`CaptureReader`."""
    reader = CaptureReader(path, venue, instruments, **settings)
    pieces = list(reader)
    events = np.concatenate(pieces) if pieces else np.empty(0, EVENT)
    faults, torn = reader.take_faults(), tuple(reader.torn)
    return Capture(venue, events, reader.instruments, faults, reader.tally, reader.inferred, torn)


def _undescribed(symbol: str, grid: tuple[tuple[int, int], tuple[int, int], int, int]) -> VenueInstrument:
    tick, lot, price_decimals, quantity_decimals = grid
    return VenueInstrument(symbol, tick, lot, price_decimals, quantity_decimals)


def opened(path: Path, torn: dict[Path, int] | None = None) -> IO[bytes]:
    """A file of bytes, decompressed if it is compressed with gzip.

    Lines of one that was cut off are read up to there, and it is noted in ``torn``; without that it raises EOFError.
    """
    try:
        with path.open("rb") as raw:
            is_compressed = raw.read(2) == b"\x1f\x8b"
        if not is_compressed:
            return path.open("rb")
        if torn is None:
            return cast("IO[bytes]", gzip.open(path))
        return io.BufferedReader(TornGzip(path, lambda read: torn.update({path: read})), 1 << 16)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _fed(feed: VenueFeed, paths: Sequence[Path], torn: dict[Path, int]) -> Iterator[bytes]:
    """Feeds the files and hands out the records of each block."""
    try:
        if len(paths) > 1:
            for block in _merged(paths, torn):
                feed.lines(block)
                yield feed.take()
            return
        with closing(opened(paths[0], torn)) as source:
            block = source.read(BLOCK_BYTES)
            if block.lstrip()[:32].replace(b" ", b"").replace(b"\n", b"").startswith(b'{"init"'):
                _feed_document(feed, block + source.read(), paths[0])
                yield feed.take()
                return
            rest = b""
            while block:
                whole, newline, rest_after = block.rpartition(b"\n")
                if newline:
                    feed.lines(rest + whole)
                    yield feed.take()
                    rest = rest_after
                else:
                    rest += block
                block = source.read(BLOCK_BYTES)
            feed.lines(rest)
            yield feed.take()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{', '.join(str(path) for path in paths)}: the file is damaged: {error}") from None


def _feed_document(feed: VenueFeed, document: bytes, path: Path) -> None:
    try:
        feed.document(document)
    except ValueError as error:
        code, offset = error.args
        raise DataError(f"{path} is no recorded session: {code} at byte {offset}") from None


def _merged(paths: Sequence[Path], torn: dict[Path, int]) -> Iterator[bytes]:
    """Lines of all files in the order of their receive times, in blocks."""
    with ExitStack() as stack:
        sources = [stack.enter_context(closing(opened(path, torn))) for path in paths]
        lines: list[bytes] = []
        size = 0
        for _, line in heapq.merge(*map(_timed, sources), key=lambda pair: pair[0]):
            lines.append(line)
            size += len(line)
            if size > BLOCK_BYTES:
                yield b"".join(lines)
                lines, size = [], 0
        yield b"".join(lines)


def _timed(source: IO[bytes]) -> Iterator[tuple[float, bytes]]:
    """Lines and their receive times; a line without one stays behind the line before it."""
    latest = 0.0
    for line in source:
        head = line[:4096]
        for arrow in (b" <-> ", b" <- ", b" -> "):
            if arrow in head and line[:1] in {b"w", b"h"}:
                head = head.partition(arrow)[2]
                break
        text = head.replace(b":", b" ").split(b" ", 1)[0].strip()
        try:
            time = float(text)
        except ValueError:
            time = latest
        # Whole nanoseconds have many more digits than seconds.
        latest = time / 1e9 if time > 1e12 else time
        yield latest, line if line.endswith(b"\n") else line + b"\n"


def infer_instruments(paths: Sequence[Path], venue: str) -> tuple[VenueInstrument, ...]:
    """The coarsest decimal grid of each symbol that holds all of its prices and quantities."""
    symbols: list[str] = []
    for decimals in COARSER:
        feed, found, faults = _read_at(decimals, symbols, paths, venue)
        if any(fault[0] == "unknown_instrument" for fault in faults) and len(feed.instruments) == 1:
            # A snapshot may come before anything names the only instrument that there is.
            symbols = [symbol for symbol, _ in feed.instruments]
            feed, found, faults = _read_at(decimals, symbols, paths, venue)
        if not any(fault[0] == "out_of_range" for fault in faults):
            break
    if any(fault[0] == "off_grid" for fault in faults):
        raise DataError(
            f"{paths[0]}: no decimal grid of 64-bit counts holds every number;"
            " describe the instruments with --instruments FILE"
        )
    instruments = []
    for number, (symbol, _) in enumerate(feed.instruments):
        price, quantity = (_decimals_left(divisor, decimals) for divisor in found.get(number, (0, 0)))
        instruments.append(VenueInstrument(symbol, (1, price), (1, quantity), price, quantity))
    return tuple(instruments)


def _read_at(
    decimals: int, symbols: Iterable[str], paths: Sequence[Path], venue: str
) -> tuple[VenueFeed, dict[int, tuple[int, int]], list[Any]]:
    """The feed behind a capture on one grid for all, common divisors by instrument, and the malformed messages."""
    steps = (1, decimals), (1, decimals), decimals, decimals
    known = [VenueInstrument(symbol, *steps) for symbol in symbols]
    feed = feed_for(venue, known, fallback=steps, joins=False)
    found: dict[int, tuple[int, int]] = {}
    for piece in _fed(feed, paths, {}):
        _gather(np.frombuffer(piece, EVENT), found)
    return feed, found, feed.faults()


def _gather(events: NDArray[Any], found: dict[int, tuple[int, int]]) -> None:
    """Adds the greatest common divisors of prices and quantities of each instrument to those found before."""
    kinds = [KIND[name] for name in PRICED]
    priced = events[np.isin(events["kind"], [*kinds, *(KIND[name] for name in BARS)])]
    sized = events[np.isin(events["kind"], [*kinds, KIND["bar_close"]])]
    for number in np.unique(priced["instrument"]):
        price, quantity = found.get(int(number), (0, 0))
        prices = priced["price"][priced["instrument"] == number]
        quantities = sized["quantity"][sized["instrument"] == number]
        price = int(np.gcd.reduce(prices, initial=price))
        quantity = int(np.gcd.reduce(quantities, initial=quantity))
        found[int(number)] = price, quantity


def _decimals_left(divisor: int, decimals: int) -> int:
    """How many of the decimals are needed if every count is a multiple of the divisor."""
    while decimals > 0 and divisor % 10 == 0:
        divisor //= 10
        decimals -= 1
    return decimals
