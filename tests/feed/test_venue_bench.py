"""The benchmark of decoding still runs, and still compares the books before it times them."""

from __future__ import annotations

import importlib.util
import resource
import sys
from pathlib import Path
from types import ModuleType

import pytest

from neural_trader.market.captures import feed_for
from neural_trader.market.venue_instruments import VenueInstrument
from venue_messages import binance_session

MADE = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


@pytest.fixture(scope="module")
def bench(repository: Path) -> ModuleType:
    for oracle in ("orjson", "sortedcontainers"):
        pytest.importorskip(oracle)
    spec = importlib.util.spec_from_file_location("venue_decoding", repository / "benches/python/venue_decoding.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["venue_decoding"] = module
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_compares_three_equal_books(bench: ModuleType) -> None:
    rows = bench.compare(binance_session(3, 300), "binance", MADE, 1)
    assert [row[0] for row in rows] == ["neural-trader feed", "orjson + sortedcontainers", "plain twin"]
    assert rows[0][2] == 1.0 and all(per_level_ns > 0 for _, per_level_ns, _ in rows)


def test_the_benchmark_stops_where_books_differ(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.SortedBook, "_apply", lambda self, diff: None)
    with pytest.raises(SystemExit, match="the books differ"):
        bench.compare(binance_session(3, 300), "binance", MADE, 1)


def test_memory_does_not_grow_with_the_length_of_a_session() -> None:
    lines = b"".join(b"%d %s\n" % pair for pair in binance_session(4, 1500))
    feed = feed_for("binance", [MADE], silence_ns=0)

    def play() -> int:
        for _ in range(40):
            # Every round begins with a connection, so each is a session of its own.
            feed.lines(b"wss://x <-> 1.5\n" + lines)
            feed.take()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    warm = play()
    assert play() - warm < 4096, "kilobytes over forty sessions"
