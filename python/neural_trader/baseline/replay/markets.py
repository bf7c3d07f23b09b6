"""The markets of a replay, each by what it is made of: records of its own kinds, or bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neural_trader.baseline.instrument import BarsLike
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.replay.bars import BarMarket
from neural_trader.baseline.replay.depth import Depth
from neural_trader.baseline.replay.events import trade_kind
from neural_trader.baseline.replay.market import Grid, Market, one_for_each
from neural_trader.baseline.replay.orders_depth import depth_named
from neural_trader.baseline.terms import AccountTerms


def markets_of(
    grids: Sequence[Grid],
    bars: Mapping[int, BarsLike],
    ledger: Ledger,
    terms: AccountTerms,
    *,
    depth: str | Sequence[str],
    trades: str | Sequence[str],
    first: bool,
    volume_cap_ppb: int | None,
) -> list[Any]:
    """A market for each instrument, in order; those with ``bars`` are made of them."""
    depths = one_for_each(depth, len(grids))
    kinds = [trade_kind(name) for name in one_for_each(trades, len(grids))]
    rates = {currency.rate_instrument for currency in terms.currencies}
    return [
        BarMarket(index, bars[index], ledger, terms.contract(index), volume_cap_ppb)
        if index in bars
        else Market(
            index,
            grid,
            ledger,
            terms.contract(index),
            depth=depths[index],
            trades=kinds[index],
            first=first,
            is_rate=index in rates,
        )
        for index, grid in enumerate(grids)
    ]


def views_of(markets: Sequence[Any], depth: str | Sequence[str]) -> list[Depth]:
    """Empty books to be filled with what arrives here; bars have theirs, which shows nothing."""
    depths = one_for_each(depth, len(markets))
    return [
        market.depth if isinstance(market, BarMarket) else depth_named(name)
        for market, name in zip(markets, depths, strict=True)
    ]
