"""A client that is not ours hears the same from the venue of these tests: ccxt.pro, which recordings do not use."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from recordings import events_of, of_kind, record
from sessions import EXCHANGE, recorded
from stream_server import Binance, Server, serving

ccxtpro = pytest.importorskip("ccxt.pro", reason="ccxt plays the other client")

MESSAGES = 3000


def pointed_at(exchange: Any, server: Server) -> Any:
    """Every address of ccxt on this machine, paths kept."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: moved(one) for name, one in value.items()}
        base = server.url_ws if value.startswith("ws") else server.url_rest
        return base + urlsplit(value).path

    exchange.urls["api"] = moved(exchange.urls["api"])
    exchange.rateLimit = 1
    exchange.enableRateLimit = False
    return exchange


async def listened(server: Server) -> tuple[dict[int, tuple[float, ...]], dict[str, tuple[float, float, str]]]:
    """Best bids and asks by the id of the book, and trades by their id, as ccxt tells them."""
    exchange = pointed_at(ccxtpro.binance({"options": {"fetchMarkets": {"types": ["spot"]}}}), server)
    best: dict[int, tuple[float, ...]] = {}
    trades: dict[str, tuple[float, float, str]] = {}

    async def books() -> None:
        while True:
            book = await exchange.watch_order_book("BTC/USDT")
            best[book["nonce"]] = (*book["bids"][0], *book["asks"][0])

    async def prints() -> None:
        while True:
            for trade in await exchange.watch_trades("BTC/USDT"):
                trades[trade["id"]] = (trade["price"], trade["amount"], trade["side"])

    try:
        await exchange.load_markets()
        working = [asyncio.create_task(prints()), asyncio.create_task(books())]
        done = asyncio.create_task(asyncio.to_thread(server.done.wait, 60))
        await asyncio.wait([*working, done], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0.5)
        for task in working:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    finally:
        server.done.set()
        await exchange.close()
    return best, trades


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_ccxt_hears_the_books_and_trades_that_are_recorded(tmp_path: Path, shared_data: Path) -> None:
    times_s, session = recorded(shared_data / "depth" / "binance_spot_btcusdt_20240808.ws.gz", MESSAGES)
    # Ten times as fast as it was.
    server = Server(Binance(session, EXCHANGE), times_s=[time / 10 for time in times_s], expects=2)
    with serving(server):
        best, trades = asyncio.run(listened(server))
    said = [json.loads(message)["data"] for message in server.venue.messages]
    quoted = {one["u"]: tuple(map(float, (one["b"], one["B"], one["a"], one["A"]))) for one in said if "B" in one}
    agreed = [best[nonce] == quoted[nonce] for nonce in best if nonce in quoted]
    assert len(agreed) > 20 and all(agreed)
    wanted = {
        str(one["t"]): (float(one["p"]), float(one["q"]), "sell" if one["m"] else "buy")
        for one in said
        if one.get("e") == "trade"
    }
    assert trades.keys() <= wanted.keys() and len(trades) > len(wanted) / 2
    assert all(wanted[number] == trade for number, trade in trades.items())

    # The recorder hears from the same venue what ccxt did.
    recording, _ = record(Server(Binance(session, EXCHANGE)), "binance", "BTCUSDT", tmp_path)
    ours = of_kind(events_of(recording), "trade")
    assert {str(number) for number in ours["id"]} == wanted.keys()
