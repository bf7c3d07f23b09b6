"""Small markets drawn as tables and orders sent at their closes: a sentence of the fill rules in a few lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.baseline.records import (
    BUY,
    SELL,
    FillRecord,
    OrderRecord,
    Reason,
    State,
    TradeRecord,
)
from neural_trader.market.bars import Bars, Step
from parity.markets import WHOLE, make_bars
from parity.outcome import RecordsFromColumns, rows_of_columns

BAR_NS = 100
GAP_NS = 10
"""Bars pause before the next opens, so that the time of a fill says which bar it belongs to."""

MONEY = 10**18
"""One unit of the account currency; with whole ticks and lots it is also one tick times one lot."""
PERCENT = 10**7
"""One percent in parts per billion."""

Action = Callable[[Any], Any]
Actions = Mapping[Any, Sequence[Action] | Action]


def buy(size: int = 1, *, instrument: int = 0, **keywords: Any) -> Action:
    return lambda engine: engine.submit(instrument, BUY, size=size, **keywords)


def sell(size: int = 1, *, instrument: int = 0, **keywords: Any) -> Action:
    return lambda engine: engine.submit(instrument, SELL, size=size, **keywords)


def target(size: int, *, instrument: int = 0, **keywords: Any) -> Action:
    return lambda engine: engine.submit(instrument, BUY, size_kind="target_quantity", size=size, **keywords)


def cancel(order: int) -> Action:
    return lambda engine: engine.cancel(order)


def bars_of(
    symbol: str, table: str, *, bar_ns: int = BAR_NS, first_ns: int = 0, tick: Step = WHOLE, lot: Step = WHOLE
) -> Bars:
    """Bars from a table with a heading; volume defaults to 1000 and spread to 0."""
    heading, *lines = [line.split() for line in table.strip().splitlines()]
    rows = []
    for line in lines:
        values = {"volume": 1000, "spread": 0} | dict(zip(heading, map(int, line), strict=True))
        rows.append(tuple(values[name] for name in ("open", "high", "low", "close", "volume", "spread")))
    open_ns = [first_ns + bar_ns * index for index in range(len(rows))]
    close_ns = [time_ns + bar_ns - GAP_NS for time_ns in open_ns]
    return make_bars(symbol, rows, open_ns=open_ns, close_ns=close_ns, tick=tick, lot=lot)


@dataclass
class Run:
    """What is left of a scenario, said in words: fills as ``open 1: buy 5 @ 100 taker``, orders as ``2 filled``."""

    market: list[Bars]
    answers: list[Any]
    """What each action returned, in order."""
    told: list[str]
    """What the strategy was told, in order."""
    orders: list[OrderRecord] = field(default_factory=list)
    fill_records: list[FillRecord] = field(default_factory=list)
    trades: list[TradeRecord] = field(default_factory=list)
    postings: list[tuple[int, ...]] = field(default_factory=list)
    samples: list[tuple[int, int]] = field(default_factory=list)
    exposed_samples: int = 0
    halted: bool = False

    @property
    def fills(self) -> list[str]:
        return [self._say_fill(fill) for fill in self.fill_records]

    @property
    def ends(self) -> list[str]:
        return [say_order(order) for order in self.orders]

    @property
    def equity(self) -> list[int]:
        """Equity of each sample in whole units of currency; a fraction would be an error in the scenario."""
        return [_whole(amount) for _, amount in self.samples]

    def _say_fill(self, fill: FillRecord) -> str:
        bars = self.market[fill.instrument]
        when = next(
            f"{phase} {index}"
            for phase, column in (("open", bars.open_ns), ("close", bars.close_ns))
            for index, time_ns in enumerate(column)
            if time_ns == fill.time_ns
        )
        symbol = f"{bars.symbol} " if len(self.market) > 1 else ""
        side = "buy" if fill.side == BUY else "sell"
        return f"{symbol}{when}: {side} {fill.quantity} @ {fill.price} {'maker' if fill.maker else 'taker'}"


def say_order(order: OrderRecord) -> str:
    """The order's id and state, with what was filled of it if that is a part, and the reason if there is one."""
    words = [str(order.id), State(order.state).name.lower()]
    if 0 < order.filled < order.quantity:
        words.append(f"({order.filled} of {order.quantity})")
    if order.reason:
        words.append(Reason(order.reason).name.lower())
    return " ".join(words)


def _whole(amount: int) -> int:
    assert amount % MONEY == 0, f"{amount} is not a whole amount"
    return amount // MONEY


class Scripted:
    """Does the actions of a scenario when their bar closes, or when a notification comes that starts with their key."""

    def __init__(self, actions: Actions) -> None:
        self._actions: dict[Any, Sequence[Action]] = {
            key: action if isinstance(action, Sequence) else [action] for key, action in actions.items()
        }
        self._done: dict[Any, bool] = defaultdict(bool)
        self.answers: list[Any] = []
        self.told: list[str] = []

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        self.told.append(f"bar {instrument} {bar_index}")
        self._act(engine, bar_index if instrument == 0 else (instrument, bar_index))

    def on_fill(self, engine: Any, fill: FillRecord) -> None:
        self.told.append(f"fill {fill.order}")
        self._act(engine, self.told[-1])

    def on_order(self, engine: Any, order: OrderRecord) -> None:
        self.told.append(f"order {say_order(order)}")
        self._act(engine, f"order {order.id}")

    def _act(self, engine: Any, key: Any) -> None:
        """Once for each key, so that a partial fill does not repeat what the first fill caused."""
        if self._done[key]:
            return
        self._done[key] = True
        for action in self._actions.get(key, ()):
            self.answers.append(action(engine))


def play(engine_name: str, market: str | list[Bars], actions: Actions, **config: Any) -> Run:
    """Play a scenario; cash is a million unless it says otherwise."""
    bars = [bars_of("A", market)] if isinstance(market, str) else market
    config = {"cash": 1_000_000 * MONEY} | config
    strategy = Scripted(actions)
    if engine_name == "baseline":
        engine = BaselineEngine(bars, **config, checked=True)
        engine.run(strategy)
        return Run(
            bars,
            strategy.answers,
            strategy.told,
            engine.orders,
            engine.fills,
            engine.trades(),
            [(line.transaction, line.account, line.instrument, line.unit, line.amount) for line in engine.postings],
            list(engine.equity_samples),
            engine.exposed_samples,
            engine.halted,
        )
    from neural_trader._core import Engine

    rust = Engine(bars, **config)
    rust.run(RecordsFromColumns(strategy))
    rust.check_invariants()
    return Run(
        bars,
        strategy.answers,
        strategy.told,
        [OrderRecord(*row) for row in rows_of_columns("orders", rust.orders)],
        [FillRecord(*row) for row in rows_of_columns("fills", rust.fills)],
        [TradeRecord(*row) for row in rows_of_columns("trades", rust.trades)],
        rows_of_columns("postings", rust.postings),
        list(zip(*rust.equity_samples, strict=True)),
        rust.exposed_samples,
        rust.halted,
    )
