"""Random order programs: strategies that play the same against any engine, and remember what they saw."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from neural_trader.market.bars import Bars
from parity.markets import HOUR_NS, START_NS, random_market

BILLION = 10**9
KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop")
ORDERS_FROM_NOTIFICATIONS = 25
"""An order sent in answer to each order would never end."""


@dataclass(frozen=True)
class Case:
    """A market, the engine's configuration and a program, all of them determined by the seed."""

    seed: int
    market: list[Bars]
    config: dict[str, Any]


def make_case(seed: int) -> Case:
    random = Random(seed)
    config = _random_config(random)
    market = random_market(random, needs_volume=config["volume_cap_ppb"] is not None)
    first = market[0]
    unit = first.tick.mantissa * first.lot.mantissa * 10 ** (18 - first.tick.decimals - first.lot.decimals)
    # The first instrument's bars say how much money makes positions of a few to a few thousand lots.
    config["cash"] = int(first.open[0]) * unit * random.choice((3, 40, 40, 1_000, 5_000)) + random.randint(0, 10**9)
    if random.random() < 0.5:
        config["fixed_fee"] = config["cash"] // random.choice((200, 5_000, 100_000))
    return Case(seed, market, config)


def _random_config(random: Random) -> dict[str, Any]:
    return {
        "leverage_ppb": random.choice((BILLION, BILLION, 2 * BILLION, 7 * BILLION, 50 * BILLION, BILLION // 2)),
        "maker_ppb": random.choice((0, 0, 200_000, 12_345_678)),
        "taker_ppb": random.choice((0, 0, 500_000, 33_333_333)),
        "fixed_fee": 0,
        "slippage_ticks": random.choice((0, 0, 1, 3)),
        "slippage_ppb": random.choice((0, 0, 100_000, 7_777_777)),
        "slippage_spread_ppb": random.choice((0, 0, BILLION // 2, BILLION)),
        "fill_close": random.random() < 0.25,
        "limit_through": random.random() < 0.3,
        "volume_cap_ppb": random.choice((None, None, BILLION // 100, BILLION // 10, BILLION // 2, BILLION)),
        "close_at_end": random.random() < 0.3,
    }


class Program:
    """Sends random orders on bars, fills and endings; ``seen`` is everything that the engine told it, in order."""

    def __init__(self, case: Case) -> None:
        self._random = Random(~case.seed)
        self._instruments = len(case.market)
        self._last_id = 0
        self._answers = 0
        self._appetite = self._random.choice((0.1, 0.4, 0.8))
        self._units = [
            bars.tick.mantissa * bars.lot.mantissa * 10 ** (18 - bars.tick.decimals - bars.lot.decimals)
            for bars in case.market
        ]
        account = case.config.get("account")
        self._has_account = account is not None
        self._currencies = len(account.currencies) if account else 0
        self.seen: list[tuple[Any, ...]] = []

    def on_bar(self, engine: Any, instrument: int, bar_index: int) -> None:
        self._see(engine, "bar", instrument, bar_index)
        while self._random.random() < self._appetite:
            self._act(engine, instrument if self._random.random() < 0.8 else self._random.randrange(self._instruments))

    def on_fill(self, engine: Any, fill: Any) -> None:
        self._see(engine, "fill", fill.instrument, fill.order, fill.side, fill.quantity, fill.price, fill.maker)
        self._answer(engine, fill.instrument)

    def on_order(self, engine: Any, order: Any) -> None:
        self._see(engine, "order", order.instrument, order.id, order.state, order.reason, order.filled, order.cancelled)
        self._answer(engine, order.instrument)

    def _see(self, engine: Any, what: str, instrument: int, *numbers: int) -> None:
        money = (engine.position(instrument), engine.mark(instrument), engine.cash(), engine.equity(), engine.halted)
        others = [engine.cash(currency) for currency in range(1, 1 + self._currencies)]
        self.seen.append((what, instrument, *map(int, (*numbers, *money, *others))))

    def _answer(self, engine: Any, instrument: int) -> None:
        if self._random.random() < 0.3 and self._answers < ORDERS_FROM_NOTIFICATIONS:
            self._answers += 1
            self._act(engine, instrument)

    def _act(self, engine: Any, instrument: int) -> None:
        random = self._random
        if random.random() < 0.12:
            # Children are numbered too, so a little beyond the last known id there may be one.
            order = random.randint(0, self._last_id + 4)
            self.seen.append(("cancel", order, engine.cancel(order)))
            return
        side = random.choice((1, -1))
        order = engine.submit(instrument, side, **self.random_order(engine, instrument, side))
        self._last_id = max(self._last_id, order)
        self.seen.append(("submit", order))

    def random_order(self, engine: Any, instrument: int, side: int) -> dict[str, Any]:
        random = self._random
        mark = engine.mark(instrument) or 100
        keywords: dict[str, Any] = {"kind": random.choice(KINDS)}
        keywords |= self._random_size(engine, instrument, mark)
        if keywords["size_kind"].startswith("target"):
            keywords["kind"] = "market"
        kind = keywords["kind"]
        if kind in ("limit", "stop_limit"):
            keywords["limit"] = self._near(mark)
        if kind in ("stop", "stop_limit"):
            keywords["stop"] = self._near(mark)
        if kind == "trailing_stop":
            keywords |= self._random_trail(mark, "trail_ticks", "trail_ppb")
        if random.random() < 0.4:
            keywords |= self._random_bracket(mark, side)
        keywords["time_in_force"] = random.choice(("gtc", "gtc", "gtd", "day"))
        if keywords["time_in_force"] == "gtd":
            keywords["expire_ns"] = START_NS + random.randint(0, 200) * HOUR_NS
        return keywords

    def _random_size(self, engine: Any, instrument: int, mark: int) -> dict[str, Any]:
        random = self._random
        equity = engine.equity()
        affordable = max(1, equity // (mark * self._units[instrument]))
        lots = random.choice((1, random.randint(1, affordable), random.randint(1, 3 * affordable)))
        held = engine.position(instrument)
        choice = random.randrange(20)
        if choice == 0:
            return {"size_kind": "quantity", "size": random.choice((0, -3))}
        if choice < 9:
            exact = abs(held) if held and random.random() < 0.3 else lots
            return {"size_kind": "quantity", "size": exact}
        if choice < 12:
            return {"size_kind": "cash", "size": max(0, equity) * random.randint(0, 25) // 10}
        if choice < 15:
            return {"size_kind": "fraction", "size": random.choice((-1, 10_000, 300_000_000, BILLION, 3 * BILLION))}
        if choice < 18:
            return {"size_kind": "target_quantity", "size": random.choice((0, held, lots, -lots, -held))}
        return {"size_kind": "target_fraction", "size": random.randint(-15, 15) * BILLION // 10}

    def _near(self, mark: int) -> int:
        """A price near the market, now and then far away or not a price at all."""
        random = self._random
        if random.random() < 0.02:
            return random.choice((0, -5))
        if random.random() < 0.05:
            return max(1, mark * random.choice((1, 4)) // random.choice((1, 4)))
        reach = max(2, mark // random.choice((20, 100, 400)))
        return max(1, mark + random.randint(-reach, reach))

    def _random_trail(self, mark: int, ticks_name: str, ppb_name: str) -> dict[str, int]:
        random = self._random
        if random.random() < 0.02:
            return {random.choice((ticks_name, ppb_name)): random.choice((0, -1))}
        if random.random() < 0.5:
            return {ticks_name: random.randint(1, max(2, mark // 50))}
        return {ppb_name: random.choice((1, 5_000_000, 30_000_000, 400_000_000))}

    def _random_bracket(self, mark: int, side: int) -> dict[str, int]:
        random = self._random
        if random.random() < 0.4:
            # The usual one, with the market between its two exits.
            distance = random.randint(1, max(1, mark // random.choice((20, 100))))
            return {"stop_loss": max(1, mark - side * distance), "take_profit": max(1, mark + side * distance)}
        keywords: dict[str, int] = {}
        if random.random() < 0.7:
            if random.random() < 0.3:
                keywords |= self._random_trail(mark, "stop_loss_trail_ticks", "stop_loss_trail_ppb")
            else:
                keywords["stop_loss"] = self._near(mark)
        if random.random() < 0.7:
            keywords["take_profit"] = self._near(mark)
        return keywords
