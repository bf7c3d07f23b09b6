"""However long a session is, a feed needs no more memory."""

from __future__ import annotations

import resource

from neural_trader.market.captures import feed_for
from neural_trader.market.venue_instruments import VenueInstrument
from venue_messages import binance_session

MADE = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


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
