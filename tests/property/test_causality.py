"""The future does not reach back, and nothing but the inputs decides a run (laws 6 and 15)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline import Engine
from neural_trader.baseline.records import Kind, OrderRecord
from neural_trader.market.bars import Bars
from parity.programs import Case, Program, make_case

REPOSITORY = Path(__file__).resolve().parents[2]
CHANGES_LATER = ("filled", "cancelled", "state", "reason")


class Witness(Program):
    """A random program, which reacts to all that it sees, and how much had been seen at each bar."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.seen_by: list[tuple[int, int]] = []
        self._case = case

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        super().on_bar(engine, instrument, bar_index)
        self.seen_by.append((int(self._case.market[instrument].close_ns[bar_index]), len(self.seen)))


def poisoned(bars: Bars, after_ns: int, seed: int) -> Bars:
    """The same bars up to a time; of a bar open at that time only what is known at its opening stays."""
    random = Random(seed)
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    volume = None if bars.volume is None else bars.volume.copy()
    for index in range(len(bars)):
        if bars.close_ns[index] <= after_ns:
            continue
        price = random.randint(1, 10 * int(bars.high[index]))
        if bars.open_ns[index] > after_ns:
            columns["open"][index] = price
            if volume is not None:
                volume[index] = random.randint(0, 1_000)
        open_ = int(columns["open"][index])
        columns["close"][index] = close = random.randint(1, 2 * price)
        columns["high"][index] = max(open_, close) + random.randint(0, price)
        columns["low"][index] = max(1, min(open_, close) - random.randint(0, price))
    return replace(bars, **columns, volume=volume)


@given(seed=st.integers(0, 10**9), share=st.floats(0, 1), poison=st.integers(0, 10**9))
def test_law_6_bars_after_a_time_change_nothing_at_or_before_it(seed: int, share: float, poison: int) -> None:
    case = make_case(seed)
    times = sorted({int(time_ns) for bars in case.market for time_ns in (*bars.open_ns, *bars.close_ns)})
    until_ns = times[int(share * (len(times) - 1))]
    # What happens at the very end of data depends on where the data ends, which is not what is poisoned here.
    case.config["close_at_end"] = False
    other = Case(case.seed, [poisoned(bars, until_ns, poison) for bars in case.market], case.config)
    assert _known_at(until_ns, case) == _known_at(until_ns, other)


def _known_at(until_ns: int, case: Case) -> dict[str, Any]:
    engine, witness = Engine(case.market, **case.config), Witness(case)
    engine.run(witness)
    fills = [fill for fill in engine.fills if fill.time_ns <= until_ns]
    orders = [_as_submitted(order) for order in engine.orders if order.submit_ns <= until_ns]
    return {
        "seen": witness.seen[: max((seen for time_ns, seen in witness.seen_by if time_ns <= until_ns), default=0)],
        "orders": orders,
        "fills": fills,
        "postings": [posting for posting in engine.postings if posting.transaction <= len(fills)],
        "equity": [sample for sample in engine.equity_samples if sample[0] <= until_ns],
    }


def _as_submitted(order: OrderRecord) -> dict[str, Any]:
    """Without what changes while an order works: its progress, the size of a child, the level of a trailing stop."""
    fields = {name: value for name, value in asdict(order).items() if name not in CHANGES_LATER}
    if order.parent:
        del fields["quantity"]
    if order.kind == Kind.TRAILING_STOP:
        del fields["stop"]
    return fields


def test_poison_changes_the_future_at_all() -> None:
    """The test above would hold for bars that stay the same."""
    bars = make_case(3).market[0]
    until_ns = int(bars.open_ns[5])
    changed = poisoned(bars, until_ns, 1)
    assert np.array_equal(changed.open[:6], bars.open[:6]) and np.array_equal(changed.close[:5], bars.close[:5])
    assert not np.array_equal(changed.close[5:], bars.close[5:])


PRINT_HASHES = """
from parity.outcome import play_baseline
from parity.programs import make_case
print(*(play_baseline(make_case(seed))[0].digests["run"] for seed in range(5)))
"""


@pytest.mark.parametrize("engine", ["baseline", "rust"])
def test_law_15_fresh_processes_name_the_same_runs_by_the_same_hash(engine: str) -> None:
    script = PRINT_HASHES
    if engine == "rust":
        script = script.replace("play_baseline(make_case(seed))[0]", "play_rust(make_case(seed))")
        script = script.replace("import play_baseline", "import play_rust")
    path = os.pathsep.join((str(REPOSITORY / "python"), str(REPOSITORY / "tests")))
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(printed) == 1
    assert len(set(printed.pop().split())) == 5
