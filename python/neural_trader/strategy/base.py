"""The base class of strategies: what they are told, what they may see, and how they act."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader._native import Bar, Engine, Indicator
from neural_trader.codes import KINDS, REASONS, STATES
from neural_trader.errors import UsageError
from neural_trader.strategy.parameters import accept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from neural_trader.market.bars import Series, Step
    from neural_trader.strategy.overlays import Overlay

__all__ = ["Bar", "Fill", "Indicator", "Order", "Strategy"]

_PPB = 1_000_000_000
_MONEY = 10**18


class Fill(NamedTuple):
    """A fill of one of the strategy's orders, in decimal units; ``side`` is 1 for a buy and -1 for a sell."""

    order: int
    symbol: str
    side: int
    quantity: float
    price: float
    fee: float
    maker: bool
    time_ns: int


class Order(NamedTuple):
    """An order that ended without filling wholly: ``state`` is cancelled, expired or rejected, ``reason`` says why."""

    id: int
    symbol: str
    side: int
    kind: str
    quantity: float
    filled: float
    state: str
    reason: str


class Strategy:
    """A trading strategy; annotated class attributes are its parameters.

    Override any of ``on_start on_bar on_moment on_fill on_order on_stop``. What is decided at the close of a bar fills
    at the next open, and nothing of the future can be reached from here.

    >>> class Breakout(Strategy):
    ...     window: int = 20
    ...     def on_start(self):
    ...         self.top = self.highest(self.window)
    ...     def on_bar(self, bar):
    ...         if bar.close > self.top.previous:
    ...             self.target(self.share)
    >>> Breakout(window=55).parameters
    {'window': 55}
    """

    symbols: tuple[str, ...]
    """Symbols of the run, ascending."""
    share: float
    """The equal share of equity of one instrument: one over their number."""
    bars_per_year: float
    """Bars in a year of 365.25 days at the usual distance between bars."""

    def __init__(self, **parameters: Any) -> None:
        self.parameters: dict[str, Any] = accept(type(self), parameters)
        for name, value in self.parameters.items():
            setattr(self, name, value)
        self._overlays: tuple[Overlay, ...] = ()

    # What a strategy is told.

    def on_start(self) -> None:
        """Called once before the first bar; make indicators here."""

    def on_bar(self, bar: Bar) -> None:
        """Called for each instrument's completed bar."""

    def on_moment(self, time_ns: int) -> None:
        """Called once after all bars that close at the same time; decide across instruments here."""

    def on_fill(self, fill: Fill) -> None:
        """Called for each fill of an own order."""

    def on_order(self, order: Order) -> None:
        """Called for each own order that is cancelled, expires or is rejected."""

    def on_stop(self) -> None:
        """Called once after the last bar."""

    def native(self) -> tuple[str, tuple[int, ...]] | None:
        """The engine's Rust form of this strategy and its arguments, where there is one; the outcome is the same."""
        return None

    # What a strategy may see.

    def position(self, symbol: str | None = None) -> float:
        """Units held, negative if short; of the instrument whose bar is being delivered unless a symbol is given."""
        return self._engine.units(self._rank(symbol))

    def price(self, symbol: str) -> float:
        """Last known price of an instrument, NaN before its first."""
        return self._engine.price(self._rank(symbol))

    @property
    def equity(self) -> float:
        """Cash and positions at their last prices, in the account currency."""
        return self._engine.equity_value

    @property
    def cash(self) -> float:
        """Cash, in the account currency."""
        return self._engine.cash() / _MONEY

    @property
    def now_ns(self) -> int:
        """Time of the last event, UTC nanoseconds."""
        return self._engine.now_ns

    def indicator(self, name: str, *parameters: float) -> Indicator:
        """A feature by name over every instrument of the run; ``features`` of the command line lists them."""
        return self._engine.indicator(name, [float(parameter) for parameter in parameters])

    def sma(self, window: int) -> Indicator:
        """Simple moving average of the close."""
        return self.indicator("sma", window)

    def ema(self, window: int) -> Indicator:
        """Exponential moving average of the close."""
        return self.indicator("ema", window)

    def rsi(self, window: int) -> Indicator:
        """Wilder's relative strength index of the close, 0 to 100."""
        return self.indicator("rsi", window)

    def deviation(self, window: int) -> Indicator:
        """Population standard deviation of the close."""
        return self.indicator("deviation", window)

    def highest(self, window: int) -> Indicator:
        """Highest high of the last bars, this one included."""
        return self.indicator("highest", window)

    def lowest(self, window: int) -> Indicator:
        """Lowest low of the last bars, this one included."""
        return self.indicator("lowest", window)

    def atr(self, window: int) -> Indicator:
        """Wilder's average true range."""
        return self.indicator("atr", window)

    def macd(self, fast: int, slow: int) -> Indicator:
        """Difference of a fast and a slow exponential average of the close."""
        return self.indicator("macd", fast, slow)

    def macd_signal(self, fast: int, slow: int, signal: int) -> Indicator:
        """Exponential average of the MACD."""
        return self.indicator("macd_signal", fast, slow, signal)

    def momentum(self, window: int, skip: int = 0) -> Indicator:
        """Return from ``window`` bars ago to ``skip`` bars ago."""
        return self.indicator("momentum", window, skip)

    def volatility(self, window: int) -> Indicator:
        """Sample standard deviation of simple returns per bar, not annualised."""
        return self.indicator("volatility", window)

    # How a strategy acts.

    def buy(self, quantity: float | None = None, **terms: Any) -> int:
        """Send a buy order; returns its id.

        Size: ``quantity`` in units, ``cash=`` in the account currency, or ``fraction=`` of equity (default: ``share``).
        Kind: market, or ``limit=``, ``stop=``, both, or ``trail=`` (a distance in price). Exits: ``stop_loss=`` or
        ``stop_loss_trail=``, ``take_profit=``. ``good_till`` is "day" or a time in UTC nanoseconds or as a datetime.
        ``symbol=`` defaults to the instrument whose bar is being delivered. Prices off the grid are moved to it, never
        towards a worse limit or an earlier stop.
        """
        return self._send(1, quantity, **terms)

    def sell(self, quantity: float | None = None, **terms: Any) -> int:
        """Send a sell order; the terms are those of :meth:`buy`."""
        return self._send(-1, quantity, **terms)

    def target(
        self,
        fraction: float | None = None,
        *,
        quantity: float | None = None,
        symbol: str | None = None,
        stop_loss: float | None = None,
        stop_loss_trail: float | None = None,
        take_profit: float | None = None,
    ) -> int:
        """Bring a position to a signed fraction of equity, or to a signed quantity, with a market order.

        It replaces earlier targets of the instrument that have not filled. Returns the order's id, or 0 if none needed.
        """
        k = self._rank(symbol)
        if (fraction is None) == (quantity is None):
            raise UsageError("target takes a fraction of equity or a quantity, one of the two")
        if fraction is not None:
            for overlay in self._overlays:
                fraction = overlay.weight(self, self.symbols[k], fraction)
            if stop_loss is None and stop_loss_trail is None and fraction:
                levels = (overlay.stop_loss(self, self.symbols[k], fraction) for overlay in self._overlays)
                stop_loss = next((level for level in levels if level is not None), None)
            size_kind, size = "target_fraction", _rate(fraction)
        elif quantity is not None:
            size_kind, size = "target_quantity", self._whole_lots(k, quantity)
        held = self._engine.position(k)
        goes_up = (size > 0) if fraction is not None else size > held
        exits = self._exits(k, 1 if goes_up else -1, stop_loss, stop_loss_trail, take_profit)
        return self._engine.submit(k, 1, size_kind=size_kind, size=size, **exits)

    def cancel(self, order: int) -> bool:
        """Cancel a working order; says whether there was one."""
        return self._engine.cancel(order)

    def _send(
        self,
        side: int,
        quantity: float | None,
        *,
        cash: float | None = None,
        fraction: float | None = None,
        symbol: str | None = None,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        stop_loss: float | None = None,
        stop_loss_trail: float | None = None,
        take_profit: float | None = None,
        good_till: str | int | datetime | None = None,
    ) -> int:
        k = self._rank(symbol)
        terms: dict[str, Any] = self._exits(k, side, stop_loss, stop_loss_trail, take_profit)
        sizes = [size for size in (quantity, cash, fraction) if size is not None]
        if len(sizes) > 1:
            raise UsageError("an order has one size: a quantity, cash or a fraction")
        if quantity is not None:
            terms |= {"size_kind": "quantity", "size": self._whole_lots(k, quantity)}
        elif cash is not None:
            terms |= {"size_kind": "cash", "size": int(_number("cash", cash) * 1e9) * 10**9}
        else:
            terms |= {"size_kind": "fraction", "size": _rate(self.share if fraction is None else fraction)}
        kind = "market"
        if trail is not None:
            if limit is not None or stop is not None:
                raise UsageError("a trailing stop takes no limit and no stop")
            kind = "trailing_stop"
            terms["trail_ticks"] = self._on_grid(k, trail, up=True)
        elif limit is not None or stop is not None:
            kind = "limit" if stop is None else "stop" if limit is None else "stop_limit"
            if limit is not None:
                terms["limit"] = self._on_grid(k, limit, up=side < 0)
            if stop is not None:
                terms["stop"] = self._on_grid(k, stop, up=side > 0)
        if good_till == "day":
            terms["time_in_force"] = "day"
        elif good_till is not None:
            terms |= {"time_in_force": "gtd", "expire_ns": _time_ns(good_till)}
        return self._engine.submit(k, side, kind, **terms)

    def _exits(
        self, k: int, side: int, stop_loss: float | None, stop_loss_trail: float | None, take_profit: float | None
    ) -> dict[str, Any]:
        exits: dict[str, Any] = {}
        if stop_loss is not None:
            exits["stop_loss"] = self._on_grid(k, stop_loss, up=side < 0)
        if stop_loss_trail is not None:
            exits["stop_loss_trail_ticks"] = self._on_grid(k, stop_loss_trail, up=True)
        if take_profit is not None:
            exits["take_profit"] = self._on_grid(k, take_profit, up=side > 0)
        return exits

    def _rank(self, symbol: str | None) -> int:
        if symbol is None:
            return self._engine.current
        try:
            return self._ranks[symbol]
        except KeyError:
            raise UsageError(f"no instrument {symbol!r} in this run; it has {', '.join(self.symbols)}") from None

    def _on_grid(self, k: int, price: float, *, up: bool) -> int:
        return _steps(self._ticks[k], _number("price", price), up=up)

    def _whole_lots(self, k: int, quantity: float) -> int:
        lots = _steps(self._lots[k], abs(_number("quantity", quantity)), up=False)
        return lots if quantity >= 0 else -lots

    def _bind(self, engine: Engine, bars: Sequence[Series], overlays: tuple[Overlay, ...]) -> None:
        """Give the strategy its engine; the runner calls this before ``on_start``."""
        self._engine = engine
        self.symbols = tuple(each.symbol for each in bars)
        self.share = 1 / len(bars)
        interval_ns = min((each.interval_ns for each in bars if each.interval_ns > 0), default=0)
        self.bars_per_year = 365.25 * 86_400e9 / interval_ns if interval_ns else math.nan
        self._ranks = {symbol: k for k, symbol in enumerate(self.symbols)}
        self._ticks = [each.tick for each in bars]
        self._lots = [each.lot for each in bars]
        self._overlays = overlays

    def _fill(self, at: int) -> Fill:
        order, k, side, quantity, price, fee, maker, time_ns = self._engine.fill_record(at)
        return Fill(order, self.symbols[k], side, quantity, price, fee, maker, time_ns)

    def _order(self, order_id: int) -> Order:
        k, side, kind, quantity, filled, state, reason = self._engine.order_record(order_id)
        return Order(order_id, self.symbols[k], side, KINDS[kind], quantity, filled, STATES[state], REASONS[reason])


def _number(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise UsageError(f"the {name} of an order is {value}; indicators are NaN until they are warm: wait for that")
    return value


def _rate(fraction: float) -> int:
    # Towards zero, so that equal shares never add up to more than the whole; the half unit absorbs float noise.
    return math.trunc(_number("fraction", fraction) * _PPB + math.copysign(1e-4, fraction))


def _steps(step: Step, value: float, *, up: bool) -> int:
    """The count of steps at a value, or the next one in a direction where the value is off the grid beyond noise."""
    raw: float = value * 10**step.decimals / step.mantissa
    nearest = round(raw)
    if abs(raw - nearest) <= 1e-9 * max(1.0, abs(raw)):
        return nearest
    return math.ceil(raw) if up else math.floor(raw)


def _time_ns(moment: str | int | datetime) -> int:
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        raise UsageError(f'good_till is "day", UTC nanoseconds or a datetime, not {moment!r}')
    if moment.tzinfo is None:
        raise UsageError("good_till needs a datetime with a time zone")
    return int(moment.timestamp() * 1_000_000) * 1_000
