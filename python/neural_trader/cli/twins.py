"""Both engines beside each other: the same bars, the same strategy, and what each made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neural_trader.baseline import run_hash
from neural_trader.baseline.engine import Engine as PlainEngine
from neural_trader.baseline.features.average import Sma

if TYPE_CHECKING:
    from neural_trader._native import Engine
    from neural_trader.market.bars import Bars

COSTS: dict[str, Any] = {"taker_ppb": 1_000_000, "maker_ppb": 1_000_000, "slippage_ppb": 200_000}
CASH = 10_000 * 10**18
FAST, SLOW = 10, 50
_VERSION = "twins"
_RUN: dict[str, Any] = {"strategy": "sma_cross"}


class Cross:
    """The moving-average cross of the library, for the callbacks that both engines share."""

    def __init__(self, bars: Sequence[Bars]) -> None:
        self._closes = [each.close.tolist() for each in bars]
        self._averages = [(Sma(FAST), Sma(SLOW)) for _ in bars]
        self._before = [float("nan")] * len(bars)
        self._share = 10**9 // len(bars)

    def on_bar(self, engine: Any, instrument: int, index: int) -> None:
        close = float(self._closes[instrument][index])
        fast, slow = self._averages[instrument]
        short, long = fast.update(close), slow.update(close)
        spread = float("nan") if short is None or long is None else short - long
        before, self._before[instrument] = self._before[instrument], spread
        if spread > 0.0 and before <= 0.0:
            engine.submit(instrument, 1, size_kind="target_fraction", size=self._share)
        elif spread < 0.0 and before >= 0.0:
            engine.submit(instrument, 1, size_kind="target_fraction", size=0)

    def on_fill(self, engine: Any, fill: Any) -> None:
        """Nothing is decided on fills."""

    def on_order(self, engine: Any, order: Any) -> None:
        """Nothing is decided on ends of orders."""


def play_plain(bars: Sequence[Bars]) -> PlainEngine:
    """The strategy in the plain Python engine."""
    engine = PlainEngine(bars, cash=CASH, **COSTS)
    engine.run(Cross(bars))
    return engine


def play_rust(bars: Sequence[Bars]) -> Engine:
    """The same Python strategy in the Rust engine."""
    from neural_trader._native import Engine

    engine = Engine(list(bars), cash=CASH, **COSTS)
    engine.run(Cross(bars))
    return engine


def play_rust_alone(bars: Sequence[Bars]) -> Engine:
    """The strategy and the engine in Rust."""
    from neural_trader._native import Engine

    engine = Engine(list(bars), cash=CASH, **COSTS)
    engine.run_sma_cross(FAST, SLOW, 10**9 // len(bars), 0)
    return engine


def digests_of_plain(engine: PlainEngine, bars: Sequence[Bars]) -> dict[str, str]:
    """The digests of a run of the plain engine, named as those of the Rust engine are."""
    parts = {
        "inputs": run_hash.digest_inputs(bars),
        "parameters": run_hash.digest_parameters(_RUN),
        "orders": run_hash.digest_orders(engine.orders),
        "fills": run_hash.digest_fills(engine.fills),
        "postings": run_hash.digest_postings(engine.postings),
    }
    parts["run"] = run_hash.run_hash(_VERSION, **parts)
    return {name: digest.hex() for name, digest in parts.items()}


def digests_of_rust(engine: Engine) -> dict[str, str]:
    """The digests of a run of the Rust engine."""
    found: dict[str, str] = engine.digests(_VERSION, json.dumps(_RUN, sort_keys=True, separators=(",", ":")))
    return found
