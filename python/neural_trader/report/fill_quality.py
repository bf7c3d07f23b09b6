"""How good the fills of a replay were: what they cost against the middle, and what the market did after them.

Markouts follow Harris, *Trading and Exchanges* (2003), chapter 21: the price some time after a fill, seen from the side
that filled. A maker whose markouts fall below what was earned at the fill was picked off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.report.outcome import Floats, Outcome, Times

HORIZONS_S = (1, 2, 5, 10, 30, 60)
"""Seconds after a fill at which the market is looked at."""
_BPS = 1e4


@dataclass(frozen=True)
class Markout:
    """The mean gain of fills against the middle some time later, in basis points, weighted by their value."""

    seconds: int
    gain_bps: float
    fills: int


@dataclass(frozen=True, eq=False)
class FillQuality:
    """The fills and orders of a replay; a number that nothing could be measured for is NaN."""

    fills: pl.DataFrame
    orders: pl.DataFrame
    middles: dict[str, tuple[Times, Floats]]
    """Times and prices of the middle between best bid and ask, by instrument."""

    @cached_property
    def _sign(self) -> Floats:
        return np.where((self.fills["side"] == "buy").to_numpy(), 1.0, -1.0)

    @cached_property
    def _value(self) -> Floats:
        value: Floats = (self.fills["price"] * self.fills["quantity"]).to_numpy()
        return value

    @cached_property
    def _is_maker(self) -> Any:
        return (self.fills["liquidity"] == "maker").to_numpy()

    @property
    def maker_share(self) -> float:
        """The part of the value that filled at rest."""
        return _mean(self._is_maker.astype(float), self._value)

    def effective_bps(self, liquidity: str) -> float:
        """What makers or takers paid against the middle at the venue then, in basis points; below 0 if earned."""
        frame = self.fills
        middle = ((frame["bid"] + frame["ask"]) / 2).to_numpy()
        paid = self._sign * (frame["price"].to_numpy() - middle) / middle * _BPS
        return _mean(paid, np.where((frame["liquidity"] == liquidity).to_numpy(), self._value, 0.0))

    @cached_property
    def markouts(self) -> tuple[Markout, ...]:
        """The gain of all fills against the middle at each horizon; fills too near to the end are left out."""
        time_ns = self.fills["time"].cast(int).to_numpy()
        symbols = self.fills["symbol"].to_numpy()
        price = self.fills["price"].to_numpy()
        found = []
        for seconds in HORIZONS_S:
            later = np.full(len(price), np.nan)
            for symbol, (times, middles) in self.middles.items():
                mine = (symbols == symbol) & (time_ns + seconds * 10**9 <= (times[-1] if len(times) else 0))
                at = np.searchsorted(times, time_ns[mine] + seconds * 10**9, side="right") - 1
                later[mine] = np.where(at >= 0, middles[np.maximum(at, 0)], np.nan)
            gain = self._sign * (later - price) / price * _BPS
            found.append(Markout(seconds, _mean(gain, self._value), int(np.isfinite(gain).sum())))
        return tuple(found)

    @cached_property
    def queue_seconds(self) -> Floats:
        """For each fill at rest, the seconds since its order was accepted."""
        joined = self.fills.filter(self._is_maker).join(
            self.orders.select("id", "accepted"), left_on="order", right_on="id", how="inner"
        )
        seconds: Floats = (joined["time"] - joined["accepted"]).dt.total_nanoseconds().to_numpy() / 1e9
        return seconds

    @property
    def accepted(self) -> int:
        """Orders that a venue took."""
        return len(self.orders) - self.orders["accepted"].null_count()

    @property
    def cancel_ratio(self) -> float:
        """The part of the accepted orders that was cancelled or expired without any fill."""
        idle = self.orders.filter(self.orders["accepted"].is_not_null() & (self.orders["filled"] == 0))
        ended = idle["state"].is_in(["cancelled", "expired"]).sum()
        return float(ended) / self.accepted if self.accepted else float("nan")

    def document(self) -> dict[str, Any]:
        """All figures as plain values; None where nothing could be measured."""
        waited = self.queue_seconds
        return {
            "fills": len(self.fills),
            "maker_share": _plain(self.maker_share),
            "maker_effective_bps": _plain(self.effective_bps("maker")),
            "taker_effective_bps": _plain(self.effective_bps("taker")),
            "queue_seconds_median": _plain(float(np.median(waited)) if len(waited) else float("nan")),
            "queue_seconds_p90": _plain(float(np.quantile(waited, 0.9)) if len(waited) else float("nan")),
            "orders_accepted": self.accepted,
            "cancel_ratio": _plain(self.cancel_ratio),
            "markouts": [
                {"seconds": each.seconds, "gain_bps": _plain(each.gain_bps), "fills": each.fills}
                for each in self.markouts
            ],
        }


def fill_quality(result: Outcome) -> FillQuality | None:
    """The quality of the fills of a replay; None for a run over bars, which knows no bid and ask."""
    if "bid" not in result.fills.columns:
        return None
    middles = {bars.symbol: (bars.close_ns, bars.close_price) for bars in (each.whole() for each in result.series)}
    return FillQuality(result.fills, result.orders, middles)


def _mean(values: Floats, weights: Floats) -> float:
    counted = np.isfinite(values) & (weights > 0)
    return float(np.average(values[counted], weights=weights[counted])) if counted.any() else float("nan")


def _plain(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None
