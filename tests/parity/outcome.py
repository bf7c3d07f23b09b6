"""What an engine made of a case, as plain rows that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.baseline.records import (
    FillRecord,
    OrderRecord,
    PostingRecord,
    TradeRecord,
)
from neural_trader.baseline.run_hash import (
    digest_fills,
    digest_inputs,
    digest_orders,
    digest_parameters,
    digest_postings,
    run_hash,
)
from neural_trader.errors import EngineError
from parity.programs import Case, Program

VERSION = "0.0.0"
PARAMETERS_JSON = '{"a":[1,2.5],"b":"\\u00e9"}'
PARAMETERS = {"b": "é", "a": [1, 2.5]}

Rows = list[tuple[int, ...]]


@dataclass(frozen=True)
class Outcome:
    """Streams of rows in the order in which a difference is best explained: what was seen comes first in time."""

    seen: list[tuple[Any, ...]]
    orders: Rows = field(default_factory=list)
    fills: Rows = field(default_factory=list)
    postings: Rows = field(default_factory=list)
    equity_samples: Rows = field(default_factory=list)
    trades: Rows = field(default_factory=list)
    exposed_samples: int = 0
    liquidations: list[int] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)


def play_baseline(case: Case, *, checked: bool = False) -> tuple[Outcome, BaselineEngine]:
    """Play a case in plain Python; ``checked`` holds the engine to its laws after every moment."""
    engine = BaselineEngine(case.market, **case.config, checked=checked)
    program = Program(case)
    if not _runs(engine, program, program):
        return Outcome(program.seen), engine
    digests = {
        "inputs": digest_inputs(case.market, case.config.get("account")),
        "parameters": digest_parameters(PARAMETERS),
        "orders": digest_orders(engine.orders),
        "fills": digest_fills(engine.fills),
        "postings": digest_postings(engine.postings),
    }
    digests["run"] = run_hash(VERSION, **digests)
    outcome = Outcome(
        seen=program.seen,
        orders=rows_of_records(engine.orders),
        fills=rows_of_records(engine.fills),
        postings=rows_of_records(engine.postings),
        equity_samples=list(engine.equity_samples),
        trades=rows_of_records(engine.trades()),
        exposed_samples=engine.exposed_samples,
        liquidations=list(engine.liquidations),
        digests={name: digest.hex() for name, digest in digests.items()},
    )
    return outcome, engine


def play_rust(case: Case) -> Outcome:
    """Play a case in Rust."""
    from neural_trader._core import Engine

    engine = Engine(case.market, **case.config)
    program = Program(case)
    if not _runs(engine, RecordsFromColumns(program), program):
        return Outcome(program.seen)
    engine.check_invariants()
    return Outcome(
        seen=program.seen,
        orders=rows_of_columns("orders", engine.orders),
        fills=rows_of_columns("fills", engine.fills),
        postings=rows_of_columns("postings", engine.postings),
        equity_samples=list(zip(*engine.equity_samples, strict=True)),
        trades=rows_of_columns("trades", engine.trades),
        exposed_samples=engine.exposed_samples,
        liquidations=list(engine.liquidations),
        digests=engine.digests(VERSION, PARAMETERS_JSON),
    )


def _runs(engine: Any, strategy: Any, program: Program) -> bool:
    try:
        engine.run(strategy)
    except EngineError:
        # An error ends the run in the middle of a step; what counts is that both engines come exactly this far.
        program.seen.append(("error",))
        return False
    return True


class RecordsFromColumns:
    """Hands a strategy records where the Rust engine has columns of one row."""

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        self._strategy.on_bar(engine, instrument, bar_index)

    def on_fill(self, engine: Any, columns: Mapping[str, list[int]]) -> None:
        self._strategy.on_fill(engine, FillRecord(*rows_of_columns("fills", columns)[0]))

    def on_order(self, engine: Any, columns: Mapping[str, list[int]]) -> None:
        self._strategy.on_order(engine, OrderRecord(*rows_of_columns("orders", columns)[0]))


def names_of(stream: str) -> tuple[str, ...]:
    """Column names of a stream of records."""
    record = {"orders": OrderRecord, "fills": FillRecord, "postings": PostingRecord, "trades": TradeRecord}[stream]
    return tuple(column.name for column in fields(record))


def rows_of_columns(stream: str, columns: Mapping[str, list[int]]) -> Rows:
    return list(zip(*(columns[name] for name in names_of(stream)), strict=True))


def rows_of_records(records: Iterable[Any]) -> Rows:
    return [tuple(map(int, astuple(record))) for record in records]
