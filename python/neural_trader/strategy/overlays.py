"""Overlays: risk rules that any strategy can wear, without being written for it.

An overlay stands between what a strategy wishes and what is held. Whenever the strategy sets a target as a fraction of
equity, the fraction goes through every overlay, and each multiplies it by its own factor. An overlay that changes its
mind while the strategy is silent sets the strategy's last wish again, and so asks all overlays anew.

Orders that a strategy sends with ``buy`` and ``sell``, and targets given as a quantity, are not scaled.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from neural_trader.strategy.base import Bar, Indicator, Strategy


@dataclass
class Overlay:
    """The base of overlays, which changes nothing: override ``factor`` or ``stop_loss``, and ``on_bar`` to act.

    An overlay is a dataclass whose fields are its parameters.
    """

    remembers: ClassVar[bool] = False
    """Whether it asks the memory of the run, as :attr:`Strategy.remembers` says of strategies."""

    def document(self) -> dict[str, Any]:
        """Name and parameters, as reports show them and as the digest of a run covers them."""
        return {"overlay": type(self).__name__, **asdict(self)}

    def on_start(self, strategy: Strategy) -> None:
        """Called once, before the first bar; make indicators here."""
        # One overlay object may serve several runs, one after the other; nothing of the last one may be left.
        self.asked = dict.fromkeys(strategy.symbols, 0.0)
        self.applied = dict.fromkeys(strategy.symbols, 1.0)

    def on_bar(self, strategy: Strategy, bar: Bar) -> None:
        """Called for each closed bar: scales what is held when the factor has moved.

        A position that was stopped out stays out: only one that is held is scaled, or one that this overlay withheld.
        """
        wish = self.wish(strategy, bar.symbol)
        applied = self.applied[bar.symbol]
        if wish == 0.0 or (applied > 0.0 and strategy.position(bar.symbol) == 0.0):
            return
        if self.has_moved(applied, self.factor(strategy, bar.symbol, wish)):
            strategy.target(wish, symbol=bar.symbol)

    def wish(self, strategy: Strategy, symbol: str) -> float:
        """The last fraction that the strategy itself set, which is what the first overlay was asked."""
        return strategy._overlays[0].asked[symbol]

    def weight(self, strategy: Strategy, symbol: str, fraction: float) -> float:
        """The fraction that this overlay makes of one; called for every target, zero included, overlay by overlay."""
        self.asked[symbol] = fraction
        wish = self.wish(strategy, symbol)
        self.applied[symbol] = self.factor(strategy, symbol, wish) if wish else 1.0
        return fraction * self.applied[symbol]

    def factor(self, strategy: Strategy, symbol: str, wish: float) -> float:
        """The factor, not negative, for a strategy's wish that is not zero."""
        return 1.0

    def has_moved(self, applied: float, factor: float) -> bool:
        """Whether a factor is far enough from the one in force to trade for it."""
        return factor != applied

    def stop_loss(self, strategy: Strategy, symbol: str, fraction: float) -> float | None:
        """A stop price for the position that a target opens or enlarges, or None."""
        return None


@dataclass
class VolatilityTarget(Overlay):
    """Scale every position so that its instrument's volatility per year comes to ``annual`` times its share.

    The volatility is that of the last ``n`` bar returns, made annual by the real spacing of the bars. The factor is at
    most ``limit``, and 0 until the volatility is known. A position is scaled again when the factor has moved by more
    than ``band`` of itself, so that not every bar costs a fee.

    Source: A. Moreira and T. Muir, "Volatility-Managed Portfolios", Journal of Finance 72 (2017).
    """

    annual: float = 0.2
    n: int = 20
    limit: float = 1.0
    band: float = 0.1

    def __post_init__(self) -> None:
        if not self.annual > 0:
            raise ValueError(f"VolatilityTarget: annual ({self.annual}) must be positive")
        if not self.limit > 0:
            raise ValueError(f"VolatilityTarget: limit ({self.limit}) must be positive")
        if not self.band >= 0:
            raise ValueError(f"VolatilityTarget: band ({self.band}) must not be negative")

    def on_start(self, strategy: Strategy) -> None:
        super().on_start(strategy)
        self.volatility: Indicator = strategy.volatility(self.n)
        self.root_of_year = math.sqrt(strategy.bars_per_year)

    def factor(self, strategy: Strategy, symbol: str, wish: float) -> float:
        annual = self.volatility[symbol] * self.root_of_year
        if math.isnan(annual):
            return 0.0
        # A market that has not moved has no volatility to aim at; the limit holds.
        return min(self.limit, self.annual / annual) if annual > 0 else self.limit

    def has_moved(self, applied: float, factor: float) -> bool:
        return abs(factor - applied) > self.band * applied


@dataclass
class RegimeFilter(Overlay):
    """Hold longs only above the average of the last ``trend`` closes, and shorts only below it.

    An open position is taken off when the regime turns, and comes back with it if the strategy still wants it. Until
    the average is known nothing is held.

    Source: M. Faber, "A Quantitative Approach to Tactical Asset Allocation", Journal of Wealth Management (2007).
    """

    trend: int = 200

    def __post_init__(self) -> None:
        if self.trend < 2:
            raise ValueError(f"RegimeFilter: trend ({self.trend}) must be at least 2")

    def on_start(self, strategy: Strategy) -> None:
        super().on_start(strategy)
        self.average: Indicator = strategy.sma(self.trend)

    def factor(self, strategy: Strategy, symbol: str, wish: float) -> float:
        above = strategy.price(symbol) - self.average[symbol]
        return 1.0 if above * wish > 0 else 0.0


@dataclass
class StopLoss(Overlay):
    """A stop ``percent`` away from the close at which the target was set.

    It is an order at the venue: it fills during the bar, at the stop, or at the open of a bar that gaps through it.
    """

    percent: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.percent < 100:
            raise ValueError(f"StopLoss: percent ({self.percent}) must be between 0 and 100")

    def stop_loss(self, strategy: Strategy, symbol: str, fraction: float) -> float | None:
        price = strategy.price(symbol)
        if fraction == 0.0 or math.isnan(price):
            return None
        return price * (1.0 - math.copysign(self.percent / 100.0, fraction))


@dataclass
class TrailingStop(Overlay):
    """Leave when a close is ``percent`` worse than the best price since the position was opened.

    It is judged at the close and fills at the next open, so that it guards what is held whatever orders opened it.
    """

    percent: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.percent < 100:
            raise ValueError(f"TrailingStop: percent ({self.percent}) must be between 0 and 100")

    def on_start(self, strategy: Strategy) -> None:
        super().on_start(strategy)
        self.best = dict.fromkeys(strategy.symbols, 0.0)
        """Best price of the open position, with the sign of the position; 0 while there is none."""

    def on_bar(self, strategy: Strategy, bar: Bar) -> None:
        held = strategy.position(bar.symbol)
        best = self.best[bar.symbol]
        if held == 0.0:
            self.best[bar.symbol] = 0.0
            return
        if best * held <= 0.0:
            # The position is new, or was turned around: its first bar begins at the open that filled it.
            best = math.copysign(bar.open, held)
        best = max(best, bar.high) if held > 0 else max(best, -bar.low)
        self.best[bar.symbol] = best
        level = abs(best) * (1.0 - math.copysign(self.percent / 100.0, held))
        if (bar.close - level) * held < 0.0:
            strategy.target(0.0, symbol=bar.symbol)


@dataclass
class RecallSizing(Overlay):
    """Scale what is opened by what came of the ``k`` most similar decisions: less of it where they did badly.

    The factor is the share of them, by weight, that ended with a gain, doubled and at most 1, so that an even record
    costs nothing. Until ``least`` decisions have ended it is 1. It is judged when a position is opened, and then kept.

    Source: the fraction that Kelly ("A New Interpretation of Information Rate", 1956) bets at even odds is ``2 p - 1``;
    this overlay is kinder, ``2 p``, because it is the strategy that found the edge, and memory only doubts it.
    """

    remembers: ClassVar[bool] = True
    k: int = 25
    least: int = 60

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"RecallSizing: k ({self.k}) must be at least 1")

    def factor(self, strategy: Strategy, symbol: str, wish: float) -> float:
        if strategy.position(symbol) * wish > 0:
            return self.applied[symbol]
        found = strategy.recall(self.k, symbol=symbol)
        if found.searched < max(1, self.least):
            return 1.0
        return min(1.0, 2 * found.success_rate)
