"""``like="hftbacktest"`` against hftbacktest itself: random markets, recorded sessions, and what differs by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from neural_trader.market.captures import read_capture
from neural_trader.market.venue_instruments import VenueInstrument
from peers.campaign import MARKETS, Campaign
from peers.hftbacktest_campaign import of_hftbacktest, of_jobs
from peers.hftbacktest_markets import SETTINGS, Job, Market, market_of, session_job
from peers.like_hftbacktest import LAST_PART, NEARLY_ONE, NO_BOOK, STATES, ZOMBIE, compare, records_of, run
from peers.table import DOCUMENT, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[[str, Any], Any]

ENOUGH_MARKETS = 200
SESSIONS = {
    "binance_spot_btcusdt_20240808.ws.gz": ("binance", VenueInstrument("BTCUSDT", (1, 2), (1, 5), 2, 8), 1000),
    "binance_spot_ethusdt_20240808.ws.gz": ("binance", VenueInstrument("ETHUSDT", (1, 2), (1, 4), 2, 8), 10_000),
    "binance_usdm_btcusdt_20240808.ws.gz": ("binance_usdm", VenueInstrument("BTCUSDT", (1, 1), (1, 3), 1, 3), 1),
}
"""Venue, instrument, and how many of the recording's units a lot of the venue has."""


@pytest.fixture(scope="module")
def campaign(ask: Ask) -> Campaign:
    return of_hftbacktest(ask)


def test_random_markets_fill_as_in_the_package(campaign: Campaign) -> None:
    shown = "\n".join(campaign.unexplained[:5])
    assert not campaign.unexplained, f"{len(campaign.unexplained)} of {MARKETS} markets differ:\n{shown}"


@pytest.mark.skipif(MARKETS < ENOUGH_MARKETS, reason="rare situations need more markets")
def test_random_markets_visit_every_setting(campaign: Campaign) -> None:
    assert len([name for name in campaign.situations if "," in name]) == len(SETTINGS)
    assert campaign.situations.keys() >= set(STATES.values())
    assert campaign.counts.keys() >= {ZOMBIE, LAST_PART, NO_BOOK}
    assert campaign.trades > 30 * MARKETS


@pytest.mark.skipif(MARKETS != 1000, reason="the document counts a thousand markets")
def test_the_document_has_the_counts_of_this_run(campaign: Campaign) -> None:
    assert table("hftbacktest", campaign) in DOCUMENT.read_text(encoding="utf-8")


def test_a_difference_would_be_found(campaign: Campaign) -> None:
    found = 0
    for job, theirs in campaign.first:
        other = job | {"whole": not job["whole"]}
        found += bool(compare(job, theirs, run(job["records"], other)).unexplained)
    # With one fill or none the two ways of filling may be the same.
    assert found > 0.8 * len(campaign.first)


@pytest.mark.parametrize("name", SESSIONS)
def test_recorded_sessions_fill_as_in_the_package(ask: Ask, shared_data: Path, name: str) -> None:
    venue, instrument, lot = SESSIONS[name]
    market = market_of(read_capture(shared_data / "depth" / name, venue, [instrument]).events)
    jobs = [session_job(market, seed, lot) | {"market": 0} for seed in range(len(SETTINGS))]
    played = of_jobs(ask, [market], jobs)
    assert not played.unexplained, played.unexplained[:5]
    assert played.trades > 30 * len(SETTINGS)


# What differs by name, at its smallest.

BOOK = (("level", 1, 99, 10, 100), ("level", -1, 101, 10, 100))
LAST = ("level", 1, 1, 1, 10_000)


def _market(*rows: tuple[str, int, int, int, int]) -> Market:
    """Records of kind, side, price, quantity and time; they are here at once."""
    columns = [list(column) for column in zip(*rows, LAST, strict=True)]
    return dict(zip(("kind", "side", "price", "quantity", "venue_ns"), columns, strict=True)) | {"here_ns": columns[4]}


def _job(*program: dict[str, Any], whole: bool = False) -> Job:
    job: Job = {"seed": 0, "market": 0, "queue": "risk_averse", "power": 1, "whole": whole, "latency_rows": None}
    return job | {"entry_ns": 1, "response_ns": 1, "until_ns": 9_000, "program": list(program)}


def _order(time_ns: int, side: int, price: int, quantity: int, tif: str = "gtc", kind: str = "limit") -> dict[str, Any]:
    return {"time_ns": time_ns, "side": side, "price": price, "quantity": quantity, "tif": tif, "kind": kind}


def _both(ask: Ask, market: Market, job: Job) -> tuple[dict[str, Any], Any]:
    theirs = ask("hftbacktest", {"markets": [market], "jobs": [job]})[0]
    return theirs, compare(job, theirs, run(records_of(market), job))


def test_an_order_that_a_trade_fills_exactly_ends_the_run_there_when_it_is_reached_again(ask: Ask) -> None:
    trades = (("trade", -1, 99, 12, 500), ("trade", -1, 98, 1, 600))
    theirs, compared = _both(ask, _market(*BOOK, *trades), _job(_order(200, 1, 99, 2)))
    assert theirs["error"] == 14
    assert (compared.named, compared.unexplained) == ({ZOMBIE}, None)
    # One lot more, and the order is gone.
    trades = (("trade", -1, 99, 13, 500), ("trade", -1, 98, 1, 600))
    theirs, compared = _both(ask, _market(*BOOK, *trades), _job(_order(200, 1, 99, 2)))
    assert (theirs["error"], compared.named, compared.unexplained) == (0, set(), None)


def test_the_position_there_has_the_last_part_of_an_order_only(ask: Ask) -> None:
    trades = (("trade", -1, 99, 15, 500), ("trade", -1, 99, 9, 600))
    theirs, compared = _both(ask, _market(*BOOK, *trades), _job(_order(200, 1, 99, 8)))
    assert theirs["position"] == 3
    assert (compared.named, compared.unexplained, compared.fills) == ({LAST_PART}, None, 2)


def test_a_market_order_without_a_book_fills_there_at_no_price(ask: Ask) -> None:
    job = _job(_order(200, 1, 0, 8, kind="market"), whole=True)
    theirs, compared = _both(ask, _market(BOOK[0]), job)
    assert theirs["answers"][0][5] == 2**63 - 1
    assert (compared.named, compared.unexplained) == ({NO_BOOK}, None)


def test_half_a_lot_is_decided_by_the_last_bit_of_a_logarithm(ask: Ask) -> None:
    """With 2 of 28 ahead, ln 27 / (ln 27 + ln 3) is 3/4: of 2 that were cancelled, half a lot was ahead."""
    grown = (("level", 1, 99, 2, 150), ("level", 1, 99, 28, 300), ("level", 1, 99, 26, 400))
    market = _market(*BOOK, *grown, ("trade", -1, 99, 2, 500))
    job = _job(_order(200, 1, 99, 5)) | {"queue": "log"}
    assert not of_jobs(ask, [market], [job]).unexplained
    theirs = ask("hftbacktest", {"markets": [market], "jobs": [job | {"lot": lot} for lot in NEARLY_ONE]})
    assert [len(told["answers"]) for told in theirs] == [2, 1]
