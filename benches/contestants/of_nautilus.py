"""nautilus_trader: its Strategy class on bars.

Its market orders fill at the close that they were decided on, so its trades are compared with ours under
`fill="close"`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import nautilus_trader
import polars as pl
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from worker import Job, fills, serve

MINUTE_NS = 60_000_000_000
VENUE = Venue("XNAS")
INSTRUMENT = InstrumentId(Symbol("MINUTE"), VENUE)
BAR_TYPE = BarType.from_str(f"{INSTRUMENT}-1-MINUTE-LAST-EXTERNAL")


class OneUnit(Strategy):  # type: ignore[misc]
    """One unit while the fast average is above the slow one."""

    def __init__(self, fast: int, slow: int) -> None:
        super().__init__()
        self.fast_average, self.slow_average = SimpleMovingAverage(fast), SimpleMovingAverage(slow)
        self.before = float("nan")
        self.done: list[tuple[int, int, float, float]] = []

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(INSTRUMENT)
        self.one = self.instrument.make_qty(1)
        self.register_indicator_for_bars(BAR_TYPE, self.fast_average)
        self.register_indicator_for_bars(BAR_TYPE, self.slow_average)
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow_average.initialized:
            return
        spread = self.fast_average.value - self.slow_average.value
        before, self.before = self.before, spread
        if spread > 0.0 and before <= 0.0 and self.portfolio.is_flat(INSTRUMENT):
            self.send(OrderSide.BUY)
        elif spread < 0.0 and before >= 0.0 and not self.portfolio.is_flat(INSTRUMENT):
            self.send(OrderSide.SELL)

    def send(self, side: OrderSide) -> None:
        self.submit_order(self.order_factory.market(INSTRUMENT, side, self.one))

    def on_order_filled(self, event: Any) -> None:
        side = 1 if event.order_side == OrderSide.BUY else -1
        self.done.append((event.ts_event, side, float(event.last_px), float(event.last_qty)))


class Nautilus:
    """`BacktestEngine.run` alone; making its objects of bars is not timed."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.version = nautilus_trader.__version__
        self.works = {"engine": self.run}
        frame = pl.read_parquet(job["parquet"], n_rows=job["bars"])
        times = (frame["time"].to_physical() + MINUTE_NS).to_list()
        prices = [frame[name].to_list() for name in ("open", "high", "low", "close")]
        volumes = frame["volume"].to_list()
        self.until_ns = times[-1]
        self.bars = [
            Bar(BAR_TYPE, *(Price(each, 2) for each in row), Quantity(volume, 0), time, time)
            for time, volume, *row in zip(times, volumes, *prices, strict=True)
        ]
        self.prepared = self.prepare()

    def prepare(self) -> tuple[BacktestEngine, OneUnit]:
        engine = BacktestEngine(
            BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True))
        )
        engine.add_venue(
            VENUE, OmsType.NETTING, AccountType.CASH, [Money(int(self.job["cash"]), USD)], base_currency=USD
        )
        fee = Decimal(self.job["fee"])
        engine.add_instrument(
            Equity(
                INSTRUMENT, Symbol("MINUTE"), USD, 2, Price(0.01, 2), Quantity(1, 0), 0, 0, maker_fee=fee, taker_fee=fee
            )
        )
        engine.add_data(self.bars)
        strategy = OneUnit(self.job["fast"], self.job["slow"])
        engine.add_strategy(strategy)
        return engine, strategy

    def run(self) -> OneUnit:
        engine, strategy = self.prepared
        engine.run()
        return strategy

    def ready(self) -> None:
        self.prepared[0].dispose()
        self.prepared = self.prepare()

    def result(self) -> dict[str, Any]:
        done = self.run().done
        self.ready()
        return {"fill": "close", "until_ns": self.until_ns, "fills": fills(*zip(*done, strict=True))}


serve(Nautilus)
