"""Makes what the fuzzer begins with: python fuzz/seeds.py

Sessions of all venues, as documented and as generated, and, where recorded markets are at hand (NT_SHARED), pieces of
those; commands to books at random. Files lie in fuzz/corpus and are named by what they hold, so that running it twice
changes nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "feed"))

from venue_messages import binance_session, kraken_session  # noqa: E402

RECORDED = {
    "binance": ("depth/binance_spot_*.ws.gz", "wire/binance_rest_*.gz", "wire/message_shapes_binance_spot.json.gz"),
    "binance_us": ("wire/binanceus_*.gz",),
    "binance_usdm": ("depth/binance_usdm_*.ws.gz",),
    "kraken": ("wire/kraken_*.gz", "wire/message_shapes_kraken.json.gz"),
    "coinbase": ("wire/message_shapes_coinbase.json.gz",),
    "coinbase_exchange": ("wire/coinbase_*.gz",),
    "oanda": ("wire/oanda_v20_example_responses.json.gz",),
}
PIECE = 6_000
"""Bytes of a piece of a recording; the fuzzer is faster the shorter they are."""
PIECES = 12


def sessions() -> Iterator[tuple[str, bytes]]:
    """Venues and lines."""
    for path in sorted((ROOT / "rust/nt-feed/tests/messages").glob("*.txt")):
        yield path.stem, path.read_bytes()
        for message in path.read_bytes().splitlines():
            yield path.stem, message
    for seed in range(4):
        lost = frozenset({6}) if seed % 2 else frozenset()
        for venue, futures in (("binance", False), ("binance_us", False), ("binance_usdm", True)):
            yield venue, _lines(binance_session(seed, 8, futures=futures, lost=lost)[-20:])
        yield "kraken", _lines(kraken_session(seed, 8, lost=lost))


def recordings() -> Iterator[tuple[str, bytes]]:
    """Venues and pieces of what was recorded of them."""
    folder = Path(os.environ.get("NT_SHARED", ROOT.parent / "shared")) / "data"
    for venue, patterns in RECORDED.items():
        for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
            with gzip.open(path) as text:
                for piece in islice(iter(lambda text=text: text.read(PIECE), b""), PIECES):
                    yield venue, piece


def commands() -> Iterator[bytes]:
    """Bytes that are commands to books."""
    for seed in range(16):
        yield random.Random(seed).randbytes(64 << seed % 4)


def _lines(messages: list[tuple[int, bytes]]) -> bytes:
    return b"".join(b"%d %s\n" % pair for pair in messages)


def main() -> None:
    """Write the files."""
    named = [(venue.encode() + b"\n" + text) for venue, text in (*sessions(), *recordings())]
    for target, seeds in (("messages", named), ("books", list(commands()))):
        folder = ROOT / "fuzz" / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            (folder / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)


main()
