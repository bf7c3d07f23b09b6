"""What an engine made of a case, as plain rows that can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from neural_trader.baseline import Engine as BaselineEngine
from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord, TradeRecord
from neural_trader.baseline.run_hash import digest_fills, digest_inputs, digest_orders, digest_postings
from neural_trader.errors import EngineError

from parity.programs import Case, Program

Rows = list[tuple[int, ...]]


@dataclass(frozen=True)
class Outcome:
    """Each field is one stream of rows; the first difference in the first that differs is the finding."""

    seen: list[tuple[Any, ...]]
    orders: Rows = field(default_factory=list)
    fills: Rows = field(default_factory=list)
    postings: Rows = field(default_factory=list)
    equity_samples: Rows = field(default_factory=list)
    trades: Rows = field(default_factory=list)
    exposed_samples: int = 0
    digests: dict[str, str] = field(default_factory=dict)


def play_baseline(case: Case, *, checked: bool = False) -> tuple[Outcome, BaselineEngine]:
    engine = BaselineEngine(case.market, **case.config, checked=checked)
    program = Program(case)
    try:
        engine.run(program)
    except EngineError:
        # An error ends the run in the middle of a step; what counts is that both engines come as far as this.
        program.seen.append(("error",))
        return Outcome(seen=program.seen), engine
    outcome = Outcome(
        seen=program.seen,
        orders=_rows(engine.orders),
        fills=_rows(engine.fills),
        postings=_rows(engine.postings),
        equity_samples=engine.equity_samples,  # type: ignore[arg-type]
        trades=_rows(engine.trades()),
        exposed_samples=engine.exposed_samples,
        digests={
            "inputs": digest_inputs(case.market).hex(),
            "orders": digest_orders(engine.orders).hex(),
            "fills": digest_fills(engine.fills).hex(),
            "postings": digest_postings(engine.postings).hex(),
        },
    )
    return outcome, engine


def _rows(records: Iterable[Any]) -> Rows:
    return [tuple(map(int, astuple(record))) for record in records]


def names_of(stream: str) -> tuple[str, ...]:
    """Column names of a stream of records, for printing."""
    record = {"orders": OrderRecord, "fills": FillRecord, "postings": PostingRecord, "trades": TradeRecord}[stream]
    return tuple(column.name for column in fields(record))
