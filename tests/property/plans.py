"""Generated markets and order plans: data through and through, so that a law can transform them and play them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from neural_trader.baseline import Engine
from neural_trader.baseline.records import BUY, SELL
from neural_trader.market.bars import Bars
from parity.markets import make_bars

BILLION = 10**9
MONEY = 10**18
DAY_NS = 86_400 * BILLION
BAR_NS = DAY_NS // 3
PAUSE_NS = BAR_NS // 4

LOW, HIGH = 40, 160
"""Prices stay well away from one tick, where mirroring and scaling would meet the floor."""
AMPLE_CASH = 10**12 * MONEY

Row = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Planned:
    """An order to send when a bar of an instrument closes; keywords as ``submit`` takes them."""

    bar: int
    instrument: int
    side: int
    keywords: dict[str, Any]

    def mapped(self, change: Callable[[str, Any], Any]) -> Planned:
        """The same order with each keyword changed by its name."""
        return replace(self, keywords={name: change(name, value) for name, value in self.keywords.items()})


@dataclass(frozen=True)
class Plan:
    rows: list[list[Row]]
    """Open, high, low, close, volume, spread of each bar, by instrument."""
    orders: list[Planned]
    config: dict[str, Any]
    start_ns: int = 0

    def market(self) -> list[Bars]:
        return [self._bars(f"S{index}", rows) for index, rows in enumerate(self.rows)]

    def _bars(self, symbol: str, rows: list[Row]) -> Bars:
        open_ns = [self.start_ns + BAR_NS * index for index in range(len(rows))]
        close_ns = [time_ns + BAR_NS - PAUSE_NS for time_ns in open_ns]
        return make_bars(symbol, list(rows), open_ns=open_ns, close_ns=close_ns)


class FollowPlan:
    """Sends the orders of a plan as their bars close, whatever happens."""

    def __init__(self, orders: list[Planned]) -> None:
        self._due: dict[tuple[int, int], list[Planned]] = defaultdict(list)
        for order in orders:
            self._due[order.instrument, order.bar].append(order)

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        for order in self._due[instrument, bar_index]:
            engine.submit(instrument, order.side, **order.keywords)

    def on_fill(self, engine: Any, fill: Any) -> None: ...

    def on_order(self, engine: Any, order: Any) -> None: ...


def follow(plan: Plan) -> Engine:
    """Play a plan, checked after each moment."""
    engine = Engine(plan.market(), **plan.config, checked=True)
    engine.run(FollowPlan(plan.orders))
    return engine


prices = st.integers(LOW, HIGH)


@st.composite
def bar_rows(draw: st.DrawFn) -> Row:
    """One bar; it need not touch the one before it."""
    open_, close, one, other = (draw(prices) for _ in range(4))
    high, low = max(open_, close, one, other), min(open_, close, one, other)
    return open_, high, low, close, draw(st.integers(0, 30)), draw(st.integers(0, 4))


@st.composite
def planned_orders(draw: st.DrawFn, bars: int, instruments: int, *, targets: bool = True) -> Planned:
    """Orders in quantities, with prices and trails in ticks: what every transformation can carry along."""
    kind = draw(st.sampled_from(("market", "limit", "stop", "stop_limit", "trailing_stop")))
    keywords: dict[str, Any] = {"kind": kind, "size": draw(st.integers(1, 20))}
    if kind in ("limit", "stop_limit"):
        keywords["limit"] = draw(prices)
    if kind in ("stop", "stop_limit"):
        keywords["stop"] = draw(prices)
    if kind == "trailing_stop":
        keywords["trail_ticks"] = draw(st.integers(1, LOW // 2))
    if kind == "market" and targets and draw(st.booleans()):
        keywords |= {"size_kind": "target_quantity", "size": draw(st.integers(-20, 20))}
    match draw(st.integers(0, 4)):
        case 0:
            keywords |= {"stop_loss": draw(prices), "take_profit": draw(prices)}
        case 1:
            keywords |= {"stop_loss_trail_ticks": draw(st.integers(1, LOW // 2)), "take_profit": draw(prices)}
    match draw(st.integers(0, 4)):
        case 0:
            keywords["time_in_force"] = "day"
        case 1:
            keywords |= {"time_in_force": "gtd", "expire_ns": draw(st.integers(0, bars)) * BAR_NS}
    instrument = draw(st.integers(0, instruments - 1))
    return Planned(draw(st.integers(0, bars - 1)), instrument, draw(st.sampled_from((BUY, SELL))), keywords)


@st.composite
def plans(draw: st.DrawFn, /, *, instruments: int = 2, **config: Any) -> Plan:
    """Plans with money enough that margin and ruin stay out of it, unless ``config`` says otherwise."""
    bars = draw(st.integers(2, 8))
    rows = [draw(st.lists(bar_rows(), min_size=bars, max_size=bars)) for _ in range(instruments)]
    orders = draw(st.lists(planned_orders(bars, instruments), max_size=8))
    drawn = {
        "cash": AMPLE_CASH,
        "slippage_ticks": draw(st.integers(0, 3)),
        "fill_close": draw(st.booleans()),
        "limit_through": draw(st.booleans()),
        "volume_cap_ppb": draw(st.sampled_from((None, BILLION // 2, BILLION))),
        "close_at_end": draw(st.booleans()),
    }
    return Plan(rows, orders, drawn | config)
