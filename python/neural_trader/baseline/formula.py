"""Formulas in plain Python: the values of their nodes, and what they ask of an engine (docs/expressions.md)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from neural_trader.baseline.across import ACROSS, across
from neural_trader.baseline.arithmetic import BILLION
from neural_trader.baseline.features import LARGEST, TWINS
from neural_trader.baseline.features.calendar import instant
from neural_trader.errors import EngineError

NAN = math.nan


class Bar(NamedTuple):
    """One bar in ticks and lots; the volume is NaN where the source has none. The time is that of its opening."""

    open: float
    high: float
    low: float
    close: float
    volume: float = NAN
    time: float = NAN


class Term(NamedTuple):
    """A node: its operation, the positions of the nodes that it reads, and its numbers."""

    operation: str
    inputs: tuple[int, ...] = ()
    numbers: tuple[float, ...] = ()


class Grid(NamedTuple):
    """What one tick and one lot are, as numerators over denominators."""

    tick: tuple[float, float]
    lot: tuple[float, float]


def compared(a: float, b: float) -> float:
    """-1, 0 or 1 as a number is below, at or above another; NaN where one is not known."""
    return 1.0 if a > b else -1.0 if a < b else 0.0 if a == b else NAN


def smaller(a: float, b: float) -> float:
    return a if math.isnan(a) or a < b else b


def divided(a: float, b: float) -> float:
    return NAN if b == 0.0 else a / b


def _signal(on: bool) -> float:
    return 1.0 if on else 0.0


PLAIN: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": divided,
    "negate": lambda a: -a,
    "absolute": abs,
    "sqrt": lambda a: math.sqrt(a) if a >= 0.0 else NAN,
    "smaller": smaller,
    "larger": lambda a, b: -smaller(-a, -b),
    "choose": lambda on, a, b: a if on == 1.0 else b,
    "order": compared,
    "above": lambda order: _signal(order > 0.0),
    "at_least": lambda order: _signal(order >= 0.0),
    "below": lambda order: _signal(order < 0.0),
    "at_most": lambda order: _signal(order <= 0.0),
    "and": lambda a, b: _signal(a == 1.0 and b == 1.0),
    "or": lambda a, b: _signal(a == 1.0 or b == 1.0),
    "not": lambda a: _signal(a != 1.0),
}


def _crosses(sign: float) -> Callable[[float], float]:
    before = NAN

    def step(order: float) -> float:
        nonlocal before
        was, before = before, order
        return _signal(sign * order > 0.0 and sign * was <= 0.0)

    return step


def _lag(bars: int) -> Callable[[float], float]:
    past: deque[float] = deque([NAN] * bars)

    def step(value: float) -> float:
        past.append(value)
        return past.popleft()

    return step


def _since() -> Callable[[float], float]:
    bars = NAN

    def step(on: float) -> float:
        nonlocal bars
        bars = 0.0 if on == 1.0 else bars + 1.0
        return bars

    return step


def _hold(bars: int) -> Callable[[float], float]:
    left = 0

    def step(on: float) -> float:
        nonlocal left
        left = bars if on == 1.0 else left - 1
        return _signal(left > 0)

    return step


def _first() -> Callable[[float], float]:
    before = False

    def step(on: float) -> float:
        nonlocal before
        was, before = before, on == 1.0
        return _signal(before and not was)

    return step


def _every(bars: int) -> Callable[[float], float]:
    passed = 0

    def step(on: float) -> float:
        nonlocal passed
        if on != 1.0:
            return 0.0
        fires = passed % bars == 0
        passed += 1
        return _signal(fires)

    return step


def _feature(operation: str, numbers: Sequence[float]) -> Callable[..., float]:
    """An output of a feature, ``name#1`` or so; it begins anew after a row with something that is no number."""
    name, _, output = operation.partition("#")
    if name not in TWINS:
        raise EngineError(f"no feature is called {name!r}")
    given = [int(number) if number == int(number) else number for number in numbers]
    twin = TWINS[name](*given)

    def step(*row: float) -> float:
        nonlocal twin
        if not all(abs(value) <= LARGEST for value in row):
            twin = TWINS[name](*given)
            return NAN
        values = twin.update(*row)
        if values is None:
            return NAN
        value: float = values if isinstance(values, float) else values[int(output or 0)]
        return value

    return step


def _scaled(step: tuple[float, float]) -> Callable[[float], float]:
    return lambda value: value * step[0] / step[1]


STATEFUL: dict[str, Callable[[Term, Grid], Callable[..., float]]] = {
    "number": lambda term, _: lambda: term.numbers[0],
    "from_ticks": lambda _, grid: _scaled(grid.tick),
    "from_lots": lambda _, grid: _scaled(grid.lot),
    "crosses_above": lambda _term, _grid: _crosses(1.0),
    "crosses_below": lambda _term, _grid: _crosses(-1.0),
    "lag": lambda term, _: _lag(int(term.numbers[0])),
    "lag_signal": lambda term, _: _lag(int(term.numbers[0])),
    "since": lambda _term, _grid: _since(),
    "hold": lambda term, _: _hold(int(term.numbers[0])),
    "first": lambda _term, _grid: _first(),
    "every": lambda term, _: _every(int(term.numbers[0])),
}


SOURCES = ("open", "high", "low", "close", "volume", "time")


class Graph:
    """The nodes of a formula over the instruments of a run."""

    def __init__(self, terms: Sequence[Term], grids: Sequence[Grid]) -> None:
        self._terms = terms
        self._steps = [[_step_of(term, grid) for term in terms] for grid in grids]
        self.values = [[NAN] * len(terms) for _ in grids]
        """By instrument and position of the node: the values at the last bar."""

    def update(self, closed: Mapping[int, Bar]) -> None:
        """Take the bars that close at one time, by the rank of their instruments."""
        for at, term in enumerate(self._terms):
            read = [[self.values[k][place] for place in term.inputs] for k in closed]
            if term.operation in SOURCES:
                made: list[float] = [getattr(bar, term.operation) for bar in closed.values()]
            elif term.operation in ACROSS:
                made = across(term.operation, term.numbers, *zip(*read, strict=True))
            else:
                made = [self._steps[k][at](*row) for k, row in zip(closed, read, strict=True)]
            for k, value in zip(closed, made, strict=True):
                self.values[k][at] = value


def _step_of(term: Term, grid: Grid) -> Callable[..., float]:
    if term.operation in SOURCES or term.operation in ACROSS:
        return lambda: NAN
    if term.operation in PLAIN:
        return PLAIN[term.operation]
    if term.operation in STATEFUL:
        return STATEFUL[term.operation](term, grid)
    return _feature(term.operation, term.numbers)


class Trader:
    """What a formula asks of an engine, bar by bar (section 4); ``roles`` has the position of the node of each role."""

    def __init__(self, terms: Sequence[Term], roles: Mapping[str, int], grids: Sequence[Grid]) -> None:
        self.graph = Graph(terms, grids)
        self._roles = roles
        self._sent = [(0, 0)] * len(grids)
        """Of each instrument the last order, and the sign of the position that it was sent for."""
        self._target = [0] * len(grids)

    def act(self, engine: Any, k: int, close: int) -> None:
        """Send the order that the values at the last bar of an instrument ask for, if any."""
        order, sign = self._sent[k]
        held = sign if order and engine.is_working(order) else _sign(engine.position(k))
        fraction = self._target_wanted(k) if "target" in self._roles else self._entry_wanted(k, held)
        if fraction is None:
            return
        exits = self._exits(k, close, _sign(fraction)) if fraction else {}
        if exits is not None:
            order = engine.submit(k, 1, size_kind="target_fraction", size=fraction, **exits)
            self._sent[k] = (order, _sign(fraction))

    def _value(self, k: int, role: str) -> float:
        return self.graph.values[k][self._roles[role]] if role in self._roles else NAN

    def _is_on(self, k: int, role: str) -> bool:
        return self._value(k, role) == 1.0

    def _target_wanted(self, k: int) -> int | None:
        target = rate(self._value(k, "target"))
        if target is None:
            return None
        asked = self._is_on(k, "when") if "when" in self._roles else target != self._target[k]
        if not asked:
            return None
        self._target[k] = target
        return target

    def _entry_wanted(self, k: int, held: int) -> int | None:
        exits, short_exits = self._is_on(k, "exit"), self._is_on(k, "short_exit")
        long = self._is_on(k, "entry") and not exits
        short = self._is_on(k, "short_entry") and not short_exits
        if long and short:
            long = short = False
        size = rate(self._value(k, "size")) or 0
        wanted = None
        if held > 0:
            wanted = -size if short else 0 if exits else None
        elif held < 0:
            wanted = size if long else 0 if short_exits else None
        elif long or short:
            wanted = size if long else -size
        enters = (held <= 0 and long) or (held >= 0 and short)
        return None if enters and size <= 0 else wanted

    def _exits(self, k: int, close: int, sign: int) -> dict[str, int] | None:
        """The bracket of an entry; None where one of its distances is not known."""
        distances = {
            role: self._value(k, role) for role in ("stop_loss", "take_profit", "trail") if role in self._roles
        }
        if not all(math.isfinite(distance) for distance in distances.values()):
            return None
        exits = {}
        if "stop_loss" in distances:
            exits["stop_loss"] = ticks(float(close) - sign * distances["stop_loss"], up=sign < 0)
        if "take_profit" in distances:
            exits["take_profit"] = ticks(float(close) + sign * distances["take_profit"], up=sign > 0)
        if "trail" in distances:
            exits["stop_loss_trail_ticks"] = ticks(distances["trail"], up=True)
        return exits


def ticks(raw: float, *, up: bool) -> int:
    """Whole ticks of a price, or the next ones in a direction where it is off the grid by more than noise."""
    nearest = round(raw)
    if abs(raw - nearest) <= 1e-9 * max(1.0, abs(raw)):
        return nearest
    return math.ceil(raw) if up else math.floor(raw)


def rate(fraction: float) -> int | None:
    """A fraction in parts per billion, towards zero; None where it is not known."""
    scaled = fraction * BILLION + math.copysign(1e-4, fraction)
    return math.trunc(scaled) if abs(scaled) < 9e18 else None


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


class OnEngine:
    """A trader as a strategy of the plain engine, or of any with the same calls, over bars that are there."""

    def __init__(self, trader: Trader, bars: Sequence[Any]) -> None:
        self._trader = trader
        self._bars = bars
        self._closed: set[tuple[int, int]] = set()
        """Bars, by instrument and position, that closed at the present moment."""
        self._next = [0] * len(bars)

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        if (instrument, bar_index) not in self._closed:
            now_ns = self._bars[instrument].close_ns[bar_index]
            together = [k for k, at in enumerate(self._next) if at < len(self._bars[k]) and self._closes(k, at, now_ns)]
            self._closed = {(k, self._next[k]) for k in together}
            self._trader.graph.update({k: bar_of(self._bars[k], self._next[k]) for k in together})
            for k in together:
                self._next[k] += 1
        self._trader.act(engine, instrument, int(self._bars[instrument].close[bar_index]))

    def _closes(self, k: int, at: int, now_ns: int) -> bool:
        return bool(self._bars[k].close_ns[at] == now_ns)

    def on_fill(self, engine: Any, fill: Any) -> None: ...

    def on_order(self, engine: Any, order: Any) -> None: ...


def bar_of(bars: Any, at: int) -> Bar:
    """A bar as features read it."""
    open_, high, low, close = (float(column[at]) for column in (bars.open, bars.high, bars.low, bars.close))
    volume = NAN if bars.volume is None else float(bars.volume[at])
    return Bar(open_, high, low, close, volume, instant(int(bars.open_ns[at])))
