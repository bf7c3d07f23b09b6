"""The base class of strategies: what they are told, what they may see, and how they act."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from neural_trader._native import Bar, Engine, Indicator, Replay, Tick
from neural_trader.codes import KINDS, REASONS, STATES
from neural_trader.errors import UsageError
from neural_trader.strategy.outputs import outputs_named
from neural_trader.strategy.parameters import accept
from neural_trader.strategy.terms import Exits, Grid, Terms, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from neural_trader.market.bars import Series
    from neural_trader.market.recordings import Listed
    from neural_trader.memory.recall import Recall
    from neural_trader.memory.recorder import Decision, Recorder
    from neural_trader.strategy.overlays import Overlay
    from neural_trader.strategy.situation import Situation

__all__ = ["Bar", "Fill", "Indicator", "Order", "Strategy", "Tick"]

_MONEY = 10**18
_GIVEN = frozenset(
    {
        "parameters",
        "symbols",
        "share",
        "bars_per_year",
        "_engine",
        "_ranks",
        "_grids",
        "_overlays",
        "_memory",
        "_situation",
    }
)
"""What a strategy has from those who run it, who give it again."""


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
    """An order that ended without filling wholly: ``state`` is cancelled, expired or rejected, ``reason`` says why.

    In a replay also one of which a venue says something else: ``event`` is accepted, amended, refused (to be cancelled
    or amended), triggered or ended, and the order is told of as it stood when the venue said so.
    """

    id: int
    symbol: str
    side: int
    kind: str
    quantity: float
    filled: float
    state: str
    reason: str
    event: str = "ended"


class Macd(NamedTuple):
    """Handles of the outputs of a MACD."""

    line: Indicator
    signal: Indicator
    histogram: Indicator


class Strategy:
    """A trading strategy; annotated class attributes are its parameters.

    Override any of ``on_start on_bar on_moment on_fill on_order on_stop``; for replays of recorded books and trades
    ``on_trade on_quote on_book on_timer``, or ``on_batch`` for columns, instead of bars. What is decided at the close
    of a bar fills at the next open, what is sent in a replay arrives after its latency, and nothing of the future can
    be reached from here.

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

    remembers: ClassVar[bool] = False
    """Whether it calls ``recall``: a run without a memory then gets one that begins empty and ends with it."""
    batch: ClassVar[str] = "10ms"
    """The time between batches of records, for ``on_batch``."""
    batch_kinds: ClassVar[tuple[str, ...]] = ()
    """The kinds of records that ``on_batch`` is told of, such as ``("trade", "level")``; () for all of them."""
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
        self._memory: Recorder | None = None
        self._situation: Situation | None = None

    # What a strategy is told.

    def on_start(self) -> None:
        """Called once before the first bar; make indicators here."""

    def on_bar(self, bar: Bar) -> None:
        """Called for each instrument's completed bar."""

    def on_moment(self, time_ns: int) -> None:
        """Called once after all bars that close at the same time; decide across instruments here."""

    def on_trade(self, trade: Tick) -> None:
        """Called for each trade of a replay."""

    def on_quote(self, quote: Tick) -> None:
        """Called for each side of the best prices that a venue states in a replay."""

    def on_book(self, symbol: str) -> None:
        """Called when a whole message has changed a book of a replay; see ``best_bid``, ``best_ask`` and ``levels``."""

    def on_batch(self, events: NDArray[Any]) -> None:
        """Called with the records of a replay that arrived since the last call, at multiples of ``batch``.

        ``events`` has the columns of ``neural_trader.market.events.EVENT``: prices in ticks, quantities in lots
        (``tick`` and ``lot`` say what one is), ``instrument`` as its place in ``symbols``. It cannot be written to.
        Whoever has this callback has none of ``on_trade on_quote on_book``.
        """

    def on_timer(self, time_ns: int) -> None:
        """Called at the times that ``set_timer`` asked for, in a replay."""

    def on_fill(self, fill: Fill) -> None:
        """Called for each fill of an own order."""

    def on_order(self, order: Order) -> None:
        """Called for each own order that is cancelled, expires or is rejected."""

    def on_stop(self) -> None:
        """Called once after the last bar."""

    def report(self) -> dict[str, Any]:
        """Figures of its own, by name: numbers and texts for every report, asked for once after ``on_stop``.

        >>> class Counter(Strategy):
        ...     def on_start(self):
        ...         self.trades = 0
        ...     def on_trade(self, trade):
        ...         self.trades += 1
        ...     def report(self):
        ...         return {"trades seen": self.trades}
        """
        return {}

    def situation(self, symbol: str) -> dict[str, float]:
        """What an instrument looks like now, by name: how a memory finds like situations again.

        Override it to be remembered by features of your own. What is not a number is left out.
        """
        if self._situation is None:
            raise UsageError("a situation is looked at in a run with a memory (--memory PATH)")
        return self._situation.features(symbol)

    def native(self) -> tuple[str, tuple[float, ...]] | None:
        """The engine's Rust form of this strategy and its arguments, where there is one; the outcome is the same."""
        return None

    # What a strategy keeps over a stop.

    def state(self) -> dict[str, Any]:
        """What a snapshot of the run keeps of the strategy: all that it has set on itself, unless overridden.

        Numbers, text, times, lists, tuples, dicts, deques, numpy arrays, generators of random numbers, indicators, and
        dataclasses and named tuples of the strategy's own module can be kept; a set, which has no order, cannot.
        """
        return {name: value for name, value in vars(self).items() if name not in _GIVEN}

    def restore(self, state: dict[str, Any]) -> None:
        """Take what :meth:`state` gave, when a run goes on; ``on_start`` is not called again."""
        vars(self).update(state)

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

    def best_bid(self, symbol: str | None = None) -> float:
        """The best bid of a replay that has arrived here, NaN if there is none."""
        return self._best(symbol, 1)

    def best_ask(self, symbol: str | None = None) -> float:
        """The best ask of a replay that has arrived here, NaN if there is none."""
        return self._best(symbol, -1)

    def levels(self, side: int, count: int = 10, symbol: str | None = None) -> list[tuple[float, float]]:
        """Prices and quantities of the best levels of a replay that have arrived here: bids of side 1, asks of -1."""
        return self._replay.levels(self._rank(symbol), side, count)

    def tick(self, symbol: str | None = None) -> float:
        """The step of an instrument's prices."""
        tick: float = self._grids[self._rank(symbol)].tick.value_of(1)
        return tick

    def lot(self, symbol: str | None = None) -> float:
        """The step of an instrument's quantities."""
        lot: float = self._grids[self._rank(symbol)].lot.value_of(1)
        return lot

    def _best(self, symbol: str | None, side: int) -> float:
        k = self._rank(symbol)
        level = self._replay.best(k, side)
        return math.nan if level is None else self._grids[k].tick.value_of(level[0])

    def feature(self, name: str, *parameters: float, series: str | None = None) -> Any:
        """A feature of bars by name, over every instrument of the run; ``features`` of the command line lists them.

        A handle, or a named tuple of handles where the feature has several outputs. ``series`` is the field of a bar
        that a feature of one series reads, the close as a rule: ``self.feature("sma", 20, series="volume")``.
        """
        if isinstance(self._engine, Replay):
            raise UsageError("features are of bars; a replay has books and trades")
        outputs = self._engine.feature(name, [float(parameter) for parameter in parameters], series)
        if len(outputs) == 1:
            return outputs[0][1]
        return outputs_named(name, tuple(each for each, _ in outputs))(*(handle for _, handle in outputs))

    def sma(self, window: int) -> Indicator:
        """Simple moving average of the close."""
        return self._one("sma", window)

    def ema(self, window: int) -> Indicator:
        """Exponential moving average of the close."""
        return self._one("ema", window)

    def rsi(self, window: int) -> Indicator:
        """Wilder's relative strength index of the close, 0 to 100."""
        return self._one("rsi", window)

    def deviation(self, window: int) -> Indicator:
        """Population standard deviation of the close."""
        return self._one("deviation", window)

    def highest(self, window: int) -> Indicator:
        """Highest high of the last bars, this one included."""
        return self._one("highest", window)

    def lowest(self, window: int) -> Indicator:
        """Lowest low of the last bars, this one included."""
        return self._one("lowest", window)

    def atr(self, window: int) -> Indicator:
        """Wilder's average true range."""
        return self._one("atr", window)

    def macd(self, fast: int, slow: int, signal: int) -> Macd:
        """Fast minus slow exponential average of the close, its average, and the difference of those two."""
        return Macd(*self.feature("macd", fast, slow, signal))

    def momentum(self, window: int, skip: int = 0) -> Indicator:
        """Return from ``window`` bars ago to ``skip`` bars ago."""
        return self._one("momentum", window, skip)

    def volatility(self, window: int) -> Indicator:
        """Sample standard deviation of simple returns per bar, not annualised."""
        return self._one("volatility", window)

    def _one(self, name: str, *parameters: float) -> Indicator:
        handle: Indicator = self.feature(name, *parameters)
        return handle

    def recall(self, k: int = 10, *, symbol: str | None = None, **wanted: Any) -> Recall:
        """The ``k`` decisions of the run's memory whose situations were most like this one, and that have ended.

        ``wanted`` may be ``strategy= regime= won=`` or ``weighting=``; ``same_symbol=True`` asks only of this
        instrument. Nothing that ended later is in the answer. Without a memory (``--memory PATH``) it is an error.
        """
        if self._memory is None:
            raise UsageError("there is no memory to ask; run with --memory PATH, or memory= in Python")
        name = self.symbols[self._rank(symbol)]
        if wanted.pop("same_symbol", False):
            wanted["symbol"] = name
        return self._memory.recall(self._seen(name), k, self.now_ns, **wanted)

    # How a strategy acts.

    def buy(self, quantity: float | None = None, **terms: Any) -> int:
        """Send a buy order; returns its id.

        Size: ``quantity`` in units, ``cash=`` in the account currency, or ``fraction=`` of equity (default: ``share``).
        Kind: market, or ``limit=``, ``stop=``, both, or ``trail=`` (a distance in price). Exits: ``stop_loss=`` or
        ``stop_loss_trail=``, ``take_profit=``. ``good_till`` is "day" or a time in UTC nanoseconds or as a datetime.
        A replay takes quantities only, and also ``touch=`` (a market order once its price is touched),
        ``post_only=True``, ``reduce_only=True``, ``display=`` (the part of a limit order that is shown) and
        ``good_till="ioc"`` or ``"fok"``.
        ``symbol=`` defaults to the instrument whose bar is being delivered; ``reason=`` is for the memory. Prices off
        the grid are moved to it, never towards a worse limit or an earlier stop.
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
        reason: str = "",
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
            size_kind, size = "target_fraction", rate(fraction)
        elif quantity is not None:
            size_kind, size = "target_quantity", self._grids[k].lots(quantity)
        held = self._engine.position(k)
        goes_up = (size > 0) if fraction is not None else size > held
        exits = Exits(stop_loss=stop_loss, stop_loss_trail=stop_loss_trail, take_profit=take_profit)
        closing = exits.arguments(self._grids[k], 1 if goes_up else -1)
        sent = self._engine.submit(k, 1, size_kind=size_kind, size=size, **closing)
        self._note(sent, k, reason)
        return sent

    def cancel(self, order: int) -> bool:
        """Cancel a working order; says whether there was one. A replay asks the venue, and ``on_order`` tells."""
        if isinstance(self._engine, Replay):
            self._engine.cancel(order)
            if self._memory is not None:
                self._memory.asked(order, None)
            return True
        return self._engine.cancel(order)

    def amend(self, order: int, *, limit: float, quantity: float) -> None:
        """Ask the venue of a replay to give a limit order at rest another limit and another total quantity.

        A smaller quantity at the same limit keeps the order's place in its queue; everything else gives it up.
        """
        k, side, *_ = self._replay.order_record(order)
        grid = self._grids[k]
        self._replay.amend(order, grid.price(limit, up=side < 0), grid.lots(quantity))
        if self._memory is not None:
            self._memory.asked(order, self._decision(k, side, abs(quantity)))

    def set_timer(self, *, at_ns: int | None = None, after_ns: int | None = None) -> None:
        """Ask a replay for ``on_timer`` at a time, or after a time from now, in nanoseconds."""
        if (at_ns is None) == (after_ns is None):
            raise UsageError("a timer rings at a time or after a time, one of the two")
        self._replay.timer(at_ns if at_ns is not None else self.now_ns + (after_ns or 0))

    @property
    def _replay(self) -> Replay:
        if isinstance(self._engine, Replay):
            return self._engine
        raise UsageError("books, timers and amendments are of replays; this run plays bars")

    def _send(
        self, side: int, quantity: float | None, *, symbol: str | None = None, reason: str = "", **terms: Any
    ) -> int:
        k = self._rank(symbol)
        order = Terms(quantity=quantity, **terms)
        engine = self._replay if order.is_of_replay else self._engine
        sent = engine.submit(k, side, **order.arguments(self._grids[k], side, self.share))
        self._note(sent, k, reason)
        return sent

    def _note(self, order: int, k: int, reason: str) -> None:
        """Tell the memory of an order, where there is one."""
        if self._memory is None or not order:
            return
        _, side, _, quantity, *_ = self._engine.order_record(order)
        decision = self._decision(k, side, quantity, reason)
        if decision is not None:
            self._memory.decided(order, *decision)

    def _decision(self, k: int, side: int, quantity: float, reason: str = "") -> Decision | None:
        """What is decided now, and on what; None while the price is not known, or nothing is seen."""
        symbol, price = self.symbols[k], self._engine.price(k)
        features = self._seen(symbol)
        if not features or not math.isfinite(price):
            return None
        return symbol, side, quantity, price, features, self.now_ns, reason

    def _seen(self, symbol: str) -> dict[str, float]:
        return {name: value for name, value in self.situation(symbol).items() if math.isfinite(value)}

    def _rank(self, symbol: str | None) -> int:
        if symbol is None:
            return self._engine.current
        try:
            return self._ranks[symbol]
        except KeyError:
            raise UsageError(f"no instrument {symbol!r} in this run; it has {', '.join(self.symbols)}") from None

    def _bind(
        self,
        engine: Engine | Replay,
        instruments: Sequence[Series | Listed],
        overlays: tuple[Overlay, ...],
        interval_ns: int = 0,
    ) -> None:
        """Give the strategy its engine; the runner calls this before ``on_start``."""
        self._engine = engine
        self.symbols = tuple(each.symbol for each in instruments)
        self.share = 1 / len(instruments)
        self.bars_per_year = 365.25 * 86_400e9 / interval_ns if interval_ns else math.nan
        self._ranks = {symbol: k for k, symbol in enumerate(self.symbols)}
        self._grids = [Grid(each.tick, each.lot) for each in instruments]
        self._overlays = overlays

    def _remember(self, recorder: Recorder, situation: Situation | None = None) -> None:
        """Give the strategy a memory; the runner calls this after ``_bind`` and before ``on_start``.

        Without a ``situation`` it is that of bars.
        """
        from neural_trader.strategy.situation import BarSituation

        self._memory = recorder
        if type(self).situation is Strategy.situation:
            self._situation = situation or BarSituation(self)

    def _fill(self, at: int) -> Fill:
        order, k, side, quantity, price, fee, maker, time_ns = self._engine.fill_record(at)
        return Fill(order, self.symbols[k], side, quantity, price, fee, maker, time_ns)

    def _order(self, order_id: int, event: str = "ended") -> Order:
        k, side, kind, quantity, filled, state, reason = self._engine.order_record(order_id)
        state_name, reason_name = STATES[state], REASONS[reason]
        return Order(order_id, self.symbols[k], side, KINDS[kind], quantity, filled, state_name, reason_name, event)
