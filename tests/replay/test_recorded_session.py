"""Recorded sessions of Binance are replayed: laws hold, runs repeat, and the book is the one that the venue states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.market.events import FLAG, KIND
from neural_trader.market.recordings import Recording, load_recording
from neural_trader.strategy import Strategy

SESSIONS = {
    "spot": ("binance_spot_btcusdt_20240808.ws.gz", "binance"),
    "futures": ("binance_usdm_btcusdt_20240808.ws.gz", "binance_usdm"),
}


@pytest.fixture(scope="module", params=SESSIONS)
def recording(request: pytest.FixtureRequest, shared_data: Path) -> Recording:
    name, venue = SESSIONS[request.param]
    return load_recording(shared_data / "depth" / name, venue)


class Busy(Strategy):
    """Quotes both sides inside the spread, takes now and then, and cancels what is left after a second."""

    def on_start(self) -> None:
        self.working: list[tuple[int, int]] = []
        self.count = 0
        self.set_timer(after_ns=10**8)

    def on_timer(self, time_ns: int) -> None:
        self.set_timer(after_ns=10**8)
        self.count += 1
        bid, ask, lot = self.best_bid(), self.best_ask(), 10 * self.lot()
        if bid < ask:
            self.working.append((time_ns, self.buy(lot, limit=bid)))
            self.working.append((time_ns, self.sell(lot, limit=ask, display=self.lot())))
            if self.count % 20 == 0:
                self.buy(lot, stop_loss=0.999 * bid, take_profit=1.001 * ask)
            if self.count % 50 == 0:
                self.target(quantity=0)
        while self.working and self.working[0][0] <= time_ns - 10**9:
            self.cancel(self.working.pop(0)[1])


def test_a_busy_strategy_keeps_all_laws_and_repeats(recording: Recording) -> None:
    result = nt.replay(Busy, recording, queue="power:2", latency="5ms", cash=10_000_000)
    result.engine.check_invariants()
    fills = result.fills
    assert len(result.orders) > 1000 and len(fills) > 20
    assert set(fills["liquidity"]) == {"maker", "taker"}
    assert result.digests == nt.replay(Busy, recording, queue="power:2", latency="5ms", cash=10_000_000).digests
    assert np.isfinite(result.equity_curve).all()
    # Nobody buys below the best bid or sells above the best ask by taking, and fees are those of the rates.
    taken = fills.filter(fills["liquidity"] == "taker")
    bought = taken.filter(taken["side"] == "buy")
    assert (bought["price"] >= bought["ask"]).all()
    accepted = result.orders.filter(result.orders["accepted"].is_not_null() & result.orders["parent"].is_null())
    assert set((accepted["accepted"] - accepted["time"]).dt.total_nanoseconds()) == {5_000_000}


def test_the_best_prices_seen_are_those_that_the_venue_states_for_the_same_update(recording: Recording) -> None:
    records = recording.records
    ends = ((records["kind"] == KIND["level"]) & (records["flags"] & FLAG["last"] > 0)) | (
        records["kind"] == KIND["snapshot_end"]
    )
    seen: list[tuple[float, float]] = []

    class Looking(Strategy):
        def on_book(self, symbol: str) -> None:
            seen.append((self.best_bid(), self.best_ask()))

    nt.replay(Looking, recording)
    updates = records["id"][ends]
    assert len(seen) == len(updates)
    stated = _stated(recording)
    compared = [(stated[update], best) for update, best in zip(updates.tolist(), seen, strict=True) if update in stated]
    assert len(compared) > 100
    assert all(quoted == best for quoted, best in compared)


def _stated(recording: Recording) -> dict[int, tuple[float, float]]:
    """Best bid and ask that the venue states, by its number of the update."""
    quotes = recording.records[recording.records["kind"] == KIND["quote"]]
    tick = recording.instruments[0].tick
    sides: dict[int, dict[int, Any]] = {}
    for update, price, flags in zip(quotes["id"].tolist(), quotes["price"], quotes["flags"], strict=True):
        sides.setdefault(update, {})[1 if flags & FLAG["bid"] else -1] = float(tick.value_of(price))
    return {update: (both[1], both[-1]) for update, both in sides.items() if len(both) == 2}
