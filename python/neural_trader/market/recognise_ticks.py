"""Which column of a file of trades or quotes is which."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from neural_trader.market.recognise import TIME_NAMES, Names
from neural_trader.market.sources import Shape

_EVENT_TIMES = ("ts_event", "trade_time", "transact_time", "transaction_time", "event_time", *TIME_NAMES)
_RECEIVE_TIMES = ("ts_recv", "recv_time", "receive_time", "received_time", "received_at", "local_timestamp")
_SYMBOLS = ("symbol", "instrument", "pair", "product_id", "ticker")
_PRICES = ("price", "px", "trade_price", "last_price", "rate", "p")
_QUANTITIES = (
    "quantity", "qty", "amount", "size", "volume", "base_qty", "base_quantity", "last_size", "vol", "q",
)  # fmt: skip
_SIDES = ("side", "taker_side", "aggressor", "aggressor_side", "direction")
_MAKERS = ("buyer_is_maker", "is_buyer_maker", "buyer_maker", "m")
_IDS = ("trade_id", "id", "tid", "agg_trade_id", "trade_no")
_QUOTED = ("", "price", "px")


@dataclass(frozen=True)
class TradeColumns:
    """The column of each role of a file of trades, by its name in the source."""

    time: str
    time_unit: str | None
    recv: str | None
    recv_unit: str | None
    symbol: str | None
    price: str
    quantity: str
    side: str | None
    maker: str | None
    """Says whether the buyer was the maker, so that the seller took."""
    trade_id: str | None

    @property
    def used(self) -> list[str]:
        return _used(self)

    def roles(self) -> dict[str, str]:
        """Role by role, the column taken for it."""
        return _roles(self)


@dataclass(frozen=True)
class QuoteColumns:
    """The column of each role of a file of quotes, by its name in the source."""

    time: str
    time_unit: str | None
    recv: str | None
    recv_unit: str | None
    symbol: str | None
    bid: str
    ask: str
    bid_size: str | None
    ask_size: str | None

    @property
    def used(self) -> list[str]:
        return _used(self)

    def roles(self) -> dict[str, str]:
        """Role by role, the column taken for it."""
        return _roles(self)


def _roles(columns: TradeColumns | QuoteColumns) -> dict[str, str]:
    named = {field.name: getattr(columns, field.name) for field in fields(columns)}
    return {role: name for role, name in named.items() if name is not None and not role.endswith("_unit")}


def _used(columns: TradeColumns | QuoteColumns) -> list[str]:
    return list(dict.fromkeys(_roles(columns).values()))


def _times(names: Names, example: str) -> tuple[str, str | None, str | None, str | None]:
    time, unit = names.timed("time", _EVENT_TIMES)
    recv, recv_unit = names.timed("time of receipt", _RECEIVE_TIMES)
    if time is None:
        raise names.error("no column of times", f"name the columns like {example}")
    return time, unit, recv, recv_unit


def recognise_trades(
    columns: Sequence[str], source: str, _is_time_of_day: Callable[[str], bool], _symbol_hint: str = ""
) -> TradeColumns:
    """The roles of the columns of trades."""
    names = Names(columns, source)
    price, quantity = names.named("price", _PRICES), names.named("quantity", _QUANTITIES)
    if price is None or quantity is None:
        missing = " or ".join(role for role, found in (("price", price), ("quantity", quantity)) if found is None)
        raise names.error(f"no column for {missing}", f"name the columns like {TRADES.example}")
    return TradeColumns(
        *_times(names, TRADES.example), names.named("symbol", _SYMBOLS), price, quantity, names.named("side", _SIDES),
        names.named("flag of makers", _MAKERS), names.named("trade id", _IDS),
    )  # fmt: skip


def recognise_quotes(
    columns: Sequence[str], source: str, _is_time_of_day: Callable[[str], bool], _symbol_hint: str = ""
) -> QuoteColumns:
    """The roles of the columns of quotes."""
    names = Names(columns, source)

    def side(which: str, sizes: bool) -> str | None:
        words = ("size", "qty", "quantity", "amount", "volume") if sizes else _QUOTED
        wanted = [f"{best}{which}_{word}".rstrip("_") for word in words for best in ("", "best_")]
        return names.named(f"{which} size" if sizes else which, wanted)

    bid, ask = side("bid", sizes=False), side("ask", sizes=False)
    if bid is None or ask is None:
        missing = " or ".join(role for role, found in (("bid", bid), ("ask", ask)) if found is None)
        raise names.error(f"no column for {missing}", f"name the columns like {QUOTES.example}")
    symbol = names.named("symbol", _SYMBOLS)
    sizes = (side("bid", sizes=True), side("ask", sizes=True))
    return QuoteColumns(*_times(names, QUOTES.example), symbol, bid, ask, *sizes)


def _is_number(field: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", field))


def _names_of_trades(first: list[str]) -> list[str] | None:
    """Kraken's downloads hold time, price and volume; those of Binance an id first, and a flag of makers. Trades that
    ccxt keeps as lists have time, id, type, side, price, amount and cost.
    """
    flags = [at for at, field in enumerate(first) if field.lower() in {"true", "false"}]
    if len(first) == 3 and all(map(_is_number, first[1:])):
        return ["time", "price", "quantity"]
    if len(first) == 7 and first[3].lower() in {"buy", "sell"} and all(map(_is_number, (first[0], *first[4:]))):
        return ["time", "trade_id", "order_type", "side", "price", "quantity", "cost"]
    if len(first) >= 6 and flags[:1] == [5] and all(map(_is_number, first[:5])):
        return ["trade_id", "price", "quantity", "quote_quantity", "time", "is_buyer_maker"]
    if len(first) >= 7 and flags[:1] == [6] and all(map(_is_number, first[:6])):
        return ["agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "time", "is_buyer_maker"]
    return None


def _names_of_quotes(first: list[str]) -> list[str] | None:
    if len(first) in (3, 5) and all(map(_is_number, first[1:])):
        return ["time", "bid", "ask", "bid_size", "ask_size"][: len(first)]
    return None


TRADES = Shape("trade", "time,price,quantity,side,trade_id", 3, recognise_trades, _names_of_trades)
QUOTES = Shape("quote", "time,bid,ask,bid_size,ask_size", 3, recognise_quotes, _names_of_quotes)
