"""The history of one venue through ccxt: the only place that knows ccxt. Its numbers stay text, its failures get names.

ccxt has no types; whatever comes from it leaves this file as plain tuples. It may be told nothing but public questions.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.market.sources import suggestion

Answer = TypeVar("Answer")
INSTALL = "pip install 'neural-trader[venues]'"
_CATALOG_NAMES = {
    "binanceus": "binance_us", "binanceusdm": "binance_usdm", "coinbaseexchange": "coinbase_exchange",
}  # fmt: skip
"""Venues that captures spell in another way than ccxt."""
_TRADES_PER_PAGE = {"binance": 1000, "binanceus": 1000, "binanceusdm": 1000, "kraken": 1000}
"""How many trades may be asked for; others decide for themselves."""
_BARS_PER_PAGE = 500
"""For venues of which ccxt does not say it."""


class Bar(NamedTuple):
    """One bar as the venue wrote it; times in milliseconds."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str | None


class Print(NamedTuple):
    """One public trade as the venue wrote it."""

    ts_ms: int
    trade_id: str | None
    price: str
    quantity: str
    side: int


class Market(NamedTuple):
    """An instrument of the venue."""

    unified: str
    """What ccxt calls it."""
    name: str
    """What the catalog calls it: the venue's id, which is also what its streams say."""
    tick: str | None
    lot: str | None


@dataclass(frozen=True)
class Patience:
    """How often a request is made again, and how long is waited before."""

    tries: int = 6
    first_s: float = 1.0
    longest_s: float = 60.0

    def wait_s(self, attempt: int, asked_s: float | None, chance: random.Random) -> float:
        """Doubled each time, spread so that several clients do not come back together, never less than was asked."""
        spread = min(self.longest_s, self.first_s * 2.0 ** (attempt - 1)) * (0.5 + chance.random() / 2)
        return spread if asked_s is None else max(spread, asked_s)


def opened(venue: str) -> Any:
    """The exchange of ccxt with this name, its numbers left as they are written."""
    try:
        import ccxt
    except ModuleNotFoundError as error:
        if error.name != "ccxt":
            raise
        raise UsageError(f"downloading needs ccxt, which is not installed; {INSTALL}") from None
    name = venue.replace("_", "") if venue.replace("_", "") in _CATALOG_NAMES else venue
    if name not in ccxt.exchanges:
        raise UsageError(f"no venue {venue!r} in ccxt{suggestion(venue, list(ccxt.exchanges))}")
    exchange = getattr(ccxt, name)({"enableRateLimit": True})
    exchange.number = str
    # A float would be rounded before anyone could look at its digits.
    exchange.on_json_response = lambda body: json.loads(body, parse_float=str)
    exchange.enableLastJsonResponse = exchange.enableLastResponseHeaders = True
    return exchange


class History:
    """Bars and trades of one venue, page by page, each asked for again where that may help."""

    def __init__(
        self, exchange: Any, patience: Patience | None = None, say: Callable[[str], None] = lambda _line: None
    ) -> None:
        self._exchange = exchange
        self._patience = patience or Patience()
        self._say = say
        self._chance = random.Random(str(exchange.id))
        self.name: str = _CATALOG_NAMES.get(exchange.id, exchange.id)
        self.retries = 0

    def market(self, symbol: str) -> Market:
        """The instrument of this name: the venue's own (BTCUSDT) or that of ccxt (BTC/USDT)."""
        import ccxt

        self._asked("its instruments", self._exchange.load_markets)
        try:
            found = self._exchange.market(symbol)
        except ccxt.BadSymbol:
            near = suggestion(symbol, list(self._exchange.markets))
            raise UsageError(f"{self.name} has no instrument {symbol!r}{near}") from None
        # One id may name a spot market and a future; and Kraken's ids are not what its streams say.
        alone = len(self._exchange.markets_by_id[found["id"]]) == 1
        plain = (alone or bool(found.get("spot"))) and self._exchange.id != "kraken"
        tick, lot = (self._step(found["precision"].get(what)) for what in ("price", "amount"))
        return Market(found["symbol"], found["id"] if plain else found["symbol"], tick, lot)

    def _step(self, precision: object) -> str | None:
        """A precision as a step; some venues count decimals, and significant digits say nothing about steps."""
        import ccxt

        if precision is None or self._exchange.precisionMode == ccxt.SIGNIFICANT_DIGITS:
            return None
        text = str(precision)
        return f"1e-{int(text)}" if self._exchange.precisionMode == ccxt.DECIMAL_PLACES else text

    def check(self, kind: str, interval: str) -> None:
        """Refuses what the venue does not have, before anything is downloaded."""
        method = "fetchOHLCV" if kind == "bars" else "fetchTrades"
        # ccxt says "emulated" where it would make bars of the last few trades.
        if self._exchange.has.get(method) is not True:
            raise UsageError(f"{self.name} does not serve {kind} of the past")
        if kind == "bars" and interval not in (self._exchange.timeframes or {}):
            known = ", ".join(self._exchange.timeframes or {})
            raise UsageError(f"{self.name} has no bars of {interval}; it has {known}")

    def now_ms(self) -> int:
        """The venue's clock, by which its bars end; ours where it shows none."""
        if self._exchange.has.get("fetchTime") is not True:
            return time.time_ns() // 1_000_000
        return int(self._asked("the time", self._exchange.fetch_time))

    @property
    def bars_per_page(self) -> int:
        features = (self._exchange.features or {}).get("spot") or {}
        return int((features.get("fetchOHLCV") or {}).get("limit") or _BARS_PER_PAGE)

    @property
    def trades_per_page(self) -> int | None:
        return _TRADES_PER_PAGE.get(self._exchange.id)

    def bars(self, market: Market, interval: str, since_ms: int) -> list[Bar]:
        """The first bars that open at or after a time, the unfinished one among them."""
        fetch = self._exchange.fetch_ohlcv
        rows = self._asked(
            f"bars of {market.name}", lambda: fetch(market.unified, interval, since_ms, self.bars_per_page)
        )
        return [
            Bar(int(at), str(opens), str(high), str(low), str(close), None if volume is None else str(volume))
            for at, opens, high, low, close, volume in (row[:6] for row in rows)
        ]

    def trades(self, market: Market, since_ms: int) -> list[Print]:
        """The first trades at or after a time."""
        # Left alone, ccxt asks Kraken for whole seconds, in which there may be more trades than fit a page.
        extra = {"since": str(since_ms * 1_000_000)} if self._exchange.id == "kraken" else {}
        fetch = self._exchange.fetch_trades
        rows = self._asked(
            f"trades of {market.name}", lambda: fetch(market.unified, since_ms, self.trades_per_page, extra)
        )
        sides = {"buy": 1, "sell": -1}
        return [
            Print(int(row["timestamp"]), row["id"], str(row["price"]), str(row["amount"]), sides.get(row["side"], 0))
            for row in rows
        ]

    def _asked(self, what: str, ask: Callable[[], Answer]) -> Answer:
        """The answer, asked for again after failures that pass: 429, 5xx, a cut connection, an answer cut short."""
        import ccxt

        exchange, tries = self._exchange, self._patience.tries
        for attempt in range(1, tries + 1):
            exchange.last_json_response = exchange.last_response_headers = None
            cached = bool(exchange.markets)
            try:
                answer = ask()
                # ccxt takes a page of HTML, as proxies send it, for an answer with nothing in it.
                if exchange.last_json_response is not None or (cached and what == "its instruments"):
                    return answer
                said = "an answer that is no JSON"
            except ccxt.BaseError as error:
                said = _words(error)
                if not _passes(error):
                    raise NeuralTraderError(f"{self.name} refuses {what}: {said}") from error
            except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                said = f"an answer that ccxt cannot read ({type(error).__name__}: {error})"
            asked_s = _retry_after_s(exchange.last_response_headers)
            if asked_s is not None and asked_s > self._patience.longest_s:
                raise NeuralTraderError(f"{self.name} wants {asked_s:.0f} s of silence before {what}; run this later")
            if attempt == tries:
                break
            wait_s = self._patience.wait_s(attempt, asked_s, self._chance)
            self._say(f"{self.name}, {what}: {said}; again in {wait_s:.1f} s, try {attempt + 1} of {tries}")
            self.retries += 1
            time.sleep(wait_s)
        raise NeuralTraderError(f"{self.name}, {what}: {said}, {tries} times; run this again to go on where it ended")


def _passes(error: Exception) -> bool:
    """Whether a failure may pass; ccxt files some cut connections under errors of the exchange."""
    import ccxt

    cause = error.__cause__
    return isinstance(error, ccxt.OperationFailed) or (
        isinstance(cause, OSError) and getattr(cause, "response", None) is None
    )


def _words(error: Exception) -> str:
    import ccxt

    names = {
        ccxt.RateLimitExceeded: "too many requests",
        ccxt.DDoSProtection: "too many requests",
        ccxt.RequestTimeout: "no answer in time",
        ccxt.ExchangeNotAvailable: "not available",
        ccxt.NetworkError: "connection lost",
    }
    named = next((words for kind, words in names.items() if isinstance(error, kind)), type(error).__name__)
    detail = " ".join(str(error).split())
    return f"{named} ({detail[:120]})"


def _retry_after_s(headers: Any) -> float | None:
    text = str(headers.get("Retry-After", "")) if headers else ""
    return float(text) if text.isdigit() else None
