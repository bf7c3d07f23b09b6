"""Runs in which nobody listens: the Rust engine may then take quiet bars in larger steps, and must end up the same."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.errors import EngineError
from parity.outcome import rows_of_columns, rows_of_records
from parity.programs import Case, Program, make_case

RUNS = 300


class Silent:
    """A strategy that takes note of nothing."""

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None: ...

    def on_fill(self, engine: Any, fill: Any) -> None: ...

    def on_order(self, engine: Any, order: Any) -> None: ...


def orders_in_advance(case: Case, engine: BaselineEngine) -> list[tuple[int, int, dict[str, Any]]]:
    """A few random orders, with prices near the first opening, sent before there is any bar."""
    random, program = Random(case.seed), Program(case)
    orders = []
    for _ in range(random.randint(1, 8)):
        instrument, side = random.randrange(len(case.market)), random.choice((1, -1))
        keywords = program.random_order(engine, instrument, side)
        first = int(case.market[instrument].open[0])
        for name in ("limit", "stop", "stop_loss", "take_profit"):
            if keywords.get(name, 0) > 0:
                keywords[name] = max(1, first + random.randint(-max(2, first // 20), max(2, first // 20)))
        orders.append((instrument, side, keywords))
    return orders


def test_a_run_without_callbacks_leaves_the_same_records() -> None:
    from neural_trader._core import Engine

    fills = 0
    for case in map(make_case, range(RUNS)):
        plain, rust = BaselineEngine(case.market, **case.config), Engine(case.market, **case.config)
        for instrument, side, keywords in orders_in_advance(case, plain):
            assert plain.submit(instrument, side, **keywords) == rust.submit(instrument, side, **keywords)
        assert _fails(plain.run, Silent()) == _fails(rust.play), case.seed
        assert rows_of_records(plain.orders) == rows_of_columns("orders", rust.orders), case.seed
        assert rows_of_records(plain.fills) == rows_of_columns("fills", rust.fills), case.seed
        assert rows_of_records(plain.postings) == rows_of_columns("postings", rust.postings), case.seed
        assert plain.equity_samples == list(zip(*rust.equity_samples, strict=True)), case.seed
        assert plain.exposed_samples == rust.exposed_samples, case.seed
        assert rows_of_records(plain.trades()) == rows_of_columns("trades", rust.trades), case.seed
        fills += len(plain.fills)
    assert fills > RUNS


def _fails(run: Callable[..., None], *arguments: Any) -> bool:
    try:
        run(*arguments)
    except EngineError:
        return True
    return False
