"""A formula as a strategy that ``backtest``, the command line and sweeps take like any other class."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from neural_trader._native import Engine
from neural_trader.baseline import formula as plain
from neural_trader.errors import StrategyLoadError, UsageError
from neural_trader.strategy.base import Strategy
from neural_trader.strategy.expressions.roles import Formula
from neural_trader.strategy.expressions.series import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader._native import Bar, Replay
    from neural_trader.market.bars import Series as Market
    from neural_trader.market.recordings import Listed
    from neural_trader.strategy.expressions.lowering import Term
    from neural_trader.strategy.overlays import Overlay


class FormulaStrategy(Strategy):
    """A strategy that a formula decides; its parameters are those of the formula."""

    formula: ClassVar[Formula]

    def native(self) -> tuple[str, tuple[Any, ...]]:
        return "run_formula", self.program()

    def program(self) -> tuple[list[Term], dict[str, int], list[float]]:
        """What the engine evaluates: terms, the place of each role, and the values of the parameters."""
        terms, roles = self.formula.lowered(self.constants)
        values = [float(self.parameters[name]) for name in self.formula.parameters]
        return terms, roles, values

    @property
    def constants(self) -> dict[str, float]:
        """The numbers that the run gives."""
        return {"share": self.share, "bars_per_year": self.bars_per_year}

    # The same in plain Python, for `native=False`.

    def on_start(self) -> None:
        terms, roles, values = self.program()
        assert isinstance(self._engine, Engine)
        self._bars_engine = self._engine
        self._closed: dict[int, Bar] = {}
        self._trader = plain.Trader(
            [
                plain.Term(operation, inputs, tuple(values[int(x)] if open_ else x for open_, x in given))
                for operation, inputs, given in terms
            ],
            roles,
            [plain.Grid(_fraction(grid.tick), _fraction(grid.lot)) for grid in self._grids],
        )

    def on_bar(self, bar: Bar) -> None:
        self._closed[bar.instrument] = bar

    def on_moment(self, time_ns: int) -> None:
        self._trader.graph.update({k: self._in_counts(k, bar) for k, bar in self._closed.items()})
        for k in self._closed:
            self._trader.act(self._bars_engine, k, self._bars_engine.mark(k))
        self._closed.clear()

    def _in_counts(self, k: int, bar: Bar) -> plain.Bar:
        grid = self._grids[k]
        open_, high, low, close = (float(grid.price(x, up=False)) for x in (bar.open, bar.high, bar.low, bar.close))
        return plain.Bar(open_, high, low, close, float(grid.lots(bar.volume)) if self._has_volume[k] else plain.NAN)

    def _bind(
        self,
        engine: Engine | Replay,
        instruments: Sequence[Market | Listed],
        overlays: tuple[Overlay, ...],
        interval_ns: int = 0,
    ) -> None:
        if overlays:
            raise UsageError("overlays are for strategies that are classes; a formula says its size and stops itself")
        super()._bind(engine, instruments, overlays, interval_ns)
        self._has_volume = [getattr(each.empty(), "volume", None) is not None for each in instruments]  # type: ignore[union-attr]


def _fraction(step: Any) -> tuple[float, float]:
    return float(step.mantissa), 10.0**step.decimals


def formula(
    *,
    entry: Any = None,
    exit: Any = None,  # noqa: A002
    short_entry: Any = None,
    short_exit: Any = None,
    size: Any = None,
    stop_loss: Any = None,
    take_profit: Any = None,
    trail: Any = None,
    target: Any = None,
    when: Any = None,
    name: str | None = None,
) -> type[FormulaStrategy]:
    """A strategy from signals and series; ``backtest``, ``--strategy file.py:name`` and sweeps take it.

    ``entry`` opens a long position with ``size`` of equity (default: ``share``) and ``exit`` closes it; ``short_entry``
    and ``short_exit`` do the same below zero. ``stop_loss``, ``take_profit`` and ``trail`` are distances from the close
    that decides: a price such as ``2 * atr(14)``, or a share of it such as ``0.02``. Instead of these, ``target``
    is the signed fraction of equity to hold, sent ``when`` that is on, or whenever it changes.

    Raises StrategyLoadError, with the line, for what does not fit together.

    >>> import neural_trader as nt
    >>> fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
    >>> cross = nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow))
    >>> print(cross.formula)
    entry = close.sma(fast).crosses_above(close.sma(slow))
    exit = close.sma(fast).crosses_below(close.sma(slow))
    with fast = 10, slow = 50
    """
    found = Formula.of(
        name,
        entry=entry,
        exit=exit,
        short_entry=short_entry,
        short_exit=short_exit,
        size=size,
        stop_loss=stop_loss,
        take_profit=take_profit,
        trail=trail,
        target=target,
        when=when,
    )
    return class_of(found, sys._getframe(1).f_globals.get("__name__", __name__))


def class_of(formula: Formula, module: str) -> type[FormulaStrategy]:
    """The class of a formula; it is called by the formula's name, or else by the beginning of its hash."""
    defaults = formula.parameters
    if taken := [name for name in defaults if hasattr(FormulaStrategy, name)]:
        refuse(f"a parameter cannot be called {taken[0]!r}: a strategy has something of that name")
    members = {
        "__annotations__": {name: type(default) for name, default in defaults.items()},
        "__doc__": formula.text,
        "__module__": module,
        "formula": formula,
        **defaults,
    }
    return type(formula.name or f"formula_{formula.hash[:12]}", (FormulaStrategy,), members)


def parse_formula(text: str, name: str | None = None) -> type[FormulaStrategy]:
    """The strategy of a formula as it prints itself; StrategyLoadError says, with line and column, where it is none.

    >>> import neural_trader as nt
    >>> cross = nt.parse_formula("entry = close.crosses_above(close.sma(n))\\nwith n = 20")
    >>> cross.formula.parameters
    {'n': 20}
    """
    found = Formula.parse(text)
    return class_of(Formula(found.roles, name), sys._getframe(1).f_globals.get("__name__", __name__))


def of_file(path: Path) -> type[FormulaStrategy]:
    """The strategy of a formula in a file: JSON (.json), or the text that it prints (.formula)."""
    try:
        text = path.read_text(encoding="utf-8")
        formula = (
            Formula.parse(text, str(path))
            if path.suffix == ".formula"
            else Formula.from_document(json.loads(text), str(path))
        )
    except OSError as error:
        raise StrategyLoadError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise StrategyLoadError(f"{path}: no {'text' if path.suffix == '.formula' else 'JSON'} ({error})") from error
    return class_of(formula, __name__)
